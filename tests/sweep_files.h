/* Files for the keys of random sweeps: whole ones, which the program itself made for some network,
 * and damaged ones: lengths, names, types, values, attributes changed, parts left out. */
#ifndef SWEEP_FILES_H
#define SWEEP_FILES_H

#include "sweep_command.h"

#include <netcdf.h>
#include <sys/stat.h>

enum { MOST_VARS = 64, MOST_DIMS = 16, MOST_ENTRIES = 1 << 20 };

/* ---- NetCDF files, as a whole in memory ---- */

typedef struct file_var {
  char name[NC_MAX_NAME + 1];
  int type, ndims, dims[NC_MAX_VAR_DIMS], id;
  double *v;
} file_var;

typedef struct file_image {
  int from, ndims, nvars;
  size_t length[MOST_DIMS];
  char dim[MOST_DIMS][NC_MAX_NAME + 1];
  bool unlimited[MOST_DIMS];
  file_var var[MOST_VARS];
} file_image;

static size_t entries(const file_image *f, const file_var *v) {
  size_t n = 1;
  for (int d = 0; d < v->ndims; d++) n *= f->length[v->dims[d]];
  return n;
}

static bool read_image(const char *path, file_image *f) {
  int ndims, nvars;
  *f = (file_image){0};
  if (nc_open(path, NC_NOWRITE, &f->from)) return false;
  if (nc_inq(f->from, &ndims, &nvars, NULL, NULL) || ndims > MOST_DIMS || nvars > MOST_VARS)
    return false;
  f->ndims = ndims;
  f->nvars = nvars;
  for (int d = 0; d < f->ndims; d++) nc_inq_dim(f->from, d, f->dim[d], &f->length[d]);
  for (int i = 0; i < f->nvars; i++) {
    file_var *v = &f->var[i];
    nc_inq_var(f->from, i, v->name, &v->type, &v->ndims, v->dims, NULL);
    v->id = i;
    size_t n = entries(f, v);
    if (n > MOST_ENTRIES || v->type > NC_UINT64) return false;
    v->v = pl_zalloc(n, sizeof(double), "a variable");
    if (v->type != NC_CHAR) {
      nc_get_var_double(f->from, i, v->v);
      continue;
    }
    char *text = pl_zalloc(n, 1, "a text");
    nc_get_var_text(f->from, i, text);
    for (size_t k = 0; k < n; k++) v->v[k] = text[k];
    pl_free(text);
  }
  return true;
}

static void free_image(file_image *f) {
  for (int i = 0; i < f->nvars; i++) pl_free(f->var[i].v);
  nc_close(f->from);
}

/* A dimension of another length: entries are repeated, or left out. */
static void resize(file_image *f, int dim, size_t length) {
  size_t was = f->length[dim];
  for (int i = 0; i < f->nvars; i++) {
    file_var *v = &f->var[i];
    size_t inner = 1, outer = 1;
    int at = 0;
    while (at < v->ndims && v->dims[at] != dim) outer *= f->length[v->dims[at++]];
    if (at == v->ndims || !was) continue;
    for (int d = at + 1; d < v->ndims; d++) inner *= f->length[v->dims[d]];
    double *w = pl_zalloc(outer * length * inner, sizeof *w, "a variable");
    for (size_t o = 0; o < outer; o++)
      for (size_t k = 0; k < length; k++)
        memcpy(w + (o * length + k) * inner, v->v + (o * was + k % was) * inner, inner * sizeof *w);
    pl_free(v->v);
    v->v = w;
  }
  f->length[dim] = length;
}

static void change_length(sweep_case *c, file_image *f) {
  int dim = f->ndims ? below(c, f->ndims) : 0;
  size_t n = f->ndims ? f->length[dim] : 0;
  if (n == 0) return;
  switch (below(c, 5)) {
  case 0:
    resize(f, dim, n + 1);
    break;
  case 1:
    resize(f, dim, n > 1 ? n - 1 : 1);
    break;
  case 2:
    resize(f, dim, 1);
    break;
  case 3:
    resize(f, dim, 2 * n);
    break;
  default: /* no entry at all */
    resize(f, dim, 0);
    f->unlimited[dim] = true;
  }
}

