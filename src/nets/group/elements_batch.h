/* The samples that a step of a network over the elements takes: the whole training part or, of a
 * nonlinear one, a minibatch (model/batch.h).  A rank takes the entries of a batch that lie in its
 * own share of the training part. */
#ifndef PL_NETS_GROUP_ELEMENTS_BATCH_H
#define PL_NETS_GROUP_ELEMENTS_BATCH_H

#include "elements_net.h"

/* Does a step take fewer than all samples? */
static inline bool elements_in_batches(const elements_net *m) {
  return m->batch.size > 0;
}
/* The data must be there.  Local. */
void elements_batch_init(elements_net *m);
void elements_batch_fini(elements_net *m);

/* Margins of the samples of step t at the present weights into m->margin[0 .. m->batch.num - 1],
 * their outputs and the vote shared over the team.  A nonlinear network's activations are theirs
 * from now on, a linear one's m->betas is its beta.  Collective.  No allocation. */
void elements_margins(elements_net *m, int64_t t, double *vote);
/* m->gradient of the mean loss over the samples of step t, up to exp(m->log_scale), summed over the
 * team.  The margins of step t come first, unless they were the last.  Collective.  No allocation.
 */
void elements_gradients(elements_net *m, int64_t t);

/* Margins and activations of the whole training part, for a record, and back to the activations
 * from which the next step goes back.  Collective; for nonlinear networks. */
void elements_look_at_all(elements_net *m);
void elements_look_at_batch(elements_net *m);

#endif
