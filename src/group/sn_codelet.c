#include "group/sn_codelet.h"

#include <math.h>
#include <stddef.h>

/* Everything below is inlined into the four entry points with constant arguments: local arrays
 * become registers, coefficients constants, and `back` chooses the direction.  Backward, functions
 * read what they write forward and steps come in the opposite order. */
#define INLINE static inline __attribute__((always_inline))

/* O_nu[lambda, .] at level k: the coefficient of F_k, and that of X^kappa with
 * gap = c(lambda/nu) - c(nu/kappa). */
INLINE double first(int k, int nu, int lambda) {
  return sqrt((double)lambda / (k * nu));
}
INLINE double other(int k, int nu, int lambda, int kappa, int gap) {
  return first(k, nu, lambda) * sqrt((double)((k - 1) * kappa) / nu) / gap;
}

/* Nodes with one shape below: a rectangle nu.  (y0, y1) = O (f, x); a0, a1 = c(lambda/nu) -
 * c(nu/kappa) for the two shapes above. */
INLINE void node2(int back, int k, int nu, int kappa, int l0, int a0, int l1, int a1, pl_vec *f,
                  pl_vec *x, pl_vec *y0, pl_vec *y1) {
  double p0 = first(k, nu, l0), q0 = other(k, nu, l0, kappa, a0);
  double p1 = first(k, nu, l1), q1 = other(k, nu, l1, kappa, a1);
  if (back) {
    pl_vec u = *y0, v = *y1;
    *f = p0 * u + p1 * v;
    *x = q0 * u + q1 * v;
  } else {
    pl_vec u = *f, v = *x;
    *y0 = p0 * u + q0 * v;
    *y1 = p1 * u + q1 * v;
  }
}

/* Nodes with two shapes below; dimensions and contents in order. */
INLINE void node3(int back, int k, int nu, const int *kappa, const int *below, const int *lambda,
                  const int *above, pl_vec *f, pl_vec *x, pl_vec *z, pl_vec *y0, pl_vec *y1,
                  pl_vec *y2) {
  double o[3][3];
  for (int l = 0; l < 3; l++) {
    o[l][0] = first(k, nu, lambda[l]);
    o[l][1] = other(k, nu, lambda[l], kappa[0], above[l] - below[0]);
    o[l][2] = other(k, nu, lambda[l], kappa[1], above[l] - below[1]);
  }
  if (back) {
    pl_vec u = *y0, v = *y1, t = *y2;
    *f = o[0][0] * u + o[1][0] * v + o[2][0] * t;
    *x = o[0][1] * u + o[1][1] * v + o[2][1] * t;
    *z = o[0][2] * u + o[1][2] * v + o[2][2] * t;
  } else {
    pl_vec u = *f, v = *x, t = *z;
    *y0 = o[0][0] * u + o[0][1] * v + o[0][2] * t;
    *y1 = o[1][0] * u + o[1][1] * v + o[1][2] * t;
    *y2 = o[2][0] * u + o[2][1] * v + o[2][2] * t;
  }
}

/* ---- W_k^mu.  f1 .. fk: rows of mu; yABC: rows of the shape (A, B, C) ---- */

INLINE void w2(int back, pl_vec *f1, pl_vec *f2, pl_vec *y2, pl_vec *y11) {
  node2(back, 2, 1, 1, 1, 1, 1, -1, f2, f1, y2, y11);
}

INLINE void w3_2(int back, pl_vec *f1, pl_vec *f2, pl_vec *f3, pl_vec *y3, pl_vec *y21) {
  pl_vec x;
  if (!back) w2(0, f1, f2, &x, y21 + 1);
  node2(back, 3, 1, 1, 1, 1, 2, -2, f3, &x, y3, y21);
  if (back) w2(1, f1, f2, &x, y21 + 1);
}

INLINE void w3_11(int back, pl_vec *f1, pl_vec *f2, pl_vec *f3, pl_vec *y21, pl_vec *y111) {
  pl_vec x;
  if (!back) w2(0, f1, f2, y21, &x);
  node2(back, 3, 1, 1, 2, 2, 1, -1, f3, &x, y21 + 1, y111);
  if (back) w2(1, f1, f2, y21, &x);
}

