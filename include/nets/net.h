/* The smaller door: networks over a tape (tape/tape.h).  A family says what is its own: keys, data
 * and weights (load), the objective of some samples on a tape, metrics; net.c does the rest once,
 * behind the door of model/model.h: batches, team sums, the step, checkpoints, weights in and out,
 * measures that all share.
 *
 * Weights are an argument of the objective, so that an outer loop can evaluate adapted ones.
 *
 * A family's network is a pl_net_kind whose door is filled by PL_NET_DOOR and what it adds:
 *
 *   const pl_net_kind pl_mlp = {.door = {.name = "mlp", PL_NET_DOOR, .keys = .., .data = ..},
 *                               .load = load, .objective = objective, ..}; */
#ifndef PL_NETS_NET_H
#define PL_NETS_NET_H

#include "base/nc.h"
#include "model/model.h"
#include "tape/ops.h"
#include "tape/tape.h"

typedef struct pl_net pl_net;
typedef struct pl_net_kind pl_net_kind;

/* ---- weights ---- */

typedef enum {
  PL_INIT_ZERO,
  PL_INIT_NORMAL,
  PL_INIT_SPREAD,
  PL_INIT_CONSTANT,
  PL_INIT_IDENTITY /* 1 where row and column agree */
} pl_net_init;

/* One parameter, the whole of it on every rank; it acts as y = x W + b with W (in, out). */
typedef struct pl_net_weight {
  char name[48];     /* its place: "layer0_weight" */
  char what[96];     /* in words, for files */
  const char *group; /* "weight", "bias": static text */
  int layer;
  int64_t rows, cols;
  pl_net_init init;
  double scale; /* NORMAL: standard deviation; SPREAD: uniform on (-scale, scale); CONSTANT: it */
  int drawn_as; /* 0: with random numbers of its own; k: with those of weight number k - 1 */
} pl_net_weight;

/* In load: the next parameter; returns its number. */
int pl_net_add(pl_net *net, pl_net_weight weight);

/* ---- samples ---- */

/* Which samples an evaluation takes. */
typedef struct pl_take {
  pl_part part;
  int64_t step;         /* t, for random numbers of the step (dropout) */
  bool training;        /* random layers act */
  bool once;            /* this rank adds what belongs to the batch as a whole (regularisers) */
  int64_t total;        /* samples of the batch over the team: the mean is over them */
  int64_t first;        /* place in the batch of the first one here (dropout) */
  int64_t count;        /* of them on this rank, or a piece of those; may be 0 .. */
  const int64_t *entry; /* .. numbers in the part, [count] */
} pl_take;

/* How a team shares a step. */
typedef enum {
  PL_SPLIT_SAMPLES, /* each rank takes a part of the batch */
  PL_SPLIT_OWN,     /* every rank gets all entries; the family splits the work (columns, tasks) */
  PL_SPLIT_NONE     /* the planner gives it one rank */
} pl_net_split;

/* ---- records ---- */

enum { PL_MOST_METRICS = 8 };

/* What all tape networks measure at a record; a family's own state begins with it. */
typedef struct pl_net_record {
  const pl_net *net;
  double loss, log_loss, parameter_norm, gradient_norm;
  double metric[PL_NUM_PARTS][PL_MOST_METRICS];
  const double *sigma;         /* singular values of every weight, one after the other */
  double flow_time, flow_step; /* of optimizer.kind flow */
  double task_loss, bro, gini, embedding_entropy_rank; /* model/regularizer.h */
} pl_net_record;

/* loss, log_loss, parameter_norm, gradient_norm, weight_schatten, weight_rank,
 * weight_entropy_rank, weight_gini, with record.spectrum weight_singular_values, and with
 * optimizer.kind flow flow_time and flow_step. */
extern const pl_measures pl_net_measures;

/* Of networks that name pl_gini_keys: task_loss, gini; and pl_bro_keys: bro,
 * embedding_entropy_rank.  Recorded with a regulariser; always with pl_net_kind.watched. */
extern const pl_measures pl_net_gini_measures, pl_net_bro_measures;

/* Rows of a family's table for metric number `index`: train_NAME and, where the part exists,
 * validation_NAME and test_NAME. */
