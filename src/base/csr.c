#include "base/csr.h"

#include "base/lanes.h"
#include "base/mem.h"

#ifdef __AVX__
#include <immintrin.h>
#endif
#include <stdbool.h>
#include <string.h>

pl_csr *pl_csr_new(int64_t rows, int64_t cols, int64_t entries) {
  static const char what[] = "a sparse matrix";
  pl_require(rows >= 0 && rows <= INT32_MAX && cols >= 0 && cols <= INT32_MAX);
  pl_csr *s = pl_zalloc(1, sizeof *s, what);
  s->rows = rows;
  s->cols = cols;
  s->start = pl_zalloc((size_t)rows + 1, sizeof *s->start, what);
  s->index = pl_alloc((size_t)entries, sizeof *s->index, what);
  s->value = pl_alloc((size_t)entries, sizeof *s->value, what);
  return s;
}

void pl_csr_free(pl_csr *s) {
  if (!s) return;
  pl_free(s->start);
  pl_free(s->index);
  pl_free(s->value);
  pl_free(s);
}

pl_csr *pl_csr_transpose(const pl_csr *s) {
  int64_t n = pl_csr_entries(s);
  pl_csr *t = pl_csr_new(s->cols, s->rows, n);
  for (int64_t k = 0; k < n; k++) t->start[s->index[k] + 1]++;
  for (int64_t j = 0; j < t->rows; j++) t->start[j + 1] += t->start[j];
  int64_t *next = pl_alloc((size_t)t->rows, sizeof *next, "places in a sparse matrix");
  memcpy(next, t->start, (size_t)t->rows * sizeof *next);
  for (int64_t i = 0; i < s->rows; i++)
    for (int64_t k = s->start[i]; k < s->start[i + 1]; k++) {
      int64_t at = next[s->index[k]]++;
      t->index[at] = (int32_t)i;
      t->value[at] = s->value[k];
    }
  pl_free(next);
  return t;
}

void pl_csr_dense(const pl_csr *s, double *out) {
  memset(out, 0, (size_t)(s->rows * s->cols) * sizeof *out);
  for (int64_t i = 0; i < s->rows; i++)
    for (int64_t k = s->start[i]; k < s->start[i + 1]; k++)
      out[i * s->cols + s->index[k]] += s->value[k];
}

/* ---- products ---- */

void pl_csr_times_plain(const pl_csr *s, int64_t cols, double alpha, const double *x, int64_t ldx,
                        double beta, const double *z, int64_t ldz, double *y, int64_t ldy) {
  for (int64_t i = 0; i < s->rows; i++)
    for (int64_t c = 0; c < cols; c++) {
      double sum = 0;
      for (int64_t k = s->start[i]; k < s->start[i + 1]; k++)
        sum += s->value[k] * x[s->index[k] * ldx + c];
      y[i * ldy + c] = z ? alpha * sum + beta * z[i * ldz + c] : alpha * sum;
    }
}

typedef double vec __attribute__((vector_size(PL_LANES * sizeof(double))));

/* a b + c, rounded once wherever the machine can: if the compiler were to choose which products to
 * join to additions, it might choose differently at the edge of a block of columns.  On registers,
 * since loops over the eight lanes of AVX-512 become scalar code (GCC 12). */
static inline vec multiply_add(double a, vec b, vec c) {
#if defined(__AVX512F__)
  return (vec)_mm512_fmadd_pd(_mm512_set1_pd(a), (__m512d)b, (__m512d)c);
#elif defined(__FMA__) && defined(__AVX__)
  return (vec)_mm256_fmadd_pd(_mm256_set1_pd(a), (__m256d)b, (__m256d)c);
#elif defined(__FP_FAST_FMA) || defined(__ARM_FEATURE_FMA)
  vec r;
  for (int l = 0; l < PL_LANES; l++) r[l] = __builtin_fma(a, b[l], c[l]);
  return r;
#else
  return a * b + c;
#endif
}

/* Past the caches: what is written there is not read before it is written. */
static inline void stream(double *to, vec v) {
#if defined(__AVX512F__)
  _mm512_stream_pd(to, (__m512d)v);
#elif defined(__AVX__)
  _mm256_stream_pd(to, (__m256d)v);
#else
  *(pl_lanes *)to = v;
#endif
}

typedef struct {
  const pl_csr_view *s;
  int64_t entries;
  double alpha, beta;
  const double *x, *z;
  double *y;
  int64_t ldx, ldz, ldy;
  int64_t far;  /* entries ahead whose rows of X are fetched; 0: none, X is in cache */
  int64_t near; /* rows of X on either side of row i that are in cache when row i is taken */
} product;

/* w registers of row i from column c on: w is a constant wherever this is inlined, so that the sums
 * stay in registers, and so is past, whether Y passes the caches. */
