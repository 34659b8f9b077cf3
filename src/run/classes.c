#include "run/classes.h"

#include "base/mem.h"

pl_run_classes pl_run_classes_new(const pl_config *cfg, int touches) {
  int64_t n = pl_config_num_runs(cfg), next = 0;
  pl_run_classes c = {.of = pl_alloc((size_t)n, sizeof *c.of, "classes of runs")};
  c.num = pl_config_classes(cfg, touches, c.of);
  c.run = pl_alloc((size_t)c.num, sizeof *c.run, "classes of runs");
  for (int64_t r = 0; r < n; r++)
    if (c.of[r] == next) c.run[next++] = r;
  return c;
}

void pl_run_classes_free(pl_run_classes *c) {
  pl_free(c->of);
  pl_free(c->run);
  *c = (pl_run_classes){0};
}
