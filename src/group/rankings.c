#include "group/rankings.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX = PL_RANKINGS_MAX, SHOWN = 24 };
static const int64_t MOST_BYTES = INT64_C(1) << 30;
static const int64_t MOST = INT64_C(1) << 53;

/* What the lines to come may be. */
typedef enum { UNKNOWN, ORDERS, COUNTED, OLD_NAMES, OLD_SUMS, OLD_COUNTED } form;

typedef struct parser {
  const char *path;
  int line;
  form form;
  int names;              /* read so far, in the old form */
  int64_t voters, unique; /* by the header; -1: not given */
  int voters_line, unique_line;
  int64_t room; /* orders that fit the arrays */
  pl_rankings *r;
} parser;

/* ---- messages ---- */

static pl_status wrong_at(const parser *p, int line, const char *what) {
  return pl_error(PL_EINPUT, "%s, line %d: %s", p->path, line, what);
}

static pl_status wrong(const parser *p, const char *what) {
  return wrong_at(p, p->line, what);
}

/* "WHAT, found .." with the text at fault, of which only what can be shown. */
static pl_status expected(const parser *p, const char *what, const char *found) {
  int n = 0;
  while (n < SHOWN && (unsigned char)found[n] >= ' ' && found[n] != 127) n++;
  if (!*found) return pl_error(PL_EINPUT, "%s, line %d: expected %s", p->path, p->line, what);
  return pl_error(PL_EINPUT, "%s, line %d: expected %s, found \"%.*s\"", p->path, p->line, what, n,
                  found);
}

/* ---- words ---- */

static bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static char *skip(char *s) {
  while (blank(*s)) s++;
  return s;
}

/* A number without sign, up to 2^53, and the blanks after it. */
static bool number(char **s, int64_t *out) {
  int64_t v = 0;
  char *at = *s;
  for (; isdigit((unsigned char)*at); at++) {
    v = 10 * v + (*at - '0');
    if (v > MOST) return false;
  }
  if (at == *s) return false;
  *s = skip(at);
  *out = v;
  return true;
}

/* This character and the blanks after it. */
static bool mark(char **s, char c) {
  if (**s != c) return false;
  *s = skip(*s + 1);
  return true;
}

/* ---- items and orders ---- */

static pl_status set_items(parser *p, int64_t n) {
  pl_rankings *r = p->r;
  if (r->n) return wrong(p, "the number of items is already known");
  if (n < 2 || n > MAX)
    return pl_error(PL_EINPUT, "%s, line %d: %lld item%s; expected 2 to %d", p->path, p->line,
                    (long long)n, n == 1 ? "" : "s", MAX);
  r->n = (int)n;
  r->name = pl_zalloc((size_t)n, sizeof *r->name, "names of items");
  return PL_OK;
}

static pl_status set_name(parser *p, int64_t i, const char *text) {
  pl_rankings *r = p->r;
  if (!r->n) return wrong(p, "expected NUMBER ALTERNATIVES before the names");
  if (i < 1 || i > r->n)
    return pl_error(PL_EINPUT, "%s, line %d: a name for item %lld of %d", p->path, p->line,
                    (long long)i, r->n);
  if (r->name[i - 1]) return wrong(p, "this item has a name already");
  if (!*text) return PL_OK;
  /* It becomes text of NetCDF files, which nothing could read. */
  if (pl_text_not_utf8(text, strlen(text)) >= 0)
    return pl_error(PL_EINPUT,
                    "%s, line %d: the name of item %lld is not UTF-8 (iconv -f latin1 -t utf8 may "
                    "make it so)",
                    p->path, p->line, (long long)i);
  char *name = r->name[i - 1] = pl_strdup(text);
  for (; *name; name++)
    if ((unsigned char)*name < ' ' || *name == 127) *name = '?';
  return PL_OK;
}

