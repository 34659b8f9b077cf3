#include "qhull.h"

#include "base/status.h"
#include "task.h"

#ifdef PL_QHULL
#include <libqhull_r/qhull_ra.h>

bool qhull_there(void) {
  return true;
}

static void begin(qhT *qh, int n, const double *x, const char *command) {
  QHULL_LIB_CHECK
  qh_zero(qh, stderr);
  int code = qh_new_qhull(qh, 2, n, (coordT *)(uintptr_t)x, False, (char *)(uintptr_t)command, NULL,
                          stderr);
  if (code) pl_die(PL_EBUG, "qhull gave up on %d points: code %d", n, code);
}

static void end(qhT *qh) {
  int left, bytes;
  qh_freeqhull(qh, !qh_ALL);
  qh_memfreeshort(qh, &left, &bytes);
}

static int symbol_of(qhT *qh, const void *vertex) {
  return 1 + qh_pointid(qh, ((const vertexT *)vertex)->point);
}

/* Edges a -> b of the hull in any order, put one behind the other. */
static void chain(int edges, int (*edge)[2], int *output) {
  for (int i = 0; i < edges; i++) {
    output[i] = edge[i][0];
    for (int k = i + 1; k < edges; k++) {
      if (edge[k][0] != edge[i][1] && edge[k][1] != edge[i][1]) continue;
      int other = edge[k][0] == edge[i][1] ? edge[k][1] : edge[k][0], from = edge[i][1];
      edge[k][0] = edge[i + 1][0], edge[k][1] = edge[i + 1][1];
      edge[i + 1][0] = from, edge[i + 1][1] = other;
      break;
    }
  }
}

int qhull_hull(int n, const double *x, int *output) {
  qhT qh;
  facetT *facet;
  int edges = 0, (*edge)[2] = (int(*)[2])(void *)(output + n); /* room behind the answer */
  begin(&qh, n, x, "qhull Pp");
  qhT *q = &qh;
  for (facet = q->facet_list; facet && facet->next; facet = facet->next, edges++) {
    edge[edges][0] = symbol_of(q, SETfirst_(facet->vertices));
    edge[edges][1] = symbol_of(q, SETsecond_(facet->vertices));
  }
  end(q);
  chain(edges, edge, output);
  if (polygon_area(x, edges, output) < 0)
    for (int i = 0; i < edges / 2; i++) {
      int kept = output[i];
      output[i] = output[edges - 1 - i], output[edges - 1 - i] = kept;
    }
  return edges;
}

int qhull_delaunay(int n, const double *x, int *output) {
  qhT qh, *q = &qh;
  facetT *facet;
  int triangles = 0;
  begin(q, n, x, "qhull d Qbb Qt Qz Pp");
  for (facet = q->facet_list; facet && facet->next; facet = facet->next) {
    int *t = output + 3 * triangles;
    if (facet->upperdelaunay) continue;
    for (int k = 0; k < 3; k++) t[k] = symbol_of(q, SETelem_(facet->vertices, k));
    if (turn(x + 2 * (t[0] - 1), x + 2 * (t[1] - 1), x + 2 * (t[2] - 1)) < 0) {
      int kept = t[1];
      t[1] = t[2], t[2] = kept;
    }
    triangles++;
  }
  end(q);
  return triangles;
}

#else

bool qhull_there(void) {
  return false;
}
int qhull_hull(int n, const double *x, int *output) {
  (void)n, (void)x, (void)output;
  pl_die(PL_EBUG, "built without qhull");
}
int qhull_delaunay(int n, const double *x, int *output) {
  return qhull_hull(n, x, output);
}

#endif
