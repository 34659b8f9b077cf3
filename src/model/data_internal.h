/* Kinds of data from inside: data.c shares drawing with teacher.c and calls it, idx.c, ballots.c.
 */
#ifndef PL_MODEL_DATA_INTERNAL_H
#define PL_MODEL_DATA_INTERNAL_H

#include "model/data.h"

/* Where irrep i's first entry stands in the packed order of the group: the index of its random
 * numbers, which must not depend on the layout.  Owned by the caller. */
int64_t *data_packed_offsets(const pl_group *g);
/* Real Gaussian function with E|entry|^2 = v/d.  Local. */
void data_draw_gaussian(const pl_layout *l, const int64_t *packed, uint64_t seed, uint64_t stream,
                        double v, double *F);
/* Sum over the team of <F, H> over the group. */
double data_inner(const pl_layout *l, const double *F, const double *H);

/* ---- teacher ---- */

/* A teacher of norm 1: on the listed irreps the product of d x r and r x d Gaussian matrices, r the
 * rank; zero on the others.  F: a spectrum.  Collective. */
void data_teacher(const pl_spec *spec, const pl_layout *l, const int64_t *packed, uint64_t seed,
                  const int64_t *irreps, double *F);
/* Push a sample data.margin away from the teacher's hyperplane and return its label. */
double data_teach(const pl_spec *spec, const pl_layout *l, const double *teacher, double *F);

/* ---- images in IDX files (MNIST) ---- */

/* Do the files and the group fit the keys?  Local. */
pl_status idx_check(const pl_spec *spec, const pl_group *g, const char **key);
/* The chosen images, each as a function over G: x[i * |G|], and labels y[i].  Local (rank 0). */
pl_status idx_read(const pl_spec *spec, const pl_group *g, uint64_t seed, double *x, double *y);

/* ---- ballots of two files of rankings ---- */

typedef struct ballots ballots;

/* Do the files and the group fit the keys?  Local. */
pl_status ballots_check(const pl_spec *spec, const pl_group *g, const char **key);
/* The ballots of both files, known to every rank.  Free with ballots_free.  Collective. */
pl_status ballots_new(const pl_spec *spec, const pl_comm *team, uint64_t seed, ballots **out);
void ballots_free(ballots *b);
/* A sample as a sum of permutations (group/rankings.h), of data.positive or data.negative in turn:
 * the return value says how many different ones, at most data.ballots; perms: [that][n] in one-line
 * notation from 0, weights: how often each.  Local; the same on every rank. */
int64_t ballots_sample(const ballots *b, int64_t sample, int8_t *perms, double *weights);

#endif