#define PL_NET_METRIC(index, text, meaning, better_way)                                            \
  PL_NET_METRIC_WHERE(index, text, meaning, better_way, NULL, pl_net_wants_validation,             \
                      pl_net_wants_test)
/* The same, for metrics that not all runs have: in_train, .. are their pl_measure.wanted. */
#define PL_NET_METRIC_WHERE(index, text, meaning, better_way, in_train, in_validation, in_test)    \
  {"train_" text,                                                                                  \
   NULL,                                                                                           \
   "1",                                                                                            \
   meaning " of the training part",                                                                \
   .wanted = in_train,                                                                             \
   .better = better_way,                                                                           \
   .from = offsetof(pl_net_record, metric[PL_TRAIN][index])},                                      \
      {"validation_" text,                                                                         \
       NULL,                                                                                       \
       "1",                                                                                        \
       meaning " of the validation part",                                                          \
       .wanted = in_validation,                                                                    \
       .better = better_way,                                                                       \
       .from = offsetof(pl_net_record, metric[PL_VALIDATION][index])},                             \
  {                                                                                                \
    "test_" text, NULL, "1", meaning " of the test part",                                          \
        .wanted = in_test, .better = better_way,                                                   \
        .from = offsetof(pl_net_record, metric[PL_TEST][index])                                    \
  }
bool pl_net_wants_validation(const pl_spec *spec, const void *context);
bool pl_net_wants_test(const pl_spec *spec, const void *context);

/* ---- one network ---- */

struct pl_net {
  pl_model base; /* first: the door's own view */
  const pl_net_kind *kind;
  pl_spec spec; /* strings borrowed from the sweep configuration */
  pl_comm team; /* borrowed */
  int64_t count[PL_NUM_PARTS];
  int num_weights;
  pl_net_weight *weight;
  int64_t *start;           /* [num_weights + 1]: where each begins in w */
  double *w;                /* all weights, one after the other */
  void *own;                /* the family's: set by load, freed by unload */
  struct pl_net_work *work; /* net.c's */
};

