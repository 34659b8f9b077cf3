#include "elements_weights.h"

#include "base/mem.h"
#include "base/nc.h"
#include "base/rng.h"
#include "group/elements.h"
#include "nets/group/data.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool has_matrices(const pl_spec *spec) {
  return elements_recipe_of(spec)->hidden == HIDDEN_FULL;
}

/* ---- full layers: w(layer, row, element), readout(element) ---- */

/* They index the elements in the file's order; labels are looked at, where there are any. */
typedef struct matrix_file {
  pl_nc *nc;
  pl_nc_input *w, *readout;
  int64_t *order; /* NULL: the group's own */
  double *filed;  /* with order: as it stands in the file, [n][n] */
} matrix_file;

static pl_status open_inputs(const pl_group *g, int64_t hidden, matrix_file *m) {
  int64_t n = pl_group_order(g);
  char is[96];
  snprintf(is, sizeof is, "the order of %.64s", pl_group_spec(g));
  pl_nc_axis w[] = {{"layer", hidden, NULL}, {"row", n, is}, {"element", n, is}};
  PL_TRY(pl_nc_input_new(m->nc, "w", PL_NC_REAL, 3, w, &m->w));
  PL_TRY(pl_nc_input_new(m->nc, "readout", PL_NC_REAL, 1, w + 2, &m->readout));
  PL_TRY(pl_elements_same_group(m->nc, g));
  PL_TRY(pl_elements_order(m->nc, g, &m->order));
  if (m->order) m->filed = pl_alloc((size_t)(n * n), sizeof *m->filed, "weights of a file");
  return PL_OK;
}

static void matrices_close(matrix_file *m) {
  pl_nc_input_free(m->w);
  pl_nc_input_free(m->readout);
  pl_nc_close(m->nc);
  pl_free(m->order);
  pl_free(m->filed);
}

/* Close them whatever the status. */
static pl_status matrices_open(const pl_spec *spec, const pl_group *g, matrix_file *m) {
  const pl_group_values *v = pl_group_values_of(spec);
  *m = (matrix_file){0};
  PL_TRY(pl_nc_open(v->init_path, false, &m->nc));
  return open_inputs(g, v->depth - 1, m);
}

/* Rows are elements, too. */
static pl_status read_matrix(const matrix_file *m, int64_t layer, int64_t n, double *w) {
  const int64_t start[] = {layer, 0, 0}, count[] = {1, n, n};
  if (!m->order) return pl_nc_input_doubles(m->w, start, count, w);
  PL_TRY(pl_nc_input_doubles(m->w, start, count, m->filed));
  for (int64_t k = 0; k < n; k++)
    pl_elements_arrange(n, m->order, m->filed + k * n, w + m->order[k] * n);
  return PL_OK;
}

static pl_status read_readout(const matrix_file *m, int64_t n, double *w) {
  if (!m->order) return pl_nc_input_doubles(m->readout, NULL, NULL, w);
  PL_TRY(pl_nc_input_doubles(m->readout, NULL, NULL, m->filed));
  pl_elements_arrange(n, m->order, m->filed, w);
  return PL_OK;
}

static pl_status check_matrices(const pl_spec *spec, const pl_group *g) {
  matrix_file m;
  int64_t hidden = pl_group_values_of(spec)->depth - 1, n = pl_group_order(g);
  pl_status st = matrices_open(spec, g, &m);
  double *w = pl_alloc((size_t)(n * n), sizeof *w, "weights of a file");
  for (int64_t l = 0; l < hidden && !st; l++) st = read_matrix(&m, l, n, w);
  if (!st) st = read_readout(&m, n, w);
  pl_free(w);
  matrices_close(&m);
  return st;
}

pl_status elements_check_weights(const pl_spec *spec, const pl_group *g, const char **key) {
  if (!has_matrices(spec)) return pl_filters_check(spec, g, key);
  if (pl_group_values_of(spec)->init_kind != PL_INIT_FILE) return PL_OK;
  *key = "model.init.path";
  return check_matrices(spec, g);
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
  matrix_file file;
  double *readout = pl_alloc((size_t)m->order, sizeof *readout, "read-out");
  const pl_layer *last = m->weighted[m->depth - 1];
  pl_status st = matrices_open(&m->spec, m->group, &file);
  for (int l = 0; l < m->depth - 1 && !st; l++)
    st = read_matrix(&file, l, m->order, m->weighted[l]->w);
  if (!st) st = read_readout(&file, m->order, readout);
  if (!st) memcpy(last->w, readout, (size_t)last->cols * sizeof *readout);
  matrices_close(&file);
  pl_free(readout);
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
  PL_TRY(pl_elements_name_group(nc, m->group));
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
