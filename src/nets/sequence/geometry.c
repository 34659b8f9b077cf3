#include "task.h"

#include <math.h>
#include <string.h>

double distance(const double *p, const double *q) {
  return hypot(p[0] - q[0], p[1] - q[1]);
}

double polygon_area(const double *x, int length, const int *output) {
  double sum = 0;
  for (int i = 0; i < length; i++) {
    const double *p = x + 2 * (output[i] - 1), *q = x + 2 * (output[(i + 1) % length] - 1);
    sum += p[0] * q[1] - q[0] * p[1];
  }
  return sum / 2;
}

bool used(int length, const int *output, int j) {
  for (int i = 0; i < length; i++)
    if (output[i] == j) return true;
  return false;
}

static bool before(int canonical, const double *x, int a, int b) {
  const double *p = x + 2 * (a - 1), *q = x + 2 * (b - 1);
  if (canonical == 0 || (p[0] == q[0] && p[1] == q[1])) return a < b;
  return p[0] != q[0] ? p[0] < q[0] : p[1] < q[1];
}

int first_of(int canonical, const double *x, int length, const int *list) {
  int best = list[0];
  for (int i = 1; i < length; i++)
    if (before(canonical, x, list[i], best)) best = list[i];
  return best;
}

static void reverse(int *a, int length) {
  for (int i = 0; i < length / 2; i++) {
    int kept = a[i];
    a[i] = a[length - 1 - i];
    a[length - 1 - i] = kept;
  }
}

void start_canonically(int canonical, const double *x, int length, int *cycle) {
  int first = first_of(canonical, x, length, cycle), at = 0;
  while (cycle[at] != first) at++;
  reverse(cycle, at); /* three reversals turn it */
  reverse(cycle + at, length - at);
  reverse(cycle, length);
}

bool same_cycle(int length, const int *a, const int *b, bool either) {
  int at = 0;
  while (at < length && b[at] != a[0]) at++;
  for (int way = 1; way >= (either ? -1 : 1); way -= 2) {
    int i = 0;
    while (i < length && a[i] == b[((at + way * i) % length + length) % length]) i++;
    if (i == length) return true;
  }
  return false;
}

const task *task_named(const char *name) {
  static const task *const all[] = {&task_hull, &task_delaunay, &task_tsp, &task_sort};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    if (!strcmp(all[i]->name, name)) return all[i];
  return NULL;
}
