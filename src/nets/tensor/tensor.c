/* f(W) = sum_s H_s[sigma(F_s[W] + B_s)] + b: life, checks, files. */
#include "base/mem.h"
#include "network.h"
#include "patterns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- weights ---- */

static pl_status shapes(pl_net *net) {
  const tensor_values *v = tensor_values_of(&net->spec);
  int order = (int)v->order, heads = order + (v->output == OUTPUT_EQUIVARIANT);
  int64_t in = tensor_bell(order + 2), out = tensor_bell(heads), s = v->channels;
  double spread = v->init_scale / sqrt((double)in), head = v->init_scale / sqrt((double)(out * s));
  const pl_net_weight weights[] = {
      {.name = "layer0_weight",
       .what = "F: a row for each pattern of the hidden indices and two more",
       .group = "weight",
       .rows = in,
       .cols = s,
       .init = PL_INIT_SPREAD,
       .scale = spread},
      {.name = "layer0_bias",
       .what = "B: a row for each pattern of the hidden indices",
       .group = "bias",
       .rows = tensor_bell(order),
       .cols = s,
       .init = PL_INIT_SPREAD,
       .scale = spread},
      {.name = "layer1_weight",
       .what = "H: a row for each pattern of the hidden indices and those of the output",
       .group = "weight",
       .layer = 1,
       .rows = out,
       .cols = s,
       .init = PL_INIT_SPREAD,
       .scale = head},
      {.name = "layer1_bias", .what = "b", .group = "bias", .layer = 1, .rows = 1, .cols = 1},
  };
  for (size_t k = 0; k < sizeof weights / sizeof *weights; k++) pl_net_add(net, weights[k]);
  return PL_OK;
}

static pl_status load(pl_net *net) {
  PL_TRY(tensor_load(net));
  const pl_tensor_part *test = tensor_part(net, PL_TEST);
  tensor_own_of(net)->more = tensor_sizes_new(test->num, test->points);
  return shapes(net);
}

static void unload(pl_net *net) {
  tensor_own *own = net->own;
  if (!own) return;
  tensor_sizes_free(own->more);
  pl_tensors_fini(&own->data);
  pl_free(own);
}

/* Of the largest samples: every entry of a hidden tensor is the sum over the features of its class,
 * counted as the widest. */
static void work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  const tensor_values *v = tensor_values_of(spec);
  int order = (int)v->order;
  double entries = 1, most = 0;
  *fixed_flops = *fixed_bytes = 0;
  for (int part = 0; part < PL_NUM_PARTS; part++) {
    int64_t num = pl_data_count(spec, (pl_part)part);
    int *points = pl_zalloc((size_t)num, sizeof *points, "sizes");
    bool of_points;
    if (!((const pl_tensor_data *)spec->data)->sizes(spec, (pl_part)part, num, &of_points, points))
      for (int64_t i = 0; i < num; i++) {
        most = fmax(most, points[i]);
        *fixed_bytes += 8 * (double)points[i] * (double)points[i];
      }
    pl_free(points);
  }
  for (int k = 0; k < order; k++) entries *= most;
  double features = order * order + 2 * order + 2, channels = (double)v->channels;
  *sample_flops = entries * (6 * features * channels + 40 * channels);
  *sample_bytes = 8 * entries * (features + 5 * channels);
}

/* ---- checks ---- */

static pl_status check(const pl_spec *spec, const char **key) {
  PL_TRY(tensor_check_data(spec, key));
  bool of_points = false, wanted = tensor_values_of(spec)->output == OUTPUT_EQUIVARIANT;
  int64_t num = pl_data_count(spec, PL_TRAIN);
  int *points = pl_zalloc((size_t)num, sizeof *points, "sizes");
  pl_status st =
      ((const pl_tensor_data *)spec->data)->sizes(spec, PL_TRAIN, num, &of_points, points);
  pl_free(points);
  *key = "model.output";
  if (!st && of_points != wanted)
    st = pl_error(PL_EINPUT, "the data have a target for each %s: expected %s",
                  of_points ? "point" : "sample", of_points ? "equivariant" : "invariant");
  return st ? st : pl_net_check(spec, key);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  const tensor_values *v = tensor_values_of(spec);
  return snprintf(buf, n, "tensor, order %lld, %lld channels", (long long)v->order,
                  (long long)v->channels);
}

/* ---- plancherel apply ---- */

static pl_status note(const pl_net *net, pl_nc *nc) {
  (void)net;
  (void)nc;
  return PL_OK;
}

static pl_status open_files(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  (void)weights;
  PL_TRY(tensor_open_data(net, data));
  bool wanted = tensor_values_of(&net->spec)->output == OUTPUT_EQUIVARIANT;
  if (tensor_part(net, PL_TEST)->y && tensor_data(net)->of_points != wanted)
    return pl_error(
        PL_EINPUT, "%s: the network gives a number for each %s, and y has one for each %s",
        data ? pl_nc_path(data) : "data", wanted ? "point" : "sample", wanted ? "sample" : "point");
  return shapes(net);
}

