/* C_n = Z/n.  Irrep k sends g to exp(-2 pi i k g/n), so that F is the usual DFT; stored for
 * k = 0..n/2. */
#include "base/mem.h"
#include "group/family.h"

#include <errno.h>
#include <fftw3.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void init(pl_factor *f) {
  f->order = f->classes = f->n;
  f->irreps = f->n / 2 + 1;
}

static int64_t mul(const pl_factor *f, int64_t a, int64_t b) {
  return (a + b) % f->n;
}
static int64_t inv(const pl_factor *f, int64_t a) {
  return (f->n - a) % f->n;
}

static int element_label(const pl_factor *f, int64_t a, char *buf, size_t n) {
  (void)f;
  return snprintf(buf, n, "%lld", (long long)a);
}

static int generators(const pl_factor *f, int64_t *gens, int max) {
  if (f->n == 1) return 0;
  if (max > 0) gens[0] = 1;
  return 1;
}

static pl_irrep irrep(const pl_factor *f, int64_t i) {
  if (2 * i % f->n == 0) return (pl_irrep){1, PL_REAL, 1};
  return (pl_irrep){1, PL_COMPLEX, 2};
}

static int64_t complex_before(const pl_factor *f, int64_t i) {
  int64_t pairs = (f->n - 1) / 2;
  return i == 0 ? 0 : i - 1 < pairs ? i - 1 : pairs;
}

static int irrep_label(const pl_factor *f, int64_t i, int conj, char *buf, size_t n) {
  return snprintf(buf, n, "%lld", (long long)(conj ? inv(f, i) : i));
}

static int64_t irrep_by_label(const pl_factor *f, const char *label, int *conj) {
  if (*label < '0' || *label > '9') return -1;
  char *end;
  errno = 0;
  long long k = strtoll(label, &end, 10);
  if (*end || errno || k >= f->n) return -1;
  *conj = k >= f->irreps;
  return *conj ? f->n - k : k;
}

static void irrep_matrix(const pl_factor *f, int64_t i, int64_t element, double *compact) {
  double angle = 2 * M_PI * (double)(i * element % f->n) / (double)f->n;
  compact[0] = cos(angle);
  if (irrep(f, i).type == PL_COMPLEX) compact[1] = -sin(angle);
}

/* ---- transform ---- */

typedef struct plan {
  int64_t n;
  fftw_plan forward, inverse;
  double *spectrum; /* n/2 + 1 complex numbers */
} plan;

static void *plan_new(const pl_factor *f, const int64_t *offset) {
  (void)offset;
  plan *p = pl_alloc(1, sizeof *p, "a cyclic transform");
  p->n = f->n;
  p->spectrum = pl_alloc((size_t)(f->n / 2 + 1), sizeof(fftw_complex), "a spectrum");
  /* Rows start anywhere; estimating keeps results the same from run to run. */
  double *row = pl_alloc((size_t)f->n, sizeof *row, "a row");
  unsigned flags = FFTW_ESTIMATE | FFTW_UNALIGNED;
  p->forward = fftw_plan_dft_r2c_1d((int)f->n, row, (fftw_complex *)p->spectrum, flags);
  p->inverse = fftw_plan_dft_c2r_1d((int)f->n, (fftw_complex *)p->spectrum, row, flags);
  pl_free(row);
  return p;
}

static void plan_free(void *plan_) {
  plan *p = plan_;
  fftw_destroy_plan(p->forward);
  fftw_destroy_plan(p->inverse);
  pl_free(p->spectrum);
  pl_free(p);
}

/* The spectrum without the imaginary parts that are zero is the compact form. */
static void forward(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  const plan *p = plan_;
  for (; rows > 0; rows--, in += in_stride, out += out_stride) {
    fftw_execute_dft_r2c(p->forward, (double *)in, (fftw_complex *)p->spectrum);
    out[0] = p->spectrum[0];
    memcpy(out + 1, p->spectrum + 2, (size_t)(p->n - 1) * sizeof *out);
  }
}

static void inverse(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  const plan *p = plan_;
  double scale = 1 / (double)p->n;
  for (; rows > 0; rows--, in += in_stride, out += out_stride) {
    p->spectrum[0] = in[0] * scale;
    p->spectrum[1] = 0;
    for (int64_t i = 1; i < p->n; i++) p->spectrum[i + 1] = in[i] * scale;
    if (p->n % 2 == 0) p->spectrum[p->n + 1] = 0;
    fftw_execute_dft_c2r(p->inverse, (fftw_complex *)p->spectrum, out);
  }
}

static int64_t bytes(const pl_factor *f) {
  return 8 * (f->n + 2) * 4; /* the spectrum, and FFTW's twiddle factors */
}

static const pl_fast fast = {
    .make = plan_new, .free = plan_free, .forward = forward, .inverse = inverse, .bytes = bytes};

const pl_family pl_family_cyclic = {
    .letter = 'C',
    .form = "C_n  cyclic group of order n, n = 1..1000000",
    .min = 1,
    .max = 1000000,
    .init = init,
    .mul = mul,
    .inv = inv,
    .element_label = element_label,
    .generators = generators,
    .irrep = irrep,
    .complex_before = complex_before,
    .irrep_label = irrep_label,
    .irrep_by_label = irrep_by_label,
    .irrep_matrix = irrep_matrix,
    .fast = &fast,
};
