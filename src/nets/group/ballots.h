/* Samples of ballots, drawn from two files of rankings (group/rankings.h). */
#ifndef PL_NETS_GROUP_BALLOTS_H
#define PL_NETS_GROUP_BALLOTS_H

#include "base/comm.h"
#include "group/group.h"
#include "model/data.h"

typedef struct ballots ballots;

/* Do the files and the group fit the keys?  PL_EINPUT: *key is at fault.  Local. */
pl_status ballots_check(const pl_spec *spec, const pl_group *g, const char **key);
/* The ballots of both files, known to every rank.  Free with ballots_free.  Collective. */
pl_status ballots_new(const pl_spec *spec, const pl_comm *team, uint64_t seed, ballots **out);
void ballots_free(ballots *b);
/* The most permutations that a sample may have. */
int64_t ballots_most(const ballots *b);
/* A sample as a sum of permutations (group/rankings.h), of data.positive or data.negative in turn:
 * the return value says how many, at most ballots_most; perms: [that][n] in one-line notation from
 * 0, weights: how often each; of an open ballot all linear extensions, each in part.  Local; the
 * same on every rank. */
int64_t ballots_sample(const ballots *b, int64_t sample, int8_t *perms, double *weights);

#endif
