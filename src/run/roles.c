#include "roles.h"

#include "model/model.h"
#include "model/optim.h"
#include "run/paths.h"

#include <stdio.h>
#include <string.h>

typedef struct binder {
  pl_roles *r;
  const pl_columns *c;
  pl_arena *arena;
} binder;

/* ---- casts ---- */

enum { MODEL, DATA, OPTIMIZER };

static int cast_slot(const pl_roles *r, int64_t run) {
  int64_t word[3];
  for (int k = 0; k < 3; k++)
    word[k] = r->word[k][r->kind[k] ? pl_column_index(r->kind[k], run) : 0];
  if (word[DATA] == PL_UNSET) word[DATA] = r->num_data;
  return (int)((word[MODEL] * (r->num_data + 1) + word[DATA]) * r->num_optimizers +
               word[OPTIMIZER]);
}

const pl_cast *pl_roles_cast(const pl_roles *r, int64_t run) {
  return &r->cast[r->cast_of[cast_slot(r, run)]];
}

static const void *nth(const pl_role *role, const char *values, int64_t run) {
  if (!role->column) return values;
  return values + (size_t)pl_column_index(role->column, run) * pl_value_size(role->row);
}

const pl_cast *pl_roles_twin(const pl_roles *other, const pl_cast *cast) {
  for (int i = 0; i < other->num_casts; i++) {
    const pl_cast *c = &other->cast[i];
    if (c->model == cast->model && c->data == cast->data && c->optimizer == cast->optimizer)
      return c;
  }
  return NULL;
}

const void *pl_role_value(const pl_role *role, int64_t run) {
  return nth(role, role->value, run);
}

const void *pl_role_used(const pl_role *role, int64_t run) {
  return nth(role, role->used, run);
}

const pl_role *pl_cast_role(const pl_cast *cast, int key) {
  return cast->role_of[key] < 0 ? NULL : &cast->role[cast->role_of[key]];
}

static const pl_key *common_row(const char *name) {
  for (int i = 0; i < pl_common_keys.num; i++)
    if (!strcmp(pl_common_keys.row[i].name, name)) return &pl_common_keys.row[i];
  pl_die(PL_EBUG, "no common key %s", name);
}

static int count_words(const pl_key *row) {
  int n = 0;
  while (row->choice(n)) n++;
  return n;
}

/* The values of one of the three keys that name kinds. */
static pl_status read_kind(binder *b, int which, const char *name, int *num_words) {
  const pl_key *row = common_row(name);
  const pl_column *column = pl_columns_find(b->c, name);
  int64_t n = column ? column->values.n : 1;
  int64_t *word = pl_arena_alloc(b->arena, (size_t)n, sizeof *word);
  *num_words = count_words(row);
  b->r->kind[which] = column;
  b->r->word[which] = word;
  if (!column) pl_value_default(row, row->fallback, b->arena, word);
  for (int64_t i = 0; column && i < n; i++) {
    int line;
    pl_status st =
        pl_value_parse(row, row->fallback, &column->values.v[i], b->arena, &word[i], &line);
    if (st) return pl_columns_blame_value(b->c, column, i, st);
  }
  return PL_OK;
}

static pl_status not_taken(const binder *b, const pl_model_kind *m, const char *name, int64_t run) {
  char list[512] = "";
  for (const pl_data_kind *const *d = m->data; *d; d++) {
    size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", (*d)->name);
  }
  pl_error(PL_EINPUT, "%s is not for model.kind %s, which takes %s", name, m->name, list);
  const pl_column *c = b->r->kind[DATA];
  return pl_columns_blame_value(b->c, c, pl_column_index(c, run), PL_EINPUT);
}

/* The kind of data that a network takes unless told otherwise. */
static const char *own_data(const pl_model_kind *m) {
  const char *name = pl_keys_fallback(common_row("data.kind"), m, NULL);
  return name ? name : m->data[0]->name;
}

