#include "columns.h"

#include <stdio.h>
#include <string.h>

enum { MAX_WORD = 80, MAX_NAME = 256 };

/* ---- places ---- */

pl_status pl_columns_blame(const pl_columns *c, pl_origin where, int line, const char *key,
                           pl_status st) {
  if (where == PL_FROM_SET && c->attributes)
    return pl_error_in(st, "%s: attribute %s: ", c->name, key);
  if (where == PL_FROM_SET) return pl_error_in(st, "--set %s: ", key);
  if (where == PL_FROM_FILE) return pl_error_in(st, "%s:%d: %s: ", c->name, line, key);
  return pl_error_in(st, "%s: %s: ", c->name, key);
}

pl_status pl_columns_blame_value(const pl_columns *c, const pl_column *column, int64_t index,
                                 pl_status st) {
  return pl_columns_blame(c, column->origin, column->values.v[index].node->line, column->name, st);
}

pl_column *pl_columns_find(const pl_columns *c, const char *name) {
  for (int i = 0; i < c->num; i++)
    if (!strcmp(c->column[i].name, name)) return &c->column[i];
  return NULL;
}

/* ---- the tree into columns ---- */

/* A name that stands in the file: its text, or the kind of node that is there instead. */
static const char *name_of(const pl_yaml *node, char *buf, size_t n) {
  return node->kind == PL_YAML_TEXT ? pl_yaml_clip(node->text, buf, n) : pl_yaml_show(node, buf, n);
}

static pl_status given_twice(const pl_columns *c, const char *name, int line, int first) {
  pl_error(PL_EINPUT, "given twice, first on line %d", first);
  return pl_columns_blame(c, PL_FROM_FILE, line, name, PL_EINPUT);
}

static pl_status take_value(pl_columns *c, const pl_key *key, const pl_yaml *value, pl_origin from,
                            int line) {
  pl_column *column = pl_columns_find(c, key->name);
  if (column && column->origin == PL_FROM_FILE && from == PL_FROM_FILE)
    return given_twice(c, key->name, line, column->line);
  pl_elements values;
  int at = line;
  pl_status st = pl_values_split(key, value, c->arena, &values, &at);
  if (st) return pl_columns_blame(c, from, at, key->name, st);
  if (!column) {
    column = &c->column[c->num];
    *column = (pl_column){.name = key->name, .key = key, .stride = 1, .place = c->num++};
    column->leader = column;
  }
  column->values = values;
  column->origin = from;
  column->line = line;
  return PL_OK;
}

static pl_status take_map(pl_columns *c, const char *prefix, const pl_yaml *map, pl_origin from);

/* What stands under one key: a value, the lists of zip, or a section of more keys. */
static pl_status take(pl_columns *c, const char *name, const pl_yaml *value, pl_origin from,
                      int line) {
  const pl_key *key = pl_keys_find(c->known, c->num_known, name);
  if (key) return take_value(c, key, value, from, line);
  if (!strcmp(name, "zip")) {
    if (c->zip && from == PL_FROM_FILE) return given_twice(c, name, line, c->zip->line);
    c->zip = value;
    c->zip_origin = from;
    return PL_OK;
  }
  if (!pl_keys_section(c->known, c->num_known, name))
    return pl_columns_blame(c, from, line, name, pl_keys_unknown(c->known, c->num_known, name));
  if (value->kind == PL_YAML_MAP) return take_map(c, name, value, from);
  if (value->kind == PL_YAML_TEXT && value->plain && !*value->text) return PL_OK;
  char got[MAX_WORD];
  pl_error(PL_EINPUT, "a section: expected keys beneath it, got %s",
           pl_yaml_show(value, got, sizeof got));
  return pl_columns_blame(c, from, line, name, PL_EINPUT);
}

static pl_status take_map(pl_columns *c, const char *prefix, const pl_yaml *map, pl_origin from) {
  for (const pl_yaml *k = map->first; k; k = k->next->next) {
    char name[MAX_NAME], word[MAX_WORD];
    snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "",
             name_of(k, word, sizeof word));
    PL_TRY(take(c, name, k->next, from, k->line));
  }
  return PL_OK;
}

static pl_status take_file(pl_columns *c, const char *text, size_t len) {
  const pl_yaml *root;
  int line = 0;
  pl_status st = pl_yaml_parse(text, len, c->arena, &root, &line);
  if (!st && root->kind != PL_YAML_MAP) {
    char got[MAX_WORD];
    line = root->line;
    st = pl_error(PL_EINPUT, "expected keys and values (model.depth: 3), got %s",
                  pl_yaml_show(root, got, sizeof got));
  }
  if (st && line) return pl_error_in(st, "%s:%d: ", c->name, line);
  if (st) return pl_error_in(st, "%s: ", c->name);
  return take_map(c, "", root, PL_FROM_FILE);
}

