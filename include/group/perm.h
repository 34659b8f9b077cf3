/* Permutations of 0..n-1 in one-line notation: p[i] is the image of i.  (st)(i) = s(t(i)). */
#ifndef PL_GROUP_PERM_H
#define PL_GROUP_PERM_H

#include <stdint.h>

int64_t pl_factorial(int n); /* n <= 20 */
void pl_perm_compose(int n, const int8_t *s, const int8_t *t, int8_t *st);
void pl_perm_inverse(int n, const int8_t *s, int8_t *inv);
/* Lexicographic rank, 0..n!-1, and back. */
int64_t pl_perm_rank(int n, const int8_t *s);
void pl_perm_unrank(int n, int64_t rank, int8_t *s);

#endif
