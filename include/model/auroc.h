/* Area under the receiver operating characteristic. */
#ifndef PL_MODEL_AUROC_H
#define PL_MODEL_AUROC_H

#include <stdint.h>

/* A score and whether it is of a positive, for sorting. */
typedef struct pl_scored {
  double score;
  int64_t positive; /* 0 or 1 */
} pl_scored;

/* The share of the pairs of a positive and a negative in which the positive has the larger score,
 * ties counted half (Mann and Whitney).  NaN where there are no pairs or a score is NaN.  s: [n],
 * is sorted.  Local, pure. */
double pl_auroc(int64_t n, pl_scored *s);

#endif
