#include "model/auroc.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b) {
  double x = ((const pl_scored *)a)->score, y = ((const pl_scored *)b)->score;
  return (x > y) - (x < y);
}

double pl_auroc(int64_t n, pl_scored *s) {
  double below = 0, won = 0, positives = 0;
  for (int64_t i = 0; i < n; i++)
    if (isnan(s[i].score)) return NAN;
  if (n > 1) qsort(s, (size_t)n, sizeof *s, ascending);
  for (int64_t i = 0, end; i < n; i = end) {
    double here = 0;
    for (end = i; end < n && s[end].score == s[i].score; end++) here += (double)s[end].positive;
    double others = (double)(end - i) - here;
    won += here * (below + others / 2);
    below += others;
    positives += here;
  }
  return won / (positives * below);
}
