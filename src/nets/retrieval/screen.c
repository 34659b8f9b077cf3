#include "screen.h"

#include "base/blas.h"
#include "base/mem.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Powers of two between which products neither overflow nor are too small, in double precision. */
enum { REACH = 800 };
/* A first look must leave at least so many documents for each of the candidates to be expected. */
enum { WORTH = 8 };
/* Queries that it is worth while for, where room is made. */
enum { USUAL = 32 };

typedef struct candidate {
  int32_t place, query; /* place among this rank's documents */
  float score;
} candidate;

struct screen {
  int64_t first, count, width;
  const double *rows;
  bool stale, able;
  int exponent;  /* entries of rows, times 2^-exponent, are below 1 */
  float *e;      /* [blocks][width][PL_INDEX_BLOCK] of them */
  double *norm;  /* the largest of each block's rows */
  float *q;      /* [PL_INDEX_QUERIES][width], scaled likewise, each on its own */
  double *slack; /* of each query: |s~ - s| <= slack norm + least, all scaled */
  double *least;
  float *score;                   /* [PL_INDEX_QUERIES][PL_INDEX_BLOCK] */
  pl_hit *low;                    /* the k best by lower bounds of their scores, heaps .. */
  int64_t have[PL_INDEX_QUERIES]; /* .. of so many */
  candidate *candidate;
  int64_t num;
  int32_t *order;      /* [ROOM]: candidates by the product that scores them, .. */
  int32_t *start;      /* .. in which each one's begin, [blocks + 1] */
  int32_t *product;    /* of each document that is a candidate; -1 */
  double *among, *all; /* rows of a product, and its scores */
};

static const int64_t BLOCK = PL_INDEX_BLOCK;
/* A block of all queries fits in a quarter. */
enum { ROOM = 4 * PL_INDEX_QUERIES * PL_INDEX_BLOCK };

static inline int64_t least_of(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t blocks_of_index(int64_t count) {
  return (count + BLOCK - 1) / BLOCK;
}

double screen_bytes(double documents, double width, double top) {
  return USUAL * top * WORTH <= documents ? 4 * documents * (width + 1) : 0;
}

bool screen_pays(int64_t queries, int64_t count, int64_t k) {
  return queries * k * WORTH <= count;
}

/* ---- life ---- */

screen *screen_new(int64_t first, int64_t count, int64_t width, const double *e, int64_t top) {
  if (!screen_pays(USUAL, count, top)) return NULL;
  screen *s = pl_zalloc(1, sizeof *s, "a first look");
  size_t blocks = (size_t)blocks_of_index(count), w = (size_t)width, q = PL_INDEX_QUERIES;
  s->first = first;
  s->count = count;
  s->width = width;
  s->rows = e;
  s->stale = true;
  s->e = pl_alloc(blocks * PL_INDEX_BLOCK, w * sizeof *s->e, "embeddings in single precision");
  s->norm = pl_alloc(blocks, sizeof *s->norm, "norms");
  s->q = pl_alloc(q, w * sizeof *s->q, "queries");
  s->slack = pl_alloc(q, sizeof *s->slack, "bounds");
  s->least = pl_alloc(q, sizeof *s->least, "bounds");
  s->score = pl_alloc(q, PL_INDEX_BLOCK * sizeof *s->score, "scores");
  s->low = pl_alloc(q, (size_t)top * sizeof *s->low, "lists");
  s->candidate = pl_alloc(ROOM, sizeof *s->candidate, "candidates");
  s->order = pl_alloc(ROOM, sizeof *s->order, "candidates");
  s->start = pl_alloc(blocks + 1, sizeof *s->start, "candidates");
  s->product = pl_alloc((size_t)count, sizeof *s->product, "candidates");
  s->among = pl_zalloc(PL_INDEX_BLOCK, w * sizeof *s->among, "embeddings");
  s->all = pl_alloc(q, PL_INDEX_BLOCK * sizeof *s->all, "scores");
  for (int64_t d = 0; d < count; d++) s->product[d] = -1;
  return s;
}

void screen_free(screen *s) {
  if (!s) return;
  pl_free(s->e);
  pl_free(s->norm);
  pl_free(s->q);
  pl_free(s->slack);
  pl_free(s->least);
  pl_free(s->score);
  pl_free(s->low);
  pl_free(s->candidate);
  pl_free(s->order);
  pl_free(s->start);
  pl_free(s->product);
  pl_free(s->among);
  pl_free(s->all);
  pl_free(s);
}

void screen_stale(screen *s) {
  if (s) s->stale = true;
}

/* ---- rows in single precision ---- */

/* The power of two above all |x|; INT_MAX: there is none within reach. */
static int exponent_of(int64_t n, const double *x) {
  double most = 0;
  bool finite = true;
  int exponent;
  for (int64_t i = 0; i < n; i++) {
    double a = fabs(x[i]);
    finite &= a <= DBL_MAX;
    most = a > most ? a : most;
  }
  frexp(most, &exponent);
  return finite && exponent >= -REACH && exponent <= REACH ? exponent : INT_MAX;
}

static double norm_of(int64_t n, const double *x, double scale) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (x[i] * scale) * (x[i] * scale);
  return sqrt(sum);
}

