#include "group/action.h"

#include "base/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NORMAL = 1000000, MAX_IMAGE = 1000, MAX_GENERATORS = 2 };

typedef struct reader {
  const pl_family *const *families;
  const char *start, *p;
  char *why;
  size_t n;
} reader;

/* What is wrong; always 0. */
__attribute__((format(printf, 2, 3))) static int wrong(reader *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(r->why, r->n, format, args);
  va_end(args);
  return 0;
}

static void skip_blanks(reader *r) {
  r->p += strspn(r->p, " \t");
}
static int skip(reader *r, char c) {
  skip_blanks(r);
  if (*r->p != c) return 0;
  r->p++;
  return 1;
}

/* A word such as "C_5", cut short so that it fits into a message. */
static int word(reader *r, pl_factor *f) {
  skip_blanks(r);
  int len = (int)strcspn(r->p, " \tx:()[],");
  if (!pl_factor_parse(r->families, r->p, len < 64 ? len : 64, f, r->why, r->n)) return 0;
  r->p += len;
  return 1;
}

static int64_t normal_order(const pl_action *a) {
  int64_t n = 1;
  for (int i = 0; i < a->rank; i++) n *= a->m[i];
  return n;
}

static int add_cyclic(reader *r, pl_action *a) {
  pl_factor f;
  const char *at = r->p;
  if (!word(r, &f)) return 0;
  int len = (int)(r->p - at);
  if (f.family != &pl_family_cyclic)
    return wrong(r, "\"%.*s\" cannot stand before \":\"; only C_n and (C_m x C_n ..) can", len, at);
  if (a->rank == PL_MAX_RANK)
    return wrong(r, "more than %d cyclic groups before \":\"", PL_MAX_RANK);
  a->m[a->rank++] = f.n;
  if (normal_order(a) > MAX_NORMAL)
    return wrong(r, "the part before \":\" has more than %d elements", MAX_NORMAL);
  return 1;
}

static int read_normal(reader *r, pl_action *a) {
  if (!skip(r, '(')) return add_cyclic(r, a);
  do {
    skip_blanks(r);
    if (!add_cyclic(r, a)) return 0;
  } while (skip(r, 'x'));
  if (!skip(r, ')'))
    return wrong(r, "a \")\" is missing after \"%.*s\"", (int)(r->p - r->start), r->start);
  return 1;
}

static int read_acting(reader *r, pl_action *a) {
  skip_blanks(r);
  if (!*r->p) return wrong(r, "nothing stands after the last \":\"");
  const char *at = r->p;
  pl_factor *h = &a->h;
  if (!word(r, h)) return 0;
  int known = h->family == &pl_family_cyclic || h->family == &pl_family_dihedral ||
              h->family == &pl_family_quaternion;
  if (known) h->family->init(h);
  if (!known || h->order > PL_MAX_ACTING)
    return wrong(r, "\"%.*s\" cannot stand after \":\"; only C_n, D_n and Q_8 up to order %d can",
                 (int)(r->p - at), at, PL_MAX_ACTING);
  return 1;
}

/* ---- matrices ---- */

static int64_t modulo(int64_t a, int64_t m) {
  return (a % m + m) % m;
}

static int read_entry(reader *r, int64_t m, int64_t *entry) {
  skip_blanks(r);
  char *end;
  errno = 0;
  long long value = strtoll(r->p, &end, 10);
  if (end == r->p || errno) return wrong(r, "expected a whole number at \"%.32s\"", r->p);
  r->p = end;
  *entry = modulo(value, m);
  return 1;
}

static int read_matrix(reader *r, const pl_action *a, pl_matrix out) {
  for (int i = 0; i < a->rank; i++) {
    if (!skip(r, i ? ',' : '[') || !skip(r, '['))
      return wrong(r, "expected a %d x %d matrix such as [[1,0],[0,1]] at \"%.32s\"", a->rank,
                   a->rank, r->p);
    for (int j = 0; j < a->rank; j++) {
      if (j && !skip(r, ','))
        return wrong(r, "expected row %d of a matrix to have %d entries", i + 1, a->rank);
      if (!read_entry(r, a->m[i], &out[i][j])) return 0;
      if (out[i][j] * a->m[j] % a->m[i])
        return wrong(r, "entry %lld of a matrix does not map C_%lld to C_%lld",
                     (long long)out[i][j], (long long)a->m[j], (long long)a->m[i]);
    }
    if (!skip(r, ']'))
      return wrong(r, "expected row %d of a matrix to have %d entries", i + 1, a->rank);
  }
  if (!skip(r, ']')) return wrong(r, "expected a matrix to have %d rows", a->rank);
  return 1;
}

