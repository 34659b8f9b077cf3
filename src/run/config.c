#include "run/config.h"

#include "base/mem.h"
#include "run/keys.h"
#include "run/values.h"

#include <errno.h>
#include <string.h>

enum { MAX_RUNS = 10000000, MAX_BYTES = 16 << 20, MAX_WORD = 80, MAX_NAME = 256 };

typedef enum { DEFAULT, FILE_TEXT, COMMAND_LINE } origin;

/* One key over the sweep.  Run r takes value r / stride % n: a digit of r in mixed radix. */
typedef struct column {
  const pl_key *key;
  pl_values values;
  origin origin;
  int line;  /* of the key, in the file */
  int place; /* among the keys given, in order of appearance */
  int64_t stride;
  bool zipped;
  struct column *leader; /* whose digit this key follows: itself unless zipped */
  struct column *next_member;
} column;

struct pl_config {
  pl_arena arena;
  const char *name, *text, *sets;
  column *columns; /* as pl_keys */
  column **order;  /* those given, in order of appearance */
  int num_given;
  const pl_yaml *zip;
  origin zip_origin;
  int64_t runs;
  int64_t num_selected;
  const int64_t *selected; /* NULL: all runs */
};

/* ---- places ---- */

static pl_status blame(const pl_config *cfg, origin where, int line, const char *key,
                       pl_status st) {
  if (where == COMMAND_LINE) return pl_error_in(st, "--set %s: ", key);
  if (where == FILE_TEXT) return pl_error_in(st, "%s:%d: %s: ", cfg->name, line, key);
  return pl_error_in(st, "%s: %s: ", cfg->name, key);
}

static const void *value_at(const column *c, int64_t r) {
  return c->values.v + (size_t)(r / c->stride % c->values.n) * pl_value_size(c->key);
}

static pl_status blame_run(const pl_config *cfg, const column *c, int64_t r, pl_status st) {
  return blame(cfg, c->origin, c->values.lines[r / c->stride % c->values.n], c->key->name, st);
}

static column *column_of(const pl_config *cfg, const char *key) {
  const pl_key *k = pl_key_find(key);
  return k ? cfg->columns + (k - pl_keys) : NULL;
}

static pl_status unknown_key(const char *name) {
  const char *nearest = pl_keys_nearest(name);
  return nearest ? pl_error(PL_EINPUT, "unknown key; did you mean %s?", nearest)
                 : pl_error(PL_EINPUT, "unknown key");
}

/* ---- the tree into columns ---- */

/* A name that stands in the file: its text, or the kind of node that is there instead. */
static const char *name_of(const pl_yaml *node, char *buf, size_t n) {
  return node->kind == PL_YAML_TEXT ? pl_yaml_clip(node->text, buf, n) : pl_yaml_show(node, buf, n);
}

static pl_status given_twice(const pl_config *cfg, const char *name, int line, int first) {
  pl_error(PL_EINPUT, "given twice, first on line %d", first);
  return blame(cfg, FILE_TEXT, line, name, PL_EINPUT);
}

static pl_status take_value(pl_config *cfg, const pl_key *key, const pl_yaml *value, origin from,
                            int line) {
  column *c = cfg->columns + (key - pl_keys);
  if (c->origin == FILE_TEXT && from == FILE_TEXT)
    return given_twice(cfg, key->name, line, c->line);
  int at = line;
  pl_status st = pl_values_parse(key, value, &cfg->arena, &c->values, &at);
  if (st) return blame(cfg, from, at, key->name, st);
  if (c->origin == DEFAULT) {
    c->place = cfg->num_given;
    cfg->order[cfg->num_given++] = c;
  }
  c->origin = from;
  c->line = line;
  return PL_OK;
}

static pl_status take_map(pl_config *cfg, const char *prefix, const pl_yaml *map, origin from);

