#include "rankings_text.h"

#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX = PL_RANKINGS_MAX, SHOWN = 24 };
static const int64_t MOST = INT64_C(1) << 53;

/* What the lines to come may be. */
typedef enum { UNKNOWN, ORDERS, COUNTED, OLD_NAMES, OLD_SUMS, OLD_COUNTED } form;

/* What ballots may be, by the end of a name and by DATA TYPE. */
typedef struct kind {
  const char *name, *what;
  bool ties, missing;
} kind;

static const kind kinds[] = {
    {"soc", "a complete strict order of the items", false, false},
    {"soi", "a strict order of items", false, true},
    {"toc", "a complete order of the items", true, false},
    {"toi", "an order of items", true, true},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct parser {
  const char *path;
  int line;
  form form;
  kind kind;          /* name NULL: the file has not said */
  int base;           /* number of the first item */
  bool names_in_file; /* declared before the orders */
  bool by_name;       /* orders consist of names */
  int names;          /* read so far, in the old form */
  int64_t room;       /* orders that fit the arrays */
  rankings_text *out;
  pl_rankings *r; /* out->r */
} parser;

/* ---- messages ---- */

static pl_status wrong(const parser *p, const char *what) {
  return pl_error(PL_EINPUT, "%s, line %d: %s", p->path, p->line, what);
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

/* What stands before the next comma or brace: its start, and its length without blanks at the end.
 */
static char *word(char **s, int *length) {
  char *start = *s, *at = start + strcspn(start, ",{}");
  *s = at;
  while (at > start && blank(at[-1])) at--;
  *length = (int)(at - start);
  return start;
}

/* ---- items ---- */

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

/* The name of item i, from 0. */
static pl_status set_name(parser *p, int64_t i, const char *text) {
  pl_rankings *r = p->r;
  if (!r->n) return wrong(p, "expected NUMBER ALTERNATIVES before the names");
  if (i < 0 || i >= r->n)
    return pl_error(PL_EINPUT, "%s, line %d: a name for item %lld of %d", p->path, p->line,
                    (long long)i + p->base, r->n);
  if (r->name[i]) return wrong(p, "this item has a name already");
  if (!*text) return PL_OK;
  /* It becomes text of NetCDF files, which nothing could read. */
  if (pl_text_not_utf8(text, strlen(text)) >= 0)
    return pl_error(PL_EINPUT,
                    "%s, line %d: the name of item %lld is not UTF-8 (iconv -f latin1 -t utf8 may "
                    "make it so)",
                    p->path, p->line, (long long)i + p->base);
  char *name = r->name[i] = pl_strdup(text);
  for (; *name; name++)
    if ((unsigned char)*name < ' ' || *name == 127) *name = '?';
  p->names_in_file = true;
  return PL_OK;
}

/* Names with commas between, of the items in that order; braces are as blanks.  s is spent. */
static pl_status set_names(parser *p, char *s) {
  int n = 1;
  for (char *at = s; *at; at++) {
    n += *at == ',';
    if (*at == '{' || *at == '}') *at = ' ';
  }
  PL_TRY(set_items(p, n));
  s = skip(s);
  for (int i = 0, length; i < n; i++) {
    char *name = word(&s, &length);
    if (!length) return expected(p, "the name of an item", name);
    mark(&s, ',');
    name[length] = 0;
    for (int k = 0; k < i; k++)
      if (!strcmp(p->r->name[k], name))
        return pl_error(PL_EINPUT, "%s, line %d: the name \"%s\" stands twice", p->path, p->line,
                        name);
    PL_TRY(set_name(p, i, name));
  }
  return PL_OK;
}

/* ---- orders ---- */

/* Does this order, the first, consist of names?  Of a file that has declared none, only where
 * commas leave no doubt. */
static bool has_names(const parser *p, char *s) {
  int length;
  while (*s == '{') s = skip(s + 1);
  char *first = word(&s, &length);
  if (strspn(first, "0123456789 \t") >= (size_t)length) return false;
  bool letter = isalpha((unsigned char)*first) || (unsigned char)*first > 127;
  return p->names_in_file || (p->form == ORDERS && letter && *s);
}

/* The item at *s, from 0. */
static pl_status item(const parser *p, char **s, int64_t *out) {
  if (!p->by_name) {
    if (!number(s, out)) return expected(p, "the number of an item", *s);
    *out -= p->base;
    return PL_OK;
  }
  int length;
  char *name = word(s, &length);
  for (*out = 0; *out < p->r->n; ++*out) {
    const char *known = p->r->name[*out];
    if (known && strlen(known) == (size_t)length && !strncmp(known, name, (size_t)length))
      return PL_OK;
  }
  return expected(p, "the name of an item", name);
}

/* One line's items, from 0, and what of them stands above each; how many. */
typedef struct order {
  int n;
  int64_t item[MAX + 1]; /* one more is one too many, or stands twice */
  int8_t above[MAX + 1];
} order;

static pl_status read_order(const parser *p, char *s, order *o) {
  int tie = -1; /* where the tie that is open began */
  do {
    if (tie < 0 && *s == '{') {
      if (!p->kind.ties)
        return pl_error(PL_EINPUT, "%s, line %d: a tie; expected %s", p->path, p->line,
                        p->kind.what);
      mark(&s, '{');
      tie = o->n;
    }
    PL_TRY(item(p, &s, o->item + o->n));
    o->above[o->n] = (int8_t)(tie < 0 ? o->n : tie);
    o->n++;
    if (tie >= 0 && mark(&s, '}')) tie = -1;
  } while ((mark(&s, ',') || *s) && o->n <= MAX);
  return tie < 0 || o->n > MAX ? PL_OK : wrong(p, "a tie that does not end; expected \"}\"");
}

/* The ranks of all items, those that are missing below the others. */
static pl_status place(const parser *p, const order *o, int8_t *rank) {
  int n = p->r->n, first = p->base, last = n - 1 + p->base;
  memset(rank, -1, (size_t)n);
  for (int k = 0; k < o->n; k++) {
    int64_t i = o->item[k];
    if (i < 0 || i >= n)
      return pl_error(PL_EINPUT, "%s, line %d: item %lld; expected %d to %d%s", p->path, p->line,
                      (long long)i + first, first, last,
                      i == -1 ? " (files that count from 0 are read on request)" : "");
    if (rank[i] >= 0)
      return pl_error(PL_EINPUT,
                      "%s, line %d: item %lld stands twice; expected each of %d to %d once",
                      p->path, p->line, (long long)i + first, first, last);
    rank[i] = o->above[k];
  }
  for (int i = 0; i < n; i++) {
    if (rank[i] >= 0) continue;
    if (!p->kind.missing)
      return pl_error(PL_EINPUT, "%s, line %d: item %d is missing; expected each of %d to %d once",
                      p->path, p->line, i + first, first, last);
    rank[i] = (int8_t)o->n;
  }
  return PL_OK;
}

/* Before the first order: what the file has not said follows from it. */
static pl_status begin_orders(parser *p, char *s) {
  if (!p->kind.name) p->kind = (kind){.ties = true, .missing = p->r->n > 0};
  p->by_name = has_names(p, s);
  if (!p->by_name || p->r->n) return PL_OK;
  char *copy = pl_strdup(s);
  pl_status st = set_names(p, copy);
  pl_free(copy);
  return st;
}

static pl_status add_order(parser *p, char *s, int64_t count) {
  pl_rankings *r = p->r;
  order o = {0};
  if (!r->num) PL_TRY(begin_orders(p, s));
  PL_TRY(read_order(p, s, &o));
  if (!r->n) PL_TRY(set_items(p, o.n));
  if (r->num == p->room) {
    p->room = 2 * p->room + 64;
    r->rank = pl_realloc(r->rank, (size_t)(p->room * r->n), 1, "rankings");
    r->count = pl_realloc(r->count, (size_t)p->room, sizeof *r->count, "rankings");
    p->out->listed = pl_realloc(p->out->listed, (size_t)p->room, 1, "rankings");
  }
  PL_TRY(place(p, &o, r->rank + r->num * r->n));
  if (count < 1) return wrong(p, "a count of 0; expected at least 1");
  r->ballots += count;
  if (r->ballots > MOST) return wrong(p, "the counts add up to more than 2^53");
  p->out->listed[r->num] = (int8_t)o.n;
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

static pl_status set_kind(parser *p, const char *type) {
  char what[128];
  for (int k = 0; k < KINDS; k++) {
    if (strcmp(type, kinds[k].name)) continue;
    if (!p->kind.name) p->kind = kinds[k];
    if (!strcmp(p->kind.name, type)) return PL_OK;
  }
  if (p->kind.name)
    snprintf(what, sizeof what, "DATA TYPE: %s, %s, as the end of the file's name says",
             p->kind.name, p->kind.what);
  else
    snprintf(what, sizeof what, "DATA TYPE: soc, soi, toc or toi, orders of items");
  return expected(p, what, type);
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
  if ((value = value_of(s, "ITEMS"))) return set_names(p, value);
  if ((value = value_of(s, VOTERS))) {
    p->out->voters_line = p->line;
    return header_number(p, VOTERS, value, &p->out->voters);
  }
  if ((value = value_of(s, UNIQUE))) {
    p->out->unique_line = p->line;
    return header_number(p, UNIQUE, value, &p->out->unique);
  }
  if ((value = value_of(s, "DATA TYPE"))) return set_kind(p, value);
  if (!strncmp(s, NAME, sizeof NAME - 1)) {
    s = skip(s + sizeof NAME - 1);
    if (number(&s, &n) && mark(&s, ':')) return set_name(p, n - p->base, s);
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
  int want = p->names + p->base;
  char *at = s;
  if (!number(&at, &i) || i != want || !mark(&at, ',')) {
    char what[64];
    snprintf(what, sizeof what, "\"%d,NAME\", item %d of %d", want, p->names + 1, p->r->n);
    return expected(p, what, s);
  }
  if (++p->names == p->r->n) p->form = OLD_SUMS;
  return set_name(p, i - p->base, at);
}

static pl_status parse_old_sums(parser *p, char *s) {
  int64_t people;
  char *at = s;
  rankings_text *out = p->out;
  if (!number(&at, &people) || !mark(&at, ',') || !number(&at, &out->voters) || !mark(&at, ',') ||
      !number(&at, &out->unique) || *at)
    return expected(p, "\"VOTERS,SUM,UNIQUE\"", s);
  out->voters_line = out->unique_line = p->line;
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

/* What the end of a file's name says. */
static kind kind_of_path(const char *path) {
  const char *dot = strrchr(path, '.');
  for (int k = 0; dot && k < KINDS; k++)
    if (!strcasecmp(dot + 1, kinds[k].name)) return kinds[k];
  return (kind){0};
}

bool pl_rankings_path(const char *path) {
  return kind_of_path(path).name;
}

pl_status rankings_text_read(const char *path, char *text, const pl_rankings_how *how,
                             rankings_text *out) {
  *out = (rankings_text){.voters = -1, .unique = -1};
  out->r = pl_zalloc(1, sizeof *out->r, "rankings");
  parser p = {.path = path, .kind = kind_of_path(path), .out = out, .r = out->r};
  p.base = how && how->zero_based ? 0 : 1;
  for (char *at = pl_text_start(text), *line; (line = pl_text_line(&at));) {
    p.line++;
    PL_TRY(parse_line(&p, line));
  }
  for (int i = 0; i < p.r->n; i++)
    if (!p.r->name[i]) p.r->name[i] = pl_asprintf("%d", i + p.base);
  return PL_OK;
}
