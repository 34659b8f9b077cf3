/* Labelled samples on a group, as Fourier matrices over a layout; the kinds of data that they come
 * from; and filters, drawn or read the same way. */
#ifndef PL_NETS_GROUP_DATA_H
#define PL_NETS_GROUP_DATA_H

#include "model/data.h"
#include "base/nc.h"
#include "spectral/transform.h"

/* ---- samples ---- */

/* data.store. */
enum { PL_DATA_KEEP, PL_DATA_REGENERATE };

typedef struct pl_recipes pl_recipes; /* src/nets/group/recipes.h */

/* One part of the data.  Its samples are kept or made anew at every use (data.store): those who do
 * not ask for kept ones (pl_data_new) take them by pl_samples_sum, _dot and _get. */
typedef struct pl_samples {
  int64_t num;
  double *y; /* [num]: +1 or -1 */
  double *x; /* kept: samples of stack b: pl_samples_stack, sample i at i * pl_data_stride */
  pl_recipes *recipes; /* NULL: kept; else borrowed, sample i of the part its number at + i */
  int64_t at;
} pl_samples;

typedef struct pl_data {
  pl_samples part[PL_NUM_PARTS];
  pl_recipes *recipes; /* NULL: kept */
} pl_data;

/* Room of one sample of a stack, in doubles: whole cache lines. */
static inline int64_t pl_data_stride(const pl_stack *b) {
  return (pl_stack_doubles(b) + 7) / 8 * 8;
}
static inline double *pl_samples_stack(const pl_samples *s, const pl_stack *b) {
  return s->x + s->num * b->offset;
}

/* This rank's part of a stack: r = sum_i c[i] x_i; out[i] += its share of <x_i, y>; x_i itself.
 * Local; no allocation. */
void pl_samples_sum(const pl_samples *s, const pl_stack *b, const double *c, double *r);
void pl_samples_dot(const pl_samples *s, const pl_stack *b, const double *y, double *out);
void pl_samples_get(const pl_samples *s, const pl_stack *b, int64_t i, double *out);

/* The group of spec, or its band.  PL_EINPUT: *key (key may be NULL) is at fault, for a group of
 * more irreps than can be gone through, too.  The caller frees it (pl_group_free).  Local. */
pl_status pl_group_of(const pl_spec *spec, const char **key, pl_group **out);

/* Do the data fit the group?  Reads the files.  PL_EINPUT: *key is at fault.  Local. */
pl_status pl_group_data_check(const pl_spec *spec, const pl_group *g, const char **key);
/* Does making the data of a group, or the filters, need functions over G (and so a transform)?
 * Never in a band, nor for sums of few permutations that are kept by no one who looks at functions
 * over G (elements: somebody does), nor for those that are not kept at all.  Pure. */
bool pl_group_data_needs_transform(const pl_spec *spec, const pl_group *g, int store,
                                   bool elements);
/* Permutations whose sum a sample is; 0: it is made in other ways.  Pure. */
double pl_group_data_permutations(const pl_spec *spec);
/* Can samples be made anew at every use (PL_DATA_REGENERATE)?  Pure. */
bool pl_group_data_regenerates(const pl_spec *spec, const pl_group *g);

/* All parts of the data of spec.  store: PL_DATA_KEEP or PL_DATA_REGENERATE.  f
 * (pl_transform_count doubles) and F (layout->local; regenerated: layout->scratch) are workspace; t
 * and f may be NULL where pl_group_data_needs_transform says no.  Collective over the layout's
 * team; the same status on every rank. */
pl_status pl_data_new(const pl_spec *spec, const pl_layout *l, int store, pl_transform *t,
                      double *f, double *F, pl_data **out);
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
  bool regenerates;        /* recipes are asked for, not samples */
  void *own;               /* the kind's, made by begin and freed by end */
} pl_source;

/* What a sample is made of where it is made again and again. */
typedef struct pl_recipe {
  uint64_t stream; /* of a Gaussian one */
  int64_t count;   /* else permutations, as many as pl_group_data.most says or fewer, */
  int8_t *perms;   /* [count][letters]: in one-line notation from 0, and what each counts */
  double *weights; /* [count] */
} pl_recipe;

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
  /* Permutations that a sample may be a sum of, once begin is through.  NULL: permutations. */
  int64_t (*most)(const pl_source *s);
  /* The same sample as a recipe; perms and weights have room.  permutations NULL: a Gaussian one;
   * else a sum of permutations, on S_n or a band, without the trivial irrep if centred says so.
   * Local.  NULL: it cannot be. */
  pl_status (*recipe)(pl_source *s, pl_part part, int64_t i, pl_recipe *out);
  bool (*centred)(const pl_spec *spec); /* NULL: never */
  /* The error of a sample of which that leaves nothing. */
  pl_status (*nothing_left)(int64_t sample);
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
