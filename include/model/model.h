/* The door between run/ and networks.  run/ knows no groups, graphs or points: it sees parameter
 * blocks, a block-wise step, the standing of a run, tables of measures, costs, and coordinate
 * variables for the output file.  A new network is one folder and one row in src/zoo.c. */
#ifndef PL_MODEL_MODEL_H
#define PL_MODEL_MODEL_H

#include "base/comm.h"
#include "base/rates.h"
#include "model/data.h"
#include "model/measure.h"

typedef struct pl_model pl_model;
typedef struct pl_model_kind pl_model_kind;

/* ---- parameters ---- */

/* One parameter block: count matrices of rows x cols, real or complex.  This rank holds n of its
 * doubles (0: none) at w.  Every rank of the team lists the same blocks in the same order.  Blocks
 * of one name follow each other and form one weight, which files and checkpoints know by that
 * name.  The inner product of two arrays shaped like the block is weight * sum_k a_k b_k, summed
 * over ranks: for a linear G-CNN, weight = m d/|G| makes it the Euclidean one of filters over G, so
 * sqrt(weight) w_k are the coordinates that adaptive methods see in Fourier space. */
typedef struct pl_param {
  char name[48];     /* of the weight that the block is part of */
  const char *group; /* what kind of weight it is: "filter", "readout", "bias"; static text */
  int layer;         /* from 0 */
  int block;         /* inside the weight */
  int64_t count, rows, cols;
  bool is_complex;
  bool shared; /* every rank of the team holds the whole of it: sums over blocks count it once */
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
  /* Weight decay.  The optimiser adds it to the blocks; to functions, which hold no weights, the
   * model does, by pl_update_mix, before it hands over gradients and their scale. */
  double decay;
  /* optimizer.kind flow: the first step's length, above 0.  The model, if it can
   * (pl_model_kind.flows), then moves its weights by itself and calls none of the functions below.
   */
  double flow;
  /* Once per step, before the blocks.  norm: sqrt of the sum of measure over all blocks and ranks,
   * 0 if not asked for. */
  void (*begin)(pl_update *u, double log_scale, double norm);
  /* This rank's part of ||g||^2 in block p, in whatever metric the optimiser needs; NULL: weight
   * sum g_k^2.  log_scale: of g. */
  double (*measure)(pl_update *u, int p, const pl_param *param, const double *g, double log_scale);
  /* Move block number p of the model.  g has p->n doubles and is valid during the call only. */
  void (*apply)(pl_update *u, int p, const pl_param *param, const double *g);
};

/* This rank's part of the squared norm, as u wants it. */
double pl_update_measure(pl_update *u, int p, const pl_param *param, const double *g,
                         double log_scale);

/* The gradient with weight decay is exp(returned scale) (keep g + add w); without, keep 1, add 0
 * and log_scale itself.  Pure. */
double pl_update_mix(const pl_update *u, double log_scale, double *keep, double *add);

/* How a run stands: its objective on the training part (in minibatches: on one batch) and,
 * where that is positive, the natural logarithm, which may be known where the objective under- or
 * overflows; NaN otherwise.  A run has diverged when neither is finite. */
typedef struct pl_standing {
  double objective, log_objective;
} pl_standing;
/* Of an objective that is known itself, or by its logarithm.  Pure. */
pl_standing pl_standing_of(double objective);
pl_standing pl_standing_of_log(double log_objective);
bool pl_standing_finite(pl_standing s);
/* Is the objective below limit (> 0)?  Decided by the logarithm where there is one.  Pure. */
bool pl_standing_below(pl_standing s, double limit);

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
   * the spec's optimiser works there (pl_optim_over_group) and the network has any. */
  int num_functions;
  pl_param *functions;
};

/* Weights, or functions, as a plain sequence of numbers per weight, in an order that depends on
 * neither ranks nor mapping.  p: the first block of the weight; blocks[q]: this rank's part of
 * block q, for every block of the model.  gather and scatter move entries first .. first + n - 1
 * to/from rank 0 of the team; x: n doubles on every rank, workspace where they do not count.
 * Collective. */
typedef struct pl_transfer {
  int64_t (*length)(const pl_model *m, int p);
  void (*gather)(pl_model *m, int p, double *const *blocks, int64_t first, int64_t n, double *x);
  void (*scatter)(pl_model *m, int p, double *const *blocks, int64_t first, int64_t n, double *x);
} pl_transfer;