static int is_square(const pl_action *a) {
  return a->rank == 2 && a->m[0] == a->m[1];
}

static void set2(pl_matrix out, int64_t m, int64_t a, int64_t b, int64_t c, int64_t d) {
  out[0][0] = modulo(a, m), out[0][1] = modulo(b, m);
  out[1][0] = modulo(c, m), out[1][1] = modulo(d, m);
}

/* i -> [[a, b], [b, -a]], j -> [[0, -1], [1, 0]]. */
static int quaternion_action(reader *r, const pl_action *a, pl_matrix *gen) {
  int64_t m = a->m[0];
  for (int64_t x = 0; x < m; x++)
    for (int64_t y = x; y < m; y++)
      if ((x * x + y * y + 1) % m == 0) {
        set2(gen[0], m, x, y, y, -x);
        set2(gen[1], m, 0, -1, 1, 0);
        return 1;
      }
  return wrong(r, "Q_8 acts on C_m x C_m where -1 is a sum of two squares mod m; %lld is no such m",
               (long long)m);
}

static int default_action(reader *r, const pl_action *a, pl_matrix *gen, int gens) {
  const pl_family *family = a->h.family;
  if (gens == 0) return 1;
  if (is_square(a) && family == &pl_family_quaternion) return quaternion_action(r, a, gen);
  if (is_square(a) && family != &pl_family_quaternion && a->h.n == 4) {
    set2(gen[0], a->m[0], 0, -1, 1, 0);
    if (gens > 1) set2(gen[1], a->m[0], 1, 0, 0, -1);
    return 1;
  }
  return wrong(r,
               "how %c_%lld acts must be stated: \"by\" and a %d x %d matrix for each of its %d "
               "generators",
               family->letter, (long long)a->h.n, a->rank, a->rank, gens);
}

static void multiply(const pl_action *a, const pl_matrix x, const pl_matrix y, pl_matrix out) {
  for (int i = 0; i < a->rank; i++)
    for (int j = 0; j < a->rank; j++) {
      int64_t sum = 0;
      for (int k = 0; k < a->rank; k++) sum = (sum + x[i][k] * y[k][j]) % a->m[i];
      out[i][j] = sum;
    }
}

/* From the generators to all of H, along its Cayley graph; every edge is looked at, so they agree
 * only if the matrices are a homomorphism. */
static int extend(reader *r, pl_action *a, const pl_matrix *gen, const int64_t *g, int gens) {
  const pl_factor *h = &a->h;
  int queue[PL_MAX_ACTING], count = 1, known[PL_MAX_ACTING] = {1};
  queue[0] = 0;
  for (int i = 0; i < a->rank; i++)
    for (int j = 0; j < a->rank; j++) a->by[0][i][j] = i == j ? 1 % a->m[i] : 0;
  for (int k = 0; k < count; k++)
    for (int s = 0; s < gens; s++) {
      int to = (int)h->family->mul(h, g[s], queue[k]);
      pl_matrix product = {{0}};
      multiply(a, gen[s], a->by[queue[k]], product);
      if (!known[to]) {
        known[to] = 1;
        queue[count++] = to;
        memcpy(a->by[to], product, sizeof product);
      } else if (memcmp(a->by[to], product, sizeof product)) {
        return wrong(r, "the matrices do not satisfy the relations of %c_%lld", h->family->letter,
                     (long long)h->n);
      }
    }
  return 1;
}

static int read_action(reader *r, pl_action *a, char **matrices) {
  int64_t g[MAX_GENERATORS];
  pl_matrix gen[MAX_GENERATORS] = {{{0}}};
  int gens = a->h.family->generators(&a->h, g, MAX_GENERATORS);
  const char *after = r->p;
  skip_blanks(r);
  int by = !strncmp(r->p, "by", 2) && strchr(" \t[", r->p[2]);
  if (by) {
    r->p += 2;
    for (int s = 0; s < gens; s++)
      if (!read_matrix(r, a, gen[s])) return 0;
  } else {
    r->p = after;
    if (!default_action(r, a, gen, gens)) return 0;
  }
  *matrices = pl_strdup(by && gens ? " by" : "");
  for (int s = 0; by && s < gens; s++)
    for (int i = 0; i < a->rank; i++)
      for (int j = 0; j < a->rank; j++) {
        char *longer = pl_asprintf("%s%s%lld%s", *matrices,
                                   j   ? ","
                                   : i ? ",["
                                       : " [[",
                                   (long long)gen[s][i][j],
                                   j < a->rank - 1   ? ""
                                   : i < a->rank - 1 ? "]"
                                                     : "]]");
        pl_free(*matrices);
        *matrices = longer;
      }
  return extend(r, a, gen, g, gens);
}

