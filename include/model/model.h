/* The one interface between run/ and networks.  run/ knows no groups: it sees parameter blocks, a
 * block-wise step, a table of observables, costs, and coordinate variables for the output file.
 * A new network is one file and one row in the table of src/model/model.c. */
#ifndef PL_MODEL_MODEL_H
#define PL_MODEL_MODEL_H

#include "base/comm.h"
#include "model/spec.h"
#include "base/rates.h"

typedef struct pl_model pl_model;
typedef struct pl_model_kind pl_model_kind;

/* ---- parameters ---- */

/* One parameter block: count matrices of rows x cols of one layer, real or complex.  This rank
 * holds n of its doubles (0: none) at w.  Every rank of the team lists the same blocks in the same
 * order.  The inner product of two arrays shaped like the block is weight * sum_k a_k b_k, summed
 * over ranks: for a linear G-CNN, weight = m d/|G| makes it the Euclidean one of filters over G, so
 * sqrt(weight) w_k are the coordinates that adaptive methods see in Fourier space. */
typedef struct pl_param {
  int layer; /* from 0 */
  int block; /* inside the layer */
  int64_t count, rows, cols;
  bool is_complex;
  double weight;
  int64_t n;
  double *w;
} pl_param;

/* ---- the step ---- */

/* What happens to each block once its gradient is known.  The gradient handed over is g with
 * gradient = exp(log_scale) g, so that it neither under- nor overflows when margins pass 700. */
typedef struct pl_update pl_update;
struct pl_update {
  bool needs_norm; /* ask for ||g|| before the first block moves: a second pass over the data */
  bool over_group; /* hand over the model's functions (pl_model) in place of its blocks */
  /* Once per step, before the blocks.  norm: of g over all blocks and ranks, 0 if not asked for. */
  void (*begin)(pl_update *u, double log_scale, double norm);
  /* This rank's part of ||g||^2 in block p, in whatever metric the optimiser needs; NULL: weight
   * sum g_k^2. */
  double (*measure)(pl_update *u, int p, const pl_param *param, const double *g);
  /* Move block number p of the model.  g has p->n doubles and is valid during the call only. */
  void (*apply)(pl_update *u, int p, const pl_param *param, const double *g);
};

/* ---- what is recorded ---- */

/* A variable on (run, record) or on (run, record, axis). */
typedef struct pl_observable {
  const char *name, *axis; /* axis NULL: a scalar */
  const char *units, *long_name;
} pl_observable;

/* A coordinate variable on an axis: value number i into a double, or into text[64]. */
typedef struct pl_coord {
  const char *name, *units, *long_name;
  bool text, integer;
  const char *points_into; /* name of an axis: the numbers are indices of it; NULL: just values */
  void (*value)(const void *context, int64_t i, double *number, char *text);
} pl_coord;

/* A dimension beyond run and record.  Runs whose keys are equal share its entries, those of a
 * shorter one being the first of a longer one; those of different keys stand one after the other in
 * the file.  key "": all runs share. */
typedef struct pl_axis {
  const char *name;
  char *key;
  int64_t length;
  const pl_coord *coords;
  int num_coords;
} pl_axis;

/* All of it for one run.  A record is size doubles: observable k at offset[k]. */
typedef struct pl_schema {
  int num_axes, num_observables;
  pl_axis *axes;
  const pl_observable **observables;
  int64_t *offset, *length;
  int64_t size;
  void *context; /* what the coordinates read */
  void (*free_context)(void *);
} pl_schema;
void pl_schema_free(pl_schema *s);

/* ---- cost ---- */

/* Predicted for one run on a team: seconds, bytes and floating-point operations. */
typedef struct pl_cost {
  double setup, step, record; /* seconds */
  double bytes;               /* largest rank */
  double flops;               /* one step, all ranks; the same on every machine */
  double imbalance;           /* largest load over the mean */
} pl_cost;

/* ---- one network ---- */

