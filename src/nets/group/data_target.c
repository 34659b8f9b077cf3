/* A filter to be reached: the one sample of the loss square. */
#include "base/mem.h"
#include "data_keys.h"
#include "function_file.h"
#include "group/perm.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LETTERS = 20 };

/* What data.target names: an element (else -1), an irrep (else -1), or a file. */
typedef struct target {
  int64_t element, irrep;
} target;

static const char *after(const char *text, const char *prefix) {
  size_t n = strlen(prefix);
  return strncmp(text, prefix, n) ? NULL : text + n;
}

static bool from_file(const pl_spec *spec) {
  return !strcmp(pl_group_data_of(spec)->target, "file");
}

/* ---- names ---- */

/* "3,2": (1 2 3)(4 5) of S_n.  -1: it is none. */
static int64_t element_of_type(int n, const char *type) {
  int8_t p[MOST_LETTERS];
  int used = 0;
  if (n < 1 || n > MOST_LETTERS) return -1;
  for (int k = 0; k < n; k++) p[k] = (int8_t)k;
  do {
    char *end;
    long length = strtol(type, &end, 10);
    if (end == type || length < 1 || length > n - used || (*end && *end != ',')) return -1;
    for (int k = 0; k < length; k++) p[used + k] = (int8_t)(used + (k + 1) % length);
    used += (int)length;
    type = *end ? end + 1 : NULL;
  } while (type);
  return pl_perm_rank(n, p);
}

static pl_status find(const pl_spec *spec, const pl_group *g, target *out) {
  const char *text = pl_group_data_of(spec)->target, *rest;
  *out = (target){-1, -1};
  if (from_file(spec)) return PL_OK;
  bool listed = !pl_group_codepth(g) || pl_group_letters(g) <= MOST_LETTERS;
  if ((rest = after(text, "cycle:"))) {
    int n = pl_group_letters(g);
    out->element = element_of_type(n, rest);
    if (out->element >= 0) return PL_OK;
    return pl_error(PL_EINPUT,
                    "\"%s\" is no cycle type of %s; expected cycle:LENGTH,LENGTH,.. in "
                    "an S_n, n up to %d",
                    text, pl_group_spec(g), MOST_LETTERS);
  }
  if ((rest = after(text, "element:"))) {
    char *end;
    long long k = strtoll(rest, &end, 10);
    if (listed && end != rest && !*end && k >= 0 && k < pl_group_order(g)) {
      out->element = k;
      return PL_OK;
    }
    return pl_error(PL_EINPUT, "\"%s\" is no element of %s", text, pl_group_spec(g));
  }
  rest = after(text, "irrep:");
  if (rest) out->irrep = pl_group_irrep_by_label(g, rest);
  if (out->irrep >= 0) return PL_OK;
  return pl_error(PL_EINPUT,
                  rest ? "%s has no irrep \"%s\""
                       : "%s: \"%s\" is no target; expected cycle:LENGTH, element:NUMBER, "
                         "irrep:LABEL or file",
                  pl_group_spec(g), rest ? rest : text);
}

/* ---- spectra ---- */

/* This rank's part of matrix k of a stack, from the whole one. */
static void place(const pl_stack *b, int64_t k, const double *whole, double *F) {
  if (b->grid < 0) {
    memcpy(F + b->offset + k * b->size, whole, (size_t)b->size * sizeof *F);
    return;
  }
  for (int c = 0; c < b->mat.ln; c++)
    for (int r = 0; r < b->mat.lm; r++)
      F[b->offset + (int64_t)c * b->mat.lld + r] =
          whole[(int64_t)pl_dmat_col(&b->mat, c) * b->dim + pl_dmat_row(&b->mat, r)];
}

/* rho(element) for every irrep; or the identity on one irrep and zero elsewhere. */
static void make(const pl_layout *l, const target *t, double *F) {
  memset(F, 0, (size_t)l->local * sizeof *F);
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    for (int64_t k = 0; b->size && k < b->count; k++) {
      if (t->irrep >= 0 && b->irrep[k] != t->irrep) continue;
      int64_t size = pl_irrep_size((pl_irrep){.dim = b->dim, .type = b->type});
      double *whole = pl_alloc((size_t)size, sizeof *whole, "a matrix of the target");
      pl_group_irrep_matrix(l->group, b->irrep[k], t->irrep >= 0 ? 0 : t->element, whole);
      place(b, k, whole, F);
      pl_free(whole);
    }
  }
}

static pl_status sample(pl_source *s, pl_part part, int64_t i, double *F, double *y) {
  const pl_layout *l = s->layout;
  (void)part, (void)i;
  *y = 1;
  if (!from_file(s->spec)) {
    target t;
    PL_TRY(find(s->spec, l->group, &t));
    make(l, &t, F);
    return PL_OK;
  }
  function_file file;
  PL_TRY(function_file_open(l, pl_group_data_of(s->spec)->path, "x", "sample", -1, &file));
  pl_status st = function_file_read(&file, l, s->transform, 0, s->f, F);
  function_file_close(&file);
  return st;
}

/* ---- the description ---- */

static int64_t count(const pl_spec *spec, pl_part part) {
  (void)spec;
  return part == PL_TRAIN;
}

static const char *fits(const pl_spec *spec) {
  const pl_group_data_values *v = pl_group_data_of(spec);
  if (v->scale == 0) {
    pl_error(PL_EINPUT, "a target of zero has no relative error");
    return "data.target_scale";
  }
  if (!from_file(spec) || v->path) return NULL;
  pl_error(PL_EINPUT, "file needs data.path");
  return "data.target";
}

static pl_status check(const pl_spec *spec, const pl_group *g, const char **key) {
  target t;
  *key = "data.target";
  if (!from_file(spec)) return find(spec, g, &t);
  pl_nc *nc;
  *key = "data.path";
  PL_TRY(pl_nc_open(pl_group_data_of(spec)->path, false, &nc));
  int64_t rows = -1;
  pl_status st = function_file_check(nc, "x", "sample", g, &rows, true);
  if (!st && rows < 1) st = pl_error(PL_EINPUT, "%s: no target", pl_nc_path(nc));
  pl_nc_close(nc);
  return st;
}

static const pl_key rows[] = {
    {"data.target", PL_KEY_TEXT, DATA_FIELD(target), DATA_DRAWN, .required = true,
     .help = "cycle:2 (the element (1 2) of S_n; cycle:3,2: (1 2 3)(4 5)), element:K (element "
             "number K), irrep:LABEL (the identity on that irrep, zero elsewhere), or file"},
    {"data.target_scale", PL_KEY_REAL, DATA_FIELD(scale), DATA_DRAWN, "1", -DBL_MAX, DBL_MAX,
     .help = "c: the target is c times the indicator of the element, or c times what was named"},
    {"data.path", PL_KEY_TEXT, DATA_FIELD(path), DATA_ALL, .path = true,
     .help = "for data.target file: NetCDF file, the first row of x(sample, element)"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&table, NULL};
static const pl_default defaults[] = {{"loss", "square"}, {NULL, NULL}};

const pl_group_data pl_data_target = {
    .base = {.name = "target",
             .help = "a filter to be reached, for the loss square",
             .keys = keys,
             .defaults = defaults,
             .seedless = true,
             .fits = fits,
             .count = count,
             .write_data = pl_group_data_write},
    .over_group = true,
    .check = check,
    .sample = sample,
};
