/* Permutation groups given by generators: the stabiliser chain of Schreier and Sims (Seress 2003,
 * Permutation Group Algorithms, chapters 4 and 8).
 *
 * G = G_0 > G_1 > .. > G_k = 1, where G_(l+1) fixes the base point b_l of G_l; level l holds one
 * element u of G_l for every point of the orbit of b_l.  Every g is u_0 u_1 .. u_(k-1) in one way,
 * and the digits (j_0, .., j_(k-1)) of its factors, j_0 slowest, make its number; digit 0 is the
 * identity.  The left cosets of G_l are therefore contiguous.
 *   An element is known by the images of the base, so that products and inverses take about k^2
 * look-ups and no table of |G|^2.  Products right to left: (st)(i) = s(t(i)); points from 0. */
#ifndef PL_GROUP_CHAIN_H
#define PL_GROUP_CHAIN_H

#include "base/status.h"

#include <stdint.h>

typedef uint16_t pl_point;
enum { PL_MAX_DEGREE = 4096 };

/* Generators: num permutations of 0..degree-1, one-line, one after the other. */
typedef struct pl_perms {
  int degree, num;
  pl_point *image; /* owned */
} pl_perms;

typedef struct pl_level {
  int base, size;
  int *index;          /* of a point in the orbit, or -1 */
  pl_point *rep, *inv; /* size permutations: rep j takes base to point j of the orbit; inverses */
} pl_level;

typedef struct pl_chain {
  int degree, levels;
  pl_level *level;
  int64_t order; /* -1: 2^62 or more */
} pl_chain;

/* Chain of the group that p generates (p is read only here).  The order is certain: either it
 * reaches a bound (the product of the factorials of the orbits, halved if p is even) or every
 * Schreier generator is sifted.  PL_EENV with a message when that needs too much time or memory.
 * Free with pl_chain_free. */
pl_status pl_chain_new(const pl_perms *p, pl_chain **out);
void pl_chain_free(pl_chain *c);
/* |G| in decimal; the caller frees it. */
char *pl_chain_order_text(const pl_chain *c);

/* Elements by number; order > 0 only. */
int64_t pl_chain_mul(const pl_chain *c, int64_t a, int64_t b);
int64_t pl_chain_inv(const pl_chain *c, int64_t a);
/* The smallest k > 0 with a^k = 1. */
int64_t pl_chain_element_order(const pl_chain *c, int64_t a);
/* Number of a permutation, or -1 if it is not in the group; and back. */
int64_t pl_chain_rank(const pl_chain *c, const pl_point *perm);
void pl_chain_unrank(const pl_chain *c, int64_t a, pl_point *perm);

#endif
