/* S_n; irreps: Young's orthogonal form of w s w, w(i) = n+1-i. */
#include "base/mem.h"
#include "group/family.h"
#include "group/perm.h"
#include "group/sn_fft.h"
#include "group/young.h"

#include <stdio.h>
#include <string.h>

static void init(pl_factor *f) {
  int count;
  f->order = pl_factorial((int)f->n);
  f->data = pl_partitions((int)f->n, &count);
  f->classes = f->irreps = count;
}
static void fini(pl_factor *f) {
  pl_free(f->data);
}
static const pl_partition *partition(const pl_factor *f, int64_t i) {
  return (const pl_partition *)f->data + i;
}

/* Elements by number, which larger bands do not have. */
static int listed(const pl_factor *f) {
  pl_require(f->n <= PL_MAX_N);
  return (int)f->n;
}

static int64_t mul(const pl_factor *f, int64_t a, int64_t b) {
  int n = listed(f);
  int8_t s[PL_MAX_N], t[PL_MAX_N], st[PL_MAX_N];
  pl_perm_unrank(n, a, s);
  pl_perm_unrank(n, b, t);
  pl_perm_compose(n, s, t, st);
  return pl_perm_rank(n, st);
}
static int64_t inv(const pl_factor *f, int64_t a) {
  int n = listed(f);
  int8_t s[PL_MAX_N], t[PL_MAX_N];
  pl_perm_unrank(n, a, s);
  pl_perm_inverse(n, s, t);
  return pl_perm_rank(n, t);
}

static int element_label(const pl_factor *f, int64_t a, char *buf, size_t n) {
  int8_t s[PL_MAX_N];
  char text[4 * PL_MAX_N];
  int len = 0, n_letters = listed(f);
  pl_perm_unrank(n_letters, a, s);
  for (int i = 0; i < n_letters; i++)
    len += snprintf(text + len, sizeof text - (size_t)len, i ? " %d" : "%d", s[i] + 1);
  return snprintf(buf, n, "%s", text);
}

/* The adjacent transpositions (1 2), (2 3), .. */
static int generators(const pl_factor *f, int64_t *gens, int max) {
  int n = listed(f);
  for (int g = 0; g < n - 1 && g < max; g++) gens[g] = pl_factorial(n - 1 - g);
  return n - 1;
}

static pl_irrep irrep(const pl_factor *f, int64_t i) {
  return (pl_irrep){(int)pl_partition_dim(partition(f, i)), PL_REAL, 1};
}

static int irrep_label(const pl_factor *f, int64_t i, int conj, char *buf, size_t n) {
  (void)conj;
  return pl_partition_label(partition(f, i), buf, n);
}

static int64_t irrep_by_label(const pl_factor *f, const char *label, int *conj) {
  *conj = 0;
  char name[4 * PL_MAX_N];
  for (int64_t i = 0; i < f->irreps; i++) {
    pl_partition_label(partition(f, i), name, sizeof name);
    if (!strcmp(name, label)) return i;
  }
  return -1;
}

static void irrep_matrix(const pl_factor *f, int64_t i, int64_t element, double *compact) {
  int n = listed(f);
  int8_t s[PL_MAX_N], t[PL_MAX_N];
  pl_perm_unrank(n, element, s);
  for (int k = 0; k < n; k++) t[k] = (int8_t)(n - 1 - s[n - 1 - k]);
  pl_young_orthogonal(partition(f, i), t, compact);
}

/* ---- transform ---- */

static void *plan_new(const pl_factor *f, const int64_t *offset) {
  pl_sn_fft *plan;
  if (pl_sn_fft_new((int)f->n, offset, &plan)) pl_die(PL_EBUG, "%s", pl_error_message());
  return plan;
}
static void plan_free(void *plan) {
  pl_sn_fft_free(plan);
}

static void forward(void *plan, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  pl_sn_fft_forward(plan, pl_int(rows), in, in_stride, out, out_stride);
}
static void inverse(void *plan, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  pl_sn_fft_inverse(plan, pl_int(rows), in, in_stride, out, out_stride);
}

static int64_t bytes(const pl_factor *f) {
  return pl_sn_fft_bytes((int)f->n);
}

static const pl_fast fast = {.make = plan_new,
                             .places = 1,
                             .free = plan_free,
                             .forward = forward,
                             .inverse = inverse,
                             .bytes = bytes};

const pl_family pl_family_symmetric = {
    .letter = 'S',
    .form = "S_n  symmetric group of order n!, n = 1..14 (in a band, band.codepth, to 52)",
    .min = 1,
    .max = 14,
    .init = init,
    .fini = fini,
    .mul = mul,
    .inv = inv,
    .element_label = element_label,
    .generators = generators,
    .irrep = irrep,
    .irrep_label = irrep_label,
    .irrep_by_label = irrep_by_label,
    .irrep_matrix = irrep_matrix,
    .fast = &fast,
};

/* The same irreps, fewer of them; what needs all is refused above (group/fourier.h). */
void pl_band_factor(int n, int k, pl_factor *f) {
  int count;
  *f = (pl_factor){
      .family = &pl_family_symmetric, .n = n, .order = n <= PL_MAX_N ? pl_factorial(n) : 0};
  f->data = pl_partitions_within(n, k, &count);
  f->classes = f->irreps = count;
}
