/* Kinds of data from inside: data.c shares drawing with teacher.c and calls it, idx.c, ballots.c.
 */
#ifndef PL_NETS_GROUP_DATA_INTERNAL_H
#define PL_NETS_GROUP_DATA_INTERNAL_H

#include "base/nc.h"
#include "group/band.h"
#include "nets/group/data.h"

/* Where irrep i's first entry stands in the packed order of the group: the index of its random
 * numbers, which must not depend on the layout.  Owned by the caller. */
int64_t *data_packed_offsets(const pl_group *g);
/* Real Gaussian function with E|entry|^2 = v/d.  Local. */
void data_draw_gaussian(const pl_layout *l, const int64_t *packed, uint64_t seed, uint64_t stream,
                        double v, double *F);
/* Sum over the team of <F, H> over the group. */
double data_inner(const pl_layout *l, const double *F, const double *H);

/* ---- permutations and bands ---- */

/* F = sum_p weights[p] rho(s_p) over S_n or a band of it, p < count.  perms: [count][n], one-line
 * from 0.  tables: of the band (pl_band_new); for the whole group NULL, and its transform and a
 * workspace f take their place.  Each rank makes what it holds.  Collective. */
void data_sum_permutations(const pl_layout *l, pl_transform *t, const pl_band *tables,
                           int64_t count, const int8_t *perms, const double *weights, double *f,
                           double *F);

/* The variable that holds functions called var ("x", "w") in a file, what it must stand on beside
 * samples or layers, and how many values a function has: var itself on the elements of g; in a band
 * var_fourier on the D components (packed, group/group.h) if the file has it, or if n is above
 * 10. */
typedef struct data_variable {
  char name[32];
  const char *dim;
  int64_t length;
} data_variable;
data_variable data_variable_of(const pl_nc *nc, const char *var, const pl_group *g);
/* Row `row` of var (nc counts on rank 0 of the team) as a spectrum of the band; functions over the
 * elements are projected to it.  PL_EINPUT if nothing is left.  Collective. */
pl_status data_read_band(const pl_layout *l, const pl_nc *nc, const char *var, int64_t row,
                         double *F);

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