static void change_values(sweep_case *c, file_image *f, file_var *v) {
  static const double odd[] = {NAN,          INFINITY,       -INFINITY, -1,   0, 0.5, 1e300, 1e-300,
                               2147483648.0, NC_FILL_DOUBLE, -32767,    1e19, 2, 3,   7};
  size_t n = entries(f, v);
  if (n == 0) return;
  double value = ONE_OF(c, odd);
  if (chance(c, 60)) {
    v->v[below(c, (int)n)] = value;
  } else if (chance(c, 50)) {
    for (size_t k = 0; k < n; k++) v->v[k] = value;
  } else {
    size_t a = (size_t)below(c, (int)n), b = (size_t)below(c, (int)n);
    double t = v->v[a];
    v->v[a] = v->v[b];
    v->v[b] = t;
  }
}

static void drop(file_image *f, int i) {
  pl_free(f->var[i].v);
  memmove(&f->var[i], &f->var[i + 1], (size_t)(f->nvars - i - 1) * sizeof *f->var);
  f->nvars--;
}

static void damage(sweep_case *c, file_image *f) {
  if (f->nvars == 0) return;
  int i = below(c, f->nvars);
  file_var *v = &f->var[i];
  switch (below(c, 10)) {
  case 0:
  case 1:
  case 2:
    change_length(c, f);
    break;
  case 3:
    if (f->ndims) snprintf(f->dim[below(c, f->ndims)], NC_MAX_NAME, "other");
    break;
  case 4:
    drop(f, i);
    break;
  case 5:
    snprintf(v->name, sizeof v->name, "%s", chance(c, 50) ? "other" : "x");
    break;
  case 6:
    v->type = 1 + below(c, 6);
    break;
  case 7:
    if (v->ndims > 1) {
      int first = v->dims[0];
      v->dims[0] = v->dims[1];
      v->dims[1] = first;
    }
    break;
  default:
    change_values(c, f, v);
  }
}

/* The attributes of a variable, or of the file, some of them changed. */
static void copy_attributes(sweep_case *c, int from, int var, int to, int into, bool change) {
  static const char *const words[] = {"S_3", "C_2", "", "0", "nonsense", "12", "S_99"};
  static const double numbers[] = {0, -1, 1, 2, 1e9, 3.5, NAN};
  char name[NC_MAX_NAME + 1];
  for (int k = 0; !nc_inq_attname(from, var, k, name); k++) {
    nc_copy_att(from, var, name, to, into);
    if (!change || !chance(c, 20)) continue;
    nc_type type;
    nc_inq_atttype(from, var, name, &type);
    const char *word = ONE_OF(c, words);
    double number = ONE_OF(c, numbers);
    if (chance(c, 40))
      nc_del_att(to, into, name);
    else if (type == NC_CHAR)
      nc_put_att_text(to, into, name, strlen(word), word);
    else
      nc_put_att_double(to, into, name, NC_DOUBLE, 1, &number);
  }
}

static void write_var(int to, int id, const file_image *f, const file_var *v) {
  size_t start[NC_MAX_VAR_DIMS] = {0}, count[NC_MAX_VAR_DIMS], n = entries(f, v);
  for (int d = 0; d < v->ndims; d++) count[d] = f->length[v->dims[d]];
  if (n == 0) return;
  if (v->type != NC_CHAR) {
    nc_put_vara_double(to, id, start, count, v->v);
    return;
  }
  char *text = pl_alloc(n, 1, "a text");
  for (size_t k = 0; k < n; k++) text[k] = (char)(v->v[k] > 0 && v->v[k] < 127 ? v->v[k] : 'x');
  nc_put_vara_text(to, id, start, count, text);
  pl_free(text);
}

