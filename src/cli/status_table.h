/* The table of `status`: columns of text, one cell per run.  Inside cli/ only.  Local: rank 0. */
#ifndef PL_CLI_STATUS_TABLE_H
#define PL_CLI_STATUS_TABLE_H

#include "base/lock.h"
#include "base/nc.h"
#include "run/record.h"

#include <stdbool.h>

typedef struct column {
  char name[128];
  char *cells; /* [runs][size]; a zero ends only what is shorter; empty: nothing to show */
  int size;
  bool text;
} column;

typedef struct table {
  const pl_nc *nc;
  int64_t runs, records;
  int64_t *state; /* [runs]; PL_NUM_RUN_STATES: none of them */
  bool written;   /* someone writes the file, so that what is running runs */
  int num_columns;
  column *columns;
} table;

static inline char *status_cell(const column *c, int64_t run) {
  return c->cells + run * c->size;
}

/* "interrupted" for what runs although nobody writes the file; the last: unknown. */
const char *status_state_name(const table *t, int64_t state);

typedef struct counts {
  int64_t of[PL_NUM_RUN_STATES + 1];
} counts;
counts status_count(const table *t);
/* States in the order in which they are told. */
extern const int status_told[PL_NUM_RUN_STATES + 1];

/* Counts, and an object per run in this state (-1: all). */
void status_print_json(const table *t, const pl_lock_holder *holder, int state);

#endif
