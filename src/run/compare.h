/* Runs that are alike, and sweeps that are the same.  Beside config.c only. */
#ifndef PL_RUN_COMPARE_H
#define PL_RUN_COMPARE_H

#include "roles.h"

/* pl_config_classes for runs selected[0..n-1] of the whole sweep (NULL: 0..n-1). */
int64_t pl_roles_classes(const pl_roles *r, int touches, int64_t n, const int64_t *selected,
                         int64_t *class_of);
/* Value i of a role as YAML; the caller frees it (pl_free). */
char *pl_role_text(const pl_role *role, int64_t i);
/* pl_config_same. */
pl_status pl_roles_same(const pl_roles *was, const pl_roles *now);

#endif
