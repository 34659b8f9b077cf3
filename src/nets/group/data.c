#include "data_internal.h"

#include "base/mem.h"
#include "base/rng.h"
#include "group/perm.h"
#include "group/young.h"
#include "spectral/spectrum.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_IN_BAND = 1000000 }; /* permutations in a sample: hours, on a large group */

/* ---- Gaussian functions, drawn entry by entry in Fourier space ---- */

int64_t *data_packed_offsets(const pl_group *g) {
  int64_t n = pl_group_num_irreps(g), at = 0;
  int64_t *offset = pl_alloc((size_t)n, sizeof *offset, "offsets");
  for (int64_t i = 0; i < n; i++) {
    offset[i] = at;
    at += pl_irrep_size(pl_group_irrep(g, i));
  }
  return offset;
}

/* Quaternionic type: the first column of each 2 x 2 block is drawn, the second follows. */
static void pair_up(int d, double *F) {
  for (int i = 0; i < d; i += 2)
    for (int j = 0; j < d; j += 2) {
      double *a = F + 2 * (i * d + j), *b = F + 2 * ((i + 1) * d + j);
      a[2] = -b[0];
      a[3] = b[1];
      b[2] = a[0];
      b[3] = -a[1];
    }
}

void data_draw_gaussian(const pl_layout *l, const int64_t *packed, uint64_t seed, uint64_t stream,
                        double v, double *F) {
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    double *out = F + b->offset;
    double sd = sqrt(v / b->dim / (pl_stack_complex(b) ? 2 : 1));
    if (b->grid >= 0 && b->size) {
      /* The grid holds the transpose: local row r is column j of F, contiguous within a block. */
      for (int c = 0; c < b->mat.ln; c++) {
        int64_t row = packed[b->irrep[0]] + (int64_t)pl_dmat_col(&b->mat, c) * b->dim;
        for (int r = 0; r < b->mat.lm; r += b->mat.nb) {
          int n = b->mat.lm - r < b->mat.nb ? b->mat.lm - r : b->mat.nb;
          pl_rng_normals(seed, stream, row + pl_dmat_row(&b->mat, r), n,
                         out + (int64_t)c * b->mat.lld + r);
        }
      }
    } else {
      for (int64_t k = 0; b->size && k < b->count; k++)
        pl_rng_normals(seed, stream, packed[b->irrep[k]], b->size, out + k * b->size);
    }
    for (int64_t k = 0; k < pl_stack_doubles(b); k++) out[k] *= sd;
    for (int64_t k = 0; b->size && b->type == PL_QUATERNIONIC && k < b->count; k++)
      pair_up(b->dim, out + k * b->size);
  }
}

double data_inner(const pl_layout *l, const double *F, const double *H) {
  double sum = 0;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    pl_multi_dot(1, pl_stack_doubles(b), b->weight, F + b->offset, 0, H + b->offset, &sum);
  }
  pl_comm_sum(&l->team, &sum, 1);
  return sum;
}

/* ---- functions over G ---- */

/* Row `row` of a two-dimensional variable, read on rank 0 of the team, as a spectrum. */
static pl_status read_row(const pl_layout *l, pl_transform *t, const pl_nc *nc, const char *var,
                          int64_t row, double *full, double *f, double *F) {
  if (pl_group_codepth(l->group)) return data_read_band(l, nc, var, row, F);
  pl_status st = PL_OK;
  if (l->team.rank == 0)
    st = pl_nc_get_doubles(nc, var, (int64_t[]){row, 0}, (int64_t[]){1, pl_group_order(l->group)},
                           full);
  PL_TRY(pl_agree(&l->team, st));
  pl_transform_scatter(t, full, f);
  pl_transform_forward(t, f, F);
  return PL_OK;
}

/* Put a number into an open hash table of size slots, a power of two, empty ones -1: whether it was
 * there already. */
static bool insert(int64_t *table, int64_t size, int64_t x) {
  uint64_t slot = (uint64_t)x * 0x9E3779B97F4A7C15u & (uint64_t)(size - 1);
  while (table[slot] >= 0 && table[slot] != x) slot = (slot + 1) & (uint64_t)(size - 1);
  bool there = table[slot] == x;
  table[slot] = x;
  return there;
}