INLINE void w4_3(int back, pl_vec *f1, pl_vec *f2, pl_vec *f3, pl_vec *f4, pl_vec *y4,
                 pl_vec *y31) {
  pl_vec x;
  if (!back) w3_2(0, f1, f2, f3, &x, y31 + 1);
  node2(back, 4, 1, 1, 1, 1, 3, -3, f4, &x, y4, y31);
  if (back) w3_2(1, f1, f2, f3, &x, y31 + 1);
}

INLINE void w4_21(int back, pl_vec *f1, pl_vec *f2, pl_vec *f3, pl_vec *f4, pl_vec *y31,
                  pl_vec *y22, pl_vec *y211) {
  const int kappa[] = {1, 1}, below[] = {-1, 1}, lambda[] = {3, 2, 3}, above[] = {2, 0, -2};
  pl_vec x[2], z[2];
  if (!back) {
    w3_2(0, f1, f2, f3, y31, x);
    w3_11(0, f1 + 1, f2 + 1, f3 + 1, z, y211 + 2);
  }
  for (int r = 0; r < 2; r++)
    node3(back, 4, 2, kappa, below, lambda, above, f4 + r, x + r, z + r, y31 + 1 + r, y22 + r,
          y211 + r);
  if (back) {
    w3_2(1, f1, f2, f3, y31, x);
    w3_11(1, f1 + 1, f2 + 1, f3 + 1, z, y211 + 2);
  }
}

INLINE void w4_111(int back, pl_vec *f1, pl_vec *f2, pl_vec *f3, pl_vec *f4, pl_vec *y211,
                   pl_vec *y1111) {
  pl_vec x;
  if (!back) w3_11(0, f1, f2, f3, y211, &x);
  node2(back, 4, 1, 1, 3, 3, 1, -1, f4, &x, y211 + 2, y1111);
  if (back) w3_11(1, f1, f2, f3, y211, &x);
}

INLINE void w5_4(int back, pl_vec f[5][3], pl_vec *y5, pl_vec *y41) {
  pl_vec x;
  if (!back) w4_3(0, f[0], f[1], f[2], f[3], &x, y41 + 1);
  node2(back, 5, 1, 1, 1, 1, 4, -4, f[4], &x, y5, y41);
  if (back) w4_3(1, f[0], f[1], f[2], f[3], &x, y41 + 1);
}

INLINE void w5_31(int back, pl_vec f[5][3], pl_vec *y41, pl_vec *y32, pl_vec *y311) {
  const int kappa[] = {1, 2}, below[] = {-1, 2}, lambda[] = {4, 5, 6}, above[] = {3, 0, -2};
  pl_vec x[3], z[3];
  if (!back) {
    w4_3(0, f[0], f[1], f[2], f[3], y41, x);
    w4_21(0, f[0] + 1, f[1] + 1, f[2] + 1, f[3] + 1, z, y32 + 3, y311 + 3);
  }
  for (int r = 0; r < 3; r++)
    node3(back, 5, 3, kappa, below, lambda, above, f[4] + r, x + r, z + r, y41 + 1 + r, y32 + r,
          y311 + r);
  if (back) {
    w4_3(1, f[0], f[1], f[2], f[3], y41, x);
    w4_21(1, f[0] + 1, f[1] + 1, f[2] + 1, f[3] + 1, z, y32 + 3, y311 + 3);
  }
}

INLINE void w5_22(int back, pl_vec f[5][3], pl_vec *y32, pl_vec *y221) {
  pl_vec x[2];
  if (!back) w4_21(0, f[0], f[1], f[2], f[3], y32, x, y221 + 2);
  for (int r = 0; r < 2; r++)
    node2(back, 5, 2, 2, 5, 2, 5, -2, f[4] + r, x + r, y32 + 3 + r, y221 + r);
  if (back) w4_21(1, f[0], f[1], f[2], f[3], y32, x, y221 + 2);
}

INLINE void w5_211(int back, pl_vec f[5][3], pl_vec *y311, pl_vec *y221, pl_vec *y2111) {
  const int kappa[] = {2, 1}, below[] = {-2, 1}, lambda[] = {6, 5, 4}, above[] = {2, 0, -3};
  pl_vec x[3], z[3];
  if (!back) {
    w4_21(0, f[0], f[1], f[2], f[3], y311, y221, x);
    w4_111(0, f[0] + 2, f[1] + 2, f[2] + 2, f[3] + 2, z, y2111 + 3);
  }
  for (int r = 0; r < 3; r++)
    node3(back, 5, 3, kappa, below, lambda, above, f[4] + r, x + r, z + r, y311 + 3 + r,
          y221 + 2 + r, y2111 + r);
  if (back) {
    w4_21(1, f[0], f[1], f[2], f[3], y311, y221, x);
    w4_111(1, f[0] + 2, f[1] + 2, f[2] + 2, f[3] + 2, z, y2111 + 3);
  }
}

