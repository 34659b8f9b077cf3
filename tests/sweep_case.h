/* A random sweep drawn from the tables of the zoo: a network, a kind of data and an optimiser, the
 * values of the network's example, some of them replaced by values inside, at and beyond what their
 * rows accept, some swept, some given by --set.  What the tables gain later is drawn as well.  A
 * case depends on its seed, and on the tables, alone. */
#ifndef SWEEP_CASE_H
#define SWEEP_CASE_H

#include "base/mem.h"
#include "base/rng.h"
#include "model/model.h"
#include "model/optim.h"
#include "run/config.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KEYS = 160, MOST_VALUE = 600 };

typedef struct given {
  const pl_key *row;
  char value[MOST_VALUE]; /* in YAML; "": not given */
  bool set, swept;
} given;

typedef struct sweep_case {
  uint64_t seed, drawn;
  const pl_model_kind *model;
  const pl_data_kind *data;
  bool wild;      /* some values are beyond what their rows accept */
  int num, files; /* files: drawn so far */
  given v[MOST_KEYS];
} sweep_case;

/* A file for the key in the case's folder, named in out (n bytes). */
static void draw_file(sweep_case *c, const pl_key *row, char *out, size_t n);

static inline int below(sweep_case *c, int n) {
  return (int)pl_rng_below(c->seed, PL_STREAM(PL_STREAM_MISC, 0), c->drawn++, n);
}
static inline bool chance(sweep_case *c, int percent) {
  return below(c, 100) < percent;
}
#define ONE_OF(c, words) (words)[below(c, (int)(sizeof(words) / sizeof *(words)))]

/* ---- one value ---- */

static void draw_integer(sweep_case *c, const pl_key *row, char *out, size_t n) {
  static const char *const odd[] = {"-1",
                                    "0",
                                    "2147483648",
                                    "9223372036854775807",
                                    "1e3",
                                    "3.5",
                                    "9223372036854775808",
                                    "0x10",
                                    "three",
                                    "~",
                                    "''",
                                    "1_000",
                                    "1..3",
                                    "{a: 1}",
                                    "[]",
                                    "-9223372036854775808"};
  static const double powers[] = {10, 100, 1000};
  double v;
  switch (below(c, 20) % (c->wild ? 20 : 17)) {
  case 0:
    v = row->min;
    break;
  case 1:
    v = row->max;
    break;
  case 17:
    v = row->min - 1;
    break;
  case 18:
    v = row->max + 1;
    break;
  case 19:
    snprintf(out, n, "%s", ONE_OF(c, odd));
    return;
  case 2:
    if (row->word) {
      snprintf(out, n, "%s", row->word);
      return;
    }
    v = row->min;
    break;
  case 3:
    v = fmin(row->max, row->min + below(c, (int)ONE_OF(c, powers)));
    break;
  default:
    v = fmin(row->max, row->min + below(c, 5));
  }
  snprintf(out, n, "%.0f", v);
}

static void draw_real(sweep_case *c, const pl_key *row, char *out, size_t n) {
  static const char *const odd[] = {".nan", ".inf",  "-.inf", "1e308",  "1e-308", "-1",  "0",
                                    "1e20", "1e-20", "1e400", "5e-324", "-1e-9",  "one", "~"};
  double v;
  switch (below(c, 16) % (c->wild ? 16 : 13)) {
  case 0:
    v = row->min;
    break;
  case 1:
    v = fmin(row->max, 1e300);
    break;
  case 2:
    if (row->word) {
      snprintf(out, n, "%s", row->word);
      return;
    }
    v = row->min;
    break;
  case 13:
    v = nextafter(row->min, -INFINITY);
    break;
  case 14:
    v = nextafter(row->max, INFINITY);
    break;
  case 15:
    snprintf(out, n, "%s", ONE_OF(c, odd));
    return;
  default:
    v = fmax(row->min, fmin(row->max, pow(10, (below(c, 31) - 20) / 10.0)));
  }
  if (isinf(v))
    snprintf(out, n, "%s.inf", v < 0 ? "-" : "");
  else
    snprintf(out, n, "%.17g", v);
}

static void draw_word(sweep_case *c, const pl_key *row, char *out, size_t n) {
  static const char *const odd[] = {"neither", "", "''", "[a, b]", "TRUE", "~"};
  int words = 0;
  while (row->choice(words)) words++;
  snprintf(out, n, "%s", c->wild && chance(c, 10) ? ONE_OF(c, odd) : row->choice(below(c, words)));
}

static void quote(const char *text, char *out, size_t n) {
  size_t k = 0;
  if (n > k + 1) out[k++] = '\'';
  for (; *text && k + 3 < n; text++) {
    if (*text == '\'') out[k++] = '\'';
    out[k++] = *text;
  }
  if (k + 1 < n) out[k++] = '\'';
  out[k] = 0;
}

