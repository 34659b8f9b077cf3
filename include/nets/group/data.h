/* Labelled samples, as Fourier matrices over a layout; and filters, drawn or read the same way. */
#ifndef PL_NETS_GROUP_DATA_H
#define PL_NETS_GROUP_DATA_H

#include "model/spec.h"
#include "spectral/transform.h"

typedef struct pl_data {
  int64_t num_samples;
  double *y;               /* [num_samples]: +1 or -1 */
  double *x;               /* samples of stack b: pl_data_stack, sample i at i * pl_data_stride */
  int64_t num_test;        /* fresh samples of data.kind teacher; 0 for the others */
  double *test_y, *test_x; /* likewise */
} pl_data;

/* The group of spec, or its band.  PL_EINPUT: *key (key may be NULL) is at fault.  The caller frees
 * it (pl_group_free).  Local. */
pl_status pl_data_group(const pl_spec *spec, const char **key, pl_group **out);

/* Room of one sample of a stack, in doubles: whole cache lines. */
static inline int64_t pl_data_stride(const pl_stack *b) {
  return (pl_stack_doubles(b) + 7) / 8 * 8;
}
static inline double *pl_data_stack(const pl_data *data, const pl_stack *b) {
  return data->x + data->num_samples * b->offset;
}
static inline double *pl_data_test_stack(const pl_data *data, const pl_stack *b) {
  return data->test_x + data->num_test * b->offset;
}

/* Do the data keys fit each other and the group?  Reads the files.  PL_EINPUT: *key is at fault.
 * Local. */
pl_status pl_data_check(const pl_spec *spec, const pl_group *g, const char **key);
/* N: of the file for data.kind file (0 if it cannot be read), of the key otherwise.  Local. */
int64_t pl_data_num_samples(const pl_spec *spec);
int64_t pl_data_num_test(const pl_spec *spec);
/* Does making the data, or the filters, need functions over G (and so a transform)?  Never in a
 * band. */
bool pl_data_needs_transform(const pl_spec *spec);

/* The samples of spec.  f (pl_transform_count doubles) and F (layout->local) are workspace; t and f
 * are NULL in a band.
 * Collective over the layout's team; the same status on every rank. */
pl_status pl_data_new(const pl_spec *spec, const pl_layout *l, pl_transform *t, double *f,
                      double *F, pl_data **out);
void pl_data_free(pl_data *data);

/* model.init.*: does it fit the group?  As pl_data_check. */
pl_status pl_filters_check(const pl_spec *spec, const pl_group *g, const char **key);
/* The initial filters w[0..depth-1], each a spectrum (w_1 first).  f: workspace; t and f as for
 * pl_data_new.  Collective. */
pl_status pl_filters_init(const pl_spec *spec, const pl_layout *l, pl_transform *t, double *f,
                          double *const *w);

#endif
