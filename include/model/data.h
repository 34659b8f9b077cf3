/* Kinds of data, as the sweep file knows them.  How samples are drawn or read is the business of
 * the family whose networks take them: its kinds of data begin with this struct. */
#ifndef PL_MODEL_DATA_H
#define PL_MODEL_DATA_H

#include "base/comm.h"
#include "model/spec.h"

/* Parts of the data: split(sample) of a file has these numbers. */
typedef enum { PL_TRAIN, PL_VALIDATION, PL_TEST, PL_NUM_PARTS } pl_part;
/* "train", "validation", "test". */
const char *pl_part_name(pl_part part);

/* A key of a run and its value, as texts: for attributes of files. */
typedef struct pl_attribute {
  const char *name, *text;
} pl_attribute;

typedef struct pl_data_kind {
  const char *name, *help;
  const pl_keys *const *keys; /* NULL-terminated; place PL_IN_DATA or PL_IN_COMMON */
  const pl_default *defaults; /* ends with key NULL; NULL: none */
  bool seedless;              /* the samples are the same whatever the seed: read, not drawn */
  /* Do the values fit each other?  The key at fault, with a message (pl_error), or NULL.  Reads
   * no file.  The function may be NULL. */
  const char *(*fits)(const pl_spec *spec);
  /* How many samples a part has; reads the file it needs, 0 where that fails.  NULL: data.samples,
   * data.validation, data.test.  Local. */
  int64_t (*count)(const pl_spec *spec, pl_part part);
  /* Write all samples of a run, as the network has them, to a new NetCDF file in the format that
   * the family's data.kind file reads, with these texts as attributes (`plancherel data`).  The
   * spec has passed check.  NULL: there is no such format.  Collective over team; so is the status.
   */
  pl_status (*write_data)(const pl_spec *spec, const pl_comm *team, const char *path,
                          const pl_attribute *attributes, int num);
} pl_data_kind;

/* How many samples part of the run's data has.  May read a file.  Local. */
int64_t pl_data_count(const pl_spec *spec, pl_part part);
/* Do two runs have the same data: all keys that touch them equal?  Local, pure. */
bool pl_data_same(const pl_spec *a, const pl_spec *b);

#endif
