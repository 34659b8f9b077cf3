#include "group/tensor.h"

pl_irrep pl_tensor_irrep(pl_irrep rho, pl_irrep sigma, int *count) {
  pl_irrep r = {.dim = rho.dim * sigma.dim, .mult = 1};
  *count = rho.type == PL_COMPLEX && sigma.type == PL_COMPLEX ? 2 : 1;
  if (rho.type == PL_COMPLEX || sigma.type == PL_COMPLEX) {
    r.type = PL_COMPLEX;
    r.mult = 2;
  } else {
    r.type = rho.type == sigma.type ? PL_REAL : PL_QUATERNIONIC;
  }
  return r;
}

enum { MAX_T = 16 };

/* Between the components t[s][r] of one pair of blocks and the entries y[irrep][row][column][part]
 * of the block of the product. */
typedef void mix_fn(const double *restrict from, double *restrict to);

static void complex_complex(const double *restrict t, double *restrict y) {
  y[0] = t[0] - t[3], y[1] = t[1] + t[2];
  y[2] = t[0] + t[3], y[3] = t[1] - t[2];
}
static void complex_complex_inverse(const double *restrict y, double *restrict t) {
  t[0] = (y[0] + y[2]) / 2, t[1] = (y[1] + y[3]) / 2;
  t[2] = (y[1] - y[3]) / 2, t[3] = (y[2] - y[0]) / 2;
}

/* t: the quaternion's part for the real component, then for the imaginary one. */
static void complex_quaternion(const double *restrict t, double *restrict y) {
  const double *u = t, *v = t + 4;
  y[0] = u[0] - v[1], y[1] = u[1] + v[0];
  y[2] = v[3] - u[2], y[3] = -u[3] - v[2];
  y[4] = u[2] + v[3], y[5] = v[2] - u[3];
  y[6] = u[0] + v[1], y[7] = v[0] - u[1];
}
static void complex_quaternion_inverse(const double *restrict y, double *restrict t) {
  double *u = t, *v = t + 4;
  u[0] = (y[0] + y[6]) / 2, u[1] = (y[1] - y[7]) / 2;
  u[2] = (y[4] - y[2]) / 2, u[3] = -(y[3] + y[5]) / 2;
  v[0] = (y[1] + y[7]) / 2, v[1] = (y[6] - y[0]) / 2;
  v[2] = (y[5] - y[3]) / 2, v[3] = (y[2] + y[4]) / 2;
}

/* Unit quaternions 1, i, j, k: e_a e_b = unit_sign(a, b) e_(a xor b). */
static int unit_sign(int a, int b) {
  static const signed char sign[4][4] = {
      {1, 1, 1, 1}, {1, -1, 1, -1}, {1, -1, -1, 1}, {1, 1, -1, -1}};
  return sign[a][b];
}
/* e_p e_x conj(e_q) = +-e_(p xor x xor q). */
static int sandwich_sign(int p, int x, int q) {
  return unit_sign(p, x) * unit_sign(p ^ x, q) * (q ? -1 : 1);
}
static void quaternion_quaternion(const double *restrict t, double *restrict y) {
  for (int x = 0; x < 4; x++)
    for (int row = 0; row < 4; row++) {
      double sum = 0;
      for (int q = 0; q < 4; q++) {
        int p = row ^ x ^ q;
        sum += sandwich_sign(p, x, q) * t[q * 4 + p];
      }
      y[row * 4 + x] = sum;
    }
}
static void quaternion_quaternion_inverse(const double *restrict y, double *restrict t) {
  for (int q = 0; q < 4; q++)
    for (int p = 0; p < 4; p++) {
      double sum = 0;
      for (int x = 0; x < 4; x++) sum += sandwich_sign(p, x, q) * y[(p ^ x ^ q) * 4 + x];
      t[q * 4 + p] = sum / 4;
    }
}

/* Geometry of a pair of irreps. */
typedef struct pair {
  int bl, br;          /* blocks along a side of rho, of sigma */
  int wl, wr;          /* components of a block */
  int by_sigma;        /* t[r][s] instead of t[s][r] */
  int count, side;     /* irreps; rows of a block of the product */
  int part;            /* doubles of an entry of the product's compact form */
  int64_t row, size;   /* doubles of a row and of a matrix of the product */
  mix_fn *mix, *unmix; /* NULL: t and y are the same */
} pair;

