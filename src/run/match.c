#include "match.h"

#include "base/mem.h"
#include "compare.h"
#include "model/model.h"
#include "model/optim.h"

#include <string.h>

/* A key that advances in the new sweep: its numbers among the keys of both; was -1: no run had it.
 */
typedef struct member {
  int was, now;
  const pl_column *old; /* its column in the earlier sweep; NULL: it had the default */
  bool free;            /* any value will do */
} member;

/* Keys of the new sweep that advance together, and which entry of theirs earlier runs find. */
typedef struct bundle {
  const pl_column *leader;
  int num;
  member *member;
  int num_digits;
  const pl_column **digit; /* columns of the earlier sweep that decide it */
  int64_t size;            /* combinations of these */
  int64_t *entry;          /* [casts][size]; NOT_ASKED: not looked for yet */
  int64_t last;            /* found last: the next one is likely to stand behind it */
} bundle;

enum { NOT_ASKED = -2, NOWHERE = -1 };

typedef struct matcher {
  pl_matched was, now;
  int num_bundles;
  bundle *bundle;
  const pl_cast **cast; /* [casts of was]: the same one in the new sweep; NULL: there is none */
} matcher;

/* ---- the bundles ---- */

static bool several(const pl_column *column) {
  return column && column->values.n > 1;
}

/* As long as all runs have one value of it: how far they go is compared apart, and what touches no
 * results is not. */
static bool is_free(const pl_key *row, const pl_column *was, const pl_column *now) {
  bool kept = row->touches & PL_RESULTS && !(row->touches & PL_GROWS);
  return !kept && !several(was) && !several(now);
}

static void add_digit(bundle *b, const pl_column *old) {
  if (!old) return;
  for (int i = 0; i < b->num_digits; i++)
    if (b->digit[i] == old->leader) return;
  b->digit[b->num_digits++] = old->leader;
  b->size *= old->leader->values.n;
}

static void add_member(matcher *m, bundle *b, const pl_column *column) {
  int now = pl_roles_number(m->now.roles, column->name);
  if (now < 0) return; /* nobody reads it */
  member *k = &b->member[b->num++];
  *k = (member){.was = pl_roles_number(m->was.roles, column->name), .now = now};
  k->old = pl_columns_find(m->was.columns, column->name);
  k->free = is_free(column->key, k->old, column);
  if (!k->free) add_digit(b, k->old);
}

static void add_bundle(matcher *m, const pl_column *leader) {
  const pl_columns *c = m->now.columns;
  size_t most = (size_t)c->num;
  bundle *b = &m->bundle[m->num_bundles++];
  *b = (bundle){.leader = leader, .size = 1, .last = -1};
  b->member = pl_alloc(most, sizeof *b->member, "keys of the sweep");
  b->digit = pl_alloc(most, sizeof *b->digit, "keys of the sweep");
  for (int i = 0; i < c->num; i++)
    if (c->column[i].leader == leader) add_member(m, b, &c->column[i]);
  int64_t n = b->size * m->was.roles->num_casts;
  b->entry = pl_alloc((size_t)n, sizeof *b->entry, "runs of the earlier sweep");
  for (int64_t i = 0; i < n; i++) b->entry[i] = NOT_ASKED;
}

static void init(matcher *m) {
  const pl_columns *c = m->now.columns;
  m->bundle = pl_alloc((size_t)c->num, sizeof *m->bundle, "keys of the sweep");
  for (int i = 0; i < c->num; i++)
    if (c->column[i].leader == &c->column[i]) add_bundle(m, &c->column[i]);
  int casts = m->was.roles->num_casts;
  m->cast = pl_alloc((size_t)casts, sizeof *m->cast, "kinds of the sweep");
  for (int i = 0; i < casts; i++) m->cast[i] = pl_roles_twin(m->now.roles, &m->was.roles->cast[i]);
}

static void fini(matcher *m) {
  for (int i = 0; i < m->num_bundles; i++) {
    pl_free(m->bundle[i].member);
    pl_free(m->bundle[i].digit);
    pl_free(m->bundle[i].entry);
  }
  pl_free(m->bundle);
  pl_free(m->cast);
}

/* ---- values ---- */

static bool same_value(const pl_role *was, int64_t i, const pl_role *now, int64_t j) {
  size_t size = pl_value_size(was->row);
  return was->row == now->row &&
         pl_value_equal(was->row, was->value + (size_t)i * size, now->value + (size_t)j * size);
}

static int64_t index_of(const pl_role *role, int64_t run) {
  return role->column ? pl_column_index(role->column, run) : 0;
}

/* Value i of a key that the run at hand does not read: the same for all that do. */
static bool same_for_readers(const matcher *m, const member *k, int64_t i, int64_t j) {
  for (int c = 0; c < m->was.roles->num_casts; c++) {
    const pl_role *a = pl_cast_role(&m->was.roles->cast[c], k->was);
    const pl_role *b = m->cast[c] ? pl_cast_role(m->cast[c], k->now) : NULL;
    if (a && b && !same_value(a, i, b, j)) return false;
  }
  return true;
}

/* Does entry j of the new sweep's key have the value of an earlier run? */
static bool fits(const matcher *m, const member *k, int cast, int64_t run, int64_t j) {
  if (k->free) return true;
  const pl_role *a = k->was < 0 ? NULL : pl_cast_role(&m->was.roles->cast[cast], k->was);
  const pl_role *b = pl_cast_role(m->cast[cast], k->now);
  if (a && b) return same_value(a, index_of(a, run), b, j);
  return !k->old || same_for_readers(m, k, pl_column_index(k->old, run), j);
}

