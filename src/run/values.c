#include "run/values.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a list's entry: int64_t, double or const char *. */
enum { ENTRY = 8 };
_Static_assert(sizeof(int64_t) == ENTRY && sizeof(double) == ENTRY && sizeof(char *) == ENTRY,
               "lists have entries of one size");

static bool is_list(const pl_key *key) {
  return key->type >= PL_KEY_INTS;
}

/* The type of a list's entries; other types stand for themselves. */
static pl_key_type entry_type(const pl_key *key) {
  switch (key->type) {
  case PL_KEY_INTS:
    return PL_KEY_INT;
  case PL_KEY_REALS:
    return PL_KEY_REAL;
  case PL_KEY_TEXTS:
    return PL_KEY_TEXT;
  default:
    return key->type;
  }
}

/* The three list types differ only in what v points to. */
static void set_list(const pl_key *key, void *slot, int n, const void *v) {
  if (key->type == PL_KEY_INTS)
    *(pl_ints *)slot = (pl_ints){n, v};
  else if (key->type == PL_KEY_REALS)
    *(pl_reals *)slot = (pl_reals){n, v};
  else
    *(pl_texts *)slot = (pl_texts){n, v};
}

/* ---- one scalar ---- */

static bool get_real(const char *text, double *out) {
  /* strtod alone would take hexadecimal numbers, infinities and leading blanks. */
  if (!*text || text[strspn(text, "0123456789+-.eE")]) return false;
  char *end;
  double x = strtod(text, &end);
  if (*end || !isfinite(x)) return false;
  *out = x;
  return true;
}

/* Integers beyond 2^53 would blur where bounds are compared as doubles. */
#define EXACT ((int64_t)1 << 53)

static bool get_int(const char *text, int64_t *out) {
  double x;
  if (!get_real(text, &x)) return false;
  char *end;
  errno = 0;
  int64_t i = strtoll(text, &end, 10);
  if (*end || errno) { /* forms like 1e4 */
    if (x != floor(x) || fabs(x) > 0x1p53) return false;
    i = (int64_t)x;
  }
  if (i > EXACT || i < -EXACT) return false;
  *out = i;
  return true;
}

static bool in_bounds(const pl_key *key, double x) {
  return x >= key->min && x <= key->max;
}

/* YAML 1.2 has three spellings of its words. */
static bool is_word(const char *text, const char *a, const char *b, const char *c) {
  return !strcmp(text, a) || !strcmp(text, b) || !strcmp(text, c);
}

static bool is_null(const pl_yaml *node) {
  return node->kind == PL_YAML_TEXT && node->plain &&
         (!strcmp(node->text, "~") || is_word(node->text, "null", "Null", "NULL"));
}

static bool get_scalar(const pl_key *key, const pl_yaml *node, void *slot) {
  int64_t i = 0;
  double x = 0;
  if (node->kind != PL_YAML_TEXT) return false;
  bool word = key->word && !strcmp(node->text, key->word);
  switch (entry_type(key)) {
  case PL_KEY_INT:
    if (word)
      i = (int64_t)key->word_value;
    else if (!get_int(node->text, &i) || !in_bounds(key, (double)i))
      return false;
    memcpy(slot, &i, sizeof i);
    return true;
  case PL_KEY_REAL:
    if (word)
      x = key->word_value;
    else if (!get_real(node->text, &x) || !in_bounds(key, x))
      return false;
    memcpy(slot, &x, sizeof x);
    return true;
  case PL_KEY_BOOL:
    i = is_word(node->text, "true", "True", "TRUE");
    memcpy(slot, &i, sizeof i);
    return i || is_word(node->text, "false", "False", "FALSE");
  case PL_KEY_CHOICE:
    while (key->choice((int)i) && strcmp(key->choice((int)i), node->text) != 0) i++;
    memcpy(slot, &i, sizeof i);
    return key->choice((int)i) != NULL;
  default: {
    /* Only a key whose default is empty may be empty: "group:" is a slip. */
    bool may_be_empty = key->type == PL_KEY_TEXT && key->fallback && !*key->fallback;
    memcpy(slot, &node->text, sizeof node->text);
    return *node->text || (may_be_empty && !node->plain);
  }
  }
}

/* ---- messages ---- */

static pl_status wrong(const pl_key *key, const pl_yaml *node, int *line) {
  char expects[512], got[80];
  pl_key_expects(key, expects, sizeof expects);
  bool quotes = node->kind == PL_YAML_MAP && entry_type(key) == PL_KEY_TEXT;
  *line = node->line;
  return pl_error(PL_EINPUT, "expected %s, got %s%s", expects, pl_yaml_show(node, got, sizeof got),
                  quotes ? "; a value with a colon or a comma needs quotes" : "");
}

static pl_status refuse(const pl_yaml *node, int *line, const char *what) {
  *line = node->line;
  return pl_error(PL_EINPUT, "%s", what);
}

