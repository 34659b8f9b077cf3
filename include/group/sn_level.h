/* One level of the fast Fourier transform on S_n: k transforms on S_(k-1) become one on S_k.
 * Internal to the transform (group/sn_fft.h).
 *
 * Permutations here are relabelled by w (group/group.h).  Write s in S_k as c_j s', j = s(k),
 * c_j = (j j+1 .. k), s' in S_(k-1); F_j is the transform of s' -> f(c_j s').  Of the k blocks of
 * (k-1)! consecutive elements, block b = 0..k-1 gives F_(k-b).
 *
 * In unitary scaling (coefficients times sqrt(d / k!)) the rows of F_1 .. F_k of one mu |- k-1 go
 * to rows of all lambda covering mu through an orthogonal map W_k^mu, the same for every column:
 * columns of mu become columns off(lambda, mu) + .. of lambda.  W is built from itself, in the
 * spirit of Maslen (Math. Comp. 67, 1998).  W_k^mu (F_1 .. F_k):
 *   1. for each kappa covered by mu apply W_(k-1)^kappa to rows kappa of F_1 .. F_(k-1).  It yields
 *      rows of each mu' covering kappa.  Those of mu itself are called X^kappa; the others are
 *      final, rows mu' of lambda = mu u mu';
 *   2. rows mu of each lambda covering mu are O_mu[lambda, .] applied to (F_k, X^kappa ..):
 *        O_mu[lambda, F_k]   = sqrt(d_lambda / (k d_mu))
 *        O_mu[lambda, kappa] = O_mu[lambda, F_k] sqrt((k-1) d_kappa / d_mu) / gap
 *        gap                 = c(lambda / mu) - c(mu / kappa)
 * with c the content (column - row) of the one box between two shapes, and X = F_1 at k = 2.
 *
 * Rows of a shape below are contiguous (last-letter order), so every O is one flat loop over rows
 * times columns; a program is the list of these loops.  It starts at W_5: the maps below are
 * straight code (group/sn_codelet.h).  The inverse runs the list backwards with O transposed. */
#ifndef PL_GROUP_SN_LEVEL_H
#define PL_GROUP_SN_LEVEL_H

#include "group/sn_codelet.h"
#include "group/young.h"

enum { PL_SN_MAX = 13, PL_SN_BRANCH = 5 }; /* at n <= 13 no shape covers or is covered by more */

typedef struct pl_sn_shape {
  pl_partition p;
  int64_t dim;
  int nsub, nsup;            /* shapes covered (below), covering (above), decreasing order */
  int sub[PL_SN_BRANCH];     /* index among the partitions of p.n - 1 */
  int sup[PL_SN_BRANCH];     /* index among the partitions of p.n + 1 */
  int64_t off[PL_SN_BRANCH]; /* off[q]: first tableau whose restriction has shape sub[q] */
  double mix[PL_SN_BRANCH * PL_SN_BRANCH]; /* O: nsup x (1 + nsub), a square */
} pl_sn_shape;

/* Young's graph from the empty shape to n: shape[k][0..count[k]-1] are the partitions of k. */
typedef struct pl_sn_graph {
  int n, count[PL_SN_MAX + 1];
  pl_sn_shape *shape[PL_SN_MAX + 1];
} pl_sn_graph;

pl_sn_graph *pl_sn_graph_new(int n);
void pl_sn_graph_free(pl_sn_graph *g);
/* The place of mu (index, at k-1) among the shapes that lambda (index, at k) covers, or -1. */
int pl_sn_graph_place(const pl_sn_graph *g, int k, int lambda, int mu);

/* The programs of all W_k^mu, k >= 5; W_5 is a codelet.  g is borrowed. */
typedef struct pl_sn_program pl_sn_program;
pl_sn_program *pl_sn_program_new(const pl_sn_graph *g, int k);
void pl_sn_program_free(pl_sn_program *p);
int64_t pl_sn_program_bytes(const pl_sn_program *p);
/* Rows of scratch a run needs. */
int64_t pl_sn_program_rows(const pl_sn_program *p);

/* One panel: w columns (vectors) of the matrices of mu.  in[j-1] = F_j, d_mu x w; out[l] = rows of
 * the l-th shape covering mu, d_lambda x w; all contiguous, unitary scaling, not overlapping.
 * forward: in to out; backward: out to in.  scratch: rows x w. */
void pl_sn_program_forward(const pl_sn_program *p, int mu, int64_t w, pl_vec *const *in,
                           pl_vec *const *out, pl_vec *scratch);
void pl_sn_program_backward(const pl_sn_program *p, int mu, int64_t w, pl_vec *const *in,
                            pl_vec *const *out, pl_vec *scratch);

/* A panel, rows x w vectors of which cols columns count, to a row-major matrix with rows ld apart,
 * scaled; and back, with zeros in the columns that do not count. */
void pl_sn_rows_out(int64_t rows, int64_t w, int64_t cols, double scale, const pl_vec *panel,
                    double *to, int64_t ld);
void pl_sn_rows_in(int64_t rows, int64_t w, int64_t cols, double scale, const double *from,
                   int64_t ld, pl_vec *panel);

#endif
