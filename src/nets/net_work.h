/* The network over a tape from inside: net.c (the step), net_observe.c (records), net_files.c
 * (weights in files), net_cost.c (the planner).  Those three call down here, never back. */
#ifndef PL_NETS_NET_WORK_H
#define PL_NETS_NET_WORK_H

#include "linalg/rect.h"
#include "model/regularizer.h"
#include "nets/net.h"

/* optimizer.kind flow: length of the step to come (0: none was made), time so far, steps accepted
 * since the length last changed. */
enum { PL_FLOW_STEP, PL_FLOW_TIME, PL_FLOW_ACCEPTED, PL_FLOW_NUMBERS };

/* Regularisers: net_regular.c. */
typedef struct pl_net_regular {
  double b, g;         /* of the objective; 0: none */
  bool recorded;       /* records look at the whole training part once more */
  int first, readouts; /* weights that are the read-out; 0: Gini is not wanted */
  int64_t rows;        /* of all of them */
  double gini, factor, log_slope;
  double *slope; /* of each row's Gini, as the read-outs' weights */
  pl_gini_place *work;
  pl_node *bro;      /* of the present tape: the term that pl_net_embed has left */
  double task;       /* of the last objective: without regularisers */
  bool watch;        /* pl_net_embed adds what is recorded to: */
  double watched[2]; /* BRO, and the entropy rank of embeddings */
} pl_net_regular;

typedef struct pl_net_work {
  pl_tape *tape;
  pl_node **node; /* [num_weights], of the present tape */
  pl_node *result;
  int own_terms, num_terms; /* the family's, and with those of regularisers */
  double *terms, *slope;    /* [num_terms + 1]: their sums and the vote; [num_terms] */
  double *gradient;         /* as net->w */
  pl_net_regular regular;
  double objective;
  int64_t step;      /* objective is that of this step; -1: of none */
  bool on_tape;      /* .. and the tape holds its forward sweep */
  bool has_gradient; /* .. and gradient is its gradient */
  double flow[PL_FLOW_NUMBERS];
  double *before;        /* optimizer.kind flow: the weights that a trial starts from; else NULL */
  int64_t epoch, *order; /* of the samples; -1: as they come */
  int64_t piece;         /* samples on the tape at a time, on one rank */
  pl_take recorded[PL_NUM_PARTS];
  int64_t *entries[PL_NUM_PARTS]; /* .. of these */
  pl_rect *rect;
  /* records */
  pl_schema schema;
  void *record;  /* the family's state */
  double *sigma; /* singular values of every weight, one after the other */
  int64_t num_sigma;
} pl_net_work;

/* Objective of a part at the present weights, as recorded.  Collective; overwrites the tape. */
double pl_net_objective(pl_net *net, pl_part part);

/* Samples of records: net_sample.c. */
void pl_net_sample_new(pl_net *net);
void pl_net_sample_free(pl_net *net);
/* How many of a part's n samples a record looks at: all, but of a training part that a record may
 * sample no more than record.sample.  Pure. */
int64_t pl_net_record_count(const pl_spec *spec, pl_part part, int64_t n);
/* Samples of so many bytes that go onto the tape at a time; beyond any number where the objective
 * is no sum over samples that the ranks share.  Pure. */
int64_t pl_net_piece_of(const pl_net_kind *kind, double sample_bytes);
/* pl_net_kind.work, or what stands for it. */
void pl_net_work_of(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                    double *fixed_flops, double *fixed_bytes);
/* Norm of the gradient of the step to come, which then need not be computed again.  Collective. */
double pl_net_gradient_norm(pl_net *net);

/* Regularisers.  new: how many terms they add to the objective's.  Local but for watch. */
int pl_net_regular_new(pl_net *net);
void pl_net_regular_free(pl_net *net);
/* Gini at w, and what it multiplies the rest by: before the objective there. */
void pl_net_regular_weigh(pl_net *net, const double *w);
/* The family's terms, and BRO behind them, of the present tape. */
pl_node *pl_net_regular_terms(pl_net *net, pl_tape *t, pl_node *terms);
/* Slopes of the family's terms, in the task, become those of all terms in the objective. */
void pl_net_regular_slopes(const pl_net *net, double *slope);
/* The objective, from the task's, the terms being summed. */
double pl_net_regular_objective(pl_net *net, double task);
/* Its gradient, where g has that of the terms, each multiplied by its slope. */
void pl_net_regular_gradient(const pl_net *net, double objective, double *g);
/* H v, where out has that of the terms, and gradient as above before it. */
void pl_net_regular_hvp(const pl_net *net, const double *w, const double *v, double objective,
                        const double *gradient, double *out);
/* The objective of the training part at the present weights, and what records say of it.
 * Collective; overwrites the tape. */
double pl_net_regular_watch(pl_net *net);

/* Records.  Local; pl_net_observe is Collective. */
pl_status pl_net_observe_new(pl_net *net);
void pl_net_observe_free(pl_net *net);

/* model.init.path, if given, into net->w.  Local: every rank reads the file. */
pl_status pl_net_read_weights(pl_net *net);

/* A network for `plancherel apply`, without records.  Collective; files on rank 0 only. */
pl_status pl_net_open(const pl_spec *spec, const pl_comm *team, const pl_nc *weights,
                      const pl_nc *data, pl_net **out);

/* Shapes of a run's weights without its data: free with pl_net_shapes_free.  Local. */
pl_status pl_net_shapes_of(const pl_spec *spec, pl_net *out);
void pl_net_shapes_free(pl_net *net);

#endif
