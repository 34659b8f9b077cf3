#include "fourier_file.h"

#include "base/mem.h"
#include "base/nc_read.h"
#include "base/version.h"
#include "group/elements.h"
#include "rankings.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LABEL = 1024, LABELS_WRITTEN = 1000000, BLOCK = 1 << 16 };

/* ---- reading ---- */

pl_status fourier_file_group(const fourier_options *o, const pl_nc *nc, pl_group **out) {
  if (o->group) return pl_group_parse(o->group, out);
  char *spec = pl_nc_get_att_string(nc, NULL, "group");
  pl_status st =
      spec ? pl_group_parse(spec, out)
           : pl_error(PL_EINPUT, "%s: no attribute group; name the group with --group SPEC",
                      o->input);
  if (st && spec) pl_error_in(st, "%s: attribute group: ", o->input);
  pl_free(spec);
  return st;
}

/* Numbers var(dim), n of them, which are `is`. */
static pl_status open_numbers(const pl_nc *nc, const char *var, const char *dim, int64_t n,
                              const char *what, const pl_group *g, pl_nc_input **in) {
  char *is = pl_asprintf("the %s of %s", what, pl_group_spec(g));
  pl_nc_axis axis = {dim, n, is};
  pl_status st = pl_nc_input_new(nc, var, PL_NC_REAL, 1, &axis, in);
  pl_free(is);
  return st;
}

static pl_status open_function(const pl_nc *nc, const pl_group *g, pl_nc_input **in) {
  return open_numbers(nc, "f", "element", pl_group_order(g), "elements", g, in);
}

/* Cycles of the order in place: f[order[k]] <- f[k].  order is spent. */
static void arrange_in_place(int64_t n, int64_t *order, double *f) {
  for (int64_t k = 0; k < n; k++)
    while (order[k] != k) {
      int64_t to = order[k];
      double held = f[to];
      f[to] = f[k];
      f[k] = held;
      order[k] = order[to];
      order[to] = to;
    }
}

pl_status fourier_file_function(const pl_nc *nc, const pl_group *g, double *f) {
  pl_nc_input *in;
  int64_t *order = NULL;
  PL_TRY(open_function(nc, g, &in));
  pl_status st = pl_elements_same_group(nc, g);
  if (!st) st = pl_elements_order(nc, g, &order);
  if (!st) st = pl_nc_input_doubles(in, NULL, NULL, f);
  if (!st && order) arrange_in_place(pl_group_order(g), order, f);
  pl_free(order);
  pl_nc_input_free(in);
  return st;
}

/* Entries of all matrices, a complex one counted once. */
static int64_t num_coefficients(const pl_group *g) {
  int64_t count[3], squares[3];
  pl_group_irrep_sums(g, count, squares);
  return squares[PL_REAL] + squares[PL_COMPLEX] + squares[PL_QUATERNIONIC];
}

static pl_status open_part(const pl_nc *nc, const pl_group *g, const char *var, pl_nc_input **in) {
  return open_numbers(nc, var, "coefficient", num_coefficients(g), "coefficients", g, in);
}

pl_status fourier_file_expect(const fourier_options *o, const pl_nc *nc, const pl_group *g) {
  pl_nc_input *in;
  PL_TRY(o->inverse ? open_part(nc, g, "coefficient_real", &in) : open_function(nc, g, &in));
  pl_nc_input_free(in);
  return PL_OK;
}

/* The coefficients while they are read: a block of real and imaginary parts in step. */
typedef struct parts {
  const pl_nc *nc;
  pl_nc_input *real, *imag;
  double *re, *im;            /* [BLOCK]: entries first .. first + have - 1 */
  int64_t first, have, total; /* total: entries of the file */
} parts;

static pl_status read_block(parts *p, int64_t first) {
  p->first = first;
  p->have = p->total - first < BLOCK ? p->total - first : BLOCK;
  PL_TRY(pl_nc_input_doubles(p->real, &first, &p->have, p->re));
  return pl_nc_input_doubles(p->imag, &first, &p->have, p->im);
}