struct pl_net_kind {
  pl_model_kind door; /* first */
  pl_net_split split;
  bool random;         /* the objective in training has random layers: records are made without */
  int num_metrics;     /* of `metrics`; 0: it may be NULL */
  int num_terms;       /* columns of the objective; 0 counts as 1 */
  size_t record_bytes; /* of the family's state at a record; 0: pl_net_record */
  /* Data, parts (net->count) and parameters (pl_net_add).  Weights are not yet there.  NULL: the
   * counts are those of the kind of data, and `shapes` is all there is to do.  Collective; the same
   * status on every rank. */
  pl_status (*load)(pl_net *net);
  void (*unload)(pl_net *net); /* own may be NULL; NULL: nothing to do */
  /* Initial weights from elsewhere, over those that were drawn.  NULL: none.  Collective; the same
   * status on every rank. */
  pl_status (*initial)(pl_net *net);
  /* The initial weights are there, and their objective is the net's standing.  NULL: nothing to do.
   * Collective. */
  void (*begin)(pl_net *net);
  /* The family's own arrays for checkpoints, as pl_model_kind.keep.  NULL: none. */
  double *(*keep)(pl_net *net, int i, const char **name, int64_t *n);
  /* Is weight k at rest in step t: neither its gradient nor weight decay moves it?  NULL: none is.
   * Pure. */
  bool (*rests)(const pl_net *net, int k, int64_t t);
  /* The objective's terms, [1][num_terms], additive over the samples, which come in pieces: their
   * sums, over the team too, are combined.  A piece may be empty.  w: nodes of the weights.  Local;
   * with PL_SPLIT_OWN, Collective. */
  pl_node *(*objective)(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take);
  /* Weights that are the read-out, *first and those behind it: their number.  Columns of their
   * matrices are the rows that Gini is of (model/regularizer.h).  NULL: it names none. */
  int (*readout)(const pl_net *net, int *first);
  bool watched; /* what the regularisers measure is recorded without them, too */
  /* The objective from the terms' sums, and its derivative by each into slope.  NULL: their sum. */
  double (*combine)(const pl_net *net, const double *terms, double *slope);
  /* metric[num_metrics] of a part at the present weights, over pl_net_recorded, the same on every
   * rank.  Collective. */
  void (*metrics)(pl_net *net, pl_part part, double *metric);
  /* The family's own measures, into its state; what is in pl_net_record is there already.  NULL:
   * none.  Collective. */
  pl_status (*observe)(pl_net *net, void *state);
  /* Axes beyond `weight` and `weight_sv`, and what their coordinates and `wanted` read; NULL: none.
   * Local. */
  pl_status (*axes)(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                    void (**free_context)(void *));
  /* Parameters' shapes from the keys (and files) alone, for the planner and the file: as load adds
   * them, into an empty net.  Local. */
  pl_status (*shapes)(pl_net *net);
  /* For `plancherel apply`, all three or none.  Attributes of the family's own in a file of
   * weights; rank 0 alone calls it, in define mode. */
  pl_status (*note)(const pl_net *net, pl_nc *nc);
  /* As load, but all samples of a data file as the test part, with targets or without, for a
   * network of the shapes that the weights file tells; both files on rank 0 only, NULL elsewhere.
   */
  pl_status (*open)(pl_net *net, const pl_nc *weights, const pl_nc *data);
  /* What the network says to the test part: define variables in out, leave define mode, write; out
   * on rank 0 only.  Collective; the same status on every rank. */
  pl_status (*predict)(pl_net *net, pl_nc *out);
  /* Flops and bytes of forward and backward of one sample, and of one evaluation as a whole.  NULL:
   * a sample passes once through every weight. */
  void (*work)(const pl_spec *spec, double *sample_flops, double *sample_bytes, double *fixed_flops,
               double *fixed_bytes);
  /* What an evaluation as a whole takes in a team of so many ranks, flops of all and bytes of each,
   * where it solves its task in another way than one rank does.  NULL: as work says.  Pure. */
  void (*team_work)(const pl_spec *spec, int team, double *fixed_flops, double *fixed_bytes);
  /* What `observe` adds to that at a record: as so many samples forward and backward, over the
   * team, and how many of them are on a tape at a time.  NULL: nothing to speak of. */
  void (*observe_work)(const pl_spec *spec, double *samples, double *together);
};

static inline pl_net *pl_net_of(pl_model *m) {
  return (pl_net *)m;
}
static inline const pl_net_kind *pl_net_kind_of(const pl_spec *spec) {
  return (const pl_net_kind *)(const void *)spec->model;
}

/* ---- what families and outer loops call ---- */

/* In objective, by networks that name pl_bro_keys: H, the embeddings, of which rows start[s] ..
 * start[s + 1] - 1 are those of graph s; share: what a graph counts in the mean over them all
 * (1/take->total, or with PL_SPLIT_OWN 1/team.size).  start is borrowed until the tape's reset. */
void pl_net_embed(const pl_net *net, pl_tape *t, pl_node *h, int64_t graphs, const int64_t *start,
                  double share);

/* Nodes of all weights as variables of the tape, values from w, gradients added to g (NULL: kept on
 * the tape); both laid out as net->w.  node: [num_weights].  Local. */
void pl_net_variables(const pl_net *net, pl_tape *t, const double *w, double *g, pl_node **node);
/* A tape for an evaluation of the family's own, empty; borrowed until the next such call or step.
 */
pl_tape *pl_net_tape(pl_net *net);
/* The gradient of the step to come, laid out as net->w: for observe.  Borrowed. */
const double *pl_net_step_gradient(const pl_net *net);
/* What the family's `axes` gave as context, from the one that coordinates and `wanted` receive. */
const void *pl_net_context(const void *schema_context);
/* This rank's entries first .. first + count - 1 of n samples that the team shares.  Pure. */
void pl_net_share(const pl_net *net, int64_t n, int64_t *first, int64_t *count);
/* The whole of a part as a take for this rank; *entries is the caller's to free. */
pl_take pl_net_whole(const pl_net *net, pl_part part, int64_t **entries);
/* Samples that a record looks at, as a take for this rank: the whole of a part; of a training part
 * beyond record.sample, so many of it, drawn once.  Borrowed. */
