/* Polishing a certificate of the linear G-CNN (gcnn_dual.h): better weights of the samples. */
#ifndef PL_NETS_GROUP_GCNN_POLISH_H
#define PL_NETS_GROUP_GCNN_POLISH_H

#include "gcnn_net.h"

/* More samples than these are left as they are: Newton's method has a matrix of their number. */
enum { GCNN_POLISH_SAMPLES = 128 };
/* Singular vectors and Krylov spaces in its workspace, where matrices are large. */
enum { GCNN_POLISH_VECTORS = 576 };
/* Real matrices of more dimensions are seen through products alone. */
enum { GCNN_POLISH_LARGE = 96 };

/* The problem min { D(a) : a >= 0, sum a = 1 } on the subspaces of the largest singular values of
 * M_rho = sum_i a_i y_i X_i,rho at a few a: what one has seen is a problem of small matrices
 * U^H X_i,rho V, whose solution is the next a, and whose value bounds D from below (the spectral
 * bundle method of Helmberg and Rendl, SIAM J. Optim. 10, 2000, each piece solved by the barrier
 * of barrier.h).  On small groups the subspaces are everything and one round solves the problem. */
typedef struct gcnn_polish gcnn_polish;

/* Local, both; free(NULL) does nothing. */
gcnn_polish *gcnn_polish_new(gcnn *m);
void gcnn_polish_free(gcnn_polish *p);
/* D(a), a >= 0 with sum 1, or a little less: large real matrices are seen through products alone.
 * Infinity: an entry is not finite.  The same on every rank.  Overwrites the workspace of a step.
 * Collective. */
double gcnn_polish_estimate(gcnn_polish *p, const double *a);
/* Take in what is seen at a ([N], >= 0, sum 1) and solve to the relative gap, or as near as is
 * reached: a becomes the point, *lower a number that no D is below; the same on every rank.  False:
 * nothing positive was reached, a is what it was.  Overwrites the workspace of a step.
 * Collective. */
bool gcnn_polish_round(gcnn_polish *p, double gap, double *a, double *lower);

#endif