static pl_status add_cast(binder *b, int slot, int64_t run) {
  pl_roles *r = b->r;
  int optimizer = slot % r->num_optimizers, data = slot / r->num_optimizers % (r->num_data + 1);
  const pl_model_kind *m = pl_zoo_model(slot / r->num_optimizers / (r->num_data + 1));
  const char *name = data == r->num_data ? own_data(m) : pl_zoo_data_name(data);
  const pl_data_kind *kind = pl_model_data(m, name);
  if (!kind) return not_taken(b, m, name, run);
  r->cast_of[slot] = r->num_casts;
  r->cast[r->num_casts++] = (pl_cast){.model = m, .data = kind, .optimizer = optimizer};
  return PL_OK;
}

static pl_status find_casts(binder *b) {
  pl_roles *r = b->r;
  PL_TRY(read_kind(b, MODEL, "model.kind", &r->num_models));
  PL_TRY(read_kind(b, DATA, "data.kind", &r->num_data));
  PL_TRY(read_kind(b, OPTIMIZER, "optimizer.kind", &r->num_optimizers));
  int slots = r->num_models * (r->num_data + 1) * r->num_optimizers;
  r->cast_of = pl_arena_alloc(b->arena, (size_t)slots, sizeof *r->cast_of);
  int num = 0;
  for (int64_t run = 0; run < b->c->runs; run++) {
    int *cast = &r->cast_of[cast_slot(r, run)];
    if (!*cast) *cast = -1, num++;
  }
  r->cast = pl_arena_alloc(b->arena, (size_t)num, sizeof *r->cast);
  for (int64_t run = 0; r->num_casts < num; run++) {
    int slot = cast_slot(r, run);
    if (r->cast_of[slot] < 0) PL_TRY(add_cast(b, slot, run));
  }
  return PL_OK;
}

/* ---- roles ---- */

static int key_number(binder *b, const pl_key *row) {
  pl_roles *r = b->r;
  for (int k = 0; k < r->num_keys; k++)
    if (!strcmp(r->key[k].row->name, row->name)) return k;
  r->key[r->num_keys] = (pl_sweep_key){row, pl_columns_find(b->c, row->name)};
  return r->num_keys++;
}

/* Is value i of the column that of some run of the cast? */
static bool used(const pl_roles *r, const pl_columns *c, const pl_cast *cast,
                 const pl_column *column, int64_t i) {
  for (int64_t run = 0; run < c->runs; run++)
    if (pl_column_index(column, run) == i && pl_roles_cast(r, run) == cast) return true;
  return false;
}

/* Two casts with the same row share its values. */
static const pl_role *typed_before(const pl_roles *r, const pl_cast *upto, const pl_key *row,
                                   const char *fallback) {
  for (const pl_cast *k = r->cast; k < upto; k++)
    for (int i = 0; i < k->num_roles; i++)
      if (k->role[i].row == row && k->role[i].column &&
          pl_keys_fallback(row, k->model, k->data) == fallback)
        return &k->role[i];
  return NULL;
}

/* Relative paths of the file are relative to it, those of --set to where it was given. */
static void lead_paths(binder *b, pl_role *role) {
  const pl_column *column = role->column;
  role->used = role->value;
  const char *folder = b->c->folder[column->origin == PL_FROM_SET];
  if (!*folder || (!role->row->path && !role->row->file)) return;
  size_t n = (size_t)column->values.n;
  const char *const *written = (const void *)role->value;
  const char **led = pl_arena_alloc(b->arena, n, sizeof *led);
  for (size_t i = 0; i < n; i++)
    led[i] = written[i] ? pl_path_lead(b->arena, role->row, written[i], folder) : NULL;
  role->used = (const char *)led;
}

static pl_status type_values(binder *b, pl_cast *cast, pl_role *role, const char *fallback) {
  const pl_column *column = role->column;
  size_t size = pl_value_size(role->row);
  const pl_role *before = typed_before(b->r, cast, role->row, fallback);
  bool shared = before != NULL;
  if (shared) role->value = before->value, role->used = before->used;
  char *v = shared ? NULL : pl_arena_alloc(b->arena, (size_t)column->values.n, size);
  char spare[sizeof(pl_texts)];
  if (!shared) role->value = v;
  for (int64_t i = 0; i < column->values.n; i++) {
    int line;
    void *slot = shared ? spare : v + (size_t)i * size;
    pl_status st = pl_value_parse(role->row, fallback, &column->values.v[i], b->arena, slot, &line);
    if (st && used(b->r, b->c, cast, column, i))
      return pl_columns_blame(b->c, column->origin, line, column->name, st);
    if (st) memset(slot, 0, size); /* nobody's */
  }
  if (!shared) lead_paths(b, role);
  return PL_OK;
}

