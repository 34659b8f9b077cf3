/* The values that one key takes over a sweep: YAML to typed values by the table of keys, and
 * back.  Local. */
#ifndef PL_RUN_VALUES_H
#define PL_RUN_VALUES_H

#include "model/spec.h"
#include "run/yaml.h"

#define PL_MAX_VALUES 1000000 /* of one key; ranges count in full */

/* All memory is the arena's. */
typedef struct pl_values {
  int64_t n;        /* at least 1 */
  const char *v;    /* n values of pl_value_size bytes, as in the key's field of pl_spec */
  const int *lines; /* where each stands in its text */
  bool list;        /* written as a list or a range, so it can be swept and zipped */
} pl_values;

/* Bytes of one value. */
size_t pl_value_size(const pl_key *key);

/* Values of key written as node.  PL_EINPUT: type, bounds, words, lists or ranges wrong; the
 * message has no place, *line has the line it speaks of. */
pl_status pl_values_parse(const pl_key *key, const pl_yaml *node, pl_arena *arena, pl_values *out,
                          int *line);
/* The default of key (one value: what its fallback says, or unset). */
void pl_values_default(const pl_key *key, pl_arena *arena, pl_values *out);
/* One value as YAML ("" when unset), such that parsing gives the same value.  As snprintf. */
int pl_value_print(const pl_key *key, const void *v, char *buf, size_t n);

#endif
