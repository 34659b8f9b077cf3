#include "run/inputs.h"

#include "base/mem.h"
#include "base/output.h"
#include "run/lines.h"
#include "run/paths.h"
#include "run/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- which files ---- */

typedef struct list {
  pl_arena *arena;
  int64_t num, room;
  pl_input *v;
} list;

/* Does run r, which owns key k, read it?  Its row may want a word of another key. */
static bool reads(const pl_config *cfg, int64_t r, const pl_key *row) {
  if (!row->with) return true;
  const pl_key *other;
  int k = pl_config_find(cfg, row->with);
  const int64_t *word = k < 0 ? NULL : pl_config_typed(cfg, r, k, &other);
  return word && !strcmp(other->choice((int)*word), row->with_word);
}

static pl_status digest(list *l, pl_input *in) {
  /* Keys may share a file. */
  for (int64_t i = l->num - 1; i >= 0 && i >= l->num - 16; i--)
    if (!strcmp(l->v[i].used, in->used)) {
      in->digest = l->v[i].digest;
      return PL_OK;
    }
  return pl_digest_file(in->used, pl_stop_requested, &in->digest);
}

/* The files that one value names, as written and as used. */
static pl_status add(list *l, const pl_key *row, const char *written, const char *used) {
  const char *was, *now;
  int n, m;
  for (int i = 0; pl_path_file(row, written, i, &was, &n); i++) {
    pl_require(pl_path_file(row, used, i, &now, &m));
    pl_input in = {row->name,
                   pl_arena_text(l->arena, was, (size_t)n),
                   pl_arena_text(l->arena, now, (size_t)m),
                   {0}};
    pl_status st = digest(l, &in);
    if (st) return pl_error_in(st, "%s: ", row->name);
    if (l->num == l->room) {
      l->room = 2 * l->room + 16;
      l->v = pl_realloc(l->v, (size_t)l->room, sizeof *l->v, "files of the sweep");
    }
    l->v[l->num++] = in;
  }
  return PL_OK;
}

/* A value of a key in some run. */
typedef struct value {
  const char *const *written;
  const char *const *used;
  const pl_key *row;
} value;

static int by_place(const void *a, const void *b) {
  const value *x = a, *y = b;
  return x->written < y->written ? -1 : x->written > y->written;
}

/* Values of one key stand in one array: equal places are one value. */
static pl_status add_key(list *l, const pl_config *cfg, int k) {
  int64_t runs = pl_config_swept(cfg, k) ? pl_config_num_runs(cfg) : 1, n = 0;
  value *all = pl_alloc((size_t)pl_config_num_runs(cfg), sizeof *all, "files of the sweep");
  for (int64_t r = 0; r < pl_config_num_runs(cfg) && n < runs; r++) {
    const pl_key *row;
    const char *const *written = pl_config_typed(cfg, r, k, &row);
    if (written && row->type == PL_KEY_TEXT && *written && reads(cfg, r, row))
      all[n++] = (value){written, pl_config_used(cfg, r, k), row};
  }
  qsort(all, (size_t)n, sizeof *all, by_place);
  pl_status st = PL_OK;
  for (int64_t i = 0; i < n && !st; i++)
    if (i == 0 || all[i].written != all[i - 1].written)
      st = add(l, all[i].row, *all[i].written, *all[i].used);
  pl_free(all);
  return st;
}

pl_status pl_inputs_take(pl_config *cfg) {
  list l = {.arena = pl_config_arena(cfg)};
  pl_status st = PL_OK;
  for (int k = 0; k < pl_config_num_keys(cfg) && !st; k++) {
    const pl_key *row = pl_config_key(cfg, k);
    if (row->path || row->file) st = add_key(&l, cfg, k);
  }
  pl_input *kept = pl_arena_alloc(l.arena, (size_t)l.num, sizeof *kept);
  if (l.num) memcpy(kept, l.v, (size_t)l.num * sizeof *kept);
  pl_free(l.v);
  if (!st) pl_config_set_inputs(cfg, &(pl_inputs){l.num, kept});
  return st;
}

pl_status pl_inputs_apart(const pl_config *cfg, const char *path) {
  const pl_inputs *in = pl_config_inputs(cfg);
  for (int64_t i = 0; i < in->num; i++) PL_TRY(pl_output_apart(path, 1, &in->v[i].used));
  return PL_OK;
}

/* ---- lines ---- */

