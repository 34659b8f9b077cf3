/* Matrix elements of irreps. */
#include "base/mem.h"
#include "data_keys.h"
#include "draw.h"
#include "listed_irreps.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"

#include <string.h>

/* Real coordinates of the Fourier matrix of a real function: entries (real type), their real and
 * imaginary parts (complex), the four parts of each 2 x 2 block (quaternionic). */
static int64_t coordinates(pl_irrep r) {
  return (int64_t)r.dim * r.dim * (r.type == PL_COMPLEX ? 2 : 1);
}

/* Sample number `sample`: irreps in turn, coordinates in row-major order. */
static void matrix_element(const pl_layout *l, const int64_t *irreps, int num_irreps,
                           int64_t sample, double *F) {
  int64_t irrep = irreps[sample % num_irreps], e = sample / num_irreps;
  memset(F, 0, (size_t)l->local * sizeof *F);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    for (int64_t k = 0; b->size && k < b->count; k++) {
      if (b->irrep[k] != irrep) continue;
      double *m = F + b->offset + k * b->size;
      int d = b->dim;
      if (b->type == PL_QUATERNIONIC) {
        int64_t block = e / 4, p = block / (d / 2), q = block % (d / 2), part = e % 4;
        m[2 * ((2 * p + part / 2) * d + 2 * q) + part % 2] = 1;
        draw_pair_up(d, m);
      } else if (b->grid < 0) {
        m[e] = 1;
      } else {
        for (int c = 0; c < b->mat.ln; c++)
          for (int r = 0; r < b->mat.lm; r++)
            if ((int64_t)pl_dmat_col(&b->mat, c) * d + pl_dmat_row(&b->mat, r) == e)
              m[(int64_t)c * b->mat.lld + r] = 1;
      }
    }
  }
}

static pl_status begin(pl_source *s) {
  s->own = pl_alloc((size_t)listed_irreps_num(s->spec), sizeof(int64_t), "irreps");
  return listed_irreps_find(s->spec, s->layout->group, s->own);
}

static pl_status sample(pl_source *s, pl_part part, int64_t i, double *F, double *y) {
  (void)part;
  (void)y;
  matrix_element(s->layout, s->own, listed_irreps_num(s->spec), i, F);
  return PL_OK;
}

static void end(pl_source *s) {
  pl_free(s->own);
}

static pl_status check(const pl_spec *spec, const pl_group *g, const char **key) {
  int n = listed_irreps_num(spec);
  int64_t samples = spec->common.samples;
  int64_t *irreps = pl_alloc((size_t)n, sizeof *irreps, "irreps");
  *key = "data.irreps";
  pl_status st = listed_irreps_find(spec, g, irreps);
  for (int k = 0; k < n && !st; k++) {
    int64_t have = coordinates(pl_group_irrep(g, irreps[k])), want = (samples - k + n - 1) / n;
    if (want <= have) continue;
    *key = "data.samples";
    st = pl_error(PL_EINPUT, "%lld samples need %lld matrix elements of irrep \"%s\", it has %lld",
                  (long long)samples, (long long)want, pl_group_data_of(spec)->irreps.v[k],
                  (long long)have);
  }
  pl_free(irreps);
  return st;
}

static const pl_keys *const keys[] = {&data_alone_keys, &data_scale_keys, &data_irreps_keys, NULL};

const pl_group_data pl_data_irrep = {
    .base = {.name = "irrep",
             .help = "matrix elements of data.irreps, these in turn, labels +1, -1 in turn",
             .keys = keys,
             .write_data = pl_group_data_write,
             .seedless = true,
             .fits = listed_irreps_fits,
             .count = data_alone_count},
    .check = check,
    .begin = begin,
    .sample = sample,
    .end = end,
};
