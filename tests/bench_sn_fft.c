/* ranks: 1
 * Speed of the transform on S_n against its yardsticks.
 *   bench_sn_fft [largest n, 10]
 * Columns: nanoseconds per element of one forward and one inverse transform, and of a batch of 64
 * (n <= 7); nanoseconds per element of memcpy of n! doubles, and how many times that the transforms
 * take; how many times longer Clausen's algorithm (n <= 10) and the direct sum (n <= 6) take than
 * the forward transform; all with caches warm.  Every quantity is measured in turn in each of
 * several rounds, in processor time; the numbers are medians over rounds, of ratios too, so that a
 * busy machine disturbs them little. */
#include "base/rng.h"
#include "clausen.h"
#include "group/sn_fft.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 11, BATCH = 64 };

typedef struct bench {
  int64_t order;
  pl_sn_fft *plan;
  clausen *reference;
  double *f, *F, *g, *matrices; /* matrices: of every element, packed, for the direct sum */
  double *copy;                 /* what memcpy fills */
} bench;

static void run_forward(bench *b) {
  pl_sn_fft_forward(b->plan, 1, b->f, b->order, b->F, b->order);
}
static void run_inverse(bench *b) {
  pl_sn_fft_inverse(b->plan, 1, b->F, b->order, b->g, b->order);
}
static void run_batch_forward(bench *b) {
  pl_sn_fft_forward(b->plan, BATCH, b->f, b->order, b->F, b->order);
}
static void run_batch_inverse(bench *b) {
  pl_sn_fft_inverse(b->plan, BATCH, b->F, b->order, b->g, b->order);
}
static void run_memcpy(bench *b) {
  memcpy(b->copy, b->f, (size_t)b->order * sizeof *b->copy);
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

static double median(const double *x, int n) {
  double y[ROUNDS];
  memcpy(y, x, (size_t)n * sizeof *y);
  qsort(y, (size_t)n, sizeof *y, compare);
  return y[n / 2];
}

static double median_ratio(const double *x, const double *y, int n) {
  double r[ROUNDS];
  for (int i = 0; i < n; i++) r[i] = x[i] / y[i];
  return median(r, n);
}

static double processor_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double repeat(int calls, void (*run)(bench *), bench *b) {
  double start = processor_time();
  for (int i = 0; i < calls; i++) run(b);
  return processor_time() - start;
}

/* Seconds of one call, repeated for a few milliseconds.  As long goes before, untimed: what was
 * measured last leaves the caches full of its own, and it takes several short calls to win them. */
static double seconds(void (*run)(bench *), bench *b) {
  int calls = 1;
  while (repeat(calls, run, b) < 2e-3) calls *= 2;
  return repeat(calls, run, b) / calls;
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

enum { FORWARD, INVERSE, COPY, CLAUSEN, DIRECT, BATCH_FORWARD, BATCH_INVERSE, KINDS };

static void row(int n) {
  static void (*const run[KINDS])(bench *) = {run_forward,      run_inverse, run_memcpy,
                                              run_clausen,      run_direct,  run_batch_forward,
                                              run_batch_inverse};
  const int wanted[KINDS] = {1, 1, 1, n <= 10, n <= 6, n <= 7, n <= 7};
  int64_t order = pl_factorial(n), most = n <= 7 ? BATCH * order : order;
  int rounds = n <= 9 ? ROUNDS : n <= 11 ? 5 : 3;
  /* On S_12 all in one array, back and forth. */
  bool one = n > 11;
  double *data = pl_alloc((size_t)((one ? 2 : 3) * most), sizeof *data, "data");
  double t[KINDS][ROUNDS] = {{0}};
  bench b = {.order = order, .f = data, .F = one ? data : data + most};
  b.g = one ? data : data + 2 * most;
  b.copy = one ? data + most : b.g;
  pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 0), 0, most, b.f);
  memset(data + most, 0, (size_t)((one ? 1 : 2) * most) * sizeof *data);
  if (pl_sn_fft_new(n, NULL, &b.plan)) return;
  if (wanted[CLAUSEN]) b.reference = clausen_new(n);
  if (wanted[DIRECT]) b.matrices = all_matrices(n);
  for (int r = 0; r < rounds; r++)
    for (int k = 0; k < KINDS; k++)
      if (wanted[k]) t[k][r] = seconds(run[k], &b);
  double ns = 1e9 / (double)order;
  printf("%2d", n);
  print(median(t[FORWARD], rounds) * ns);
  print(median(t[INVERSE], rounds) * ns);
  print(median(t[BATCH_FORWARD], rounds) * ns / BATCH);
  print(median(t[BATCH_INVERSE], rounds) * ns / BATCH);
  print(median(t[COPY], rounds) * ns);
  print(n >= 8 ? median_ratio(t[FORWARD], t[COPY], rounds) : 0);
  print(n >= 8 ? median_ratio(t[INVERSE], t[COPY], rounds) : 0);
  print(median_ratio(t[CLAUSEN], t[FORWARD], rounds));
  print(median_ratio(t[DIRECT], t[FORWARD], rounds));
  printf("\n");
  fflush(stdout);
  if (wanted[CLAUSEN]) clausen_free(b.reference);
  pl_free(b.matrices);
  pl_sn_fft_free(b.plan);
  pl_free(data);
}

int main(int argc, char **argv) {
  int largest = argc > 1 ? atoi(argv[1]) : 10;
  printf(" n   forward   inverse   batched   inverse    memcpy  f/memcpy  i/memcpy  xClausen   "
         "xdirect\n");
  for (int n = 2; n <= largest; n++) row(n);
  return 0;
}
