#include "elements_weights.h"

#include "base/mem.h"
#include "base/nc.h"
#include "base/rng.h"
#include "nets/group/data.h"

#include <math.h>
#include <string.h>

static bool has_matrices(const pl_spec *spec) {
  return elements_recipe_of(spec)->hidden == HIDDEN_FULL;
}

/* ---- full layers: w(layer, row, element), readout(element) ---- */

static pl_status check_finite(const pl_nc *nc, const char *var, int64_t n, const double *v) {
  for (int64_t k = 0; k < n; k++)
    if (!isfinite(v[k]))
      return pl_error(PL_EINPUT, "%s: %s holds a value that is not a finite number", pl_nc_path(nc),
                      var);
  return PL_OK;
}

static pl_status read_matrix(const pl_nc *nc, int64_t layer, int64_t n, double *w) {
  PL_TRY(pl_nc_get_doubles(nc, "w", (int64_t[]){layer, 0, 0}, (int64_t[]){1, n, n}, w));
  return check_finite(nc, "w", n * n, w);
}

static pl_status read_readout(const pl_nc *nc, int64_t n, double *w) {
  PL_TRY(pl_nc_get_doubles(nc, "readout", (int64_t[]){0}, (int64_t[]){n}, w));
  return check_finite(nc, "readout", n, w);
}

static pl_status expect_matrices(const pl_nc *nc, int64_t hidden, int64_t n) {
  int64_t shape[] = {hidden, n, n};
  PL_TRY(pl_nc_expect(nc, "w", false, 3, shape));
  return pl_nc_expect(nc, "readout", false, 1, shape + 1);
}

static pl_status check_matrices(const pl_spec *spec, int64_t n) {
  pl_nc *nc;
  int64_t hidden = pl_group_values_of(spec)->depth - 1;
  PL_TRY(pl_nc_open(pl_group_values_of(spec)->init_path, false, &nc));
  pl_status st = expect_matrices(nc, hidden, n);
  double *w = pl_alloc((size_t)(n * n), sizeof *w, "weights of a file");
  for (int64_t l = 0; l < hidden && !st; l++) st = read_matrix(nc, l, n, w);
  if (!st) st = read_readout(nc, n, w);
  pl_free(w);
  pl_nc_close(nc);
  return st;
}

pl_status elements_check_weights(const pl_spec *spec, const pl_group *g, const char **key) {
  if (!has_matrices(spec)) return pl_filters_check(spec, g, key);
  if (pl_group_values_of(spec)->init_kind != PL_INIT_FILE) return PL_OK;
  *key = "model.init.path";
  return check_matrices(spec, pl_group_order(g));
}

/* ---- initial weights ---- */

/* Variance scale^2/|G| each, uniform on (-a, a) or Gaussian. */
static void draw_matrix(const elements_net *m, int layer, double *w) {
  int64_t n = m->order * m->order;
  uint64_t seed = (uint64_t)m->spec.common.seed, stream = PL_STREAM(PL_STREAM_FILTER, layer);
  double sd = m->values->init_scale / sqrt((double)m->order);
  if (m->values->init_kind == PL_INIT_GAUSSIAN) {
    pl_rng_normals(seed, stream, 0, n, w);
    for (int64_t k = 0; k < n; k++) w[k] *= sd;
  } else {
    for (int64_t k = 0; k < n; k++)
      w[k] = sqrt(3) * sd * (2 * pl_rng_uniform(seed, stream, (uint64_t)k) - 1);
  }
}

