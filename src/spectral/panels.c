#include "base/lanes.h"
#include "small.h"

#define ALWAYS static inline __attribute__((always_inline))

/* A tile of the product that stays in registers. */
enum { REGISTERS = 3, WIDTH = REGISTERS * PL_LANES, TALL = 4, SQUARE = 4 };

/* ---- columns of the right factor, rows of WIDTH, zeros beyond the n that there are ---- */

ALWAYS void panel(int d, int n, const double *b, double *to) {
  for (int k = 0; k < d; k++, b += d, to += WIDTH)
    if (n == WIDTH) {
#pragma GCC unroll 3
      for (int u = 0; u < REGISTERS; u++)
        *(pl_lanes *)(to + u * PL_LANES) = *(const pl_lanes *)(b + u * PL_LANES);
    } else {
      for (int j = 0; j < WIDTH; j++) to[j] = j < n ? b[j] : 0;
    }
}

#if defined(__AVX__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLES
#endif
#endif

/* A square of four rows of b, turned. */
#ifdef SHUFFLES
typedef double four __attribute__((vector_size(SQUARE * sizeof(double)), aligned(8), may_alias));
#define PICK(x, y, a, b, c, e) __builtin_shufflevector(x, y, a, b, c, e)
ALWAYS void turn(int d, const double *b, double *to) {
  four r0 = *(const four *)b, r1 = *(const four *)(b + d);
  four r2 = *(const four *)(b + 2 * d), r3 = *(const four *)(b + 3 * d);
  four even = PICK(r0, r1, 0, 4, 2, 6), odd = PICK(r0, r1, 1, 5, 3, 7);
  four even2 = PICK(r2, r3, 0, 4, 2, 6), odd2 = PICK(r2, r3, 1, 5, 3, 7);
  *(four *)to = PICK(even, even2, 0, 1, 4, 5);
  *(four *)(to + WIDTH) = PICK(odd, odd2, 0, 1, 4, 5);
  *(four *)(to + 2 * WIDTH) = PICK(even, even2, 2, 3, 6, 7);
  *(four *)(to + 3 * WIDTH) = PICK(odd, odd2, 2, 3, 6, 7);
}
#else
ALWAYS void turn(int d, const double *b, double *to) {
  for (int k = 0; k < SQUARE; k++)
    for (int j = 0; j < SQUARE; j++) to[k * WIDTH + j] = b[j * d + k];
}
#endif

/* The same of the transpose: column j is row j of b. */
ALWAYS void panel_turned(int d, int n, const double *b, double *to) {
  int j = 0;
  for (; j + SQUARE <= n; j += SQUARE) {
    int k = 0;
    for (; k + SQUARE <= d; k += SQUARE) turn(d, b + j * d + k, to + k * WIDTH + j);
    for (; k < d; k++)
      for (int q = j; q < j + SQUARE; q++) to[k * WIDTH + q] = b[q * d + k];
  }
  for (; j < WIDTH; j++)
    for (int k = 0; k < d; k++) to[k * WIDTH + j] = j < n ? b[j * d + k] : 0;
}

/* ---- the product ---- */

typedef struct product {
  int d, n;
  double alpha, beta;
  const double *right;
  int64_t row, next; /* steps in the left factor to the next row, and along it */
} product;

ALWAYS pl_lanes put(const product *p, pl_lanes sum, const pl_lanes *old) {
  pl_lanes x = p->alpha * sum;
  if (p->beta != 0) x += p->beta * *old;
  return x;
}

/* The first n of a register. */
ALWAYS void put_some(const product *p, int n, pl_lanes sum, double *to) {
  for (int k = 0; k < PL_LANES - 1; k++)
    if (k < n) to[k] = p->alpha * sum[k] + (p->beta == 0 ? 0 : p->beta * to[k]);
}

/* rows x (width registers) of c: both constant wherever this is inlined. */
ALWAYS void tile(const int rows, const int width, const product *p, const double *a, double *c) {
  pl_lanes sum[TALL][REGISTERS];
#pragma GCC unroll 4
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 3
    for (int u = 0; u < width; u++) sum[i][u] = (pl_lanes){0};
  for (int k = 0; k < p->d; k++, a += p->next) {
    pl_lanes right[REGISTERS];
#pragma GCC unroll 3
    for (int u = 0; u < width; u++)
      right[u] = *(const pl_lanes *)(p->right + k * WIDTH + u * PL_LANES);
#pragma GCC unroll 4
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 3
      for (int u = 0; u < width; u++) sum[i][u] += a[i * p->row] * right[u];
  }
  const int whole = p->n / PL_LANES;
#pragma GCC unroll 4
  for (int i = 0; i < rows; i++)
#pragma GCC unroll 3
    for (int u = 0; u < width; u++) {
      double *to = c + i * p->d + u * PL_LANES;
      if (u < whole)
        *(pl_lanes *)to = put(p, sum[i][u], (const pl_lanes *)to);
      else
        put_some(p, p->n - u * PL_LANES, sum[i][u], to);
    }
}

ALWAYS void column_of_tiles(const int width, const product *p, const double *a, double *c) {
  int i = 0;
  for (; i + TALL <= p->d; i += TALL) tile(TALL, width, p, a + i * p->row, c + i * p->d);
  a += i * p->row, c += i * p->d;
  switch (p->d - i) {
  case 3:
    tile(3, width, p, a, c);
    break;
  case 2:
    tile(2, width, p, a, c);
    break;
  case 1:
    tile(1, width, p, a, c);
    break;
  }
}

static void one(int d, pl_product op, double alpha, const double *a, const double *b, double beta,
                double *c) {
  double right[PL_PANEL_REAL * WIDTH];
  product p = {d, 0, alpha, beta, right, op == PL_CN ? 1 : d, op == PL_CN ? d : 1};
  for (int j = 0; j < d; j += WIDTH) {
    p.n = d - j < WIDTH ? d - j : WIDTH;
    if (op == PL_NC)
      panel_turned(d, p.n, b + j * d, right);
    else
      panel(d, p.n, b + j, right);
    if (p.n > 2 * PL_LANES)
      column_of_tiles(3, &p, a, c + j);
    else if (p.n > PL_LANES)
      column_of_tiles(2, &p, a, c + j);
    else
      column_of_tiles(1, &p, a, c + j);
  }
}

void pl_panel_mul(int d, int64_t count, pl_product op, double alpha, const double *a,
                  const double *b, double beta, double *c) {
  int64_t size = (int64_t)d * d;
  for (int64_t k = 0; k < count; k++)
    one(d, op, alpha, a + k * size, b + k * size, beta, c + k * size);
}
