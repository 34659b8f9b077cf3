/* What is asked of a set of points: hull, triangulation, tour, order.  An output is a sequence of
 * symbols 1..n, the points, ended by 0, which is not counted in its length.  All Local, pure. */
#ifndef PL_NETS_SEQUENCE_TASK_H
#define PL_NETS_SEQUENCE_TASK_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* An instance: n points of `coordinates` numbers, and an output. */
typedef struct problem {
  int n, length;
  const double *x;   /* [n][coordinates] */
  const int *output; /* [length] */
} problem;

/* Room for solvers, of problems up to so many points: allocated once, used by one at a time. */
typedef struct solver solver;
solver *solver_new(int points);
void solver_free(solver *s); /* may be NULL */

/* How far an output is from the best one: what the task's measure says. */
typedef enum { QUALITY_NONE, QUALITY_AREA, QUALITY_COVERAGE, QUALITY_TOUR } quality_kind;

typedef struct task {
  const char *name;
  int coordinates, least; /* numbers of a point; fewest points */
  quality_kind quality;
  bool permutes; /* every output holds each point once (a closed tour its first one twice) */
  bool closed;   /* an output ends with the point that it began with */
  bool qhull;    /* solve needs qhull */
  int exact;     /* labels are optimal up to so many points */
  /* Symbols of the longest output. */
  int (*most)(int n);
  /* The right output; returns its length.  output: room for most(n) and 2 n more. */
  int (*solve)(solver *s, int canonical, int n, const double *x, int *output);
  /* May symbol j follow the first `length` ones of an output? */
  bool (*allows)(int canonical, int n, int length, const int *output, int j);
  /* Is it an output at all? */
  bool (*valid)(const problem *p);
  /* Do two outputs of one instance say the same? */
  bool (*same)(const problem *a, const problem *b);
  /* Area, shared triangles, length of `p` and of the right one. */
  double (*measure)(const problem *p, const problem *right);
  /* Does relabelling the points relabel the right output? */
  bool (*equivariant)(int canonical);
} task;

extern const task task_hull, task_delaunay, task_tsp, task_sort;
/* By name; NULL: none. */
const task *task_named(const char *name);

/* ---- what several need ---- */

/* Twice the signed area of the triangle p q r: above 0, it turns left. */
static inline double turn(const double *p, const double *q, const double *r) {
  return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
}
double distance(const double *p, const double *q);
/* Signed area of the polygon output[0..length-1] of the points x. */
double polygon_area(const double *x, int length, const int *output);
/* Is symbol j among the first `length`? */
bool used(int length, const int *output, int j);
/* The symbol that comes first among list: the lowest, or the one of the leftmost point. */
int first_of(int canonical, const double *x, int length, const int *list);
/* Turn a cycle of symbols so that its first is first_of. */
void start_canonically(int canonical, const double *x, int length, int *cycle);
/* The same cycle, from any start; also backwards where `either`. */
bool same_cycle(int length, const int *a, const int *b, bool either);

#endif