/* Filters as the linear G-CNN of this spec would have, back over the elements. */
static pl_status init_filters(elements_net *m) {
  const pl_layout *l = m->layout;
  double **w = pl_alloc((size_t)m->depth, sizeof *w, "filters");
  double *f = pl_alloc((size_t)m->order, sizeof *f, "function over G");
  for (int k = 0; k < m->depth; k++)
    w[k] = pl_zalloc((size_t)l->local, sizeof **w, "filters in Fourier space");
  pl_status st = pl_filters_init(&m->spec, l, m->transform, f, w);
  for (int k = has_matrices(&m->spec) ? m->depth - 1 : 0; k < m->depth && !st; k++) {
    pl_transform_inverse(m->transform, w[k], f);
    memcpy(m->weighted[k]->w, f, (size_t)m->weighted[k]->cols * sizeof *f);
  }
  /* The one weight of a pooling read-out stands for |G| filter values. */
  if (elements_pools(&m->spec) && m->values->init_kind != PL_INIT_FILE)
    m->weighted[m->depth - 1]->w[0] *= sqrt((double)m->order);
  for (int k = 0; k < m->depth; k++) pl_free(w[k]);
  pl_free(w);
  pl_free(f);
  return st;
}

static pl_status read_matrices(elements_net *m) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(m->values->init_path, false, &nc));
  pl_status st = expect_matrices(nc, m->depth - 1, m->order);
  for (int l = 0; l < m->depth - 1 && !st; l++)
    st = read_matrix(nc, l, m->order, m->weighted[l]->w);
  if (!st) st = read_readout(nc, m->weighted[m->depth - 1]->cols, m->weighted[m->depth - 1]->w);
  pl_nc_close(nc);
  return st;
}

pl_status elements_init_weights(elements_net *m) {
  if (!has_matrices(&m->spec)) return init_filters(m);
  if (m->values->init_kind == PL_INIT_FILE) return read_matrices(m);
  for (int l = 0; l < m->depth - 1; l++) draw_matrix(m, l, m->weighted[l]->w);
  return init_filters(m);
}

/* ---- to a file ---- */

static pl_status define(const elements_net *m, pl_nc *nc, const pl_attribute *attributes, int num) {
  bool matrices = has_matrices(&m->spec);
  const char *filters[] = {"layer", "element", NULL}, *full[] = {"layer", "row", "element", NULL};
  PL_TRY(pl_nc_def_dim(nc, "layer", matrices ? m->depth - 1 : m->depth));
  PL_TRY(pl_nc_def_dim(nc, "element", m->order));
  if (matrices) {
    PL_TRY(pl_nc_def_dim(nc, "row", m->order));
    PL_TRY(pl_nc_def_var(nc, "readout", PL_NC_DOUBLE, full + 2, "weights of the read-out", "1"));
  }
  PL_TRY(pl_nc_def_var(nc, "w", PL_NC_DOUBLE, matrices ? full : filters, "weights, layer 0 first",
                       "1"));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  PL_TRY(pl_nc_att_text(nc, NULL, "group", pl_group_spec(m->group)));
  return pl_nc_end_def(nc);
}

static pl_status write(const elements_net *m, pl_nc *nc) {
  int64_t n = m->order;
  bool matrices = has_matrices(&m->spec);
  double *last = pl_zalloc((size_t)n, sizeof *last, "read-out"); /* pooling: zeros after it */
  const pl_layer *readout = m->weighted[m->depth - 1];
  memcpy(last, readout->w, (size_t)readout->cols * sizeof *last);
  pl_status st = PL_OK;
  for (int64_t l = 0; l < m->depth - 1 && !st; l++)
    st = pl_nc_put_doubles(nc, "w", (int64_t[]){l, 0, 0},
                           matrices ? (int64_t[]){1, n, n} : (int64_t[]){1, n}, m->weighted[l]->w);
  if (!st && matrices) st = pl_nc_put_doubles(nc, "readout", NULL, NULL, last);
  if (!st && !matrices)
    st = pl_nc_put_doubles(nc, "w", (int64_t[]){m->depth - 1, 0}, (int64_t[]){1, n}, last);
  pl_free(last);
  return st;
}

pl_status elements_save(pl_model *model, const char *path, const pl_attribute *attributes,
                        int num) {
  elements_net *m = elements_of(model);
  pl_status st = PL_OK;
  if (m->team.rank == 0) {
    pl_nc *nc = NULL;
    st = pl_nc_create(path, true, false, &nc);
    if (!st) st = define(m, nc, attributes, num);
    if (!st) st = write(m, nc);
    pl_status closed = pl_nc_close(nc);
    if (!st) st = closed;
  }
  return pl_agree(&m->team, st);
}
