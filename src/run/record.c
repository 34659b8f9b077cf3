#include "run/record.h"

#include "base/blas.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/nc.h"
#include "base/version.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* An axis of the file: the segments of runs with different keys, one after the other. */
typedef struct axis {
  const char *name;
  int64_t length;
  int num_segments;
  struct {
    const char *key;
    int64_t start, length;
    const pl_schema *schema; /* whose coordinates fill the segment */
    const pl_axis *axis;
  } * segment;
} axis;

struct pl_recorder {
  pl_nc *nc;
  int64_t num_runs, num_records;
  int num_schemas;
  pl_schema *schemas; /* the distinct ones */
  int *run_schema;    /* [num_runs] */
  int num_axes;
  axis *axes;
};

/* ---- schemas and axes ---- */

static bool same_axis(const pl_axis *a, const pl_axis *b) {
  return !strcmp(a->name, b->name) && !strcmp(a->key, b->key) && a->length == b->length;
}

static bool same_schema(const pl_schema *a, const pl_schema *b) {
  if (a->num_axes != b->num_axes || a->num_observables != b->num_observables || a->size != b->size)
    return false;
  for (int i = 0; i < a->num_axes; i++)
    if (!same_axis(&a->axes[i], &b->axes[i])) return false;
  for (int i = 0; i < a->num_observables; i++)
    if (a->observables[i] != b->observables[i]) return false;
  return true;
}

static pl_status collect_schemas(pl_recorder *rec, const pl_config *cfg) {
  rec->run_schema = pl_alloc((size_t)rec->num_runs, sizeof *rec->run_schema, "output plan");
  for (int64_t r = 0; r < rec->num_runs; r++) {
    pl_spec spec;
    pl_schema s;
    int64_t records;
    pl_config_run(cfg, r, &spec);
    pl_free(pl_record_steps(&spec, &records));
    if (records > rec->num_records) rec->num_records = records;
    PL_TRY(pl_model_kind_get((int)spec.model_kind)->describe(&spec, &s));
    int k = 0;
    while (k < rec->num_schemas && !same_schema(&s, &rec->schemas[k])) k++;
    rec->run_schema[r] = k;
    if (k < rec->num_schemas) {
      pl_schema_free(&s);
      continue;
    }
    rec->schemas = pl_realloc(rec->schemas, (size_t)++rec->num_schemas, sizeof s, "output plan");
    rec->schemas[k] = s;
  }
  return PL_OK;
}

static axis *find_axis(const pl_recorder *rec, const char *name) {
  for (int i = 0; i < rec->num_axes; i++)
    if (!strcmp(rec->axes[i].name, name)) return &rec->axes[i];
  return NULL;
}

static int find_segment(const axis *x, const char *key) {
  for (int i = 0; i < x->num_segments; i++)
    if (!strcmp(x->segment[i].key, key)) return i;
  return -1;
}

static void add_axis(pl_recorder *rec, const pl_schema *s, const pl_axis *a) {
  axis *x = find_axis(rec, a->name);
  if (!x) {
    rec->axes = pl_realloc(rec->axes, (size_t)++rec->num_axes, sizeof *rec->axes, "output plan");
    x = &rec->axes[rec->num_axes - 1];
    *x = (axis){.name = a->name};
  }
  int k = find_segment(x, a->key);
  if (k >= 0) {
    /* What runs share takes the longest. */
    if (a->length <= x->segment[k].length) return;
  } else {
    k = x->num_segments++;
    x->segment = pl_realloc(x->segment, (size_t)x->num_segments, sizeof *x->segment, "output plan");
  }
  x->segment[k].key = a->key;
  x->segment[k].length = a->length;
  x->segment[k].schema = s;
  x->segment[k].axis = a;
}

static void collect_axes(pl_recorder *rec) {
  for (int k = 0; k < rec->num_schemas; k++)
    for (int i = 0; i < rec->schemas[k].num_axes; i++)
      add_axis(rec, &rec->schemas[k], &rec->schemas[k].axes[i]);
  for (int a = 0; a < rec->num_axes; a++) {
    axis *x = &rec->axes[a];
    for (int k = 0; k < x->num_segments; k++) {
      x->segment[k].start = x->length;
      x->length += x->segment[k].length;
    }
  }
}