static int components(pl_irrep_type type) {
  return type == PL_REAL ? 1 : type == PL_COMPLEX ? 2 : 4;
}

static pair pair_of(pl_irrep rho, pl_irrep sigma) {
  pair p = {.side = 1};
  pl_irrep r = pl_tensor_irrep(rho, sigma, &p.count);
  p.wl = components(rho.type), p.wr = components(sigma.type);
  p.bl = rho.type == PL_QUATERNIONIC ? rho.dim / 2 : rho.dim;
  p.br = sigma.type == PL_QUATERNIONIC ? sigma.dim / 2 : sigma.dim;
  if (p.count == 2) {
    p.mix = complex_complex, p.unmix = complex_complex_inverse;
  } else if (p.wl * p.wr == 8) {
    p.side = 2;
    p.by_sigma = sigma.type == PL_QUATERNIONIC;
    p.mix = complex_quaternion, p.unmix = complex_quaternion_inverse;
  } else if (p.wl * p.wr == 16) {
    p.side = 4;
    p.mix = quaternion_quaternion, p.unmix = quaternion_quaternion_inverse;
  }
  p.part = components(r.type);
  p.row = (int64_t)p.bl * p.br * p.side * p.part;
  p.size = p.row * p.bl * p.br * p.side;
  return p;
}

/* Copy the components of one pair of blocks out of T, or back into it. */
static inline void gather_t(const pair *p, const double *T, int64_t ld, double *t) {
  for (int s = 0; s < p->wr; s++)
    for (int r = 0; r < p->wl; r++) t[p->by_sigma ? r * p->wr + s : s * p->wl + r] = T[s * ld + r];
}
static inline void scatter_t(const pair *p, const double *t, double *T, int64_t ld) {
  for (int s = 0; s < p->wr; s++)
    for (int r = 0; r < p->wl; r++) T[s * ld + r] = t[p->by_sigma ? r * p->wr + s : s * p->wl + r];
}

/* The same for the entries of the product. */
static inline void scatter_y(const pair *p, const double *y, double *out) {
  int n = p->side * p->part;
  for (int v = 0; v < p->count; v++)
    for (int i = 0; i < p->side; i++)
      for (int k = 0; k < n; k++) out[v * p->size + i * p->row + k] = *y++;
}
static inline void gather_y(const pair *p, const double *in, double *y) {
  int n = p->side * p->part;
  for (int v = 0; v < p->count; v++)
    for (int i = 0; i < p->side; i++)
      for (int k = 0; k < n; k++) *y++ = in[v * p->size + i * p->row + k];
}

static inline int64_t place(const pair *p, int a, int b, int c, int d) {
  return ((int64_t)a * p->br + c) * p->side * p->row + ((int64_t)b * p->br + d) * p->side * p->part;
}

void pl_tensor_combine(pl_irrep rho, pl_irrep sigma, const double *T, int64_t ld, double *out) {
  const pair p = pair_of(rho, sigma);
  double t[MAX_T], y[MAX_T];
  for (int c = 0; c < p.br; c++)
    for (int d = 0; d < p.br; d++) {
      const double *from = T + (int64_t)(c * p.br + d) * p.wr * ld;
      for (int a = 0; a < p.bl; a++)
        for (int b = 0; b < p.bl; b++, from += p.wl) {
          gather_t(&p, from, ld, t);
          if (p.mix) p.mix(t, y);
          scatter_y(&p, p.mix ? y : t, out + place(&p, a, b, c, d));
        }
    }
}

void pl_tensor_split(pl_irrep rho, pl_irrep sigma, const double *in, double *T, int64_t ld) {
  const pair p = pair_of(rho, sigma);
  double t[MAX_T], y[MAX_T];
  for (int c = 0; c < p.br; c++)
    for (int d = 0; d < p.br; d++) {
      double *to = T + (int64_t)(c * p.br + d) * p.wr * ld;
      for (int a = 0; a < p.bl; a++)
        for (int b = 0; b < p.bl; b++, to += p.wl) {
          gather_y(&p, in + place(&p, a, b, c, d), y);
          if (p.unmix) p.unmix(y, t);
          scatter_t(&p, p.unmix ? t : y, to, ld);
        }
    }
}
