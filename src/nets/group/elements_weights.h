/* Weights of a network over the elements: drawn, read, written. */
#ifndef PL_NETS_GROUP_ELEMENTS_WEIGHTS_H
#define PL_NETS_GROUP_ELEMENTS_WEIGHTS_H

#include "elements_net.h"

/* model.init.*: does it fit the group?  PL_EINPUT: *key is at fault.  Local; reads the file. */
pl_status elements_check_weights(const pl_spec *spec, const pl_group *g, const char **key);
/* The layers must be there.  Local. */
pl_status elements_init_weights(elements_net *m);
/* Of pl_model_kind. */
pl_status elements_save(pl_model *model, const char *path, const pl_attribute *attributes, int num);

#endif
