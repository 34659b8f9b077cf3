/* Weights of a run, in a file of their own: those that it ends with, or the best. */
#ifndef PL_RUN_FINAL_H
#define PL_RUN_FINAL_H

#include "model/model.h"
#include "run/config.h"

/* *num keys that a run owns with their values in YAML, those that are unset left out; the array and
 * its texts are the caller's (pl_attributes_free).  Local. */
pl_attribute *pl_attributes_of(const pl_config *cfg, int64_t run, int *num);
void pl_attributes_free(pl_attribute *attributes, int num);

/* Write OUT.nc.final/run-000012.nc (which: "final", "best"), with the keys that the run owns as
 * attributes: "model.depth" and the rest, values in YAML.  The folder is made where it is missing.
 * Collective over team; so is the status. */
pl_status pl_final_save(const char *output, const char *which, const pl_comm *team,
                        const pl_config *cfg, int64_t run, pl_model *model);

#endif