struct pl_model_kind {
  const char *name, *help;
  const char *example;                /* a small sweep of one run: for the tests of all networks */
  const char *summary;                /* of what is recorded, for the output */
  const char *reference;              /* to cite, for the output */
  const char *const *headline;        /* measures that tell most, of those that a run has;
                                       * NULL-terminated */
  const pl_keys *const *keys;         /* NULL-terminated; place PL_IN_NETWORK or PL_IN_COMMON */
  const pl_default *defaults;         /* ends with key NULL; NULL: none */
  const pl_data_kind *const *data;    /* the kinds it takes, the default first; NULL-terminated */
  const pl_measures *const *measures; /* all that it may record; NULL-terminated */
  const char *metric;                 /* "accuracy": of validation_accuracy, test_accuracy */
  const char *convergence;            /* when a run counts as converged, in words; NULL: never */
  const char *other_metric;           /* of runs that do not record it; NULL: none */
  const char *third_metric;           /* of those that record neither; NULL: none */
  const char *tie_metric;             /* tells records of equal metric apart; NULL: the first */
  bool flows;                         /* it offers optimizer.kind flow (pl_update.flow) */
  /* Do the values of the keys fit each other?  As pl_data_kind. */
  const char *(*fits)(const pl_spec *spec);
  /* Is spec valid, its data included?  Reads the files it names.  PL_EINPUT: *key is the key at
   * fault.  Local: rank 0 of the job asks before any work, once for all runs that agree in the keys
   * that touch cost or data: it may depend on no others. */
  pl_status (*check)(const pl_spec *spec, const char **key);
  /* "S_5, gcnn, depth 3": the run in a few words.  As snprintf.  NULL: its name. */
  int (*label)(const pl_spec *spec, char *buf, size_t n);
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
  /* Weights were replaced from outside, and step t comes next: recompute all that depends on them.
   */
  void (*refresh)(pl_model *m, int64_t t);
  /* Step number t (from 0): gradients block by block, u->apply on each, then what depends on the
   * new weights.  vote: a number of each rank that is summed over the team on the way. */
  void (*step)(pl_model *m, int64_t t, pl_update *u, double *vote);
  /* Local, the same on every rank. */
  pl_standing (*standing)(const pl_model *m);
  /* One record, in the schema's order, into out on rank 0 of the team (others: ignored).
   * PL_NUMERIC: singular values failed; those entries are NaN. */
  pl_status (*observe)(pl_model *m, double *out);
  /* What a record says of the run.  NULL: nothing.  Local, pure. */
  pl_verdict (*judge)(const pl_schema *schema, const double *record);
  /* Add x[0..n-1] over the ranks that share block p; they all call it, inside apply. */
  void (*block_sum)(pl_model *m, int p, double *x, int64_t n);
  /* Replace every matrix of an array shaped like block p by its polar factor U V^H (singular
   * values U S V^H; null spaces stay); NaN where that fails.  As block_sum. */
  void (*block_polar)(pl_model *m, int p, double *a);
  const pl_transfer *weights;
  const pl_transfer *functions; /* NULL: the network has none of its own */
  /* What else a checkpoint must keep: array number i of *n doubles, the same on every rank; NULL
   * past the last.  Borrowed, written to on resume.  NULL: nothing to keep.  Local. */
  double *(*keep)(pl_model *m, int i, const char **name, int64_t *n);
  /* Write the weights to a NetCDF file that model.init.path reads, with these texts as attributes
   * of the file beside the network's own. */
  pl_status (*save)(pl_model *m, const char *path, const pl_attribute *attributes, int num);
  /* `plancherel apply`: a saved network on samples of a file.  spec: the network's keys as the
   * weights file has them, model.init.path that file, data.kind file with data.path; it has not
   * passed check, nor need the file have targets.  Write predictions, and metrics where there are
   * targets, to a new file at path, with these texts as attributes.  NULL: it cannot be applied.
   * Collective over team; so is the status. */
  pl_status (*apply)(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                     const char *path, const pl_attribute *attributes, int num);
};

/* Doubles of block p as a whole. */
static inline int64_t pl_param_whole(const pl_param *p) {
  return p->count * p->rows * p->cols * (p->is_complex ? 2 : 1);
}
/* The first block behind those of block p's weight. */
int pl_param_next(int num_params, const pl_param *params, int p);

/* pl_model_kind.label of the run. */
int pl_model_label(const pl_spec *spec, char *buf, size_t n);

/* ---- the tables, of src/zoo.c ---- */

/* Network i of the zoo, and kind of data i; NULL past the last. */
const pl_model_kind *pl_zoo_model(int i);
const pl_data_kind *pl_zoo_data(int i);
/* Their names as the words of model.kind and data.kind; kinds of data of one name count once. */
const char *pl_zoo_model_name(int i);
const char *pl_zoo_data_name(int i);
/* The kind of data that the network understands by the name; NULL: it takes none of that name. */
const pl_data_kind *pl_model_data(const pl_model_kind *kind, const char *name);

#endif
