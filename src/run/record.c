#include "run/record.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "record_buffer.h"
#include "record_head.h"
#include "record_window.h"
#include "run/inputs.h"
#include "run/lines.h"
#include "run/shard.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Held back at most, whatever the time. */
static const size_t MOST_BYTES = 16 << 20;

struct pl_recorder {
  pl_nc *nc;
  pl_outline *outline;
  pl_record_buffer *buffer; /* NULL: not yet open for writing */
  pl_record_window *window; /* what is read */
  double patience;          /* seconds that what is gathered may wait */
};

/* ---- life ---- */

static pl_status write_new(pl_recorder *rec, const char *path, const pl_config *cfg,
                           const pl_plan *plan, const char *command) {
  unlink(path); /* what a killed process left: nothing is written through a link */
  PL_TRY(pl_nc_create(path, false, false, &rec->nc));
  pl_status st = pl_record_head(rec->nc, rec->outline, cfg, plan, command);
  pl_status closed = pl_nc_close(rec->nc);
  rec->nc = NULL;
  if (!st) st = closed;
  if (st) unlink(path);
  return st;
}

static void ready(pl_recorder *rec, bool writable) {
  if (writable) rec->buffer = pl_record_buffer_new(rec->nc, rec->outline);
  rec->window = pl_record_window_new(rec->nc, rec->outline);
}

/* May path be replaced?  *target: where a symbolic link leads. */
static pl_status may_replace(const char *path, bool overwrite, char **target) {
  struct stat s;
  if (stat(path, &s)) {
    *target = pl_file_target(path);
    return PL_OK;
  }
  if (!overwrite)
    return pl_error(PL_EINPUT,
                    "%s: exists already; use --resume to go on with it, --overwrite to replace it",
                    path);
  PL_TRY(pl_file_replaceable(path));
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
  pl_recorder *rec = pl_zalloc(1, sizeof *rec, "recorder");
  pl_status st = pl_outline_new(cfg, &rec->outline);
  if (!st) st = write_new(rec, temporary, cfg, plan, command);
  if (!st) st = pl_file_replace(temporary, target, NULL);
  if (!st) st = pl_nc_open(target, true, &rec->nc);
  if (!st) ready(rec, true);
  pl_free(temporary);
  pl_free(target);
  if (st)
    pl_recorder_close(rec);
  else
    *out = rec;
  return st;
}

static const pl_schema *schema_of(const pl_recorder *rec, int64_t run) {
  return &pl_outline_of(rec->outline, run)->schema;
}

/* ---- writing ---- */

void pl_recorder_gather(pl_recorder *rec, double seconds) {
  rec->patience = seconds;
}

double pl_recorder_oldest(const pl_recorder *rec) {
  return pl_record_buffer_oldest(rec->buffer);
}

pl_status pl_recorder_flush(const pl_recorder *rec) {
  if (!rec->buffer || isinf(pl_recorder_oldest(rec))) return PL_OK;
  pl_record_window_forget(rec->window, INT64_MAX);
  PL_TRY(pl_record_buffer_flush(rec->buffer));
  return pl_nc_sync(rec->nc);
}

/* What waits goes out when its time has come. */
static pl_status flush_if_due(pl_recorder *rec) {
  bool due = rec->patience <= 0 || pl_clock() - pl_recorder_oldest(rec) >= rec->patience;
  return due || pl_record_buffer_bytes(rec->buffer) > MOST_BYTES ? pl_recorder_flush(rec) : PL_OK;
}

pl_status pl_recorder_start(pl_recorder *rec, int64_t run, int ranks) {
  pl_record_buffer_start(rec->buffer, run, ranks);
  return flush_if_due(rec);
}

pl_status pl_recorder_record(pl_recorder *rec, int64_t run, int64_t index, const double *values,
                             int64_t n) {
  pl_require(n == PL_RECORD_HEAD + schema_of(rec, run)->size && index < rec->outline->num_records);
  pl_record_buffer_take(rec->buffer, run, index, values, n);
  return flush_if_due(rec);
}

pl_status pl_recorder_end(pl_recorder *rec, int64_t run, const pl_outcome *outcome) {
  pl_record_buffer_end(rec->buffer, run, outcome);
  return flush_if_due(rec);
}

/* ---- reading ---- */

pl_status pl_recorder_read(const pl_recorder *rec, int64_t run, int64_t index, double *values) {
  PL_TRY(pl_recorder_flush(rec));
  return pl_record_window_read(rec->window, run, index, values);
}

pl_status pl_recorder_run(const pl_recorder *rec, int64_t run, pl_outcome *out) {
  PL_TRY(pl_recorder_flush(rec));
  return pl_record_window_run(rec->window, run, out);
}

