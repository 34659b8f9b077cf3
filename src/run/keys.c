#include "run/keys.h"

#include "base/mem.h"
#include "model/model.h"
#include "model/optim.h"

#include <string.h>

enum { MAX_NAME = 64 }; /* longer than any key */

/* ---- the list ---- */

typedef struct lister {
  pl_owned *list; /* NULL: count only */
  int num;
} lister;

static void add(lister *l, const pl_keys *table, pl_owner owner, const char *name) {
  for (int k = 0; k < table->num; k++, l->num++)
    if (l->list) l->list[l->num] = (pl_owned){&table->row[k], table->place, owner, name};
}

static void add_all(lister *l, const pl_keys *const *tables, pl_owner owner, const char *name) {
  for (; *tables; tables++) add(l, *tables, owner, name);
}

static void visit(lister *l) {
  add(l, &pl_common_keys, PL_OWNER_ALL, "");
  for (int i = 0; pl_zoo_model(i); i++)
    add_all(l, pl_zoo_model(i)->keys, PL_OWNER_MODEL, pl_zoo_model(i)->name);
  for (int i = 0; pl_zoo_data(i); i++)
    add_all(l, pl_zoo_data(i)->keys, PL_OWNER_DATA, pl_zoo_data(i)->name);
  for (int i = 0; pl_optim_name(i); i++)
    add_all(l, pl_optim_keys(i), PL_OWNER_OPTIMIZER, pl_optim_name(i));
}

const pl_owned *pl_keys_list(pl_arena *arena, int *num) {
  lister l = {0};
  visit(&l);
  l.list = pl_arena_alloc(arena, (size_t)l.num, sizeof *l.list);
  l.num = 0;
  visit(&l);
  *num = l.num;
  return l.list;
}

const pl_key *pl_keys_find(const pl_owned *list, int num, const char *name) {
  for (int i = 0; i < num; i++)
    if (!strcmp(list[i].row->name, name)) return list[i].row;
  return NULL;
}

bool pl_keys_section(const pl_owned *list, int num, const char *name) {
  size_t n = strlen(name);
  for (int i = 0; i < num; i++)
    if (!strncmp(list[i].row->name, name, n) && list[i].row->name[n] == '.') return true;
  return false;
}

/* ---- slips ---- */

/* Cost of turning a into b.  Adding a character is cheap: people leave out more than they invent,
 * so "depth" is nearer to "model.depth" than to "steps". */
static int edits(const char *a, const char *b) {
  int row[MAX_NAME + 1], nb = (int)strlen(b);
  for (int j = 0; j <= nb; j++) row[j] = j;
  for (; *a; a++) {
    int diagonal = row[0];
    row[0] += 2;
    for (int j = 1; j <= nb; j++) {
      int keep = diagonal + (*a == b[j - 1] ? 0 : 2);
      int more = row[j - 1] + 1, drop = row[j] + 2;
      diagonal = row[j];
      row[j] = keep < more ? keep : more;
      if (drop < row[j]) row[j] = drop;
    }
  }
  return row[nb];
}

const char *pl_keys_nearest(const pl_owned *list, int num, const char *name) {
  const char *nearest = NULL;
  int least = (int)strlen(name) + 1;
  if (least > MAX_NAME) return NULL;
  for (int i = 0; i < num; i++) {
    const char *key = list[i].row->name;
    int cost = edits(name, key);
    for (const char *dot = strchr(key, '.'); dot; dot = strchr(dot + 1, '.')) {
      int tail = edits(name, dot + 1) + 1;
      if (tail < cost) cost = tail;
    }
    if (cost < least) least = cost, nearest = key;
  }
  return nearest;
}

/* ---- owners ---- */

/* Was this owner's name listed by an earlier row of the key? */
static bool listed(const pl_owned *list, int i) {
  for (int k = 0; k < i; k++)
    if (list[k].owner == list[i].owner && !strcmp(list[k].row->name, list[i].row->name) &&
        !strcmp(list[k].name, list[i].name))
      return true;
  return false;
}

const char *pl_keys_owners(const pl_owned *list, int num, const char *name, char *buf, size_t n) {
  static const char *const kind[] = {"", "model.kind ", "data.kind ", "optimizer.kind "};
  pl_owner last = PL_OWNER_ALL;
  size_t used = 0;
  *buf = 0;
  for (int i = 0; i < num && used < n; i++) {
    if (strcmp(list[i].row->name, name) != 0 || list[i].owner == PL_OWNER_ALL || listed(list, i))
      continue;
    const char *between = last == list[i].owner ? ", " : used ? "; " : "";
    used += (size_t)snprintf(buf + used, n - used, "%s%s%s", between,
                             last == list[i].owner ? "" : kind[list[i].owner], list[i].name);
    last = list[i].owner;
  }
  return buf;
}

static const char *among(const pl_default *d, const char *key) {
  for (; d && d->key; d++)
    if (!strcmp(d->key, key)) return d->value;
  return NULL;
}

const char *pl_keys_fallback(const pl_key *row, const pl_model_kind *model,
                             const pl_data_kind *data) {
  const char *value = data ? among(data->defaults, row->name) : NULL;
  if (!value && model) value = among(model->defaults, row->name);
  return value ? value : row->fallback;
}

/* ---- the table ---- */

/* Bytes of text that go on a line of width columns, broken at a blank if there is one. */
static int fit(const char *text, int width) {
  int n = (int)strlen(text), last = 0;
  if (n <= width) return n;
  for (int i = 1; i <= width; i++)
    if (text[i] == ' ') last = i;
  return last ? last : width;
}

static void print_row(FILE *out, const char *const cells[4]) {
  static const int widths[4] = {25, 27, 12, 32};
  const char *rest[4];
  memcpy(rest, cells, sizeof rest);
  do {
    int at = 0, column = 0;
    for (int c = 0; c < 4; column += widths[c++] + 1) {
      int n = fit(rest[c], widths[c]);
      if (!n) continue;
      /* Blanks go before a cell, never after: no line ends in one. */
      at += fprintf(out, "%*s%.*s", column - at, "", n, rest[c]);
      rest[c] += n;
      rest[c] += strspn(rest[c], " ");
    }
    fputc('\n', out);
  } while (*rest[0] || *rest[1] || *rest[2] || *rest[3]);
}

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
      print_key(out, list[i].row, list[i].row->fallback,
                pl_keys_owners(list, num, list[i].row->name, owners, sizeof owners));
  pl_arena_free(&arena);
}

static void print_tables(FILE *out, const pl_keys *const *tables, const pl_model_kind *model,
                         const pl_data_kind *data) {
  for (; *tables; tables++)
    for (int k = 0; k < (*tables)->num; k++)
      print_key(out, &(*tables)->row[k], pl_keys_fallback(&(*tables)->row[k], model, data), "");
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

pl_status pl_keys_print(FILE *out, const char *network) {
  const pl_model_kind *m = NULL;
  char names[1024] = "";
  for (int i = 0; network && pl_zoo_model(i); i++) {
    size_t used = strlen(names);
    snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", pl_zoo_model(i)->name);
    if (!strcmp(pl_zoo_model(i)->name, network)) m = pl_zoo_model(i);
  }
  if (network && !m) return pl_error(PL_EINPUT, "--keys %s: expected one of %s", network, names);
  print_row(out, (const char *const[4]){"key", "accepts", "default", "meaning"});
  if (m)
    print_network(out, m);
  else
    print_zoo(out);
  return PL_OK;
}
