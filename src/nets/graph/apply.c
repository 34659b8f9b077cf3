/* A saved network on the graph of a file. */
#include "base/mem.h"
#include "output.h"

/* ---- the network's widths, in the file of weights ---- */

static const char *const sizes[] = {"features", "outputs", "classes"};
enum { SIZES = sizeof sizes / sizeof *sizes };

pl_status graph_note(const pl_net *net, pl_nc *nc) {
  const graph_nodes *d = graph_own_of(net)->data;
  const int v[SIZES] = {(int)d->features, (int)d->outputs, d->classes};
  for (int k = 0; k < SIZES; k++) PL_TRY(pl_nc_att_ints(nc, NULL, sizes[k], PL_NC_INT, &v[k], 1));
  return PL_OK;
}

static pl_status read_shape(const pl_nc *nc, graph_shape *s) {
  double v[SIZES];
  for (int k = 0; k < SIZES; k++)
    if (pl_nc_get_att_number(nc, sizes[k], &v[k]) != 1 || !(v[k] >= 0 && v[k] <= 1e9))
      return pl_error(PL_EINPUT,
                      "%s: expected an attribute %s, a number, as record.final writes it",
                      pl_nc_path(nc), sizes[k]);
  *s = (graph_shape){(int64_t)v[0], (int64_t)v[1], v[2] != 0};
  if (s->features < 1 || s->outputs < 1)
    return pl_error(PL_EINPUT, "%s: attributes features and outputs are above 0", pl_nc_path(nc));
  return PL_OK;
}

pl_status graph_open(pl_net *net, const pl_nc *weights) {
  graph_shape shape = {0};
  PL_TRY(pl_agree(&net->team, weights ? read_shape(weights, &shape) : PL_OK));
  pl_comm_bcast(&net->team, &shape, sizeof shape, 0);
  return pl_agree(&net->team, graph_nodes_open(&net->spec, &shape, &graph_own_of(net)->data));
}

/* ---- predictions ---- */

static pl_status define(const graph_nodes *d, pl_nc *out) {
  const char *dims[] = {"node", "output", NULL}, *alone[] = {"node", NULL};
  PL_TRY(pl_nc_def_dim(out, "node", d->nodes));
  PL_TRY(pl_nc_def_dim(out, "output", d->outputs));
  PL_TRY(pl_nc_def_var(
      out, "f", PL_NC_DOUBLE, dims,
      d->classes ? "outputs of the network, before any softmax" : "outputs of the network", "1"));
  if (d->classes)
    PL_TRY(pl_nc_def_var(out, "prediction", PL_NC_INT, alone, "class of the largest output", "1"));
  if (d->count[PL_TEST])
    PL_TRY(pl_nc_def_var(out, d->classes ? "accuracy" : "mse", PL_NC_DOUBLE, NULL,
                         d->classes ? PL_ACCURACY : PL_MSE, "1"));
  return pl_nc_end_def(out);
}

static pl_status write_all(const graph_own *own, const double *metric, pl_nc *out) {
  const graph_nodes *d = own->data;
  PL_TRY(define(d, out));
  PL_TRY(pl_nc_put_doubles(out, "f", NULL, NULL, own->output));
  if (d->count[PL_TEST])
    PL_TRY(pl_nc_put_doubles(out, d->classes ? "accuracy" : "mse", NULL, NULL,
                             &metric[d->classes ? METRIC_ACCURACY : METRIC_MSE]));
  if (!d->classes) return PL_OK;
  int64_t *class = pl_alloc((size_t)d->nodes, sizeof *class, "classes");
  for (int64_t i = 0; i < d->nodes; i++)
    class[i] = graph_class_of(d->outputs, own->output + i * d->outputs);
  pl_status st = pl_nc_put_ints(out, "prediction", NULL, NULL, class);
  pl_free(class);
  return st;
}

pl_status graph_predict(pl_net *net, pl_nc *out) {
  const graph_own *own = graph_own_of(net);
  double metric[NUM_METRICS];
  graph_evaluate(net);
  if (own->data->count[PL_TEST]) graph_metrics(net, PL_TEST, metric);
  return pl_agree(&net->team, out ? write_all(own, metric, out) : PL_OK);
}

pl_status graph_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                      const char *path, const pl_attribute *attributes, int num) {
  (void)rates;
  return pl_net_apply(spec, team, graph_values_of(spec)->path, path, attributes, num);
}