static void write_image(sweep_case *c, const char *path, const file_image *f, bool attributes) {
  static const int formats[] = {NC_64BIT_DATA, NC_64BIT_OFFSET, 0, NC_NETCDF4};
  int to, ids[MOST_VARS];
  if (nc_create(path, NC_CLOBBER | ONE_OF(c, formats), &to)) return;
  for (int d = 0; d < f->ndims; d++) {
    int dim;
    nc_def_dim(to, f->dim[d], f->unlimited[d] ? NC_UNLIMITED : f->length[d], &dim);
  }
  for (int i = 0; i < f->nvars; i++) {
    const file_var *v = &f->var[i];
    if (nc_def_var(to, v->name, v->type, v->ndims, v->dims, &ids[i]))
      ids[i] = -1;
    else
      copy_attributes(c, f->from, v->id, to, ids[i], attributes && chance(c, 30));
  }
  copy_attributes(c, f->from, NC_GLOBAL, to, NC_GLOBAL, attributes);
  nc_enddef(to);
  for (int i = 0; i < f->nvars; i++)
    if (ids[i] >= 0) write_var(to, ids[i], f, &f->var[i]);
  nc_close(to);
}

static void damaged(sweep_case *c, const char *from, const char *to) {
  file_image f;
  bool whole = read_image(from, &f);
  if (whole) {
    for (int k = below(c, 3); k >= 0; k--) damage(c, &f);
    write_image(c, to, &f, chance(c, 30));
  }
  free_image(&f);
}

/* ---- other files ---- */

static void write_bytes(const char *path, const void *bytes, size_t n) {
  FILE *f = fopen(path, "wb");
  if (!f) return;
  fwrite(bytes, 1, n, f);
  fclose(f);
}

/* The first `most` bytes of a file. */
static void copy_bytes(const char *from, const char *to, size_t most) {
  FILE *f = fopen(from, "rb");
  char *bytes = pl_alloc(MOST_ENTRIES, 1, "a file");
  size_t n = f ? fread(bytes, 1, MOST_ENTRIES, f) : 0;
  if (f) fclose(f);
  write_bytes(to, bytes, n < most ? n : most);
  pl_free(bytes);
}

/* Images of a few pixels, or labels, with their head. */
static void write_idx(sweep_case *c, const char *path, bool labels) {
  unsigned char b[16 + 40 * 64] = {0, 0, 8, labels ? 1 : 3};
  int n = chance(c, 80) ? 12 : below(c, 40), side = chance(c, 80) ? 4 : below(c, 8), head = 8;
  b[7] = (unsigned char)n;
  if (!labels) b[11] = b[15] = (unsigned char)side, head = 16;
  if (chance(c, 8)) b[below(c, head)] = (unsigned char)below(c, 256);
  int bytes = labels ? n : n * side * side, spread = labels ? (chance(c, 80) ? 6 : 256) : 256;
  for (int k = 0; k < bytes; k++) b[head + k] = (unsigned char)(1 + below(c, spread - 1));
  int all = head + bytes;
  write_bytes(path, b, (size_t)(chance(c, 6) ? below(c, all + 1) : all));
}

static void write_rankings(sweep_case *c, const char *path) {
  FILE *f = fopen(path, "w");
  int n = chance(c, 70) ? 4 : 1 + below(c, 7);
  for (int k = below(c, 8); f && k >= 0; k--) {
    int order[8];
    for (int i = 0; i < n; i++) {
      int at = below(c, i + 1);
      order[i] = order[at];
      order[at] = i + 1;
    }
    if (chance(c, 3)) order[0] = below(c, 9);
    fprintf(f, "%d: ", chance(c, 95) ? 1 + below(c, 3) : -1);
    for (int i = 0; i < n; i++) fprintf(f, "%s%d", i ? (chance(c, 97) ? "," : ",{") : "", order[i]);
    fprintf(f, "\n");
  }
  if (f) fclose(f);
}

