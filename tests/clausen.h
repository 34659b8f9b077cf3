/* Clausen's fast Fourier transform on S_n (Clausen 1989; Clausen and Baum 1993), forward, in the
 * conventions of group/sn_fft.h, packed: the reference of tests and benchmarks.
 *   F_lambda = sum_j rho(s_j s_(j+1) .. s_(k-1)) diag_mu(F_j^mu),   j = s(k),
 * every rho(s_i) a sweep over pairs of rows, vectorised along columns; (2/3) n^2 sweeps' worth of
 * arithmetic per element, 330 multiply-adds at n = 10. */
#ifndef PL_TEST_CLAUSEN_H
#define PL_TEST_CLAUSEN_H

#include "base/mem.h"
#include "group/perm.h"
#include "group/young.h"

#include <math.h>
#include <string.h>

enum { CLAUSEN_MAX = 11 };

typedef struct clausen_irrep {
  int64_t d, at;    /* dimension; place of the matrix in a packed record */
  int nsub, sub[8]; /* covered partitions, by index, in order */
  int32_t *partner; /* [i*d + t]: tableau s_(i+1) t, or t itself */
  double *diagonal; /* [i*d + t]: 1 / (content distance) */
} clausen_irrep;

typedef struct clausen {
  int n, count[CLAUSEN_MAX + 1];
  clausen_irrep *irrep[CLAUSEN_MAX + 1];
  double *blocks[CLAUSEN_MAX + 1], *work; /* [k]: k packed records of S_(k-1) */
} clausen;

static inline int clausen_content(const int8_t *t, int k) {
  int c = -t[k];
  for (int j = 0; j < k; j++) c += t[j] == t[k];
  return c;
}

static inline void clausen_tables(clausen_irrep *a, const pl_partition *p) {
  int n = p->n;
  int64_t d = a->d;
  int8_t *t = pl_tableaux(p);
  a->partner = pl_alloc((size_t)(n * d), sizeof *a->partner, "Clausen tables");
  a->diagonal = pl_alloc((size_t)(n * d), sizeof *a->diagonal, "Clausen tables");
  for (int i = 0; i + 1 < n; i++)
    for (int64_t u = 0; u < d; u++) {
      int8_t s[PL_MAX_N];
      memcpy(s, t + u * n, (size_t)n);
      int distance = clausen_content(s, i + 1) - clausen_content(s, i);
      a->diagonal[i * d + u] = 1.0 / distance;
      a->partner[i * d + u] = (int32_t)u;
      if (distance == 1 || distance == -1) continue;
      int8_t x = s[i];
      s[i] = s[i + 1], s[i + 1] = x;
      int64_t v = 0;
      while (memcmp(t + v * n, s, (size_t)n) != 0) v++;
      a->partner[i * d + u] = (int32_t)v;
    }
  pl_free(t);
}

static inline clausen *clausen_new(int n) {
  clausen *c = pl_zalloc(1, sizeof *c, "Clausen plan");
  pl_partition *below = NULL;
  int nbelow = 0;
  int64_t most = 1;
  c->n = n;
  for (int k = 1; k <= n; k++) {
    pl_partition *p = pl_partitions(k, &c->count[k]);
    c->irrep[k] = pl_zalloc((size_t)c->count[k], sizeof(clausen_irrep), "Clausen plan");
    int64_t at = 0;
    for (int i = 0; i < c->count[k]; i++) {
      clausen_irrep *a = &c->irrep[k][i];
      a->d = pl_partition_dim(&p[i]);
      a->at = at;
      at += a->d * a->d;
      if (a->d > most) most = a->d;
      clausen_tables(a, &p[i]);
      for (int r = p[i].rows - 1; r >= 0; r--) {
        pl_partition less;
        if (!pl_partition_remove(&p[i], r, &less)) continue;
        for (int j = 0; j < nbelow; j++)
          if (pl_partition_compare(&less, &below[j]) == 0) a->sub[a->nsub++] = j;
      }
    }
    if (k > 1)
      c->blocks[k] = pl_alloc((size_t)pl_factorial(k), sizeof(double), "Clausen workspace");
    pl_free(below);
    below = p;
    nbelow = c->count[k];
  }
  pl_free(below);
  c->work = pl_alloc((size_t)(most * most), sizeof(double), "Clausen workspace");
  return c;
}

static inline void clausen_free(clausen *c) {
  for (int k = 1; k <= c->n; k++) {
    for (int i = 0; i < c->count[k]; i++) {
      pl_free(c->irrep[k][i].partner);
      pl_free(c->irrep[k][i].diagonal);
    }
    pl_free(c->irrep[k]);
    pl_free(c->blocks[k]);
  }
  pl_free(c->work);
  pl_free(c);
}

/* m = rho(s_(i+1)) m, m of d x d. */
static inline void clausen_sweep(const clausen_irrep *a, int i, double *m) {
  int64_t d = a->d;
  for (int64_t u = 0; u < d; u++) {
    int64_t v = a->partner[i * d + u];
    double r = a->diagonal[i * d + u], q = sqrt(1 - r * r);
    if (v < u) continue;
    double *restrict x = m + u * d, *restrict y = m + v * d;
    if (v == u && r < 0) {
#pragma omp simd
      for (int64_t j = 0; j < d; j++) x[j] = -x[j];
    } else if (v > u) {
#pragma omp simd
      for (int64_t j = 0; j < d; j++) {
        double s = x[j], t = y[j];
        x[j] = r * s + q * t;
        y[j] = q * s - r * t;
      }
    }
  }
}

static inline void clausen_level(clausen *c, int k, const double *f, double *F) {
  if (k == 1) {
    F[0] = f[0];
    return;
  }
  int64_t order = pl_factorial(k - 1);
  for (int b = 0; b < k; b++) clausen_level(c, k - 1, f + b * order, c->blocks[k] + b * order);
  for (int l = 0; l < c->count[k]; l++) {
    const clausen_irrep *a = &c->irrep[k][l];
    int64_t d = a->d;
    double *sum = F + a->at;
    memset(sum, 0, (size_t)(d * d) * sizeof *sum);
    for (int b = 0; b < k; b++) { /* block b is the coset of s_(k-b) .. s_(k-1) */
      int64_t corner = 0;
      memset(c->work, 0, (size_t)(d * d) * sizeof *sum);
      for (int q = 0; q < a->nsub; q++) {
        const clausen_irrep *mu = &c->irrep[k - 1][a->sub[q]];
        for (int64_t t = 0; t < mu->d; t++)
          memcpy(c->work + (corner + t) * d + corner, c->blocks[k] + b * order + mu->at + t * mu->d,
                 (size_t)mu->d * sizeof *sum);
        corner += mu->d;
      }
      for (int i = k - 1; i >= k - b; i--) clausen_sweep(a, i - 1, c->work);
#pragma omp simd
      for (int64_t j = 0; j < d * d; j++) sum[j] += c->work[j];
    }
  }
}

static inline void clausen_forward(clausen *c, const double *f, double *F) {
  clausen_level(c, c->n, f, F);
}

#endif