/* ---- variables of the sweep's keys, on run ---- */

static bool observed(const pl_recorder *rec, const char *name) {
  for (int k = 0; k < rec->num_schemas; k++)
    for (int i = 0; i < rec->schemas[k].num_observables; i++)
      if (!strcmp(rec->schemas[k].observables[i]->name, name)) return true;
  return false;
}

/* Dots become underscores; the key `loss` gives way to the variable of that name. */
static void key_name(const pl_recorder *rec, const pl_key *key, char *out, size_t n) {
  snprintf(out, n, "%s", key->name);
  for (char *c = out; *c; c++)
    if (*c == '.') *c = '_';
  if (observed(rec, out)) strncat(out, "_kind", n - strlen(out) - 1);
}

static pl_nc_type key_type(const pl_key *key) {
  if (key->word) return PL_NC_CHAR;
  if (key->type == PL_KEY_INT) return PL_NC_INT64;
  if (key->type == PL_KEY_REAL) return PL_NC_DOUBLE;
  if (key->type == PL_KEY_BOOL) return PL_NC_BYTE;
  return PL_NC_CHAR;
}

/* The value as the file shows it: texts without the quotes that YAML may need.  As snprintf. */
static int value_text(const pl_config *cfg, int64_t r, const pl_key *key, char *buf, size_t n) {
  if (key->type != PL_KEY_TEXT) return pl_config_value(cfg, r, key, buf, n);
  pl_spec spec;
  pl_config_run(cfg, r, &spec);
  const char *text;
  memcpy(&text, (const char *)&spec + key->field, sizeof text);
  return snprintf(buf, n, "%s", text ? text : "");
}

/* Longest text of the key over the runs; 0: not set in any. */
static int longest_value(const pl_recorder *rec, const pl_config *cfg, const pl_key *key) {
  int longest = 0;
  int64_t runs = pl_config_swept(cfg, key) ? rec->num_runs : 1;
  for (int64_t r = 0; r < runs; r++) {
    int n = value_text(cfg, r, key, NULL, 0);
    if (n > longest) longest = n;
  }
  return longest;
}

static bool in_file(const pl_recorder *rec, const pl_config *cfg, const pl_key *key) {
  bool list = key->type >= PL_KEY_INTS;
  return !key->whole && (!list || pl_config_swept(cfg, key)) && longest_value(rec, cfg, key) > 0;
}

/* A dimension for texts of up to n bytes, defined once. */
static const char *text_dim(pl_nc *nc, int n, char *name, size_t size) {
  snprintf(name, size, "string%d", n);
  if (pl_nc_dim(nc, name) < 0) pl_nc_def_dim(nc, name, n);
  return name;
}

static void define_keys(pl_recorder *rec, const pl_config *cfg) {
  for (int k = 0; k < pl_num_keys; k++) {
    const pl_key *key = &pl_keys[k];
    if (!in_file(rec, cfg, key)) continue;
    char name[128], dim[32];
    const char *dims[] = {"run", NULL, NULL};
    pl_nc_type type = key_type(key);
    key_name(rec, key, name, sizeof name);
    if (type == PL_NC_CHAR)
      dims[1] = text_dim(rec->nc, longest_value(rec, cfg, key), dim, sizeof dim);
    pl_nc_def_var(rec->nc, name, type, dims, key->help, key->units ? key->units : "1");
  }
}

