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

double draw_deviation(const pl_stack *b, double scale, double v) {
  double share = 1.0 / b->dim / (pl_stack_complex(b) ? 2 : 1), square = scale * scale * v;
  return pl_sum_safe(square) ? sqrt(square / b->dim / (pl_stack_complex(b) ? 2 : 1))
                             : scale * sqrt(v * share);
}

/* Normal numbers first .. first + n - 1 of a stack, as it stores them. */
static void draw_normals(const pl_stack *b, const int64_t *packed, uint64_t seed, uint64_t stream,
                         int64_t first, int64_t n, double *out) {
  int64_t done = 0;
  while (done < n) {
    int64_t at = first + done, left = n - done, entry, run;
    if (b->grid >= 0) {
      /* The grid holds the transpose: local row r is column j of F, contiguous within a block. */
      int c = (int)(at / b->mat.lld), r = (int)(at % b->mat.lld);
      entry =
          packed[b->irrep[0]] + (int64_t)pl_dmat_col(&b->mat, c) * b->dim + pl_dmat_row(&b->mat, r);
      run = b->mat.nb - r % b->mat.nb;
      if (run > b->mat.lm - r) run = b->mat.lm - r;
    } else {
      entry = packed[b->irrep[at / b->size]] + at % b->size;
      run = b->size - at % b->size;
    }
    if (run > left) run = left;
    pl_rng_normals(seed, stream, entry, run, out + done);
    done += run;
  }
}

void draw_gaussian_part(const pl_stack *b, const int64_t *packed, uint64_t seed, uint64_t stream,
                        double deviation, int64_t first, int64_t n, double *out) {
  draw_normals(b, packed, seed, stream, first, n, out);
  for (int64_t k = 0; k < n; k++) out[k] *= deviation;
  for (int64_t k = 0; b->type == PL_QUATERNIONIC && k < n; k += b->size)
    draw_pair_up(b->dim, out + k);
}

void draw_gaussian(const pl_layout *l, const int64_t *packed, uint64_t seed, uint64_t stream,
                   double scale, double v, double *F) {
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    draw_gaussian_part(b, packed, seed, stream, draw_deviation(b, scale, v), 0, pl_stack_doubles(b),
                       F + b->offset);
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
