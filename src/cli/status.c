#include "cli/cli.h"

#include "base/mem.h"
#include "status_table.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define STATES "pending, running, done, diverged, failed or stopped"

typedef struct options {
  const char *path;
  int state; /* show only runs in this state; -1: all */
  bool json, brief;
} options;

enum { KEY_JSON = 256, KEY_SHORT };

static const struct argp_option known[] = {
    {"state", 's', "STATE", 0, "Only runs in this state: " STATES, 0},
    {"json", KEY_JSON, NULL, 0, "The same as JSON: counts, and an object per run", 0},
    {"short", KEY_SHORT, NULL, 0, "One line: how many runs are in which state", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case 's':
    for (o->state = 0; o->state < PL_NUM_RUN_STATES; o->state++)
      if (!strcmp(arg, pl_run_state_name((pl_run_state)o->state))) return 0;
    argp_error(state, "--state %s: expected %s", arg, STATES);
    return 0;
  case KEY_JSON:
    o->json = true;
    return 0;
  case KEY_SHORT:
    o->brief = true;
    return 0;
  case ARGP_KEY_ARG:
    if (o->path) argp_error(state, "more than one output file: %s and %s", o->path, arg);
    o->path = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->path) argp_error(state, "no output file given");
    if (o->json && o->brief) argp_error(state, "--json and --short exclude each other");
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

/* ---- the table: columns of text, one cell per run ---- */

enum {
  NUMBER = 24,    /* bytes of a cell that holds a number */
  BLOCK = 1 << 20 /* values of a variable over the records read at once */
};

/* The column is valid until the next one is added. */
static column *add(table *t, const char *name, int64_t size, bool text) {
  t->columns = pl_realloc(t->columns, (size_t)t->num_columns + 1, sizeof *t->columns, "columns");
  column *c = &t->columns[t->num_columns++];
  snprintf(c->name, sizeof c->name, "%s", name);
  c->cells = pl_zalloc((size_t)t->runs, (size_t)size, "a column");
  c->size = pl_int(size);
  c->text = text;
  return c;
}

static bool varies(const table *t, const column *c) {
  for (int64_t r = 1; r < t->runs; r++)
    if (strncmp(status_cell(c, r), c->cells, (size_t)c->size)) return true;
  return false;
}

/* ---- reading ---- */

/* What stands where nothing was written; NaN, equal to nothing, where the file does not say. */
static double fill_of(const pl_nc *nc, const char *var) {
  double fill;
  return pl_nc_get_att_doubles(nc, var, "_FillValue", &fill, 1) == 1 ? fill : NAN;
}

/* A variable over the runs, as text; without one, or one of another shape, no column. */
static pl_status add_variable(table *t, const char *var, const char *name, const char *format) {
  pl_nc_type type;
  char dims[2][64];
  int64_t shape[2];
  int n = pl_nc_var(t->nc, var, &type, dims, shape, 2);
  if (n < 1 || strcmp(dims[0], "run") || n != (type == PL_NC_CHAR ? 2 : 1)) return PL_OK;
  if (type == PL_NC_CHAR)
    return pl_nc_get_text(t->nc, var, NULL, NULL, add(t, name, shape[1], true)->cells);
  if (type == PL_NC_OTHER) return PL_OK;
  column *c = add(t, name, NUMBER, false);
  double fill = fill_of(t->nc, var);
  void *values = pl_alloc((size_t)t->runs, sizeof(double), "a variable");
  double *real = values;
  int64_t *whole = values;
  pl_status st = type == PL_NC_DOUBLE ? pl_nc_get_doubles(t->nc, var, NULL, NULL, real)
                                      : pl_nc_get_ints(t->nc, var, NULL, NULL, whole);
  for (int64_t r = 0; !st && r < t->runs; r++) {
    if (type != PL_NC_DOUBLE && (double)whole[r] != fill)
      snprintf(status_cell(c, r), NUMBER, "%lld", (long long)whole[r]);
    if (type == PL_NC_DOUBLE && real[r] != fill)
      snprintf(status_cell(c, r), NUMBER, format, real[r]);
  }
  pl_free(values);
  return st;
}

/* "done/all". */
static pl_status add_steps(table *t) {
  int first = t->num_columns;
  PL_TRY(add_variable(t, "steps_done", "steps", "%.0f"));
  PL_TRY(add_variable(t, "steps", "steps", "%.0f"));
  if (t->num_columns < first + 2) return PL_OK;
  const column done = t->columns[first], all = t->columns[first + 1];
  column *both = add(t, "steps", 2 * NUMBER, false);
  for (int64_t r = 0; r < t->runs; r++)
    snprintf(status_cell(both, r), 2 * NUMBER, "%s/%s", status_cell(&done, r),
             status_cell(&all, r));
  t->columns[first] = *both;
  t->num_columns = first + 1;
  pl_free(done.cells);
  pl_free(all.cells);
  return PL_OK;
}

/* The column of a key, unless all runs have the same value; `steps` has its column. */
static pl_status add_key(table *t, const char *name) {
  int before = t->num_columns;
  if (!strcmp(name, "steps")) return PL_OK;
  PL_TRY(add_variable(t, name, name, "%.15g"));
  if (t->num_columns > before && !varies(t, &t->columns[before]))
    pl_free(t->columns[--t->num_columns].cells);
  return PL_OK;
}

/* Older files do not list what is swept: by the sweep that made them. */
static pl_status add_keys_of_sweep(table *t) {
  pl_config *cfg;
  if (pl_recorder_config(pl_nc_path(t->nc), &cfg)) return PL_OK;
  pl_status st = PL_OK;
  for (int k = 0; k < pl_config_num_keys(cfg) && !st; k++) {
    char name[96];
    if (!pl_config_swept(cfg, k)) continue;
    snprintf(name, sizeof name, "%s", pl_config_key(cfg, k)->name);
    for (char *c = name; *c; c++)
      if (*c == '.') *c = '_';
    /* The key `loss` gave way to the variable of that name. */
    int before = t->num_columns;
    st = add_key(t, name);
    if (!st && t->num_columns == before) {
      strncat(name, "_kind", sizeof name - strlen(name) - 1);
      st = add_key(t, name);
    }
  }
  pl_config_free(cfg);
  return st;
}

static pl_status add_keys(table *t) {
  char *names = pl_nc_get_att_string(t->nc, NULL, "swept"), *rest = NULL;
  if (!names) return add_keys_of_sweep(t);
  pl_status st = PL_OK;
  for (char *name = strtok_r(names, " ", &rest); name && !st; name = strtok_r(NULL, " ", &rest))
    st = add_key(t, name);
  pl_free(names);
  return st;
}

/* Call take for each run with its row of var(run, record), read a block of runs at a time. */
static pl_status each_row(const table *t, const char *var,
                          void (*take)(void *context, int64_t run, const double *row),
                          void *context) {
  int64_t row = t->records > 0 ? t->records : 1, block = row < BLOCK ? BLOCK / row : 1;
  if (block > t->runs) block = t->runs;
  double *rows = pl_alloc((size_t)(block * row), sizeof *rows, "records");
  pl_status st = PL_OK;
  for (int64_t r = 0; !st && r < t->runs; r += block) {
    int64_t n = t->runs - r < block ? t->runs - r : block;
    st = pl_nc_get_doubles(t->nc, var, (int64_t[]){r, 0}, (int64_t[]){n, t->records}, rows);
    for (int64_t i = 0; !st && i < n; i++) take(context, r + i, rows + i * t->records);
  }
  pl_free(rows);
  return st;
}

typedef struct record_reader {
  int64_t records, *last; /* [runs]: last record of the run, -1: none yet */
  double fill;
  const column *column;
} record_reader;

static void take_last(void *context, int64_t run, const double *step) {
  record_reader *r = context;
  int64_t k = r->records - 1;
  while (k >= 0 && (step[k] == r->fill || step[k] < 0)) k--;
  r->last[run] = k;
}

static void take_value(void *context, int64_t run, const double *row) {
  record_reader *r = context;
  if (r->last[run] >= 0 && row[r->last[run]] != r->fill)
    snprintf(status_cell(r->column, run), NUMBER, "%.6g", row[r->last[run]]);
}

/* The last value of var(run, record); r->last is known. */
static pl_status add_last(table *t, record_reader *r, const char *var) {
  if (pl_nc_var(t->nc, var, NULL, NULL, NULL, 0) < 0) return PL_OK;
  PL_TRY(pl_nc_expect(t->nc, var, false, 2, (int64_t[]){t->runs, t->records}));
  r->fill = fill_of(t->nc, var);
  r->column = add(t, var, NUMBER, false);
  return each_row(t, var, take_value, r);
}

/* The measures that the networks of the sweep count as telling most. */
static pl_status add_records(table *t) {
  record_reader r = {.records = t->records, .fill = fill_of(t->nc, "step")};
  r.last = pl_alloc((size_t)t->runs, sizeof *r.last, "last records");
  char *names = pl_nc_get_att_string(t->nc, NULL, "headline"), *rest = NULL;
  /* Older files do not say. */
  if (!names) names = pl_strdup("loss schatten_thresholded normalized_margin");
  /* step first: it is the last to be written, so what it counts is whole. */
  pl_status st = each_row(t, "step", take_last, &r);
  for (char *name = strtok_r(names, " ", &rest); name && !st; name = strtok_r(NULL, " ", &rest))
    st = add_last(t, &r, name);
  pl_free(names);
  pl_free(r.last);
  return st;
}

static pl_status add_states(table *t) {
  t->state = pl_alloc((size_t)t->runs, sizeof *t->state, "states");
  PL_TRY(pl_nc_get_ints(t->nc, "status", NULL, NULL, t->state));
  column *run = add(t, "run", NUMBER, false);
  for (int64_t r = 0; r < t->runs; r++) snprintf(status_cell(run, r), NUMBER, "%lld", (long long)r);
  column *state = add(t, "state", NUMBER, true);
  for (int64_t r = 0; r < t->runs; r++) {
    if (t->state[r] < 0 || t->state[r] > PL_NUM_RUN_STATES) t->state[r] = PL_NUM_RUN_STATES;
    snprintf(status_cell(state, r), NUMBER, "%s", status_state_name(t, t->state[r]));
  }
  return PL_OK;
}

/* "yes", "no", or nothing where the run does not say; no column where none does. */
static pl_status add_flag(table *t, const char *name) {
  if (pl_nc_var(t->nc, name, NULL, NULL, NULL, 0) != 1) return PL_OK;
  int64_t *flag = pl_alloc((size_t)t->runs, sizeof *flag, "a flag");
  pl_status st = pl_nc_get_ints(t->nc, name, NULL, NULL, flag);
  bool any = false;
  for (int64_t r = 0; !st && r < t->runs; r++) any = any || flag[r] == 0 || flag[r] == 1;
  column *c = any ? add(t, name, NUMBER, true) : NULL;
  for (int64_t r = 0; any && r < t->runs; r++)
    if (flag[r] == 0 || flag[r] == 1) strcpy(status_cell(c, r), flag[r] ? "yes" : "no");
  pl_free(flag);
  return st;
}

static pl_status expect_output(table *t) {
  int64_t shape[] = {-1, -1};
  pl_status st = pl_nc_expect(t->nc, "status", false, 1, shape);
  if (!st) st = pl_nc_expect(t->nc, "step", false, 2, shape);
  if (st) return pl_error_in(st, "not an output of plancherel run: ");
  t->runs = shape[0];
  t->records = shape[1];
  if (!t->records)
    return pl_error(PL_EINPUT, "not an output of plancherel run: %s: no records",
                    pl_nc_path(t->nc));
  return PL_OK;
}

static pl_status read_table(table *t) {
  PL_TRY(expect_output(t));
  PL_TRY(add_states(t));
  PL_TRY(add_steps(t));
  PL_TRY(add_keys(t));
  PL_TRY(add_records(t));
  PL_TRY(add_flag(t, "separated"));
  PL_TRY(add_flag(t, "converged"));
  return add_variable(t, "wall_time", "wall_time/s", "%.2f");
}

const char *status_state_name(const table *t, int64_t state) {
  if (state == PL_RUN_RUNNING && !t->written) return "interrupted";
  return state < PL_NUM_RUN_STATES ? pl_run_state_name((pl_run_state)state) : "unknown";
}

const int status_told[PL_NUM_RUN_STATES + 1] = {PL_RUN_DONE,      PL_RUN_RUNNING,  PL_RUN_PENDING,
                                                PL_RUN_STOPPED,   PL_RUN_DIVERGED, PL_RUN_FAILED,
                                                PL_NUM_RUN_STATES};

counts status_count(const table *t) {
  counts c = {{0}};
  for (int64_t r = 0; r < t->runs; r++) c.of[t->state[r]]++;
  return c;
}

/* ---- printing ---- */

/* Who writes it, or that nobody does although runs are under way. */
static void print_life(const table *t, const pl_lock_holder *holder, int64_t under_way) {
  char who[600];
  if (t->written)
    printf("in use: %s\n", pl_lock_describe(holder, who, sizeof who));
  else if (under_way > 0)
    printf("nobody trains it: %lld run%s under way when its process ended; run --resume goes on\n",
           (long long)under_way, under_way == 1 ? " was" : "s were");
}

static void print_counts(const table *t) {
  counts c = status_count(t);
  const char *separator = "";
  for (int i = 0; i <= PL_NUM_RUN_STATES; i++) {
    if (!c.of[status_told[i]]) continue;
    printf("%s%lld %s", separator, (long long)c.of[status_told[i]],
           status_state_name(t, status_told[i]));
    separator = ", ";
  }
}

static void print_head(const table *t, const pl_lock_holder *holder) {
  char *title = pl_nc_get_att_string(t->nc, NULL, "title");
  if (title) printf("%s\n", title);
  pl_free(title);
  print_counts(t);
  printf("\n");
  print_life(t, holder, status_count(t).of[PL_RUN_RUNNING]);
}

static void print_short(const table *t) {
  printf("%lld run%s: ", (long long)t->runs, t->runs == 1 ? "" : "s");
  print_counts(t);
  printf("%s\n", t->written ? "; in use" : "");
}

static int length(const column *c, int64_t run) {
  int n = (int)strnlen(status_cell(c, run), (size_t)c->size);
  return n ? n : 1;
}

static void print_cell(const char *text, int n, int width, bool left, bool last) {
  if (left)
    printf("%.*s%*s", n, text, last ? 0 : width - n, "");
  else
    printf("%*s%.*s", width - n, "", n, text);
  fputs(last ? "\n" : "  ", stdout);
}

static void print_table(const table *t, int state) {
  bool *shown = pl_alloc((size_t)t->runs, sizeof *shown, "runs to show");
  int *width = pl_alloc((size_t)t->num_columns, sizeof *width, "widths");
  for (int64_t r = 0; r < t->runs; r++) shown[r] = state < 0 || t->state[r] == state;
  if (memchr(shown, true, (size_t)t->runs)) {
    for (int i = 0; i < t->num_columns; i++) {
      const column *c = &t->columns[i];
      width[i] = (int)strlen(c->name);
      for (int64_t r = 0; r < t->runs; r++)
        if (shown[r] && length(c, r) > width[i]) width[i] = length(c, r);
      print_cell(c->name, (int)strlen(c->name), width[i], c->text, i == t->num_columns - 1);
    }
    for (int64_t r = 0; r < t->runs && !ferror(stdout); r++)
      for (int i = 0; shown[r] && i < t->num_columns; i++) {
        const column *c = &t->columns[i];
        const char *text = *status_cell(c, r) ? status_cell(c, r) : "-";
        print_cell(text, length(c, r), width[i], c->text, i == t->num_columns - 1);
      }
  }
  pl_free(width);
  pl_free(shown);
}

static pl_status show(const options *o) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(o->path, false, &nc));
  pl_lock_holder holder;
  table t = {.nc = nc, .written = pl_lock_query(o->path, &holder) == PL_LOCK_HELD};
  pl_status st = read_table(&t);
  if (!st) {
    if (o->json) {
      status_print_json(&t, &holder, o->state);
    } else if (o->brief) {
      print_short(&t);
    } else {
      print_head(&t, &holder);
      print_table(&t, o->state);
    }
  }
  for (int i = 0; i < t.num_columns; i++) pl_free(t.columns[i].cells);
  pl_free(t.columns);
  pl_free(t.state);
  pl_nc_close(nc);
  return st;
}

pl_status pl_cli_status(int argc, char **argv, const pl_comm *world) {
  static const struct argp argp = {
      known,
      parse,
      "OUT.nc",
      "Show the runs of an output file, also while the sweep runs, and who writes it: state "
      "(interrupted: running when its process ended), steps, the keys that are "
      "swept, last recorded values and wall time.",
      NULL,
      NULL,
      NULL};
  options o = {.state = -1};
  pl_cli_parse(&argp, argc, argv, &o, world);
  return pl_agree(world, world->rank == 0 ? show(&o) : PL_OK);
}