/* k distinct elements.  Floyd's sampling: distinct without rejection. */
static void draw_elements(uint64_t seed, uint64_t stream, int64_t order, int64_t k, int64_t *g) {
  int64_t size = 2;
  while (size < 2 * k) size *= 2;
  int64_t *table = pl_alloc((size_t)size, sizeof *table, "sparse sample");
  memset(table, -1, (size_t)size * sizeof *table);
  for (int64_t i = 0; i < k; i++) {
    int64_t top = order - k + i;
    g[i] = pl_rng_below(seed, stream, (uint64_t)i, top + 1);
    if (insert(table, size, g[i])) insert(table, size, g[i] = top);
  }
  pl_free(table);
}

/* k permutations of so many letters that two are hardly ever equal: Fisher-Yates. */
static void draw_permutations(uint64_t seed, uint64_t stream, int n, int64_t k, int8_t *perm) {
  for (int64_t i = 0; i < k; i++, perm += n) {
    for (int m = 0; m < n; m++) perm[m] = (int8_t)m;
    for (int m = n - 1; m > 0; m--) {
      int64_t j = pl_rng_below(seed, stream, (uint64_t)(i * n + m), m + 1);
      int8_t kept = perm[m];
      perm[m] = perm[j];
      perm[j] = kept;
    }
  }
}

/* Elements of the whole group with Gaussian values, the same on every rank: into f, each rank the
 * ones it holds, and then F; or straight into a band, where the elements are those of the whole
 * group as long as they have numbers. */
static void draw_sparse(const pl_spec *spec, const pl_layout *l, pl_transform *t,
                        const pl_band *tables, uint64_t seed, int64_t sample, double *f,
                        double *F) {
  int64_t k = spec->data_nonzeros;
  int n = pl_group_letters(l->group);
  bool numbered = !tables || n <= PL_MAX_N;
  int64_t *g = pl_alloc((size_t)k, sizeof *g, "sparse sample");
  double *v = pl_alloc((size_t)k, sizeof *v, "sparse sample");
  uint64_t where = PL_STREAM(PL_STREAM_MISC, sample);
  pl_rng_normals(seed, PL_STREAM(PL_STREAM_SAMPLE, sample), 0, k, v);
  if (numbered) draw_elements(seed, where, pl_group_order(l->group), k, g);
  if (tables) {
    int8_t *perms = pl_alloc((size_t)k, (size_t)n, "sparse sample");
    if (!numbered) draw_permutations(seed, where, n, k, perms);
    for (int64_t i = 0; i < k && numbered; i++) pl_perm_unrank(n, g[i], perms + i * n);
    data_sum_permutations(l, t, tables, k, perms, v, f, F);
    pl_free(perms);
  } else {
    int64_t first = pl_transform_first(t), count = pl_transform_count(t);
    memset(f, 0, (size_t)count * sizeof *f);
    for (int64_t i = 0; i < k; i++)
      if (g[i] >= first && g[i] < first + count) f[g[i] - first] = v[i];
    pl_transform_forward(t, f, F);
  }
  pl_free(g);
  pl_free(v);
}

static void clear_trivial(const pl_layout *l, double *F) {
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    for (int64_t k = 0; b->size && k < b->count; k++)
      if (b->irrep[k] == 0) F[b->offset + k * b->size] = 0;
  }
}

/* One sample of ballots, as a spectrum. */
static pl_status add_ballots(const pl_spec *spec, const pl_layout *l, pl_transform *t,
                             const pl_band *tables, const ballots *b, int64_t sample, double *f,
                             double *F) {
  int n = pl_group_letters(l->group);
  int8_t *perms = pl_alloc((size_t)spec->data_ballots, (size_t)n, "ballots");
  double *weights = pl_alloc((size_t)spec->data_ballots, sizeof *weights, "ballots");
  int64_t count = ballots_sample(b, sample, perms, weights);
  data_sum_permutations(l, t, tables, count, perms, weights, f, F);
  pl_free(weights);
  pl_free(perms);
  if (!spec->data_center) return PL_OK;
  double whole = data_inner(l, F, F);
  clear_trivial(l, F);
  /* Counts are integers, so that what is left is either 0 or far above rounding: 1/2 of m^2. */
  if (data_inner(l, F, F) > 1e-20 * whole) return PL_OK;
  return pl_error(PL_EINPUT,
                  "sample %lld has every permutation equally often: nothing is left of it, "
                  "data.center: false would keep it",
                  (long long)sample);
}

