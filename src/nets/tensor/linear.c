#include "linear.h"

#include "base/blas.h"
#include "base/mem.h"
#include "model/loss.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- weights ---- */

int linear_points(const pl_spec *spec) {
  int64_t num = pl_data_count(spec, PL_TRAIN);
  int *points = pl_zalloc((size_t)num + 1, sizeof *points, "sizes"), n = 0;
  bool of_points;
  if (!((const pl_tensor_data *)spec->data)->sizes(spec, PL_TRAIN, num, &of_points, points))
    for (int64_t i = 0; i < num; i++) n = i == 0 || n == points[i] ? points[i] : 0;
  pl_free(points);
  return n;
}

/* layer0_irrep0 .. and, last, the read-out; by layers. */
static void add_weights(pl_net *net, const isotypic *b) {
  const tensor_values *v = tensor_values_of(&net->spec);
  for (int l = 0; l < v->depth; l++)
    for (int k = 0; k < b->num; k++) {
      const isotypic_part *p = &b->part[k];
      bool last = l == v->depth - 1;
      pl_net_weight w = {.group = "weight",
                         .layer = l,
                         .rows = p->copies,
                         .cols = last ? p->dim : p->copies,
                         .init = PL_INIT_NORMAL,
                         .scale = v->init_scale / (last ? b->n : sqrt(p->copies))};
      snprintf(w.name, sizeof w.name, last ? "readout_irrep%d" : "layer%d_irrep%d", last ? k : l,
               k);
      snprintf(w.what, sizeof w.what, "%s at irrep %s", last ? "read-out w" : "theta", p->label);
      pl_net_add(net, w);
    }
}

static pl_status shapes(pl_net *net) {
  int n = linear_points(&net->spec);
  if (n < 2 || n > ISOTYPIC_MOST) return pl_error(PL_EINPUT, "samples of different sizes");
  isotypic *b = isotypic_shapes(n);
  add_weights(net, b);
  isotypic_free(b);
  return PL_OK;
}

/* ---- life ---- */

/* All samples of a part in the basis. */
static double *in_basis(const isotypic *b, const pl_tensor_part *p) {
  int size = b->n * b->n, num = pl_int(p->num);
  double *x = pl_alloc((size_t)(num * size), sizeof *x, "samples");
  for (int k = 0; k < b->num && num > 0; k++) {
    int width = b->part[k].copies * b->part[k].dim;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, num, width, size, 1, p->w, size,
                b->basis + b->part[k].first * size, size, 0, x + num * b->part[k].first, width);
  }
  return x;
}

static void transform(pl_net *net, int n) {
  linear_data *d = tensor_own_of(net)->more = pl_zalloc(1, sizeof *d, "samples");
  d->basis = isotypic_new(n);
  for (int p = 0; p < PL_NUM_PARTS; p++) d->x[p] = in_basis(d->basis, tensor_part(net, (pl_part)p));
}

static pl_status load(pl_net *net) {
  PL_TRY(tensor_load(net));
  transform(net, tensor_part(net, PL_TRAIN)->points[0]);
  add_weights(net, linear_basis(net));
  return PL_OK;
}

static void unload(pl_net *net) {
  tensor_own *own = net->own;
  if (!own) return;
  linear_data *d = own->more;
  for (int p = 0; p < PL_NUM_PARTS && d; p++) pl_free(d->x[p]);
  if (d) isotypic_free(d->basis);
  pl_free(d);
  pl_tensors_fini(&own->data);
  pl_free(own);
}

/* ---- on the tape ---- */

void linear_beta(const pl_net *net, pl_tape *t, pl_node *const *w, pl_node **beta) {
  const isotypic *b = linear_basis(net);
  int depth = (int)tensor_values_of(&net->spec)->depth;
  for (int k = 0; k < b->num; k++) {
    pl_node *x = w[(depth - 1) * b->num + k];
    for (int l = depth - 2; l >= 0; l--) x = pl_tape_matmul_tn(t, w[l * b->num + k], x);
    beta[k] = pl_tape_scale(t, x, pow(b->part[k].dim, -0.5 * (depth - 1)));
  }
}

pl_node *linear_outputs(const pl_net *net, pl_tape *t, pl_node *const *beta, int64_t count,
                        const double *const *x) {
  const isotypic *b = linear_basis(net);
  pl_node *f = NULL;
  for (int k = 0; k < b->num; k++) {
    int64_t width = pl_tape_count(beta[k]);
    pl_node *part = pl_tape_matmul(t, pl_tape_constant(t, count, width, x[k]),
                                   pl_tape_reshape(t, beta[k], width, 1));
    f = f ? pl_tape_add(t, f, part) : part;
  }
  return f;
}

