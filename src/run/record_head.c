#include "record_head.h"

#include "base/blas.h"
#include "base/mem.h"
#include "base/version.h"
#include "record_keys.h"
#include "run/inputs.h"
#include "run/train.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- coordinates ---- */

static int longest_text(const pl_dimension *d, int coord) {
  int longest = 1;
  char text[64];
  for (int s = 0; s < d->num_segments; s++) {
    const pl_segment *g = &d->segment[s];
    for (int64_t i = 0; i < g->length; i++) {
      g->axis->coords[coord].value(g->records->schema.context, i, NULL, text);
      int n = (int)strlen(text);
      if (n > longest) longest = n;
    }
  }
  return longest;
}

static void define_dimension(pl_nc *nc, const pl_dimension *d) {
  pl_nc_def_dim(nc, d->name, d->length);
  const pl_axis *first = d->segment[0].axis;
  for (int c = 0; c < first->num_coords; c++) {
    const pl_coord *k = &first->coords[c];
    char dim[32];
    const char *dims[] = {d->name, NULL, NULL};
    if (k->text) dims[1] = pl_text_dimension(nc, longest_text(d, c), dim, sizeof dim);
    pl_nc_type type = k->text ? PL_NC_CHAR : k->integer ? PL_NC_INT : PL_NC_DOUBLE;
    pl_nc_def_var(nc, k->name, type, dims, k->long_name, k->units);
    if (k->points_into) pl_nc_att_text(nc, k->name, "instance_dimension", k->points_into);
  }
}

static pl_status write_coord(pl_nc *nc, const pl_outline *o, const pl_segment *g,
                             const pl_coord *k) {
  for (int64_t i = 0; i < g->length; i++) {
    char text[64] = "";
    double number = 0;
    k->value(g->records->schema.context, i, &number, text);
    int64_t at[] = {g->start + i, 0}, count[] = {1, (int64_t)strlen(text)};
    if (k->points_into) {
      /* An index inside the segment of another axis that has the same key. */
      const pl_dimension *other = pl_outline_dimension(o, k->points_into);
      number += (double)other->segment[pl_dimension_segment(other, g->key)].start;
    }
    if (k->text)
      PL_TRY(pl_nc_put_text(nc, k->name, at, count, text));
    else
      PL_TRY(pl_nc_put_doubles(nc, k->name, at, count, &number));
  }
  return PL_OK;
}

static pl_status write_dimension(pl_nc *nc, const pl_outline *o, const pl_dimension *d) {
  for (int s = 0; s < d->num_segments; s++)
    for (int c = 0; c < d->segment[s].axis->num_coords; c++)
      PL_TRY(write_coord(nc, o, &d->segment[s], &d->segment[s].axis->coords[c]));
  return PL_OK;
}

/* ---- lists of words ---- */

/* text with item at its end, unless it has it already; text is given up, the result is the
 * caller's. */
static char *joined(char *text, const char *separator, const char *item) {
  size_t n = strlen(item), gap = strlen(separator);
  for (const char *at = text; (at = strstr(at, item)); at++)
    if ((at == text || (at >= text + gap && !strncmp(at - gap, separator, gap))) &&
        (!at[n] || !strncmp(at + n, separator, gap)))
      return text;
  char *longer = pl_asprintf("%s%s%s", text, *text ? separator : "", item);
  pl_free(text);
  return longer;
}

/* ---- variables of runs and records ---- */

/* By which rules runs count as converged. */
static char *convergence(const pl_outline *o) {
  char *text = pl_strdup("");
  for (int i = 0; i < o->num_kinds; i++)
    if (o->kinds[i]->kind->convergence) text = joined(text, "; ", o->kinds[i]->kind->convergence);
  return text;
}

/* Yes, no, or missing. */
static void define_flag(pl_nc *nc, const char *name, const char *long_name) {
  const char *run[] = {"run", NULL};
  pl_nc_def_var(nc, name, PL_NC_BYTE, run, long_name, "1");
  pl_nc_att_ints(nc, name, "_FillValue", PL_NC_BYTE, (int[]){PL_UNSAID}, 1);
  pl_nc_att_ints(nc, name, "flag_values", PL_NC_BYTE, (int[]){0, 1}, 2);
  pl_nc_att_text(nc, name, "flag_meanings", "no yes");
}