/* The matrix of irrep number i, whose entries stand from `at` on, to F. */
static pl_status read_irrep(parts *p, const pl_group *g, int64_t i, int64_t at, double *F) {
  pl_irrep r = pl_group_irrep(g, i);
  for (int64_t end = at + (int64_t)r.dim * r.dim; at < end; at++) {
    if (at >= p->first + p->have) PL_TRY(read_block(p, at));
    double im = p->im[at - p->first];
    *F++ = p->re[at - p->first];
    if (r.type != PL_REAL)
      *F++ = im;
    else if (im != 0)
      return pl_error(PL_EINPUT,
                      "%s: coefficient_imag[%lld] is %g, but the matrices of irrep %lld are real",
                      pl_nc_path(p->nc), (long long)at, im, (long long)i);
  }
  return PL_OK;
}

/* Irreps in the file's order; starts[i]: where the matrix of irrep i goes in F. */
static pl_status read_irreps(parts *p, const pl_group *g, const int64_t *order, double *F) {
  int64_t n = pl_group_num_irreps(g), at = 0, size = 0;
  int64_t *starts = pl_alloc((size_t)n, sizeof *starts, "irreps");
  for (int64_t i = 0; i < n; i++) {
    starts[i] = size;
    size += pl_irrep_size(pl_group_irrep(g, i));
  }
  pl_status st = PL_OK;
  for (int64_t k = 0; k < n && !st; k++) {
    int64_t i = order ? order[k] : k, d = pl_group_irrep(g, i).dim;
    st = read_irrep(p, g, i, at, F + starts[i]);
    at += d * d;
  }
  pl_free(starts);
  return st;
}

pl_status fourier_file_coefficients(const pl_nc *nc, const pl_group *g, double *F) {
  parts p = {.nc = nc, .total = num_coefficients(g)};
  int64_t *order = NULL;
  PL_TRY(open_part(nc, g, "coefficient_real", &p.real));
  pl_status st = open_part(nc, g, "coefficient_imag", &p.imag);
  if (!st) st = pl_elements_same_group(nc, g);
  if (!st) st = pl_irreps_order(nc, g, &order);
  p.re = pl_alloc(BLOCK, sizeof *p.re, "coefficients");
  p.im = pl_alloc(BLOCK, sizeof *p.im, "coefficients");
  if (!st) st = read_irreps(&p, g, order, F);
  pl_free(p.im);
  pl_free(p.re);
  pl_free(order);
  pl_nc_input_free(p.imag);
  pl_nc_input_free(p.real);
  return st;
}

/* ---- writing ---- */

static void define_attributes(pl_nc *nc, const fourier_options *o, const pl_group *g) {
  char now[32];
  time_t t = time(NULL);
  struct tm utc;
  strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
  char *title = pl_asprintf(
      "%s on %s", o->inverse ? "Function" : "Fourier coefficients of a function", pl_group_spec(g));
  char *source = pl_asprintf("plancherel %s, commit %s", pl_version, pl_commit);
  char *history = pl_asprintf("%s plancherel fourier %s%s -o %s", now,
                              o->inverse ? "--inverse " : "", o->input, o->output);
  pl_nc_att_text(nc, NULL, "title", title);
  pl_nc_att_text(nc, NULL, "Conventions", "CF-1.10, ACDD-1.3");
  pl_nc_att_text(nc, NULL, "source", source);
  pl_nc_att_text(nc, NULL, "history", history);
  pl_nc_att_text(nc, NULL, "group", pl_group_spec(g));
  pl_free(history);
  pl_free(source);
  pl_free(title);
}

typedef int label_fn(const pl_group *g, int64_t i, char *buf, size_t n);