static pl_status add_order(parser *p, char *s, int64_t count) {
  pl_rankings *r = p->r;
  int64_t items[MAX + 1]; /* one more is one too many, or stands twice */
  int n = 0;
  do {
    if (*s == '{') return wrong(p, "a tie; expected a complete strict order of the items");
    if (!number(&s, items + n)) return expected(p, "the number of an item", s);
    n++;
  } while ((mark(&s, ',') || *s) && n <= MAX);
  if (!r->n) PL_TRY(set_items(p, n));
  if (r->num == p->room) {
    p->room = 2 * p->room + 64;
    r->rank = pl_realloc(r->rank, (size_t)(p->room * r->n), 1, "rankings");
    r->count = pl_realloc(r->count, (size_t)p->room, sizeof *r->count, "rankings");
  }
  int8_t *rank = r->rank + r->num * r->n;
  memset(rank, -1, (size_t)r->n);
  for (int j = 0; j < n; j++) {
    int64_t i = items[j];
    if (i < 1 || i > r->n)
      return pl_error(PL_EINPUT, "%s, line %d: item %lld; expected 1 to %d", p->path, p->line,
                      (long long)i, r->n);
    if (rank[i - 1] >= 0)
      return pl_error(PL_EINPUT,
                      "%s, line %d: item %lld stands twice; expected each of 1 to %d once", p->path,
                      p->line, (long long)i, r->n);
    rank[i - 1] = (int8_t)j;
  }
  for (int i = 0; i < r->n; i++)
    if (rank[i] < 0)
      return pl_error(PL_EINPUT, "%s, line %d: item %d is missing; expected each of 1 to %d once",
                      p->path, p->line, i + 1, r->n);
  if (count < 1) return wrong(p, "a count of 0; expected at least 1");
  r->ballots += count;
  if (r->ballots > MOST) return wrong(p, "the counts add up to more than 2^53");
  r->count[r->num++] = count;
  return PL_OK;
}

/* ---- lines ---- */

/* The value of "KEY: VALUE" if s is that, else NULL. */
static char *value_of(char *s, const char *key) {
  size_t n = strlen(key);
  if (strncmp(s, key, n)) return NULL;
  s = skip(s + n);
  return mark(&s, ':') ? s : NULL;
}

static pl_status header_number(const parser *p, const char *key, char *s, int64_t *out) {
  char *at = s;
  if (number(&at, out) && !*at) return PL_OK;
  char what[64];
  snprintf(what, sizeof what, "a number after %s:", key);
  return expected(p, what, s);
}

static pl_status parse_comment(parser *p, char *s) {
  static const char ITEMS[] = "NUMBER ALTERNATIVES", NAME[] = "ALTERNATIVE NAME",
                    VOTERS[] = "NUMBER VOTERS", UNIQUE[] = "NUMBER UNIQUE ORDERS";
  int64_t n = 0;
  char *value = value_of(s, ITEMS);
  if (value) {
    PL_TRY(header_number(p, ITEMS, value, &n));
    return set_items(p, n);
  }
  if ((value = value_of(s, VOTERS))) {
    p->voters_line = p->line;
    return header_number(p, VOTERS, value, &p->voters);
  }
  if ((value = value_of(s, UNIQUE))) {
    p->unique_line = p->line;
    return header_number(p, UNIQUE, value, &p->unique);
  }
  if ((value = value_of(s, "DATA TYPE")))
    return strcmp(value, "soc") ? expected(p, "DATA TYPE: soc, complete strict orders", value)
                                : PL_OK;
  if (!strncmp(s, NAME, sizeof NAME - 1)) {
    s = skip(s + sizeof NAME - 1);
    if (number(&s, &n) && mark(&s, ':')) return set_name(p, n, s);
  }
  return PL_OK;
}

/* The first line that is no comment tells the form. */
static pl_status choose_form(parser *p, char *s) {
  int64_t n;
  char *at = s;
  if (number(&at, &n) && !*at && !p->r->n) {
    p->form = OLD_NAMES;
    return set_items(p, n);
  }
  p->form = strchr(s, ':') ? COUNTED : ORDERS;
  return PL_OK;
}

static pl_status parse_old_name(parser *p, char *s) {
  int64_t i;
  char *at = s;
  if (!number(&at, &i) || i != p->names + 1 || !mark(&at, ',')) {
    char what[64];
    snprintf(what, sizeof what, "\"%d,NAME\", item %d of %d", p->names + 1, p->names + 1, p->r->n);
    return expected(p, what, s);
  }
  if (++p->names == p->r->n) p->form = OLD_SUMS;
  return set_name(p, i, at);
}

static pl_status parse_old_sums(parser *p, char *s) {
  int64_t people;
  char *at = s;
  if (!number(&at, &people) || !mark(&at, ',') || !number(&at, &p->voters) || !mark(&at, ',') ||
      !number(&at, &p->unique) || *at)
    return expected(p, "\"VOTERS,SUM,UNIQUE\"", s);
  p->voters_line = p->unique_line = p->line;
  p->form = OLD_COUNTED;
  return PL_OK;
}

