/* Networks whose outputs are sequences of their inputs: hulls, triangulations, tours, orders.
 * Formulas, keys, names of weights, the format of files: src/nets/sequence/README.md. */
#ifndef PL_NETS_SEQUENCE_SEQUENCE_H
#define PL_NETS_SEQUENCE_SEQUENCE_H

#include "model/data.h"
#include "nets/net.h"

/* A kind of data: what is asked of the points; NULL: its file tells. */
typedef struct pl_sequence_data {
  pl_data_kind base; /* first */
  const struct task *task;
} pl_sequence_data;

extern const pl_net_kind pl_pointer;
extern const pl_sequence_data pl_data_hull, pl_data_delaunay, pl_data_tsp, pl_data_sort,
    pl_data_sequence_file;
/* All of them, hull first; NULL-terminated. */
extern const pl_data_kind *const pl_sequence_data_kinds[];

#endif
