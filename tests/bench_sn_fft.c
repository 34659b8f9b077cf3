/* ranks: 1
 * Speed of the transform on S_n against its yardsticks, measured side by side.
 *   bench_sn_fft [largest n, 10]
 * Columns: nanoseconds per element of one forward and one inverse transform, of a batch of 64
 * (n <= 7); forward and inverse as multiples of memcpy of n! doubles; how many times faster the
 * forward transform is than Clausen's (n <= 10) and than the direct sum (n <= 6).  Medians. */
#include "base/clock.h"
#include "base/rng.h"
#include "clausen.h"
#include "group/sn_fft.h"

#include <stdio.h>
#include <stdlib.h>

enum { REPEATS = 9, BATCH = 64 };

typedef struct bench {
  int n, batch;
  int64_t order;
  pl_sn_fft *plan;
  clausen *reference;
  double *f, *F, *g, *matrices; /* matrices: of every element, packed, for the direct sum */
} bench;

static void run_forward(bench *b) {
  pl_sn_fft_forward(b->plan, b->batch, b->f, b->order, b->F, b->order);
}
static void run_inverse(bench *b) {
  pl_sn_fft_inverse(b->plan, b->batch, b->F, b->order, b->g, b->order);
}
static void run_memcpy(bench *b) {
  memcpy(b->g, b->f, (size_t)b->order * sizeof *b->g);
  __asm__ volatile("" ::: "memory");
}
static void run_clausen(bench *b) {
  clausen_forward(b->reference, b->f, b->F);
}
static void run_direct(bench *b) {
  memset(b->F, 0, (size_t)b->order * sizeof *b->F);
  for (int64_t e = 0; e < b->order; e++)
    for (int64_t i = 0; i < b->order; i++) b->F[i] += b->f[e] * b->matrices[e * b->order + i];
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Median seconds of one call; short calls are repeated to a millisecond. */
static double seconds(void (*run)(bench *), bench *b) {
  double t[REPEATS], start = pl_clock();
  run(b);
  double once = pl_clock() - start;
  int inner = once < 1e-3 ? (int)(1e-3 / (once + 1e-9)) + 1 : 1, repeats = once > 1 ? 3 : REPEATS;
  for (int r = 0; r < repeats; r++) {
    start = pl_clock();
    for (int i = 0; i < inner; i++) run(b);
    t[r] = (pl_clock() - start) / inner;
  }
  qsort(t, (size_t)repeats, sizeof *t, compare);
  return t[repeats / 2];
}

static double *all_matrices(int n) {
  int64_t order = pl_factorial(n);
  int count;
  double *m = pl_alloc((size_t)(order * order), sizeof *m, "matrices of S_n"), *at = m;
  pl_partition *p = pl_partitions(n, &count);
  for (int64_t e = 0; e < order; e++) {
    int8_t s[PL_MAX_N], wsw[PL_MAX_N];
    pl_perm_unrank(n, e, s);
    for (int i = 0; i < n; i++) wsw[n - 1 - i] = (int8_t)(n - 1 - s[i]);
    for (int k = 0; k < count; k++) {
      pl_young_orthogonal(&p[k], wsw, at);
      at += pl_partition_dim(&p[k]) * pl_partition_dim(&p[k]);
    }
  }
  pl_free(p);
  return m;
}

static void print(double x) {
  printf(x > 0 ? " %9.2f" : "         -", x);
}

static void row(int n) {
  int64_t order = pl_factorial(n), most = n <= 7 ? BATCH * order : order;
  bench b = {.n = n, .batch = 1, .order = order};
  double *data = pl_alloc((size_t)(3 * most), sizeof *data, "data"), direct = 0, clausens = 0;
  double batched[2] = {0, 0}, ns = 1e9 / (double)order;
  b.f = data, b.F = data + most, b.g = data + 2 * most;
  pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 0), 0, most, b.f);
  if (pl_sn_fft_new(n, NULL, &b.plan)) return;
  double forward = seconds(run_forward, &b), inverse = seconds(run_inverse, &b);
  double copy = seconds(run_memcpy, &b);
  if (n <= 10) {
    b.reference = clausen_new(n);
    clausens = seconds(run_clausen, &b);
    clausen_free(b.reference);
  }
  if (n <= 6) {
    b.matrices = all_matrices(n);
    direct = seconds(run_direct, &b);
    pl_free(b.matrices);
  }
  if (n <= 7) {
    b.batch = BATCH;
    batched[0] = seconds(run_forward, &b) / BATCH;
    batched[1] = seconds(run_inverse, &b) / BATCH;
  }
  printf("%2d", n);
  print(forward * ns), print(inverse * ns), print(batched[0] * ns), print(batched[1] * ns);
  print(n >= 8 ? forward / copy : 0), print(n >= 8 ? inverse / copy : 0);
  print(copy * ns), print(clausens / forward), print(direct / forward);
  printf("\n");
  fflush(stdout);
  pl_sn_fft_free(b.plan);
  pl_free(data);
}

int main(int argc, char **argv) {
  int largest = argc > 1 ? atoi(argv[1]) : 10;
  printf("%2s %9s %9s %9s %9s %9s %9s %9s %9s %9s\n", "n", "forward", "inverse", "batched",
         "inverse", "f/memcpy", "i/memcpy", "memcpy", "xClausen", "xdirect");
  for (int n = 2; n <= largest; n++) row(n);
  return 0;
}