static inline __attribute__((always_inline)) void row_part(const product p, int64_t i, int64_t c,
                                                           int w, bool past) {
  const int32_t *index = p.s->index;
  const double *value = p.s->value;
  vec sum[8] = {{0}};
  if (p.z) {
    const pl_lanes *z = (const pl_lanes *)(p.z + i * p.ldz + c);
#pragma GCC unroll 8
    for (int u = 0; u < w; u++) sum[u] = p.beta * z[u];
  }
  for (int64_t k = p.s->start[i], end = p.s->start[i + 1]; k < end; k++) {
    const pl_lanes *x = (const pl_lanes *)(p.x + index[k] * p.ldx + c);
    double v = value ? p.alpha * value[k] : p.alpha;
#pragma GCC unroll 8
    for (int u = 0; u < w; u++) sum[u] = multiply_add(v, x[u], sum[u]);
  }
  double *y = p.y + i * p.ldy + c;
#pragma GCC unroll 8
  for (int u = 0; u < w; u++)
    if (past)
      stream(y + u * PL_LANES, sum[u]);
    else
      *(pl_lanes *)(y + u * PL_LANES) = sum[u];
}

/* Fewer columns than a register has: as lanes that are filled up with zeros, so that an entry goes
 * through the same arithmetic wherever it stands. */
static void row_rest(const product p, int64_t i, int64_t c, int64_t n) {
  vec sum = {0}, x = {0};
  size_t bytes = (size_t)n * sizeof(double);
  if (p.z) {
    memcpy(&x, p.z + i * p.ldz + c, bytes);
    sum = p.beta * x;
  }
  for (int64_t k = p.s->start[i], end = p.s->start[i + 1]; k < end; k++) {
    memcpy(&x, p.x + p.s->index[k] * p.ldx + c, bytes);
    double v = p.s->value ? p.alpha * p.s->value[k] : p.alpha;
    sum = multiply_add(v, x, sum);
  }
  memcpy(p.y + i * p.ldy + c, &sum, bytes);
}

static inline __attribute__((always_inline)) void fetch_row(const double *x, int64_t n) {
  for (int64_t u = 0; u < n; u += 8) __builtin_prefetch(x + u);
}

/* Most entries of graphs that come in clusters are near the diagonal: such rows of X are fetched
 * once, in order, and of the entries ahead only the others ask for theirs. */
static inline __attribute__((always_inline)) void fetch(const product p, int64_t i, int64_t c,
                                                        int64_t n) {
  int64_t from = p.s->start[i] + p.far, end = p.s->start[i + 1] + p.far;
  if (p.near && i + p.near < p.s->cols) fetch_row(p.x + (i + p.near) * p.ldx + c, n);
  if (end > p.entries) end = p.entries;
  for (int64_t k = from; k < end; k++) {
    int64_t j = p.s->index[k];
    if (j - i > p.near || i - j > p.near) fetch_row(p.x + j * p.ldx + c, n);
  }
}

/* Columns c .. c + n - 1, n <= PL_CSR_BLOCK. */
static inline __attribute__((always_inline)) void block(const product p, int64_t c, int64_t n,
                                                        bool past) {
  for (int64_t i = 0; i < p.s->rows; i++) {
    int64_t u = 0;
    if (p.far) fetch(p, i, c, n);
    for (; n - u >= 8 * PL_LANES; u += 8 * PL_LANES) row_part(p, i, c + u, 8, past);
    if (n - u >= 4 * PL_LANES) row_part(p, i, c + u, 4, past), u += 4 * PL_LANES;
    if (n - u >= 2 * PL_LANES) row_part(p, i, c + u, 2, past), u += 2 * PL_LANES;
    if (n - u >= PL_LANES) row_part(p, i, c + u, 1, past), u += PL_LANES;
    if (n > u) row_rest(p, i, c + u, n - u);
  }
}

/* Whether Y is longer than any cache, so that nothing of it would stay there, and its rows begin
 * where registers do. */
static bool goes_past(const product *p, int64_t cols) {
  enum { LARGEST = 32 << 20, STEP = PL_LANES * sizeof(double) };
  int64_t bytes = p->s->rows * cols * (int64_t)sizeof *p->y;
  return bytes > LARGEST && (uintptr_t)p->y % STEP == 0 && p->ldy % PL_LANES == 0;
}

void pl_csr_view_times(const pl_csr_view *s, int64_t cols, double alpha, const double *x,
                       int64_t ldx, double beta, const double *z, int64_t ldz, double *y,
                       int64_t ldy) {
  enum { CACHE = 4 << 20 };        /* bytes */
  enum { AHEAD = 16, NEAR = 256 }; /* measured: 8 to 32 and 128 to 512 do alike */
  product p = {s, s->start[s->rows], alpha, beta, x, z, y, ldx, ldz, ldy, 0, 0};
  int64_t width = cols < PL_CSR_BLOCK ? cols : PL_CSR_BLOCK;
  if (s->cols * width * (int64_t)sizeof *x > CACHE)
    p.far = AHEAD, p.near = s->rows == s->cols ? NEAR : 0;
  bool past = goes_past(&p, cols);
  for (int64_t c = 0; c < cols; c += PL_CSR_BLOCK) {
    int64_t n = cols - c < PL_CSR_BLOCK ? cols - c : PL_CSR_BLOCK;
    if (past)
      block(p, c, n, true);
    else
      block(p, c, n, false);
  }
#ifdef __AVX__
  if (past) _mm_sfence(); /* before another processor is told of Y */
#endif
}

void pl_csr_times(const pl_csr *s, int64_t cols, double alpha, const double *x, int64_t ldx,
                  double beta, const double *z, int64_t ldz, double *y, int64_t ldy) {
  pl_csr_view view = pl_csr_as_view(s);
  pl_csr_view_times(&view, cols, alpha, x, ldx, beta, z, ldz, y, ldy);
}
