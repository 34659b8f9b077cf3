#include "run/ckpt.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nc.h"
#include "run/paths.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 4, PIECE = 1 << 18 }; /* doubles moved at a time */

/* ---- checksum ---- */

static const uint64_t SEED = 0xcbf29ce484222325u;

/* FNV-1a, eight bytes at a time, with a shift so that high bits reach low ones. */
static uint64_t mix(uint64_t h, uint64_t word) {
  h = (h ^ word) * 0x100000001b3u;
  return h ^ h >> 29;
}

static uint64_t mix_doubles(uint64_t h, const double *x, int64_t n) {
  for (int64_t k = 0; k < n; k++) {
    uint64_t word;
    memcpy(&word, &x[k], sizeof word);
    h = mix(h, word);
  }
  return h;
}

static uint64_t mix_text(uint64_t h, const char *text) {
  for (; *text; text++) h = mix(h, (unsigned char)*text);
  return mix(h, 0);
}

/* Of the files that a value names. */
static uint64_t mix_files(uint64_t h, const pl_config *cfg, const pl_key *key, const char *text) {
  const pl_inputs *in = pl_config_inputs(cfg);
  const char *start;
  for (int i = 0, n; in->num && pl_path_file(key, text, i, &start, &n); i++)
    for (int64_t k = 0; k < in->num; k++)
      if (!strcmp(in->v[k].key, key->name) && !strncmp(in->v[k].path, start, (size_t)n) &&
          !in->v[k].path[n]) {
        h = mix_text(h, in->v[k].digest.sha256);
        break;
      }
  return h;
}

int64_t pl_ckpt_digest(const pl_config *cfg, int64_t run) {
  uint64_t sum = 0; /* in any order of the keys */
  for (int k = 0; k < pl_config_num_keys(cfg); k++) {
    const pl_key *key;
    const void *typed = pl_config_typed(cfg, run, k, &key);
    if (!typed || !(key->touches & PL_RESULTS) || key->touches & PL_GROWS) continue;
    size_t n = (size_t)pl_config_value(cfg, run, k, NULL, 0) + 1;
    char *value = pl_alloc(n, 1, "a value");
    pl_config_value(cfg, run, k, value, n);
    uint64_t one = mix_text(mix_text(SEED, key->name), value);
    const char *written = key->type == PL_KEY_TEXT ? *(const char *const *)typed : NULL;
    sum += written ? mix_files(one, cfg, key, written) : one;
    pl_free(value);
  }
  return (int64_t)(sum >> 1);
}

/* ---- what a checkpoint holds ---- */

typedef struct head {
  int64_t digest, separated, converged;
  pl_ckpt at;
} head;

/* The head's numbers, in the order in which the checksum covers them. */
static const struct head_row {
  const char *name;
  bool real;
  size_t field;
} head_rows[] = {
    {"digest", false, offsetof(head, digest)},
    {"step", false, offsetof(head, at.step)},
    {"records", false, offsetof(head, at.records)},
    {"wall_time", true, offsetof(head, at.wall_time)},
    {"best_step", false, offsetof(head, at.best.step)},
    {"best_validation", true, offsetof(head, at.best.validation)},
    {"best_tie", true, offsetof(head, at.best.tie)},
    {"best_test", true, offsetof(head, at.best.test)},
    {"best_metric", true, offsetof(head, at.best.metric)},
    {"best_second", true, offsetof(head, at.best.second)},
    {"waited", false, offsetof(head, at.best.waited)},
    {"separated", false, offsetof(head, separated)},
    {"converged", false, offsetof(head, converged)},
};
enum { HEAD = sizeof head_rows / sizeof *head_rows };

static void *head_field(const head *h, int i) {
  return (char *)(uintptr_t)h + head_rows[i].field;
}

static uint64_t mix_head(const head *h) {
  uint64_t sum = SEED, word;
  for (int i = 0; i < HEAD; i++) {
    memcpy(&word, head_field(h, i), sizeof word);
    sum = mix(sum, word);
  }
  return sum;
}

/* A weight, or a moment of it, as the file has it. */
typedef struct array {
  char name[96];
  const pl_transfer *transfer;
  int p;                 /* the weight's first block */
  double *const *blocks; /* of the whole model, a borrowed one of contents.blocks */
  int64_t length;
} array;

typedef struct contents {
  const pl_comm *team;
  pl_model *model;
  int num_arrays, num_blocks;
  array *array;
  double ***blocks; /* [num_blocks]: for the weights, and for each moment, what this rank holds */
  double *piece;
  int64_t piece_doubles;
} contents;