/* An unquoted "perm:(1,2)" in a list falls into two texts at its comma. */
static bool cut_at_comma(const pl_key *key, const pl_yaml *node) {
  if (entry_type(key) != PL_KEY_TEXT || node->kind != PL_YAML_TEXT || !node->plain) return false;
  int open = 0;
  for (const char *c = node->text; *c; c++) open += (*c == '(') - (*c == ')');
  return open != 0;
}

/* ---- one key ---- */

/* One value of a key whose type is a list: a list of scalars, or a scalar alone. */
static pl_status get_list(const pl_key *key, const pl_yaml *node, pl_arena *arena, void *slot,
                          int *line) {
  const pl_yaml *first = node->kind == PL_YAML_LIST ? node->first : node;
  int n = node->kind == PL_YAML_LIST ? 0 : 1;
  if (!n)
    for (const pl_yaml *e = first; e; e = e->next) n++;
  char *v = pl_arena_alloc(arena, (size_t)n, ENTRY);
  const pl_yaml *e = first;
  for (int i = 0; i < n; i++, e = e->next) {
    if (cut_at_comma(key, e))
      return refuse(e, line, "a value with a colon or a comma needs quotes");
    if (!get_scalar(key, e, v + (size_t)i * ENTRY)) return wrong(key, e, line);
    const int64_t *steps = (const int64_t *)(const void *)v;
    if (key->ascending && i > 0 && steps[i] <= steps[i - 1]) {
      *line = e->line;
      return pl_error(PL_EINPUT, "expected ascending values, got %lld after %lld",
                      (long long)steps[i], (long long)steps[i - 1]);
    }
  }
  set_list(key, slot, n, v);
  return PL_OK;
}

/* Is node a range a..b?  Its ends may still be out of bounds or descend. */
static bool get_range(const pl_key *key, const pl_yaml *node, int64_t *a, int64_t *b) {
  if (!key->range || node->kind != PL_YAML_TEXT) return false;
  const char *dots = strstr(node->text, "..");
  char left[32];
  if (!dots || (size_t)(dots - node->text) >= sizeof left) return false;
  snprintf(left, sizeof left, "%.*s", (int)(dots - node->text), node->text);
  return get_int(left, a) && get_int(dots + 2, b);
}

/* How many values node stands for. */
static pl_status span(const pl_key *key, const pl_yaml *node, int64_t *n, int *line) {
  int64_t a, b;
  *n = 1;
  if (!get_range(key, node, &a, &b)) return PL_OK;
  if (!in_bounds(key, (double)a) || !in_bounds(key, (double)b)) return wrong(key, node, line);
  if (b < a) return refuse(node, line, "expected a range that ascends");
  *n = b - a + 1;
  return PL_OK;
}

/* Is node several values of key, rather than one? */
static bool is_swept(const pl_key *key, const pl_yaml *node) {
  if (node->kind != PL_YAML_LIST) return false;
  if (!is_list(key)) return true;
  for (const pl_yaml *e = node->first; e; e = e->next)
    if (e->kind == PL_YAML_LIST) return true;
  return false;
}

pl_status pl_values_split(const pl_key *key, const pl_yaml *node, pl_arena *arena, pl_elements *out,
                          int *line) {
  bool swept = is_swept(key, node);
  int64_t a, b, n = 0, k;
  if (key->whole && swept)
    return refuse(node, line, "expected one value for the whole sweep, got a list");
  const pl_yaml *first = swept ? node->first : node, *end = swept ? NULL : node->next;
  if (!first) return refuse(node, line, "expected at least one value, got an empty list");
  for (const pl_yaml *e = first; e != end; e = e->next, n += k) {
    PL_TRY(span(key, e, &k, line));
    if (swept && cut_at_comma(key, e))
      return refuse(e, line, "a value with a colon or a comma needs quotes");
    if (k > PL_MAX_VALUES - n) {
      *line = e->line;
      return pl_error(PL_EINPUT, "more than %d values", PL_MAX_VALUES);
    }
  }
  pl_element *v = pl_arena_alloc(arena, (size_t)n, sizeof *v);
  n = 0;
  for (const pl_yaml *e = first; e != end; e = e->next) {
    PL_TRY(span(key, e, &k, line));
    for (int64_t i = 0; i < k; i++) v[n++] = (pl_element){e, i};
  }
  *out = (pl_elements){n, v, swept || get_range(key, node, &a, &b)};
  return PL_OK;
}

pl_status pl_value_parse(const pl_key *key, const char *fallback, const pl_element *e,
                         pl_arena *arena, void *slot, int *line) {
  int64_t a, b;
  if (is_null(e->node)) {
    if (key->required) return wrong(key, e->node, line);
    pl_value_default(key, fallback, arena, slot);
    return PL_OK;
  }
  if (is_list(key)) return get_list(key, e->node, arena, slot, line);
  if (get_range(key, e->node, &a, &b)) {
    if (!in_bounds(key, (double)(a + e->plus))) return wrong(key, e->node, line);
    a += e->plus;
    memcpy(slot, &a, sizeof a);
    return PL_OK;
  }
  return get_scalar(key, e->node, slot) ? PL_OK : wrong(key, e->node, line);
}

