#include "draw.h"

#include "base/mem.h"
#include "base/norm.h"
#include "base/rng.h"
#include "base/sums.h"

#include <math.h>

int64_t *draw_packed_offsets(const pl_group *g) {
  int64_t n = pl_group_num_irreps(g), at = 0;
  int64_t *offset = pl_alloc((size_t)n, sizeof *offset, "offsets");
  for (int64_t i = 0; i < n; i++) {
    offset[i] = at;
    at += pl_irrep_size(pl_group_irrep(g, i));
  }
  return offset;
}

void draw_pair_up(int d, double *F) {
  for (int i = 0; i < d; i += 2)
    for (int j = 0; j < d; j += 2) {
      double *a = F + 2 * (i * d + j), *b = F + 2 * ((i + 1) * d + j);
      a[2] = -b[0];
      a[3] = b[1];
      b[2] = a[0];
      b[3] = -a[1];
    }
}

void draw_gaussian(const pl_layout *l, const int64_t *packed, uint64_t seed, uint64_t stream,
                   double scale, double v, double *F) {
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    double *out = F + b->offset;
    double share = 1.0 / b->dim / (pl_stack_complex(b) ? 2 : 1), square = scale * scale * v;
    double sd = pl_sum_safe(square) ? sqrt(square / b->dim / (pl_stack_complex(b) ? 2 : 1))
                                    : scale * sqrt(v * share);
    if (b->grid >= 0 && b->size) {
      /* The grid holds the transpose: local row r is column j of F, contiguous within a block. */
      for (int c = 0; c < b->mat.ln; c++) {
        int64_t row = packed[b->irrep[0]] + (int64_t)pl_dmat_col(&b->mat, c) * b->dim;
        for (int r = 0; r < b->mat.lm; r += b->mat.nb) {
          int n = b->mat.lm - r < b->mat.nb ? b->mat.lm - r : b->mat.nb;
          pl_rng_normals(seed, stream, row + pl_dmat_row(&b->mat, r), n,
                         out + (int64_t)c * b->mat.lld + r);
        }
      }
    } else {
      for (int64_t k = 0; b->size && k < b->count; k++)
        pl_rng_normals(seed, stream, packed[b->irrep[k]], b->size, out + k * b->size);
    }
    for (int64_t k = 0; k < pl_stack_doubles(b); k++) out[k] *= sd;
    for (int64_t k = 0; b->size && b->type == PL_QUATERNIONIC && k < b->count; k++)
      draw_pair_up(b->dim, out + k * b->size);
  }
}

double draw_inner(const pl_layout *l, const double *F, const double *H) {
  double sum = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    pl_multi_dot(1, pl_stack_doubles(b), b->weight, F + b->offset, 0, H + b->offset, &sum);
  }
  pl_comm_sum(&l->team, &sum, 1);
  return sum;
}