/* The arrays prefix_NAME of all weights that params make up, their blocks being given. */
static void add_arrays(contents *c, const char *prefix, const pl_transfer *transfer, int num_params,
                       const pl_param *params, double **blocks) {
  c->blocks = pl_realloc(c->blocks, (size_t)++c->num_blocks, sizeof *c->blocks, "checkpoint");
  c->blocks[c->num_blocks - 1] = blocks;
  for (int p = 0; p < num_params; p = pl_param_next(num_params, params, p)) {
    c->array = pl_realloc(c->array, (size_t)++c->num_arrays, sizeof *c->array, "checkpoint");
    array *a = &c->array[c->num_arrays - 1];
    *a = (array){.transfer = transfer, .p = p, .blocks = blocks};
    snprintf(a->name, sizeof a->name, "%s_%s", prefix, params[p].name);
    a->length = transfer->length(c->model, p);
    if (a->length > c->piece_doubles) c->piece_doubles = a->length;
  }
}

/* Weights first, then the moments: arrays shaped like the weights or, where the optimiser works on
 * them, like the model's functions. */
static contents contents_of(const pl_comm *team, pl_model *model, pl_optim *optim,
                            double *const *best) {
  contents c = {.team = team, .model = model};
  const pl_model_kind *kind = model->kind;
  bool functions = pl_optim_functions(optim);
  int n = model->num_params, num_moment = functions ? model->num_functions : n;
  double **w = pl_alloc((size_t)n, sizeof *w, "checkpoint");
  for (int p = 0; p < n; p++) w[p] = model->params[p].w;
  add_arrays(&c, "weight", kind->weights, n, model->params, w);
  if (best) {
    double **copy = pl_alloc((size_t)n, sizeof *copy, "checkpoint");
    memcpy(copy, best, (size_t)n * sizeof *copy);
    add_arrays(&c, "best", kind->weights, n, model->params, copy);
  }
  for (int s = 0; s < pl_optim_num_moments(optim); s++) {
    double **moment = pl_alloc((size_t)num_moment, sizeof *moment, "checkpoint");
    for (int p = 0; p < num_moment; p++) moment[p] = pl_optim_moment(optim, s, p);
    /* Functions of a network that has no transfer of its own for them are its blocks. */
    add_arrays(&c, pl_optim_moment_name(optim, s),
               functions && kind->functions ? kind->functions : kind->weights, num_moment,
               functions ? model->functions : model->params, moment);
  }
  if (c.piece_doubles > PIECE) c.piece_doubles = PIECE;
  c.piece = pl_alloc((size_t)c.piece_doubles, sizeof *c.piece, "piece of a checkpoint");
  return c;
}

static void contents_free(contents *c) {
  for (int i = 0; i < c->num_blocks; i++) pl_free(c->blocks[i]);
  pl_free(c->blocks);
  pl_free(c->array);
  pl_free(c->piece);
}

/* Array number i that the network keeps besides, with its name in the file; NULL past the last. */
static double *kept(const contents *c, int i, char *name, size_t size, int64_t *n) {
  const char *own;
  double *(*keep)(pl_model *, int, const char **, int64_t *) = c->model->kind->keep;
  double *x = keep ? keep(c->model, i, &own, n) : NULL;
  if (x) snprintf(name, size, "keep_%s", own);
  return x;
}

typedef enum { WRITE, VERIFY, LOAD } pass;

/* On rank 0: write or read n doubles of variable name from `first` on. */
static pl_status move_piece(pl_nc *nc, pass what, const char *name, int64_t first, int64_t n,
                            double *x, uint64_t *sum) {
  if (what == WRITE)
    PL_TRY(pl_nc_put_doubles(nc, name, &first, &n, x));
  else
    PL_TRY(pl_nc_get_doubles(nc, name, &first, &n, x));
  *sum = mix_doubles(*sum, x, n);
  return PL_OK;
}

static void walk_arrays(contents *c, pl_nc *nc, pass what, uint64_t *sum, pl_status *st) {
  bool root = c->team->rank == 0;
  for (int i = 0; i < c->num_arrays; i++) {
    const array *a = &c->array[i];
    for (int64_t first = 0, n; first < a->length; first += n) {
      n = a->length - first < c->piece_doubles ? a->length - first : c->piece_doubles;
      if (what == WRITE) a->transfer->gather(c->model, a->p, a->blocks, first, n, c->piece);
      if (root && !*st) *st = move_piece(nc, what, a->name, first, n, c->piece, sum);
      if (what == LOAD) a->transfer->scatter(c->model, a->p, a->blocks, first, n, c->piece);
    }
  }
}

