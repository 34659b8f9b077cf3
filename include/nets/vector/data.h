/* Labelled vectors and images, whole on every rank, and the kinds of data that they come from. */
#ifndef PL_NETS_VECTOR_DATA_H
#define PL_NETS_VECTOR_DATA_H

#include "base/comm.h"
#include "base/nc.h"
#include "model/data.h"

typedef struct pl_vector_shape {
  int64_t features;
  int64_t outputs;                 /* classes, or targets of a regression */
  bool classes;                    /* y is a class, 0..outputs - 1 */
  int64_t height, width, channels; /* of an image, its pixels row by row; height 0: none */
} pl_vector_shape;

/* Numbers of y to a sample. */
static inline int64_t pl_vector_targets(const pl_vector_shape *s) {
  return s->classes ? 1 : s->outputs;
}

/* One part of the data. */
typedef struct pl_vector_part {
  int64_t num;
  double *x;  /* [num][features] */
  double *y;  /* [num][targets]; NULL: the file of `plancherel apply` has none */
  int *label; /* [num]: y as an integer, of classes */
} pl_vector_part;

typedef struct pl_vectors {
  pl_vector_shape shape;
  pl_vector_part part[PL_NUM_PARTS];
} pl_vectors;

/* All parts of the data of spec: made or read on rank 0, the same on every rank.  PL_EINPUT as
 * pl_vector_data.check.  The caller frees them (pl_vectors_fini).  Collective; the same status on
 * every rank. */
pl_status pl_vectors_init(const pl_spec *spec, const pl_comm *team, pl_vectors *out);
/* All samples of an open file in the format of data.kind file as the test part, whatever split
 * says; y may be missing.  PL_EINPUT: they do not have this shape.  Collective; nc on rank 0 only.
 */
pl_status pl_vectors_open(const pl_nc *nc, const pl_comm *team, const pl_vector_shape *shape,
                          pl_vectors *out);
void pl_vectors_fini(pl_vectors *v);
/* Room for num samples, with y where there are targets; and its content from rank 0 to all, labels
 * being made.  The first is Local, the second Collective. */
void pl_vector_part_init(pl_vector_part *p, const pl_vector_shape *s, int64_t num, bool targets);
void pl_vector_part_share(pl_vector_part *p, const pl_vector_shape *s, const pl_comm *team);
/* Shape of the data of spec.  PL_EINPUT: its file is bad.  Local. */
pl_status pl_vector_shape_of(const pl_spec *spec, pl_vector_shape *out);
/* pl_data_kind.write_data of all kinds here. */
pl_status pl_vectors_write(const pl_spec *spec, const pl_comm *team, const char *path,
                           const pl_attribute *attributes, int num);

/* A kind of data on vectors: one file src/nets/vector/data_NAME.c. */
typedef struct pl_vector_data {
  pl_data_kind base; /* first */
  /* Shape; reads the head of the file it needs.  Local. */
  pl_status (*shape)(const pl_spec *spec, pl_vector_shape *out);
  /* Are the files good?  PL_EINPUT: *key is at fault.  Local.  NULL: nothing to check. */
  pl_status (*check)(const pl_spec *spec, const char **key);
  /* The num samples of a part: x [num][features], y [num][targets].  Local. */
  pl_status (*samples)(const pl_spec *spec, const pl_vector_shape *shape, pl_part part, int64_t num,
                       double *x, double *y);
} pl_vector_data;

extern const pl_vector_data pl_data_rings, pl_data_curve, pl_data_bars, pl_data_images,
    pl_data_lasso, pl_data_vector_file;
/* The dictionary of data.kind lasso, atom: [data.atoms][data.features], each of norm 1.  Local. */
void pl_lasso_dictionary(const pl_spec *spec, double *atom);
/* All of them, rings first; NULL-terminated. */
extern const pl_data_kind *const pl_vector_data_kinds[];
/* Those that have targets, or may: lasso first. */
extern const pl_data_kind *const pl_target_data_kinds[];
/* Those that are images, or files: bars first. */
extern const pl_data_kind *const pl_image_data_kinds[];

#endif
