#include "run/ckpt.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT = 1, PIECE = 1 << 18 }; /* doubles moved at a time */

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

int64_t pl_ckpt_digest(const pl_config *cfg, int64_t run) {
  uint64_t h = SEED;
  for (int k = 0; k < pl_num_keys; k++) {
    if (pl_keys[k].adjustable) continue;
    int n = pl_config_value(cfg, run, &pl_keys[k], NULL, 0);
    char *value = pl_alloc((size_t)n + 1, 1, "a value");
    pl_config_value(cfg, run, &pl_keys[k], value, (size_t)n + 1);
    h = mix_text(mix_text(h, pl_keys[k].name), value);
    pl_free(value);
  }
  return (int64_t)(h >> 1);
}

/* ---- what a checkpoint holds ---- */

/* Weights first, then the optimiser's states: arrays shaped like the weights or, where the
 * optimiser works on them, like the model's functions. */
typedef struct contents {
  const pl_comm *team;
  pl_model *model;
  pl_optim *optim;
  int num_arrays, layers;
  bool functions;     /* the states are functions */
  int64_t doubles[2]; /* of a layer: of weights, of states */
  double ***array;    /* [num_arrays][block] */
  double *piece;
  int64_t piece_doubles;
} contents;

static int64_t doubles_of(const contents *c, int a) {
  return c->doubles[a > 0];
}

static contents contents_of(const pl_comm *team, const pl_spec *spec, pl_model *model,
                            pl_optim *optim) {
  contents c = {.team = team, .model = model, .optim = optim};
  c.functions = pl_optim_over_group(spec);
  c.num_arrays = 1 + pl_optim_num_states(optim);
  c.layers = model->params[model->num_params - 1].layer + 1;
  c.doubles[0] = model->kind->layer_doubles(model, false);
  c.doubles[1] = model->kind->layer_doubles(model, c.functions);
  c.array = pl_alloc((size_t)c.num_arrays, sizeof *c.array, "checkpoint");
  for (int a = 0; a < c.num_arrays; a++) {
    int blocks = a > 0 && c.functions ? model->num_functions : model->num_params;
    c.array[a] = pl_alloc((size_t)blocks, sizeof **c.array, "checkpoint");
    for (int p = 0; p < blocks; p++)
      c.array[a][p] = a == 0 ? model->params[p].w : pl_optim_state(optim, a - 1, p);
  }
  int64_t most = c.doubles[0] > c.doubles[1] ? c.doubles[0] : c.doubles[1];
  c.piece_doubles = most < PIECE ? most : PIECE;
  c.piece = pl_alloc((size_t)c.piece_doubles, sizeof *c.piece, "piece of a checkpoint");
  return c;
}

static void contents_free(contents *c) {
  for (int a = 0; a < c->num_arrays; a++) pl_free(c->array[a]);
  pl_free(c->array);
  pl_free(c->piece);
}

static void array_name(const contents *c, int a, char *name, size_t n) {
  if (a == 0)
    snprintf(name, n, "weights");
  else
    snprintf(name, n, "state_%s", pl_optim_state_name(c->optim, a - 1));
}

static double *average(const contents *c, int i, char *name, size_t size, int64_t *n) {
  const char *short_name;
  double *(*get)(pl_model *, int, const char **, int64_t *) = c->model->kind->average;
  double *x = get ? get(c->model, i, &short_name, n) : NULL;
  if (x) snprintf(name, size, "average_%s", short_name);
  return x;
}

/* The numbers of the head, in the file's order; the checksum covers them first. */
enum { HEAD = 4 };
static const char *const head_names[HEAD] = {"digest", "step", "records", "wall_time"};
static uint64_t mix_head(int64_t digest, const pl_ckpt *at) {
  uint64_t h = mix(mix(mix(SEED, (uint64_t)digest), (uint64_t)at->step), (uint64_t)at->records);
  return mix_doubles(h, &at->wall_time, 1);
}

/* Go through all arrays piece by piece.  visit, on rank 0 only: write or read x, n doubles of
 * variable name from (layer, first) on. */
typedef pl_status visitor(pl_nc *nc, const char *name, int layer, int64_t first, int64_t n,
                          double *x, uint64_t *sum);

