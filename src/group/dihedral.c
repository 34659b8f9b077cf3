/* D_n, the symmetries of the n-gon.  A1; A2: s -> -1; for even n B1: r -> -1, s -> 1 and
 * B2: r -> -1, s -> -1; then E1, E2, ..: Eh sends r to the rotation by 2 pi h/n and s to
 * diag(1, -1). */
#include "base/mem.h"
#include "group/family.h"

#include <errno.h>
#include <fftw3.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t num_lines(int64_t n) { /* irreps of dimension 1 */
  return n % 2 ? 2 : 4;
}

static void init(pl_factor *f) {
  f->order = 2 * f->n;
  f->classes = f->irreps = num_lines(f->n) + (f->n - 1) / 2;
}

static int64_t mul(const pl_factor *f, int64_t a, int64_t b) {
  int64_t n = f->n, i = a % n, j = b % n;
  int flip = (a >= n) ^ (b >= n);
  /* r^i s = s r^-i */
  return flip * n + ((b >= n ? n - i : i) + j) % n;
}
static int64_t inv(const pl_factor *f, int64_t a) {
  return a >= f->n ? a : (f->n - a) % f->n;
}

static int element_label(const pl_factor *f, int64_t a, char *buf, size_t n) {
  const char *s = a >= f->n ? "s" : "";
  long long k = a % f->n;
  if (k == 0) return snprintf(buf, n, "%s", *s ? s : "1");
  const char *gap = *s ? " " : "";
  return k == 1 ? snprintf(buf, n, "%s%sr", s, gap) : snprintf(buf, n, "%s%sr^%lld", s, gap, k);
}

static int generators(const pl_factor *f, int64_t *gens, int max) {
  int count = 0;
  if (f->n > 1 && count++ < max) gens[0] = 1;
  if (count++ < max) gens[count - 1] = f->n;
  return count;
}

static pl_irrep irrep(const pl_factor *f, int64_t i) {
  return (pl_irrep){i < num_lines(f->n) ? 1 : 2, PL_REAL, 1};
}

static const char *const line_names[] = {"A1", "A2", "B1", "B2"};

static int irrep_label(const pl_factor *f, int64_t i, int conj, char *buf, size_t n) {
  (void)conj;
  int64_t lines = num_lines(f->n);
  if (i < lines) return snprintf(buf, n, "%s", line_names[i]);
  return snprintf(buf, n, "E%lld", (long long)(i - lines + 1));
}

static int64_t irrep_by_label(const pl_factor *f, const char *label, int *conj) {
  *conj = 0;
  int64_t lines = num_lines(f->n);
  for (int64_t i = 0; i < lines; i++)
    if (!strcmp(label, line_names[i])) return i;
  if (label[0] != 'E' || label[1] < '1' || label[1] > '9') return -1;
  char *end;
  errno = 0;
  long long h = strtoll(label + 1, &end, 10);
  return *end || errno || h > (f->n - 1) / 2 ? -1 : lines + h - 1;
}

static void irrep_matrix(const pl_factor *f, int64_t i, int64_t element, double *m) {
  int64_t n = f->n, lines = num_lines(n), k = element % n;
  int s = element >= n ? -1 : 1;
  if (i < lines) {
    m[0] = (i % 2 ? s : 1) * (i >= 2 && k % 2 ? -1 : 1);
    return;
  }
  double angle = 2 * M_PI * (double)((i - lines + 1) * k % n) / (double)n;
  m[0] = cos(angle), m[1] = -sin(angle);
  m[2] = s * sin(angle), m[3] = s * cos(angle);
}

/* ---- transform: a DFT of each coset of the rotations ---- */

typedef struct plan {
  int64_t n;
  fftw_plan forward, inverse;
  double *u, *v; /* spectra over rotations and over reflections: n/2 + 1 complex numbers */
} plan;