/* Some word of a row's help, which tells what the key understands. */
static void help_word(sweep_case *c, const pl_key *row, char *out, size_t n) {
  const char *at = row->help + below(c, (int)strlen(row->help));
  while (at > row->help && !strchr(" ,()", at[-1])) at--;
  snprintf(out, n, "%.*s", (int)strcspn(at, " ,()"), at);
}

static void draw_text(sweep_case *c, const pl_key *row, char *out, size_t n) {
  static const char *const groups[] = {
      "C_1",           "C_2",  "C_5",  "S_2",       "S_3",     "S_4",       "A_4",
      "D_4",           "Q_8",  "S_5",  "C_2 x C_3", "p4_3",    "C_3 : C_2", "C_2 x C_2",
      "S_1",           "A_3",  "D_1",  "SO_3",      "C_0",     "S_99",      "S_3 x",
      "(1 2),(1 2 3)", "M_11", "S_12", "O_h",       "C_7:C_3", "p4m_2",     "D_3 x C_2"};
  static const char *const words[] = {
      "2,1",  "3",     "1,1,1",        "3,1",  "2,2",  "2,1,1",     "4",       "1",
      "A",    "chi_1", "[2,1]",        "1+",   "0",    "element:3", "cycle:2", "5..8",
      "3..3", "8..5",  "1 2",          "loss", "step", "irrep:2,1", "\t",      "x y",
      "é",    "%s%n",  "gradient_norm"};
  char word[200] = "";
  if (row->file) {
    /* Small groups that are right stand first. */
    snprintf(word, sizeof word, "%s",
             groups[below(c, chance(c, 80) ? 11 : (int)(sizeof groups / sizeof *groups))]);
  } else if (row->path) {
    draw_file(c, row, word, sizeof word);
  } else {
    switch (below(c, 6)) {
    case 0:
      snprintf(word, sizeof word, "%s", row->fallback ? row->fallback : "");
      break;
    case 1:
    case 2:
      help_word(c, row, word, sizeof word);
      break;
    case 3: {
      const pl_measures *m = c->model->measures[0];
      if (m && m->num) snprintf(word, sizeof word, "%s", m->row[below(c, m->num)].name);
      break;
    }
    default:
      snprintf(word, sizeof word, "%s", ONE_OF(c, words));
    }
  }
  quote(word, out, n);
}

static void draw_entry(sweep_case *c, const pl_key *row, char *out, size_t n) {
  switch (row->type) {
  case PL_KEY_INT:
  case PL_KEY_INTS:
    draw_integer(c, row, out, n);
    break;
  case PL_KEY_REAL:
  case PL_KEY_REALS:
    draw_real(c, row, out, n);
    break;
  case PL_KEY_BOOL:
    snprintf(out, n, "%s", c->wild && chance(c, 10) ? "maybe" : chance(c, 50) ? "true" : "false");
    break;
  case PL_KEY_CHOICE:
    draw_word(c, row, out, n);
    break;
  case PL_KEY_TEXT:
  case PL_KEY_TEXTS:
    draw_text(c, row, out, n);
    break;
  }
}

static void draw_value(sweep_case *c, const pl_key *row, char *out, size_t n) {
  if (row->type != PL_KEY_INTS && row->type != PL_KEY_REALS && row->type != PL_KEY_TEXTS) {
    draw_entry(c, row, out, n);
    return;
  }
  char entry[240];
  int64_t last = (int64_t)row->min - 1;
  size_t at = (size_t)snprintf(out, n, "[");
  for (int k = 0, entries = below(c, 4); k < entries && at + sizeof entry + 4 < n; k++) {
    last += 1 + below(c, 4);
    if (row->ascending && !c->wild)
      snprintf(entry, sizeof entry, "%lld", (long long)last);
    else
      draw_entry(c, row, entry, sizeof entry);
    at += (size_t)snprintf(out + at, n - at, "%s%s", k ? ", " : "", entry);
  }
  snprintf(out + at, n - at, "]");
}

/* ---- the sweep ---- */

static given *find(sweep_case *c, const char *name) {
  for (int i = 0; i < c->num; i++)
    if (!strcmp(c->v[i].row->name, name)) return &c->v[i];
  return NULL;
}

/* The rows of a table, with the values that the network's example has. */
static void add_table(sweep_case *c, const pl_keys *table, const pl_config *example) {
  for (int k = 0; k < table->num && c->num < MOST_KEYS; k++) {
    const pl_key *row = &table->row[k];
    if (find(c, row->name)) continue;
    given *g = &c->v[c->num++];
    *g = (given){.row = row};
    int there = pl_config_find(example, row->name);
    if (there >= 0) pl_config_value(example, 0, there, g->value, sizeof g->value);
    if (row->fallback && (!strcmp(g->value, row->fallback) || !strcmp(g->value, "\"\"")))
      *g->value = 0;
  }
}

static void add_tables(sweep_case *c, const pl_keys *const *tables, const pl_config *example) {
  for (; tables && *tables; tables++) add_table(c, *tables, example);
}

/* Keys that the run does not read, since another key says so, are refused. */
static bool is_read(sweep_case *c, const pl_key *row) {
  if (!row->with) return true;
  given *with = find(c, row->with);
  const char *word = with && *with->value ? with->value : with ? with->row->fallback : NULL;
  return word && !strcmp(word, row->with_word);
}

