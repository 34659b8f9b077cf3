/* Tasks: each has samples to adapt to (support) and samples to be judged by (query), as many in
 * every task of a run.  They are made one at a time, by number: a part of a million tasks takes no
 * room. */
#ifndef PL_NETS_META_DATA_H
#define PL_NETS_META_DATA_H

#include "base/comm.h"
#include "base/nc.h"
#include "model/data.h"
#include "nets/inner.h"

typedef struct pl_task_shape {
  pl_inner_shape sample;
  int64_t support, query;
} pl_task_shape;
static inline int64_t pl_task_samples(const pl_task_shape *s) {
  return s->support + s->query;
}

/* All tasks of a run. */
typedef struct pl_tasks {
  const pl_spec *spec; /* borrowed */
  pl_task_shape shape;
  int64_t count[PL_NUM_PARTS];
  void *own; /* the kind's: images, tables, the samples of a file */
} pl_tasks;

/* The tasks of spec, whose check has passed: files are read on rank 0, the same on every rank.
 * Collective; the same status on every rank.  Ended by pl_tasks_fini. */
pl_status pl_tasks_init(const pl_spec *spec, const pl_comm *team, pl_tasks *out);
/* Those of an open file in the format of data.kind file, as the test part.  nc on rank 0 only. */
pl_status pl_tasks_open(const pl_spec *spec, const pl_nc *nc, const pl_comm *team, pl_tasks *out);
void pl_tasks_fini(pl_tasks *t);
/* Samples of task i of a part, support first: x [support + query][features], y [..][targets], a
 * class of its own numbering, 0..outputs - 1, or the targets.  Local, pure. */
void pl_task_make(const pl_tasks *t, pl_part part, int64_t i, double *x, double *y);

/* Shape of the tasks of spec.  PL_EINPUT: its files are bad.  Local. */
pl_status pl_task_shape_of(const pl_spec *spec, pl_task_shape *out);
/* pl_data_kind.write_data of all kinds here. */
pl_status pl_tasks_write(const pl_spec *spec, const pl_comm *team, const char *path,
                         const pl_attribute *attributes, int num);

/* A kind of tasks: one file src/nets/meta/data_NAME.c. */
typedef struct pl_task_data {
  pl_data_kind base;                                           /* first */
  pl_status (*shape)(const pl_spec *spec, pl_task_shape *out); /* as pl_task_shape_of */
  /* Are keys and files good?  PL_EINPUT: *key is at fault.  Local.  NULL: nothing to check. */
  pl_status (*check)(const pl_spec *spec, const char **key);
  /* What all tasks share, into t->own; shape and count are there.  Collective; the same status on
   * every rank.  NULL: nothing. */
  pl_status (*begin)(pl_tasks *t, const pl_comm *team);
  void (*end)(void *own);
  /* As pl_task_make. */
  void (*make)(const pl_tasks *t, pl_part part, int64_t i, double *x, double *y);
} pl_task_data;

extern const pl_task_data pl_data_sinusoid, pl_data_quadratic, pl_data_group_tasks, pl_data_fewshot,
    pl_data_task_file;
/* All of them, sinusoid first; NULL-terminated. */
extern const pl_data_kind *const pl_task_data_kinds[];

/* Of data.kind group: the row spaces v_rho that its tasks share, one after the other for the irreps
 * of data.irreps.  irrep: their numbers, [*num]; v: [sum of their dimensions].  The caller frees
 * both.  PL_EINPUT.  Local. */
pl_status pl_group_tasks_rows(const pl_spec *spec, int *num, int64_t **irrep, double **v);

#endif