static void define_runs(pl_nc *nc, const pl_outline *o, const pl_config *cfg) {
  const char *run[] = {"run", NULL};
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
  define_flag(nc, "separated", "every training sample is classified at the last record");
  define_flag(nc, "converged", "training has come to its end at the last record");
  char *rule = convergence(o);
  if (*rule) pl_nc_att_text(nc, "converged", "comment", rule);
  pl_free(rule);
  if (pl_outline_best(o, false)) {
    pl_nc_def_var(nc, "best_step", PL_NC_INT64, run,
                  "steps before the record with the best metric on the validation part", "1");
    pl_nc_att_ints(nc, "best_step", "_FillValue", PL_NC_INT64, (int[]){-1}, 1);
    pl_nc_def_var(nc, "validation_best", PL_NC_DOUBLE, run,
                  "best metric on the validation part, over the records", "1");
  }
  if (pl_outline_best(o, true))
    pl_nc_def_var(nc, "test_at_best", PL_NC_DOUBLE, run, "metric on the test part at best_step",
                  "1");
  if (pl_config_selected(cfg))
    pl_nc_def_var(nc, "run_index", PL_NC_INT64, run, "number of the run in the whole sweep", "1");
}

static void define_records(pl_nc *nc, const pl_outline *o) {
  const char *on[] = {"run", "record", NULL, NULL};
  pl_nc_def_var(nc, "step", PL_NC_INT64, on, "steps of training before the record", "1");
  pl_nc_att_ints(nc, "step", "_FillValue", PL_NC_INT64, (int[]){-1}, 1);
  pl_nc_def_var(nc, "lr", PL_NC_DOUBLE, on, "learning rate of the step to come", "1");
  for (int i = 0; i < o->num_variables; i++) {
    const pl_measure *m = o->variables[i].measure;
    on[2] = m->axis;
    pl_nc_def_var(nc, m->name, PL_NC_DOUBLE, on, m->long_name, m->units);
  }
}

/* ---- attributes ---- */

static void put_text(pl_nc *nc, const char *name, char *text) {
  if (*text) pl_nc_att_text(nc, NULL, name, text);
  pl_free(text);
}

/* Of all networks of the sweep. */
static char *summary(const pl_outline *o) {
  char *text = pl_strdup("");
  for (int i = 0; i < o->num_kinds; i++)
    if (o->kinds[i]->kind->summary) text = joined(text, "; ", o->kinds[i]->kind->summary);
  return text;
}

static char *references(const pl_outline *o) {
  char *text = pl_strdup("");
  for (int i = 0; i < o->num_kinds; i++)
    if (o->kinds[i]->kind->reference) text = joined(text, "; ", o->kinds[i]->kind->reference);
  return text;
}

static bool scalar(const pl_outline *o, const char *name) {
  for (int i = 0; i < o->num_kinds; i++)
    if (pl_schema_find(&o->kinds[i]->schema, name) >= 0) return true;
  return false;
}

/* What readers show first: the measures that tell most, the one to draw, and what tells runs apart.
 */
static void define_defaults(pl_nc *nc, const pl_outline *o, const pl_config *cfg, int num_keys,
                            const pl_key_variable *keys) {
  char *headline = pl_strdup(""), *swept = pl_strdup("");
  const char *y = NULL, *hue = NULL;
  int n = 0;
  for (int i = 0; i < o->num_kinds; i++) {
    const char *const *h = o->kinds[i]->kind->headline;
    for (; h && *h; h++) {
      if (!scalar(o, *h)) continue;
      headline = joined(headline, " ", *h);
      if (i == 0 && n++ < 2) y = *h; /* the second: the first is what training lowers */
    }
  }
  for (int i = 0; i < num_keys; i++) {
    if (!pl_config_swept(cfg, keys[i].key)) continue;
    swept = joined(swept, " ", keys[i].name);
    if (!hue && strcmp(keys[i].name, "seed")) hue = keys[i].name;
  }
  put_text(nc, "headline", headline);
  put_text(nc, "swept", swept);
  if (y) pl_nc_att_text(nc, NULL, "default_y", y);
  if (hue) pl_nc_att_text(nc, NULL, "default_hue", hue);
}