static pl_status write_keys(pl_recorder *rec, const pl_config *cfg) {
  for (int k = 0; k < pl_num_keys; k++) {
    const pl_key *key = &pl_keys[k];
    if (!in_file(rec, cfg, key)) continue;
    char name[128], value[4096];
    key_name(rec, key, name, sizeof name);
    pl_nc_type type = key_type(key);
    for (int64_t r = 0; r < rec->num_runs; r++) {
      pl_spec spec;
      int n = value_text(cfg, r, key, value, sizeof value);
      if (n == 0) continue;
      if (n >= (int)sizeof value) n = (int)sizeof value - 1;
      pl_config_run(cfg, r, &spec);
      const void *field = (const char *)&spec + key->field;
      int64_t at[] = {r, 0}, count[] = {1, n};
      if (type == PL_NC_CHAR)
        PL_TRY(pl_nc_put_text(rec->nc, name, at, count, value));
      else if (type == PL_NC_DOUBLE)
        PL_TRY(pl_nc_put_doubles(rec->nc, name, at, count, field));
      else
        PL_TRY(pl_nc_put_ints(rec->nc, name, at, count, field));
    }
  }
  return PL_OK;
}

/* ---- coordinates of the axes ---- */

static int longest_text(const axis *x, int coord) {
  int longest = 1;
  char text[64];
  for (int s = 0; s < x->num_segments; s++)
    for (int64_t i = 0; i < x->segment[s].length; i++) {
      x->segment[s].axis->coords[coord].value(x->segment[s].schema->context, i, NULL, text);
      int n = (int)strlen(text);
      if (n > longest) longest = n;
    }
  return longest;
}

static void define_axes(pl_recorder *rec) {
  for (int a = 0; a < rec->num_axes; a++) {
    const axis *x = &rec->axes[a];
    pl_nc_def_dim(rec->nc, x->name, x->length);
    const pl_axis *first = x->segment[0].axis;
    for (int c = 0; c < first->num_coords; c++) {
      const pl_coord *k = &first->coords[c];
      char dim[32];
      const char *dims[] = {x->name, NULL, NULL};
      if (k->text) dims[1] = text_dim(rec->nc, longest_text(x, c), dim, sizeof dim);
      pl_nc_type type = k->text ? PL_NC_CHAR : k->integer ? PL_NC_INT : PL_NC_DOUBLE;
      pl_nc_def_var(rec->nc, k->name, type, dims, k->long_name, k->units);
      if (k->points_into) pl_nc_att_text(rec->nc, k->name, "instance_dimension", k->points_into);
    }
  }
}

static pl_status write_coord(pl_recorder *rec, const axis *x, int segment, const pl_coord *k) {
  const void *context = x->segment[segment].schema->context;
  int64_t start = x->segment[segment].start;
  for (int64_t i = 0; i < x->segment[segment].length; i++) {
    char text[64] = "";
    double number = 0;
    k->value(context, i, &number, text);
    int64_t at[] = {start + i, 0}, count[] = {1, (int64_t)strlen(text)};
    if (k->points_into) {
      /* An index inside the segment of another axis that has the same key. */
      const axis *other = find_axis(rec, k->points_into);
      number += (double)other->segment[find_segment(other, x->segment[segment].key)].start;
    }
    if (k->text)
      PL_TRY(pl_nc_put_text(rec->nc, k->name, at, count, text));
    else
      PL_TRY(pl_nc_put_doubles(rec->nc, k->name, at, count, &number));
  }
  return PL_OK;
}

static pl_status write_axes(pl_recorder *rec) {
  for (int a = 0; a < rec->num_axes; a++) {
    const axis *x = &rec->axes[a];
    for (int s = 0; s < x->num_segments; s++)
      for (int c = 0; c < x->segment[s].axis->num_coords; c++)
        PL_TRY(write_coord(rec, x, s, &x->segment[s].axis->coords[c]));
  }
  return PL_OK;
}

/* ---- variables of the records ---- */