INLINE void w5_1111(int back, pl_vec f[5][3], pl_vec *y2111, pl_vec *y11111) {
  pl_vec x;
  if (!back) w4_111(0, f[0], f[1], f[2], f[3], y2111, &x);
  node2(back, 5, 1, 1, 4, 4, 1, -1, f[4], &x, y2111 + 3, y11111);
  if (back) w4_111(1, f[0], f[1], f[2], f[3], y2111, &x);
}

/* ---- entry points ---- */

INLINE void read(int64_t w, int64_t column, int rows, const pl_vec *from, pl_vec *to) {
  for (int r = 0; r < rows; r++) to[r] = from[r * w + column];
}
INLINE void write(int64_t w, int64_t column, int rows, const pl_vec *from, pl_vec *to) {
  for (int r = 0; r < rows; r++) to[r * w + column] = from[r];
}

/* d rows of nu; a, b, c rows of the shapes covering it, p, q, r vectors apart. */
INLINE void five(int back, int nu, int d, int a, int b, int c, int64_t w, pl_vec *const *f,
                 pl_vec *const *y, int64_t p, int64_t q, int64_t r) {
  for (int64_t i = 0; i < w; i++) {
    pl_vec g[5][3], y0[6], y1[6], y2[6];
    if (back) {
      read(p, i, a, y[0], y0), read(q, i, b, y[1], y1);
      if (c) read(r, i, c, y[2], y2);
    } else {
      for (int j = 0; j < 5; j++) read(w, i, d, f[j], g[j]);
    }
    switch (nu) {
    case 0:
      w5_4(back, g, y0, y1);
      break;
    case 1:
      w5_31(back, g, y0, y1, y2);
      break;
    case 2:
      w5_22(back, g, y0, y1);
      break;
    case 3:
      w5_211(back, g, y0, y1, y2);
      break;
    default:
      w5_1111(back, g, y0, y1);
    }
    if (back) {
      for (int j = 0; j < 5; j++) write(w, i, d, g[j], f[j]);
    } else {
      write(p, i, a, y0, y[0]), write(q, i, b, y1, y[1]);
      if (c) write(r, i, c, y2, y[2]);
    }
  }
}

INLINE void any_five(int back, int nu, int64_t w, pl_vec *const *f, pl_vec *const *y, int64_t p,
                     int64_t q, int64_t r) {
  switch (nu) {
  case 0:
    five(back, 0, 1, 1, 4, 0, w, f, y, p, q, r);
    break;
  case 1:
    five(back, 1, 3, 4, 5, 6, w, f, y, p, q, r);
    break;
  case 2:
    five(back, 2, 2, 5, 5, 0, w, f, y, p, q, r);
    break;
  case 3:
    five(back, 3, 3, 6, 5, 4, w, f, y, p, q, r);
    break;
  default:
    five(back, 4, 1, 4, 1, 0, w, f, y, p, q, r);
  }
}

void pl_sn_five_forward(int nu, int64_t w, pl_vec *const *f, pl_vec *const *y) {
  any_five(0, nu, w, f, y, w, w, w);
}
void pl_sn_five_backward(int nu, int64_t w, pl_vec *const *f, pl_vec *const *y) {
  any_five(1, nu, w, f, y, w, w, w);
}

/* Transform on S_3: block b of f is F_(3-b).  Matrices packed: (3), (2,1), (1,1,1). */
INLINE void s3(int back, pl_vec *f, pl_vec *F) {
  pl_vec g[3][2], y[2][2]; /* [block][(2), (1,1)]; [column of (2,1)][row] */
  for (int b = 0; !back && b < 3; b++) w2(0, f + 2 * b + 1, f + 2 * b, &g[b][0], &g[b][1]);
  for (int c = 0; back && c < 2; c++) read(2, c, 2, F + 1, y[c]);
  w3_2(back, &g[2][0], &g[1][0], &g[0][0], F, y[0]);
  w3_11(back, &g[2][1], &g[1][1], &g[0][1], y[1], F + 5);
  for (int c = 0; !back && c < 2; c++) write(2, c, 2, y[c], F + 1);
  for (int b = 0; back && b < 3; b++) w2(1, f + 2 * b + 1, f + 2 * b, &g[b][0], &g[b][1]);
}

