#include "base/rates.h"

#include "base/blas.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const double sizes[PL_RATE_SIZES] = {4, 16, 48, 144, 400, 1024};

enum { DRAWS = 4096 };

typedef struct bench {
  int d;
  size_t n;
  double *a, *b, *c;
} bench;

static void product(void *p) {
  bench *x = p;
  int d = x->d;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1, x->a, d, x->b, d, 0, x->c, d);
}

static void stream(void *p) {
  bench *x = p;
  double s = 0;
#pragma omp simd reduction(+ : s)
  for (size_t k = 0; k < x->n; k++) s += x->a[k] * x->a[k];
  x->c[0] += s; /* keep the sum alive */
}

static void draw(void *p) {
  bench *x = p;
  pl_rng_normals(1, 0, 0, DRAWS, x->c);
}

static void powers(void *p) {
  bench *x = p;
  double s = 0;
  for (int k = 0; k < DRAWS; k++) s += pow(fabs(x->a[k]), 0.6);
  x->c[0] += s;
}

pl_rates pl_rates_measure(void) {
  pl_rates r = pl_rates_nominal();
  enum { LARGEST = 1024 };
  size_t n = (size_t)3 << 20; /* 24 MB: beyond the caches of one core */
  bench x = {.a = pl_alloc(n, sizeof(double), "calibration"),
             .b = pl_alloc((size_t)LARGEST * LARGEST, sizeof(double), "calibration"),
             .c = pl_alloc((size_t)LARGEST * LARGEST, sizeof(double), "calibration")};
  /* Any full matrix will do; random numbers for the whole would take longer than the measurements.
   */
  pl_rng_normals(1, 0, 0, DRAWS, x.a);
  for (size_t k = DRAWS; k < n; k++) x.a[k] = x.a[k % DRAWS] + (double)(k % 1009);
  memcpy(x.b, x.a, (size_t)LARGEST * LARGEST * sizeof(double));
  for (int i = 0; i < PL_RATE_SIZES; i++) {
    x.d = (int)sizes[i];
    r.gemm[i] = 2 * pow(x.d, 3) / pl_best_time(product, &x, 0.02);
  }
  r.normal = pl_best_time(draw, &x, 0.01) / DRAWS;
  r.power = pl_best_time(powers, &x, 0.01) / DRAWS;
  x.n = (size_t)1 << 15;
  r.cache_bandwidth = (double)(x.n * sizeof(double)) / pl_best_time(stream, &x, 0.01);
  x.n = n;
  r.memory_bandwidth = (double)(x.n * sizeof(double)) / pl_best_time(stream, &x, 0.04);
  pl_free(x.a);
  pl_free(x.b);
  pl_free(x.c);
  return r;
}

pl_rates pl_rates_nominal(void) {
  pl_rates r = {.cache_bandwidth = 40e9,
                .memory_bandwidth = 10e9,
                .normal = 5e-9,
                .power = 15e-9,
                .latency = 2e-6,
                .network = 5e9,
                .grid_efficiency = 0.75,
                .cores_per_node = (double)sysconf(_SC_NPROCESSORS_ONLN),
                .bytes_per_node = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE)};
  static const double gemm[PL_RATE_SIZES] = {4e9, 2e10, 4e10, 5e10, 5.5e10, 6e10};
  static const double svd[PL_RATE_SIZES] = {3e-6, 2e-5, 1.2e-4, 1.4e-3, 2e-2, 0.3};
  memcpy(r.dim, sizes, sizeof sizes);
  memcpy(r.gemm, gemm, sizeof gemm);
  memcpy(r.svd, svd, sizeof svd);
  r.two_stage[0] = 128;
  r.two_stage[1] = 192;
  return r;
}

/* Straight lines between the measured sizes, in logarithms; constant or cubic outside. */
static double interpolate(const pl_rates *r, const double *y, double d, double slope_above) {
  if (d <= r->dim[0]) return y[0];
  for (int i = 1; i < PL_RATE_SIZES; i++)
    if (d <= r->dim[i]) {
      double t = log(d / r->dim[i - 1]) / log(r->dim[i] / r->dim[i - 1]);
      return y[i - 1] * pow(y[i] / y[i - 1], t);
    }
  return y[PL_RATE_SIZES - 1] * pow(d / r->dim[PL_RATE_SIZES - 1], slope_above);
}

double pl_rates_product(const pl_rates *r, int d) {
  return 2 * pow(d, 3) / interpolate(r, r->gemm, d, 0);
}

double pl_rates_svd(const pl_rates *r, int d) {
  return interpolate(r, r->svd, d, 3);
}

double pl_rates_stream(const pl_rates *r, double bytes, double set) {
  /* 1 MB: the second-level cache of a core. */
  return bytes / (set < 1e6 ? r->cache_bandwidth : r->memory_bandwidth);
}

double pl_rates_transform(double order) {
  /* Measured on S_8 .. S_11: 2.4, 3.7, 6.2 and 8 ns an element; FFTW on cyclic groups is close. */
  return order * fmax(1.5e-9, 2.4e-9 + 0.58e-9 * (log2(order) - 15.3));
}

void pl_rates_print(double seconds) {
  if (seconds < 1e-3)
    printf("%.3g us", 1e6 * seconds);
  else if (seconds < 1)
    printf("%.3g ms", 1e3 * seconds);
  else if (seconds < 7200)
    printf("%.3g s", seconds);
  else
    printf("%.3g h", seconds / 3600);
}
