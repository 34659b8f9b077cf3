/* Regression on functions on a group whose Fourier matrices have rank one, with row spaces that all
 * tasks share. */
#include "base/mem.h"
#include "base/norm.h"
#include "draw.h"
#include "group/fourier.h"
#include "keys.h"
#include "nets/meta/data.h"

#include <string.h>

enum { TARGET, INPUT }; /* sorts of numbers of a part */

static pl_status group_of(const pl_spec *spec, pl_group **out) {
  size_t room = sizeof((pl_inner_shape *)0)->group;
  if (strlen(meta_data_of(spec)->group) >= room)
    return pl_error(PL_EINPUT, "expected a text shorter than %zu characters", room);
  PL_TRY(pl_group_parse(meta_data_of(spec)->group, out));
  if (pl_group_order(*out) <= 1000) return PL_OK;
  pl_status st = pl_error(PL_EINPUT, "%s has %lld elements, expected at most 1000",
                          pl_group_spec(*out), (long long)pl_group_order(*out));
  pl_group_free(*out);
  return st;
}

static pl_status shape(const pl_spec *spec, pl_task_shape *out) {
  const meta_data_values *v = meta_data_of(spec);
  pl_group *g;
  PL_TRY(group_of(spec, &g));
  *out = (pl_task_shape){{.features = pl_group_order(g), .outputs = 1}, v->shots, v->queries};
  memcpy(out->sample.group, v->group, strlen(v->group));
  pl_group_free(g);
  return PL_OK;
}

/* ---- row spaces ---- */

static pl_status find_irreps(const pl_group *g, const pl_texts *labels, int64_t *irrep) {
  for (int k = 0; k < labels->n; k++) {
    irrep[k] = pl_group_irrep_by_label(g, labels->v[k]);
    if (irrep[k] < 0)
      return pl_error(PL_EINPUT, "%s has no irrep \"%s\"", pl_group_spec(g), labels->v[k]);
    if (pl_group_irrep(g, irrep[k]).type != PL_REAL)
      return pl_error(PL_EINPUT, "irrep \"%s\" of %s is not of real type", labels->v[k],
                      pl_group_spec(g));
    for (int j = 0; j < k; j++)
      if (irrep[j] == irrep[k])
        return pl_error(PL_EINPUT, "irrep \"%s\" stands twice", labels->v[k]);
  }
  return PL_OK;
}

/* Unit vectors, one to a live irrep. */
static double *draw_rows(const pl_spec *spec, const pl_group *g, int num, const int64_t *irrep) {
  int64_t all = 0;
  for (int k = 0; k < num; k++) all += pl_group_irrep(g, irrep[k]).dim;
  double *rows = pl_alloc((size_t)all, sizeof *rows, "row spaces"), *v = rows;
  pl_rng_normals(pl_data_seed(spec), draw_stream(DRAW_SHARED, 0), 0, all, rows);
  for (int k = 0; k < num; k++) {
    int d = pl_group_irrep(g, irrep[k]).dim;
    double norm = pl_norm2(d, v);
    for (int j = 0; j < d; j++) v[j] /= norm;
    v += d;
  }
  return rows;
}

pl_status pl_group_tasks_rows(const pl_spec *spec, int *num, int64_t **irrep, double **v) {
  const pl_texts *labels = &meta_data_of(spec)->irreps;
  pl_group *g;
  PL_TRY(group_of(spec, &g));
  *num = labels->n;
  *irrep = pl_alloc((size_t)labels->n, sizeof **irrep, "irreps");
  pl_status st = find_irreps(g, labels, *irrep);
  if (st)
    pl_free(*irrep);
  else
    *v = draw_rows(spec, g, *num, *irrep);
  pl_group_free(g);
  return st;
}

/* ---- tasks ---- */

typedef struct source {
  pl_group *group;
  pl_fourier *plan;
  int num;
  int64_t *irrep, *offset; /* of the live irreps; of every irrep in F */
  double *v;               /* the row spaces, one after the other */
  double *F, *beta, *moved;
} source;

static void end(void *own) {
  source *s = own;
  pl_fourier_free(s->plan);
  pl_group_free(s->group);
  pl_free(s->irrep);
  pl_free(s->offset);
  pl_free(s->v);
  pl_free(s->F);
  pl_free(s->beta);
  pl_free(s->moved);
  pl_free(s);
}

static pl_status begin(pl_tasks *t, const pl_comm *team) {
  source *s = t->own = pl_zalloc(1, sizeof *s, "tasks on a group");
  pl_status st = group_of(t->spec, &s->group);
  if (!st) st = pl_fourier_new(s->group, NULL, &s->plan);
  if (!st) st = pl_group_tasks_rows(t->spec, &s->num, &s->irrep, &s->v);
  if (!st) {
    size_t n = (size_t)pl_group_order(s->group);
    int64_t irreps = pl_group_num_irreps(s->group);
    s->offset = pl_alloc((size_t)irreps, sizeof *s->offset, "tasks on a group");
    for (int64_t i = 0, at = 0; i < irreps; i++) {
      s->offset[i] = at;
      at += pl_irrep_size(pl_group_irrep(s->group, i));
    }
    s->F = pl_alloc((size_t)pl_fourier_size(s->group), sizeof *s->F, "tasks on a group");
    s->beta = pl_alloc(n, sizeof *s->beta, "tasks on a group");
    s->moved = pl_alloc(n, sizeof *s->moved, "tasks on a group");
  }
  return pl_agree(team, st);
}

