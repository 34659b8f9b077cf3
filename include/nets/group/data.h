/* Labelled samples on a group, as Fourier matrices over a layout; the kinds of data that they come
 * from; and filters, drawn or read the same way. */
#ifndef PL_NETS_GROUP_DATA_H
#define PL_NETS_GROUP_DATA_H

#include "model/data.h"
#include "base/nc.h"
#include "spectral/transform.h"

/* ---- samples ---- */

/* One part of the data. */
typedef struct pl_samples {
  int64_t num;
  double *y; /* [num]: +1 or -1 */
  double *x; /* samples of stack b: pl_samples_stack, sample i at i * pl_data_stride */
} pl_samples;

typedef struct pl_data {
  pl_samples part[PL_NUM_PARTS];
} pl_data;

/* Room of one sample of a stack, in doubles: whole cache lines. */
static inline int64_t pl_data_stride(const pl_stack *b) {
  return (pl_stack_doubles(b) + 7) / 8 * 8;
}
static inline double *pl_samples_stack(const pl_samples *s, const pl_stack *b) {
  return s->x + s->num * b->offset;
}

/* The group of spec, or its band.  PL_EINPUT: *key (key may be NULL) is at fault.  The caller frees
 * it (pl_group_free).  Local. */
pl_status pl_group_of(const pl_spec *spec, const char **key, pl_group **out);

/* Do the data fit the group?  Reads the files.  PL_EINPUT: *key is at fault.  Local. */
pl_status pl_group_data_check(const pl_spec *spec, const pl_group *g, const char **key);
/* Does making the data, or the filters, need functions over G (and so a transform)?  Never in a
 * band.  Pure. */
bool pl_group_data_needs_transform(const pl_spec *spec);
/* Permutations whose sum a sample is; 0: it is made in other ways.  Pure. */
double pl_group_data_permutations(const pl_spec *spec);

/* All parts of the data of spec.  f (pl_transform_count doubles) and F (layout->local) are
 * workspace; t and f are NULL in a band, and may be where pl_group_data_needs_transform says no.
 * Collective over the layout's team; the same status on every rank. */
pl_status pl_data_new(const pl_spec *spec, const pl_layout *l, pl_transform *t, double *f,
                      double *F, pl_data **out);
void pl_data_free(pl_data *data);

/* pl_data_kind.write_data of all kinds on groups. */
pl_status pl_group_data_write(const pl_spec *spec, const pl_comm *team, const char *path,
                              const pl_attribute *attributes, int num);
/* Can a network on g be applied to the samples of a file?  Labels may be missing; it then counts
 * them as +1.  *n: samples; *split: the part of each, *labelled: there are labels; the caller frees
 * split.  PL_EINPUT.  Local. */
pl_status pl_group_file_open(const char *path, const pl_group *g, int64_t *n, int64_t **split,
                             bool *labelled);
/* Its labels y(sample), n of them.  PL_EINPUT.  Local. */
pl_status pl_group_file_labels(const pl_nc *nc, int64_t n, double *y);

/* ---- kinds of data ---- */

/* Samples being made for one run on one team. */
typedef struct pl_source {
  const pl_spec *spec;
  const pl_layout *layout;
  pl_transform *transform; /* NULL in a band, or where the kind is not over_group */
  double *f;               /* workspace: a function over G; NULL likewise */
  uint64_t seed;           /* of the data */
  void *own;               /* the kind's, made by begin and freed by end */
} pl_source;

/* A kind of data on groups: one file src/nets/group/data_NAME.c, with its keys (fields of
 * pl_group_data_values), and one row in src/nets/group/data.c and src/zoo.c. */
typedef struct pl_group_data {
  pl_data_kind base; /* first */
  bool over_group;   /* outside a band, samples are functions over G first */
  /* As pl_group_data_permutations.  NULL: 0. */
  double (*permutations)(const pl_spec *spec);
  /* As pl_group_data_check.  NULL: nothing to check. */
  pl_status (*check)(const pl_spec *spec, const pl_group *g, const char **key);
  /* Open, read, or make what the samples share.  Collective; the same status on every rank, after
   * which end is called whatever it is.  NULL: nothing to do. */
  pl_status (*begin)(pl_source *s);
  /* Sample i of a part into F, before data.scale, and its label: in the order of parts and samples.
   * *y comes as +1, -1 in turn.  Collective; the same status on every rank. */
  pl_status (*sample)(pl_source *s, pl_part part, int64_t i, double *F, double *y);
  void (*end)(pl_source *s); /* NULL: nothing to free */
} pl_group_data;

extern const pl_group_data pl_data_gaussian, pl_data_sparse, pl_data_irrep, pl_data_group_file,
    pl_data_teacher, pl_data_idx, pl_data_rankings, pl_data_target;
/* All of them that have samples, gaussian first; NULL-terminated. */
extern const pl_data_kind *const pl_group_data_kinds[];

/* ---- filters ---- */

/* How many filters the network of spec has: model.channels per layer, those of a layer one after
 * the other, or one for all layers (model.tied).  Pure. */
int pl_filters_count(const pl_spec *spec);
/* model.init.*: does it fit the group?  As pl_group_data_check. */
pl_status pl_filters_check(const pl_spec *spec, const pl_group *g, const char **key);
/* The initial filters w[0..pl_filters_count-1], each a spectrum (w_1 first).  f: workspace; t and f
 * as for pl_data_new.  Collective. */
pl_status pl_filters_init(const pl_spec *spec, const pl_layout *l, pl_transform *t, double *f,
                          double *const *w);

#endif
