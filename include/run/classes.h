/* Runs that are alike, so that what is the same for all of them is found out once.  Local. */
#ifndef PL_RUN_CLASSES_H
#define PL_RUN_CLASSES_H

#include "run/config.h"

typedef struct pl_run_classes {
  int64_t num;
  int64_t *of;  /* [num_runs]: the class of a run, counted in order of first appearance */
  int64_t *run; /* [num]: the first run of a class */
} pl_run_classes;

/* Runs that agree in every key that touches any of `touches` (PL_COST, ..). */
pl_run_classes pl_run_classes_new(const pl_config *cfg, int touches);
void pl_run_classes_free(pl_run_classes *c);

#endif