/* beta of norm 1 with B_rho = u v_rho^T, u normal, on the live irreps and 0 elsewhere. */
static void draw_target(source *s, uint64_t seed, uint64_t stream, int64_t task) {
  int64_t all = 0, n = pl_group_order(s->group);
  for (int k = 0; k < s->num; k++) all += pl_group_irrep(s->group, s->irrep[k]).dim;
  memset(s->F, 0, (size_t)pl_fourier_size(s->group) * sizeof *s->F);
  const double *v = s->v;
  int64_t at = task * all;
  for (int k = 0; k < s->num; k++) {
    int d = pl_group_irrep(s->group, s->irrep[k]).dim;
    double *B = s->F + s->offset[s->irrep[k]];
    for (int i = 0; i < d; i++) {
      double u;
      pl_rng_normals(seed, stream, at + i, 1, &u);
      for (int j = 0; j < d; j++) B[i * d + j] = u * v[j];
    }
    at += d;
    v += d;
  }
  pl_fourier_inverse(s->plan, 1, s->F, 0, s->beta, n);
  double norm = pl_norm2(n, s->beta);
  for (int64_t i = 0; i < n; i++) s->beta[i] /= norm;
}

/* out(u) = f(h^-1 u): f translated by h. */
static void translate(const source *s, int64_t h, const double *f, double *out) {
  for (int64_t u = 0; u < pl_group_order(s->group); u++) out[pl_group_mul(s->group, h, u)] = f[u];
}

/* With data.translates task i is translate i mod |G| of draw i / |G|: inputs and target both. */
static void make(const pl_tasks *t, pl_part part, int64_t i, double *x, double *y) {
  source *s = t->own;
  uint64_t seed = pl_data_seed(t->spec);
  int64_t n = t->shape.sample.features, samples = pl_task_samples(&t->shape), h = 0;
  if (meta_data_of(t->spec)->translates) {
    h = i % n;
    i /= n;
  }
  draw_target(s, seed, draw_stream(part, TARGET), i);
  pl_rng_normals(seed, draw_stream(part, INPUT), i * samples * n, samples * n, x);
  for (int64_t k = 0; k < samples; k++) {
    y[k] = 0;
    for (int64_t u = 0; u < n; u++) y[k] += x[k * n + u] * s->beta[u];
    if (h == 0) continue;
    translate(s, h, x + k * n, s->moved);
    memcpy(x + k * n, s->moved, (size_t)n * sizeof *x);
  }
}

static pl_status check(const pl_spec *spec, const char **key) {
  int num;
  int64_t *irrep;
  double *v;
  pl_group *g;
  *key = "group";
  PL_TRY(group_of(spec, &g));
  pl_group_free(g);
  *key = "data.irreps";
  if (meta_data_of(spec)->irreps.n == 0) return pl_error(PL_EINPUT, "expected at least one irrep");
  PL_TRY(pl_group_tasks_rows(spec, &num, &irrep, &v));
  pl_free(irrep);
  pl_free(v);
  return PL_OK;
}

static const pl_key rows[] = {
    {"group", PL_KEY_TEXT, DATA_FIELD(group), DATA_ALL, .required = true, .file = pl_group_file,
     .help = "the group, see plancherel group; of up to 1000 elements"},
    {"data.irreps", PL_KEY_TEXTS, DATA_FIELD(irreps), DATA_DRAWN, .required = true,
     .help = "labels of the irreps of real type that the targets live on"},
    {"data.shots", PL_KEY_INT, DATA_FIELD(shots), DATA_ALL, "8", .min = 1, .max = 10000,
     .help = "samples that a task is adapted to; of fewshot, of each class"},
    {"data.queries", PL_KEY_INT, DATA_FIELD(queries), DATA_ALL, "24", .min = 1, .max = 10000,
     .help = "samples that it is then judged by; of fewshot, of each class"},
    {"data.translates", PL_KEY_BOOL, DATA_FIELD(translates), DATA_DRAWN, "false",
     .help = "every task comes with its translates: task i is translate i mod |G| of draw i / |G|, "
             "inputs and target moved together"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&meta_size_keys, &table, NULL};

const pl_task_data pl_data_group_tasks = {
    .base = {.name = "group",
             .help = "functions on a group, of rank one on a few irreps, rows shared by all tasks",
             .keys = keys,
             .write_data = pl_tasks_write},
    .shape = shape,
    .check = check,
    .begin = begin,
    .end = end,
    .make = make,
};
