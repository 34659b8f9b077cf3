#include "base/mem.h"
#include "base/nc.h"
#include "cli/cli.h"
#include "door_files.h"
#include "model/model.h"
#include "run/config.h"
#include "run/keys.h"
#include "run/paths.h"
#include "run/values.h"

#include <string.h>

enum { KEY_OVERWRITE = 256 };

typedef struct apply_options {
  const char *weights, *data, *output;
  bool overwrite;
} apply_options;

static const struct argp_option options[] = {
    {"output", 'o', "OUT.nc", 0, "Output file (required)", 0},
    {"overwrite", KEY_OVERWRITE, 0, 0, "Replace an existing output", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  apply_options *o = state->input;
  switch (key) {
  case 'o':
    o->output = arg;
    return 0;
  case KEY_OVERWRITE:
    o->overwrite = true;
    return 0;
  case ARGP_KEY_ARG:
    if (o->data) argp_error(state, "more than two inputs: %s", arg);
    *(o->weights ? &o->data : &o->weights) = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->data) argp_error(state, "expected two inputs, WEIGHTS.nc and DATA.nc");
    if (!o->output) argp_error(state, "no output given: -o OUT.nc");
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

/* ---- the run that a file of weights tells ---- */

typedef struct settings {
  char **set; /* "key=value" */
  int num;
} settings;

static void add(settings *s, const char *key, const char *value) {
  s->set = pl_realloc(s->set, (size_t)s->num + 1, sizeof *s->set, "keys");
  s->set[s->num++] = pl_asprintf("%s=%s", key, value);
}

static void settings_free(settings *s) {
  for (int i = 0; i < s->num; i++) pl_free(s->set[i]);
  pl_free(s->set);
}

/* A text as YAML reads it back. */
static void add_text(settings *s, const char *key, const char *text) {
  const pl_key row = {.name = key, .type = PL_KEY_TEXT};
  size_t n = (size_t)pl_value_print(&row, &text, NULL, 0) + 1;
  char *yaml = pl_alloc(n, 1, "a value");
  pl_value_print(&row, &text, yaml, n);
  add(s, key, yaml);
  pl_free(yaml);
}

/* Numbers as a sweep file has them; NULL if the attribute is absent or no number. */
static char *numbers(const pl_nc *nc, const pl_key *row) {
  bool list = row->type == PL_KEY_INTS || row->type == PL_KEY_REALS;
  int n = pl_nc_get_att_doubles(nc, NULL, row->name, NULL, 0);
  if (n < 1) return NULL;
  double *v = pl_alloc((size_t)n, sizeof *v, "an attribute");
  pl_nc_get_att_doubles(nc, NULL, row->name, v, n);
  char *text = pl_strdup(list || n > 1 ? "[" : "");
  for (int i = 0; i < n; i++) {
    bool truth = row->type == PL_KEY_BOOL && (v[i] == 0 || v[i] == 1);
    char *longer = truth ? pl_asprintf("%s%s", text, v[i] == 1 ? "true" : "false")
                         : pl_asprintf("%s%s%.17g", text, i ? ", " : "", v[i]);
    pl_free(text);
    text = longer;
  }
  pl_free(v);
  if (*text != '[') return text;
  char *closed = pl_asprintf("%s]", text);
  pl_free(text);
  return closed;
}

/* What the file says of a key: record.final writes texts, other programs numbers as numbers. */
static char *attribute(const pl_nc *nc, const pl_key *row) {
  char *text = pl_nc_get_att_string(nc, NULL, row->name);
  return text ? text : numbers(nc, row);
}

/* Is the key of no use in this file: its companion has another word?  One that is absent has its
 * default. */
static bool idle(const pl_nc *nc, const pl_key *row) {
  char *word = row->with ? pl_nc_get_att_string(nc, NULL, row->with) : NULL;
  bool other = word && strcmp(word, row->with_word) != 0;
  pl_free(word);
  return other;
}

/* A relative path in a file leads from that file's folder. */
static char *led(const pl_nc *nc, const pl_key *row, char *value) {
  if (!value || (!row->path && !row->file)) return value;
  pl_arena arena = {0};
  char *folder = pl_path_folder(pl_nc_path(nc)), *copy;
  copy = pl_strdup(*folder ? pl_path_lead(&arena, row, value, folder) : value);
  pl_arena_free(&arena);
  pl_free(folder);
  pl_free(value);
  return copy;
}

static void add_key(settings *s, const pl_nc *nc, const pl_key *row) {
  char *value = idle(nc, row) ? NULL : attribute(nc, row);
  value = led(nc, row, value);
  /* A text may stand there as it is or, with signs that YAML reads, in quotes. */
  if (value && row->type == PL_KEY_TEXT && *value != '"')
    add_text(s, row->name, value);
  else if (value)
    add(s, row->name, value);
  pl_free(value);
}

/* Does the file of weights tell this key?  Where the samples come from is told anew. */
static bool told(const pl_owned *o, const char *kind) {
  if (o->owner == PL_OWNER_DATA) return o->row->saved && !strcmp(o->name, "file");
  return o->owner == PL_OWNER_MODEL && o->place == PL_IN_NETWORK && !strcmp(o->name, kind) &&
         strncmp(o->row->name, "model.init.", 11) != 0;
}

/* An attribute beneath a section of keys that is none of them: whoever wrote it meant another. */
static pl_status refuse_slips(const pl_nc *nc, const pl_owned *list, int num) {
  pl_status st = PL_OK;
  char *name;
  for (int i = 0; !st && (name = pl_nc_att_name(nc, i)); i++) {
    char *dot = strchr(name, '.');
    if (dot && !pl_keys_find(list, num, name)) {
      *dot = 0;
      bool section = pl_keys_section(list, num, name);
      *dot = '.';
      if (section)
        st = pl_error_in(pl_keys_unknown(list, num, name), "%s: attribute %s: ", pl_nc_path(nc),
                         name);
    }
    pl_free(name);
  }
  return st;
}

/* Keys of the network in the file's attributes. */
static pl_status read_settings(const apply_options *o, const pl_nc *nc, settings *s) {
  pl_arena arena = {0};
  int num;
  const pl_owned *list = pl_keys_list(&arena, &num);
  char *kind = pl_nc_get_att_string(nc, NULL, "model.kind");
  pl_status st = refuse_slips(nc, list, num);
  if (!st && !kind)
    st = pl_error(PL_EINPUT,
                  "%s: expected an attribute model.kind and those of its keys, as record.final "
                  "writes them",
                  o->weights);
  if (kind) add(s, "model.kind", kind);
  for (int i = 0; i < num && !st; i++)
    if (told(&list[i], kind)) add_key(s, nc, list[i].row);
  add(s, "model.init.kind", "file");
  add_text(s, "model.init.path", o->weights);
  add(s, "data.kind", "file");
  add_text(s, "data.path", o->data);
  pl_free(kind);
  pl_arena_free(&arena);
  return st;
}

static pl_status read_run(const apply_options *o, const pl_comm *world, pl_config **cfg) {
  settings s = {0};
  pl_nc *nc = NULL;
  *cfg = NULL;
  pl_status st = world->rank == 0 ? pl_nc_open(o->weights, false, &nc) : PL_OK;
  if (nc && !st) st = read_settings(o, nc, &s);
  pl_nc_close(nc);
  st = pl_agree(world, st);
  if (!st) {
    pl_comm_bcast(world, &s.num, sizeof s.num, 0);
    if (world->rank != 0) s.set = pl_zalloc((size_t)s.num, sizeof *s.set, "keys");
    for (int i = 0; i < s.num; i++) {
      size_t n = s.set[i] ? strlen(s.set[i]) + 1 : 0;
      pl_comm_bcast(world, &n, sizeof n, 0);
      if (world->rank != 0) s.set[i] = pl_alloc(n, 1, "a key");
      pl_comm_bcast(world, s.set[i], n, 0);
    }
    st = pl_agree(world, pl_config_attributes(o->weights, (const char *const *)s.set, s.num, cfg));
  }
  settings_free(&s);
  return st;
}

/* ---- the command ---- */

static pl_status apply(const apply_options *o, pl_config *cfg, const pl_comm *world) {
  const pl_rates rates = pl_rates_nominal();
  const pl_attribute attributes[] = {
      {"title", "Predictions of a saved network"}, {"weights", o->weights}, {"data", o->data}};
  pl_spec spec;
  door_output out;
  pl_config_run(cfg, 0, &spec);
  if (!spec.model->apply)
    return pl_error(PL_EINPUT, "%s: model.kind %s is not applied to files", o->weights,
                    spec.model->name);
  pl_status st = door_output_begin(&out, o->output, o->overwrite, cfg, NULL, world);
  if (!st)
    st = spec.model->apply(&spec, world, &rates, out.temporary, attributes,
                           sizeof attributes / sizeof *attributes);
  return door_output_end(&out, st, world);
}

pl_status pl_cli_apply(int argc, char **argv, const pl_comm *world) {
  static const struct argp argp = {
      .options = options,
      .parser = parse,
      .args_doc = "WEIGHTS.nc DATA.nc -o OUT.nc",
      .doc = "Run a saved network (OUT.nc.final/ of record.final, OUT.nc.best/ of record.best) on "
             "the samples of a file: what it says to each and, where the file has targets, "
             "metrics."};
  apply_options o = {0};
  pl_config *cfg;
  pl_cli_parse(&argp, argc, argv, &o, world);
  PL_TRY(read_run(&o, world, &cfg));
  pl_status st = apply(&o, cfg, world);
  pl_config_free(cfg);
  return st;
}