/* ---- matrix elements of irreps ---- */

/* Real coordinates of the Fourier matrix of a real function: entries (real type), their real and
 * imaginary parts (complex), the four parts of each 2 x 2 block (quaternionic). */
static int64_t coordinates(pl_irrep r) {
  return (int64_t)r.dim * r.dim * (r.type == PL_COMPLEX ? 2 : 1);
}

/* Sample number `sample`: irreps in turn, coordinates in row-major order. */
static void matrix_element(const pl_layout *l, const int64_t *irreps, int num_irreps,
                           int64_t sample, double *F) {
  int64_t irrep = irreps[sample % num_irreps], e = sample / num_irreps;
  memset(F, 0, (size_t)l->local * sizeof *F);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    for (int64_t k = 0; b->size && k < b->count; k++) {
      if (b->irrep[k] != irrep) continue;
      double *m = F + b->offset + k * b->size;
      int d = b->dim;
      if (b->type == PL_QUATERNIONIC) {
        int64_t block = e / 4, p = block / (d / 2), q = block % (d / 2), part = e % 4;
        m[2 * ((2 * p + part / 2) * d + 2 * q) + part % 2] = 1;
        pair_up(d, m);
      } else if (b->grid < 0) {
        m[e] = 1;
      } else {
        for (int c = 0; c < b->mat.ln; c++)
          for (int r = 0; r < b->mat.lm; r++)
            if ((int64_t)pl_dmat_col(&b->mat, c) * d + pl_dmat_row(&b->mat, r) == e)
              m[(int64_t)c * b->mat.lld + r] = 1;
      }
    }
  }
}

static pl_status find_irreps(const pl_spec *spec, const pl_group *g, int64_t *out) {
  for (int k = 0; k < spec->data_irreps.n; k++) {
    out[k] = pl_group_irrep_by_label(g, spec->data_irreps.v[k]);
    if (out[k] >= 0) continue;
    char list[400] = "";
    size_t used = 0;
    int64_t n = pl_group_num_irreps(g);
    for (int64_t i = 0; i < n && used + 80 < sizeof list; i++) {
      char label[64];
      pl_group_irrep_label(g, i, label, sizeof label);
      used += (size_t)snprintf(list + used, sizeof list - used, "%s\"%s\"", i ? " " : "", label);
    }
    return pl_error(PL_EINPUT, "%s has no irrep \"%s\"; its irreps are %s%s", pl_group_spec(g),
                    spec->data_irreps.v[k], list, used + 80 < sizeof list ? "" : " ..");
  }
  return PL_OK;
}

/* ---- checks ---- */

/* The variable must be (rows, values of a function); *rows >= 0 on entry: must be so many, else it
 * is found. */
static pl_status check_rows(const pl_nc *nc, const data_variable *v, const char *first_dim,
                            const pl_group *g, int64_t *rows) {
  const char *var = v->name;
  char dims[2][64];
  int64_t shape[2];
  pl_nc_type type;
  int nd = pl_nc_var(nc, var, &type, dims, shape, 2);
  if (nd < 0)
    return pl_error(PL_EINPUT, "%s: no variable %s(%s, %s)", pl_nc_path(nc), var, first_dim,
                    v->dim);
  if (nd != 2 || type == PL_NC_CHAR)
    return pl_error(PL_EINPUT, "%s: variable %s must be numeric, on (%s, %s)", pl_nc_path(nc), var,
                    first_dim, v->dim);
  if (shape[1] != v->length && pl_group_codepth(g))
    return pl_error(PL_EINPUT, "%s: variable %s has %lld %ss per %s, but this band has %lld",
                    pl_nc_path(nc), var, (long long)shape[1], v->dim, first_dim,
                    (long long)v->length);
  if (shape[1] != v->length)
    return pl_error(PL_EINPUT, "%s: variable %s has %lld elements per %s, but %s has order %lld",
                    pl_nc_path(nc), var, (long long)shape[1], first_dim, pl_group_spec(g),
                    (long long)pl_group_order(g));
  if (*rows >= 0 && shape[0] != *rows)
    return pl_error(PL_EINPUT, "%s: variable %s has %lld rows (%s), expected %lld", pl_nc_path(nc),
                    var, (long long)shape[0], first_dim, (long long)*rows);
  *rows = shape[0];
  return PL_OK;
}