struct pl_model {
  const pl_model_kind *kind;
  int num_params;
  pl_param *params;
  /* The layers as functions in the coordinates that the network is defined in (for a G-CNN: filter
   * values over G), for updates with over_group: w holds zeros, and what apply puts there is added
   * to the layer.  Networks over the elements hand over the blocks themselves.  0 of them unless
   * the spec's optimiser works there (pl_optim_over_group). */
  int num_functions;
  pl_param *functions;
};

struct pl_model_kind {
  const char *name, *help;
  /* Is spec valid?  Reads the files it names.  PL_EINPUT: *key is the key at fault.  Local: rank 0
   * of the job asks before any work. */
  pl_status (*check)(const pl_spec *spec, const char **key);
  /* Local; the spec has passed check. */
  pl_status (*describe)(const pl_spec *spec, pl_schema *out);
  /* What a run costs on a team of `team` ranks.  Local and pure. */
  void (*cost)(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out);
  /* Print how the run is spread over a team, for `plancherel plan`.  Local. */
  void (*explain)(const pl_spec *spec, int team, const pl_rates *rates);
  /* A network with its initial weights and data.  Collective over team (borrowed), like all that
   * follows; the same status on every rank. */
  pl_status (*create)(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                      pl_model **out);
  void (*destroy)(pl_model *m);
  /* Weights were replaced from outside: recompute all that depends on them. */
  void (*refresh)(pl_model *m);
  /* One step: gradients block by block, u->apply on each, then the new margins.  vote: a number of
   * each rank that is summed over the team inside the all-reduce of the margins. */
  void (*step)(pl_model *m, pl_update *u, double *vote);
  /* Add x[0..n-1] over the ranks that share block p; they all call it, inside apply. */
  void (*block_sum)(pl_model *m, int p, double *x, int64_t n);
  /* Replace every matrix of an array shaped like block p by its polar factor U V^H (singular
   * values U S V^H; null spaces stay); NaN where that fails.  As block_sum. */
  void (*block_polar)(pl_model *m, int p, double *a);
  /* log of the loss at the present weights; not finite when the run has diverged.  Local, the same
   * on every rank. */
  double (*log_loss)(const pl_model *m);
  /* One record, in the schema's order, into out on rank 0 of the team (others: ignored).
   * PL_NUMERIC: singular values failed; those entries are NaN. */
  pl_status (*observe)(pl_model *m, double *out);
  /* ---- checkpoints ----
   * An array shaped like the params, or like the functions, as a plain sequence of layer_doubles
   * numbers per layer, in an order that depends on neither ranks nor mapping. */
  int64_t (*layer_doubles)(const pl_model *m, bool functions);
  /* Entries first .. first + n - 1 of a layer, to/from rank 0 of the team.  blocks[p]: this rank's
   * part of block p.  x: n doubles on every rank, workspace where they do not count. */
  void (*gather)(pl_model *m, bool functions, int layer, double *const *blocks, int64_t first,
                 int64_t n, double *x);
  void (*scatter)(pl_model *m, bool functions, int layer, double *const *blocks, int64_t first,
                  int64_t n, double *x);
  /* Running averages and the like, to be kept beside the weights: array number i of *n doubles,
   * the same on every rank; NULL past the last.  Borrowed, written to on resume.  The function
   * itself may be NULL: nothing to keep.  Local. */
  double *(*average)(pl_model *m, int i, const char **name, int64_t *n);
  /* Write the filters to a NetCDF file that model.init.path reads. */
  pl_status (*save)(pl_model *m, const char *path);
};

/* Row i of the table of networks, NULL past the last; its name as a word of model.kind. */
const pl_model_kind *pl_model_kind_get(int i);
const char *pl_model_name(int i);

/* Doubles of block p as a whole. */
static inline int64_t pl_param_whole(const pl_param *p) {
  return p->count * p->rows * p->cols * (p->is_complex ? 2 : 1);
}

#endif
