/* What the networks of this room hand to net.c beside their objective: data and shapes, checks,
 * costs. */
#include "base/mem.h"
#include "network.h"

static void add_weights(pl_net *net, const pl_vector_shape *shape) {
  vector_kind_of(&net->spec)->add(net, shape, vector_outputs(&net->spec, shape));
}

void vector_own_new(pl_net *net, const pl_vectors *data) {
  vector_own *own = net->own = pl_zalloc(1, sizeof *own, "data");
  own->data = *data;
  own->recursion = pl_recursion_own_of(&net->spec);
  for (int p = 0; p < PL_NUM_PARTS; p++) net->count[p] = data->part[p].num;
}

pl_status vector_load(pl_net *net) {
  pl_vectors data;
  PL_TRY(pl_vectors_init(&net->spec, &net->team, &data));
  vector_own_new(net, &data);
  add_weights(net, &data.shape);
  return PL_OK;
}

void vector_unload(pl_net *net) {
  vector_own *own = net->own;
  if (!own) return;
  pl_vectors_fini(&own->data);
  pl_free(own->record);
  pl_free(own);
}

pl_status vector_shapes(pl_net *net) {
  pl_vector_shape shape;
  PL_TRY(pl_vector_shape_of(&net->spec, &shape));
  add_weights(net, &shape);
  return PL_OK;
}

void vector_work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  pl_vector_shape shape;
  double products = 0, doubles = 0;
  *fixed_flops = *fixed_bytes = 0;
  if (!pl_vector_shape_of(spec, &shape)) {
    vector_kind_of(spec)->work(spec, &shape, vector_outputs(spec, &shape), &products, &doubles);
    /* Every rank has all samples. */
    for (int p = 0; p < PL_NUM_PARTS; p++)
      *fixed_bytes += 8 * (double)pl_data_count(spec, (pl_part)p) *
                      (double)(shape.features + pl_vector_targets(&shape));
  }
  *sample_flops = 6 * products + 20 * doubles; /* each product forward, and twice back */
  *sample_bytes = 2 * 8 * doubles;             /* values and their adjoints */
}

/* ---- checks ---- */

const char *vector_fits(const pl_spec *spec) {
  return pl_net_fits(spec);
}

static pl_status check_loss(const pl_spec *spec, const pl_vector_shape *s, const char **key) {
  int64_t loss = vector_values_of(spec)->loss;
  *key = "loss";
  if (!s->classes && loss != LOSS_SQUARE)
    return pl_error(PL_EINPUT, "%s needs classes; for the targets of data.kind %s: square",
                    loss == LOSS_SOFTMAX ? "softmax" : "logistic", spec->data->name);
  if (loss == LOSS_LOGISTIC && s->outputs != 2)
    return pl_error(PL_EINPUT, "logistic is for two classes, and the data have %lld: softmax",
                    (long long)s->outputs);
  return PL_OK;
}

pl_status vector_check(const pl_spec *spec, const char **key) {
  const pl_vector_data *data = (const pl_vector_data *)spec->data;
  const pl_vector_kind *kind = vector_kind_of(spec);
  pl_vector_shape shape;
  *key = "data.kind";
  if (data->check) PL_TRY(data->check(spec, key));
  PL_TRY(pl_vector_shape_of(spec, &shape));
  PL_TRY(check_loss(spec, &shape, key));
  if (kind->fits_shape) PL_TRY(kind->fits_shape(spec, &shape, key));
  return pl_net_check(spec, key);
}