static pl_status take_set(pl_columns *c, const char *set) {
  char name[MAX_WORD];
  const char *equals = strchr(set, '=');
  if (!equals || equals == set)
    return pl_error(PL_EINPUT, "--set %s: expected key.path=value",
                    pl_yaml_clip(set, name, sizeof name));
  pl_yaml_clip(pl_arena_text(c->arena, set, (size_t)(equals - set)), name, sizeof name);
  const pl_yaml *value;
  int line;
  pl_status st = pl_yaml_parse(equals + 1, strlen(equals + 1), c->arena, &value, &line);
  if (st) return pl_columns_blame(c, PL_FROM_SET, 0, name, st);
  return take(c, name, value, PL_FROM_SET, 0);
}

/* ---- runs ---- */

#define ZIP_FORM "expected lists of two or more keys, such as [[model.depth, optimizer.lr]]"

static pl_status zip_error(const pl_columns *c, int line) {
  return pl_columns_blame(c, c->zip_origin, line, "zip", PL_EINPUT);
}

static pl_status zip_lengths_differ(const pl_columns *c, const pl_column *a, const pl_column *b,
                                    int line) {
  /* An override is the likely culprit: the file alone was consistent. */
  if (a->origin == PL_FROM_SET && b->origin != PL_FROM_SET) {
    const pl_column *t = a;
    a = b, b = t;
  }
  pl_error(PL_EINPUT, "%s has length %lld, but %s, zipped with it, has length %lld", b->name,
           (long long)b->values.n, a->name, (long long)a->values.n);
  if (b->origin == PL_FROM_SET) return pl_columns_blame(c, PL_FROM_SET, 0, b->name, PL_EINPUT);
  return zip_error(c, line);
}

/* The column that a member of a zip list names, now marked as zipped. */
static pl_status zip_member(const pl_columns *c, const pl_yaml *member, pl_column **out) {
  char word[MAX_WORD];
  const char *name = name_of(member, word, sizeof word);
  pl_column *column = pl_columns_find(c, name);
  if (!pl_keys_find(c->known, c->num_known, name))
    pl_keys_unknown(c->known, c->num_known, name);
  else if (!column || (!column->values.list && column->origin != PL_FROM_SET))
    pl_error(PL_EINPUT, "not a list");
  else if (column->zipped)
    pl_error(PL_EINPUT, "in zip twice");
  else {
    column->zipped = true;
    *out = column;
    return PL_OK;
  }
  pl_error_in(PL_EINPUT, "%s: ", name);
  return zip_error(c, member->line);
}

static pl_status zip_list(const pl_columns *c, const pl_yaml *list) {
  if (list->kind != PL_YAML_LIST || !list->first || !list->first->next) {
    pl_error(PL_EINPUT, ZIP_FORM);
    return zip_error(c, list->line);
  }
  pl_column *leader = NULL, *column = NULL, *members = NULL;
  for (const pl_yaml *e = list->first; e; e = e->next) {
    PL_TRY(zip_member(c, e, &column));
    if (leader && column->values.n != leader->values.n)
      return zip_lengths_differ(c, leader, column, e->line);
    if (!leader || column->place < leader->place) leader = column;
    column->next_member = members;
    members = column;
  }
  for (column = members; column; column = column->next_member) column->leader = leader;
  return PL_OK;
}

static pl_status count_runs(pl_columns *c) {
  if (c->zip) {
    if (c->zip->kind != PL_YAML_LIST || !c->zip->first) {
      pl_error(PL_EINPUT, ZIP_FORM);
      return zip_error(c, c->zip->line);
    }
    for (const pl_yaml *g = c->zip->first; g; g = g->next) PL_TRY(zip_list(c, g));
  }
  c->runs = 1;
  for (int i = c->num - 1; i >= 0; i--) {
    pl_column *column = &c->column[i];
    if (column->leader != column) continue;
    column->stride = c->runs;
    if (column->values.n > PL_MAX_RUNS / c->runs)
      return pl_error(PL_EINPUT, "%s: the lists multiply to more than %d runs", c->name,
                      PL_MAX_RUNS);
    c->runs *= column->values.n;
  }
  for (int i = 0; i < c->num; i++) c->column[i].stride = c->column[i].leader->stride;
  return PL_OK;
}

pl_status pl_columns_read(pl_columns *c, const char *text, size_t len, const char *const *sets,
                          int nsets) {
  c->known = pl_keys_list(c->arena, &c->num_known);
  c->column = pl_arena_alloc(c->arena, (size_t)c->num_known, sizeof *c->column);
  PL_TRY(take_file(c, text, len));
  for (int i = 0; i < nsets; i++) PL_TRY(take_set(c, sets[i]));
  return count_runs(c);
}
