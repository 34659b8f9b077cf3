/* How long a run is, and at which steps it records. */
#ifndef PL_RUN_SCHEDULE_H
#define PL_RUN_SCHEDULE_H

#include "model/spec.h"

typedef struct pl_length {
  int64_t steps; /* of the run */
  int64_t epoch; /* steps of an epoch; 0: nothing in the run counts them */
} pl_length;

/* May read a file, so rank 0 asks when it plans.  Local. */
pl_length pl_length_of(const pl_spec *spec);

/* The steps at which to record, ascending, first 0 and last length->steps unless listed explicitly.
 * A run of several stages (record.stages) has all records that it would have had if it had ended
 * with the first; behind it those that it would have had if it had ended with the second, and so
 * on.  *count of them; owned by the caller (pl_free).  Pure. */
int64_t *pl_record_steps(const pl_spec *spec, const pl_length *length, int64_t *count);

#endif