pl_take pl_net_recorded(const pl_net *net, pl_part part);
/* Call visit for this rank's share of pl_net_recorded, in pieces that memory holds, each on an
 * empty tape with the present weights; what is left when a pause (base/pause.h) gives up is left
 * out.  Local, and so is visit: what it adds up in context is for the caller to sum. */
typedef void pl_net_visit(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                          void *context);
void pl_net_each(pl_net *net, pl_part part, pl_net_visit *visit, void *context);
/* From now on at most so many samples of a rank on the tape at a time, where the objective is a sum
 * over them; unless told, as many as 12 MB hold by the kind's own estimate.  Local. */
void pl_net_set_piece(pl_net *net, int64_t samples);
/* The objective over the whole training part at w, without random layers, and its gradient; w and g
 * laid out as net->w.  Collective. */
double pl_net_gradient(pl_net *net, const double *w, double *g);
/* Variable `name` of a file of weights, shaped like w, into out.  PL_EINPUT: it does not fit,
 * and by which keys of spec the shape is.  Local. */
pl_status pl_net_read_weight(const pl_spec *spec, const pl_nc *nc, const char *name,
                             const pl_net_weight *w, double *out);
/* H v of the objective over the training part at w, likewise.  Collective. */
void pl_net_hvp(pl_net *net, const double *w, const double *v, double *out);

/* ---- keys that all tape networks own ---- */

enum { PL_NET_INIT_RANDOM, PL_NET_INIT_FILE };

/* A family's struct of values (place PL_IN_NETWORK) begins with this. */
typedef struct pl_net_values {
  int64_t init_kind;
  const char *init_path;
  int64_t record_sample;
} pl_net_values;
static inline const pl_net_values *pl_net_values_of(const pl_spec *spec) {
  return (const pl_net_values *)(const void *)spec->network_values;
}

/* model.init.kind, model.init.path, record.sample; to be named by every tape network beside
 * pl_batch_keys and pl_spectrum_keys. */
extern const pl_keys pl_net_init_keys;
/* Parts of a family's own `fits` and `check`: those of the keys above. */
const char *pl_net_fits(const pl_spec *spec);
pl_status pl_net_check(const pl_spec *spec, const char **key);

/* ---- the door's functions, for PL_NET_DOOR ---- */

pl_status pl_net_describe(const pl_spec *spec, pl_schema *out);
void pl_net_cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out);
void pl_net_explain(const pl_spec *spec, int team, const pl_rates *rates);
pl_status pl_net_create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        pl_model **out);
void pl_net_destroy(pl_model *m);
void pl_net_refresh(pl_model *m, int64_t t);
void pl_net_step(pl_model *m, int64_t t, pl_update *u, double *vote);
pl_standing pl_net_standing(const pl_model *m);
/* Separated: train_accuracy, where it is recorded, is 1. */
pl_verdict pl_net_judge(const pl_schema *schema, const double *record);
pl_status pl_net_observe(pl_model *m, double *out);
void pl_net_block_sum(pl_model *m, int p, double *x, int64_t n);
void pl_net_block_polar(pl_model *m, int p, double *a);
double *pl_net_keep(pl_model *m, int i, const char **name, int64_t *n);
extern const pl_transfer pl_net_weights;

#define PL_NET_DOOR                                                                                \
  .describe = pl_net_describe, .cost = pl_net_cost, .explain = pl_net_explain,                     \
  .create = pl_net_create, .destroy = pl_net_destroy, .refresh = pl_net_refresh,                   \
  .step = pl_net_step, .standing = pl_net_standing, .judge = pl_net_judge,                         \
  .observe = pl_net_observe, .block_sum = pl_net_block_sum, .block_polar = pl_net_block_polar,     \
  .weights = &pl_net_weights, .keep = pl_net_keep, .flows = true, .save = pl_net_save
pl_status pl_net_save(pl_model *m, const char *path, const pl_attribute *attributes, int num);
/* For the door's apply of families with note, open and predict, which know their data.path. */
pl_status pl_net_apply(const pl_spec *spec, const pl_comm *team, const char *data_path,
                       const char *path, const pl_attribute *attributes, int num);

#endif
