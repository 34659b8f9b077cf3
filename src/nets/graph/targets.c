#include "nodes.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base/norm.h"
#include "group/fourier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Members of PL_STREAM_SAMPLE that targets take their numbers from. */
enum { SHUFFLED, ROWS };

static pl_status at(const char **key, const char *name, pl_status st) {
  if (st && key) *key = name;
  return st;
}

/* ---- classes ---- */

/* Fisher and Yates over the nodes that have a label. */
static void shuffle(int64_t nodes, int32_t *label, uint64_t seed) {
  int64_t *node = pl_alloc((size_t)nodes, sizeof *node, "nodes with a class"), n = 0;
  for (int64_t i = 0; i < nodes; i++)
    if (label[i] >= 0) node[n++] = i;
  for (int64_t k = n - 1; k > 0; k--) {
    int64_t j = pl_rng_below(seed, PL_STREAM(PL_STREAM_SAMPLE, SHUFFLED), (uint64_t)k, k + 1);
    int32_t kept = label[node[k]];
    label[node[k]] = label[node[j]];
    label[node[j]] = kept;
  }
  pl_free(node);
}

/* d->label and, as 1 in the column of the class, d->target. */
static void set_classes(graph_nodes *d, int64_t classes, const int32_t *label) {
  d->classes = true;
  d->outputs = classes;
  d->label = pl_alloc((size_t)d->nodes, sizeof *d->label, "classes");
  memcpy(d->label, label, (size_t)d->nodes * sizeof *d->label);
}
static void set_columns(graph_nodes *d) {
  d->target = pl_zalloc((size_t)(d->nodes * d->outputs), sizeof *d->target, "targets");
  for (int64_t i = 0; i < d->nodes; i++)
    if (d->label[i] >= 0) d->target[i * d->outputs + d->label[i]] = 1;
}

static pl_status take_classes(const pl_spec *spec, const char **key, graph_nodes *d,
                              const pl_graph_data *raw) {
  const graph_values *v = graph_values_of(spec);
  if (!raw->label) {
    pl_error(PL_EINPUT, "%s: no label(node)", v->path ? v->path : "the graph");
    return at(key, "data.path", PL_EINPUT);
  }
  set_classes(d, raw->classes, raw->label);
  if (v->target == TARGET_SHUFFLED) shuffle(d->nodes, d->label, pl_data_seed(spec));
  set_columns(d);
  return PL_OK;
}

/* ---- rows of numbers ---- */

/* The part of f in the listed irreps, in place. */
static pl_status project(const graph_values *v, const pl_group *g, int64_t rows, double *f) {
  int64_t n = pl_group_num_irreps(g), size = pl_fourier_size(g), at_irrep = 0;
  pl_fourier *plan;
  bool *kept = pl_zalloc((size_t)n, sizeof *kept, "irreps");
  pl_status st = PL_OK;
  for (int k = 0; !st && k < v->irreps.n; k++) {
    int64_t i = pl_group_irrep_by_label(g, v->irreps.v[k]);
    if (i < 0)
      st = pl_error(PL_EINPUT, "%s has no irrep \"%s\"", pl_group_spec(g), v->irreps.v[k]);
    else
      kept[i] = true;
  }
  if (!st) st = pl_fourier_new(g, NULL, &plan);
  if (!st) {
    double *F = pl_alloc((size_t)(rows * size), sizeof *F, "Fourier coefficients");
    pl_fourier_forward(plan, pl_int(rows), f, pl_group_order(g), F, size);
    for (int64_t i = 0; i < n; i++) {
      int64_t one = pl_irrep_size(pl_group_irrep(g, i));
      for (int64_t b = 0; !kept[i] && b < rows; b++)
        memset(F + b * size + at_irrep, 0, (size_t)one * sizeof *F);
      at_irrep += one;
    }
    pl_fourier_inverse(plan, pl_int(rows), F, size, f, pl_group_order(g));
    pl_free(F);
    pl_fourier_free(plan);
  }
  pl_free(kept);
  return st;
}

static void set_numbers(graph_nodes *d, const pl_graph_data *raw) {
  size_t n = (size_t)(d->nodes * raw->targets);
  d->outputs = raw->targets;
  d->target = pl_alloc(n, sizeof *d->target, "targets");
  memcpy(d->target, raw->target, n * sizeof *d->target);
}

static pl_status take_numbers(const pl_spec *spec, const char **key, graph_nodes *d,
                              const pl_graph_data *raw) {
  if (!raw->target) {
    pl_error(PL_EINPUT, "%s: no target(node, output)", graph_values_of(spec)->path);
    return at(key, "data.path", PL_EINPUT);
  }
  set_numbers(d, raw);
  return PL_OK;
}

static pl_status draw_rows(const pl_spec *spec, const char **key, graph_nodes *d) {
  const graph_values *v = graph_values_of(spec);
  int64_t n = d->nodes, rows = v->rows;
  double *f = pl_alloc((size_t)(n * rows), sizeof *f, "targets");
  d->outputs = rows;
  d->target = pl_alloc((size_t)(n * rows), sizeof *d->target, "targets");
  pl_rng_normals(pl_data_seed(spec), PL_STREAM(PL_STREAM_SAMPLE, ROWS), 0, n * rows, f);
  pl_status st = PL_OK;
  if (v->target == TARGET_IRREPS) st = at(key, "data.irreps", project(v, d->group, rows, f));
  for (int64_t r = 0; r < rows; r++) {
    double norm = sqrt(pl_sum_squares(n, f + r * n));
    for (int64_t i = 0; i < n; i++) d->target[i * rows + r] = f[r * n + i] / norm;
  }
  pl_free(f);
  return st;
}

pl_status graph_targets(const pl_spec *spec, const char **key, graph_nodes *d,
                        const pl_graph_data *raw) {
  int64_t target = graph_values_of(spec)->target;
  if (target == PL_UNSET) target = d->group ? TARGET_RANDOM : TARGET_GIVEN;
  if (target == TARGET_GIVEN || target == TARGET_SHUFFLED) return take_classes(spec, key, d, raw);
  return target == TARGET_NUMBERS ? take_numbers(spec, key, d, raw) : draw_rows(spec, key, d);
}

pl_status graph_known_targets(const char *path, const graph_shape *shape, graph_nodes *d,
                              const pl_graph_data *raw) {
  d->outputs = shape->outputs;
  d->classes = shape->classes;
  d->untrained = -1;
  if (shape->classes && raw->label) {
    if (raw->classes > shape->outputs)
      return pl_error(PL_EINPUT, "%s: label(node) has %lld classes, and the network %lld", path,
                      (long long)raw->classes, (long long)shape->outputs);
    set_classes(d, shape->outputs, raw->label);
    set_columns(d);
  } else if (!shape->classes && raw->target) {
    if (raw->targets != shape->outputs)
      return pl_error(PL_EINPUT, "%s: target(node, output) has %lld columns, and the network %lld",
                      path, (long long)raw->targets, (long long)shape->outputs);
    set_numbers(d, raw);
  }
  int *test = d->member[PL_TEST] = pl_alloc((size_t)d->nodes, sizeof *test, "nodes of a part");
  for (int64_t i = 0; i < d->nodes; i++)
    if (d->label ? d->label[i] >= 0 : d->target != NULL) test[d->count[PL_TEST]++] = (int)i;
  return PL_OK;
}
