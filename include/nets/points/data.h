/* Clouds of points with what is known of them, whole on every rank, and the kinds of data that they
 * come from.  A sample is a system of particles, a graph or a molecule, of any number of nodes. */
#ifndef PL_NETS_POINTS_DATA_H
#define PL_NETS_POINTS_DATA_H

#include "base/comm.h"
#include "base/nc.h"
#include "model/data.h"

/* What is asked for. */
typedef enum {
  PL_POINTS_POSITIONS, /* where the particles will be */
  PL_POINTS_ADJACENCY, /* the graph itself, through positions that a network gives its nodes */
  PL_POINTS_PROPERTY   /* one number of a molecule */
} pl_points_task;

enum { PL_POINTS_AXES = 16, PL_POINTS_ELEMENTS = 32 };

typedef struct pl_points_shape {
  pl_points_task task;
  int64_t dimension; /* axes of a position */
  int elements;      /* kinds of atoms, by number */
  int element[PL_POINTS_ELEMENTS];
  int64_t property;    /* column of target(molecule, property) in the file */
  double nodes, pairs; /* of a sample, on average: for costs */
} pl_points_shape;

/* One part of the data.  Pairs are all ordered pairs (i, j), i != j, of a sample, by i, then j. */
typedef struct pl_points_part {
  int64_t num;
  int64_t *start;      /* [num + 1]: the first node of each sample */
  int64_t *pair_start; /* [num + 1]: its first pair */
  double *x;           /* [nodes][dimension]; NULL: adjacency from positions that are drawn anew */
  double *v;           /* [nodes][dimension]: velocities, for positions */
  double *charge;      /* [nodes], for positions */
  unsigned char *edge; /* [pairs]: 1 where i and j are joined, for adjacency */
  int *element;        /* [nodes]: index into shape.element, for a property */
  double *y;           /* [nodes][dimension] or [num]; NULL: adjacency, or none in a file */
} pl_points_part;

typedef struct pl_points {
  pl_points_shape shape;
  double mean, deviation; /* of a property: mean, and mean absolute deviation, over training */
  pl_points_part part[PL_NUM_PARTS];
} pl_points;

static inline int64_t pl_points_nodes(const pl_points_part *p) {
  return p->num ? p->start[p->num] : 0;
}
static inline int64_t pl_points_pairs(const pl_points_part *p) {
  return p->num ? p->pair_start[p->num] : 0;
}

/* All parts of the data of spec: made or read on rank 0, the same on every rank.  PL_EINPUT as
 * pl_points_data.check.  The caller frees them (pl_points_fini).  Collective; the same status on
 * every rank. */
pl_status pl_points_init(const pl_spec *spec, const pl_comm *team, pl_points *out);
void pl_points_fini(pl_points *p);
/* Shape of the data of spec.  PL_EINPUT: its file is bad.  Local. */
pl_status pl_points_shape_of(const pl_spec *spec, pl_points_shape *out);
/* All samples of an open file as the test part, whatever split says; targets may be missing.  want:
 * the shape that a network was made for; PL_EINPUT: they do not have it.  Collective; nc on rank 0
 * only. */
pl_status pl_points_open(const pl_nc *nc, const pl_comm *team, const pl_points_shape *want,
                         pl_points *out);
/* pl_data_kind.write_data of all kinds here. */
pl_status pl_points_write(const pl_spec *spec, const pl_comm *team, const char *path,
                          const pl_attribute *attributes, int num);

/* ---- what kinds of data are made of ---- */

/* Room for samples of start[num + 1] nodes (copied); positions, y: are there any?  Local. */
void pl_points_part_init(pl_points_part *p, const pl_points_shape *s, int64_t num,
                         const int64_t *start, bool positions, bool y);
void pl_points_part_fini(pl_points_part *p);
/* nodes and pairs of shape, from the samples of a part.  Local. */
void pl_points_average(pl_points_shape *s, const pl_points_part *p);

/* A kind of data on points: one file src/nets/points/data_NAME.c. */
typedef struct pl_points_data {
  pl_data_kind base; /* first */
  /* Shape; reads the file it needs.  Local. */
  pl_status (*shape)(const pl_spec *spec, pl_points_shape *out);
  /* Are the files good?  PL_EINPUT: *key is at fault.  Local.  NULL: nothing to check. */
  pl_status (*check)(const pl_spec *spec, const char **key);
  /* All parts, of that shape.  Local; *out is empty, and freed by the caller whatever the status.
   */
  pl_status (*make)(const pl_spec *spec, pl_points *out);
} pl_points_data;

extern const pl_points_data pl_data_nbody, pl_data_graphs, pl_data_points_molecules,
    pl_data_points_file;
/* All of them, nbody first; NULL-terminated. */
extern const pl_data_kind *const pl_points_data_kinds[];
/* Those that ask for positions or a property, and for positions or adjacency. */
extern const pl_data_kind *const pl_points_body_kinds[], *const pl_points_plain_kinds[];

#endif