/* A block by columns, in which products read it in the order of memory. */
static void copy_block(const screen *s, int64_t b, double scale) {
  enum { ROWS = 16 };
  const double *from = s->rows + b * BLOCK * s->width;
  float *to = s->e + b * BLOCK * s->width;
  s->norm[b] = 0;
  for (int64_t r = 0; r < BLOCK; r++)
    s->norm[b] = fmax(s->norm[b], norm_of(s->width, from + r * s->width, scale));
  for (int64_t r = 0; r < BLOCK; r += ROWS)
    for (int64_t c = 0; c < s->width; c++)
      for (int64_t k = 0; k < ROWS; k++)
        to[c * BLOCK + r + k] = (float)(from[(r + k) * s->width + c] * scale);
}

static void copy_rows(screen *s) {
  int64_t blocks = blocks_of_index(s->count);
  s->stale = false;
  s->exponent = exponent_of(s->count * s->width, s->rows);
  s->able = s->exponent != INT_MAX;
  for (int64_t b = 0; s->able && b < blocks; b++) copy_block(s, b, ldexp(1, -s->exponent));
}

/* false: one of them is out of reach. */
static bool copy_queries(screen *s, int64_t queries, const double *q) {
  double n = (double)s->width, u = 0.5 * FLT_EPSILON, v = 0.5 * DBL_EPSILON;
  double bound = (1 + n * u / (1 - n * u)) * (1 + u) * (1 + u) - 1 + n * v / (1 - n * v);
  /* Norms, and sums with the bound, are rounded themselves. */
  bound *= 1 + 0x1p-10;
  for (int64_t i = 0; i < queries; i++) {
    const double *x = q + i * s->width;
    int exponent = exponent_of(s->width, x);
    if (exponent == INT_MAX || abs(exponent + s->exponent) > REACH) return false;
    double scale = ldexp(1, -exponent), norm = norm_of(s->width, x, scale);
    for (int64_t c = 0; c < s->width; c++) s->q[i * s->width + c] = (float)(x[c] * scale);
    s->slack[i] = bound * norm;
    /* Rounding to less than FLT_MIN, even if to zero: of entries, products, sums. */
    s->least[i] = norm > 0 ? 4 * n * FLT_MIN : 0;
  }
  return true;
}

/* ---- candidates ---- */

static inline double error_of(const screen *s, int64_t i, int64_t block) {
  return s->slack[i] * s->norm[block] + s->least[i];
}

/* A score in single precision that is no larger than this, of a document behind those in the heap,
 * cannot be among the k best. */
static float bar_of(const screen *s, int64_t i, int64_t k, double error) {
  if (s->have[i] < k) return -INFINITY;
  double bar = s->low[i * k].score - error;
  float f = (float)bar;
  return (double)f > bar ? nextafterf(f, -INFINITY) : f;
}

