/* The irreps that data.irreps lists. */
#ifndef PL_NETS_GROUP_LISTED_IRREPS_H
#define PL_NETS_GROUP_LISTED_IRREPS_H

#include "group/group.h"
#include "model/data.h"

/* pl_data_kind.fits: there are some. */
const char *listed_irreps_fits(const pl_spec *spec);
int listed_irreps_num(const pl_spec *spec);
/* Their numbers in the group: out[listed_irreps_num].  PL_EINPUT: there is no such label.
 * Local. */
pl_status listed_irreps_find(const pl_spec *spec, const pl_group *g, int64_t *out);

#endif
