/* Files that index the elements of a group: is it this group, and in what order do they stand?
 * Local. */
#ifndef PL_GROUP_ELEMENTS_H
#define PL_GROUP_ELEMENTS_H

#include "base/nc_read.h"
#include "group/group.h"

/* PL_EINPUT if the file has an attribute `group` that names another group than g: canonical
 * spellings are compared, and one that cannot be read is another group.  A band is its S_n here.
 * Names of files (perm:FILE, cayley:FILE) are not compared. */
pl_status pl_elements_same_group(const pl_nc *nc, const pl_group *g);
/* Write that attribute: the canonical spelling, unless it names a file; what then stands there,
 * from the caller's other attributes, stays. */
pl_status pl_elements_name_group(pl_nc *nc, const pl_group *g);
/* The order of the elements along dimension `element` by the labels that the variable `element`
 * gives (text, strings or numbers); without that variable they stand in the group's order.  *order
 * as in pl_nc_labels: NULL, or *order[k] is the element that stands k-th; the caller frees it.
 * PL_EINPUT names the first label that is not one of the group's, or stands twice. */
pl_status pl_elements_order(const pl_nc *nc, const pl_group *g, int64_t **order);
/* The same of the irreps by `irrep_label(irrep, any)`, which must be there. */
pl_status pl_irreps_order(const pl_nc *nc, const pl_group *g, int64_t **order);
/* f[order[k]] <- from[k], k < n.  order NULL: a copy.  Pure; from and f do not overlap. */
void pl_elements_arrange(int64_t n, const int64_t *order, const double *from, double *f);

#endif