/* What stands under one key: a value, the groups of zip, or a section of more keys. */
static pl_status take(pl_config *cfg, const char *name, const pl_yaml *value, origin from,
                      int line) {
  const pl_key *key = pl_key_find(name);
  if (key) return take_value(cfg, key, value, from, line);
  if (!strcmp(name, "zip")) {
    if (cfg->zip && from == FILE_TEXT) return given_twice(cfg, name, line, cfg->zip->line);
    cfg->zip = value;
    cfg->zip_origin = from;
    return PL_OK;
  }
  if (!pl_keys_section(name)) return blame(cfg, from, line, name, unknown_key(name));
  if (value->kind == PL_YAML_MAP) return take_map(cfg, name, value, from);
  if (value->kind == PL_YAML_TEXT && value->plain && !*value->text) return PL_OK;
  char got[MAX_WORD];
  pl_error(PL_EINPUT, "a section: expected keys beneath it, got %s",
           pl_yaml_show(value, got, sizeof got));
  return blame(cfg, from, line, name, PL_EINPUT);
}

static pl_status take_map(pl_config *cfg, const char *prefix, const pl_yaml *map, origin from) {
  for (const pl_yaml *k = map->first; k; k = k->next->next) {
    char name[MAX_NAME], word[MAX_WORD];
    snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "",
             name_of(k, word, sizeof word));
    PL_TRY(take(cfg, name, k->next, from, k->line));
  }
  return PL_OK;
}

static pl_status take_file(pl_config *cfg, size_t len) {
  const pl_yaml *root;
  int line = 0;
  pl_status st = pl_yaml_parse(cfg->text, len, &cfg->arena, &root, &line);
  if (!st && root->kind != PL_YAML_MAP) {
    char got[MAX_WORD];
    line = root->line;
    st = pl_error(PL_EINPUT, "expected keys and values (model.depth: 3), got %s",
                  pl_yaml_show(root, got, sizeof got));
  }
  if (st && line) return pl_error_in(st, "%s:%d: ", cfg->name, line);
  if (st) return pl_error_in(st, "%s: ", cfg->name);
  return take_map(cfg, "", root, FILE_TEXT);
}

static pl_status take_set(pl_config *cfg, const char *set) {
  char name[MAX_WORD];
  const char *equals = strchr(set, '=');
  if (!equals || equals == set)
    return pl_error(PL_EINPUT, "--set %s: expected key.path=value",
                    pl_yaml_clip(set, name, sizeof name));
  pl_yaml_clip(pl_arena_text(&cfg->arena, set, (size_t)(equals - set)), name, sizeof name);
  const pl_yaml *value;
  int line;
  pl_status st = pl_yaml_parse(equals + 1, strlen(equals + 1), &cfg->arena, &value, &line);
  if (st) return pl_error_in(st, "--set %s: ", name);
  return take(cfg, name, value, COMMAND_LINE, 0);
}

/* ---- runs ---- */

#define ZIP_FORM "expected lists of two or more keys, such as [[model.depth, optimizer.lr]]"

static pl_status zip_error(const pl_config *cfg, int line) {
  return blame(cfg, cfg->zip_origin, line, "zip", PL_EINPUT);
}

static pl_status zip_lengths_differ(const pl_config *cfg, const column *a, const column *b,
                                    int line) {
  /* An override is the likely culprit: the file alone was consistent. */
  if (a->origin == COMMAND_LINE && b->origin != COMMAND_LINE) {
    const column *t = a;
    a = b, b = t;
  }
  pl_error(PL_EINPUT, "%s has length %lld, but %s, zipped with it, has length %lld", b->key->name,
           (long long)b->values.n, a->key->name, (long long)a->values.n);
  if (b->origin == COMMAND_LINE) return blame(cfg, COMMAND_LINE, 0, b->key->name, PL_EINPUT);
  return zip_error(cfg, line);
}

/* The column that a member of a zip group names, now marked as zipped. */
static pl_status zip_member(const pl_config *cfg, const pl_yaml *member, column **out) {
  char name[MAX_WORD];
  column *c = column_of(cfg, name_of(member, name, sizeof name));
  if (!c)
    unknown_key(name);
  else if (c->zipped)
    pl_error(PL_EINPUT, "in zip twice");
  else if (!c->values.list && c->origin != COMMAND_LINE)
    pl_error(PL_EINPUT, "not a list");
  else {
    c->zipped = true;
    *out = c;
    return PL_OK;
  }
  pl_error_in(PL_EINPUT, "%s: ", name);
  return zip_error(cfg, member->line);
}