static void define_records(pl_recorder *rec, const pl_config *cfg) {
  pl_nc *nc = rec->nc;
  const char *run[] = {"run", NULL}, *on[] = {"run", "record", NULL, NULL};
  enum { N = PL_NUM_RUN_STATES };
  int values[N];
  char meanings[128] = "";
  for (int i = 0; i < N; i++) {
    values[i] = i;
    if (i) strcat(meanings, " ");
    strcat(meanings, pl_run_state_name((pl_run_state)i));
  }
  pl_nc_def_var(nc, "status", PL_NC_BYTE, run, "state of the run", "1");
  pl_nc_att_ints(nc, "status", "flag_values", PL_NC_BYTE, values, N);
  pl_nc_att_text(nc, "status", "flag_meanings", meanings);
  pl_nc_def_var(nc, "wall_time", PL_NC_DOUBLE, run, "wall time of the run", "s");
  pl_nc_def_var(nc, "memory", PL_NC_DOUBLE, run, "peak memory of the run on its largest rank",
                "byte");
  pl_nc_def_var(nc, "steps_done", PL_NC_INT64, run, "steps of training done", "1");
  pl_nc_def_var(nc, "ranks", PL_NC_INT, run, "MPI ranks that trained the run", "1");
  if (pl_config_selected(cfg))
    pl_nc_def_var(nc, "run_index", PL_NC_INT64, run, "number of the run in the whole sweep", "1");
  pl_nc_def_var(nc, "step", PL_NC_INT64, on, "steps of training before the record", "1");
  pl_nc_att_ints(nc, "step", "_FillValue", PL_NC_INT64, (int[]){-1}, 1);
  pl_nc_def_var(nc, "lr", PL_NC_DOUBLE, on, "learning rate of the step to come", "1");
  for (int k = 0; k < rec->num_schemas; k++)
    for (int i = 0; i < rec->schemas[k].num_observables; i++) {
      const pl_observable *o = rec->schemas[k].observables[i];
      if (pl_nc_var(nc, o->name, NULL, NULL, NULL, 0) >= 0) continue;
      on[2] = o->axis;
      pl_nc_def_var(nc, o->name, PL_NC_DOUBLE, on, o->long_name, o->units);
    }
}

/* Rates are numbers only. */
enum { NUM_RATES = sizeof(pl_rates) / sizeof(double) };
_Static_assert(NUM_RATES * sizeof(double) == sizeof(pl_rates), "rates are doubles");

static void define_attributes(pl_recorder *rec, const pl_config *cfg, const pl_plan *plan,
                              const char *command) {
  pl_nc *nc = rec->nc;
  char text[512], host[256] = "", now[32];
  time_t t = time(NULL);
  struct tm utc;
  strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
  gethostname(host, sizeof host - 1);
  pl_spec spec;
  pl_config_run(cfg, 0, &spec);
  pl_nc_att_text(nc, NULL, "title", *spec.title ? spec.title : "Plancherel sweep");
  pl_nc_att_text(nc, NULL, "Conventions", "CF-1.10, ACDD-1.3");
  pl_nc_att_text(nc, NULL, "summary",
                 "Trajectories of group-equivariant networks under training: losses, margins and "
                 "Schatten values of the linear functional in the Fourier space of the group");
  snprintf(text, sizeof text, "plancherel %s, commit %s", pl_version, pl_commit);
  pl_nc_att_text(nc, NULL, "source", text);
  snprintf(text, sizeof text, "%s %.400s", now, command);
  pl_nc_att_text(nc, NULL, "history", text);
  pl_nc_att_text(nc, NULL, "references",
                 "Lawrence, Georgiev, Dienes, Kiani, Implicit Bias of Linear Equivariant Networks, "
                 "ICML 2022, arXiv:2110.06084");
  pl_nc_att_text(nc, NULL, "date_created", now);
  pl_nc_att_text(nc, NULL, "host", host);
  pl_nc_att_text(nc, NULL, "openblas_version", pl_blas_version());
  pl_nc_att_text(nc, NULL, "openblas_kernel", pl_blas_core());
  pl_nc_att_doubles(nc, NULL, "plan_rates", (const double *)&plan->rates, NUM_RATES);
  pl_nc_att_doubles(nc, NULL, "plan_memory_per_rank", &plan->memory_per_rank, 1);
  pl_nc_att_ints(nc, NULL, "ranks", PL_NC_INT, (int[]){plan->ranks}, 1);
  pl_nc_att_ints(nc, NULL, "threads_per_rank", PL_NC_INT, (int[]){pl_blas_threads()}, 1);
  pl_nc_att_text(nc, NULL, "sweep", pl_config_text(cfg));
  pl_nc_att_text(nc, NULL, "sweep_set", pl_config_sets(cfg));
}

