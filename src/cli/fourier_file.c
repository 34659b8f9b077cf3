#include "fourier_file.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/version.h"
#include "rankings.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LABEL = 1024, LABELS_WRITTEN = 1000000, BLOCK = 1 << 16 };
/* NetCDF's own mark of what was never written. */
static const double DEFAULT_FILL = 9.9692099683868690e+36;

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

/* A numeric variable on one dimension of length n, the number of what the group has. */
static pl_status expect_numbers(const pl_nc *nc, const char *var, int64_t n, const char *what,
                                const pl_group *g) {
  pl_nc_type type;
  char dims[1][64];
  int64_t shape[1];
  const char *path = pl_nc_path(nc);
  int nd = pl_nc_var(nc, var, &type, dims, shape, 1);
  if (nd < 0)
    return pl_error(PL_EINPUT, "%s: no variable %s; expected real numbers %s(%lld %s)", path, var,
                    var, (long long)n, what);
  if (type == PL_NC_CHAR || type == PL_NC_OTHER)
    return pl_error(PL_EINPUT, "%s: %s holds %s, expected real numbers", path, var,
                    type == PL_NC_CHAR ? "text" : "strings, complex numbers or a type of its own");
  if (nd != 1) return pl_error(PL_EINPUT, "%s: %s has %d dimensions, expected one", path, var, nd);
  if (shape[0] != n)
    return pl_error(PL_EINPUT, "%s: %s(%s) has length %lld, but %s has %lld %s", path, var, dims[0],
                    (long long)shape[0], pl_group_spec(g), (long long)n, what);
  return PL_OK;
}

/* Entries [at, at + n) of var into out; each finite and written. */
static pl_status read_numbers(const pl_nc *nc, const char *var, int64_t at, int64_t n,
                              double *out) {
  PL_TRY(pl_nc_get_doubles(nc, var, &at, &n, out));
  double fill;
  if (pl_nc_get_att_doubles(nc, var, "_FillValue", &fill, 1) != 1) fill = DEFAULT_FILL;
  for (int64_t k = 0; k < n; k++)
    if (!isfinite(out[k]) || out[k] == fill)
      return pl_error(PL_EINPUT, "%s: %s[%lld] is %s, expected a finite number", pl_nc_path(nc),
                      var, (long long)(at + k),
                      out[k] == fill  ? "missing"
                      : isnan(out[k]) ? "not a number"
                                      : "infinite");
  return PL_OK;
}

/* Files pad with zeros, Fortran with blanks. */
static bool same_label(const char *cell, int64_t size, const char *label) {
  int64_t n = (int64_t)strnlen(cell, (size_t)size);
  while (n > 0 && cell[n - 1] == ' ') n--;
  return n == (int64_t)strlen(label) && !memcmp(cell, label, (size_t)n);
}

/* Elements [at, at + n) of the coordinate, text cells of `size` bytes or (size 0) numbers. */
static pl_status check_elements(const pl_nc *nc, const pl_group *g, int64_t at, int64_t n,
                                int64_t size) {
  char label[LABEL];
  char *text = pl_alloc((size_t)n, size ? (size_t)size : sizeof(double), "labels of elements");
  double *number = (double *)(void *)text;
  int64_t start[] = {at, 0}, count[] = {n, size};
  pl_status st = size ? pl_nc_get_text(nc, "element", start, count, text)
                      : pl_nc_get_doubles(nc, "element", start, count, number);
  for (int64_t k = 0; !st && k < n; k++) {
    const char *cell = text + k * size;
    pl_group_element_label(g, at + k, label, sizeof label);
    if (size ? same_label(cell, size, label) : number[k] == (double)(at + k)) continue;
    char found[LABEL];
    if (size)
      snprintf(found, sizeof found, "\"%.*s\"", (int)size, cell);
    else
      snprintf(found, sizeof found, "%.15g", number[k]);
    st = pl_error(PL_EINPUT, "%s: element[%lld] is %s, but element %lld of %s is \"%s\"",
                  pl_nc_path(nc), (long long)(at + k), found, (long long)(at + k), pl_group_spec(g),
                  label);
  }
  pl_free(text);
  return st;
}