/* ---- defaults ---- */

static void set_unset(const pl_key *key, void *slot) {
  int64_t i = PL_UNSET;
  double x = NAN;
  if (key->type == PL_KEY_REAL)
    memcpy(slot, &x, sizeof x);
  else if (key->type < PL_KEY_TEXT)
    memcpy(slot, &i, sizeof i);
}

void pl_value_default(const pl_key *key, const char *fallback, pl_arena *arena, void *slot) {
  int line = 0;
  memset(slot, 0, pl_value_size(key));
  if (!fallback || !*fallback) {
    const char *empty = "";
    if (!fallback)
      set_unset(key, slot);
    else if (key->type == PL_KEY_TEXT)
      memcpy(slot, &empty, sizeof empty);
    return;
  }
  pl_element e = {0};
  if (pl_yaml_parse(fallback, strlen(fallback), arena, &e.node, &line) ||
      pl_value_parse(key, NULL, &e, arena, slot, &line))
    pl_die(PL_EBUG, "default of %s: %s", key->name, pl_error_message());
}

/* ---- back to YAML ---- */

typedef struct writer {
  char *buf;
  size_t n, used;
} writer;

static void put(writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(writer *w, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  size_t room = w->used < w->n ? w->n - w->used : 0;
  w->used += (size_t)vsnprintf(room ? w->buf + w->used : NULL, room, fmt, ap);
  va_end(ap);
}

static void put_text(writer *w, const char *text) {
  static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/-. ";
  size_t n = strlen(text);
  if (n && !text[strspn(text, safe)] && !strchr("-. ", text[0]) && text[n - 1] != ' ' &&
      !is_word(text, "null", "Null", "NULL")) {
    put(w, "%s", text);
    return;
  }
  put(w, "\"");
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    /* Raw beyond ASCII, but for what YAML reads as a line break or refuses unescaped. */
    bool control = c[0] == 0xc2 && c[1] < 0xa1;
    bool odd = (c[0] == 0xe2 && c[1] == 0x80) || (c[0] == 0xef && c[1] >= 0xbb);
    if (*c == '"' || *c == '\\')
      put(w, "\\%c", *c);
    else if (*c < ' ' || *c == 127)
      put(w, "\\x%02x", *c);
    else if (control)
      put(w, "\\x%02x", *++c);
    else if (odd) {
      put(w, "\\u%04x", (c[0] & 15u) << 12 | (c[1] & 63u) << 6 | (c[2] & 63u));
      c += 2;
    } else
      put(w, "%c", *c);
  }
  put(w, "\"");
}

static void put_real(writer *w, double x) {
  char text[40];
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, x);
    if (strtod(text, NULL) == x) break;
  }
  put(w, "%s", text);
}

static void put_scalar(writer *w, const pl_key *key, const void *v) {
  int64_t i;
  double x;
  const char *text;
  switch (entry_type(key)) {
  case PL_KEY_TEXT:
    memcpy(&text, v, sizeof text);
    if (text) put_text(w, text);
    return;
  case PL_KEY_REAL:
    memcpy(&x, v, sizeof x);
    if (isnan(x)) return;
    if (key->word && x == key->word_value)
      put(w, "%s", key->word);
    else
      put_real(w, x);
    return;
  default:
    memcpy(&i, v, sizeof i);
    if (i == PL_UNSET) return;
    if (key->type == PL_KEY_BOOL)
      put(w, "%s", i ? "true" : "false");
    else if (key->type == PL_KEY_CHOICE)
      put(w, "%s", key->choice((int)i));
    else if (key->word && (double)i == key->word_value)
      put(w, "%s", key->word);
    else
      put(w, "%lld", (long long)i);
  }
}

static void put_list(writer *w, const pl_key *key, int n, const void *v) {
  /* An empty list is a value of its own only where the default is another. */
  if (n == 0 && !(key->fallback && *key->fallback)) return;
  put(w, "[");
  for (int i = 0; i < n; i++) {
    if (i) put(w, ", ");
    put_scalar(w, key, (const char *)v + (size_t)i * ENTRY);
  }
  put(w, "]");
}

int pl_value_print(const pl_key *key, const void *v, char *buf, size_t n) {
  writer w = {buf, n, 0};
  if (n) *buf = 0;
  if (key->type == PL_KEY_INTS) {
    const pl_ints *l = v;
    put_list(&w, key, l->n, l->v);
  } else if (key->type == PL_KEY_REALS) {
    const pl_reals *l = v;
    put_list(&w, key, l->n, l->v);
  } else if (key->type == PL_KEY_TEXTS) {
    const pl_texts *l = v;
    put_list(&w, key, l->n, l->v);
  } else
    put_scalar(&w, key, v);
  return (int)w.used;
}
