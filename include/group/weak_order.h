/* Weak orders of n items, best first, some of them tied, and their linear extensions.
 *
 * rank[i]: how many items stand above item i; tied items share it, and b of them with rank s fill
 * the places s .. s + b - 1 in any order.  A linear extension is one of the prod b! permutations
 * that give every item one of its tie's places; u is their mean, a function on S_n: a coset of a
 * Young subgroup, divided by its size.  Strict orders are their own only extension. */
#ifndef PL_GROUP_WEAK_ORDER_H
#define PL_GROUP_WEAK_ORDER_H

#include "group/young.h"

#include <stdbool.h>

enum { PL_WEAK_ORDER_MAX = 127 }; /* items: places fit in int8_t */

/* size[j]: items of the tie that fills place j.  [n]. */
void pl_weak_order_sizes(int n, const int8_t *rank, int8_t *size);
bool pl_weak_order_strict(int n, const int8_t *rank);
/* prod b!, exact up to 2^53. */
double pl_weak_order_extensions(int n, const int8_t *rank);

/* All extensions, one after the other:
 *   pl_weak_order_begin(&x, n, rank, perm);  do .. while (pl_weak_order_next(&x, perm)); */
typedef struct pl_extensions {
  int n;
  int8_t item[PL_WEAK_ORDER_MAX];  /* by tie, in a tie by number */
  int8_t start[PL_WEAK_ORDER_MAX]; /* rank of that item */
} pl_extensions;
void pl_weak_order_begin(pl_extensions *x, int n, const int8_t *rank, int8_t *perm);
bool pl_weak_order_next(const pl_extensions *x, int8_t *perm);

/* <u, v> over S_n of two weak orders: extensions that both have, over the product of their
 * numbers.  Places that two ties share are filled by items that the two ties share, or by none. */
double pl_weak_order_inner(int n, const int8_t *a, const int8_t *b);

/* Kostka number K(lambda, mu): semistandard tableaux of shape lambda with mu[k] letters k; mu:
 * [parts], in any order, with the sum of lambda.  ||u_lambda||_F^2 of a weak order with ties of
 * sizes mu is K(lambda, mu), the dimension of what a Young subgroup leaves fixed
 * (James and Kerber 1981, section 2.2). */
double pl_kostka(const pl_partition *lambda, int parts, const int8_t *mu);

#endif