/* Every value of var must be finite; a row of zeros is refused if zero_too. */
static pl_status check_values(const pl_nc *nc, const char *var, int64_t rows, int64_t n,
                              bool zero_too) {
  double *row = pl_alloc((size_t)n, sizeof *row, "a row of a data file");
  pl_status st = PL_OK;
  for (int64_t i = 0; i < rows && !st; i++) {
    st = pl_nc_get_doubles(nc, var, (int64_t[]){i, 0}, (int64_t[]){1, n}, row);
    double sum = 0;
    for (int64_t k = 0; k < n && !st; k++) {
      sum += fabs(row[k]);
      if (!isfinite(row[k]))
        st = pl_error(PL_EINPUT, "%s: %s[%lld, %lld] is not a finite number", pl_nc_path(nc), var,
                      (long long)i, (long long)k);
    }
    if (!st && zero_too && sum == 0)
      st = pl_error(PL_EINPUT, "%s: %s[%lld, :] is zero everywhere", pl_nc_path(nc), var,
                    (long long)i);
  }
  pl_free(row);
  return st;
}

static pl_status check_labels(const pl_nc *nc, int64_t n) {
  char dims[1][64];
  int64_t shape[1];
  pl_nc_type type;
  if (pl_nc_var(nc, "y", &type, dims, shape, 1) != 1 || type == PL_NC_CHAR || shape[0] != n)
    return pl_error(PL_EINPUT, "%s: expected labels y(sample), %lld of them", pl_nc_path(nc),
                    (long long)n);
  double *y = pl_alloc((size_t)n, sizeof *y, "labels");
  pl_status st = pl_nc_get_doubles(nc, "y", (int64_t[]){0}, (int64_t[]){n}, y);
  for (int64_t i = 0; i < n && !st; i++)
    if (y[i] != 1 && y[i] != -1)
      st = pl_error(PL_EINPUT, "%s: label y[%lld] is %g, expected 1 or -1", pl_nc_path(nc),
                    (long long)i, y[i]);
  pl_free(y);
  return st;
}

static pl_status check_data_file(const pl_spec *spec, const pl_group *g) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(spec->data_path, false, &nc));
  int64_t n = -1;
  data_variable x = data_variable_of(nc, "x", g);
  pl_status st = check_rows(nc, &x, "sample", g, &n);
  if (!st && n == 0) st = pl_error(PL_EINPUT, "%s: no samples", spec->data_path);
  if (!st) st = check_labels(nc, n);
  if (!st) st = check_values(nc, x.name, n, x.length, true);
  pl_nc_close(nc);
  return st;
}

static pl_status check_teacher(const pl_spec *spec, const pl_group *g, const char **key) {
  int n = spec->data_irreps.n;
  int64_t *irreps = pl_alloc((size_t)n, sizeof *irreps, "irreps");
  *key = "data.irreps";
  pl_status st = find_irreps(spec, g, irreps);
  for (int k = 0; k < n && !st; k++) {
    pl_irrep r = pl_group_irrep(g, irreps[k]);
    int64_t most = r.type == PL_QUATERNIONIC ? r.dim / 2 : r.dim;
    if (spec->data_rank <= most) continue;
    *key = "data.rank";
    st = pl_error(PL_EINPUT, "irrep \"%s\" has rank up to %lld%s", spec->data_irreps.v[k],
                  (long long)most, r.type == PL_QUATERNIONIC ? " over the quaternions" : "");
  }
  pl_free(irreps);
  return st;
}

