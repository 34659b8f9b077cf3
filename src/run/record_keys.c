#include "record_keys.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* Dots become underscores; a name that the records have goes to them (the key `loss`). */
static void name_of(const pl_outline *outline, const pl_key *key, char *out, size_t n) {
  snprintf(out, n, "%s", key->name);
  for (char *c = out; *c; c++)
    if (*c == '.') *c = '_';
  if (pl_outline_has(outline, out)) strncat(out, "_kind", n - strlen(out) - 1);
}

static pl_nc_type type_of(const pl_key *key) {
  if (key->word) return PL_NC_CHAR;
  if (key->type == PL_KEY_INT) return PL_NC_INT64;
  if (key->type == PL_KEY_REAL) return PL_NC_DOUBLE;
  if (key->type == PL_KEY_BOOL) return PL_NC_BYTE;
  return PL_NC_CHAR;
}

/* The value as the file shows it: texts without the quotes that YAML may need.  "" where there is
 * none.  As snprintf. */
static int value_text(const pl_config *cfg, int64_t r, int k, char *buf, size_t n) {
  const pl_key *row;
  const void *value = pl_config_typed(cfg, r, k, &row);
  if (!value || row->type != PL_KEY_TEXT) return pl_config_value(cfg, r, k, buf, n);
  const char *text = *(const char *const *)value;
  return snprintf(buf, n, "%s", text ? text : "");
}

/* A number that the run has and that is set, else NULL. */
static const void *number_of(const pl_config *cfg, int64_t r, int k) {
  const pl_key *row;
  const void *value = pl_config_typed(cfg, r, k, &row);
  if (!value) return NULL;
  if (row->type == PL_KEY_REAL) return isnan(*(const double *)value) ? NULL : value;
  return *(const int64_t *)value == PL_UNSET ? NULL : value;
}

/* A row of another owner may accept a word where the first does not. */
static bool has_word(const pl_config *cfg, int k) {
  const pl_key *row, *last = NULL;
  for (int64_t r = 0; r < pl_config_num_runs(cfg); r++)
    if (pl_config_typed(cfg, r, k, &row) && row != last) {
      if (row->word) return true;
      last = row;
    }
  return false;
}

/* False: no run has a value. */
static bool survey(const pl_config *cfg, pl_key_variable *v) {
  bool any = false;
  const void *last = NULL;
  for (int64_t r = 0; r < pl_config_num_runs(cfg); r++) {
    const void *value = pl_config_typed(cfg, r, v->key, NULL);
    if (r > 0 && value == last) continue;
    last = value;
    int n = 0;
    bool has = v->type == PL_NC_CHAR ? (n = value_text(cfg, r, v->key, NULL, 0)) > 0
                                     : number_of(cfg, r, v->key) != NULL;
    any = any || has;
    v->missing = v->missing || !has;
    if (n > v->width) v->width = n;
  }
  return any;
}

pl_key_variable *pl_key_variables(const pl_config *cfg, const pl_outline *outline, int *num) {
  int keys = pl_config_num_keys(cfg);
  pl_key_variable *all = pl_alloc((size_t)keys, sizeof *all, "variables of the keys");
  *num = 0;
  for (int k = 0; k < keys; k++) {
    const pl_key *key = pl_config_key(cfg, k);
    bool list = key->type >= PL_KEY_INTS;
    if (key->whole || (list && !pl_config_swept(cfg, k))) continue;
    pl_key_variable v = {.key = k, .type = has_word(cfg, k) ? PL_NC_CHAR : type_of(key)};
    if (!survey(cfg, &v)) continue;
    name_of(outline, key, v.name, sizeof v.name);
    all[(*num)++] = v;
  }
  return all;
}

const char *pl_text_dimension(pl_nc *nc, int n, char *name, size_t size) {
  snprintf(name, size, "string%d", n);
  if (pl_nc_dim(nc, name) < 0) pl_nc_def_dim(nc, name, n);
  return name;
}

void pl_key_variable_define(pl_nc *nc, const pl_config *cfg, const pl_key_variable *v) {
  const pl_key *key = pl_config_key(cfg, v->key);
  char dim[32];
  const char *dims[] = {"run", NULL, NULL};
  if (v->type == PL_NC_CHAR) dims[1] = pl_text_dimension(nc, v->width, dim, sizeof dim);
  pl_nc_def_var(nc, v->name, v->type, dims, key->help, key->units ? key->units : "1");
  /* So that readers see what is missing; a number that the key never has. */
  int none = key->min > -1 ? -1 : INT32_MIN;
  if (v->missing && (v->type == PL_NC_INT64 || v->type == PL_NC_BYTE))
    pl_nc_att_ints(nc, v->name, "_FillValue", v->type, &none, 1);
}

/* Rows written at once. */
enum { ROWS = 4096 };

static pl_status write_texts(pl_nc *nc, const pl_config *cfg, const pl_key_variable *v) {
  int64_t runs = pl_config_num_runs(cfg), width = v->width;
  int64_t most = width < ROWS ? ROWS : 1; /* long texts are few */
  char *rows = pl_alloc((size_t)(most * width + 1), 1, "values");
  pl_status st = PL_OK;
  for (int64_t r = 0; r < runs && !st; r += most) {
    int64_t at[] = {r, 0}, count[] = {runs - r < most ? runs - r : most, width};
    memset(rows, 0, (size_t)(most * width + 1));
    const void *last = NULL;
    for (int64_t i = 0; i < count[0]; i++) {
      const void *value = pl_config_typed(cfg, r + i, v->key, NULL);
      char *row = rows + i * width;
      if (i > 0 && value == last)
        memcpy(row, row - width, (size_t)width);
      else /* the zero behind a text is where the next one begins */
        value_text(cfg, r + i, v->key, row, (size_t)width + 1);
      last = value;
    }
    st = pl_nc_put_text(nc, v->name, at, count, rows);
  }
  pl_free(rows);
  return st;
}

/* Missing values stay as the file was filled. */
static pl_status write_numbers(pl_nc *nc, const pl_config *cfg, const pl_outline *outline,
                               const pl_key_variable *v) {
  int64_t runs = pl_config_num_runs(cfg), whole[ROWS];
  double real[ROWS];
  bool steps = !strcmp(pl_config_key(cfg, v->key)->name, "steps"), reals = v->type == PL_NC_DOUBLE;
  for (int64_t r = 0, n; r < runs; r += n + 1) {
    for (n = 0; n < ROWS && r + n < runs; n++) {
      const void *number = steps ? pl_outline_steps(outline, r + n) : number_of(cfg, r + n, v->key);
      if (!number) break;
      memcpy(reals ? (void *)&real[n] : (void *)&whole[n], number, sizeof *real);
    }
    if (n > 0)
      PL_TRY(reals ? pl_nc_put_doubles(nc, v->name, &r, &n, real)
                   : pl_nc_put_ints(nc, v->name, &r, &n, whole));
    if (n == ROWS) r--; /* the row behind a full block is not missing */
  }
  return PL_OK;
}

pl_status pl_key_variable_write(pl_nc *nc, const pl_config *cfg, const pl_outline *outline,
                                const pl_key_variable *v) {
  return v->type == PL_NC_CHAR ? write_texts(nc, cfg, v) : write_numbers(nc, cfg, outline, v);
}