pl_status pl_recorder_ranks(const pl_recorder *rec, int64_t run, int *out) {
  PL_TRY(pl_recorder_flush(rec));
  return pl_record_window_ranks(rec->window, run, out);
}

pl_status pl_recorder_copy(const pl_recorder *from, int64_t r, const pl_outcome *out,
                           pl_recorder *rec, int64_t to, double *values) {
  int ranks;
  PL_TRY(pl_recorder_ranks(from, r, &ranks));
  PL_TRY(pl_recorder_start(rec, to, ranks));
  for (int64_t i = 0; i < out->records; i++) {
    PL_TRY(pl_recorder_read(from, r, i, values));
    PL_TRY(pl_recorder_record(rec, to, i, values, pl_recorder_size(from, r)));
  }
  return pl_recorder_end(rec, to, out);
}

int64_t pl_recorder_steps(const pl_recorder *rec, int64_t run) {
  return *pl_outline_steps(rec->outline, run);
}

int64_t pl_recorder_size(const pl_recorder *rec, int64_t run) {
  return PL_RECORD_HEAD + schema_of(rec, run)->size;
}

static pl_status clear_best(pl_recorder *rec, int64_t run) {
  const pl_records *k = pl_outline_of(rec->outline, run);
  int64_t one = 1, none = -1;
  if (!k->best) return PL_OK;
  PL_TRY(pl_nc_put_ints(rec->nc, "best_step", &run, &one, &none));
  PL_TRY(pl_nc_put_missing(rec->nc, "validation_best", &run, &one));
  return k->test ? pl_nc_put_missing(rec->nc, "test_at_best", &run, &one) : PL_OK;
}

/* Files of older versions have none. */
static pl_status clear_flag(pl_recorder *rec, const char *name, int64_t run) {
  int64_t one = 1, unsaid = PL_UNSAID;
  if (pl_nc_var(rec->nc, name, NULL, NULL, NULL, 0) < 0) return PL_OK;
  return pl_nc_put_ints(rec->nc, name, &run, &one, &unsaid);
}

pl_status pl_recorder_clear(pl_recorder *rec, int64_t run) {
  const pl_schema *s = schema_of(rec, run);
  int64_t none = -1, zero = 0, at[] = {run, 0, 0}, count[] = {1, 1, 1};
  PL_TRY(pl_recorder_flush(rec));
  pl_record_window_forget(rec->window, run);
  PL_TRY(pl_nc_put_ints(rec->nc, "status", at, count, &zero));
  PL_TRY(pl_nc_put_ints(rec->nc, "steps_done", at, count, &zero));
  PL_TRY(clear_best(rec, run));
  PL_TRY(clear_flag(rec, "separated", run));
  PL_TRY(clear_flag(rec, "converged", run));
  for (at[1] = 0; at[1] < rec->outline->num_records; at[1]++) {
    PL_TRY(pl_nc_put_ints(rec->nc, "step", at, count, &none));
    PL_TRY(pl_nc_put_missing(rec->nc, "lr", at, count));
    for (int i = 0; i < s->num_measures; i++) {
      pl_record_place(rec->outline, s, i, at, count);
      PL_TRY(pl_nc_put_missing(rec->nc, s->measures[i]->name, at, count));
    }
  }
  return PL_OK;
}

pl_status pl_recorder_fsync(pl_recorder *rec) {
  PL_TRY(pl_recorder_flush(rec));
  return pl_nc_fsync(rec->nc);
}

int64_t pl_recorder_longest(const pl_recorder *rec) {
  int64_t most = 0;
  for (int k = 0; k < rec->outline->num_kinds; k++)
    if (rec->outline->kinds[k]->schema.size > most) most = rec->outline->kinds[k]->schema.size;
  return PL_RECORD_HEAD + most;
}

void pl_recorder_drop(pl_recorder *rec) {
  if (rec && rec->buffer) pl_record_buffer_drop(rec->buffer);
}

pl_status pl_recorder_close(pl_recorder *rec) {
  if (!rec) return PL_OK;
  pl_status st = pl_recorder_flush(rec);
  pl_record_buffer_free(rec->buffer);
  pl_record_window_free(rec->window);
  pl_status closed = pl_nc_close(rec->nc);
  if (!st) st = closed;
  pl_outline_free(rec->outline);
  pl_free(rec);
  return st;
}

/* ---- an existing file ---- */

static pl_status no_output(const char *path) {
  return pl_error(PL_EINPUT, "%s: not an output file of plancherel run", path);
}

/* Older files do not tell. */
static void take_shard(const pl_nc *nc, pl_config *cfg) {
  char text[64];
  int64_t shard, shards;
  if (pl_nc_get_att_text(nc, NULL, "shard", text, sizeof text) &&
      pl_shard_parse(text, &shard, &shards))
    pl_config_set_shard(cfg, shard, shards);
}

