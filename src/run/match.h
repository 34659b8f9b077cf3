/* The runs of an earlier sweep among those of one that extends it.  Beside config.c only. */
#ifndef PL_RUN_MATCH_H
#define PL_RUN_MATCH_H

#include "roles.h"

/* A sweep: its columns and who reads them. */
typedef struct pl_matched {
  const pl_columns *columns;
  const pl_roles *roles;
} pl_matched;

/* pl_config_match. */
pl_status pl_roles_match(const pl_matched *was, const pl_matched *now, int64_t *place);

#endif
