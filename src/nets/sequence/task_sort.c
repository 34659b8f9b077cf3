/* Numbers in ascending order. */
#include "task.h"

#include <string.h>

static int most(int n) {
  return n;
}

static int solve(solver *s, int canonical, int n, const double *x, int *output) {
  (void)s, (void)canonical;
  for (int i = 0; i < n; i++) {
    int k = i;
    for (; k > 0 && x[output[k - 1] - 1] > x[i]; k--) output[k] = output[k - 1];
    output[k] = i + 1;
  }
  return n;
}

static bool allows(int canonical, int n, int length, const int *output, int j) {
  (void)canonical;
  return length == n ? j == 0 : j > 0 && !used(length, output, j);
}

static bool valid(const problem *p) {
  for (int i = 0; i < p->length; i++)
    if (used(i, p->output, p->output[i])) return false;
  return p->length == p->n;
}

static bool same(const problem *a, const problem *b) {
  return a->length == b->length &&
         !memcmp(a->output, b->output, (size_t)a->length * sizeof *a->output);
}

static bool equivariant(int canonical) {
  (void)canonical;
  return true;
}

const task task_sort = {.name = "sort",
                        .coordinates = 1,
                        .least = 2,
                        .permutes = true,
                        .exact = 1000000,
                        .most = most,
                        .solve = solve,
                        .allows = allows,
                        .valid = valid,
                        .same = same,
                        .equivariant = equivariant};