/* (1/N) sum_i l(y_i f(x_i)), l = exp(-m) or log(1 + exp(-m)). */
static pl_node *objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  const isotypic *b = linear_basis(net);
  const double **x = pl_tape_alloc(t, (size_t)b->num, sizeof *x);
  pl_node **beta = pl_tape_alloc(t, (size_t)b->num, sizeof(pl_node *));
  for (int k = 0; k < b->num; k++) {
    int64_t width = b->part[k].copies * b->part[k].dim;
    const double *all = linear_x(net, take->part, k);
    double *rows = pl_tape_alloc(t, (size_t)(take->count * width), sizeof *rows);
    for (int64_t i = 0; i < take->count; i++)
      memcpy(rows + i * width, all + take->entry[i] * width, (size_t)width * sizeof *rows);
    x[k] = rows;
  }
  linear_beta(net, t, w, beta);
  pl_node *f = linear_outputs(net, t, beta, take->count, x);
  double *minus = pl_tape_alloc(t, (size_t)take->count, sizeof *minus);
  for (int64_t i = 0; i < take->count; i++)
    minus[i] = -tensor_part(net, take->part)->y[take->entry[i]];
  pl_node *m = pl_tape_multiply(t, f, pl_tape_constant(t, take->count, 1, minus));
  m = tensor_values_of(&net->spec)->loss == PL_LOSS_EXPONENTIAL ? pl_tape_exp(t, m)
                                                                : pl_tape_softplus(t, m);
  return pl_tape_scale(t, pl_tape_sum(t, m), 1 / (double)take->total);
}

static double *keep(pl_net *net, int i, const char **name, int64_t *n) {
  *name = "bound";
  *n = 1;
  return i == 0 ? &linear_data_of(net)->bound : NULL;
}

static void work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  double n = linear_points(spec), size = n * n, all = 0;
  for (int p = 0; p < PL_NUM_PARTS; p++) all += (double)pl_data_count(spec, (pl_part)p);
  *sample_flops = 6 * size;
  *sample_bytes = 8 * size;
  *fixed_flops = 20 * size * (double)tensor_values_of(spec)->depth;
  *fixed_bytes = 8 * (2 * all * size + 3 * size * size);
}

/* ---- plancherel apply ---- */

static pl_status note(const pl_net *net, pl_nc *nc) {
  const int n = linear_basis(net)->n;
  return pl_nc_att_ints(nc, NULL, "points", PL_NC_INT, &n, 1);
}

/* The size of the network, and that all samples have it. */
static pl_status read_points(const pl_nc *weights, const pl_tensor_part *p, int *out) {
  double n;
  if (pl_nc_get_att_number(weights, "points", &n) != 1 || !(n >= 2 && n <= ISOTYPIC_MOST) ||
      n != floor(n))
    return pl_error(PL_EINPUT, "%s: expected an attribute points, from 2 to %d",
                    pl_nc_path(weights), ISOTYPIC_MOST);
  *out = (int)n;
  for (int64_t i = 0; i < p->num; i++)
    if (p->points[i] != *out)
      return pl_error(PL_EINPUT, "sample %lld has %d points, the network is for %d", (long long)i,
                      p->points[i], *out);
  return PL_OK;
}

static pl_status open_files(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  int n = 0;
  PL_TRY(tensor_open_data(net, data));
  const pl_tensor_part *p = tensor_part(net, PL_TEST);
  pl_status st = weights ? read_points(weights, p, &n) : PL_OK;
  if (!st && p->y && tensor_data(net)->of_points)
    st = pl_error(PL_EINPUT, "y has a number for each point, and the network one for a sample");
  PL_TRY(pl_agree(&net->team, st));
  pl_comm_bcast(&net->team, &n, sizeof n, 0);
  transform(net, n);
  add_weights(net, linear_basis(net));
  return PL_OK;
}

static pl_status write_all(const pl_net *net, const double *f, const double *accuracy, pl_nc *out) {
  const char *dims[] = {"sample", NULL};
  int64_t num = net->count[PL_TEST];
  PL_TRY(pl_nc_def_dim(out, "sample", num));
  PL_TRY(pl_nc_def_var(out, "f", PL_NC_DOUBLE, dims, "output", "1"));
  PL_TRY(pl_nc_def_var(out, "prediction", PL_NC_INT, dims, "class: +1 or -1", "1"));
  if (accuracy) PL_TRY(pl_nc_def_var(out, "accuracy", PL_NC_DOUBLE, NULL, PL_ACCURACY, "1"));
  PL_TRY(pl_nc_end_def(out));
  PL_TRY(pl_nc_put_doubles(out, "f", NULL, NULL, f));
  for (int64_t i = 0; i < num; i++) {
    const int64_t sign = f[i] > 0 ? 1 : -1, one = 1;
    PL_TRY(pl_nc_put_ints(out, "prediction", &i, &one, &sign));
  }
  return accuracy ? pl_nc_put_doubles(out, "accuracy", NULL, NULL, accuracy) : PL_OK;
}

