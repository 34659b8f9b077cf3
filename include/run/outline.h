/* What a sweep records and how it lies in the file: the schemas of its runs and the axes that they
 * stand on.  Local. */
#ifndef PL_RUN_OUTLINE_H
#define PL_RUN_OUTLINE_H

#include "model/model.h"
#include "run/classes.h"

/* What some runs record, all alike. */
typedef struct pl_records {
  pl_schema schema;
  const pl_model_kind *kind;
  int64_t run;     /* the first of them */
  bool best, test; /* has the network's metric on a validation part, .. and on a test part */
} pl_records;

/* A variable of the records, and the first that have it. */
typedef struct pl_variable {
  const pl_measure *measure;
  const pl_records *records;
} pl_variable;

/* A dimension of the file: the entries of runs with different keys, one after the other. */
typedef struct pl_segment {
  const char *key;
  int64_t start, length;
  const pl_records *records; /* whose coordinates fill it */
  const pl_axis *axis;       /* of their schema */
} pl_segment;
typedef struct pl_dimension {
  const char *name;
  int64_t length;
  int num_segments;
  pl_segment *segment;
} pl_dimension;

typedef struct pl_outline {
  int64_t num_runs, num_records; /* of the file */
  int num_kinds;                 /* the distinct ones */
  pl_records **kinds;
  int num_variables;
  pl_variable *variables;
  int num_dimensions;
  pl_dimension *dimensions;
  pl_run_classes classes; /* of runs that record alike */
  int64_t num_described;
  int *class_kind;      /* [num_described]: number in kinds */
  int64_t *class_steps; /* [num_described]: of a run */
} pl_outline;

/* Of all runs of cfg.  PL_EINPUT with file, line and key: two networks mean different things by one
 * name; runs that cannot share a file by pl_axis.sole.  Reads what describe reads. */
pl_status pl_outline_new(const pl_config *cfg, pl_outline **out);
void pl_outline_free(pl_outline *o);
/* What a run records; its steps. */
const pl_records *pl_outline_of(const pl_outline *o, int64_t run);
const int64_t *pl_outline_steps(const pl_outline *o, int64_t run);
/* NULL or -1: there is none. */
pl_dimension *pl_outline_dimension(const pl_outline *o, const char *name);
int pl_dimension_segment(const pl_dimension *d, const char *key);
/* Is the name that of a variable of the records or of a coordinate? */
bool pl_outline_has(const pl_outline *o, const char *name);
/* Does any run have a best record, .. with a test part? */
bool pl_outline_best(const pl_outline *o, bool test);

/* One class more, of which run is the first.  On failure *key is the key at fault, or NULL. */
pl_status pl_outline_add(pl_outline *o, int64_t run, const pl_spec *spec, const char **key);

#endif
