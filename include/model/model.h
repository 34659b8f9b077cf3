#ifndef PL_MODEL_MODEL_H
#define PL_MODEL_MODEL_H
/* Word i of model.kind; NULL past the last. */
const char *pl_model_name(int i);
#endif
