/* A layer, (Wx)(g) = sum_h w(h) x(gh) = sum_u x(u) w(g^-1 u), is the product of x with the matrix
 * of entries w(g^-1 u), gathered from the filter. */
#include "nets/group/inner.h"

#include "base/mem.h"
#include "group/group.h"

#include <math.h>
#include <stdio.h>

enum { DEPTH = 2, MOST_ORDER = 1000 };

typedef struct tables {
  int64_t order;
  int *place; /* [u][g]: g^-1 u */
} tables;

static int64_t depth_of(const pl_spec *spec) {
  int64_t depth = pl_inner_values_of(spec)->depth;
  return depth == PL_UNSET ? DEPTH : depth;
}

static pl_status check(const pl_spec *spec, const pl_inner_shape *shape, const char **key) {
  if (!shape->group[0])
    return pl_error(PL_EINPUT, "gcnn takes functions on a group, and data.kind %s has none",
                    spec->data->name);
  *key = "group";
  if (shape->features <= MOST_ORDER) return PL_OK;
  return pl_error(PL_EINPUT, "%s has %lld elements; on the tape at most %d", shape->group,
                  (long long)shape->features, MOST_ORDER);
}

static void make(pl_net *net, const pl_inner_shape *shape) {
  int64_t n = shape->features, depth = depth_of(&net->spec);
  tables *own = net->own = pl_alloc(1, sizeof *own, "a group");
  pl_group *g;
  pl_require(!pl_group_parse(shape->group, &g));
  *own = (tables){n, pl_alloc((size_t)(n * n), sizeof(int), "a group")};
  for (int64_t u = 0; u < n; u++)
    for (int64_t h = 0; h < n; h++)
      own->place[u * n + h] = (int)pl_group_mul(g, pl_group_inv(g, h), u);
  pl_group_free(g);
  double scale = pl_inner_values_of(&net->spec)->init_scale / sqrt((double)n);
  for (int64_t l = 0; l < depth; l++) {
    pl_net_weight w = {.group = l < depth - 1 ? "filter" : "readout",
                       .layer = (int)l,
                       .rows = n,
                       .cols = 1,
                       .init = PL_INIT_NORMAL,
                       .scale = scale};
    snprintf(w.name, sizeof w.name, "layer%lld_weight", (long long)l);
    snprintf(w.what, sizeof w.what, "%s, layer %lld of %lld: values over the group",
             l < depth - 1 ? "filter" : "read-out", (long long)l, (long long)depth);
    pl_net_add(net, w);
  }
}

static void unmake(pl_net *net) {
  tables *own = net->own;
  pl_free(own->place);
  pl_free(own);
}

static pl_node *outputs_of(const pl_net *net, pl_tape *t, pl_node *const *w,
                           const pl_inner_shape *shape, int64_t num, pl_node *x) {
  const tables *own = net->own;
  int64_t n = own->order;
  (void)shape, (void)num;
  for (int l = 0; l < net->num_weights - 1; l++) {
    pl_node *entries = pl_tape_gather(t, w[l], n * n, own->place);
    x = pl_tape_matmul(t, x, pl_tape_reshape(t, entries, n, n));
  }
  return pl_tape_matmul(t, x, w[net->num_weights - 1]);
}

static void work(const pl_net *net, const pl_inner_shape *shape, double *products,
                 double *doubles) {
  double n = (double)shape->features, hidden = net->num_weights - 1;
  *products = n * n * hidden + n;
  *doubles = n * (hidden + 1) + 1;
}

const pl_inner pl_inner_gcnn = {.name = "gcnn",
                                .help = "linear G-CNN over the elements of a small group",
                                .has_depth = true,
                                .check = check,
                                .make = make,
                                .unmake = unmake,
                                .outputs = outputs_of,
                                .work = work};