/* Transform on S_4 from transforms g[b] on S_3. */
INLINE void level4(int back, pl_vec g[4][6], pl_vec *F) {
  pl_vec *F31 = F + 1, *F22 = F + 10, *F211 = F + 14;
  pl_vec y31[3], y22[2], y211[3], h[4][2];
  if (back) read(3, 0, 3, F31, y31);
  w4_3(back, &g[3][0], &g[2][0], &g[1][0], &g[0][0], F, y31);
  if (!back) write(3, 0, 3, y31, F31);
  for (int c = 0; c < 2; c++) {
    for (int b = 0; !back && b < 4; b++) read(2, c, 2, g[b] + 1, h[b]);
    if (back) read(3, 1 + c, 3, F31, y31), read(2, c, 2, F22, y22), read(3, c, 3, F211, y211);
    w4_21(back, h[3], h[2], h[1], h[0], y31, y22, y211);
    if (!back) write(3, 1 + c, 3, y31, F31), write(2, c, 2, y22, F22), write(3, c, 3, y211, F211);
    for (int b = 0; back && b < 4; b++) write(2, c, 2, h[b], g[b] + 1);
  }
  if (back) read(3, 2, 3, F211, y211);
  w4_111(back, &g[3][5], &g[2][5], &g[1][5], &g[0][5], y211, F + 23);
  if (!back) write(3, 2, 3, y211, F211);
}

INLINE void s4(int back, pl_vec *f, pl_vec *F) {
  pl_vec g[4][6];
  for (int b = 0; !back && b < 4; b++) s3(0, f + 6 * b, g[b]);
  level4(back, g, F);
  for (int b = 0; back && b < 4; b++) s3(1, f + 6 * b, g[b]);
}

static void s4_forward(pl_vec *f, pl_vec *F) {
  s4(0, f, F);
}
static void s4_backward(pl_vec *f, pl_vec *F) {
  s4(1, f, F);
}

/* Level 5 on square matrices: columns of nu at `base` in packed records g[b] and at y0, y1, y2 in
 * F, whose rows are p, q, r apart. */
INLINE void square_five(int back, int nu, int d, pl_vec g[5][24], int base, pl_vec *y0, int p,
                        pl_vec *y1, int q, pl_vec *y2, int r) {
  pl_vec *f[5], *y[3] = {y0, y1, y2};
  for (int j = 0; j < 5; j++) f[j] = g[4 - j] + base;
  any_five(back, nu, d, f, y, p, q, r);
}

INLINE void level5(int back, pl_vec g[5][24], pl_vec *F) {
  square_five(back, 0, 1, g, 0, F, 1, F + 1, 4, NULL, 0);
  square_five(back, 1, 3, g, 1, F + 2, 4, F + 17, 5, F + 42, 6);
  square_five(back, 2, 2, g, 10, F + 20, 5, F + 78, 5, NULL, 0);
  square_five(back, 3, 3, g, 14, F + 45, 6, F + 80, 5, F + 103, 4);
  square_five(back, 4, 1, g, 23, F + 106, 4, F + 119, 1, NULL, 0);
}

INLINE void small(int back, int k, pl_vec *f, pl_vec *F) {
  pl_vec g[5][24];
  switch (k) {
  case 1:
    *(back ? f : F) = *(back ? F : f);
    break;
  case 2:
    w2(back, f + 1, f, F, F + 1);
    break;
  case 3:
    s3(back, f, F);
    break;
  case 4:
    (back ? s4_backward : s4_forward)(f, F);
    break;
  default:
    for (int b = 0; !back && b < 5; b++) s4_forward(f + 24 * b, g[b]);
    level5(back, g, F);
    for (int b = 0; back && b < 5; b++) s4_backward(f + 24 * b, g[b]);
  }
}

/* Backward and forward share one text, so it cannot say which side is const. */
void pl_sn_small_forward(int k, const pl_vec *f, pl_vec *F) {
  small(0, k, (pl_vec *)f, F);
}
void pl_sn_small_backward(int k, pl_vec *f, const pl_vec *F) {
  small(1, k, f, (pl_vec *)F);
}
