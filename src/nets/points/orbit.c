#include "nets/points/orbit.h"

#include "base/mem.h"
#include "base/pause.h"

#include <math.h>
#include <string.h>

/* Systems side by side: a vector's width, and one more for divisions and roots to overlap. */
enum { LANES = 8 };
typedef double lane[LANES];

/* x, f: [nodes][axes], q: [nodes]. */
static void add_force(int64_t axes, const double *qi, const double *qj, lane *xi, lane *xj,
                      lane *fi, lane *fj) {
  lane size = {0};
  for (int64_t a = 0; a < axes; a++)
#pragma omp simd
    for (int l = 0; l < LANES; l++) size[l] += (xi[a][l] - xj[a][l]) * (xi[a][l] - xj[a][l]);
#pragma omp simd
  for (int l = 0; l < LANES; l++) size[l] = qi[l] * qj[l] / (size[l] * sqrt(size[l]));
  for (int64_t a = 0; a < axes; a++)
#pragma omp simd
    for (int l = 0; l < LANES; l++) {
      double f = size[l] * (xi[a][l] - xj[a][l]);
      fi[a][l] += f;
      fj[a][l] -= f;
    }
}

/* due: pairs until the next pause. */
static pl_status step(int64_t nodes, int64_t axes, lane *q, double dt, double most, lane *x,
                      lane *v, lane *f, int64_t *due) {
  enum { PAIRS = 1000000 }; /* some ten milliseconds */
  memset(f, 0, (size_t)(nodes * axes) * sizeof *f);
  for (int64_t i = 0; i < nodes; i++) {
    if (*due <= 0) {
      PL_TRY(pl_pause());
      *due = PAIRS;
    }
    for (int64_t j = 0; j < i; j++)
      add_force(axes, q[i], q[j], x + i * axes, x + j * axes, f + i * axes, f + j * axes);
    *due -= i + 1;
  }
  for (int64_t k = 0; k < nodes * axes; k++)
#pragma omp simd
    for (int l = 0; l < LANES; l++) {
      double cut = f[k][l] > most ? most : f[k][l] < -most ? -most : f[k][l];
      v[k][l] += dt * cut;
      x[k][l] += dt * v[k][l];
    }
  return PL_OK;
}

pl_status pl_orbit(int64_t count, int64_t nodes, int64_t axes, const double *q, double dt,
                   double most, int64_t steps, double *x, double *v) {
  int64_t n = nodes * axes, due = 0;
  pl_status st = PL_OK;
  lane *room = pl_alloc((size_t)(nodes + 3 * n), sizeof *room, "orbits");
  lane *xs = room + nodes, *vs = xs + n, *f = vs + n;
  for (int64_t s = 0; s < count && !st; s += LANES) {
    /* Lanes without a system repeat the last one. */
    for (int l = 0; l < LANES; l++) {
      int64_t at = s + l < count ? s + l : count - 1;
      for (int64_t i = 0; i < nodes; i++) room[i][l] = q[at * nodes + i];
      for (int64_t k = 0; k < n; k++) xs[k][l] = x[at * n + k], vs[k][l] = v[at * n + k];
    }
    for (int64_t t = 0; t < steps && !st; t++)
      st = step(nodes, axes, room, dt, most, xs, vs, f, &due);
    for (int l = 0; l < LANES && s + l < count; l++)
      for (int64_t k = 0; k < n; k++) x[(s + l) * n + k] = xs[k][l], v[(s + l) * n + k] = vs[k][l];
  }
  pl_free(room);
  return st;
}
