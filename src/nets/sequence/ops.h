/* Operations on sequences of different lengths, for the tape (tape/tape.h), with first and second
 * derivatives.  Inside this room only. */
#ifndef PL_NETS_SEQUENCE_OPS_H
#define PL_NETS_SEQUENCE_OPS_H

#include "tape/ops.h"

/* All rows of the room's table; NULL behind the last. */
const pl_tape_op *sequence_op(int i);

/* Sequences packed by time, the longest first: step t of the sequences 0 .. m_t - 1 that reach it
 * stands in rows start[t] .. start[t + 1] - 1, m_t their number, never growing.  Borrowed until the
 * reset. */
typedef struct packed {
  int64_t steps;
  const int64_t *start; /* [steps + 1]; start[0] = 0 */
} packed;

/* An LSTM over packed sequences, all of them in one node: a_t = x_t W + h_(t-1) U + b, the gates
 * (i, f, g, o) = (s, s, tanh, s)(a_t), s the sigmoid, c_t = f c_(t-1) + i g, h_t = o tanh c_t.
 *   x: [rows][inputs]; W: [inputs][4 H]; U: [H][4 H]; b: [1][4 H]; h, c at the start: [B][H],
 *   B = m_0.  Result: [rows + B][H], h_t packed as x, then c of each sequence at its end. */
pl_node *sequence_lstm(pl_tape *t, packed p, pl_node *x, pl_node *w, pl_node *u, pl_node *b,
                       pl_node *h, pl_node *c);

/* Which queries look at which keys: keys start[s] .. start[s + 1] - 1 and the queries row[k],
 * begin[s] <= k < begin[s + 1], belong to sequence s; every query to one.  Borrowed. */
typedef struct glances {
  int64_t sequences, width; /* width: columns of the scores, as many as the longest has keys */
  const int64_t *start, *begin;
  const int *row;
} glances;

/* u_rj = sum_h v_h tanh(k_jh + q_rh), j a key of query r's sequence counted from its first; columns
 * beyond: 0.  keys: [.][H], queries: [R][H], v: [H][1]; result: [R][width]. */
pl_node *sequence_scores(pl_tape *t, glances g, pl_node *keys, pl_node *queries, pl_node *v);

/* y_r = sum_j a_rj e_j over the keys of query r's sequence; a: [R][width], e: [.][H]. */
pl_node *sequence_mix(pl_tape *t, glances g, pl_node *a, pl_node *e);

#endif
