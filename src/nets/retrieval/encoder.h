/* Encoders: rows of sparse features into rows of model.width numbers.
 *   linear  E(x) = x W
 *   mlp     E(x) = s(.. s(x W_0 + b_0) ..) W_L-1 + b_L-1
 * The query encoder's weights come first; with model.shared it serves documents too. */
#ifndef PL_NETS_RETRIEVAL_ENCODER_H
#define PL_NETS_RETRIEVAL_ENCODER_H

#include "keys.h"
#include "nets/retrieval/data.h"

enum { SIDE_QUERY, SIDE_DOCUMENT };

/* The weights of both (pl_net_add), for so many features. */
void encoder_add(pl_net *net, int64_t features);
/* The first weight of a side's encoder, and the number of its weights.  Pure. */
int encoder_first(const pl_spec *spec, int side);
int encoder_weights(const retrieval_values *v);

/* E of the rows of x on the tape; w: the nodes of all weights. */
pl_node *encoder_of(const pl_net *net, pl_tape *t, pl_node *const *w, int side,
                    const pl_tape_csr *x);
/* Rows row[0 .. count - 1] of s, in the tape's memory. */
pl_tape_csr encoder_rows(pl_tape *t, const pl_csr *s, int64_t count, const int32_t *row);
/* E at the weights w, laid out as net->w, of rows first .. first + count - 1 of s or, row given, of
 * row[first] .., into out [count][width], in pieces of PL_INDEX_BLOCK from the first on; t is
 * reset. Local. */
void encoder_embed(const pl_net *net, pl_tape *t, const double *w, int side, const pl_csr *s,
                   const int32_t *row, int64_t first, int64_t count, double *out);

#endif