pl_status pl_data_check(const pl_spec *spec, const pl_group *g, const char **key) {
  switch (spec->data_kind) {
  case PL_DATA_FILE:
    *key = "data.path";
    return check_data_file(spec, g);
  case PL_DATA_IDX:
    return idx_check(spec, g, key);
  case PL_DATA_RANKINGS:
    return ballots_check(spec, g, key);
  case PL_DATA_TEACHER:
    return check_teacher(spec, g, key);
  case PL_DATA_SPARSE:
    *key = "data.nonzeros";
    if (pl_group_codepth(g) && spec->data_nonzeros > MOST_IN_BAND)
      return pl_error(PL_EINPUT, "a sample in a band is a sum of at most %d permutations",
                      MOST_IN_BAND);
    if (log((double)spec->data_nonzeros) < pl_group_log_order(g) - 1) return PL_OK;
    if (spec->data_nonzeros > pl_group_order(g))
      return pl_error(PL_EINPUT, "%lld nonzeros do not fit into %s of order %lld",
                      (long long)spec->data_nonzeros, pl_group_spec(g),
                      (long long)pl_group_order(g));
    return PL_OK;
  case PL_DATA_IRREP: {
    int n = spec->data_irreps.n;
    int64_t *irreps = pl_alloc((size_t)n, sizeof *irreps, "irreps");
    *key = "data.irreps";
    pl_status st = find_irreps(spec, g, irreps);
    for (int k = 0; k < n && !st; k++) {
      int64_t have = coordinates(pl_group_irrep(g, irreps[k]));
      int64_t want = (spec->data_samples - k + n - 1) / n;
      if (want <= have) continue;
      *key = "data.samples";
      st = pl_error(
          PL_EINPUT, "%lld samples need %lld matrix elements of irrep \"%s\", it has %lld",
          (long long)spec->data_samples, (long long)want, spec->data_irreps.v[k], (long long)have);
    }
    pl_free(irreps);
    return st;
  }
  }
  return PL_OK;
}

int64_t pl_data_num_samples(const pl_spec *spec) {
  if (spec->data_kind != PL_DATA_FILE) return spec->data_samples;
  pl_nc *nc;
  if (pl_nc_open(spec->data_path, false, &nc)) return 0;
  int64_t n = pl_nc_dim(nc, "sample");
  pl_nc_close(nc);
  return n < 0 ? 0 : n;
}

int64_t pl_data_num_test(const pl_spec *spec) {
  return spec->data_kind == PL_DATA_TEACHER ? spec->data_test : 0;
}

bool pl_data_needs_transform(const pl_spec *spec) {
  if (spec->band_codepth != PL_UNSET) return false;
  return spec->data_kind == PL_DATA_FILE || spec->data_kind == PL_DATA_SPARSE ||
         spec->data_kind == PL_DATA_IDX || spec->data_kind == PL_DATA_RANKINGS ||
         spec->init_kind != PL_INIT_GAUSSIAN;
}

/* ---- making them ---- */

/* Move one spectrum into its place among num samples, divided by its norm or multiplied. */
static void store(double *x, int64_t num, const pl_layout *l, int64_t sample, double scale,
                  const double *F) {
  double factor = scale;
  if (scale == 0) {
    double norm2 = 0;
    for (int i = 0; i < l->num_stacks; i++) {
      const pl_stack *b = &l->stacks[i];
      norm2 += b->weight * pl_sum_squares(pl_stack_doubles(b), F + b->offset);
    }
    pl_comm_sum(&l->team, &norm2, 1);
    factor = 1 / sqrt(norm2);
  }
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    double *to = x + num * b->offset + sample * pl_data_stride(b);
    for (int64_t k = 0; k < pl_stack_doubles(b); k++) to[k] = factor * F[b->offset + k];
  }
}

static pl_status open_on_root(const pl_layout *l, const char *path, pl_nc **nc, int64_t *samples,
                              double **full) {
  pl_status st = PL_OK;
  if (l->team.rank == 0) {
    st = pl_nc_open(path, false, nc);
    if (!st) {
      if (!pl_group_codepth(l->group))
        *full = pl_alloc((size_t)pl_group_order(l->group), sizeof **full, "a row of a file");
      *samples = pl_nc_dim(*nc, "sample");
    }
  }
  return pl_agree(&l->team, st);
}

