/* What is recorded: tables of measures beside each network, and the schema of one run's records.
 *
 * Two networks may share a measure's name only with the same axis, units and meaning (long_name):
 * a test looks over the whole zoo, and the recorder refuses what is left. */
#ifndef PL_MODEL_MEASURE_H
#define PL_MODEL_MEASURE_H

#include "model/spec.h"

/* A variable on (run, record) or on (run, record, axis). */
typedef struct pl_measure {
  const char *name, *axis; /* axis NULL: a scalar */
  const char *units, *long_name;
  /* Is it recorded in this run?  context: of the schema.  NULL: always. */
  bool (*wanted)(const pl_spec *spec, const void *context);
  /* state: the network's own, at one record; out: as many numbers as the axis is long.  NULL: a
   * scalar, the double at offset `from` of the state. */
  void (*compute)(const void *state, double *out);
  int better; /* as stop.metric: +1, larger is better; -1, smaller is; 0: cannot be one */
  size_t from;
  bool finite; /* a run has diverged at a record where this number is infinite or NaN */
} pl_measure;

/* Meanings that families share: "test_accuracy" is PL_ACCURACY " of the test part". */
#define PL_ACCURACY "share in the right class"
#define PL_MSE      "mean square error"

/* A table. */
typedef struct pl_measures {
  int num;
  const pl_measure *row;
} pl_measures;
#define PL_MEASURES(rows)                                                                          \
  { (int)(sizeof(rows) / sizeof *(rows)), rows }

/* A coordinate variable on an axis: value number i into a double, or into text[64]. */
typedef struct pl_coord {
  const char *name, *units, *long_name;
  bool text, integer;
  const char *points_into; /* name of an axis: the numbers are indices of it; NULL: just values */
  void (*value)(const void *context, int64_t i, double *number, char *text);
} pl_coord;

/* A dimension beyond run and record.  Runs whose keys are equal share its entries, those of a
 * shorter one being the first of a longer one; those of different keys stand one after the other in
 * the file.  key "": all runs share. */
typedef struct pl_axis {
  const char *name;
  char *key;
  int64_t length;
  const pl_coord *coords;
  int num_coords;
  /* Two keys in one sweep are an error of the sweep key named here; NULL: they are not. */
  const char *sole;
  bool drawn; /* its points depend on the data: runs that differ in these alone have others */
} pl_axis;

/* All of it for one run.  A record is size doubles: measure k at offset[k]. */
typedef struct pl_schema {
  int num_axes, num_measures;
  pl_axis *axes;
  const pl_measure **measures;
  int64_t *offset, *length;
  int64_t size;
  void *context; /* what the coordinates and `wanted` read */
  void (*free_context)(void *);
} pl_schema;

/* The wanted measures of tables (NULL-terminated), on those of axes that they stand on; an axis
 * that another's coordinate points into comes along.  Keys of axes are copied; context is the
 * schema's from now on.  Local. */
void pl_schema_init(pl_schema *s, const pl_spec *spec, const pl_measures *const *tables,
                    const pl_axis *axes, int num_axes, void *context, void (*free_context)(void *));
void pl_schema_free(pl_schema *s);
/* Measure k of s is scalar and called name: k, else -1. */
int pl_schema_find(const pl_schema *s, const char *name);
/* The network's own numbers of a record, of the scalar measure called name; NaN: it has none. Pure.
 */
double pl_schema_value(const pl_schema *s, const double *record, const char *name);
/* Are all that must be?  Pure. */
bool pl_schema_finite(const pl_schema *s, const double *record);

/* What a record says of its run: 1, 0, or PL_UNSAID. */
enum { PL_UNSAID = -1 };
typedef struct pl_verdict {
  int separated; /* every training sample is classified */
  int converged; /* by the network's own rule: pl_model_kind */
} pl_verdict;

/* One record into out, s->size doubles.  Local. */
void pl_schema_compute(const pl_schema *s, const void *state, double *out);

#endif
