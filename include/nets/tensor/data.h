/* Samples that are square matrices over n points, of many sizes, whole on every rank, and the kinds
 * of data that they come from. */
#ifndef PL_NETS_TENSOR_DATA_H
#define PL_NETS_TENSOR_DATA_H

#include "base/comm.h"
#include "base/nc.h"
#include "model/data.h"

enum { PL_TENSOR_MOST_POINTS = 1024 };

/* One part of the data. */
typedef struct pl_tensor_part {
  int64_t num;
  int *points;             /* [num]: n of each sample */
  int64_t *matrix, *point; /* [num + 1]: where the samples begin in w, and in what has n of them */
  double *w;               /* [n][n] each */
  double *y;               /* [1] or, of points, [n] each; NULL: the file has none */
} pl_tensor_part;

typedef struct pl_tensors {
  bool of_points; /* a target for each point, not one for a sample */
  bool up_to_sign;
  pl_tensor_part part[PL_NUM_PARTS];
} pl_tensors;

/* A kind of data: one file src/nets/tensor/data_NAME.c. */
typedef struct pl_tensor_data {
  pl_data_kind base; /* first */
  /* Are the files good?  PL_EINPUT: *key is at fault.  Local.  NULL: nothing to check. */
  pl_status (*check)(const pl_spec *spec, const char **key);
  /* What the targets are, and the sizes of num samples of a part, points[num].  Local. */
  pl_status (*sizes)(const pl_spec *spec, pl_part part, int64_t num, bool *of_points, int *points);
  /* The samples, into a part whose sizes are set.  Local. */
  pl_status (*samples)(const pl_spec *spec, pl_part part, pl_tensor_part *out);
  bool (*up_to_sign)(const pl_spec *spec); /* targets are known up to a sign; NULL: no */
} pl_tensor_data;

/* All parts of the data of spec: made or read on rank 0, the same on every rank.  The caller frees
 * them (pl_tensors_fini).  Collective; the same status on every rank. */
pl_status pl_tensors_init(const pl_spec *spec, const pl_comm *team, pl_tensors *out);
void pl_tensors_fini(pl_tensors *d);
/* All samples of an open file as the test part, y or not.  Collective; nc on rank 0 only. */
pl_status pl_tensors_open(const pl_nc *nc, const pl_comm *team, pl_tensors *out);
/* Room for num samples of these sizes, which it takes over; with targets: y too.  Local. */
void pl_tensor_part_init(pl_tensor_part *p, int64_t num, int *points, bool targets, bool of_points);
/* Its content from rank 0 to all.  Collective. */
void pl_tensor_part_share(pl_tensor_part *p, bool of_points, const pl_comm *team);
/* pl_data_kind.write_data of all kinds here. */
pl_status pl_tensors_write(const pl_spec *spec, const pl_comm *team, const char *path,
                           const pl_attribute *attributes, int num);

extern const pl_tensor_data pl_data_weighted_graphs, pl_data_tensor_gaussian, pl_data_tensor_file;

#endif