static void draw_values(sweep_case *c) {
  int wanted = below(c, 6);
  for (int i = 0; i < c->num; i++) {
    given *g = &c->v[i];
    if (!strcmp(g->row->name, "model.kind") || !strcmp(g->row->name, "data.kind") ||
        !strcmp(g->row->name, "optimizer.kind"))
      continue;
    bool missing = g->row->required && !*g->value;
    if (missing || below(c, c->num) < wanted) draw_value(c, g->row, g->value, sizeof g->value);
    if (!strcmp(g->row->name, "steps") && !chance(c, 4))
      snprintf(g->value, sizeof g->value, "%d", 1 + below(c, 7));
    if (!strcmp(g->row->name, "epochs") && *g->value && !chance(c, 4))
      snprintf(g->value, sizeof g->value, "%d", 1 + below(c, 2));
  }
  /* One of the two says how long. */
  given *epochs = find(c, "epochs"), *steps = find(c, "steps");
  if (epochs && *epochs->value && !chance(c, 3)) *steps->value = 0;
  for (int i = 0; i < c->num; i++)
    if (!is_read(c, c->v[i].row) && !chance(c, 1)) *c->v[i].value = 0;
}

/* Another value beside the one that a key has. */
static void sweep_key(sweep_case *c, given *g) {
  char other[MOST_VALUE], both[2 * MOST_VALUE + 8];
  draw_value(c, g->row, other, sizeof other);
  snprintf(both, sizeof both, "[%s, %s]", g->value, other);
  if (strlen(both) >= sizeof g->value) return;
  memcpy(g->value, both, strlen(both) + 1);
  g->swept = true;
}

static void draw_form(sweep_case *c) {
  for (int i = 0, swept = 0; i < c->num; i++) {
    given *g = &c->v[i];
    if (!*g->value) continue;
    g->set = chance(c, 10);
    if (swept < 2 && !(g->row->whole && chance(c, 90)) && chance(c, 5)) {
      sweep_key(c, g);
      swept++;
    }
  }
}

static bool reads_files(const pl_data_kind *data) {
  for (const pl_keys *const *t = data->keys; *t; t++)
    for (int k = 0; k < (*t)->num; k++)
      if ((*t)->row[k].path) return true;
  return false;
}

/* One that the network takes, mostly; every other time, one that reads files. */
static const pl_data_kind *draw_data(sweep_case *c) {
  int n = 0;
  if (chance(c, 3)) {
    while (pl_zoo_data(n)) n++;
    return pl_zoo_data(below(c, n));
  }
  while (c->model->data[n]) n++;
  const pl_data_kind *data = c->model->data[below(c, n)];
  bool of_files = chance(c, 50);
  for (int k = 0; k < 10 && of_files && !reads_files(data); k++) data = c->model->data[below(c, n)];
  return data;
}

static void put(sweep_case *c, const char *key, const char *value) {
  given *g = find(c, key);
  if (g) snprintf(g->value, sizeof g->value, "%s", value);
}

static void draw_case(sweep_case *c, uint64_t seed) {
  *c = (sweep_case){.seed = seed};
  int n = 0, optimizers = 0;
  while (pl_zoo_model(n)) n++;
  while (pl_optim_name(optimizers)) optimizers++;
  c->wild = chance(c, 40);
  c->model = pl_zoo_model(below(c, n));
  c->data = draw_data(c);
  /* gd is what most networks begin with. */
  int optimizer = chance(c, 40) ? 0 : below(c, optimizers);
  pl_config *example;
  if (pl_config_parse(c->model->example, strlen(c->model->example), c->model->name, NULL, 0,
                      &example))
    pl_die(PL_EBUG, "%s", pl_error_message());
  add_table(c, &pl_common_keys, example);
  add_tables(c, c->model->keys, example);
  add_tables(c, c->data->keys, example);
  add_tables(c, pl_optim_keys(optimizer), example);
  pl_config_free(example);
  put(c, "model.kind", c->model->name);
  put(c, "data.kind", c->data->name);
  put(c, "optimizer.kind", pl_optim_name(optimizer));
  draw_values(c);
  draw_form(c);
}

/* The sweep file; what is not in it is for --set. */
static void write_case(sweep_case *c, FILE *f) {
  const char *swept[2] = {NULL, NULL};
  fprintf(f, "# seed %llu\n", (unsigned long long)c->seed);
  for (int i = 0, n = 0; i < c->num; i++) {
    const given *g = &c->v[i];
    if (g->swept && n < 2) swept[n++] = g->row->name;
    if (*g->value && !g->set) fprintf(f, "%s: %s\n", g->row->name, g->value);
  }
  if (swept[1] && chance(c, 30)) fprintf(f, "zip: [[%s, %s]]\n", swept[0], swept[1]);
  if (chance(c, 1)) fprintf(f, "model.dpeth: 3\n");
}

#endif