static void walk_kept(contents *c, pl_nc *nc, pass what, uint64_t *sum, pl_status *st) {
  bool root = c->team->rank == 0;
  char name[96];
  double *x;
  int64_t n;
  for (int i = 0; (x = kept(c, i, name, sizeof name, &n)); i++) {
    double *copy = what == VERIFY ? pl_alloc((size_t)n, sizeof *copy, "piece of a checkpoint") : x;
    if (root && !*st) *st = move_piece(nc, what, name, 0, n, copy, sum);
    if (what == LOAD) pl_comm_bcast(c->team, x, (size_t)n * sizeof *x, 0);
    if (copy != x) pl_free(copy);
  }
}

/* WRITE and LOAD are collective; rank 0 verifies alone.  After a failure the walk goes on without
 * the file, for the other ranks take part in every piece. */
static pl_status walk(contents *c, pl_nc *nc, pass what, uint64_t *sum) {
  pl_status st = PL_OK;
  walk_arrays(c, nc, what, sum, &st);
  walk_kept(c, nc, what, sum, &st);
  return st;
}

/* ---- writing ---- */

static void define_array(pl_nc *nc, const char *name, int64_t length) {
  char dim[100];
  snprintf(dim, sizeof dim, "n_%s", name);
  pl_nc_def_dim(nc, dim, length);
  pl_nc_def_var(nc, name, PL_NC_DOUBLE, (const char *[]){dim, NULL}, NULL, "1");
}

static pl_status define(const contents *c, const char *path, pl_nc **nc) {
  unlink(path); /* what a killed process left: nothing is written through a link */
  PL_TRY(pl_nc_create(path, false, false, nc));
  char name[96];
  int64_t n;
  pl_nc_att_text(*nc, NULL, "title", "Plancherel checkpoint");
  pl_nc_att_ints(*nc, NULL, "format", PL_NC_INT, (int[]){FORMAT}, 1);
  for (int i = 0; i < HEAD; i++)
    pl_nc_def_var(*nc, head_rows[i].name, head_rows[i].real ? PL_NC_DOUBLE : PL_NC_INT64, NULL,
                  NULL, NULL);
  for (int i = 0; i < c->num_arrays; i++) define_array(*nc, c->array[i].name, c->array[i].length);
  for (int i = 0; kept(c, i, name, sizeof name, &n); i++) define_array(*nc, name, n);
  pl_nc_def_var(*nc, "checksum", PL_NC_INT64, NULL, "of all that stands before it, written last",
                NULL);
  return pl_nc_end_def(*nc);
}

static pl_status put_head(pl_nc *nc, const head *h) {
  for (int i = 0; i < HEAD; i++)
    PL_TRY(head_rows[i].real
               ? pl_nc_put_doubles(nc, head_rows[i].name, NULL, NULL, head_field(h, i))
               : pl_nc_put_ints(nc, head_rows[i].name, NULL, NULL, head_field(h, i)));
  return PL_OK;
}

static char *previous_of(const char *path) {
  return pl_asprintf("%s.previous", path);
}

pl_status pl_ckpt_write(const char *path, const pl_comm *team, pl_model *model, pl_optim *optim,
                        int64_t digest, const pl_ckpt *at) {
  contents c = contents_of(team, model, optim, at->best_weights);
  char *temporary = pl_asprintf("%s.tmp", path), *previous = previous_of(path);
  bool root = team->rank == 0;
  head h = {digest, at->verdict.separated, at->verdict.converged, *at};
  pl_nc *nc = NULL;
  uint64_t sum = mix_head(&h);
  pl_status st = root ? define(&c, temporary, &nc) : PL_OK;
  if (!st && root) st = put_head(nc, &h);
  st = pl_agree(team, st);
  if (!st) st = walk(&c, nc, WRITE, &sum);
  if (!st && root) {
    int64_t checksum = (int64_t)sum;
    st = pl_nc_put_ints(nc, "checksum", NULL, NULL, &checksum);
  }
  pl_status closed = pl_nc_close(nc);
  if (!st) st = closed;
  if (root) {
    if (!st)
      st = pl_file_replace(temporary, path, previous);
    else
      unlink(temporary);
  }
  pl_free(temporary);
  pl_free(previous);
  contents_free(&c);
  return pl_agree(team, st);
}

/* ---- reading ---- */

static pl_status expect_format(pl_nc *nc) {
  double format = 0;
  pl_nc_get_att_doubles(nc, NULL, "format", &format, 1);
  if (format == FORMAT) return PL_OK;
  return pl_error(PL_EINPUT, "%s: checkpoint of format %g, expected %d", pl_nc_path(nc), format,
                  FORMAT);
}

static pl_status get_head(pl_nc *nc, head *h) {
  for (int i = 0; i < HEAD; i++) {
    PL_TRY(pl_nc_expect(nc, head_rows[i].name, false, 0, (int64_t[1]){0}));
    PL_TRY(head_rows[i].real
               ? pl_nc_get_doubles(nc, head_rows[i].name, NULL, NULL, head_field(h, i))
               : pl_nc_get_ints(nc, head_rows[i].name, NULL, NULL, head_field(h, i)));
  }
  return PL_OK;
}