static pl_status zip_group(const pl_config *cfg, const pl_yaml *group) {
  if (group->kind != PL_YAML_LIST || !group->first || !group->first->next) {
    pl_error(PL_EINPUT, ZIP_FORM);
    return zip_error(cfg, group->line);
  }
  column *leader = NULL, *c = NULL, *members = NULL;
  for (const pl_yaml *e = group->first; e; e = e->next) {
    PL_TRY(zip_member(cfg, e, &c));
    if (leader && c->values.n != leader->values.n)
      return zip_lengths_differ(cfg, leader, c, e->line);
    if (!leader || c->place < leader->place) leader = c;
    c->next_member = members;
    members = c;
  }
  for (c = members; c; c = c->next_member) c->leader = leader;
  return PL_OK;
}

static pl_status count_runs(pl_config *cfg) {
  if (cfg->zip) {
    if (cfg->zip->kind != PL_YAML_LIST || !cfg->zip->first) {
      pl_error(PL_EINPUT, ZIP_FORM);
      return zip_error(cfg, cfg->zip->line);
    }
    for (const pl_yaml *g = cfg->zip->first; g; g = g->next) PL_TRY(zip_group(cfg, g));
  }
  cfg->runs = 1;
  for (int i = cfg->num_given - 1; i >= 0; i--) {
    column *c = cfg->order[i];
    if (c->leader != c) continue;
    c->stride = cfg->runs;
    if (c->values.n > MAX_RUNS / cfg->runs)
      return pl_error(PL_EINPUT, "%s: the lists multiply to more than %d runs", cfg->name,
                      MAX_RUNS);
    cfg->runs *= c->values.n;
  }
  for (int i = 0; i < cfg->num_given; i++) cfg->order[i]->stride = cfg->order[i]->leader->stride;
  return PL_OK;
}

/* ---- checks across keys ---- */

/* Keys that serve one kind only, or two. */
static const struct {
  const char *kind;
  int64_t is, or_is;
  const char *key;
} companions[] = {
    {"model.init.kind", PL_INIT_FILE, PL_INIT_FILE, "model.init.path"},
    {"data.kind", PL_DATA_FILE, PL_DATA_IDX, "data.path"},
    {"data.kind", PL_DATA_IRREP, PL_DATA_TEACHER, "data.irreps"},
    {"data.kind", PL_DATA_IDX, PL_DATA_IDX, "data.labels"},
    {"data.kind", PL_DATA_IDX, PL_DATA_IDX, "data.digits"},
    {"data.kind", PL_DATA_RANKINGS, PL_DATA_RANKINGS, "data.positive"},
    {"data.kind", PL_DATA_RANKINGS, PL_DATA_RANKINGS, "data.negative"},
    {"data.kind", PL_DATA_RANKINGS, PL_DATA_RANKINGS, "data.ballots"},
    {"data.kind", PL_DATA_RANKINGS, PL_DATA_RANKINGS, "data.sampling"},
    {"data.kind", PL_DATA_RANKINGS, PL_DATA_RANKINGS, "data.center"},
    {"data.kind", PL_DATA_TEACHER, PL_DATA_TEACHER, "data.rank"},
    {"data.kind", PL_DATA_TEACHER, PL_DATA_TEACHER, "data.margin"},
    {"data.kind", PL_DATA_TEACHER, PL_DATA_TEACHER, "data.test"},
};
enum { NUM_COMPANIONS = sizeof companions / sizeof *companions };

/* A companion that no run can use is a slip, unless --set chose another kind for once. */
static pl_status check_companions(const pl_config *cfg) {
  for (int i = 0; i < NUM_COMPANIONS; i++) {
    const column *kind = column_of(cfg, companions[i].kind);
    const column *c = column_of(cfg, companions[i].key);
    bool used = c->origin == DEFAULT || kind->origin == COMMAND_LINE;
    const int64_t *kinds = (const int64_t *)(const void *)kind->values.v;
    for (int64_t k = 0; k < kind->values.n && !used; k++)
      used = kinds[k] == companions[i].is || kinds[k] == companions[i].or_is;
    if (used) continue;
    const char *is = kind->key->choice((int)companions[i].is);
    const char *or_is = kind->key->choice((int)companions[i].or_is);
    pl_error(PL_EINPUT, "only for %s: %s%s%s", companions[i].kind, is, is == or_is ? "" : " or ",
             is == or_is ? "" : or_is);
    return blame_run(cfg, c, 0, PL_EINPUT);
  }
  return PL_OK;
}