/* "data.path 1234 9f86.. samples.nc" */
static char *line_of(const pl_input *in) {
  return pl_asprintf("%s %" PRId64 " %s %s", in->key, in->digest.size, in->digest.sha256, in->path);
}

/* False: not such a line.  The texts are borrowed from line, which is cut up. */
static bool read_line(char *line, pl_input *in) {
  char *rest, *key = strtok_r(line, " ", &rest), *size = strtok_r(NULL, " ", &rest);
  char *sha = strtok_r(NULL, " ", &rest);
  if (!sha || strlen(sha) != PL_DIGEST_TEXT - 1) return false;
  *in = (pl_input){.key = key, .path = rest};
  in->digest.size = strtoll(size, NULL, 10);
  memcpy(in->digest.sha256, sha, PL_DIGEST_TEXT);
  return true;
}

static char *join(const pl_inputs *in) {
  char **lines = pl_alloc((size_t)in->num, sizeof *lines, "files of the sweep");
  for (int64_t i = 0; i < in->num; i++) lines[i] = line_of(&in->v[i]);
  char *text = pl_lines_join((const char *const *)lines, pl_int(in->num));
  for (int64_t i = 0; i < in->num; i++) pl_free(lines[i]);
  pl_free(lines);
  return text;
}

/* ---- for all ranks ---- */

static void take_lines(pl_config *cfg, char *text) {
  pl_arena *arena = pl_config_arena(cfg);
  pl_inputs in = {0};
  for (const char *c = text; *c; c++) in.num += *c == '\n' && c[1] != '\t';
  pl_input *v = pl_arena_alloc(arena, (size_t)in.num + 1, sizeof *v);
  in.num = 0;
  for (char *at = text, *line; (line = pl_lines_next(&at));) {
    pl_input one;
    if (!read_line(line, &one)) continue;
    one.key = pl_arena_text(arena, one.key, strlen(one.key));
    one.path = one.used = pl_arena_text(arena, one.path, strlen(one.path));
    v[in.num++] = one;
  }
  in.v = v;
  pl_config_set_inputs(cfg, &in);
}

pl_status pl_inputs_share(const pl_comm *comm, pl_config *cfg) {
  pl_status st = pl_agree(comm, comm->rank == 0 ? pl_inputs_take(cfg) : PL_OK);
  if (st) return st;
  char *text = comm->rank == 0 ? join(pl_config_inputs(cfg)) : NULL;
  size_t size = text ? strlen(text) + 1 : 0;
  pl_comm_bcast(comm, &size, sizeof size, 0);
  if (!text) text = pl_alloc(size, 1, "files of the sweep");
  pl_comm_bcast(comm, text, size, 0);
  if (comm->rank != 0) take_lines(cfg, text);
  pl_free(text);
  return PL_OK;
}

/* ---- in files ---- */

void pl_inputs_define(pl_nc *nc, const pl_config *cfg) {
  char *text = join(pl_config_inputs(cfg));
  if (*text) pl_nc_att_text(nc, NULL, "inputs", text);
  pl_free(text);
}

static int by_name(const pl_input *x, const pl_input *y) {
  int order = strcmp(x->key, y->key);
  return order ? order : strcmp(x->path, y->path);
}

static int compare(const void *a, const void *b) {
  return by_name(*(const pl_input *const *)a, *(const pl_input *const *)b);
}

pl_status pl_inputs_same(const pl_nc *nc, const pl_config *cfg) {
  const pl_inputs *now = pl_config_inputs(cfg);
  char *text = pl_nc_get_att_string(nc, NULL, "inputs");
  const pl_input **sorted = pl_alloc((size_t)now->num, sizeof *sorted, "files of the sweep");
  for (int64_t i = 0; i < now->num; i++) sorted[i] = &now->v[i];
  qsort(sorted, (size_t)now->num, sizeof *sorted, compare);
  pl_status st = PL_OK;
  char *at = text;
  for (char *line; text && !st && (line = pl_lines_next(&at));) {
    pl_input was;
    if (!read_line(line, &was)) continue;
    const pl_input *want = &was;
    const pl_input **is =
        now->num ? bsearch(&want, sorted, (size_t)now->num, sizeof *sorted, compare) : NULL;
    if (is) st = pl_digest_expect(was.key, (*is)->used, &was.digest, &(*is)->digest);
  }
  pl_free(sorted);
  pl_free(text);
  return st;
}
