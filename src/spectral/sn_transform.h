/* The transform on S_n shared by a team, inside spectral/ only.
 *
 * A rank holds some left cosets of S_(n-1): blocks of (n-1)! consecutive elements.  It transforms
 * them alone; one exchange brings columns of the irreps mu of S_(n-1), of all n cosets, to one
 * rank; level n joins them there, column by column, since left multiplication never mixes columns;
 * a second exchange brings the columns of the irreps of S_n to the ranks that hold them.  No rank
 * ever holds a whole function.  Work goes mu by mu, so that buffers stay small. */
#ifndef PL_SPECTRAL_SN_TRANSFORM_H
#define PL_SPECTRAL_SN_TRANSFORM_H

#include "spectral/layout.h"

typedef struct pl_sn_transform pl_sn_transform;

/* n >= 5.  Collective over the layout's team; the same status everywhere. */
pl_status pl_sn_transform_new(const pl_layout *l, int n, pl_sn_transform **out);
void pl_sn_transform_free(pl_sn_transform *t);
/* Bytes on one rank, roughly.  Local, pure. */
double pl_sn_transform_bytes(int n, int team);
/* First element of rank r's range (r = team: n!).  Local, pure. */
int64_t pl_sn_transform_start(int n, int team, int r);

/* f: this rank's range; F: this rank's spectrum.  Collective over the team. */
void pl_sn_transform_forward(pl_sn_transform *t, const double *f, double *F);
void pl_sn_transform_inverse(pl_sn_transform *t, const double *F, double *f);

#endif
