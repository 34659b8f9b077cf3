/* The values that one key takes over a sweep: YAML to typed values by a row of the tables of keys,
 * and back.  Local. */
#ifndef PL_RUN_VALUES_H
#define PL_RUN_VALUES_H

#include "model/key.h"
#include "run/yaml.h"

#define PL_MAX_VALUES 1000000 /* of one key; ranges count in full */

/* One value as it is written: a node, or number `plus` of the range that it is. */
typedef struct pl_element {
  const pl_yaml *node;
  int64_t plus;
} pl_element;

/* All memory is the arena's. */
typedef struct pl_elements {
  int64_t n; /* at least 1 */
  const pl_element *v;
  bool list; /* written as a list or a range, so it can be swept and zipped */
} pl_elements;

/* The values that node stands for, as key (any row of its name) reads lists and ranges.  PL_EINPUT:
 * an empty or misplaced list, too many; the message has no place, *line has the line it speaks of.
 */
pl_status pl_values_split(const pl_key *key, const pl_yaml *node, pl_arena *arena, pl_elements *out,
                          int *line);
/* One value into slot, pl_value_size bytes; a plain ~ or null is the default `fallback`. PL_EINPUT:
 * type, bounds, words wrong; as above. */
pl_status pl_value_parse(const pl_key *key, const char *fallback, const pl_element *e,
                         pl_arena *arena, void *slot, int *line);
/* The value that a default, written as in a sweep file, stands for (NULL: unset; "": empty). */
void pl_value_default(const pl_key *key, const char *fallback, pl_arena *arena, void *slot);
/* One value as YAML ("" when unset), such that parsing gives the same value.  As snprintf. */
int pl_value_print(const pl_key *key, const void *v, char *buf, size_t n);

#endif
