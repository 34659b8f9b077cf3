/* How the singular values of one weight matrix are spread: what networks record of their weights.
 * s: n values, decreasing; times: how often each of them stands in the matrix, NULL: once.  NaN for
 * a matrix of zeros, but for the rank, which is 0.  All of it Local, pure. */
#ifndef PL_NETS_SPREAD_H
#define PL_NETS_SPREAD_H

#include "model/measure.h"

/* Nuclear over Frobenius norm: from 1 (rank one) to the root of the number of values. */
double pl_spread_schatten(int64_t n, const double *s, const double *times);
/* Values above 1e-3 of the largest. */
double pl_spread_rank(int64_t n, const double *s, const double *times);
/* Exponential of the entropy of the shares of the squares. */
double pl_spread_entropy_rank(int64_t n, const double *s, const double *times);
/* Gini coefficient: sum_{j,k} |s_j - s_k| / (2 n (n - 1) mean s); one value: 0. */
double pl_spread_gini(int64_t n, const double *s, const double *times);

/* Meaning of their variables, which every network records under one name. */
#define PL_WEIGHT_SCHATTEN "nuclear norm over Frobenius norm of each weight matrix"
#define PL_WEIGHT_RANK     "singular values above 1e-3 of the largest"
#define PL_WEIGHT_ENTROPY_RANK                                                                     \
  "exponential of the entropy of the shares of the squared singular values"
#define PL_WEIGHT_GINI            "Gini coefficient of the singular values"
#define PL_WEIGHT_SINGULAR_VALUES "singular values of each weight, decreasing"

/* Coordinates of their axes, weight and weight_sv. */
#define PL_WEIGHT_COORDS(name, rows, cols)                                                         \
  {"weight_name", "1", "name of the weight", true, false, NULL, name},                             \
      {"weight_rows", "1", "rows of the weight matrix: inputs", false, true, NULL, rows}, {        \
    "weight_cols", "1", "columns of the weight matrix: outputs", false, true, NULL, cols           \
  }
#define PL_WEIGHT_SV_COORD(weight)                                                                 \
  {                                                                                                \
    "weight_sv_weight", "1", "weight of the singular value, an index of dimension weight", false,  \
        true, "weight", weight                                                                     \
  }

#endif
