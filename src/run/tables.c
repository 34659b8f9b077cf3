#include "run/tables.h"

#include "base/mem.h"
#include "model/model.h"
#include "model/optim.h"
#include "run/keys.h"

#include <string.h>

/* ---- rows ---- */

/* Bytes of text that go on a line of width columns, broken at a blank; a longer word sticks out. */
static int fit(const char *text, int width) {
  int n = (int)strlen(text), last = 0;
  if (n <= width) return n;
  for (int i = 1; i <= width; i++)
    if (text[i] == ' ' && text[i - 1] != ' ') last = i;
  return last ? last : (int)strcspn(text, " ");
}

static void print_row(FILE *out, const char *const cells[4]) {
  static const int widths[4] = {28, 24, 14, 30};
  const char *rest[4];
  memcpy(rest, cells, sizeof rest);
  do {
    int at = 0, column = 0;
    for (int c = 0; c < 4; column += widths[c++] + 1) {
      int n = fit(rest[c], widths[c]);
      if (!n) continue;
      /* Blanks go before a cell, never after: no line ends in one. */
      int gap = at < column ? column - at : at > 0;
      at += fprintf(out, "%*s%.*s", gap, "", n, rest[c]);
      rest[c] += n;
      rest[c] += strspn(rest[c], " ");
    }
    fputc('\n', out);
  } while (*rest[0] || *rest[1] || *rest[2] || *rest[3]);
}

/* ---- keys ---- */

static void print_key(FILE *out, const pl_key *k, const char *fallback, const char *owners) {
  char expects[512];
  pl_key_expects(k, expects, sizeof expects);
  fallback = k->required ? "(required)" : fallback && *fallback ? fallback : "-";
  char *help = *owners ? pl_asprintf("%s [%s]", k->help, owners) : pl_strdup(k->help);
  print_row(out, (const char *const[4]){k->name, expects, fallback, help});
  pl_free(help);
}

/* Does a row before number i say the same to the reader? */
static bool told(const pl_owned *list, int i) {
  for (int k = 0; k < i; k++)
    if (list[k].row == list[i].row || (!strcmp(list[k].row->name, list[i].row->name) &&
                                       !strcmp(list[k].row->help, list[i].row->help)))
      return true;
  return false;
}

static void print_zoo(FILE *out) {
  pl_arena arena = {0};
  int num;
  const pl_owned *list = pl_keys_list(&arena, &num);
  char owners[1024];
  for (int i = 0; i < num; i++)
    if (!told(list, i))
      print_key(
          out, list[i].row, list[i].row->fallback,
          pl_keys_owners(list, num, list[i].row->name, list[i].row->help, owners, sizeof owners));
  pl_arena_free(&arena);
}

/* data NULL: rows that are no kind's own, whose default may be another for some kinds. */
static void print_tables(FILE *out, const pl_keys *const *tables, const pl_model_kind *model,
                         const pl_data_kind *data) {
  char defaults[512];
  for (; *tables; tables++)
    for (int k = 0; k < (*tables)->num; k++) {
      const pl_key *row = &(*tables)->row[k];
      print_key(out, row,
                data ? pl_keys_fallback(row, model, data)
                     : pl_keys_defaults(row, model, defaults, sizeof defaults),
                "");
    }
}

static void print_head(FILE *out, const char *what, const char *name, const char *help) {
  fprintf(out, "\n%s %s: %s\n", what, name, help);
}

static void print_network(FILE *out, const pl_model_kind *m) {
  const pl_keys *const common[] = {&pl_common_keys, NULL};
  print_tables(out, common, m, NULL);
  print_head(out, "model.kind", m->name, m->help);
  print_tables(out, m->keys, m, NULL);
  for (const pl_data_kind *const *d = m->data; *d; d++) {
    print_head(out, "data.kind", (*d)->name, (*d)->help);
    print_tables(out, (*d)->keys, m, *d);
  }
  for (int i = 0; pl_optim_name(i); i++) {
    print_head(out, "optimizer.kind", pl_optim_name(i), pl_optim_help(i));
    print_tables(out, pl_optim_keys(i), m, NULL);
  }
}

/* PL_EINPUT: no network of that name; NULL stands for all of them. */
static pl_status find_network(const char *option, const char *name, const pl_model_kind **out) {
  char names[1024] = "";
  *out = NULL;
  if (!name) return PL_OK;
  for (int i = 0; pl_zoo_model(i); i++) {
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", pl_zoo_model(i)->name);
    if (!strcmp(pl_zoo_model(i)->name, name)) *out = pl_zoo_model(i);
  }
  return *out ? PL_OK : pl_error(PL_EINPUT, "%s %s: expected one of %s", option, name, names);
}

pl_status pl_keys_print(FILE *out, const char *network) {
  const pl_model_kind *m;
  PL_TRY(find_network("--keys", network, &m));
  print_row(out, (const char *const[4]){"key", "accepts", "default", "meaning"});
  if (m)
    print_network(out, m);
  else
    print_zoo(out);
  return PL_OK;
}

/* ---- variables ---- */

static bool has_measure(const pl_model_kind *m, const char *name) {
  for (const pl_measures *const *t = m->measures; *t; t++)
    for (int k = 0; k < (*t)->num; k++)
      if (!strcmp((*t)->row[k].name, name)) return true;
  return false;
}

/* "[gcnn, cnn]"; "" where all networks have it, or only is the one that is asked for. */
static const char *recorders(const char *name, const pl_model_kind *only, char *buf, size_t n) {
  bool all = true;
  size_t used = 0;
  *buf = 0;
  for (int i = 0; pl_zoo_model(i) && used < n; i++) {
    bool has = has_measure(pl_zoo_model(i), name);
    all = all && has;
    if (has)
      used +=
          (size_t)snprintf(buf + used, n - used, "%s%s", used ? ", " : " [", pl_zoo_model(i)->name);
  }
  if (only || all) *buf = 0;
  if (*buf && used < n) snprintf(buf + used, n - used, "]");
  return buf;
}

/* Does a network before number i have it? */
static bool recorded_before(int i, const char *name) {
  for (int k = 0; k < i; k++)
    if (has_measure(pl_zoo_model(k), name)) return true;
  return false;
}

static void print_measures(FILE *out, int i, const pl_model_kind *only) {
  char who[1024];
  for (const pl_measures *const *t = pl_zoo_model(i)->measures; *t; t++)
    for (int k = 0; k < (*t)->num; k++) {
      const pl_measure *m = &(*t)->row[k];
      if (!only && recorded_before(i, m->name)) continue;
      char *axes = pl_asprintf("run, record%s%s", m->axis ? ", " : "", m->axis ? m->axis : "");
      char *text = pl_asprintf("%s%s", m->long_name, recorders(m->name, only, who, sizeof who));
      print_row(out, (const char *const[4]){m->name, axes, m->units, text});
      pl_free(text);
      pl_free(axes);
    }
}

pl_status pl_variables_print(FILE *out, const char *network) {
  const pl_model_kind *m;
  PL_TRY(find_network("--variables", network, &m));
  print_row(out, (const char *const[4]){"variable", "on", "units", "meaning"});
  for (int i = 0; pl_zoo_model(i); i++)
    if (!m || pl_zoo_model(i) == m) print_measures(out, i, m);
  return PL_OK;
}