static const char *at_fault(const char *key, const char *what) {
  pl_error(PL_EINPUT, "%s", what);
  return key;
}

/* Checks of one run that need no group: the key at fault, with a message, or NULL.  Of constant
 * cost, for it sees every run. */
static const char *check_run(const pl_spec *s) {
  if (s->band_inner != PL_INNER_BAND && s->band_codepth == PL_UNSET)
    return at_fault("band.inner_product", "group needs band.codepth: without it there is no band");
  if (s->init_kind == PL_INIT_FILE && !s->init_path)
    return at_fault("model.init.kind", "file needs model.init.path");
  if (s->data_kind == PL_DATA_FILE && !s->data_path)
    return at_fault("data.kind", "file needs data.path");
  if (s->data_kind == PL_DATA_IDX && (!s->data_path || !s->data_labels))
    return at_fault("data.kind", "idx needs data.path (images) and data.labels");
  if (s->data_kind == PL_DATA_RANKINGS && (!s->data_positive || !s->data_negative))
    return at_fault("data.kind", "rankings needs data.positive and data.negative");
  if (s->data_kind == PL_DATA_IRREP && s->data_irreps.n == 0)
    return at_fault("data.kind", "irrep needs data.irreps");
  if (s->data_kind == PL_DATA_TEACHER && s->data_irreps.n == 0)
    return at_fault("data.kind", "teacher needs data.irreps, those that it lives on");
  const pl_ints *at = &s->record_steps;
  if (at->n > 0 && at->v[at->n - 1] > s->steps) {
    pl_error(PL_EINPUT, "step %lld is beyond the last (steps: %lld)", (long long)at->v[at->n - 1],
             (long long)s->steps);
    return "record.steps";
  }
  return NULL;
}

static void fill(const column *c, int64_t r, pl_spec *out) {
  memcpy((char *)out + c->key->field, value_at(c, r), pl_value_size(c->key));
}

static pl_status check(const pl_config *cfg) {
  for (int i = 0; i < pl_num_keys; i++) {
    if (!pl_keys[i].required || cfg->columns[i].origin != DEFAULT) continue;
    pl_error(PL_EINPUT, "required, but not given");
    return blame(cfg, DEFAULT, 0, pl_keys[i].name, PL_EINPUT);
  }
  PL_TRY(check_companions(cfg));
  pl_spec spec;
  pl_config_run(cfg, 0, &spec);
  for (int64_t r = 0; r < cfg->runs; r++) {
    for (int i = 0; i < cfg->num_given; i++)
      if (cfg->order[i]->values.n > 1) fill(cfg->order[i], r, &spec);
    const char *key = check_run(&spec);
    if (key) return pl_config_blame(cfg, r, key, PL_EINPUT);
  }
  return PL_OK;
}

/* ---- the interface ---- */

static const char *join_sets(pl_arena *arena, const char *const *sets, int nsets) {
  size_t len = 0;
  for (int i = 0; i < nsets; i++) len += strlen(sets[i]) + 1;
  char *text = pl_arena_alloc(arena, len + 1, 1), *end = text;
  for (int i = 0; i < nsets; i++) end += sprintf(end, "%s%s", i ? "\n" : "", sets[i]);
  return text;
}

static pl_status build(pl_config *cfg, size_t len, const char *const *sets, int nsets) {
  if (len > MAX_BYTES)
    return pl_error(PL_EINPUT, "%s: larger than %d MB", cfg->name, MAX_BYTES >> 20);
  cfg->columns = pl_arena_alloc(&cfg->arena, (size_t)pl_num_keys, sizeof *cfg->columns);
  cfg->order = pl_arena_alloc(&cfg->arena, (size_t)pl_num_keys, sizeof *cfg->order);
  for (int i = 0; i < pl_num_keys; i++) {
    column *c = cfg->columns + i;
    *c = (column){.key = pl_keys + i, .stride = 1, .leader = c};
    pl_values_default(c->key, &cfg->arena, &c->values);
  }
  PL_TRY(take_file(cfg, len));
  for (int i = 0; i < nsets; i++) PL_TRY(take_set(cfg, sets[i]));
  PL_TRY(count_runs(cfg));
  return check(cfg);
}