/* ---- life ---- */

static pl_status write_head(pl_recorder *rec, const pl_config *cfg) {
  PL_TRY(write_keys(rec, cfg));
  PL_TRY(write_axes(rec));
  int64_t zeros[4096] = {0};
  for (int64_t r = 0; r < rec->num_runs; r += 4096) {
    int64_t n = rec->num_runs - r < 4096 ? rec->num_runs - r : 4096;
    PL_TRY(pl_nc_put_ints(rec->nc, "status", &r, &n, zeros));
    PL_TRY(pl_nc_put_ints(rec->nc, "steps_done", &r, &n, zeros));
    PL_TRY(pl_nc_put_ints(rec->nc, "ranks", &r, &n, zeros));
  }
  for (int64_t r = 0, one = 1; r < rec->num_runs && pl_config_selected(cfg); r++) {
    int64_t index = pl_config_index(cfg, r);
    PL_TRY(pl_nc_put_ints(rec->nc, "run_index", &r, &one, &index));
  }
  return pl_nc_fsync(rec->nc);
}

/* What the runs record, and how it lies in the file. */
static pl_status describe(const pl_config *cfg, pl_recorder **out) {
  pl_recorder *rec = pl_zalloc(1, sizeof *rec, "recorder");
  rec->num_runs = pl_config_num_runs(cfg);
  pl_status st = collect_schemas(rec, cfg);
  if (st) {
    pl_recorder_close(rec);
    return st;
  }
  collect_axes(rec);
  *out = rec;
  return PL_OK;
}

static pl_status write_new(pl_recorder *rec, const char *path, const pl_config *cfg,
                           const pl_plan *plan, const char *command) {
  PL_TRY(pl_nc_create(path, true, false, &rec->nc));
  /* A failure to define shows at the end of define mode. */
  pl_nc_def_dim(rec->nc, "run", rec->num_runs);
  pl_nc_def_dim(rec->nc, "record", rec->num_records);
  define_keys(rec, cfg);
  define_axes(rec);
  define_records(rec, cfg);
  define_attributes(rec, cfg, plan, command);
  pl_status st = pl_nc_end_def(rec->nc);
  if (!st) st = write_head(rec, cfg);
  pl_status closed = pl_nc_close(rec->nc);
  rec->nc = NULL;
  if (!st) st = closed;
  if (st) unlink(path);
  return st;
}

/* May path be replaced?  *target: where a symbolic link leads. */
static pl_status may_replace(const char *path, bool overwrite, char **target) {
  struct stat s;
  if (stat(path, &s)) {
    *target = pl_strdup(path);
    return PL_OK;
  }
  if (!overwrite)
    return pl_error(PL_EINPUT,
                    "%s: exists already; use --resume to go on with it, --overwrite to replace it",
                    path);
  if (!S_ISREG(s.st_mode))
    return pl_error(PL_EENV, "%s: cannot replace: %s", path,
                    S_ISDIR(s.st_mode) ? strerror(EISDIR) : "not a regular file");
  char *real = realpath(path, NULL);
  *target = pl_strdup(real ? real : path);
  free(real);
  return PL_OK;
}

pl_status pl_recorder_create(const char *path, bool overwrite, const pl_config *cfg,
                             const pl_plan *plan, const char *command, pl_recorder **out) {
  char *target = NULL;
  PL_TRY(may_replace(path, overwrite, &target));
  char *temporary = pl_asprintf("%s.tmp", target);
  pl_recorder *rec = NULL;
  pl_status st = describe(cfg, &rec);
  if (!st) st = write_new(rec, temporary, cfg, plan, command);
  if (!st) st = pl_file_replace(temporary, target, NULL);
  if (!st) st = pl_nc_open(target, true, &rec->nc);
  pl_free(temporary);
  pl_free(target);
  if (st)
    pl_recorder_close(rec);
  else
    *out = rec;
  return st;
}