static void define_attributes(pl_nc *nc, const pl_outline *o, const pl_config *cfg,
                              const pl_plan *plan, const char *command) {
  char text[512], host[256] = "", now[32];
  time_t t = time(NULL);
  struct tm utc;
  strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &utc));
  gethostname(host, sizeof host - 1);
  pl_spec spec;
  pl_config_run(cfg, 0, &spec);
  const char *title = spec.common.title;
  pl_nc_att_text(nc, NULL, "title", title && *title ? title : "Plancherel sweep");
  pl_nc_att_text(nc, NULL, "Conventions", "CF-1.10, ACDD-1.3");
  put_text(nc, "summary", summary(o));
  snprintf(text, sizeof text, "plancherel %s, commit %s", pl_version, pl_commit);
  pl_nc_att_text(nc, NULL, "source", text);
  put_text(nc, "history", pl_asprintf("%s %s", now, command));
  put_text(nc, "references", references(o));
  pl_nc_att_text(nc, NULL, "date_created", now);
  pl_nc_att_text(nc, NULL, "host", host);
  pl_nc_att_text(nc, NULL, "openblas_version", pl_blas_version());
  pl_nc_att_text(nc, NULL, "openblas_kernel", pl_blas_core());
  pl_nc_att_doubles(nc, NULL, "plan_rates", (const double *)&plan->rates, PL_NUM_RATES);
  pl_nc_att_doubles(nc, NULL, "plan_memory_per_rank", &plan->memory_per_rank, 1);
  pl_nc_att_ints(nc, NULL, "ranks", PL_NC_INT, (int[]){plan->ranks}, 1);
  pl_nc_att_ints(nc, NULL, "threads_per_rank", PL_NC_INT, (int[]){pl_blas_threads()}, 1);
  pl_nc_att_text(nc, NULL, "sweep", pl_config_text(cfg));
  pl_nc_att_text(nc, NULL, "sweep_set", pl_config_sets(cfg));
  char *folder = pl_config_folder(cfg, false), *set_folder = pl_config_folder(cfg, true);
  put_text(nc, "sweep_folder", folder);
  put_text(nc, "sweep_set_folder", set_folder);
  int64_t shard, shards;
  pl_config_shard(cfg, &shard, &shards);
  if (shards) put_text(nc, "shard", pl_asprintf("%lld/%lld", (long long)shard, (long long)shards));
  pl_inputs_define(nc, cfg);
}

/* ---- all of it ---- */

static pl_status write_runs(pl_nc *nc, const pl_outline *o, const pl_config *cfg) {
  int64_t zeros[4096] = {0}, index[4096];
  for (int64_t r = 0; r < o->num_runs; r += 4096) {
    int64_t n = o->num_runs - r < 4096 ? o->num_runs - r : 4096;
    PL_TRY(pl_nc_put_ints(nc, "status", &r, &n, zeros));
    PL_TRY(pl_nc_put_ints(nc, "steps_done", &r, &n, zeros));
    PL_TRY(pl_nc_put_ints(nc, "ranks", &r, &n, zeros));
    if (!pl_config_selected(cfg)) continue;
    for (int64_t i = 0; i < n; i++) index[i] = pl_config_index(cfg, r + i);
    PL_TRY(pl_nc_put_ints(nc, "run_index", &r, &n, index));
  }
  return PL_OK;
}

static pl_status write_all(pl_nc *nc, const pl_outline *o, const pl_config *cfg, int num_keys,
                           const pl_key_variable *keys) {
  for (int i = 0; i < num_keys; i++) PL_TRY(pl_key_variable_write(nc, cfg, o, &keys[i]));
  for (int i = 0; i < o->num_dimensions; i++) PL_TRY(write_dimension(nc, o, &o->dimensions[i]));
  PL_TRY(write_runs(nc, o, cfg));
  return pl_nc_fsync(nc);
}

/* A failure to define shows at the end of define mode. */
pl_status pl_record_head(pl_nc *nc, const pl_outline *o, const pl_config *cfg, const pl_plan *plan,
                         const char *command) {
  int num_keys;
  pl_key_variable *keys = pl_key_variables(cfg, o, &num_keys);
  pl_nc_def_dim(nc, "run", o->num_runs);
  pl_nc_def_dim(nc, "record", o->num_records);
  for (int i = 0; i < num_keys; i++) pl_key_variable_define(nc, cfg, &keys[i]);
  for (int i = 0; i < o->num_dimensions; i++) define_dimension(nc, &o->dimensions[i]);
  define_runs(nc, o, cfg);
  define_records(nc, o);
  define_attributes(nc, o, cfg, plan, command);
  define_defaults(nc, o, cfg, num_keys, keys);
  pl_status st = pl_nc_end_def(nc);
  if (!st) st = write_all(nc, o, cfg, num_keys, keys);
  pl_free(keys);
  return st;
}