typedef struct answers {
  const int64_t *start; /* of each sample, in f */
  double *f;
} answers;

static void keep(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                 void *context) {
  const answers *a = context;
  const pl_node *f = tensor_outputs_of(net, t, w, take, NULL);
  if (take->count > 0)
    memcpy(a->f + a->start[take->entry[0]], f->value, (size_t)f->rows * sizeof *a->f);
}

static pl_status write_all(const pl_net *net, const answers *a, const double *metric, pl_nc *out) {
  const pl_tensor_part *p = tensor_part(net, PL_TEST);
  bool of_points = tensor_values_of(&net->spec)->output == OUTPUT_EQUIVARIANT;
  const char *dims[] = {"sample", of_points ? "node" : NULL, NULL};
  int64_t most = 1;
  for (int64_t i = 0; i < p->num; i++)
    if (p->points[i] > most) most = p->points[i];
  PL_TRY(pl_nc_def_dim(out, "sample", p->num));
  if (of_points) PL_TRY(pl_nc_def_dim(out, "node", most));
  PL_TRY(pl_nc_def_var(out, "f", PL_NC_DOUBLE, dims, of_points ? "output at each point" : "output",
                       "1"));
  if (p->y) PL_TRY(pl_nc_def_var(out, "mse", PL_NC_DOUBLE, NULL, PL_MSE, "1"));
  PL_TRY(pl_nc_end_def(out));
  for (int64_t i = 0; i < p->num; i++) {
    const int64_t start[] = {i, 0}, count[] = {1, p->points[i]};
    PL_TRY(pl_nc_put_doubles(out, "f", start, count, a->f + a->start[i]));
  }
  return p->y ? pl_nc_put_doubles(out, "mse", NULL, NULL, &metric[0]) : PL_OK;
}

static pl_status predict(pl_net *net, pl_nc *out) {
  const pl_tensor_part *p = tensor_part(net, PL_TEST);
  bool of_points = tensor_values_of(&net->spec)->output == OUTPUT_EQUIVARIANT;
  int64_t *one_each = pl_alloc((size_t)p->num + 1, sizeof *one_each, "outputs");
  for (int64_t i = 0; i <= p->num; i++) one_each[i] = i;
  answers a = {.start = of_points ? p->point : one_each};
  double metric[TENSOR_METRICS];
  a.f = pl_zalloc((size_t)a.start[p->num], sizeof *a.f, "outputs");
  pl_net_each(net, PL_TEST, keep, &a);
  pl_comm_sum(&net->team, a.f, a.start[p->num]);
  if (p->y) tensor_metrics(net, PL_TEST, metric);
  pl_status st = out ? write_all(net, &a, metric, out) : PL_OK;
  pl_free(a.f);
  pl_free(one_each);
  return pl_agree(&net->team, st);
}

/* ---- the row ---- */

static const pl_default defaults[] = {{"train.batch", "14"}, {NULL, NULL}};

const pl_net_kind pl_tensor = {
    .door = {.name = "tensor",
             .help = "equivariant layers between tensors over n points",
             .example = "{model: {kind: tensor, channels: 3, output: equivariant}, "
                        "data: {samples: 9, validation: 3, test: 4, sizes: [4, 5]}, "
                        "train.batch: 4, steps: 20}",
             .summary = "errors of tensor networks, by size, and their equivariance",
             .reference = "Keriven, Peyré, Universal Invariant and Equivariant Graph Neural "
                          "Networks, NeurIPS 2019, arXiv:1905.04943",
             .headline = (const char *const[]){"loss", "train_relative_mse", NULL},
             PL_NET_DOOR,
             .keys = (const pl_keys *const[]){&tensor_keys, &pl_net_init_keys, &pl_batch_keys,
                                              &pl_spectrum_keys, NULL},
             .defaults = defaults,
             .data = (const pl_data_kind *const[]){&pl_data_weighted_graphs.base,
                                                   &pl_data_tensor_file.base, NULL},
             .measures = (const pl_measures *const[]){&pl_net_measures, &tensor_measures, NULL},
             .metric = "mse",
             .fits = pl_net_fits,
             .check = check,
             .label = label,
             .apply = tensor_apply},
    .split = PL_SPLIT_SAMPLES,
    .num_metrics = TENSOR_METRICS,
    .record_bytes = sizeof(tensor_record),
    .load = load,
    .unload = unload,
    .objective = tensor_objective,
    .metrics = tensor_metrics,
    .observe = tensor_observe,
    .axes = tensor_axes,
    .shapes = shapes,
    .note = note,
    .open = open_files,
    .predict = predict,
    .work = work,
};
