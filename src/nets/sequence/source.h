/* Where instances come from: drawn by counter-based numbers whenever they are asked for, so that a
 * million of them takes no memory, or held from a file. */
#ifndef PL_NETS_SEQUENCE_SOURCE_H
#define PL_NETS_SEQUENCE_SOURCE_H

#include "base/comm.h"
#include "base/nc.h"
#include "model/data.h"
#include "task.h"

enum { MOST_SIZES = 64, MOST_POINTS = 1000 };

/* Instances of a file, one behind the other. */
typedef struct stored {
  int64_t num;
  int64_t *start, *begin; /* [num + 1]: first number of x (in points), first symbol of output */
  double *x;
  int *output;      /* NULL: the file has none */
  int64_t *optimal; /* 1: the file says that the output is; NULL: it says nothing */
  int64_t *part[PL_NUM_PARTS], count[PL_NUM_PARTS]; /* numbers of the instances of each */
} stored;

typedef struct source {
  const task *task;
  int canonical;
  int low, high;                   /* points of training instances */
  int num_sizes, size[MOST_SIZES]; /* of the test part, ascending */
  bool optimal[MOST_SIZES];        /* the outputs of that size are known to be */
  int64_t count[PL_NUM_PARTS];
  int64_t per_size; /* test instances of each size, if drawn */
  uint64_t seed;
  int most_points; /* of any instance */
  stored *file;    /* NULL: drawn */
  solver *solver;
} source;

/* The head, for shapes and checks: all but stored instances and solver.  May read a file.
 * PL_EINPUT: *key is at fault.  Local. */
pl_status source_head(const pl_spec *spec, source *out, const char **key);
/* All of it: the caller frees it (source_fini).  Collective; the same status on every rank. */
pl_status source_init(const pl_spec *spec, const pl_comm *team, source *out);
/* All instances of a file as the test part, of a network that learnt `task`; nc on rank 0 only.
 * Collective. */
pl_status source_open(const pl_nc *nc, const pl_comm *team, source *out);
void source_fini(source *s);

/* Points of an entry of a part.  Local, pure. */
int source_points(const source *s, pl_part part, int64_t entry);
/* Its points into x and its right output into output (room as task.solve); p borrows both.  Without
 * outputs in the file: length 0.  Local. */
void source_instance(const source *s, pl_part part, int64_t entry, double *x, int *output,
                     problem *p);
/* Are there right outputs? */
bool source_has_outputs(const source *s);
/* Number of a size in s->size; -1: it is not there. */
int source_size(const source *s, int points);
/* Symbols that source_instance may write for n points. */
static inline int64_t source_room(const source *s, int n) {
  return s->task->most(n) + 2 * n;
}

/* ---- files: data_file.c ---- */

/* Head and instances of an open file; all_test: all of them as the test part, outputs or not.
 * PL_EINPUT: the file is bad.  What is there must be freed either way (source_fini).  Local. */
pl_status sequence_file_read(const pl_nc *nc, bool all_test, source *s);
/* The head alone, of a file to train on.  Local. */
pl_status sequence_file_head(const pl_nc *nc, source *out);
/* pl_data_kind.write_data. */
pl_status sequence_write(const pl_spec *spec, const pl_comm *team, const char *path,
                         const pl_attribute *attributes, int num);

#endif
