/* Two regularisers beside the task (Henderson, Clevert, Montanari, ICML 2021, arXiv 2105.04854):
 *
 *     objective = (task + (b/2) BRO) / max(Gini, 1e-3)^g
 *
 * b = regularizer.bro, g = regularizer.gini times regularizer.gini_power.  BRO, batch
 * representation orthonormality, draws embeddings apart: what it is of stands with the network.
 * Gini is that of the rows of a read-out, the mean over them: it divides, so that unequal weights
 * are rewarded.
 *
 *     Gini(w) = sum_{j,k} |w_j - w_k| / (2 (n - 1) sum_j |w_j|)  in [0, 1]
 *
 * of a row w of n numbers; with regularizer.gini_of absolute |w_j| - |w_k| in the numerator.  A row
 * of zeros and one of a single number count 0. */
#ifndef PL_MODEL_REGULARIZER_H
#define PL_MODEL_REGULARIZER_H

#include "model/spec.h"

#include <stdbool.h>

enum { PL_GINI_SIGNED, PL_GINI_ABSOLUTE };

/* Tables, for networks that name embeddings, and a read-out:
 *   bro   regularizer.bro, regularizer.p
 *   gini  regularizer.gini, regularizer.gini_power, regularizer.gini_of */
extern const pl_keys pl_bro_keys, pl_gini_keys;

/* g; 0: none.  Networks that do not name the table have 0.  Pure. */
double pl_gini_exponent(const pl_spec *spec);
/* Is either on?  Pure. */
bool pl_regularised(const pl_spec *spec);

/* A number of a row and its place, for sorting. */
typedef struct pl_gini_place {
  double value;
  int64_t at;
} pl_gini_place;

/* Gini of w[0], w[stride], .., n numbers; of: PL_GINI_*.  slope (NULL: not wanted): its derivative
 * by each, at the same places, 0 where the row is all zeros; of |x| and of ties 0.  work: [n].
 * Local, pure. */
double pl_gini_row(int64_t n, int64_t stride, const double *w, int64_t of, pl_gini_place *work,
                   double *slope);

/* max(gini, 1e-3)^-g, which multiplies task and BRO; and the derivative of its logarithm by gini.
 * Pure. */
double pl_gini_factor(double gini, double g, double *log_slope);

/* Meanings that families share. */
#define PL_TASK_LOSS "what the loss says without regularisers, on the training part"
#define PL_BRO                                                                                     \
  "how far embeddings are from orthonormal: ||H H^T - I||_p, its mean over graphs; on groups its " \
  "square for the filters of a layer"
#define PL_GINI "Gini coefficient of the read-out's rows, their mean"

#endif