/* ---- whole names ---- */

/* "p4_5" or "p4m_5". */
static int read_image(reader *r, pl_action *a, char **name) {
  int reflect = r->p[2] == 'm';
  const char *digits = r->p + (reflect ? 4 : 3);
  int len = (int)strspn(digits, "0123456789");
  long m = len && len < 8 ? strtol(digits, NULL, 10) : 0;
  if (m < 1 || m > MAX_IMAGE)
    return wrong(r, "\"%.*s%.8s\" is out of range: m must be from 1 to %d", (int)(digits - r->p),
                 r->p, digits, MAX_IMAGE);
  r->p = digits + len;
  a->rank = 2;
  a->m[0] = a->m[1] = m;
  a->h = (pl_factor){.family = reflect ? &pl_family_dihedral : &pl_family_cyclic, .n = 4};
  a->h.family->init(&a->h);
  char *none;
  read_action(&(reader){.start = "", .p = "", .why = r->why, .n = r->n}, a, &none);
  pl_free(none);
  *name = pl_asprintf("p4%s_%ld", reflect ? "m" : "", m);
  return 1;
}

static int read_product(reader *r, pl_action *a, char **name) {
  if (!read_normal(r, a)) return 0;
  if (!skip(r, ':'))
    return wrong(r, "expected \":\" after \"%.*s\", which names the normal part of (..) : H",
                 (int)(r->p - r->start), r->start);
  char *matrices = NULL, *normal = pl_strdup("");
  int good = read_acting(r, a) && read_action(r, a, &matrices);
  for (int i = 0; good && i < a->rank; i++) {
    char *longer = pl_asprintf("%s%sC_%lld", normal, i ? " x " : "", (long long)a->m[i]);
    pl_free(normal);
    normal = longer;
  }
  if (good)
    *name = pl_asprintf(a->rank > 1 ? "(%s) : %c_%lld%s" : "%s : %c_%lld%s", normal,
                        a->h.family->letter, (long long)a->h.n, matrices);
  pl_free(normal);
  pl_free(matrices);
  return good;
}

/* "p4_", "p4m_", "(", or a word such as "C_5" before a colon. */
int pl_action_parse(const pl_family *const *families, const char *text, pl_action *a, char **name,
                    char *why, size_t n) {
  reader r = {.families = families, .start = text, .p = text, .why = why, .n = n};
  memset(a, 0, sizeof *a);
  *why = 0;
  int good = 0;
  if (!strncmp(text, "p4_", 3) || !strncmp(text, "p4m_", 4)) {
    good = read_image(&r, a, name);
  } else {
    size_t len =
        isupper((unsigned char)text[0]) && text[1] == '_' ? 2 + strspn(text + 2, "0123456789") : 0;
    if (*text != '(' && !(len && text[len + strspn(text + len, " \t")] == ':')) return 0;
    good = read_product(&r, a, name);
  }
  return good ? (int)(r.p - text) : 0;
}

/* ---- numbers of elements of N and of characters ---- */

void pl_action_split(const pl_action *a, int64_t number, int64_t *part) {
  for (int i = a->rank - 1; i >= 0; i--) {
    part[i] = number % a->m[i];
    number /= a->m[i];
  }
}
int64_t pl_action_join(const pl_action *a, const int64_t *part) {
  int64_t number = 0;
  for (int i = 0; i < a->rank; i++) number = number * a->m[i] + part[i];
  return number;
}

int64_t pl_action_apply(const pl_action *a, const pl_matrix matrix, int64_t number) {
  int64_t in[PL_MAX_RANK], out[PL_MAX_RANK];
  pl_action_split(a, number, in);
  for (int i = 0; i < a->rank; i++) {
    int64_t sum = 0;
    for (int j = 0; j < a->rank; j++) sum += matrix[i][j] * in[j];
    out[i] = sum % a->m[i];
  }
  return pl_action_join(a, out);
}

int64_t pl_action_negate(const pl_action *a, int64_t number) {
  int64_t part[PL_MAX_RANK];
  pl_action_split(a, number, part);
  for (int i = 0; i < a->rank; i++) part[i] = (a->m[i] - part[i]) % a->m[i];
  return pl_action_join(a, part);
}