pl_status pl_recorder_start(pl_recorder *rec, int64_t run, int ranks) {
  int64_t one = 1, state = PL_RUN_RUNNING, n = ranks;
  PL_TRY(pl_nc_put_ints(rec->nc, "status", &run, &one, &state));
  PL_TRY(pl_nc_put_ints(rec->nc, "ranks", &run, &one, &n));
  return pl_nc_sync(rec->nc);
}

/* Where observable i of a record lies. */
static void place(const pl_recorder *rec, const pl_schema *s, int i, int64_t at[3],
                  int64_t count[3]) {
  const pl_observable *o = s->observables[i];
  at[2] = 0;
  count[2] = s->length[i];
  if (!o->axis) return;
  const axis *x = find_axis(rec, o->axis);
  for (int a = 0; a < s->num_axes; a++)
    if (!strcmp(s->axes[a].name, o->axis))
      at[2] = x->segment[find_segment(x, s->axes[a].key)].start;
}

static const pl_schema *schema_of(const pl_recorder *rec, int64_t run) {
  return &rec->schemas[rec->run_schema[run]];
}

pl_status pl_recorder_record(pl_recorder *rec, int64_t run, int64_t index, const double *values,
                             int64_t n) {
  const pl_schema *s = schema_of(rec, run);
  pl_require(n == PL_RECORD_HEAD + s->size && index < rec->num_records);
  int64_t at[] = {run, index, 0}, count[] = {1, 1, 1}, step = (int64_t)values[PL_RECORD_STEP];
  for (int i = 0; i < s->num_observables; i++) {
    place(rec, s, i, at, count);
    PL_TRY(pl_nc_put_doubles(rec->nc, s->observables[i]->name, at, count,
                             values + PL_RECORD_HEAD + s->offset[i]));
  }
  PL_TRY(pl_nc_put_doubles(rec->nc, "lr", at, count, &values[PL_RECORD_LR]));
  PL_TRY(pl_nc_put_ints(rec->nc, "steps_done", &run, count, &step));
  /* Last, so that a record with a step is whole. */
  PL_TRY(pl_nc_put_ints(rec->nc, "step", at, count, &step));
  return pl_nc_sync(rec->nc);
}

pl_status pl_recorder_read(const pl_recorder *rec, int64_t run, int64_t index, double *values) {
  const pl_schema *s = schema_of(rec, run);
  int64_t at[] = {run, index, 0}, count[] = {1, 1, 1};
  for (int i = 0; i < s->num_observables; i++) {
    place(rec, s, i, at, count);
    PL_TRY(pl_nc_get_doubles(rec->nc, s->observables[i]->name, at, count,
                             values + PL_RECORD_HEAD + s->offset[i]));
  }
  PL_TRY(pl_nc_get_doubles(rec->nc, "lr", at, count, &values[PL_RECORD_LR]));
  return pl_nc_get_doubles(rec->nc, "step", at, count, &values[PL_RECORD_STEP]);
}

int64_t pl_recorder_size(const pl_recorder *rec, int64_t run) {
  return PL_RECORD_HEAD + schema_of(rec, run)->size;
}

pl_status pl_recorder_run(const pl_recorder *rec, int64_t run, pl_outcome *out) {
  int64_t one[] = {1, 1}, state, at[] = {run, 0}, count[] = {1, rec->num_records};
  *out = (pl_outcome){0};
  PL_TRY(pl_nc_get_ints(rec->nc, "status", &run, one, &state));
  PL_TRY(pl_nc_get_ints(rec->nc, "steps_done", &run, one, &out->steps_done));
  PL_TRY(pl_nc_get_doubles(rec->nc, "wall_time", &run, one, &out->wall_time));
  if (state < 0 || state >= PL_NUM_RUN_STATES)
    return pl_error(PL_EINPUT, "%s: run %lld has the unknown status %lld", pl_nc_path(rec->nc),
                    (long long)run, (long long)state);
  out->state = (pl_run_state)state;
  int64_t *step = pl_alloc((size_t)rec->num_records, sizeof *step, "steps of a run");
  pl_status st = pl_nc_get_ints(rec->nc, "step", at, count, step);
  while (!st && out->records < rec->num_records && step[out->records] >= 0) out->records++;
  pl_free(step);
  return st;
}