/* A variable of n labels, and the dimension of its characters. */
static void define_labels(pl_nc *nc, const pl_group *g, const char *var, const char *dim, int64_t n,
                          label_fn *get, const char *long_name) {
  char label[LABEL], string[32];
  int longest = 1;
  for (int64_t i = 0; i < n; i++) {
    int length = get(g, i, label, sizeof label);
    if (length > longest) longest = length;
  }
  snprintf(string, sizeof string, "string%d", longest);
  if (pl_nc_dim(nc, string) < 0) pl_nc_def_dim(nc, string, longest);
  pl_nc_def_var(nc, var, PL_NC_CHAR, (const char *[]){dim, string, NULL}, long_name, "1");
}

static pl_status put_labels(pl_nc *nc, const pl_group *g, const char *var, int64_t n,
                            label_fn *get) {
  int64_t shape[2], at = 0;
  pl_nc_var(nc, var, NULL, NULL, shape, 2);
  int64_t size = shape[1], block = BLOCK;
  char label[LABEL], *text = pl_alloc((size_t)block, (size_t)size, "labels");
  pl_status st = PL_OK;
  for (; !st && at < n; at += block) {
    if (block > n - at) block = n - at;
    memset(text, 0, (size_t)(block * size));
    for (int64_t i = 0; i < block; i++) {
      int length = get(g, at + i, label, sizeof label);
      memcpy(text + i * size, label, (size_t)length);
    }
    st = pl_nc_put_text(nc, var, (int64_t[]){at, 0}, (int64_t[]){block, size}, text);
  }
  pl_free(text);
  return st;
}

static void define_coefficients(pl_nc *nc, const pl_group *g) {
  const char *irrep[] = {"irrep", NULL}, *coefficient[] = {"coefficient", NULL};
  pl_nc_att_text(nc, NULL, "comment",
                 "F_rho = sum_g f(g) rho(g), one d x d matrix per stored irrep rho, row-major, in "
                 "the order of irrep; f(g) = (1/|G|) sum_rho m d Re tr(F_rho rho(g)^H)");
  pl_nc_def_dim(nc, "irrep", pl_group_num_irreps(g));
  pl_nc_def_dim(nc, "coefficient", num_coefficients(g));
  define_labels(nc, g, "irrep_label", "irrep", pl_group_num_irreps(g), pl_group_irrep_label,
                "label of the irrep (S_n: partition)");
  pl_nc_def_var(nc, "irrep_dim", PL_NC_INT, irrep, "dimension d of the irrep", "1");
  pl_nc_def_dim(nc, "string_type", (int64_t)strlen(pl_irrep_type_name(PL_QUATERNIONIC)));
  pl_nc_def_var(nc, "irrep_type", PL_NC_CHAR, (const char *[]){"irrep", "string_type", NULL},
                "real, complex or quaternionic", "1");
  pl_nc_def_var(nc, "irrep_multiplicity", PL_NC_INT, irrep,
                "m: 2 for a complex pair, stored once; otherwise 1", "1");
  pl_nc_def_var(nc, "irrep_start", PL_NC_INT64, irrep,
                "index of the irrep's first entry along coefficient", "1");
  pl_nc_def_var(nc, "coefficient_real", PL_NC_DOUBLE, coefficient,
                "real part of the Fourier matrix of f, entry by entry", "1");
  pl_nc_def_var(nc, "coefficient_imag", PL_NC_DOUBLE, coefficient,
                "imaginary part of the Fourier matrix of f, entry by entry", "1");
}