static void *plan_new(const pl_factor *f, const int64_t *offset) {
  (void)offset;
  plan *p = pl_alloc(1, sizeof *p, "a dihedral transform");
  size_t half = (size_t)(f->n / 2 + 1);
  p->n = f->n;
  p->u = pl_alloc(half, sizeof(fftw_complex), "a spectrum");
  p->v = pl_alloc(half, sizeof(fftw_complex), "a spectrum");
  /* Rows start anywhere; estimating keeps results the same from run to run. */
  double *row = pl_alloc((size_t)f->n, sizeof *row, "a row");
  unsigned flags = FFTW_ESTIMATE | FFTW_UNALIGNED;
  p->forward = fftw_plan_dft_r2c_1d((int)f->n, row, (fftw_complex *)p->u, flags);
  p->inverse = fftw_plan_dft_c2r_1d((int)f->n, (fftw_complex *)p->u, row, flags);
  pl_free(row);
  return p;
}

static void plan_free(void *plan_) {
  plan *p = plan_;
  fftw_destroy_plan(p->forward);
  fftw_destroy_plan(p->inverse);
  pl_free(p->u);
  pl_free(p->v);
  pl_free(p);
}

/* With U = C - i S of the rotations and V of the reflections, Eh has
 * [[C, -S], [S, C]] + diag(1, -1) [[C', -S'], [S', C']]. */
static void forward(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  const plan *p = plan_;
  const double *u = p->u, *v = p->v;
  int64_t n = p->n, pairs = (n - 1) / 2;
  for (; rows > 0; rows--, in += in_stride, out += out_stride) {
    fftw_execute_dft_r2c(p->forward, (double *)in, (fftw_complex *)p->u);
    fftw_execute_dft_r2c(p->forward, (double *)in + n, (fftw_complex *)p->v);
    double *E = out + num_lines(n);
    out[0] = u[0] + v[0], out[1] = u[0] - v[0];
    if (n % 2 == 0) out[2] = u[n] + v[n], out[3] = u[n] - v[n];
    for (int64_t h = 1; h <= pairs; h++, E += 4) {
      E[0] = u[2 * h] + v[2 * h], E[1] = u[2 * h + 1] + v[2 * h + 1];
      E[2] = v[2 * h + 1] - u[2 * h + 1], E[3] = u[2 * h] - v[2 * h];
    }
  }
}

static void inverse(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  const plan *p = plan_;
  double *u = p->u, *v = p->v;
  int64_t n = p->n, pairs = (n - 1) / 2;
  double scale = 0.5 / (double)n;
  for (; rows > 0; rows--, in += in_stride, out += out_stride) {
    const double *E = in + num_lines(n);
    u[0] = scale * (in[0] + in[1]), v[0] = scale * (in[0] - in[1]);
    u[1] = v[1] = 0;
    for (int64_t h = 1; h <= pairs; h++, E += 4) {
      u[2 * h] = scale * (E[0] + E[3]), v[2 * h] = scale * (E[0] - E[3]);
      u[2 * h + 1] = scale * (E[1] - E[2]), v[2 * h + 1] = scale * (E[1] + E[2]);
    }
    if (n % 2 == 0) {
      u[n] = scale * (in[2] + in[3]), v[n] = scale * (in[2] - in[3]);
      u[n + 1] = v[n + 1] = 0;
    }
    fftw_execute_dft_c2r(p->inverse, (fftw_complex *)u, out);
    fftw_execute_dft_c2r(p->inverse, (fftw_complex *)v, out + n);
  }
}

static int64_t bytes(const pl_factor *f) {
  return 8 * (f->n + 2) * 6; /* the spectra, and FFTW's twiddle factors */
}

static const pl_fast fast = {
    .make = plan_new, .free = plan_free, .forward = forward, .inverse = inverse, .bytes = bytes};

const pl_family pl_family_dihedral = {
    .letter = 'D',
    .form = "D_n  dihedral group of order 2n (symmetries of the n-gon), n = 1..1000000",
    .min = 1,
    .max = 1000000,
    .init = init,
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