/* Images and labels on rank 0 of the team; labels on all. */
static pl_status read_images(const pl_spec *spec, const pl_layout *l, uint64_t seed, pl_data *data,
                             double **images) {
  pl_status st = PL_OK;
  if (l->team.rank == 0) {
    *images = pl_alloc((size_t)(data->num_samples * pl_group_order(l->group)), sizeof **images,
                       "images over the group");
    st = idx_read(spec, l->group, seed, *images, data->y);
  }
  st = pl_agree(&l->team, st);
  pl_comm_bcast(&l->team, data->y, (size_t)data->num_samples * sizeof *data->y, 0);
  return st;
}

/* Fresh samples of a teacher, from streams beyond those of data.samples. */
static void add_tests(const pl_spec *spec, const pl_layout *l, const int64_t *packed, uint64_t seed,
                      double scale, const double *teacher, double *F, pl_data *data) {
  enum { FIRST = 1 << 24 };
  int64_t n = data->num_test = pl_data_num_test(spec);
  data->test_y = pl_alloc((size_t)n, sizeof *data->test_y, "labels");
  data->test_x = pl_zalloc((size_t)(n * l->local), sizeof *data->test_x, "test samples");
  for (int64_t i = 0; i < n; i++) {
    data_draw_gaussian(l, packed, seed, PL_STREAM(PL_STREAM_SAMPLE, FIRST + i),
                       pl_group_volume(l->group), F);
    data->test_y[i] = data_teach(spec, l, teacher, F);
    store(data->test_x, n, l, i, scale, F);
  }
}

pl_status pl_data_new(const pl_spec *spec, const pl_layout *l, pl_transform *t, double *f,
                      double *F, pl_data **out) {
  pl_data *data = pl_zalloc(1, sizeof *data, "data");
  pl_nc *nc = NULL;
  double *full = NULL;
  pl_status st = PL_OK;
  uint64_t seed = (uint64_t)(spec->data_seed == PL_UNSET ? spec->seed : spec->data_seed);
  double scale = spec->data_scale;
  if (isnan(scale)) scale = spec->data_kind == PL_DATA_FILE ? 1 : 0;
  data->num_samples = spec->data_samples;
  if (spec->data_kind == PL_DATA_FILE) {
    st = open_on_root(l, spec->data_path, &nc, &data->num_samples, &full);
    pl_comm_bcast(&l->team, &data->num_samples, sizeof data->num_samples, 0);
    if (st) data->num_samples = 0;
  }
  int64_t n = data->num_samples;
  data->y = pl_alloc((size_t)n, sizeof *data->y, "labels");
  data->x = pl_zalloc((size_t)(n * l->local), sizeof *data->x, "samples in Fourier space");
  for (int64_t i = 0; i < n; i++) data->y[i] = i % 2 ? -1 : 1;
  double volume = pl_group_volume(l->group), *images = NULL, *teacher = NULL;
  pl_band *tables = NULL;
  ballots *rankings = NULL;
  int64_t *packed = data_packed_offsets(l->group);
  int64_t *irreps = pl_alloc((size_t)spec->data_irreps.n, sizeof *irreps, "irreps");
  bool named = spec->data_kind == PL_DATA_IRREP || spec->data_kind == PL_DATA_TEACHER;
  if (!st && named) st = find_irreps(spec, l->group, irreps);
  if (!st && nc) st = pl_nc_get_doubles(nc, "y", (int64_t[]){0}, (int64_t[]){n}, data->y);
  if (spec->data_kind == PL_DATA_FILE) {
    st = pl_agree(&l->team, st);
    pl_comm_bcast(&l->team, data->y, (size_t)n * sizeof *data->y, 0);
  }
  if (spec->data_kind == PL_DATA_IDX) st = read_images(spec, l, seed, data, &images);
  if (spec->data_kind == PL_DATA_RANKINGS) st = ballots_new(spec, &l->team, seed, &rankings);
  if (!st && spec->data_kind == PL_DATA_TEACHER) {
    teacher = pl_alloc((size_t)l->local, sizeof *teacher, "teacher");
    data_teacher(spec, l, packed, seed, irreps, teacher);
  }
  if (pl_group_codepth(l->group))
    tables = pl_band_new(pl_group_letters(l->group), pl_group_codepth(l->group));
  for (int64_t i = 0; i < n && !st; i++) {
    switch (spec->data_kind) {
    case PL_DATA_GAUSSIAN:
      data_draw_gaussian(l, packed, seed, PL_STREAM(PL_STREAM_SAMPLE, i), volume, F);
      break;
    case PL_DATA_SPARSE:
      draw_sparse(spec, l, t, tables, seed, i, f, F);
      break;
    case PL_DATA_IRREP:
      matrix_element(l, irreps, spec->data_irreps.n, i, F);
      break;
    case PL_DATA_FILE:
      st = read_row(l, t, nc, "x", i, full, f, F);
      break;
    case PL_DATA_TEACHER:
      data_draw_gaussian(l, packed, seed, PL_STREAM(PL_STREAM_SAMPLE, i), volume, F);
      data->y[i] = data_teach(spec, l, teacher, F);
      break;
    case PL_DATA_IDX:
      pl_transform_scatter(t, images ? images + i * pl_group_order(l->group) : NULL, f);
      pl_transform_forward(t, f, F);
      break;
    case PL_DATA_RANKINGS:
      st = add_ballots(spec, l, t, tables, rankings, i, f, F);
      break;
    }
    if (!st) store(data->x, n, l, i, scale, F);
  }
  pl_band_free(tables);
  if (teacher) add_tests(spec, l, packed, seed, scale, teacher, F, data);
  pl_free(packed);
  pl_free(irreps);
  pl_free(images);
  ballots_free(rankings);
  pl_free(teacher);
  pl_free(full);
  pl_nc_close(nc);
  if (st)
    pl_data_free(data);
  else
    *out = data;
  return st;
}