static pl_status expect_shapes(const contents *c, pl_nc *nc) {
  char name[96];
  int64_t n;
  for (int i = 0; i < c->num_arrays; i++) {
    n = c->array[i].length;
    PL_TRY(pl_nc_expect(nc, c->array[i].name, false, 1, &n));
  }
  for (int i = 0; kept(c, i, name, sizeof name, &n); i++)
    PL_TRY(pl_nc_expect(nc, name, false, 1, &n));
  return pl_nc_expect(nc, "checksum", false, 0, (int64_t[1]){0});
}

/* Is it of this run? */
static pl_status expect_head(pl_nc *nc, int64_t digest, head *h) {
  *h = (head){0};
  PL_TRY(expect_format(nc));
  PL_TRY(get_head(nc, h));
  if (h->digest != digest)
    return pl_error(PL_EINPUT, "%s: of a run with other keys or other input files", pl_nc_path(nc));
  h->at.verdict = (pl_verdict){(int)h->separated, (int)h->converged};
  return PL_OK;
}

/* Is all of it there, unharmed, and of this run?  Rank 0 alone. */
static pl_status verify(contents *c, pl_nc *nc, int64_t digest, pl_ckpt *at) {
  head h;
  int64_t checksum;
  PL_TRY(expect_head(nc, digest, &h));
  PL_TRY(expect_shapes(c, nc));
  uint64_t sum = mix_head(&h);
  PL_TRY(walk(c, nc, VERIFY, &sum));
  PL_TRY(pl_nc_get_ints(nc, "checksum", NULL, NULL, &checksum));
  if ((uint64_t)checksum != sum)
    return pl_error(PL_EINPUT, "%s: damaged, its checksum is wrong", pl_nc_path(nc));
  *at = h.at;
  return PL_OK;
}

/* Open the first of path and previous that will do.  NULL: neither does. */
static pl_nc *open_best(contents *c, const char *path, const char *previous, int64_t digest,
                        int64_t records, pl_ckpt *at) {
  const char *const candidates[] = {path, previous};
  for (int i = 0; i < 2; i++) {
    pl_nc *nc = NULL;
    if (access(candidates[i], F_OK)) continue;
    pl_status st = pl_nc_open(candidates[i], false, &nc);
    if (!st) st = verify(c, nc, digest, at);
    if (!st && at->records <= records) {
      if (i > 0)
        pl_log_all(PL_LOG_WARNING, "going on from the checkpoint before it, at step %lld",
                   (long long)at->step);
      return nc;
    }
    if (st) pl_log_all(PL_LOG_WARNING, "checkpoint not used: %s", pl_error_message());
    pl_nc_close(nc);
  }
  return NULL;
}

bool pl_ckpt_read(const char *path, const pl_comm *team, pl_model *model, pl_optim *optim,
                  int64_t digest, int64_t records, pl_ckpt *at) {
  contents c = contents_of(team, model, optim, at->best_weights);
  char *previous = previous_of(path);
  pl_nc *nc = NULL;
  pl_ckpt found = {0};
  if (team->rank == 0) nc = open_best(&c, path, previous, digest, records, &found);
  bool there = nc != NULL;
  pl_comm_bcast(team, &there, sizeof there, 0);
  if (there) {
    uint64_t sum = 0;
    pl_comm_bcast(team, &found, sizeof found, 0);
    /* It was whole a moment ago, and the weights are half replaced. */
    if (walk(&c, nc, LOAD, &sum)) pl_die(PL_EENV, "%s", pl_error_message());
    model->kind->refresh(model, found.step);
    found.best_weights = at->best_weights;
    *at = found;
  }
  pl_nc_close(nc);
  pl_free(previous);
  contents_free(&c);
  return there;
}

pl_status pl_ckpt_look(const char *path, int64_t digest, pl_ckpt *at) {
  pl_nc *nc;
  head h;
  PL_TRY(pl_nc_open(path, false, &nc));
  pl_status st = expect_head(nc, digest, &h);
  if (!st) *at = h.at;
  pl_nc_close(nc);
  return st;
}

bool pl_ckpt_unsettled(const char *path) {
  char *previous = previous_of(path);
  bool there = !access(previous, F_OK);
  pl_free(previous);
  return there;
}

void pl_ckpt_settle(const char *path) {
  char *previous = previous_of(path);
  unlink(previous);
  pl_free(previous);
}

void pl_ckpt_remove(const char *path) {
  char *temporary = pl_asprintf("%s.tmp", path);
  unlink(path);
  unlink(temporary);
  pl_free(temporary);
  pl_ckpt_settle(path);
}
