/* Training one run: when to step, to record and to end.  Knows no networks and no files. */
#ifndef PL_RUN_TRAIN_H
#define PL_RUN_TRAIN_H

#include "run/ckpt.h"
#include "run/schedule.h"

/* What became of a run; the values are those of variable `status` in the output. */
typedef enum {
  PL_RUN_PENDING,
  PL_RUN_RUNNING,
  PL_RUN_DONE,
  PL_RUN_DIVERGED,
  PL_RUN_FAILED,
  PL_RUN_STOPPED,
  PL_NUM_RUN_STATES
} pl_run_state;
const char *pl_run_state_name(pl_run_state s);

typedef struct pl_outcome {
  pl_run_state state;
  int64_t steps_done, records;
  pl_best best;
  pl_verdict verdict; /* of the last record */
  double wall_time;   /* s, over all sessions */
  double memory;      /* bytes that the run added at its peak, largest rank */
  bool unsaved;       /* stopped, and the checkpoint could not be written */
} pl_outcome;

/* Before the network's own measures, every record carries these. */
enum { PL_RECORD_STEP, PL_RECORD_LR, PL_RECORD_HEAD };

/* What a rank may ask of its team between two steps.  The sum over the ranks is made in the step,
 * so that all decide alike: any number of votes of one kind does. */
#define PL_VOTE_NONE 0.0
#define PL_VOTE_STOP 1.0
#define PL_VOTE_SAVE 0x1p30

typedef struct pl_train_hooks {
  void *context;
  /* Record number index: PL_RECORD_HEAD values, then the model's.  Called on rank 0 of the team;
   * values may be reused after it returns. */
  void (*record)(void *context, int64_t index, const double *values, int64_t n);
  /* Called on every rank between steps; returns one of PL_VOTE_* or a sum of them. */
  double (*poll)(void *context, int64_t step);
  /* Called at pauses (base/pause.h) while the run is set up or observed (NULL: nothing);
   * PL_STOPPED gives up what is under way. */
  pl_status (*pause)(void *context);
  /* Take up a run where a checkpoint left it; false: there is none.  Collective, like save. */
  bool (*resume)(void *context, pl_model *model, pl_optim *optim, pl_ckpt *at);
  /* Write a checkpoint; the same status on every rank. */
  pl_status (*save)(void *context, pl_model *model, pl_optim *optim, const pl_ckpt *at);
  /* As save, once the run is done: its final state (NULL: not kept).  A failure is a warning. */
  pl_status (*keep)(void *context, pl_model *model, pl_optim *optim, const pl_ckpt *at);
  /* Called on every rank of the team at the end, while the model lives (NULL: nothing). */
  pl_status (*finish)(void *context, pl_model *model, pl_run_state state);
  /* Called likewise after it, with record.best: the model holds the weights of the best record, to
   * be saved and no more (NULL: nothing). */
  pl_status (*best)(void *context, pl_model *model);
} pl_train_hooks;

/* Train one run, from its checkpoint if there is one, which may be the final state of a shorter run
 * of the same keys.  It is done after length->steps steps, when
 * its objective falls below stop.loss, or after stop.patience records without a better stop.metric;
 * it has diverged when its standing is not finite (pl_standing_finite), or at a record with a
 * number that must be and is not (pl_measure.finite).  It is saved when the team votes for it and
 * when it is stopped, which is between two steps or inside a record, of which nothing remains then;
 * a checkpoint that cannot be written is a warning, and the training goes on.
 * Collective over team; out is the same on every rank.  A status other than PL_OK means that the
 * run could not be set up or observed: its state is then PL_RUN_FAILED and the message tells why;
 * the sweep goes on.  PL_STOPPED: setting it up was given up at a pause, and nothing came of it.
 */
pl_status pl_train(const pl_comm *team, const pl_spec *spec, const pl_length *length,
                   const pl_rates *rates, const pl_train_hooks *hooks, pl_outcome *out);

#endif