void pl_data_free(pl_data *data) {
  if (!data) return;
  pl_free(data->x);
  pl_free(data->y);
  pl_free(data->test_x);
  pl_free(data->test_y);
  pl_free(data);
}

/* ---- filters ---- */

pl_status pl_filters_check(const pl_spec *spec, const pl_group *g, const char **key) {
  if (spec->init_kind == PL_INIT_UNIFORM && pl_group_codepth(g)) {
    *key = "model.init.kind";
    return pl_error(PL_EINPUT,
                    "uniform filter values over the group are not in a band; gaussian or "
                    "file are");
  }
  if (spec->init_kind != PL_INIT_FILE) return PL_OK;
  *key = "model.init.path";
  pl_nc *nc;
  PL_TRY(pl_nc_open(spec->init_path, false, &nc));
  int64_t layers = spec->model_depth;
  data_variable w = data_variable_of(nc, "w", g);
  pl_status st = check_rows(nc, &w, "layer", g, &layers);
  if (!st) st = check_values(nc, w.name, layers, w.length, false);
  pl_nc_close(nc);
  return st;
}

pl_status pl_filters_init(const pl_spec *spec, const pl_layout *l, pl_transform *t, double *f,
                          double *const *w) {
  pl_nc *nc = NULL;
  double *full = NULL;
  pl_status st = PL_OK;
  int64_t unused;
  uint64_t seed = (uint64_t)spec->seed;
  if (spec->init_kind == PL_INIT_FILE) st = open_on_root(l, spec->init_path, &nc, &unused, &full);
  int64_t *packed = data_packed_offsets(l->group);
  for (int layer = 0; layer < spec->model_depth && !st; layer++) {
    bool readout = layer == spec->model_depth - 1;
    double scale =
        readout && !isnan(spec->init_readout_scale) ? spec->init_readout_scale : spec->init_scale;
    uint64_t stream = PL_STREAM(PL_STREAM_FILTER, layer);
    if (spec->init_kind == PL_INIT_GAUSSIAN) {
      data_draw_gaussian(l, packed, seed, stream, scale * scale, w[layer]);
      continue;
    }
    if (spec->init_kind == PL_INIT_FILE) {
      st = read_row(l, t, nc, "w", layer, full, f, w[layer]);
    } else {
      /* Uniform on (-a, a) has variance a^2 / 3. */
      double a = scale * sqrt(3.0 / (double)pl_group_order(l->group));
      int64_t first = pl_transform_first(t), count = pl_transform_count(t);
      for (int64_t k = 0; k < count; k++)
        f[k] = a * (2 * pl_rng_uniform(seed, stream, (uint64_t)(first + k)) - 1);
      pl_transform_forward(t, f, w[layer]);
    }
  }
  pl_free(packed);
  pl_free(full);
  pl_nc_close(nc);
  return st;
}