static pl_status put_irreps(pl_nc *nc, const pl_group *g) {
  int64_t n = pl_group_num_irreps(g), start = 0;
  int64_t width = pl_nc_dim(nc, "string_type");
  int64_t *dim = pl_alloc((size_t)n, sizeof *dim, "irreps");
  int64_t *mult = pl_alloc((size_t)n, sizeof *mult, "irreps");
  int64_t *starts = pl_alloc((size_t)n, sizeof *starts, "irreps");
  char *type = pl_zalloc((size_t)n, (size_t)width, "irreps");
  for (int64_t i = 0; i < n; i++) {
    pl_irrep r = pl_group_irrep(g, i);
    const char *name = pl_irrep_type_name(r.type);
    memcpy(type + i * width, name, strlen(name));
    dim[i] = r.dim;
    mult[i] = r.mult;
    starts[i] = start;
    start += (int64_t)r.dim * r.dim;
  }
  /* The first failure stays with the file until it is closed. */
  pl_nc_put_ints(nc, "irrep_dim", NULL, NULL, dim);
  pl_nc_put_ints(nc, "irrep_multiplicity", NULL, NULL, mult);
  pl_nc_put_ints(nc, "irrep_start", NULL, NULL, starts);
  pl_status st = pl_nc_put_text(nc, "irrep_type", NULL, NULL, type);
  pl_free(type);
  pl_free(starts);
  pl_free(mult);
  pl_free(dim);
  if (!st) st = put_labels(nc, g, "irrep_label", n, pl_group_irrep_label);
  return st;
}

static pl_status put_coefficients(pl_nc *nc, const pl_group *g, const double *F) {
  int64_t total = num_coefficients(g), at = 0;
  double *re = pl_alloc(BLOCK, sizeof *re, "coefficients");
  double *im = pl_alloc(BLOCK, sizeof *im, "coefficients");
  pl_status st = PL_OK;
  for (int64_t i = 0; !st && i < pl_group_num_irreps(g); i++) {
    pl_irrep r = pl_group_irrep(g, i);
    for (int64_t e = 0; !st && e < (int64_t)r.dim * r.dim; e++) {
      re[at % BLOCK] = *F++;
      im[at % BLOCK] = r.type == PL_REAL ? 0 : *F++;
      if (++at % BLOCK && at < total) continue;
      int64_t from = (at - 1) / BLOCK * BLOCK, n = at - from;
      st = pl_nc_put_doubles(nc, "coefficient_real", &from, &n, re);
      if (!st) st = pl_nc_put_doubles(nc, "coefficient_imag", &from, &n, im);
    }
  }
  pl_free(im);
  pl_free(re);
  return st;
}

static void define_function(pl_nc *nc, const pl_group *g) {
  int64_t order = pl_group_order(g);
  pl_nc_def_dim(nc, "element", order);
  if (order <= LABELS_WRITTEN)
    define_labels(nc, g, "element", "element", order, pl_group_element_label,
                  "label of the group element");
  pl_nc_def_var(nc, "f", PL_NC_DOUBLE, (const char *[]){"element", NULL},
                "real function on the group", "1");
}

static pl_status put_function(pl_nc *nc, const pl_group *g, const double *f) {
  if (pl_group_order(g) <= LABELS_WRITTEN)
    PL_TRY(put_labels(nc, g, "element", pl_group_order(g), pl_group_element_label));
  return pl_nc_put_doubles(nc, "f", NULL, NULL, f);
}

pl_status fourier_file_write(const fourier_options *o, const pl_group *g, const double *f,
                             const double *F, const energies *table, const pl_rankings *r,
                             const pl_effects *e) {
  PL_TRY(pl_output_create(o->out, false));
  pl_nc *nc = o->out->nc;
  define_attributes(nc, o, g);
  if (o->inverse)
    define_function(nc, g);
  else
    define_coefficients(nc, g);
  if (!o->inverse) energies_define(nc, table);
  if (r) rankings_define(nc, r, e);
  PL_TRY(pl_nc_end_def(nc));
  if (o->inverse) return put_function(nc, g, f);
  PL_TRY(put_irreps(nc, g));
  PL_TRY(put_coefficients(nc, g, F));
  PL_TRY(energies_put(nc, table));
  return r ? rankings_put(nc, r, e) : PL_OK;
}