/* "data.path and data.labels": the required keys of a kind of data that are not given. */
static void list_missing(const binder *b, const pl_data_kind *data, char *buf, size_t n) {
  size_t used = 0;
  for (const pl_keys *const *t = data->keys; *t; t++)
    for (int k = 0; k < (*t)->num && used < n; k++) {
      const pl_key *row = &(*t)->row[k];
      if (row->required && !pl_columns_find(b->c, row->name))
        used += (size_t)snprintf(buf + used, n - used, "%s%s", used ? " and " : "", row->name);
    }
}

static pl_status missing(const binder *b, const pl_cast *cast, const pl_role *role) {
  const pl_column *kind = b->r->kind[DATA];
  if (role->place != PL_IN_DATA) {
    pl_error(PL_EINPUT, "required, but not given");
    return pl_columns_blame(b->c, PL_FROM_DEFAULT, 0, role->row->name, PL_EINPUT);
  }
  char names[256];
  list_missing(b, cast->data, names, sizeof names);
  pl_error(PL_EINPUT, "%s needs %s", cast->data->name, names);
  for (int64_t run = 0; kind && run < b->c->runs; run++)
    if (pl_roles_cast(b->r, run) == cast)
      return pl_columns_blame_value(b->c, kind, pl_column_index(kind, run), PL_EINPUT);
  return pl_columns_blame(b->c, PL_FROM_DEFAULT, 0, "data.kind", PL_EINPUT);
}

static pl_status add_role(binder *b, pl_cast *cast, const pl_keys *table, const pl_key *row) {
  pl_role *role = &cast->role[cast->num_roles++];
  int key = key_number(b, row);
  const char *fallback = pl_keys_fallback(row, cast->model, cast->data);
  *role = (pl_role){.row = row, .place = table->place, .key = key};
  role->column = b->r->key[key].column;
  if (role->column) return type_values(b, cast, role, fallback);
  if (row->required) return missing(b, cast, role);
  char *v = pl_arena_alloc(b->arena, 1, pl_value_size(row));
  pl_value_default(row, fallback, b->arena, v);
  role->value = role->used = v;
  memcpy((char *)pl_spec_place(&cast->spec, table->place) + row->field, v, pl_value_size(row));
  return PL_OK;
}

static pl_status add_roles(binder *b, pl_cast *cast, const pl_keys *const *tables) {
  for (; *tables; tables++)
    for (int k = 0; k < (*tables)->num; k++) PL_TRY(add_role(b, cast, *tables, &(*tables)->row[k]));
  return PL_OK;
}

/* The value that a default of data.kind stands for is the network's own. */
static void name_data(binder *b, pl_cast *cast) {
  int64_t word = 0;
  while (strcmp(pl_zoo_data_name((int)word), cast->data->name) != 0) word++;
  cast->spec.common.data_kind = word;
  for (int i = 0; i < cast->num_roles; i++) {
    pl_role *role = &cast->role[i];
    if (strcmp(role->row->name, "data.kind") != 0 || role->column) continue;
    int64_t *v = pl_arena_alloc(b->arena, 1, sizeof *v);
    *v = word;
    role->value = role->used = (const char *)v;
  }
}

static pl_status fill_cast(binder *b, pl_cast *cast) {
  static const pl_keys *const common[] = {&pl_common_keys, NULL};
  cast->role = pl_arena_alloc(b->arena, (size_t)b->c->num_known, sizeof *cast->role);
  PL_TRY(add_roles(b, cast, common));
  PL_TRY(add_roles(b, cast, cast->model->keys));
  PL_TRY(add_roles(b, cast, cast->data->keys));
  PL_TRY(add_roles(b, cast, pl_optim_keys(cast->optimizer)));
  cast->spec.model = cast->model;
  cast->spec.data = cast->data;
  name_data(b, cast);
  return PL_OK;
}

