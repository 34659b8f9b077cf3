#include "linalg/nnls.h"

#include "base/blas.h"
#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef struct work {
  int64_t n;
  const double *K, *h;
  double *a, *z, *matrix;
  bool *passive, *barred; /* free to be positive; would make the equations singular */
  int64_t *index;
} work;

/* K z = h over the passive variables, z = 0 elsewhere.  False when K is singular there. */
static bool solve(work *w) {
  int m = 0, info = 0, one = 1;
  for (int64_t i = 0; i < w->n; i++)
    if (w->passive[i]) w->index[m++] = i;
  memset(w->z, 0, (size_t)w->n * sizeof *w->z);
  if (m == 0) return true;
  double *rhs = w->matrix + (int64_t)m * m;
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < m; j++) w->matrix[i * m + j] = w->K[w->index[i] * w->n + w->index[j]];
    rhs[i] = w->h[w->index[i]];
  }
  double largest = 0;
  for (int i = 0; i < m; i++) largest = fmax(largest, w->matrix[i * m + i]);
  dposv_("L", &m, &one, w->matrix, &m, rhs, &m, &info, 1);
  for (int i = 0; i < m && !info; i++)
    if (w->matrix[i * m + i] * w->matrix[i * m + i] < 8 * m * DBL_EPSILON * largest) info = 1;
  if (info) return false;
  for (int i = 0; i < m; i++) w->z[w->index[i]] = rhs[i];
  return true;
}

/* The variable whose growth lowers the value most quickly, or -1. */
static int64_t steepest(const work *w, double floor) {
  int64_t best = -1;
  for (int64_t i = 0; i < w->n; i++) {
    if (w->passive[i] || w->barred[i]) continue;
    double slope = w->h[i];
    for (int64_t j = 0; j < w->n; j++) slope -= w->K[i * w->n + j] * w->a[j];
    if (slope > floor) {
      best = i;
      floor = slope;
    }
  }
  return best;
}

/* Go from a towards z until a variable reaches zero, and fix those that do.  True: all the way. */
static bool advance(work *w) {
  double share = 1;
  for (int64_t i = 0; i < w->n; i++)
    if (w->passive[i] && w->z[i] <= 0) share = fmin(share, w->a[i] / (w->a[i] - w->z[i]));
  bool whole = true;
  for (int64_t i = 0; i < w->n; i++) {
    if (!w->passive[i]) continue;
    bool stops = w->z[i] <= 0 && w->a[i] <= share * (w->a[i] - w->z[i]) * (1 + DBL_EPSILON);
    w->a[i] += share * (w->z[i] - w->a[i]);
    if (!stops) continue;
    w->a[i] = 0;
    w->passive[i] = whole = false;
  }
  return whole;
}

void pl_nnls(int64_t n, const double *K, const double *h, double *a) {
  static const char what[] = "non-negative least squares";
  size_t size = (size_t)n;
  work w = {.n = n, .K = K, .h = h, .a = a};
  w.z = pl_alloc(size, sizeof *w.z, what);
  w.matrix = pl_alloc(size * size + size, sizeof *w.matrix, what);
  w.passive = pl_zalloc(size, sizeof *w.passive, what);
  w.barred = pl_zalloc(size, sizeof *w.barred, what);
  w.index = pl_alloc(size, sizeof *w.index, what);
  memset(a, 0, size * sizeof *a);
  double largest = 0;
  for (int64_t i = 0; i < n; i++) largest = fmax(largest, fabs(h[i]));
  /* Each round lowers the value or bars a variable; rounding could make it go round in circles. */
  for (int64_t round = 0; round < 10 * n + 10; round++) {
    int64_t next = steepest(&w, 100 * DBL_EPSILON * largest);
    if (next < 0) break;
    w.passive[next] = true;
    if (!solve(&w) || w.z[next] <= 0) {
      w.passive[next] = false;
      w.barred[next] = true;
      continue;
    }
    memset(w.barred, 0, size * sizeof *w.barred);
    while (!advance(&w))
      if (!solve(&w)) break;
  }
  pl_free(w.z);
  pl_free(w.matrix);
  pl_free(w.passive);
  pl_free(w.barred);
  pl_free(w.index);
}
