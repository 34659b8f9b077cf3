#include "compare.h"

#include "base/mem.h"

#include <string.h>

/* ---- classes ---- */

/* Above so many values of one key, equal ones among them are not looked for: classes may then be
 * finer than they need to be. */
enum { MOST_COMPARED = 2048 };

/* A key that tells classes apart: runs with the same canon[index] agree in it. */
typedef struct digit {
  int key;
  const pl_column *column;
  int64_t *canon; /* [column->values.n]: the first value that equals this one */
} digit;

typedef struct classes {
  const pl_roles *r;
  int num;
  digit *digit;
  bool seeded; /* the data follow data.seed wherever it is given, whatever seed says */
  int seed, data_seed;
} classes;

static bool equal_values(const pl_roles *r, int key, int64_t i, int64_t j) {
  for (int c = 0; c < r->num_casts; c++) {
    const pl_role *role = pl_cast_role(&r->cast[c], key);
    if (!role || !role->column) continue;
    size_t size = pl_value_size(role->row);
    if (!pl_value_equal(role->row, role->value + (size_t)i * size, role->value + (size_t)j * size))
      return false;
  }
  return true;
}

static void add_digit(classes *c, int key) {
  const pl_column *column = c->r->key[key].column;
  int64_t n = column->values.n;
  digit *d = &c->digit[c->num++];
  *d = (digit){key, column, pl_alloc((size_t)n, sizeof *d->canon, "classes of runs")};
  for (int64_t i = 0; i < n; i++) {
    d->canon[i] = i;
    for (int64_t j = 0; n <= MOST_COMPARED && j < i; j++)
      if (d->canon[j] == j && equal_values(c->r, key, i, j)) {
        d->canon[i] = j;
        break;
      }
  }
}

static bool seed_is_idle(const classes *c, const pl_cast *cast, int64_t run) {
  const pl_role *role = c->seeded ? pl_cast_role(cast, c->data_seed) : NULL;
  return role && *(const int64_t *)pl_role_value(role, run) != PL_UNSET;
}

/* The value that run has of digit d; -1: it does not own the key. */
static int64_t digit_of(const classes *c, const digit *d, const pl_cast *cast, int64_t run) {
  if (!pl_cast_role(cast, d->key)) return -1;
  if (d->key == c->seed && seed_is_idle(c, cast, run)) return -1;
  return d->canon[pl_column_index(d->column, run)];
}

static bool alike(const classes *c, int64_t a, int64_t b) {
  const pl_cast *x = pl_roles_cast(c->r, a), *y = pl_roles_cast(c->r, b);
  for (int i = 0; i < c->num; i++)
    if (digit_of(c, &c->digit[i], x, a) != digit_of(c, &c->digit[i], y, b)) return false;
  return true;
}

static uint64_t hash_of(const classes *c, int64_t run) {
  const pl_cast *cast = pl_roles_cast(c->r, run);
  uint64_t h = 0xcbf29ce484222325u;
  for (int i = 0; i < c->num; i++) {
    h = (h ^ (uint64_t)digit_of(c, &c->digit[i], cast, run)) * 0x9E3779B97F4A7C15u;
    h ^= h >> 29;
  }
  return h;
}

/* Number the classes through an open hash table of their first runs. */
static int64_t number_classes(const classes *c, int64_t n, const int64_t *selected,
                              int64_t *class_of) {
  int64_t size = 2, num = 0;
  while (size < 2 * n) size *= 2;
  int64_t *table = pl_alloc((size_t)size, sizeof *table, "classes of runs");
  memset(table, -1, (size_t)size * sizeof *table);
  for (int64_t k = 0; k < n; k++) {
    int64_t run = selected ? selected[k] : k;
    uint64_t slot = hash_of(c, run) & (uint64_t)(size - 1);
    while (table[slot] >= 0 && !alike(c, run, selected ? selected[table[slot]] : table[slot]))
      slot = (slot + 1) & (uint64_t)(size - 1);
    if (table[slot] < 0) {
      table[slot] = k;
      class_of[k] = num++;
    } else {
      class_of[k] = class_of[table[slot]];
    }
  }
  pl_free(table);
  return num;
}

