/* Optimisers, written block by block against model/model.h. */
#ifndef PL_MODEL_OPTIM_H
#define PL_MODEL_OPTIM_H

/* Word i of optimizer.kind; NULL past the last. */
const char *pl_optim_name(int i);

#endif
