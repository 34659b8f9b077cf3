/* The shortest closed tour: by Held and Karp's recursion to MOST_EXACT cities, exact; beyond by
 * 2-opt from nearest-neighbour tours, which is not. */
#include "base/mem.h"
#include "task.h"

#include <math.h>
#include <string.h>

enum { MOST_EXACT = 13, ROW = MOST_EXACT - 1, STARTS = 10 };

/* Held and Karp: best[S][k], the shortest way from the last city through the set S of the others
 * that ends in k.  For 2-opt: tours. */
struct solver {
  double *best, *length; /* [2^(m-1)][ROW], m = min(n, MOST_EXACT); [n][n] */
  int *tour;             /* [n] */
};

solver *solver_new(int points) {
  solver *s = pl_zalloc(1, sizeof *s, "solver");
  int m = points < MOST_EXACT ? points : MOST_EXACT;
  s->best = pl_alloc((size_t)1 << (m - 1), ROW * sizeof *s->best, "Held-Karp");
  s->length = pl_alloc((size_t)points * (size_t)points, sizeof *s->length, "distances");
  s->tour = pl_alloc((size_t)points, sizeof *s->tour, "tours");
  return s;
}

void solver_free(solver *s) {
  if (!s) return;
  pl_free(s->best);
  pl_free(s->length);
  pl_free(s->tour);
  pl_free(s);
}

static int most(int n) {
  return n + 1;
}

static void held_karp(const solver *s, int n, int *output) {
  int m = n - 1, all = (1 << m) - 1;
  double *best = s->best, way[ROW][ROW];
  const double *length = s->length;
  /* Rows of one length, filled with infinities, make the inner loop a few vector instructions. */
  for (int k = 0; k < ROW; k++)
    for (int l = 0; l < ROW; l++) way[k][l] = k < m && l < m ? length[k * n + l] : INFINITY;
  for (int k = 0; k < ROW; k++) best[k] = INFINITY;
  for (int set = 1; set <= all; set++)
    for (int k = 0; k < ROW; k++) {
      int rest = set & ~(1 << k);
      double least = INFINITY;
      if (k < m && set >> k & 1) {
        const double *from = best + rest * ROW;
#pragma omp simd reduction(min : least)
        for (int l = 0; l < ROW; l++)
          least = from[l] + way[k][l] < least ? from[l] + way[k][l] : least;
        if (!rest) least = length[m * n + k];
      }
      best[set * ROW + k] = least;
    }
  /* Back from the end: the city before is the one that the minimum came from. */
  for (int set = all, place = m - 1, last = m; place >= 0; place--) {
    int from = -1;
    double least = INFINITY;
    for (int k = 0; k < m; k++) {
      if (!(set >> k & 1)) continue;
      double whole = best[set * ROW + k] + length[k * n + last];
      if (whole < least) least = whole, from = k;
    }
    output[place] = from + 1;
    set &= ~(1 << from);
    last = from;
  }
  output[m] = n;
}

static double tour_length(const double *length, int n, const int *tour) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += length[(tour[i] - 1) * n + tour[(i + 1) % n] - 1];
  return sum;
}

static void nearest_neighbours(const double *length, int n, int start, int *tour) {
  tour[0] = start;
  for (int i = 1; i < n; i++) {
    int best = 0;
    for (int j = 1; j <= n; j++) {
      if (used(i, tour, j)) continue;
      const double *from = length + (tour[i - 1] - 1) * n;
      if (!best || from[j - 1] < from[best - 1]) best = j;
    }
    tour[i] = best;
  }
}

static void turn_round(int *tour, int i, int k) {
  for (; i < k; i++, k--) {
    int kept = tour[i];
    tour[i] = tour[k], tour[k] = kept;
  }
}

/* Two edges for two others while that shortens the tour. */
static void two_opt(const double *length, int n, int *tour) {
  for (bool better = true; better;) {
    better = false;
    for (int i = 0; i < n - 1; i++)
      for (int k = i + 2; k < n; k++) {
        int a = tour[i] - 1, b = tour[i + 1] - 1, c = tour[k] - 1, d = tour[(k + 1) % n] - 1;
        double now = length[a * n + b] + length[c * n + d];
        if (a == d || !(length[a * n + c] + length[b * n + d] < now - 1e-12)) continue;
        turn_round(tour, i + 1, k);
        better = true;
      }
  }
}

static void improve(const solver *s, int n, int *output) {
  double shortest = INFINITY;
  for (int start = 0; start < STARTS && start < n; start++) {
    nearest_neighbours(s->length, n, 1 + start * n / (n < STARTS ? n : STARTS), s->tour);
    two_opt(s->length, n, s->tour);
    double now = tour_length(s->length, n, s->tour);
    if (!(now < shortest)) continue;
    shortest = now;
    memcpy(output, s->tour, (size_t)n * sizeof *output);
  }
}

/* Of the two ways round: with the index the second city is lower than the last; with geometry the
 * tour runs counter-clockwise. */
static void choose_way(int canonical, int n, const double *x, int *output) {
  bool turned = canonical == 0 ? output[1] > output[n - 1] : polygon_area(x, n, output) < 0;
  if (turned) turn_round(output, 1, n - 1);
}

static int solve(solver *s, int canonical, int n, const double *x, int *output) {
  for (int i = 0; i < n; i++)
    for (int k = 0; k < n; k++) s->length[i * n + k] = distance(x + 2 * i, x + 2 * k);
  if (n <= MOST_EXACT)
    held_karp(s, n, output);
  else
    improve(s, n, output);
  start_canonically(canonical, x, n, output);
  choose_way(canonical, n, x, output);
  output[n] = output[0];
  return n + 1;
}

static bool allows(int canonical, int n, int length, const int *output, int j) {
  (void)canonical;
  if (length == n + 1) return j == 0;
  return length == n ? j == output[0] : j > 0 && !used(length, output, j);
}

static bool valid(const problem *p) {
  if (p->length != p->n + 1 || p->output[p->n] != p->output[0]) return false;
  for (int i = 0; i < p->n; i++)
    if (used(i, p->output, p->output[i])) return false;
  return true;
}

static bool same(const problem *a, const problem *b) {
  return valid(a) && valid(b) && same_cycle(a->n, a->output, b->output, true);
}

static double measure(const problem *p, const problem *right) {
  double sum = 0;
  (void)right;
  for (int i = 0; i + 1 < p->length; i++)
    sum += distance(p->x + 2 * (p->output[i] - 1), p->x + 2 * (p->output[i + 1] - 1));
  return sum;
}

static bool equivariant(int canonical) {
  return canonical != 0;
}

const task task_tsp = {.name = "tsp",
                       .coordinates = 2,
                       .least = 3,
                       .quality = QUALITY_TOUR,
                       .permutes = true,
                       .closed = true,
                       .exact = MOST_EXACT,
                       .most = most,
                       .solve = solve,
                       .allows = allows,
                       .valid = valid,
                       .same = same,
                       .measure = measure,
                       .equivariant = equivariant};