pl_status pl_recorder_ranks(const pl_recorder *rec, int64_t run, int *out) {
  int64_t one = 1, n;
  PL_TRY(pl_nc_get_ints(rec->nc, "ranks", &run, &one, &n));
  *out = (int)n;
  return PL_OK;
}

pl_status pl_recorder_clear(pl_recorder *rec, int64_t run) {
  const pl_schema *s = schema_of(rec, run);
  int64_t none = -1, zero = 0, at[] = {run, 0, 0}, count[] = {1, 1, 1};
  PL_TRY(pl_nc_put_ints(rec->nc, "status", at, count, &zero));
  PL_TRY(pl_nc_put_ints(rec->nc, "steps_done", at, count, &zero));
  for (at[1] = 0; at[1] < rec->num_records; at[1]++) {
    PL_TRY(pl_nc_put_ints(rec->nc, "step", at, count, &none));
    PL_TRY(pl_nc_put_missing(rec->nc, "lr", at, count));
    for (int i = 0; i < s->num_observables; i++) {
      place(rec, s, i, at, count);
      PL_TRY(pl_nc_put_missing(rec->nc, s->observables[i]->name, at, count));
    }
  }
  return PL_OK;
}

pl_status pl_recorder_end(pl_recorder *rec, int64_t run, const pl_outcome *outcome) {
  int64_t one = 1, state = outcome->state;
  PL_TRY(pl_nc_put_doubles(rec->nc, "wall_time", &run, &one, &outcome->wall_time));
  PL_TRY(pl_nc_put_doubles(rec->nc, "memory", &run, &one, &outcome->memory));
  PL_TRY(pl_nc_put_ints(rec->nc, "steps_done", &run, &one, &outcome->steps_done));
  PL_TRY(pl_nc_put_ints(rec->nc, "status", &run, &one, &state));
  return pl_nc_sync(rec->nc);
}

pl_status pl_recorder_fsync(pl_recorder *rec) {
  return pl_nc_fsync(rec->nc);
}

int64_t pl_recorder_longest(const pl_recorder *rec) {
  int64_t most = 0;
  for (int k = 0; k < rec->num_schemas; k++)
    if (rec->schemas[k].size > most) most = rec->schemas[k].size;
  return PL_RECORD_HEAD + most;
}

pl_status pl_recorder_close(pl_recorder *rec) {
  if (!rec) return PL_OK;
  pl_status st = pl_nc_close(rec->nc);
  for (int k = 0; k < rec->num_schemas; k++) pl_schema_free(&rec->schemas[k]);
  for (int a = 0; a < rec->num_axes; a++) pl_free(rec->axes[a].segment);
  pl_free(rec->schemas);
  pl_free(rec->run_schema);
  pl_free(rec->axes);
  pl_free(rec);
  return st;
}

/* ---- an existing file ---- */

static pl_status no_output(const char *path) {
  return pl_error(PL_EINPUT, "%s: not an output file of plancherel run", path);
}

