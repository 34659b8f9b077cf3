/* A group H acting on N = C_m1 x C_m2 x .. by matrices, and the names of N : H (internal to group/;
 * group/group.h states the actions that have names). */
#ifndef PL_GROUP_ACTION_H
#define PL_GROUP_ACTION_H

#include "group/family.h"

enum { PL_MAX_RANK = 4, PL_MAX_ACTING = 64 }; /* cyclic factors of N; |H| */

typedef int64_t pl_matrix[PL_MAX_RANK][PL_MAX_RANK];

/* An action of H on N by matrices on columns n: entry (i, j) mod m_i, m_i | entry * m_j. */
typedef struct pl_action {
  int rank;
  int64_t m[PL_MAX_RANK];
  pl_factor h; /* C_n, D_n or Q_8 */
  pl_matrix by[PL_MAX_ACTING];
} pl_action;

/* Read "(C_5 x C_5) : Q_8", "C_7 : C_3 by [[2]]" or "p4m_28" at the start of text; families: all
 * that words may name, NULL-terminated.  Returns the number of characters read, *name then the
 * canonical spelling, the caller's to free; 0 if text does not start so, or if it is wrong: then
 * why, "" otherwise, says how. */
int pl_action_parse(const pl_family *const *families, const char *text, pl_action *a, char **name,
                    char *why, size_t n);

/* Element, or character, of number `number` as (n_1, n_2, ..), and back. */
void pl_action_split(const pl_action *a, int64_t number, int64_t *part);
int64_t pl_action_join(const pl_action *a, const int64_t *part);
/* out = matrix times the element or character of number a, as numbers; m: the orders. */
int64_t pl_action_apply(const pl_action *a, const pl_matrix matrix, int64_t number);
int64_t pl_action_negate(const pl_action *a, int64_t number);

#endif
