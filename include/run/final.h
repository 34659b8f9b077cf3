/* The weights that a run ends with, in a file of their own. */
#ifndef PL_RUN_FINAL_H
#define PL_RUN_FINAL_H

#include "model/model.h"
#include "run/config.h"

/* Write OUT.nc.final/run-000012.nc, with the keys that the run owns as attributes: "model.depth"
 * and the rest, values in YAML.  The folder is made where it is missing.  Collective over team; so
 * is the status. */
pl_status pl_final_save(const char *output, const pl_comm *team, const pl_config *cfg, int64_t run,
                        pl_model *model);

#endif
