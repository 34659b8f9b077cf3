#include "base/mem.h"
#include "base/nc_read.h"
#include "nc_internal.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 1 << 16, MOST_LABEL = 4096 };

/* Labels of a file, a block of them in memory. */
typedef struct labels {
  const pl_nc *nc;
  const char *var, *what;
  int64_t n, width; /* characters of a label in the file; 0: strings or numbers */
  bool strings;
  int64_t from, have; /* the block */
  char *text;
  char **string;
  double *number;
  pl_nc_label *expected;
  const void *context;
} labels;

static void drop_block(labels *l) {
  if (l->strings && l->have) nc_free_string((size_t)l->have, l->string);
  l->have = 0;
}

static pl_status read_block(labels *l, int64_t i) {
  drop_block(l);
  int64_t n = l->n - i < BLOCK ? l->n - i : BLOCK, start[] = {i, 0}, count[] = {n, l->width};
  if (l->width) {
    PL_TRY(pl_nc_get_text(l->nc, l->var, start, count, l->text));
  } else if (l->strings) {
    int id;
    size_t at = (size_t)i, many = (size_t)n;
    nc_inq_varid(l->nc->id, l->var, &id);
    PL_TRY(pl_nc_check(l->nc, nc_get_vara_string(l->nc->id, id, &at, &many, l->string), false,
                       "read", l->var));
  } else {
    PL_TRY(pl_nc_get_doubles(l->nc, l->var, start, count, l->number));
  }
  l->from = i;
  l->have = n;
  return PL_OK;
}

/* Label i of the file without what pads it: its bytes (not terminated) and their number.  Labels
 * are asked for in order. */
static pl_status label_of(labels *l, int64_t i, const char **text, size_t *n) {
  if (i < l->from || i >= l->from + l->have) PL_TRY(read_block(l, i));
  if (l->strings) {
    const char *s = l->string[i - l->from];
    *text = s ? s : "";
    *n = strlen(*text);
  } else {
    *text = l->text + (i - l->from) * l->width;
    *n = strnlen(*text, (size_t)l->width);
  }
  while (*n > 0 && (*text)[*n - 1] == ' ') --*n;
  return PL_OK;
}

static bool same(const labels *l, int64_t i, const char *text, size_t n) {
  char label[MOST_LABEL];
  int length = l->expected(l->context, i, label, sizeof label);
  return length >= 0 && (size_t)length == n && n < sizeof label && !memcmp(label, text, n);
}

/* ---- in another order ---- */

/* Where labels are looked up: numbers of those expected by the hash of their text, -1: free. */
typedef struct table {
  int64_t *slot, mask;
} table;

static uint64_t hash_of(const char *text, size_t n) {
  uint64_t h = UINT64_C(14695981039346656037);
  for (; n > 0; n--, text++) h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
  return h ^ h >> 29;
}

static void fill(const labels *l, table *t) {
  int64_t size = 2;
  while (size < 2 * l->n) size *= 2;
  t->mask = size - 1;
  t->slot = pl_alloc((size_t)size, sizeof *t->slot, "a table of labels");
  memset(t->slot, -1, (size_t)size * sizeof *t->slot);
  char label[MOST_LABEL];
  for (int64_t i = 0; i < l->n; i++) {
    int length = l->expected(l->context, i, label, sizeof label);
    uint64_t at = hash_of(label, length > 0 && length < MOST_LABEL ? (size_t)length : 0);
    while (t->slot[at & (uint64_t)t->mask] >= 0) at++;
    t->slot[at & (uint64_t)t->mask] = i;
  }
}

static int64_t look_up(const labels *l, const table *t, const char *text, size_t n) {
  for (uint64_t at = hash_of(text, n);; at++) {
    int64_t i = t->slot[at & (uint64_t)t->mask];
    if (i < 0 || same(l, i, text, n)) return i;
  }
}

/* What can be shown of a label of the file. */
static void show(const char *text, size_t n, char *buf, size_t room) {
  size_t k = 0;
  for (; k < n && k + 1 < room; k++) buf[k] = text[k] >= ' ' && text[k] < 127 ? text[k] : '?';
  buf[k] = 0;
}

static pl_status wrong(const labels *l, int64_t i, const char *text, size_t n) {
  char found[64], label[MOST_LABEL];
  show(text, n, found, sizeof found);
  l->expected(l->context, i, label, sizeof label);
  return pl_error(PL_EINPUT, "%s: %s[%lld] is \"%s\", expected \"%.64s\": these are not the %s",
                  l->nc->path, l->var, (long long)i, found, label, l->what);
}

static pl_status twice(const labels *l, int64_t i, int64_t before, const char *label) {
  return pl_error(PL_EINPUT, "%s: %s[%lld] and %s[%lld] are both \"%.64s\"", l->nc->path, l->var,
                  (long long)before, l->var, (long long)i, label);
}

