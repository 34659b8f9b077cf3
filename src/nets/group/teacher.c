#include "teacher.h"

#include "base/mem.h"
#include "base/rng.h"
#include "draw.h"
#include "listed_irreps.h"
#include "nets/group/keys.h"
#include "spectral/spectrum.h"

#include <math.h>
#include <string.h>

/* Members of PL_STREAM_MISC beyond those of samples. */
enum { LEFT = 0x7ffffff0, RIGHT };

/* Only the first `rank` columns of each matrix (pairs of columns for quaternionic type) stay. */
static void keep_columns(const pl_stack *b, int64_t rank, double *F) {
  int64_t width = pl_stack_complex(b) ? 2 : 1, keep = b->type == PL_QUATERNIONIC ? 2 * rank : rank;
  if (b->grid >= 0 && b->size) { /* the grid holds the transpose */
    for (int c = 0; c < b->mat.ln; c++)
      for (int r = 0; r < b->mat.lm; r++)
        if (pl_dmat_row(&b->mat, r) >= keep) F[(int64_t)c * b->mat.lld + r] = 0;
    return;
  }
  for (int64_t row = 0; b->size && row < b->count * b->dim; row++)
    for (int64_t k = keep * width; k < b->dim * width; k++) F[row * b->dim * width + k] = 0;
}

static bool listed(const pl_spec *spec, const int64_t *irreps, int64_t irrep) {
  for (int k = 0; k < listed_irreps_num(spec); k++)
    if (irreps[k] == irrep) return true;
  return false;
}

void teacher_draw(const pl_spec *spec, const pl_layout *l, const int64_t *packed, uint64_t seed,
                  const int64_t *irreps, double *F) {
  double *left = pl_alloc((size_t)l->local, sizeof *left, "teacher");
  double *right = pl_alloc((size_t)l->local, sizeof *right, "teacher");
  draw_gaussian(l, packed, seed, PL_STREAM(PL_STREAM_MISC, LEFT), 1, 1, left);
  draw_gaussian(l, packed, seed, PL_STREAM(PL_STREAM_MISC, RIGHT), 1, 1, right);
  memset(F, 0, (size_t)l->local * sizeof *F);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (!b->here) continue;
    keep_columns(b, pl_group_data_of(spec)->rank, left + b->offset);
    pl_stack_mul(b, PL_NC, left + b->offset, right + b->offset, F + b->offset);
    for (int64_t k = 0; k < b->count; k++)
      if (!listed(spec, irreps, b->irrep[k]))
        memset(F + b->offset + k * b->size, 0, (size_t)b->size * sizeof *F);
  }
  double scale = 1 / sqrt(draw_inner(l, F, F));
  for (int64_t k = 0; k < l->local; k++) F[k] *= scale;
  pl_free(left);
  pl_free(right);
}

double teacher_label(const pl_spec *spec, const pl_layout *l, const double *teacher, double *F) {
  double y = draw_inner(l, F, teacher) < 0 ? -1 : 1;
  double margin = pl_group_data_of(spec)->margin;
  for (int64_t k = 0; k < l->local; k++) F[k] += y * margin * teacher[k];
  return y;
}