/* The sweep whose text and --set values, one per line, stand in the attributes. */
static pl_status stored_config(const pl_nc *nc, pl_config **out) {
  enum { MAX_SETS = 256 };
  const char *path = pl_nc_path(nc), *sets[MAX_SETS];
  char *text = pl_nc_get_att_string(nc, NULL, "sweep");
  char *lines = pl_nc_get_att_string(nc, NULL, "sweep_set"), *rest = NULL;
  int n = 0;
  for (char *line = lines ? strtok_r(lines, "\n", &rest) : NULL; line && n < MAX_SETS;
       line = strtok_r(NULL, "\n", &rest))
    sets[n++] = line;
  pl_status st = text ? pl_config_parse(text, strlen(text), path, sets, n, out) : no_output(path);
  pl_free(text);
  pl_free(lines);
  if (st || pl_nc_var(nc, "run_index", NULL, NULL, NULL, 0) < 0) return st;

  int64_t runs = pl_nc_dim(nc, "run"), whole = pl_config_num_runs(*out);
  int64_t *index = pl_alloc((size_t)(runs > 0 ? runs : 0), sizeof *index, "runs of a shard");
  st = pl_nc_expect(nc, "run_index", false, 1, &runs);
  if (!st) st = pl_nc_get_ints(nc, "run_index", NULL, NULL, index);
  for (int64_t r = 0; r < runs && !st; r++)
    if (index[r] < 0 || index[r] >= whole) st = no_output(path);
  if (!st)
    pl_config_select(*out, runs, index);
  else
    pl_config_free(*out);
  pl_free(index);
  return st;
}

static pl_status same_runs(const pl_nc *nc, const pl_config *cfg) {
  pl_config *was = NULL;
  PL_TRY(stored_config(nc, &was));
  int64_t n = pl_config_num_runs(was);
  pl_status st = pl_config_same(was, cfg);
  bool same = pl_config_selected(was) == pl_config_selected(cfg) && n == pl_config_num_runs(cfg);
  for (int64_t r = 0; r < n && same && !st; r++)
    same = pl_config_index(was, r) == pl_config_index(cfg, r);
  if (!st && !same) st = pl_error(PL_EINPUT, "--shard: made with another one");
  pl_config_free(was);
  return st ? pl_error_in(st, "%s: made by another sweep: ", pl_nc_path(nc)) : PL_OK;
}

static pl_status expect_variables(const pl_recorder *rec) {
  int64_t shape[] = {rec->num_runs, rec->num_records, -1};
  PL_TRY(pl_nc_expect(rec->nc, "status", false, 1, shape));
  PL_TRY(pl_nc_expect(rec->nc, "step", false, 2, shape));
  for (int k = 0; k < rec->num_schemas; k++)
    for (int i = 0; i < rec->schemas[k].num_observables; i++) {
      const pl_observable *o = rec->schemas[k].observables[i];
      shape[2] = o->axis ? find_axis(rec, o->axis)->length : -1;
      PL_TRY(pl_nc_expect(rec->nc, o->name, false, o->axis ? 3 : 2, shape));
    }
  return PL_OK;
}

pl_status pl_recorder_open(const char *path, bool writable, const pl_config *cfg,
                           pl_recorder **out) {
  pl_nc *nc;
  pl_recorder *rec = NULL;
  PL_TRY(pl_nc_open(path, writable, &nc));
  pl_status st = same_runs(nc, cfg);
  if (!st) st = describe(cfg, &rec);
  if (st) {
    pl_nc_close(nc);
    return st;
  }
  rec->nc = nc;
  st = expect_variables(rec);
  if (st)
    pl_recorder_close(rec);
  else
    *out = rec;
  return st;
}

bool pl_recorder_planned(const char *path, int ranks, pl_rates *rates, double *memory_per_rank) {
  pl_nc *nc;
  double n, memory, stored[NUM_RATES];
  if (access(path, F_OK) || pl_nc_open(path, false, &nc)) return false;
  bool found = pl_nc_get_att_doubles(nc, NULL, "ranks", &n, 1) == 1 && n == ranks &&
               pl_nc_get_att_doubles(nc, NULL, "plan_memory_per_rank", &memory, 1) == 1 &&
               pl_nc_get_att_doubles(nc, NULL, "plan_rates", stored, NUM_RATES) == NUM_RATES;
  pl_nc_close(nc);
  if (!found) return false;
  memcpy(rates, stored, sizeof *rates);
  *memory_per_rank = memory;
  return true;
}

pl_status pl_recorder_config(const char *path, pl_config **out) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(path, false, &nc));
  pl_status st = stored_config(nc, out);
  pl_nc_close(nc);
  return st;
}
