/* Exact search by inner products, score(q, d) = <q, e_d>, among documents that the ranks of a team
 * share.  Documents come in blocks of PL_INDEX_BLOCK rows, zeros behind the last one, and a rank
 * holds whole blocks: every product has the same shape and operands on any number of ranks, so that
 * scores, lists and ranks agree to the last bit.  Documents of equal score stand by number; a score
 * that is no number counts as minus infinity. */
#ifndef PL_NETS_RETRIEVAL_INDEX_H
#define PL_NETS_RETRIEVAL_INDEX_H

#include "base/comm.h"

#include <stdint.h>

enum { PL_INDEX_BLOCK = 512, PL_INDEX_QUERIES = 128 };

typedef struct pl_hit {
  double score;
  int64_t document; /* -1: none */
} pl_hit;

typedef struct pl_index pl_index;

/* Room for this rank's part of the documents, whose embeddings the caller writes (pl_index_rows),
 * and for lists of up to top documents.  team is borrowed.  Local. */
pl_index *pl_index_new(const pl_comm *team, int64_t documents, int64_t width, int64_t top);
void pl_index_free(pl_index *ix); /* may be NULL */

/* This rank's documents: numbers *first .. *first + *count - 1, whose rows [count][width] are
 * returned.  They may be written until the next search, and then after another call.  Local. */
double *pl_index_rows(pl_index *ix, int64_t *first, int64_t *count);

/* The k <= top best documents of each query, best first; where the index has fewer, document -1
 * behind them.  q: [queries][width], the same on every rank; hits: [queries][k], so too.  Lists of
 * the ranks are merged by one reduction for PL_INDEX_QUERIES queries.  Collective. */
void pl_index_top(pl_index *ix, int64_t queries, const double *q, int64_t k, pl_hit *hits);

/* Ranks, from 1, of certain documents among all: for query i those document[start[i]] ..
 * document[start[i + 1] - 1].  A document without a score is last.  rank, and score, which may be
 * NULL: [start[queries]].  Collective. */
void pl_index_ranks(pl_index *ix, int64_t queries, const double *q, const int64_t *start,
                    const int32_t *document, int64_t *rank, double *score);

/* Embeddings of count documents, the same on every rank: out [count][width].  Collective. */
void pl_index_fetch(const pl_index *ix, int64_t count, const int32_t *document, double *out);

/* ---- lists ---- */

/* Is a before b in a list?  Pure. */
static inline int pl_hit_before(pl_hit a, pl_hit b) {
  return a.score > b.score || (a.score == b.score && a.document < b.document);
}
/* One more into list, a heap of *have, of which the best k stay.  Local. */
void pl_hits_put(pl_hit *list, int64_t *have, int64_t k, pl_hit h);
/* The best k of documents first .. first + n - 1 and those that list, a heap of *have, holds
 * already; numbers above those in it.  Local. */
void pl_hits_add(pl_hit *list, int64_t *have, int64_t k, int64_t first, int64_t n,
                 const double *score);
/* From a heap to a list, best first.  Local. */
void pl_hits_sort(pl_hit *list, int64_t have);

#endif