static pl_status put_piece(pl_nc *nc, const char *name, int layer, int64_t first, int64_t n,
                           double *x, uint64_t *sum) {
  *sum = mix_doubles(*sum, x, n);
  return pl_nc_put_doubles(nc, name, (int64_t[]){layer, first}, (int64_t[]){1, n}, x);
}

static pl_status get_piece(pl_nc *nc, const char *name, int layer, int64_t first, int64_t n,
                           double *x, uint64_t *sum) {
  PL_TRY(pl_nc_get_doubles(nc, name, (int64_t[]){layer, first}, (int64_t[]){1, n}, x));
  *sum = mix_doubles(*sum, x, n);
  return PL_OK;
}

typedef enum { WRITE, VERIFY, LOAD } pass;

/* WRITE and LOAD are collective; rank 0 verifies alone.  After a failure the walk goes on without
 * the file, for the other ranks take part in every piece. */
static pl_status walk(contents *c, pl_nc *nc, pass what, uint64_t *sum) {
  pl_status st = PL_OK;
  const pl_model_kind *kind = c->model->kind;
  bool root = c->team->rank == 0;
  for (int a = 0; a < c->num_arrays; a++) {
    char name[64];
    array_name(c, a, name, sizeof name);
    bool functions = a > 0 && c->functions;
    int64_t end = doubles_of(c, a);
    for (int layer = 0; layer < c->layers; layer++)
      for (int64_t first = 0, n; first < end; first += n) {
        n = end - first < c->piece_doubles ? end - first : c->piece_doubles;
        if (what == WRITE)
          kind->gather(c->model, functions, layer, c->array[a], first, n, c->piece);
        visitor *visit = what == WRITE ? put_piece : get_piece;
        if (root && !st) st = visit(nc, name, layer, first, n, c->piece, sum);
        if (what == LOAD)
          kind->scatter(c->model, functions, layer, c->array[a], first, n, c->piece);
      }
  }
  char name[64];
  double *x;
  int64_t n;
  for (int i = 0; (x = average(c, i, name, sizeof name, &n)); i++) {
    if (what == VERIFY) {
      double *copy = pl_alloc((size_t)n, sizeof *copy, "running averages");
      if (!st) st = pl_nc_get_doubles(nc, name, NULL, NULL, copy);
      if (!st) *sum = mix_doubles(*sum, copy, n);
      pl_free(copy);
      continue;
    }
    if (root && !st && what == WRITE) st = pl_nc_put_doubles(nc, name, NULL, NULL, x);
    if (root && !st && what == LOAD) st = pl_nc_get_doubles(nc, name, NULL, NULL, x);
    if (root && !st) *sum = mix_doubles(*sum, x, n);
    if (what == LOAD) pl_comm_bcast(c->team, x, (size_t)n * sizeof *x, 0);
  }
  return st;
}

/* ---- writing ---- */

static pl_status define(const contents *c, const char *path, pl_nc **nc) {
  PL_TRY(pl_nc_create(path, true, false, nc));
  char name[64], dim[80];
  int64_t n;
  pl_nc_att_text(*nc, NULL, "title", "Plancherel checkpoint");
  pl_nc_att_ints(*nc, NULL, "format", PL_NC_INT, (int[]){FORMAT}, 1);
  pl_nc_def_dim(*nc, "layer", c->layers);
  pl_nc_def_dim(*nc, "weight", c->doubles[0]);
  pl_nc_def_dim(*nc, "state", c->doubles[1]);
  for (int k = 0; k < HEAD; k++)
    pl_nc_def_var(*nc, head_names[k], k < 3 ? PL_NC_INT64 : PL_NC_DOUBLE, NULL, NULL, NULL);
  for (int a = 0; a < c->num_arrays; a++) {
    array_name(c, a, name, sizeof name);
    pl_nc_def_var(*nc, name, PL_NC_DOUBLE, (const char *[]){"layer", a ? "state" : "weight", NULL},
                  NULL, "1");
  }
  for (int i = 0; average(c, i, name, sizeof name, &n); i++) {
    snprintf(dim, sizeof dim, "n_%s", name);
    pl_nc_def_dim(*nc, dim, n);
    pl_nc_def_var(*nc, name, PL_NC_DOUBLE, (const char *[]){dim, NULL}, NULL, "1");
  }
  pl_nc_def_var(*nc, "checksum", PL_NC_INT64, NULL, "of all that stands before it, written last",
                NULL);
  return pl_nc_end_def(*nc);
}

