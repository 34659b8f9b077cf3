#include "run/config.h"

#include "base/mem.h"
#include "compare.h"
#include "match.h"
#include "model/model.h"
#include "run/lines.h"
#include "run/paths.h"
#include "model/optim.h"

#include <errno.h>
#include <string.h>

enum { MAX_BYTES = 16 << 20 };

struct pl_config {
  pl_arena arena;
  const char *text, *sets;
  pl_columns columns;
  pl_roles roles;
  int64_t num_selected;
  const int64_t *selected; /* NULL: all runs */
  int64_t shard, shards;   /* whose they are; shards 0: not known */
  pl_inputs inputs;
};

/* ---- checks across keys ---- */

static const char *at_fault(const char *key, const char *what) {
  pl_error(PL_EINPUT, "%s", what);
  return key;
}

static const char *check_common(const pl_config *cfg, const pl_spec *s) {
  const pl_common *c = &s->common;
  const pl_ints *at = &c->record_steps;
  if (c->epochs > 0 && pl_columns_find(&cfg->columns, "steps"))
    return at_fault("epochs", "steps are given, too: one of the two holds");
  if (c->record_every_epoch && at->n > 0)
    return at_fault("record.every_epoch", "record.steps are given, too");
  if (c->record_stages.n > 0 && at->n > 0)
    return at_fault("record.stages", "record.steps are given, too");
  if (c->record_stages.n > 0) {
    int64_t last = c->record_stages.v[c->record_stages.n - 1];
    const char *unit = c->epochs > 0 ? "epochs" : "steps";
    int64_t end = c->epochs > 0 ? c->epochs : c->steps;
    if (last >= end) {
      pl_error(PL_EINPUT, "stage of %lld %s is not below the last (%s: %lld)", (long long)last,
               unit, unit, (long long)end);
      return "record.stages";
    }
  }
  if (c->epochs <= 0 && at->n > 0 && at->v[at->n - 1] > c->steps) {
    pl_error(PL_EINPUT, "step %lld is beyond the last (steps: %lld)", (long long)at->v[at->n - 1],
             (long long)c->steps);
    return "record.steps";
  }
  if (pl_optim_flow(s) && !s->model->flows) {
    pl_error(PL_EINPUT, "flow is for networks on a tape, not for model.kind %s", s->model->name);
    return "optimizer.kind";
  }
  return NULL;
}

/* Checks of one run that need no file: the key at fault, with a message, or NULL.  Of constant
 * cost, for they see every run. */
static const char *check_run(const pl_config *cfg, const pl_spec *s) {
  const char *key = check_common(cfg, s);
  if (!key && s->model->fits) key = s->model->fits(s);
  if (!key && s->data->fits) key = s->data->fits(s);
  return key;
}

static void fill(const pl_role *role, int64_t run, pl_spec *out) {
  memcpy((char *)pl_spec_place(out, role->place) + role->row->field, pl_role_used(role, run),
         pl_value_size(role->row));
}

/* A run of the whole sweep; was: the cast that *out was filled for, whose defaults still stand. */
static void fill_run(const pl_config *cfg, int64_t run, const pl_cast *was, pl_spec *out) {
  const pl_cast *cast = pl_roles_cast(&cfg->roles, run);
  if (cast != was) *out = cast->spec;
  for (int i = 0; i < cast->num_roles; i++) {
    const pl_column *c = cast->role[i].column;
    if (c && (cast != was || c->values.n > 1)) fill(&cast->role[i], run, out);
  }
}

static pl_status check(const pl_config *cfg) {
  const pl_cast *was = NULL;
  pl_spec spec;
  for (int64_t r = 0; r < cfg->columns.runs; r++) {
    fill_run(cfg, r, was, &spec);
    was = pl_roles_cast(&cfg->roles, r);
    const char *key = check_run(cfg, &spec);
    if (key) return pl_config_blame(cfg, r, key, PL_EINPUT);
  }
  return PL_OK;
}

/* ---- reading ---- */

static const char *join_sets(pl_arena *arena, const char *const *sets, int nsets) {
  char *text = pl_lines_join(sets, nsets);
  const char *copy = pl_arena_text(arena, text, strlen(text));
  pl_free(text);
  return copy;
}

static pl_status build(pl_config *cfg, size_t len, const char *const *sets, int nsets) {
  if (len > MAX_BYTES)
    return pl_error(PL_EINPUT, "%s: larger than %d MB", cfg->columns.name, MAX_BYTES >> 20);
  PL_TRY(pl_columns_read(&cfg->columns, cfg->text, len, sets, nsets));
  PL_TRY(pl_roles_bind(&cfg->roles, &cfg->columns));
  return check(cfg);
}

