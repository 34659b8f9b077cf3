#include "cell.h"

#include "base/elementary.h"

void cell_forward(int64_t width, double *gate, const double *before, double *c, double *turned,
                  double *h) {
  double *i = gate, *f = i + width, *g = f + width, *o = g + width;
#pragma omp simd
  for (int64_t k = 0; k < width; k++) {
    i[k] = pl_sigmoid(i[k]);
    f[k] = pl_sigmoid(f[k]);
    g[k] = pl_tanh(g[k]);
    o[k] = pl_sigmoid(o[k]);
    c[k] = f[k] * before[k] + i[k] * g[k];
    turned[k] = pl_tanh(c[k]);
    h[k] = o[k] * turned[k];
  }
}

void cell_tangent(int64_t width, const cell_step *s, double *gate, const double *before, double *c,
                  double *h) {
  const double *i = s->gate, *f = i + width, *g = f + width, *o = g + width;
  double *di = gate, *df = di + width, *dg = df + width, *d_o = dg + width;
#pragma omp simd
  for (int64_t k = 0; k < width; k++) {
    di[k] *= i[k] * (1 - i[k]);
    df[k] *= f[k] * (1 - f[k]);
    dg[k] *= 1 - g[k] * g[k];
    d_o[k] *= o[k] * (1 - o[k]);
    c[k] = df[k] * s->before[k] + di[k] * g[k] + i[k] * dg[k];
    c[k] += before ? f[k] * before[k] : 0;
    h[k] = d_o[k] * s->turned[k] + o[k] * (1 - s->turned[k] * s->turned[k]) * c[k];
  }
}

void cell_backward(int64_t width, const cell_step *s, const double *dh, double *dc, double *dgate) {
  const double *i = s->gate, *f = i + width, *g = f + width, *o = g + width;
  double *di = dgate, *df = di + width, *dg = df + width, *d_o = dg + width;
#pragma omp simd
  for (int64_t k = 0; k < width; k++) {
    double t = s->turned[k], d = dc[k] + dh[k] * o[k] * (1 - t * t);
    di[k] = d * g[k] * i[k] * (1 - i[k]);
    df[k] = d * s->before[k] * f[k] * (1 - f[k]);
    dg[k] = d * i[k] * (1 - g[k] * g[k]);
    d_o[k] = dh[k] * t * o[k] * (1 - o[k]);
    dc[k] = d * f[k];
  }
}

void cell_bend(int64_t width, const cell_step *s, const cell_motion *m, const double *dh,
               double *dc, double *dgate, const double *moved_dh, double *moved_dc,
               double *moved_dgate) {
  const double *gates[4], *moves[4];
  double *out[4], *moved[4];
  for (int k = 0; k < 4; k++) {
    gates[k] = s->gate + k * width, moves[k] = m->gate + k * width;
    out[k] = dgate + k * width, moved[k] = moved_dgate + k * width;
  }
  for (int64_t k = 0; k < width; k++) {
    double i = gates[0][k], f = gates[1][k], g = gates[2][k], o = gates[3][k];
    double mi = moves[0][k], mf = moves[1][k], mg = moves[2][k], mo = moves[3][k];
    double t = s->turned[k], slope = 1 - t * t, mt = slope * m->c[k], c = s->before[k];
    double mc = m->before ? m->before[k] : 0;
    double d = dc[k] + dh[k] * o * slope;
    double md = moved_dc[k] + moved_dh[k] * o * slope + dh[k] * (mo * slope - 2 * o * t * mt);
    out[0][k] = d * g * i * (1 - i);
    out[1][k] = d * c * f * (1 - f);
    out[2][k] = d * i * (1 - g * g);
    out[3][k] = dh[k] * t * o * (1 - o);
    moved[0][k] = (md * g + d * mg) * i * (1 - i) + d * g * (1 - 2 * i) * mi;
    moved[1][k] = (md * c + d * mc) * f * (1 - f) + d * c * (1 - 2 * f) * mf;
    moved[2][k] = (md * i + d * mi) * (1 - g * g) - 2 * d * i * g * mg;
    moved[3][k] = (moved_dh[k] * t + dh[k] * mt) * o * (1 - o) + dh[k] * t * (1 - 2 * o) * mo;
    dc[k] = d * f;
    moved_dc[k] = md * f + d * mf;
  }
}
