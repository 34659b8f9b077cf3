/* The convex hull: its vertices counter-clockwise, the first one again, the end. */
#include "qhull.h"
#include "task.h"

#include <math.h>

static int most(int n) {
  return n + 1;
}

static int solve(solver *s, int canonical, int n, const double *x, int *output) {
  (void)s;
  int length = qhull_hull(n, x, output);
  start_canonically(canonical, x, length, output);
  output[length] = output[0];
  return length + 1;
}

static bool closed(int length, const int *output) {
  return length > 1 && output[length - 1] == output[0];
}

static bool allows(int canonical, int n, int length, const int *output, int j) {
  (void)canonical, (void)n;
  if (closed(length, output)) return j == 0;
  if (j == 0) return false;
  return length >= 3 && j == output[0] ? true : !used(length, output, j);
}

static bool cross(const double *a, const double *b, const double *c, const double *d) {
  return turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0;
}

/* Closed, of three different points at least, and simple. */
static bool valid(const problem *p) {
  int n = p->length - 1;
  if (n < 3 || !closed(p->length, p->output)) return false;
  for (int i = 0; i < n; i++)
    if (used(i, p->output, p->output[i])) return false;
  for (int i = 0; i < n; i++)
    for (int k = i + 1; k < n; k++) {
      const int *o = p->output;
      if (cross(p->x + 2 * (o[i] - 1), p->x + 2 * (o[i + 1] - 1), p->x + 2 * (o[k] - 1),
                p->x + 2 * (o[k + 1] - 1)))
        return false;
    }
  return true;
}

/* The same polygon, from any vertex and either way round. */
static bool same(const problem *a, const problem *b) {
  return a->length == b->length && closed(a->length, a->output) && closed(b->length, b->output) &&
         same_cycle(a->length - 1, a->output, b->output, true);
}

static double measure(const problem *p, const problem *right) {
  (void)right;
  return fabs(polygon_area(p->x, p->length - 1, p->output));
}

static bool equivariant(int canonical) {
  return canonical != 0;
}

const task task_hull = {.name = "hull",
                        .coordinates = 2,
                        .least = 3,
                        .quality = QUALITY_AREA,
                        .closed = true,
                        .qhull = true,
                        .exact = 1000000,
                        .most = most,
                        .solve = solve,
                        .allows = allows,
                        .valid = valid,
                        .same = same,
                        .measure = measure,
                        .equivariant = equivariant};