static pl_status check_element_order(const pl_nc *nc, const pl_group *g) {
  enum { FIRST = 1000, RANDOM = 1000 };
  pl_nc_type type;
  int64_t shape[2], order = pl_group_order(g);
  int nd = pl_nc_var(nc, "element", &type, NULL, shape, 2);
  if (nd < 0) return PL_OK;
  if (type == PL_NC_OTHER) {
    pl_log(PL_LOG_WARNING,
           "%s: the labels of element are not characters, so the order of elements goes unchecked",
           pl_nc_path(nc));
    return PL_OK;
  }
  bool text = type == PL_NC_CHAR;
  if (nd != (text ? 2 : 1) || shape[0] != order || (text && shape[1] < 1))
    return pl_error(PL_EINPUT, "%s: element must hold one label for each of the %lld elements",
                    pl_nc_path(nc), (long long)order);
  int64_t size = text ? shape[1] : 0;
  PL_TRY(check_elements(nc, g, 0, order < FIRST ? order : FIRST, size));
  for (int i = 0; i < RANDOM && order > FIRST; i++)
    PL_TRY(check_elements(nc, g, pl_rng_below(0, PL_STREAM(PL_STREAM_MISC, 0), (uint64_t)i, order),
                          1, size));
  return PL_OK;
}

pl_status fourier_file_function(const pl_nc *nc, const pl_group *g, double *f) {
  PL_TRY(check_element_order(nc, g));
  return read_numbers(nc, "f", 0, pl_group_order(g), f);
}

/* Entries of all matrices, a complex one counted once. */
static int64_t num_coefficients(const pl_group *g) {
  int64_t count[3], squares[3];
  pl_group_irrep_sums(g, count, squares);
  return squares[PL_REAL] + squares[PL_COMPLEX] + squares[PL_QUATERNIONIC];
}

pl_status fourier_file_expect(const fourier_options *o, const pl_nc *nc, const pl_group *g) {
  return o->inverse ? expect_numbers(nc, "coefficient_real", num_coefficients(g), "coefficients", g)
                    : expect_numbers(nc, "f", pl_group_order(g), "elements", g);
}

static pl_status check_irrep_order(const pl_nc *nc, const pl_group *g) {
  int64_t n = pl_group_num_irreps(g), shape[] = {n, -1};
  PL_TRY(pl_nc_expect(nc, "irrep_label", true, 2, shape));
  char label[LABEL], *text = pl_alloc((size_t)n, (size_t)shape[1], "labels of irreps");
  pl_status st = pl_nc_get_text(nc, "irrep_label", NULL, NULL, text);
  for (int64_t i = 0; !st && i < n; i++) {
    pl_group_irrep_label(g, i, label, sizeof label);
    if (!same_label(text + i * shape[1], shape[1], label))
      st = pl_error(PL_EINPUT, "%s: irrep_label[%lld] is \"%.*s\", but irrep %lld of %s is \"%s\"",
                    pl_nc_path(nc), (long long)i, (int)shape[1], text + i * shape[1], (long long)i,
                    pl_group_spec(g), label);
  }
  pl_free(text);
  return st;
}

pl_status fourier_file_coefficients(const pl_nc *nc, const pl_group *g, double *F) {
  PL_TRY(expect_numbers(nc, "coefficient_imag", num_coefficients(g), "coefficients", g));
  PL_TRY(check_irrep_order(nc, g));
  int64_t total = num_coefficients(g), at = 0, have = 0;
  double *re = pl_alloc(BLOCK, sizeof *re, "coefficients");
  double *im = pl_alloc(BLOCK, sizeof *im, "coefficients");
  pl_status st = PL_OK;
  for (int64_t i = 0; !st && i < pl_group_num_irreps(g); i++) {
    pl_irrep r = pl_group_irrep(g, i);
    for (int64_t e = 0; !st && e < (int64_t)r.dim * r.dim; e++, at++) {
      if (at == have) {
        int64_t n = total - at < BLOCK ? total - at : BLOCK;
        st = read_numbers(nc, "coefficient_real", at, n, re);
        if (!st) st = read_numbers(nc, "coefficient_imag", at, n, im);
        if (st) break;
        have = at + n;
      }
      *F++ = re[at % BLOCK];
      if (r.type != PL_REAL)
        *F++ = im[at % BLOCK];
      else if (im[at % BLOCK] != 0)
        st = pl_error(PL_EINPUT,
                      "%s: coefficient_imag[%lld] is %g, but the matrices of irrep %lld are real",
                      pl_nc_path(nc), (long long)at, im[at % BLOCK], (long long)i);
    }
  }
  pl_free(im);
  pl_free(re);
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
                             const double *F, const pl_rankings *r, const pl_effects *e) {
  pl_nc *nc;
  PL_TRY(pl_nc_create(o->output, o->overwrite, false, &nc));
  define_attributes(nc, o, g);
  if (o->inverse)
    define_function(nc, g);
  else
    define_coefficients(nc, g);
  if (r) rankings_define(nc, r);
  if (!pl_nc_end_def(nc)) {
    if (o->inverse)
      put_function(nc, g, f);
    else if (!put_irreps(nc, g) && !put_coefficients(nc, g, F) && r)
      rankings_put(nc, r, e);
  }
  return pl_nc_close(nc);
}
