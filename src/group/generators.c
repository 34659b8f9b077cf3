#include "group/generators.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Generators of the largest degree that are allowed take a hundredth of it. */
static const int64_t MOST_BYTES = INT64_C(1) << 28;

static const char *skip(const char *s) {
  while (isspace((unsigned char)*s)) s++;
  return s;
}

/* A point, from 1; 0 and a message if there is none. */
static int read_point(const char **s) {
  int value = 0;
  const char *p = *s;
  for (; isdigit((unsigned char)*p) && value <= PL_MAX_DEGREE; p++) value = 10 * value + (*p - '0');
  if (p == *s)
    pl_error(PL_EINPUT, *p ? "a point is missing before \"%.20s\"" : "\")\" is missing%s", p);
  else if (value < 1 || value > PL_MAX_DEGREE)
    pl_error(PL_EINPUT, "points go from 1 to %d", PL_MAX_DEGREE);
  *s = p;
  return value >= 1 && value <= PL_MAX_DEGREE ? value : 0;
}

static void identity(pl_point *image) {
  for (int i = 0; i < PL_MAX_DEGREE; i++) image[i] = (pl_point)i;
}

/* Disjoint cycles side by side, "(1,2,3)(4,5)"; *s moves behind them. */
static pl_status read_cycles(const char **s, pl_point *image, int *degree) {
  identity(image);
  char *used = pl_zalloc(PL_MAX_DEGREE, 1, "points of cycles");
  pl_status st = PL_OK;
  for (*s = skip(*s); !st && **s == '('; *s = skip(*s)) {
    int first = 0, last = 0;
    *s = skip(*s + 1);
    while (!st && **s != ')') {
      int point = read_point(s);
      if (!point) {
        st = PL_EINPUT;
      } else if (used[point - 1]++) {
        st = pl_error(PL_EINPUT, "point %d stands twice in one generator", point);
      } else {
        if (last) image[last - 1] = (pl_point)(point - 1);
        if (!first) first = point;
        last = point;
        image[last - 1] = (pl_point)(first - 1);
        if (point > *degree) *degree = point;
        *s = skip(*s);
        if (**s == ',')
          *s = skip(*s + 1),
          st = **s == ')' ? pl_error(PL_EINPUT, "a point is missing after \",\"") : PL_OK;
      }
    }
    if (!st) ++*s;
  }
  pl_free(used);
  return st;
}

/* "2 3 1", to the end of the line. */
static pl_status read_one_line(const char *s, pl_point *image, int *degree) {
  int n = 0;
  identity(image);
  char *used = pl_zalloc(PL_MAX_DEGREE, 1, "points of a permutation");
  pl_status st = PL_OK;
  for (s = skip(s); !st && *s; s = skip(s)) {
    int point = read_point(&s);
    if (!point)
      st = PL_EINPUT;
    else if (used[point - 1]++)
      st = pl_error(PL_EINPUT, "point %d stands twice in one generator", point);
    else
      image[n++] = (pl_point)(point - 1);
    s = skip(s);
    if (*s == ',') s++;
  }
  for (int i = 0; !st && i < n; i++)
    if (!used[i]) st = pl_error(PL_EINPUT, "point %d is missing among %d images", i + 1, n);
  if (n > *degree) *degree = n;
  pl_free(used);
  return st;
}

/* Rows of PL_MAX_DEGREE points, later cut to the degree. */
static pl_point *next_row(pl_perms *p) {
  p->image =
      pl_realloc(p->image, (size_t)(p->num + 1) * PL_MAX_DEGREE, sizeof *p->image, "generators");
  return p->image + (size_t)p->num++ * PL_MAX_DEGREE;
}

static pl_status finish(pl_status st, pl_perms *p, pl_perms *out) {
  if (st) {
    pl_free(p->image);
    return st;
  }
  size_t n = (size_t)p->degree;
  for (int s = 1; s < p->num; s++)
    memmove(p->image + (size_t)s * n, p->image + (size_t)s * PL_MAX_DEGREE, n * sizeof *p->image);
  *out = *p;
  return PL_OK;
}

static pl_status too_many(void) {
  return pl_error(PL_EINPUT, "more than %d generators", PL_MAX_GENERATORS);
}

pl_status pl_perms_parse(const char *text, pl_perms *out) {
  pl_perms p = {.degree = 1};
  pl_status st = PL_OK;
  const char *s = skip(text);
  for (;;) {
    if (*s != '(')
      st = pl_error(
          PL_EINPUT,
          *s ? "a generator starts with \"(\", not \"%.20s\"" : "a generator is missing%s", s);
    else
      st = p.num < PL_MAX_GENERATORS ? read_cycles(&s, next_row(&p), &p.degree) : too_many();
    if (st || *s == 0) break;
    if (*s != ',') {
      st = pl_error(PL_EINPUT, "expected \",\" before \"%.20s\"", s);
      break;
    }
    s = skip(s + 1);
  }
  return finish(st, &p, out);
}

pl_status pl_perms_read(const char *path, pl_perms *out) {
  char *text;
  size_t size;
  PL_TRY(pl_file_read(path, MOST_BYTES, "generators", &text, &size));
  pl_perms p = {.degree = 1};
  pl_status st = strlen(text) == size
                     ? PL_OK
                     : pl_error(PL_EINPUT, "%s: not a text file; expected generators", path);
  int number = 0;
  for (char *at = pl_text_start(text), *line; !st && (line = pl_text_line(&at));) {
    const char *s = skip(line);
    number++;
    if (!*s || *s == '#') continue;
    if (p.num == PL_MAX_GENERATORS)
      st = too_many();
    else if (*s == '(') {
      st = read_cycles(&s, next_row(&p), &p.degree);
      if (!st && *s) st = pl_error(PL_EINPUT, "one generator per line, not \"%.20s\" after it", s);
    } else
      st = read_one_line(s, next_row(&p), &p.degree);
    if (st) pl_error_in(st, "%s:%d: ", path, number);
  }
  if (!st && !p.num) st = pl_error(PL_EINPUT, "%s: no generators", path);
  pl_free(text);
  return finish(st, &p, out);
}

int pl_perm_cycles(int degree, const pl_point *perm, char *buf, size_t size) {
  size_t len = 0;
  char *seen = pl_zalloc((size_t)degree, 1, "points of cycles");
  if (size) buf[0] = 0;
  for (int i = 0; i < degree; i++) {
    if (seen[i] || perm[i] == i) continue;
    for (int j = i; !seen[j]; j = perm[j]) {
      seen[j] = 1;
      len += (size_t)snprintf(len < size ? buf + len : NULL, len < size ? size - len : 0, "%c%d",
                              j == i ? '(' : ',', j + 1);
    }
    len += (size_t)snprintf(len < size ? buf + len : NULL, len < size ? size - len : 0, ")");
  }
  if (!len) len = (size_t)snprintf(buf, size, "()");
  pl_free(seen);
  return (int)len;
}

char *pl_perms_text(const pl_perms *p) {
  size_t len = 1, at = 0;
  for (int s = 0; s < p->num; s++)
    len += 1 + (size_t)pl_perm_cycles(p->degree, p->image + s * p->degree, NULL, 0);
  char *text = pl_zalloc(len, 1, "generators");
  for (int s = 0; s < p->num; s++) {
    if (s) text[at++] = ',';
    at += (size_t)pl_perm_cycles(p->degree, p->image + s * p->degree, text + at, len - at);
  }
  return text;
}
