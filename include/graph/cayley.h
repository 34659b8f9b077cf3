/* Cayley graphs of the laboratory's groups, and their spectra by irreps (conventions:
 * group/group.h).
 *
 * Nodes are the elements by number; S, the generators, is a set closed under inverses, without the
 * identity.  Edges multiply on the right: g is joined to gs.  Hence the operator (A + c I) / (|S| +
 * c) is the layer of a linear G-CNN whose filter is the generating measure mu = (sum_s delta_s + c
 * delta_e) / (|S| + c):
 *     (A f)(g) = sum_s f(gs),   A f / .. = f * mu,   Fourier: F_rho M_rho,
 *     M_rho = (sum_s rho(s) + c I) / (|S| + c),  Hermitian,
 * and left translations are automorphisms.  Each eigenvalue of M_rho stands m d times in the
 * spectrum of the operator.  If S is a union of conjugacy classes, M_rho is a multiple of the
 * identity; for all transpositions of S_n it is (content(lambda) + c) / (C(n,2) + c), content the
 * sum of column - row over the boxes of lambda.
 * For `none` (graph/graph.h) the division is left out. */
#ifndef PL_GRAPH_CAYLEY_H
#define PL_GRAPH_CAYLEY_H

#include "graph/graph.h"
#include "group/group.h"

typedef struct pl_cayley {
  const pl_group *group; /* borrowed */
  int64_t num;
  int64_t *element; /* [num] generators, increasing */
} pl_cayley;

/* Generators by name, inverses being added:
 *   transpositions        of S_n: all
 *   adjacent              of S_n: (1,2), (2,3), ..
 *   star                  of S_n: (1,2), (1,3), ..
 *   cycle+transposition   of S_n: (1,2,..,n) and (1,2)
 *   standard              of any group: pl_group_generators
 *   (1,2,3),(1,2)(3,4)    cycles as in group/generators.h, of S_n, A_n and groups whose labels are
 *                         cycles
 *   r; s r                labels of elements, of any group
 * PL_EINPUT for a band, a name that does not fit the group, an element that is not in it, and the
 * identity.  g must outlive *out, which the caller frees (pl_cayley_free). */
pl_status pl_cayley_new(const pl_group *g, const char *generators, pl_cayley **out);
void pl_cayley_free(pl_cayley *c);

/* The graph, weights 1.  PL_EINPUT if the group has 2^31 elements or more.  The caller frees it. */
pl_status pl_cayley_graph(const pl_cayley *c, pl_csr **out);

/* M_rho of irrep i as pl_group_irrep_matrix has it (pl_irrep_size doubles), self >= 0. */
void pl_cayley_matrix(const pl_cayley *c, pl_operator kind, double self, int64_t irrep,
                      double *out);
/* Its eigenvalues, increasing, into value[d].  PL_NUMERIC if LAPACK does not converge. */
pl_status pl_cayley_eigenvalues(const pl_cayley *c, pl_operator kind, double self, int64_t irrep,
                                double *value);
/* Is S a union of conjugacy classes? */
bool pl_cayley_central(const pl_cayley *c);

/* Of irrep i of S_n, whole or a band: the content, and the eigenvalue for all transpositions. */
int64_t pl_cayley_content(const pl_group *g, int64_t irrep);
double pl_cayley_content_eigenvalue(const pl_group *g, pl_operator kind, double self,
                                    int64_t irrep);

#endif
