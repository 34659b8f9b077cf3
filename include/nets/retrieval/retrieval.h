/* Dense retrieval: encoders of queries and documents, trained on pairs whose negatives somebody
 * chooses (Zhan, Mao, Liu, Guo, Zhang, Ma, SIGIR 2021, arXiv 2104.08051).  Formulas, keys, names of
 * weights: src/nets/retrieval/README.md. */
#ifndef PL_NETS_RETRIEVAL_RETRIEVAL_H
#define PL_NETS_RETRIEVAL_RETRIEVAL_H

#include "nets/net.h"
#include "nets/retrieval/data.h"

extern const pl_net_kind pl_retrieval;

#endif