static pl_status put_head(pl_nc *nc, int64_t digest, const pl_ckpt *at) {
  PL_TRY(pl_nc_put_ints(nc, "digest", NULL, NULL, &digest));
  PL_TRY(pl_nc_put_ints(nc, "step", NULL, NULL, &at->step));
  PL_TRY(pl_nc_put_ints(nc, "records", NULL, NULL, &at->records));
  return pl_nc_put_doubles(nc, "wall_time", NULL, NULL, &at->wall_time);
}

static char *previous_of(const char *path) {
  return pl_asprintf("%s.previous", path);
}

pl_status pl_ckpt_write(const char *path, const pl_comm *team, const pl_spec *spec, pl_model *model,
                        pl_optim *optim, int64_t digest, const pl_ckpt *at) {
  contents c = contents_of(team, spec, model, optim);
  char *temporary = pl_asprintf("%s.tmp", path), *previous = previous_of(path);
  bool root = team->rank == 0;
  pl_nc *nc = NULL;
  uint64_t sum = mix_head(digest, at);
  pl_status st = root ? define(&c, temporary, &nc) : PL_OK;
  if (!st && root) st = put_head(nc, digest, at);
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

static pl_status get_head(pl_nc *nc, int64_t *digest, pl_ckpt *at) {
  PL_TRY(pl_nc_expect(nc, "digest", false, 0, (int64_t[1]){0}));
  PL_TRY(pl_nc_get_ints(nc, "digest", NULL, NULL, digest));
  PL_TRY(pl_nc_get_ints(nc, "step", NULL, NULL, &at->step));
  PL_TRY(pl_nc_get_ints(nc, "records", NULL, NULL, &at->records));
  return pl_nc_get_doubles(nc, "wall_time", NULL, NULL, &at->wall_time);
}

static pl_status expect_shapes(const contents *c, pl_nc *nc) {
  char name[64];
  int64_t n;
  for (int a = 0; a < c->num_arrays; a++) {
    array_name(c, a, name, sizeof name);
    PL_TRY(pl_nc_expect(nc, name, false, 2, (int64_t[]){c->layers, doubles_of(c, a)}));
  }
  for (int i = 0; average(c, i, name, sizeof name, &n); i++)
    PL_TRY(pl_nc_expect(nc, name, false, 1, &n));
  return pl_nc_expect(nc, "checksum", false, 0, (int64_t[1]){0});
}

/* Is all of it there, unharmed, and of this run?  Rank 0 alone. */
static pl_status verify(contents *c, pl_nc *nc, int64_t digest, pl_ckpt *at) {
  int64_t theirs, checksum;
  PL_TRY(expect_format(nc));
  PL_TRY(get_head(nc, &theirs, at));
  if (theirs != digest) return pl_error(PL_EINPUT, "%s: of a run with other keys", pl_nc_path(nc));
  PL_TRY(expect_shapes(c, nc));
  uint64_t sum = mix_head(digest, at);
  PL_TRY(walk(c, nc, VERIFY, &sum));
  PL_TRY(pl_nc_get_ints(nc, "checksum", NULL, NULL, &checksum));
  if ((uint64_t)checksum != sum)
    return pl_error(PL_EINPUT, "%s: damaged, its checksum is wrong", pl_nc_path(nc));
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

bool pl_ckpt_read(const char *path, const pl_comm *team, const pl_spec *spec, pl_model *model,
                  pl_optim *optim, int64_t digest, int64_t records, pl_ckpt *at) {
  contents c = contents_of(team, spec, model, optim);
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
    model->kind->refresh(model);
    *at = found;
  }
  pl_nc_close(nc);
  pl_free(previous);
  contents_free(&c);
  return there;
}

void pl_ckpt_remove(const char *path) {
  char *temporary = pl_asprintf("%s.tmp", path), *previous = previous_of(path);
  unlink(path);
  unlink(previous);
  unlink(temporary);
  pl_free(temporary);
  pl_free(previous);
}