pl_status pl_config_parse(const char *text, size_t len, const char *name, const char *const *sets,
                          int nsets, pl_config **out) {
  return pl_config_parse_at(text, len, name, &(pl_folders){"", ""}, sets, nsets, out);
}

static pl_status parse(const char *text, size_t len, const char *name, const pl_folders *folders,
                       bool attributes, const char *const *sets, int nsets, pl_config **out) {
  pl_config *cfg = pl_zalloc(1, sizeof *cfg, "the sweep");
  cfg->columns.arena = &cfg->arena;
  cfg->columns.attributes = attributes;
  cfg->columns.name = pl_arena_text(&cfg->arena, name, strlen(name));
  cfg->columns.folder[0] = pl_arena_text(&cfg->arena, folders->file, strlen(folders->file));
  cfg->columns.folder[1] = pl_arena_text(&cfg->arena, folders->set, strlen(folders->set));
  cfg->text = pl_arena_text(&cfg->arena, text, len);
  cfg->sets = join_sets(&cfg->arena, sets, nsets);
  pl_status st = build(cfg, len, sets, nsets);
  if (st)
    pl_config_free(cfg);
  else
    *out = cfg;
  return st;
}

pl_status pl_config_parse_at(const char *text, size_t len, const char *name,
                             const pl_folders *folders, const char *const *sets, int nsets,
                             pl_config **out) {
  return parse(text, len, name, folders, false, sets, nsets, out);
}

pl_status pl_config_attributes(const char *name, const char *const *sets, int nsets,
                               pl_config **out) {
  return parse("{}", 2, name, &(pl_folders){"", ""}, true, sets, nsets, out);
}

pl_status pl_config_with(const pl_config *cfg, const char *set, pl_config **out) {
  char *lines = pl_strdup(cfg->sets), *at = lines;
  const char **sets = NULL;
  int n = 0;
  for (const char *line = pl_lines_next(&at);; line = pl_lines_next(&at)) {
    sets = pl_realloc(sets, (size_t)n + 1, sizeof *sets, "--set");
    sets[n++] = line ? line : set;
    if (!line) break;
  }
  const char *const *folder = cfg->columns.folder;
  pl_status st = pl_config_parse_at(cfg->text, strlen(cfg->text), cfg->columns.name,
                                    &(pl_folders){folder[0], folder[1]}, sets, n, out);
  pl_free(sets);
  pl_free(lines);
  return st;
}

/* The whole of path, or one byte more than pl_config_parse takes. */
static pl_status read_text(const char *path, char **text, size_t *len) {
  bool in = !strcmp(path, "-");
  FILE *f = in ? stdin : fopen(path, "rb");
  if (!f) return pl_error(PL_EINPUT, "%s: %s", path, strerror(errno));
  *len = 0;
  for (size_t size = 1 << 14, n = 1; n > 0 && *len <= MAX_BYTES; size *= 2) {
    *text = pl_realloc(*text, size, 1, "the sweep file");
    n = fread(*text + *len, 1, size - *len, f);
    *len += n;
  }
  pl_status st = ferror(f) ? pl_error(PL_EINPUT, "%s: %s", path, strerror(errno)) : PL_OK;
  if (!in) fclose(f);
  return st;
}

pl_status pl_config_read(const pl_comm *comm, const char *path, const char *const *sets, int nsets,
                         pl_config **out) {
  char *text = NULL;
  size_t len = 0;
  pl_status st = PL_OK;
  pl_config *cfg = NULL;
  if (comm->rank == 0) st = read_text(path, &text, &len);
  st = pl_agree(comm, st);
  if (st) goto done;
  pl_comm_bcast(comm, &len, sizeof len, 0);
  if (comm->rank != 0) text = pl_alloc(len, 1, "the sweep file");
  pl_comm_bcast(comm, text, len, 0);
  bool in = !strcmp(path, "-");
  char *folder = in ? pl_strdup("") : pl_path_folder(path);
  st = pl_config_parse_at(text, len, in ? "standard input" : path, &(pl_folders){folder, ""}, sets,
                          nsets, &cfg);
  pl_free(folder);
  st = pl_agree(comm, st);
  if (st)
    pl_config_free(cfg);
  else
    *out = cfg;
done:
  pl_free(text);
  return st;
}

void pl_config_free(pl_config *cfg) {
  if (cfg) pl_arena_free(&cfg->arena);
  pl_free(cfg);
}

/* ---- runs ---- */

int64_t pl_config_num_runs(const pl_config *cfg) {
  return cfg->selected ? cfg->num_selected : cfg->columns.runs;
}