static pl_status predict(pl_net *net, pl_nc *out) {
  pl_node *beta[4];
  double accuracy;
  bool targets = tensor_part(net, PL_TEST)->y != NULL;
  if (targets) linear_metrics(net, PL_TEST, &accuracy);
  const pl_node *f = linear_outputs_at(net, pl_net_tape(net), PL_TEST, beta);
  pl_status st = out ? write_all(net, f->value, targets ? &accuracy : NULL, out) : PL_OK;
  return pl_agree(&net->team, st);
}

/* ---- checks ---- */

static pl_status check(const pl_spec *spec, const char **key) {
  PL_TRY(tensor_check_data(spec, key));
  int64_t num = pl_data_count(spec, PL_TRAIN);
  *key = spec->data == &pl_data_tensor_file.base ? "data.path" : "data.nodes";
  int n = linear_points(spec);
  if (n == 0) return pl_error(PL_EINPUT, "expected samples of one size");
  if (n < 2 || n > ISOTYPIC_MOST)
    return pl_error(PL_EINPUT, "expected from 2 to %d points, not %d", ISOTYPIC_MOST, n);
  int *points = pl_zalloc((size_t)num, sizeof *points, "sizes");
  pl_tensor_part p;
  bool of_points;
  const pl_tensor_data *data = (const pl_tensor_data *)spec->data;
  pl_status st = data->sizes(spec, PL_TRAIN, num, &of_points, points);
  if (st || of_points) {
    pl_free(points);
    return st ? st
              : pl_error(PL_EINPUT,
                         "y has a target for each point, expected +1 or -1 for a sample");
  }
  pl_tensor_part_init(&p, num, points, true, false);
  st = data->samples(spec, PL_TRAIN, &p);
  for (int64_t i = 0; i < num && !st; i++)
    if (fabs(p.y[i]) != 1)
      st = pl_error(PL_EINPUT, "y of training sample %lld is %g, expected +1 or -1", (long long)i,
                    p.y[i]);
  pl_free(p.points);
  pl_free(p.matrix);
  pl_free(p.point);
  pl_free(p.w);
  pl_free(p.y);
  return st ? st : pl_net_check(spec, key);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  return snprintf(buf, n, "tensor-linear, depth %lld, n = %d",
                  (long long)tensor_values_of(spec)->depth, linear_points(spec));
}

const pl_net_kind pl_tensor_linear = {
    .door = {.name = "tensor-linear",
             .help = "a product of linear equivariant layers on matrices over n points",
             .example = "{model: {kind: tensor-linear, depth: 2}, data: {samples: 7, nodes: 4, "
                        "test: 3}, record.kkt: true, steps: 20, optimizer.lr: 0.1}",
             .summary = "Schatten values, margins and certificates on the multiplicity blocks of "
                        "S_n on matrices",
             .reference = "Keriven, Peyré, Universal Invariant and Equivariant Graph Neural "
                          "Networks, NeurIPS 2019, arXiv:1905.04943; Lawrence, Georgiev, Dienes, "
                          "Kiani, ICML 2022, arXiv:2110.06084",
             .headline = (const char *const[]){"loss", "multiplicity_schatten",
                                               "multiplicity_margin", NULL},
             PL_NET_DOOR,
             .keys = (const pl_keys *const[]){&tensor_linear_keys, &pl_net_init_keys,
                                              &pl_batch_keys, &pl_spectrum_keys, NULL},
             .data = (const pl_data_kind *const[]){&pl_data_tensor_gaussian.base,
                                                   &pl_data_tensor_file.base, NULL},
             .measures = (const pl_measures *const[]){&pl_net_measures, &linear_measures, NULL},
             .metric = "accuracy",
             .fits = pl_net_fits,
             .check = check,
             .label = label,
             .apply = tensor_apply},
    .split = PL_SPLIT_SAMPLES,
    .num_metrics = 1,
    .record_bytes = sizeof(linear_record),
    .load = load,
    .unload = unload,
    .objective = objective,
    .metrics = linear_metrics,
    .observe = linear_observe,
    .axes = linear_axes,
    .keep = keep,
    .shapes = shapes,
    .note = note,
    .open = open_files,
    .predict = predict,
    .work = work,
};
