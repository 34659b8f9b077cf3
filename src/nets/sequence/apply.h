/* A saved pointer network on a file of points. */
#ifndef PL_NETS_SEQUENCE_APPLY_H
#define PL_NETS_SEQUENCE_APPLY_H

#include "nets/net.h"

/* pl_net_kind.note, open, predict; pl_model_kind.apply. */
pl_status pointer_note(const pl_net *net, pl_nc *nc);
pl_status pointer_open(pl_net *net, const pl_nc *weights, const pl_nc *data);
pl_status pointer_predict(pl_net *net, pl_nc *out);
pl_status pointer_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        const char *path, const pl_attribute *attributes, int num);

#endif
