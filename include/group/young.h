/* Partitions, standard tableaux and Young's orthogonal form.
 *
 * Partitions of n in decreasing lexicographic order.  Standard tableaux in last-letter order:
 * idx_lambda(T) = off(lambda, mu) + idx_mu(T restricted to n-1), mu running over lambda minus a
 * removable box in decreasing lexicographic order (box from the bottom row first), off the sum of
 * the dimensions before mu.
 * Young's orthogonal form of s_i = (i i+1): with content c = column - row and
 * r = 1 / (c(i+1) - c(i)), the diagonal entry is r, the entry between T and s_i T is
 * sqrt(1 - r^2) > 0.  (James and Kerber 1981, section 3.4.) */
#ifndef PL_GROUP_YOUNG_H
#define PL_GROUP_YOUNG_H

#include <stddef.h>
#include <stdint.h>

enum { PL_MAX_N = 20 }; /* 20! fits in 64 bits */

typedef struct pl_partition {
  int8_t n, rows;
  int8_t part[PL_MAX_N]; /* decreasing, part[rows..] = 0 */
} pl_partition;

/* All partitions of n <= PL_MAX_N, in order; *count of them.  Owned by the caller (pl_free). */
pl_partition *pl_partitions(int n, int *count);
/* Those of codepth at most k, that is with first row n - k or longer: the first ones in order.
 * n <= 127, k < PL_MAX_N. */
pl_partition *pl_partitions_within(int n, int k, int *count);
/* f^lambda, the number of standard tableaux (hook length formula); exact for n <= 20, and beyond
 * where f^lambda n^codepth fits in 63 bits. */
int64_t pl_partition_dim(const pl_partition *p);
int pl_partition_compare(const pl_partition *a, const pl_partition *b); /* lexicographic */
/* "3,1,1".  As pl_group_element_label. */
int pl_partition_label(const pl_partition *p, char *buf, size_t n);
/* p with the last box of row r removed / one box added; 0 if that is no partition. */
int pl_partition_remove(const pl_partition *p, int r, pl_partition *out);
int pl_partition_add(const pl_partition *p, int r, pl_partition *out);

/* row[t*n + k] = row (from 0) of letter k+1 in tableau t, for all dim tableaux in last-letter
 * order.  Owned by the caller (pl_free). */
int8_t *pl_tableaux(const pl_partition *p);

/* YOR_p(perm), d x d row-major; perm in one-line notation from 0: perm[i] = image of i.
 * No relabelling by w here: that is the group's business. */
void pl_young_orthogonal(const pl_partition *p, const int8_t *perm, double *out);

#endif