int64_t pl_roles_classes(const pl_roles *r, int touches, int64_t n, const int64_t *selected,
                         int64_t *class_of) {
  classes c = {.r = r, .seeded = touches == PL_DATA, .seed = -1, .data_seed = -1};
  c.digit = pl_zalloc((size_t)r->num_keys, sizeof *c.digit, "classes of runs");
  for (int k = 0; k < r->num_keys; k++) {
    if (!strcmp(r->key[k].row->name, "seed")) c.seed = k;
    if (!strcmp(r->key[k].row->name, "data.seed")) c.data_seed = k;
    const pl_column *column = r->key[k].column;
    if (column && column->values.n > 1 && r->key[k].row->touches & touches) add_digit(&c, k);
  }
  int64_t num = number_classes(&c, n, selected, class_of);
  for (int i = 0; i < c.num; i++) pl_free(c.digit[i].canon);
  pl_free(c.digit);
  return num;
}

/* ---- sameness ---- */

char *pl_role_text(const pl_role *role, int64_t i) {
  const char *v = role->value + (role->column ? (size_t)i * pl_value_size(role->row) : 0);
  int n = pl_value_print(role->row, v, NULL, 0);
  char *text = pl_alloc((size_t)n + 1, 1, "a value");
  pl_value_print(role->row, v, text, (size_t)n + 1);
  return text;
}

static pl_status differs(const pl_role *a, const pl_role *b, int64_t i) {
  enum { SHOWN = 200 };
  char *was = pl_role_text(a, i), *now = pl_role_text(b, i);
  pl_status st = pl_error(PL_EINPUT, "%s: was %.*s, is now %.*s", a->row->name, SHOWN,
                          *was ? was : "not given", SHOWN, *now ? now : "not given");
  /* Long lists may begin alike. */
  if (strlen(was) > SHOWN && !strncmp(was, now, SHOWN))
    st = pl_error(PL_EINPUT, "%s: differs beyond its first entries", a->row->name);
  pl_free(was);
  pl_free(now);
  return st;
}

static int64_t count(const pl_role *role) {
  return role->column ? role->column->values.n : 1;
}

static pl_status same_key(const pl_role *a, const pl_role *b) {
  if (count(a) != count(b))
    return pl_error(PL_EINPUT, "%s: had %lld value%s, has %lld now", a->row->name,
                    (long long)count(a), count(a) == 1 ? "" : "s", (long long)count(b));
  size_t size = pl_value_size(a->row);
  for (int64_t i = 0; i < count(a); i++)
    if (!pl_value_equal(a->row, a->value + (size_t)i * size, b->value + (size_t)i * size))
      return differs(a, b, i);
  return PL_OK;
}

static const pl_role *row_of(const pl_cast *cast, const pl_key *row) {
  for (int i = 0; i < cast->num_roles; i++)
    if (cast->role[i].row == row) return &cast->role[i];
  return NULL;
}

/* The role in the other sweep that corresponds to one here: of the same row, which casts may give
 * defaults of their own. */
static const pl_role *same_row(const pl_roles *r, const pl_cast *cast, const pl_key *row) {
  const pl_cast *twin = pl_roles_twin(r, cast);
  const pl_role *role = twin ? row_of(twin, row) : NULL;
  for (int c = 0; c < r->num_casts && !role; c++) role = row_of(&r->cast[c], row);
  return role;
}

static pl_status each_key(const pl_roles *was, const pl_roles *now,
                          pl_status (*compare)(const pl_role *a, const pl_role *b)) {
  for (int c = 0; c < was->num_casts; c++)
    for (int i = 0; i < was->cast[c].num_roles; i++) {
      const pl_role *a = &was->cast[c].role[i], *b = same_row(now, &was->cast[c], a->row);
      if (!(a->row->touches & PL_RESULTS)) continue;
      if (!b) return pl_error(PL_EINPUT, "%s: no run of the sweep has this key now", a->row->name);
      PL_TRY(compare(a, b));
    }
  return PL_OK;
}

static pl_status same_place(const pl_role *a, const pl_role *b) {
  if (count(a) > 1 && a->column->stride != b->column->stride)
    return pl_error(PL_EINPUT, "%s: stands in another order or zip", a->row->name);
  return PL_OK;
}

pl_status pl_roles_same(const pl_roles *was, const pl_roles *now) {
  PL_TRY(each_key(was, now, same_key));
  return each_key(was, now, same_place);
}