/* Query i's candidates in a block. */
static void look(screen *s, int64_t i, int64_t k, int64_t block) {
  enum { STRIDE = 32 };
  const float *x = s->score + i * BLOCK;
  int64_t from = block * BLOCK, n = least_of(BLOCK, s->count - from);
  double error = error_of(s, i, block);
  float bar = bar_of(s, i, k, error);
  for (int64_t c = 0; c < n; c += STRIDE) {
    int above = 0;
    for (int64_t j = c; j < c + STRIDE; j++) above |= x[j] > bar;
    for (int64_t j = c; above && j < least_of(c + STRIDE, n); j++) {
      if (!(x[j] > bar)) continue;
      s->candidate[s->num++] = (candidate){(int32_t)(from + j), (int32_t)i, x[j]};
      pl_hits_put(s->low + i * k, &s->have[i], k, (pl_hit){(double)x[j] - error, from + j});
      bar = bar_of(s, i, k, error);
    }
  }
}

/* Those that the present bounds leave. */
static void thin(screen *s, int64_t k) {
  int64_t n = 0;
  for (int64_t m = 0; m < s->num; m++) {
    candidate c = s->candidate[m];
    if (c.score >= bar_of(s, c.query, k, error_of(s, c.query, c.place / BLOCK)))
      s->candidate[n++] = c;
  }
  s->num = n;
}

/* ---- scores in double precision ---- */

/* Each document that is a candidate gets a product in which its place is free; order and start: the
 * candidates by product.  Returns the number of products. */
static int32_t share_out(screen *s) {
  int32_t taken[PL_INDEX_BLOCK] = {0}, products = 0;
  for (int64_t m = 0; m < s->num; m++) {
    int32_t place = s->candidate[m].place, *p = &s->product[place];
    if (*p < 0) *p = taken[place % BLOCK]++;
    if (*p == products) s->start[products++] = 0;
    s->start[*p]++;
  }
  for (int32_t p = 1; p < products; p++) s->start[p] += s->start[p - 1];
  for (int64_t m = s->num - 1; m >= 0; m--)
    s->order[--s->start[s->product[s->candidate[m].place]]] = (int32_t)m;
  s->start[products] = (int32_t)s->num;
  return products;
}

static void gather(screen *s, int32_t p) {
  for (int32_t o = s->start[p]; o < s->start[p + 1]; o++) {
    int64_t place = s->candidate[s->order[o]].place;
    if (s->product[place] < 0) continue;
    s->product[place] = -1;
    memcpy(s->among + place % BLOCK * s->width, s->rows + place * s->width,
           (size_t)s->width * sizeof *s->among);
  }
}

/* All candidates into the lists. */
static void settle(screen *s, int64_t queries, const double *q, int64_t k, pl_hit *hits,
                   int64_t *have) {
  int32_t products = share_out(s);
  for (int32_t p = 0; p < products; p++) {
    gather(s, p);
    index_score(queries, s->width, q, s->among, s->all);
    for (int32_t o = s->start[p]; o < s->start[p + 1]; o++) {
      const candidate *c = &s->candidate[s->order[o]];
      pl_hits_put(hits + c->query * k, &have[c->query], k,
                  (pl_hit){s->all[c->query * BLOCK + c->place % BLOCK], s->first + c->place});
    }
  }
  s->num = 0;
}

bool screen_top(screen *s, int64_t queries, const double *q, int64_t k, pl_hit *hits,
                int64_t *have) {
  int w = pl_int(s->width);
  if (s->stale) copy_rows(s);
  if (!s->able || !copy_queries(s, queries, q)) return false;
  memset(s->have, 0, sizeof s->have);
  for (int64_t b = 0; b * BLOCK < s->count; b++) {
    if (s->num + queries * BLOCK > ROOM) {
      thin(s, k);
      if (s->num > ROOM / 2) settle(s, queries, q, k, hits, have);
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)queries, PL_INDEX_BLOCK, w, 1, s->q,
                w, s->e + b * BLOCK * s->width, PL_INDEX_BLOCK, 0, s->score, PL_INDEX_BLOCK);
    for (int64_t i = 0; i < queries; i++) look(s, i, k, b);
  }
  thin(s, k);
  settle(s, queries, q, k, hits, have);
  return true;
}
