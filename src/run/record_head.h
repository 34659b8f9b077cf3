/* The head of an output: dimensions, variables, attributes, and all that is known before training.
 * Beside record.c only. */
#ifndef PL_RUN_RECORD_HEAD_H
#define PL_RUN_RECORD_HEAD_H

#include "base/nc.h"
#include "run/outline.h"
#include "run/plan.h"

/* Rates are numbers only. */
enum { PL_NUM_RATES = sizeof(pl_rates) / sizeof(double) };
_Static_assert(PL_NUM_RATES * sizeof(double) == sizeof(pl_rates), "rates are doubles");

/* Define everything, leave define mode and write the head.  Local. */
pl_status pl_record_head(pl_nc *nc, const pl_outline *outline, const pl_config *cfg,
                         const pl_plan *plan, const char *command);

#endif
