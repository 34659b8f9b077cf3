/* Samples from NetCDF files, and into them; formats: README.md.  Local: rank 0 calls these. */
#ifndef PL_NETS_POINTS_FILE_H
#define PL_NETS_POINTS_FILE_H

#include "nets/points/data.h"

/* What the task calls its samples and their nodes, and where these begin. */
typedef struct points_names {
  const char *sample, *node, *start;
} points_names;
const points_names *points_names_of(pl_points_task task);

/* All samples of a file as one part, with the part that each belongs to (NULL: the file does not
 * say).  Shape is found; where it has elements already, atoms of others are PL_EINPUT; its property
 * is the column of target(molecule, property) that is read.  targets: they must be there.  The
 * caller frees *all and *split whatever the status. */
pl_status points_file_read(const pl_nc *nc, bool targets, pl_points_shape *shape,
                           pl_points_part *all, int64_t **split);
/* Samples number index[0 .. num - 1] of a part, as another. */
void points_take(const pl_points_shape *s, const pl_points_part *all, int64_t num,
                 const int64_t *index, pl_points_part *out);
/* Parts by split[all->num], and mean and deviation of a property. */
void points_divide(const pl_points_part *all, const int64_t *split, pl_points *out);
/* All of a file as the test part, for a network of out->shape. */
pl_status points_file_open(const pl_nc *nc, pl_points *out);
pl_status points_file_write(const pl_points *p, const char *path, const pl_attribute *attributes,
                            int num);
/* The dimensions of samples and nodes in define mode, and those of a variable on nodes (dims, room
 * for 4) with another dimension or NULL: (sample, node) where all samples have as many, else
 * (node), with variable NAME_start.  And that variable's values. */
pl_status points_file_dims(pl_nc *nc, pl_points_task task, int64_t num, const int64_t *start);
void points_node_dims(pl_points_task task, int64_t num, const int64_t *start, const char *more,
                      const char **dims);
pl_status points_put_starts(pl_nc *nc, pl_points_task task, int64_t num, const int64_t *start);

#endif