/* The sweep whose text and --set values, one per line, stand in the attributes. */
static pl_status stored_config(const pl_nc *nc, pl_config **out) {
  enum { MAX_SETS = 256 };
  const char *path = pl_nc_path(nc), *sets[MAX_SETS];
  char *text = pl_nc_get_att_string(nc, NULL, "sweep");
  char *lines = pl_nc_get_att_string(nc, NULL, "sweep_set"), *at = lines;
  char *folder = pl_nc_get_att_string(nc, NULL, "sweep_folder");
  char *set_folder = pl_nc_get_att_string(nc, NULL, "sweep_set_folder");
  pl_folders folders = {folder ? folder : "", set_folder ? set_folder : ""};
  int n = 0;
  for (char *line; lines && n < MAX_SETS && (line = pl_lines_next(&at));) sets[n++] = line;
  pl_status st =
      text ? pl_config_parse_at(text, strlen(text), path, &folders, sets, n, out) : no_output(path);
  pl_free(text);
  pl_free(lines);
  pl_free(folder);
  pl_free(set_folder);
  if (st || pl_nc_var(nc, "run_index", NULL, NULL, NULL, 0) < 0) return st;

  int64_t runs = pl_nc_dim(nc, "run"), whole = pl_config_num_runs(*out);
  int64_t *index = pl_alloc((size_t)(runs > 0 ? runs : 0), sizeof *index, "runs of a shard");
  st = pl_nc_expect(nc, "run_index", false, 1, &runs);
  if (!st) st = pl_nc_get_ints(nc, "run_index", NULL, NULL, index);
  for (int64_t r = 0; r < runs && !st; r++)
    if (index[r] < 0 || index[r] >= whole) st = no_output(path);
  if (!st) {
    pl_config_select(*out, runs, index);
    take_shard(nc, *out);
  } else {
    pl_config_free(*out);
  }
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
  if (st) return pl_error_in(st, "%s: made by another sweep: ", pl_nc_path(nc));
  st = pl_inputs_same(nc, cfg);
  return st ? pl_error_in(st, "%s: made from other files: ", pl_nc_path(nc)) : PL_OK;
}

static pl_status expect_variables(const pl_recorder *rec) {
  const pl_outline *o = rec->outline;
  int64_t shape[] = {o->num_runs, o->num_records, -1};
  PL_TRY(pl_nc_expect(rec->nc, "status", false, 1, shape));
  PL_TRY(pl_nc_expect(rec->nc, "step", false, 2, shape));
  if (pl_outline_best(o, false)) {
    PL_TRY(pl_nc_expect(rec->nc, "best_step", false, 1, shape));
    PL_TRY(pl_nc_expect(rec->nc, "validation_best", false, 1, shape));
  }
  if (pl_outline_best(o, true)) PL_TRY(pl_nc_expect(rec->nc, "test_at_best", false, 1, shape));
  for (int i = 0; i < o->num_variables; i++) {
    const pl_measure *m = o->variables[i].measure;
    shape[2] = m->axis ? pl_outline_dimension(o, m->axis)->length : -1;
    PL_TRY(pl_nc_expect(rec->nc, m->name, false, m->axis ? 3 : 2, shape));
  }
  return PL_OK;
}

pl_status pl_recorder_open(const char *path, bool writable, const pl_config *cfg,
                           pl_recorder **out) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(path, writable, &nc));
  pl_recorder *rec = pl_zalloc(1, sizeof *rec, "recorder");
  rec->nc = nc;
  pl_status st = same_runs(nc, cfg);
  if (!st && writable && pl_nc_is_netcdf4(nc))
    st = pl_error(PL_EINPUT, "%s: packed, in netCDF-4: a sweep goes on in the file it is made from",
                  path);
  if (!st) st = pl_outline_new(cfg, &rec->outline);
  if (!st) st = expect_variables(rec);
  if (!st) ready(rec, writable);
  if (st)
    pl_recorder_close(rec);
  else
    *out = rec;
  return st;
}

bool pl_recorder_planned(const char *path, int ranks, pl_rates *rates, double *memory_per_rank) {
  pl_nc *nc;
  double n, memory, stored[PL_NUM_RATES];
  if (access(path, F_OK) || pl_nc_open(path, false, &nc)) return false;
  bool found = pl_nc_get_att_doubles(nc, NULL, "ranks", &n, 1) == 1 && n == ranks &&
               pl_nc_get_att_doubles(nc, NULL, "plan_memory_per_rank", &memory, 1) == 1 &&
               pl_nc_get_att_doubles(nc, NULL, "plan_rates", stored, PL_NUM_RATES) == PL_NUM_RATES;
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