pl_status pl_config_parse(const char *text, size_t len, const char *name, const char *const *sets,
                          int nsets, pl_config **out) {
  pl_config *cfg = pl_zalloc(1, sizeof *cfg, "the sweep");
  cfg->name = pl_arena_text(&cfg->arena, name, strlen(name));
  cfg->text = pl_arena_text(&cfg->arena, text, len);
  cfg->sets = join_sets(&cfg->arena, sets, nsets);
  pl_status st = build(cfg, len, sets, nsets);
  if (st)
    pl_config_free(cfg);
  else
    *out = cfg;
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
  st = pl_config_parse(text, len, strcmp(path, "-") ? path : "standard input", sets, nsets, &cfg);
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

int64_t pl_config_num_runs(const pl_config *cfg) {
  return cfg->selected ? cfg->num_selected : cfg->runs;
}

void pl_config_select(pl_config *cfg, int64_t n, const int64_t *runs) {
  int64_t *copy = pl_arena_alloc(&cfg->arena, (size_t)n, sizeof *copy);
  for (int64_t r = 0; r < n; r++) {
    pl_require(runs[r] >= 0 && runs[r] < cfg->runs);
    copy[r] = runs[r];
  }
  cfg->num_selected = n;
  cfg->selected = copy;
}

void pl_config_select_all(pl_config *cfg) {
  cfg->selected = NULL;
}

bool pl_config_selected(const pl_config *cfg) {
  return cfg->selected != NULL;
}

int64_t pl_config_index(const pl_config *cfg, int64_t r) {
  pl_require(r >= 0 && r < pl_config_num_runs(cfg));
  return cfg->selected ? cfg->selected[r] : r;
}

void pl_config_run(const pl_config *cfg, int64_t r, pl_spec *out) {
  int64_t index = pl_config_index(cfg, r);
  for (int i = 0; i < pl_num_keys; i++) fill(cfg->columns + i, index, out);
}

/* Value i of both columns, as texts; true if they are the same. */
static bool same_value(const column *a, const column *b, int64_t i, char *x, char *y, size_t size) {
  size_t at = (size_t)i * pl_value_size(a->key);
  pl_value_print(a->key, a->values.v + at, x, size);
  pl_value_print(b->key, b->values.v + at, y, size);
  return !strcmp(x, y);
}

static pl_status differs(const char *key, const char *was, const char *now) {
  return pl_error(PL_EINPUT, "%s: was %s, is now %s", key, *was ? was : "not given",
                  *now ? now : "not given");
}

pl_status pl_config_same(const pl_config *was, const pl_config *now) {
  char x[4096], y[4096];
  for (int k = 0; k < pl_num_keys; k++) {
    const column *a = was->columns + k, *b = now->columns + k;
    if (a->key->adjustable) continue;
    if (a->values.n != b->values.n)
      return pl_error(PL_EINPUT, "%s: had %lld value%s, has %lld now", a->key->name,
                      (long long)a->values.n, a->values.n == 1 ? "" : "s", (long long)b->values.n);
    for (int64_t i = 0; i < a->values.n; i++)
      if (!same_value(a, b, i, x, y, sizeof x)) return differs(a->key->name, x, y);
  }
  for (int k = 0; k < pl_num_keys; k++) {
    const column *a = was->columns + k, *b = now->columns + k;
    if (a->values.n > 1 && !a->key->adjustable && a->stride != b->stride)
      return pl_error(PL_EINPUT, "%s: stands in another order or zip", a->key->name);
  }
  return PL_OK;
}

bool pl_config_swept(const pl_config *cfg, const pl_key *key) {
  return cfg->columns[key - pl_keys].values.n > 1;
}

int pl_config_value(const pl_config *cfg, int64_t r, const pl_key *key, char *buf, size_t n) {
  int64_t index = pl_config_index(cfg, r);
  return pl_value_print(key, value_at(cfg->columns + (key - pl_keys), index), buf, n);
}

pl_status pl_config_blame(const pl_config *cfg, int64_t r, const char *key, pl_status st) {
  const column *c = column_of(cfg, key);
  pl_require(c != NULL);
  return blame_run(cfg, c, pl_config_index(cfg, r), st);
}

const char *pl_config_text(const pl_config *cfg) {
  return cfg->text;
}
const char *pl_config_sets(const pl_config *cfg) {
  return cfg->sets;
}
void pl_config_print_keys(FILE *out) {
  pl_keys_print(out);
}