static pl_status parse_line(parser *p, char *s) {
  s = skip(s);
  for (char *end = s + strlen(s); end > s && blank(end[-1]);) *--end = 0;
  if (!*s) return PL_OK;
  if (mark(&s, '#')) return parse_comment(p, s);
  bool first = p->form == UNKNOWN;
  if (first) PL_TRY(choose_form(p, s));
  if (p->form == OLD_NAMES) return first ? PL_OK : parse_old_name(p, s);
  if (p->form == OLD_SUMS) return parse_old_sums(p, s);
  if (p->form == ORDERS) return add_order(p, s, 1);
  int64_t count;
  char *at = s;
  if (!number(&at, &count) || !mark(&at, p->form == COUNTED ? ':' : ','))
    return expected(p, p->form == COUNTED ? "\"COUNT: ORDER\"" : "\"COUNT,ORDER\"", s);
  return add_order(p, at, count);
}

/* ---- the whole ---- */

static int compare(const void *a, const void *b, void *context) {
  const pl_rankings *r = context;
  const int64_t *x = a, *y = b;
  return memcmp(r->rank + *x * r->n, r->rank + *y * r->n, (size_t)r->n);
}

/* Sort the orders and make one of equal ones. */
static void merge(pl_rankings *r) {
  int64_t *by = pl_alloc((size_t)r->num, sizeof *by, "rankings"), last = -1;
  int8_t *rank = pl_alloc((size_t)(r->num * r->n), 1, "rankings");
  int64_t *count = pl_alloc((size_t)r->num, sizeof *count, "rankings");
  for (int64_t o = 0; o < r->num; o++) by[o] = o;
  qsort_r(by, (size_t)r->num, sizeof *by, compare, r);
  for (int64_t o = 0; o < r->num; o++) {
    if (o && !compare(by + o - 1, by + o, r)) {
      count[last] += r->count[by[o]];
      continue;
    }
    count[++last] = r->count[by[o]];
    memcpy(rank + last * r->n, r->rank + by[o] * r->n, (size_t)r->n);
  }
  pl_free(by);
  pl_free(r->rank);
  pl_free(r->count);
  r->rank = rank;
  r->count = count;
  r->num = last + 1;
}

static pl_status finish(parser *p) {
  pl_rankings *r = p->r;
  if (!r->num) return pl_error(PL_EINPUT, "%s: no ballots; expected orders of items", p->path);
  merge(r);
  char what[128];
  if (p->voters >= 0 && p->voters != r->ballots) {
    snprintf(what, sizeof what, "%lld voters, but the counts add up to %lld", (long long)p->voters,
             (long long)r->ballots);
    return wrong_at(p, p->voters_line, what);
  }
  if (p->unique >= 0 && p->unique != r->num) {
    snprintf(what, sizeof what, "%lld unique orders, but the file has %lld", (long long)p->unique,
             (long long)r->num);
    return wrong_at(p, p->unique_line, what);
  }
  for (int i = 0; i < r->n; i++)
    if (!r->name[i]) r->name[i] = pl_asprintf("%d", i + 1);
  return PL_OK;
}

pl_status pl_rankings_parse(const char *path, const char *text, size_t size, pl_rankings **out) {
  if (size && memchr(text, 0, size))
    return pl_error(PL_EINPUT, "%s: not a text file; expected rankings", path);
  parser p = {.path = path, .voters = -1, .unique = -1};
  p.r = pl_zalloc(1, sizeof *p.r, "rankings");
  char *copy = pl_alloc(size + 1, 1, "a file of rankings");
  if (size) memcpy(copy, text, size);
  copy[size] = 0;
  pl_status st = PL_OK;
  for (char *at = pl_text_start(copy), *line; !st && (line = pl_text_line(&at));) {
    p.line++;
    st = parse_line(&p, line);
  }
  if (!st) st = finish(&p);
  pl_free(copy);
  if (st)
    pl_rankings_free(p.r);
  else
    *out = p.r;
  return st;
}

pl_status pl_rankings_read(const char *path, pl_rankings **out) {
  char *text;
  size_t size;
  PL_TRY(pl_file_read(path, MOST_BYTES, "rankings", &text, &size));
  pl_status st = pl_rankings_parse(path, text, size, out);
  pl_free(text);
  return st;
}

void pl_rankings_free(pl_rankings *r) {
  if (!r) return;
  for (int i = 0; r->name && i < r->n; i++) pl_free(r->name[i]);
  pl_free(r->name);
  pl_free(r->rank);
  pl_free(r->count);
  pl_free(r);
}
