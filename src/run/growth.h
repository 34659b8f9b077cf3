/* How far the runs of a sweep go that extends an earlier one.  Beside adopt.c and extend.c only.
 * Local. */
#ifndef PL_RUN_GROWTH_H
#define PL_RUN_GROWTH_H

#include "model/spec.h"

typedef struct pl_growth {
  bool known;
  int64_t from;   /* steps, or epochs, that all runs had and that are more now; 0: they stay */
  pl_ints stages; /* what record.stages must be: those of the earlier sweep (borrowed) .. */
  bool one_more;  /* .. and from */
} pl_growth;

/* A run of the earlier sweep and the same of the later one: does it go at least as far, do its
 * records go on, and is all of it as for the runs before (g, zero at first)?  strict: record.stages
 * must be there if they are needed, else they may be missing.  PL_EINPUT names the key. */
pl_status pl_growth_add(pl_growth *g, const pl_spec *was, const pl_spec *now, bool strict);
/* Has the run the stages that it must have? */
bool pl_growth_has_stages(const pl_growth *g, const pl_spec *spec);
/* They as --set: "record.stages=[1000, 5000]".  The caller frees it. */
char *pl_growth_set(const pl_growth *g);

#endif
