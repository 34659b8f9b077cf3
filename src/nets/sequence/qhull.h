/* Hulls and triangulations by qhull (libqhull_r, the reentrant one), where the build has it. */
#ifndef PL_NETS_SEQUENCE_QHULL_H
#define PL_NETS_SEQUENCE_QHULL_H

#include <stdbool.h>

/* Is it there? */
bool qhull_there(void);
/* The vertices of the convex hull of n points of the plane as symbols 1..n, counter-clockwise from
 * any; returns their number.  Points in general position.  Local. */
int qhull_hull(int n, const double *x, int *output);
/* The Delaunay triangles, three symbols each, counter-clockwise; returns how many.  Local. */
int qhull_delaunay(int n, const double *x, int *output);

#endif