static void index_roles(binder *b, pl_cast *cast) {
  cast->role_of = pl_arena_alloc(b->arena, (size_t)b->r->num_keys, sizeof *cast->role_of);
  for (int k = 0; k < b->r->num_keys; k++) cast->role_of[k] = -1;
  for (int i = cast->num_roles - 1; i >= 0; i--) cast->role_of[cast->role[i].key] = i;
}

/* ---- keys that nobody reads ---- */

/* Kinds that the sweep has, in words: "model.kind gcnn, data.kind gaussian". */
static void list_kinds(const pl_roles *r, char *buf, size_t n) {
  size_t at = 0;
  *buf = 0;
  for (int i = 0; i < r->num_casts && at < n; i++)
    at += (size_t)snprintf(buf + at, n - at, "%smodel.kind %s, data.kind %s, optimizer.kind %s",
                           i ? "; " : "", r->cast[i].model->name, r->cast[i].data->name,
                           pl_optim_name(r->cast[i].optimizer));
  if (at >= n) snprintf(buf, n, "the kinds of this sweep");
}

static pl_status not_used(const pl_roles *r, const pl_columns *c, const pl_column *column) {
  char owners[512], kinds[256];
  pl_keys_owners(c->known, c->num_known, column->name, NULL, owners, sizeof owners);
  list_kinds(r, kinds, sizeof kinds);
  pl_error(PL_EINPUT, "not used by %s; used by %s", kinds, owners);
  return pl_columns_blame(c, column->origin, column->line, column->name, PL_EINPUT);
}

/* Does some run read this column, whose rows may want a word of another key? */
static bool wanted(const pl_roles *r, const pl_columns *c, int key) {
  for (int64_t run = 0; run < c->runs; run++) {
    const pl_cast *cast = pl_roles_cast(r, run);
    const pl_role *role = pl_cast_role(cast, key);
    if (!role) continue;
    if (!role->row->with) return true;
    for (int i = 0; i < cast->num_roles; i++) {
      const pl_role *other = &cast->role[i];
      if (strcmp(other->row->name, role->row->with) != 0) continue;
      int64_t word = *(const int64_t *)pl_role_value(other, run);
      if (!strcmp(other->row->choice((int)word), role->row->with_word)) return true;
    }
  }
  return false;
}

static bool set_from_outside(const pl_columns *c, const char *name) {
  const pl_column *column = name ? pl_columns_find(c, name) : NULL;
  return column && column->origin == PL_FROM_SET;
}

int pl_roles_number(const pl_roles *r, const char *name) {
  for (int k = 0; k < r->num_keys; k++)
    if (!strcmp(r->key[k].row->name, name)) return k;
  return -1;
}

/* A key that no run can use is a slip, unless --set chose another kind for once. */
static pl_status find_unused(const pl_roles *r, const pl_columns *c) {
  bool chosen = set_from_outside(c, "model.kind") || set_from_outside(c, "data.kind") ||
                set_from_outside(c, "optimizer.kind");
  for (int i = 0; i < c->num; i++) {
    const pl_column *column = &c->column[i];
    int key = pl_roles_number(r, column->name);
    bool mine = column->origin == PL_FROM_SET;
    if (key < 0 && (mine || !chosen)) return not_used(r, c, column);
    if (key < 0) continue;
    const pl_key *row = r->key[key].row;
    if (!row->with || (!mine && (chosen || set_from_outside(c, row->with)))) continue;
    if (wanted(r, c, key)) continue;
    pl_error(PL_EINPUT, "only for %s: %s", row->with, row->with_word);
    return pl_columns_blame(c, column->origin, column->line, column->name, PL_EINPUT);
  }
  return PL_OK;
}

pl_status pl_roles_bind(pl_roles *r, const pl_columns *c) {
  binder b = {r, c, c->arena};
  PL_TRY(find_casts(&b));
  r->key = pl_arena_alloc(c->arena, (size_t)c->num_known, sizeof *r->key);
  for (int i = 0; i < r->num_casts; i++) PL_TRY(fill_cast(&b, &r->cast[i]));
  for (int i = 0; i < r->num_casts; i++) index_roles(&b, &r->cast[i]);
  return find_unused(r, c);
}