static bool all_fit(const matcher *m, const bundle *b, int cast, int64_t run, int64_t j) {
  for (int i = 0; i < b->num; i++)
    if (!fits(m, &b->member[i], cast, run, j)) return false;
  return true;
}

/* Most often lists go on behind the values that they had. */
static int64_t look_for(bundle *b, const matcher *m, int cast, int64_t run) {
  int64_t n = b->leader->values.n;
  int64_t same = b->num_digits ? pl_column_index(b->digit[0], run) : 0, next = b->last + 1;
  if (next < n && all_fit(m, b, cast, run, next)) return b->last = next;
  if (same < n && all_fit(m, b, cast, run, same)) return b->last = same;
  for (int64_t j = 0; j < n; j++)
    if (all_fit(m, b, cast, run, j)) return b->last = j;
  return NOWHERE;
}

static int64_t entry_of(bundle *b, const matcher *m, int cast, int64_t run) {
  int64_t slot = cast;
  for (int i = 0; i < b->num_digits; i++)
    slot = slot * b->digit[i]->values.n + pl_column_index(b->digit[i], run);
  if (b->entry[slot] == NOT_ASKED) b->entry[slot] = look_for(b, m, cast, run);
  return b->entry[slot];
}

/* ---- what is no extension ---- */

static pl_status changed(const pl_role *was, int64_t i, const pl_role *now, int64_t j) {
  enum { SHOWN = 200 };
  char *before = pl_role_text(was, i), *after = pl_role_text(now, j);
  pl_status st =
      several(now->column)
          ? pl_error(PL_EINPUT, "%s: %.*s is not among its values now", was->row->name, SHOWN,
                     *before ? before : "its default")
          : pl_error(PL_EINPUT, "%s: was %.*s, is now %.*s", was->row->name, SHOWN,
                     *before ? before : "not given", SHOWN, *after ? after : "not given");
  pl_free(before);
  pl_free(after);
  return st;
}

/* The member of a bundle to blame: that which has the value nowhere, or else all together. */
static pl_status lost(const matcher *m, const bundle *b, int cast, int64_t run) {
  for (int i = 0; i < b->num; i++) {
    const member *k = &b->member[i];
    bool found = false;
    for (int64_t j = 0; j < b->leader->values.n && !found; j++) found = fits(m, k, cast, run, j);
    if (found) continue;
    const pl_role *x = k->was < 0 ? NULL : pl_cast_role(&m->was.roles->cast[cast], k->was);
    const pl_role *y = pl_cast_role(m->cast[cast], k->now);
    if (x && y) return changed(x, index_of(x, run), y, 0);
    return pl_error(PL_EINPUT, "%s: has lost a value", m->now.roles->key[k->now].row->name);
  }
  return pl_error(PL_EINPUT, "%s: zipped with other values than before", b->leader->name);
}

/* Which of the kinds is gone. */
static pl_status lost_cast(const pl_roles *now, const pl_cast *cast) {
  bool model = false, data = false;
  for (int i = 0; i < now->num_casts; i++) {
    model = model || now->cast[i].model == cast->model;
    data = data || (now->cast[i].model == cast->model && now->cast[i].data == cast->data);
  }
  const char *key = !model ? "model.kind" : !data ? "data.kind" : "optimizer.kind";
  const char *word = !model  ? cast->model->name
                     : !data ? cast->data->name
                             : pl_optim_name(cast->optimizer);
  return pl_error(PL_EINPUT, "%s: %s is not among its values now", key, word);
}

/* Every key of the run, also those that no column gives. */
static pl_status expect_same(const matcher *m, int cast, int64_t run, int64_t place) {
  const pl_cast *was = &m->was.roles->cast[cast];
  for (int i = 0; i < was->num_roles; i++) {
    /* One cast has its roles in one order. */
    const pl_role *a = &was->role[i], *b = &m->cast[cast]->role[i];
    if (is_free(a->row, a->column, b->column)) continue;
    if (!same_value(a, index_of(a, run), b, index_of(b, place)))
      return changed(a, index_of(a, run), b, index_of(b, place));
  }
  return PL_OK;
}

/* ---- all runs ---- */

static pl_status find(matcher *m, int64_t run, int64_t *place) {
  int cast = (int)(pl_roles_cast(m->was.roles, run) - m->was.roles->cast);
  if (!m->cast[cast]) return lost_cast(m->now.roles, &m->was.roles->cast[cast]);
  *place = 0;
  for (int i = 0; i < m->num_bundles; i++) {
    bundle *b = &m->bundle[i];
    int64_t entry = entry_of(b, m, cast, run);
    if (entry == NOWHERE) return lost(m, b, cast, run);
    *place += entry * b->leader->stride;
  }
  return expect_same(m, cast, run, *place);
}

pl_status pl_roles_match(const pl_matched *was, const pl_matched *now, int64_t *place) {
  matcher m = {.was = *was, .now = *now};
  int64_t runs = was->columns->runs;
  int64_t *taken = pl_alloc((size_t)now->columns->runs, sizeof *taken, "runs of the sweep");
  memset(taken, -1, (size_t)now->columns->runs * sizeof *taken);
  pl_status st = PL_OK;
  init(&m);
  for (int64_t r = 0; r < runs && !st; r++) {
    st = find(&m, r, &place[r]);
    if (st) break;
    if (taken[place[r]] >= 0)
      st = pl_error(PL_EINPUT, "runs %lld and %lld of it would be one run now",
                    (long long)taken[place[r]], (long long)r);
    taken[place[r]] = r;
  }
  fini(&m);
  pl_free(taken);
  return st;
}