/* ---- whole files, made once by the program ---- */

/* The network's example through a command, in the pool's folder. */
static int on_example(const pl_model_kind *model, command *k) {
  char *path = pl_asprintf("%s/pool/sweep.yaml", folder), *was = case_folder;
  write_bytes(path, model->example, strlen(model->example));
  case_folder = pl_asprintf("%s/pool", folder);
  outcome out = execute(k);
  pl_free(out.text);
  pl_free(path);
  pl_free(case_folder);
  case_folder = was;
  return out.code;
}

static bool make_weights(const pl_model_kind *model, const char *path) {
  command k = {.ranks = 1};
  const char *const words[] = {program,       "run",   "sweep.yaml",        "-o",    "out.nc",
                               "--overwrite", "--set", "record.final=true", "--set", "steps=2"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) add(&k, words[i]);
  char *made = pl_asprintf("%s/pool/out.nc.final/run-000000.nc", folder);
  bool good = on_example(model, &k) == 0 && rename(made, path) == 0;
  pl_free(made);
  return good;
}

static bool make_data(const pl_model_kind *model, const pl_data_kind *data, const char *path) {
  command k = {.ranks = 1};
  char *set = pl_asprintf("data.kind=%s", data->name);
  const char *const words[] = {program, "data", "sweep.yaml", "-o", path, "--set", set};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) add(&k, words[i]);
  bool good = data->write_data && on_example(model, &k) == 0;
  /* Not asked again: a kind that needs more than the example has. */
  if (!good) write_bytes(path, "", 0);
  pl_free(set);
  return good;
}

static bool pool_file(sweep_case *c, bool weights, char *path, size_t n) {
  const pl_model_kind *model = c->model;
  int kinds = 0;
  if (chance(c, 8)) {
    int models = 0;
    while (pl_zoo_model(models)) models++;
    model = pl_zoo_model(below(c, models));
  }
  while (model->data[kinds]) kinds++;
  const pl_data_kind *data = model->data[below(c, kinds)];
  if (weights)
    snprintf(path, n, "%s/pool/%s.nc", folder, model->name);
  else
    snprintf(path, n, "%s/pool/%s.%s.nc", folder, model->name, data->name);
  struct stat s;
  if (!stat(path, &s)) return s.st_size > 0;
  return weights ? make_weights(model, path) : make_data(model, data, path);
}

static void draw_netcdf(sweep_case *c, bool weights, const char *path) {
  char whole[4096];
  bool found = false;
  for (int k = 0; k < 6 && !found; k++) found = pool_file(c, weights, whole, sizeof whole);
  int how = below(c, 20);
  if (!found || how == 0)
    write_bytes(path, "CDF\1", (size_t)below(c, 5));
  else if (how == 1)
    copy_bytes(whole, path, (size_t)below(c, 2000));
  else if (how < 11)
    damaged(c, whole, path);
  else
    copy_bytes(whole, path, SIZE_MAX);
}

static void draw_file(sweep_case *c, const pl_key *row, char *out, size_t n) {
  static const char *const odd[] = {"absent.nc", ".", "sweep.yaml", "/dev/null", ""};
  if (chance(c, 3)) {
    snprintf(out, n, "%s", ONE_OF(c, odd));
    return;
  }
  char path[4096];
  bool idx = strstr(row->help, "IDX") != NULL;
  snprintf(out, n, "f%d%s", c->files++, idx ? "" : ".nc");
  snprintf(path, sizeof path, "%s/%s", case_folder, out);
  if (idx)
    write_idx(c, path, strstr(row->name, "labels") != NULL);
  else if (strstr(row->help, "rankings"))
    write_rankings(c, path);
  else
    draw_netcdf(c, !strncmp(row->name, "model.", 6) || !strncmp(row->name, "retrieval.", 10), path);
}

#endif