/* Numbers of all labels of the file, the first differing of which is number i. */
static pl_status find_order(labels *l, int64_t first, int64_t *order) {
  const char *text;
  size_t n;
  table t;
  int64_t *place = pl_alloc((size_t)l->n, sizeof *place, "an order of labels");
  memset(place, -1, (size_t)l->n * sizeof *place);
  fill(l, &t);
  pl_status st = PL_OK;
  for (int64_t k = 0; !st && k < l->n; k++) {
    st = label_of(l, k, &text, &n);
    if (st) break;
    int64_t i = k < first ? k : look_up(l, &t, text, n);
    if (i < 0) {
      st = wrong(l, k, text, n);
    } else if (place[i] >= 0) {
      char label[MOST_LABEL];
      l->expected(l->context, i, label, sizeof label);
      st = twice(l, k, place[i], label);
    } else {
      place[i] = k;
      order[k] = i;
    }
  }
  pl_free(t.slot);
  pl_free(place);
  return st;
}

static pl_status read_texts(labels *l, int64_t **order) {
  const char *text;
  size_t n;
  for (int64_t i = 0; i < l->n; i++) {
    PL_TRY(label_of(l, i, &text, &n));
    if (same(l, i, text, n)) continue;
    if (l->n > PL_NC_MOST_SORTED) return wrong(l, i, text, n);
    int64_t *found = pl_alloc((size_t)l->n, sizeof *found, "an order of labels");
    pl_status st = find_order(l, i, found);
    if (st)
      pl_free(found);
    else
      *order = found;
    return st;
  }
  return PL_OK;
}

/* Numbers stand for themselves, so that nothing needs to be looked up. */
static pl_status read_numbers(labels *l, int64_t **order) {
  int64_t *found = pl_alloc((size_t)l->n, sizeof *found, "an order of labels");
  char *seen = pl_zalloc((size_t)l->n, 1, "an order of labels"), label[32];
  bool other = false;
  pl_status st = PL_OK;
  for (int64_t k = 0; !st && k < l->n; k++) {
    if (k >= l->from + l->have) st = read_block(l, k);
    if (st) break;
    double x = l->number[k - l->from];
    if (!(x >= 0 && x < (double)l->n && x == (double)(int64_t)x)) {
      st = pl_error(PL_EINPUT, "%s: %s[%lld] is %.15g; the %s have numbers 0 to %lld", l->nc->path,
                    l->var, (long long)k, x, l->what, (long long)l->n - 1);
      break;
    }
    found[k] = (int64_t)x;
    other |= found[k] != k;
    if (seen[found[k]]) {
      int64_t before = 0;
      while (found[before] != found[k]) before++;
      snprintf(label, sizeof label, "%lld", (long long)found[k]);
      st = twice(l, k, before, label);
    }
    seen[found[k]] = 1;
  }
  pl_free(seen);
  if (st || !other)
    pl_free(found);
  else
    *order = found;
  return st;
}

/* ---- the variable ---- */

static pl_status find(const pl_nc *nc, const char *var, const char *dim, int64_t n, labels *l) {
  int id, rank, dims[NC_MAX_VAR_DIMS];
  char name[NC_MAX_NAME + 1] = "", found[PL_NC_DESCRIPTION];
  size_t length = 0, width = 0;
  nc_type type;
  if (nc_inq_varid(nc->id, var, &id)) return pl_nc_no_variable(nc, var);
  nc_inq_var(nc->id, id, NULL, &type, &rank, dims, NULL);
  if (rank > 0) nc_inq_dim(nc->id, dims[0], name, &length);
  if (rank > 1) nc_inq_dimlen(nc->id, dims[1], &width);
  bool chars = type == NC_CHAR;
  if (type > NC_STRING || rank != (chars ? 2 : 1) || strcmp(name, dim) || (int64_t)length != n ||
      (chars && (width < 1 || width > MOST_LABEL))) {
    pl_nc_describe(nc, var, found);
    return pl_error(PL_EINPUT, "%s: found %s, expected one label for each of the %lld %s: %s(%s%s)",
                    nc->path, found, (long long)n, l->what, var, dim, chars ? ", any" : "");
  }
  l->width = chars ? (int64_t)width : 0;
  l->strings = type == NC_STRING;
  return PL_OK;
}

pl_status pl_nc_labels(const pl_nc *nc, const char *var, const char *dim, int64_t n,
                       pl_nc_label *expected, const void *context, const char *what,
                       int64_t **order) {
  labels l = {.nc = nc, .var = var, .what = what, .n = n, .expected = expected, .context = context};
  int64_t *found = NULL;
  PL_TRY(find(nc, var, dim, n, &l));
  size_t block = (size_t)(n < BLOCK ? n : BLOCK);
  if (l.width)
    l.text = pl_alloc(block, (size_t)l.width, "labels");
  else if (l.strings)
    l.string = pl_zalloc(block, sizeof *l.string, "labels");
  else
    l.number = pl_alloc(block, sizeof *l.number, "labels");
  pl_status st = l.number ? read_numbers(&l, &found) : read_texts(&l, &found);
  drop_block(&l);
  pl_free(l.text);
  pl_free(l.string);
  pl_free(l.number);
  if (!st) *order = found;
  return st;
}
