/* The Delaunay triangulation: triangles in the order of their incentres, three symbols each.  With
 * canonical index a triangle begins with its lowest symbol and ascends; with geometry it begins at
 * its leftmost vertex and goes counter-clockwise. */
#include "qhull.h"
#include "task.h"

#include <stdlib.h>
#include <string.h>

enum { INDEX };

static int most(int n) {
  return 3 * (2 * n - 5 > 1 ? 2 * n - 5 : 1);
}

static int ascending(const void *a, const void *b) {
  return *(const int *)a - *(const int *)b;
}

/* The centre of the inscribed circle: vertices weighed by the lengths of the sides across. */
static void incentre(const double *x, const int *t, double *out) {
  double sum = 0;
  out[0] = out[1] = 0;
  for (int k = 0; k < 3; k++) {
    const double *p = x + 2 * (t[k] - 1);
    double side = distance(x + 2 * (t[(k + 1) % 3] - 1), x + 2 * (t[(k + 2) % 3] - 1));
    out[0] += side * p[0], out[1] += side * p[1];
    sum += side;
  }
  out[0] /= sum, out[1] /= sum;
}

static bool earlier(const double *x, const int *a, const int *b) {
  double p[2], q[2];
  incentre(x, a, p), incentre(x, b, q);
  return p[0] != q[0] ? p[0] < q[0] : p[1] < q[1];
}

static void order(const double *x, int triangles, int *t) {
  for (int i = 1; i < triangles; i++)
    for (int k = i; k > 0 && earlier(x, t + 3 * k, t + 3 * (k - 1)); k--) {
      int kept[3];
      memcpy(kept, t + 3 * k, sizeof kept);
      memcpy(t + 3 * k, t + 3 * (k - 1), sizeof kept);
      memcpy(t + 3 * (k - 1), kept, sizeof kept);
    }
}

static int solve(solver *s, int canonical, int n, const double *x, int *output) {
  (void)s;
  int triangles = n == 3 ? 1 : qhull_delaunay(n, x, output);
  if (n == 3) {
    bool left = turn(x, x + 2, x + 4) > 0;
    output[0] = 1, output[1] = left ? 2 : 3, output[2] = left ? 3 : 2;
  }
  for (int i = 0; i < triangles; i++)
    if (canonical == INDEX)
      qsort(output + 3 * i, 3, sizeof *output, ascending);
    else
      start_canonically(canonical, x, 3, output + 3 * i);
  order(x, triangles, output);
  return 3 * triangles;
}

static bool holds(const int *t, int j) {
  return t[0] == j || t[1] == j || t[2] == j;
}

/* How many triangles so far a new one that begins a, or a b, could repeat. */
static int repeats(int canonical, int triangles, const int *t, int a, int b) {
  int n = 0;
  for (int i = 0; i < triangles; i++, t += 3)
    if (canonical == INDEX)
      n += t[0] == a && (b == 0 || t[1] == b);
    else
      n += holds(t, a) && (b == 0 || holds(t, b));
  return n;
}

/* A triangle that was not there, which some symbol can still complete. */
static bool allows(int canonical, int n, int length, const int *output, int j) {
  int triangles = length / 3, place = length % 3;
  const int *t = output + 3 * triangles;
  if (j == 0) return place == 0 && triangles > 0;
  if (length + 3 - place > most(n)) return false;
  if (used(place, t, j) || (canonical == INDEX && place > 0 && j < t[place - 1])) return false;
  int rest = canonical == INDEX ? n - j : n - 1;
  if (place == 0) return rest * (rest - 1) / 2 > repeats(canonical, triangles, output, j, 0);
  if (place == 1)
    return (canonical == INDEX ? n - j : n - 2) > repeats(canonical, triangles, output, t[0], j);
  for (int i = 0; i < triangles; i++)
    if (holds(output + 3 * i, t[0]) && holds(output + 3 * i, t[1]) && holds(output + 3 * i, j))
      return false;
  return true;
}

static bool among(const int *t, const problem *p) {
  for (int i = 0; i + 3 <= p->length; i += 3)
    if (holds(p->output + i, t[0]) && holds(p->output + i, t[1]) && holds(p->output + i, t[2]))
      return true;
  return false;
}

/* Triangles of three different points each, none twice. */
static bool valid(const problem *p) {
  if (p->length < 3 || p->length % 3) return false;
  for (int i = 0; i < p->length; i += 3) {
    const int *t = p->output + i;
    problem before = {.length = i, .output = p->output};
    if (t[0] == t[1] || t[1] == t[2] || t[0] == t[2] || among(t, &before)) return false;
  }
  return true;
}

static double shared(const problem *p, const problem *right) {
  int n = 0;
  for (int i = 0; i + 3 <= right->length; i += 3) n += among(right->output + i, p);
  return n;
}

/* The same triangles, in any order. */
static bool same(const problem *a, const problem *b) {
  return a->length == b->length && valid(a) && valid(b) && 3 * shared(a, b) == b->length;
}

static bool equivariant(int canonical) {
  return canonical != INDEX;
}

const task task_delaunay = {.name = "delaunay",
                            .coordinates = 2,
                            .least = 3,
                            .quality = QUALITY_COVERAGE,
                            .qhull = true,
                            .exact = 1000000,
                            .most = most,
                            .solve = solve,
                            .allows = allows,
                            .valid = valid,
                            .same = same,
                            .measure = shared,
                            .equivariant = equivariant};
