/* Search by a first look in single precision, inside this room.  Documents that stand still are
 * kept once more as floats.  A score in single precision is so far, at most, from what DGEMM gives
 * in double precision: with u = 2^-24, u' = 2^-53, gamma_n = n u/(1 - n u) and n numbers a row,
 *   |s~ - s| <= ((1 + gamma_n)(1 + u)^2 - 1 + gamma'_n) ||q|| ||e||
 * whatever the order of the sums (Higham 2002, section 3.1: rounding of both rows, of the products
 * and sums here, of those there), and a little for numbers too small to be normal.  Only documents
 * whose score could be among the k best are scored in double precision: by the product that scores
 * all of them elsewhere, each at the place where it stands in its block, so that lists and scores
 * are the same to the last bit.  Where all scores are close to each other, all documents are scored
 * twice, and that is the worst.  Local. */
#ifndef PL_NETS_RETRIEVAL_SCREEN_H
#define PL_NETS_RETRIEVAL_SCREEN_H

#include "nets/retrieval/index.h"

#include <stdbool.h>

typedef struct screen screen;

/* Documents first .. first + count - 1, rows [count][width] of e, borrowed: blocks of
 * PL_INDEX_BLOCK, zeros behind the last one.  Lists of up to top. */
screen *screen_new(int64_t first, int64_t count, int64_t width, const double *e, int64_t top);
void screen_free(screen *s); /* may be NULL */
/* Does a first look save time with so many queries and documents?  Pure. */
bool screen_pays(int64_t queries, int64_t count, int64_t k);
/* Bytes of a screen, what does not grow with the documents aside.  Pure. */
double screen_bytes(double documents, double width, double top);
/* The rows are others than at the last search. */
void screen_stale(screen *s);
/* The k best of each of up to PL_INDEX_QUERIES queries, as heaps of have[i] in hits [queries][k];
 * false, and nothing done, where numbers are not finite or too large or too small for the bound. */
bool screen_top(screen *s, int64_t queries, const double *q, int64_t k, pl_hit *hits,
                int64_t *have);

/* score[i][c] = <q_i, e_c> for a block of rows: the product that defines scores; [queries][block].
 */
void index_score(int64_t queries, int64_t width, const double *q, const double *e, double *score);

#endif