void pl_config_select(pl_config *cfg, int64_t n, const int64_t *runs) {
  int64_t *copy = pl_arena_alloc(&cfg->arena, (size_t)n, sizeof *copy);
  for (int64_t r = 0; r < n; r++) {
    pl_require(runs[r] >= 0 && runs[r] < cfg->columns.runs);
    copy[r] = runs[r];
  }
  cfg->num_selected = n;
  cfg->selected = copy;
}

void pl_config_select_all(pl_config *cfg) {
  cfg->selected = NULL;
  cfg->shards = 0;
}

int64_t pl_config_num_whole(const pl_config *cfg) {
  return cfg->columns.runs;
}

void pl_config_set_shard(pl_config *cfg, int64_t shard, int64_t shards) {
  cfg->shard = shard;
  cfg->shards = shards;
}

void pl_config_shard(const pl_config *cfg, int64_t *shard, int64_t *shards) {
  *shard = cfg->shard;
  *shards = cfg->shards;
}

bool pl_config_selected(const pl_config *cfg) {
  return cfg->selected != NULL;
}

int64_t pl_config_index(const pl_config *cfg, int64_t r) {
  pl_require(r >= 0 && r < pl_config_num_runs(cfg));
  return cfg->selected ? cfg->selected[r] : r;
}

void pl_config_run(const pl_config *cfg, int64_t r, pl_spec *out) {
  fill_run(cfg, pl_config_index(cfg, r), NULL, out);
}

/* ---- keys ---- */

int pl_config_num_keys(const pl_config *cfg) {
  return cfg->roles.num_keys;
}

const pl_key *pl_config_key(const pl_config *cfg, int k) {
  return cfg->roles.key[k].row;
}

int pl_config_find(const pl_config *cfg, const char *name) {
  for (int k = 0; k < cfg->roles.num_keys; k++)
    if (!strcmp(cfg->roles.key[k].row->name, name)) return k;
  return -1;
}

bool pl_config_swept(const pl_config *cfg, int k) {
  const pl_column *c = cfg->roles.key[k].column;
  return c && c->values.n > 1;
}

const void *pl_config_typed(const pl_config *cfg, int64_t r, int k, const pl_key **row) {
  int64_t run = pl_config_index(cfg, r);
  const pl_role *role = pl_cast_role(pl_roles_cast(&cfg->roles, run), k);
  if (!role) return NULL;
  if (row) *row = role->row;
  return pl_role_value(role, run);
}

const void *pl_config_used(const pl_config *cfg, int64_t r, int k) {
  int64_t run = pl_config_index(cfg, r);
  const pl_role *role = pl_cast_role(pl_roles_cast(&cfg->roles, run), k);
  return role && role->row->type == PL_KEY_TEXT ? pl_role_used(role, run) : NULL;
}

int pl_config_value(const pl_config *cfg, int64_t r, int k, char *buf, size_t n) {
  const pl_key *row;
  const void *v = pl_config_typed(cfg, r, k, &row);
  if (v) return pl_value_print(row, v, buf, n);
  if (n) *buf = 0;
  return 0;
}

int64_t pl_config_classes(const pl_config *cfg, int touches, int64_t *class_of) {
  return pl_roles_classes(&cfg->roles, touches, pl_config_num_runs(cfg), cfg->selected, class_of);
}

pl_status pl_config_same(const pl_config *was, const pl_config *now) {
  return pl_roles_same(&was->roles, &now->roles);
}

pl_status pl_config_match(const pl_config *was, const pl_config *now, int64_t *place) {
  return pl_roles_match(&(pl_matched){&was->columns, &was->roles},
                        &(pl_matched){&now->columns, &now->roles}, place);
}

pl_status pl_config_blame(const pl_config *cfg, int64_t r, const char *key, pl_status st) {
  const pl_columns *c = &cfg->columns;
  const pl_column *column = pl_columns_find(c, key);
  if (!column) return pl_columns_blame(c, PL_FROM_DEFAULT, 0, key, st);
  return pl_columns_blame_value(c, column, pl_column_index(column, pl_config_index(cfg, r)), st);
}

const char *pl_config_text(const pl_config *cfg) {
  return cfg->text;
}
const char *pl_config_sets(const pl_config *cfg) {
  return cfg->sets;
}

char *pl_config_folder(const pl_config *cfg, bool of_set) {
  return pl_path_absolute(cfg->columns.folder[of_set]);
}

const pl_inputs *pl_config_inputs(const pl_config *cfg) {
  return &cfg->inputs;
}
void pl_config_set_inputs(pl_config *cfg, const pl_inputs *inputs) {
  cfg->inputs = *inputs;
}
pl_arena *pl_config_arena(pl_config *cfg) {
  return &cfg->arena;
}
