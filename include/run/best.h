/* The best record of a run so far, and whether waiting for a better one has lasted long enough. */
#ifndef PL_RUN_BEST_H
#define PL_RUN_BEST_H

#include "model/model.h"

/* Kept in checkpoints, so that a resumed run decides alike. */
typedef struct pl_best {
  int64_t step;      /* of the record with the best validation metric; -1: none yet */
  double validation; /* the metric there, on the validation part */
  double tie;        /* the network's tie_metric there; NaN: none */
  double test;       /* .. and on the test part; NaN: not recorded */
  double metric;     /* best stop.metric so far; NaN: none yet */
  double second;     /* best tie_metric so far, where patience watches it too; NaN: none yet */
  int64_t waited;    /* records since the last that counted */
} pl_best;

/* What to watch in a record of one run: places among the network's numbers, -1: nothing. */
typedef struct pl_watch {
  int64_t validation, tie, test;                    /* tie: among records of equal validation */
  int64_t metric, second;                           /* what patience waits for */
  int validation_better, tie_better, metric_better; /* as pl_measure.better */
  int64_t patience;                                 /* records; 0: never ends */
} pl_watch;

/* "validation_accuracy": measure number k of the schema that is the network's metric on that part;
 * -1: it is not recorded, or no value of it is better than another.  Local, pure. */
int pl_best_measure(const pl_model_kind *kind, const pl_schema *schema, pl_part part);

/* What stop.patience and stop.metric mean for a run.  Without a stop.metric, a network that names a
 * tie_metric waits for either of the two: a record counts as long as one of them is as good as the
 * best so far.  Otherwise a record counts whose metric is better than all before it.  PL_EINPUT:
 * stop.metric names no scalar measure of the schema of which larger or smaller is better; the
 * message lists them.  Local. */
pl_status pl_watch_init(pl_watch *w, const pl_spec *spec, const pl_schema *schema);
/* Is there anything to watch?  Pure. */
bool pl_watch_any(const pl_watch *w);

pl_best pl_best_none(void);
/* Take in the record at a step: the numbers of the network alone.  Local, pure. */
void pl_best_take(pl_best *b, const pl_watch *w, int64_t step, const double *values);
/* Is the patience at its end?  Pure. */
bool pl_best_over(const pl_best *b, const pl_watch *w);

#endif
