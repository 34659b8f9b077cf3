/* The outer loop from inside: task.c (losses of one task), outer.c (adaptation and meta-gradient),
 * meta.c (the network), measures.c, apply.c.  Inside this room only. */
#ifndef PL_NETS_META_NET_H
#define PL_NETS_META_NET_H

#include "keys.h"
#include "nets/irreps.h"
#include "nets/meta/meta.h"
#include "nets/meta/solve.h"

/* Sums over the tasks of the step to come, on this rank: doubles only, so that a team adds them. */
typedef struct meta_tally {
  double tasks, loss;
  double gap, condition, negative; /* of imaml */
  double error;                    /* where the meta-gradient is known */
  double residual[PL_CG_MOST + 1];
} meta_tally;

/* net->own. */
typedef struct meta_net {
  const pl_spec *spec; /* of the outer network */
  pl_tasks tasks;
  pl_net inner;
  const pl_inner *kind;
  int64_t n; /* weights */
  pl_tape *tape;
  pl_node **node;
  /* the task in hand */
  double *x, *y;
  int *label;
  double *theta, *phi, *gradient, *part; /* [n]: .., of the query loss, of one task */
  double *direction, *product;           /* of the Hessian on the tape */
  double *work;                          /* of the solvers */
  double *states;                        /* maml: [inner_steps][n] */
  double *sum;                           /* the meta-gradient of several tasks */
  meta_tally tally;
  /* records of data.kind group */
  pl_group *group;
  pl_irrep_energies *energies;
  int live;
  int64_t *irrep; /* [live] */
  double *rows;   /* the row spaces, one after the other */
  double *record; /* what records point to: residuals, energies, alignments */
} meta_net;
static inline meta_net *meta_of(const pl_net *net) {
  return net->own;
}

/* ---- task.c ---- */

/* Samples of the task in hand, from support_of, query_of or all_of. */
typedef struct meta_samples {
  int64_t first, num;
} meta_samples;
meta_samples meta_support(const meta_net *m);
meta_samples meta_query(const meta_net *m);
meta_samples meta_all(const meta_net *m);

/* Task i of a part into m. */
void meta_take(meta_net *m, pl_part part, int64_t i);
/* L(phi) + lambda/2 ||phi - theta||^2 over samples of the task in hand, as pl_smooth: its Hessian
 * is the tape's, exact.  loss is the context and must stay where it is. */
typedef struct meta_loss {
  meta_net *m;
  meta_samples samples;
  double lambda;
} meta_loss;
pl_smooth meta_smooth(meta_loss *loss);
/* Outputs of samples of the task in hand at phi, on the tape. */
const pl_node *meta_outputs(meta_net *m, meta_samples s, const double *phi);

/* ---- outer.c ---- */

/* phi <- weights adapted to the support samples of task i, from theta.  Returns the query loss;
 * with metric, which may be NULL, also what it counts: right classes, or squared errors. */
double meta_adapt(meta_net *m, pl_part part, int64_t i, double *metric);
/* The same for training; g += scale times the meta-gradient, and the tally grows. */
double meta_gradient(meta_net *m, pl_part part, int64_t i, double scale, double *g);

/* Is the meta-gradient known: quadratic functions, and a pull to theta? */
bool meta_known(const pl_spec *spec);

/* ---- measures.c ---- */

typedef struct meta_record {
  pl_net_record net; /* first */
  double meta_loss, meta_gradient_error, post[2], inner_gap, condition, negative_curvature,
      stored_states, stored_bytes;
  int64_t residuals, irreps;
  const double *residual, *energy, *alignment;
} meta_record;

extern const pl_measures meta_measures;
void meta_metrics(pl_net *net, pl_part part, double *metric);
pl_status meta_observe(pl_net *net, void *state);
pl_status meta_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                    void (**free_context)(void *));
/* What records need, into m. */
pl_status meta_records_new(meta_net *m);
void meta_records_free(meta_net *m);

/* ---- apply.c ---- */

pl_status meta_note(const pl_net *net, pl_nc *nc);
pl_status meta_open(pl_net *net, const pl_nc *weights, const pl_nc *data);
pl_status meta_predict(pl_net *net, pl_nc *out);
/* PL_EINPUT: the file of weights, if there is one, says that they are over the elements of another
 * group than that of the samples.  Local. */
pl_status meta_check_group(const pl_spec *spec);
pl_status meta_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                     const char *path, const pl_attribute *attributes, int num);

/* ---- meta.c ---- */

/* net->own and the weights, from tasks, which become its own. */
pl_status meta_furnish(pl_net *net, const pl_tasks *tasks);

#endif
