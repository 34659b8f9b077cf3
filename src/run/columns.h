/* The sweep file as columns: the values that each key takes, as they are written, and the digit of
 * a run's number that picks one.  Beside config.c only. */
#ifndef PL_RUN_COLUMNS_H
#define PL_RUN_COLUMNS_H

#include "run/keys.h"
#include "run/values.h"

typedef enum { PL_FROM_DEFAULT, PL_FROM_FILE, PL_FROM_SET } pl_origin;

/* One key that is given.  Run r takes value r / stride % n: a digit of r in mixed radix. */
typedef struct pl_column {
  const char *name;
  const pl_key *key; /* some row of that name */
  pl_elements values;
  pl_origin origin;
  int line; /* of the key, in the file */
  int64_t stride;
  int place; /* among the keys given, in order of appearance */
  bool zipped;
  struct pl_column *leader; /* whose digit this key follows: itself unless zipped */
  struct pl_column *next_member;
} pl_column;

typedef struct pl_columns {
  pl_arena *arena;
  const char *name;      /* of the file, for messages */
  bool attributes;       /* it is a NetCDF file, and --set stands for its attributes */
  const char *folder[2]; /* where relative paths lead from, of the file and of --set; "": here */
  const pl_owned *known;
  int num_known;
  int num;
  pl_column *column; /* in order of appearance */
  const pl_yaml *zip;
  pl_origin zip_origin;
  int64_t runs;
} pl_columns;

enum { PL_MAX_RUNS = 10000000 };

/* Take a file's text and --set values into columns, and count the runs.  PL_EINPUT with place. */
pl_status pl_columns_read(pl_columns *c, const char *text, size_t len, const char *const *sets,
                          int nsets);
/* The column of a key; NULL: it is not given. */
pl_column *pl_columns_find(const pl_columns *c, const char *name);

static inline int64_t pl_column_index(const pl_column *c, int64_t run) {
  return run / c->stride % c->values.n;
}

/* Put a place before the current message: of a key, from there; of one value of a column. */
pl_status pl_columns_blame(const pl_columns *c, pl_origin where, int line, const char *key,
                           pl_status st);
pl_status pl_columns_blame_value(const pl_columns *c, const pl_column *column, int64_t index,
                                 pl_status st);

#endif
