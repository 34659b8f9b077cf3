#include "run/keys.h"

#include "model/model.h"
#include "model/optim.h"

#include <stdio.h>
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

pl_status pl_keys_unknown(const pl_owned *list, int num, const char *name) {
  const char *nearest = pl_keys_nearest(list, num, name);
  return nearest ? pl_error(PL_EINPUT, "unknown key; did you mean %s?", nearest)
                 : pl_error(PL_EINPUT, "unknown key");
}

/* ---- owners ---- */

static bool about(const pl_owned *o, const char *name, const char *help) {
  return !strcmp(o->row->name, name) && (!help || !strcmp(o->row->help, help));
}

/* Was this owner listed by an earlier row? */
static bool listed(const pl_owned *list, int i, const char *help) {
  for (int k = 0; k < i; k++)
    if (list[k].owner == list[i].owner && about(&list[k], list[i].row->name, help) &&
        !strcmp(list[k].name, list[i].name))
      return true;
  return false;
}

const char *pl_keys_owners(const pl_owned *list, int num, const char *name, const char *help,
                           char *buf, size_t n) {
  static const char *const kind[] = {"", "model.kind ", "data.kind ", "optimizer.kind "};
  pl_owner last = PL_OWNER_ALL;
  size_t used = 0;
  *buf = 0;
  for (int i = 0; i < num && used < n; i++) {
    if (!about(&list[i], name, help) || list[i].owner == PL_OWNER_ALL || listed(list, i, help))
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

static bool same(const char *a, const char *b) {
  return a == b || (a && b && !strcmp(a, b));
}

/* "; 7 for data.kind molecules": those kinds of data, from d on, whose default of the key is that
 * of d; nothing where it is the network's own. */
static void tell_others(const pl_key *row, const pl_model_kind *model, const pl_data_kind *const *d,
                        char *buf, size_t n) {
  const char *value = pl_keys_fallback(row, model, *d);
  if (same(value, pl_keys_fallback(row, model, NULL))) return;
  for (const pl_data_kind *const *e = model->data; e < d; e++)
    if (same(value, pl_keys_fallback(row, model, *e))) return; /* told with e */
  size_t used = strlen(buf);
  used += (size_t)snprintf(buf + used, n - used, "; %s for data.kind %s", value, (*d)->name);
  while (*++d && used < n)
    if (same(value, pl_keys_fallback(row, model, *d)))
      used += (size_t)snprintf(buf + used, n - used, ", %s", (*d)->name);
}

const char *pl_keys_defaults(const pl_key *row, const pl_model_kind *model, char *buf, size_t n) {
  const char *own = pl_keys_fallback(row, model, NULL);
  snprintf(buf, n, "%s", own && *own ? own : "-");
  for (const pl_data_kind *const *d = model->data; *d; d++) tell_others(row, model, d, buf, n);
  return buf;
}
