/* Teachers: linear functions of a few irreps and low rank, which label samples. */
#ifndef PL_NETS_GROUP_TEACHER_H
#define PL_NETS_GROUP_TEACHER_H

#include "model/data.h"
#include "spectral/layout.h"

/* A teacher of norm 1: on the listed irreps (numbers of those of data.irreps) the product of d x r
 * and r x d Gaussian matrices, r = data.rank; zero on the others.  packed: draw_packed_offsets.
 * F: a spectrum.  Collective. */
void teacher_draw(const pl_spec *spec, const pl_layout *l, const int64_t *packed, uint64_t seed,
                  const int64_t *irreps, double *F);
/* Push a sample F data.margin away from the teacher's hyperplane and return its label.
 * Collective. */
double teacher_label(const pl_spec *spec, const pl_layout *l, const double *teacher, double *F);

#endif
