/* Generators of named groups. */
#include "base/mem.h"
#include "group/generators.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for num permutations, to be filled in. */
static pl_perms perms(int degree, int num) {
  pl_point *image = pl_alloc((size_t)(degree * num), sizeof *image, "generators");
  return (pl_perms){.degree = degree, .num = num, .image = image};
}

/* ---- finite fields ---- */

/* GF(p^e), q = p^e: elements are numbers in base p, coefficients of powers of x, where
 * x^e = tail. */
typedef struct field {
  int p, e, q, tail;
} field;

static int plus(const field *f, int a, int b) {
  int sum = 0;
  for (int i = 0, place = 1; i < f->e; i++, place *= f->p, a /= f->p, b /= f->p)
    sum += (a % f->p + b % f->p) % f->p * place;
  return sum;
}
static int scale(const field *f, int k, int a) {
  int product = 0;
  for (int i = 0, place = 1; i < f->e; i++, place *= f->p, a /= f->p)
    product += k * (a % f->p) % f->p * place;
  return product;
}
static int times(const field *f, int a, int b) {
  int product = 0, top = f->q / f->p;
  for (int place = top; place > 0; place /= f->p) {
    /* x product, then the next coefficient of b. */
    product = plus(f, product % top * f->p, scale(f, product / top, f->tail));
    product = plus(f, product, scale(f, b / place % f->p, a));
  }
  return product;
}

/* False unless q is a power of a prime.  x generates the multiplicative group if e > 1. */
static int field_init(field *f, int q) {
  *f = (field){.p = 2, .e = 0, .q = q};
  while (f->p <= q && q % f->p) f->p++;
  for (int rest = q; rest > 1; rest /= f->p, f->e++)
    if (rest % f->p) return 0;
  if (f->e < 2) return f->e == 1;
  for (f->tail = 1; f->tail < q; f->tail++) {
    int order = 1;
    for (int a = f->p; a != 1 && a != 0 && order < q; order++) a = times(f, a, f->p);
    if (order == q - 1) return 1;
  }
  return 0;
}

/* ---- SL_2(q) and PSL_2(q) ---- */

/* Number of (x, y) other than (0, 0), or of the line through it: (1, y) is y and (0, 1) is q. */
static int number(const field *f, int projective, int x, int y) {
  if (!projective) return x * f->q + y - 1;
  if (x == 0) return f->q;
  for (int inverse = 1;; inverse++)
    if (times(f, inverse, x) == 1) return times(f, inverse, y);
}

/* (x, y) -> (x + b y, y) for b in a basis of the field, and (x, y) -> (y, -x). */
static void linear(const field *f, int projective, pl_perms *out) {
  *out = perms(projective ? f->q + 1 : f->q * f->q - 1, f->e + 1);
  for (int x = 0; x < f->q; x++)
    for (int y = 0; y < f->q; y++) {
      if (x == 0 && y == 0) continue;
      int from = number(f, projective, x, y);
      for (int i = 0, b = 1; i < f->e; i++, b *= f->p)
        out->image[i * out->degree + from] =
            (pl_point)number(f, projective, plus(f, x, times(f, b, y)), y);
      out->image[f->e * out->degree + from] =
          (pl_point)number(f, projective, y, scale(f, f->p - 1, x));
    }
}

/* ---- the table ---- */

static int special_linear(int q, pl_perms *out) {
  field f;
  if (!field_init(&f, q)) return 0;
  linear(&f, 0, out);
  return 1;
}
static int projective(int q, pl_perms *out) {
  field f;
  if (!field_init(&f, q)) return 0;
  linear(&f, 1, out);
  return 1;
}

/* On its elements a^k and a^k x, with x^2 = a^n and x a x^-1 = a^-1, from the left. */
static int dicyclic(int n, pl_perms *out) {
  *out = perms(4 * n, 2);
  pl_point *a = out->image, *x = a + 4 * n;
  for (int k = 0; k < 2 * n; k++) {
    a[k] = (pl_point)((k + 1) % (2 * n));
    a[2 * n + k] = (pl_point)(2 * n + (k + 1) % (2 * n));
    x[k] = (pl_point)(2 * n + (2 * n - k) % (2 * n));
    x[2 * n + k] = (pl_point)((3 * n - k) % (2 * n));
  }
  return 1;
}

/* Upper unitriangular 3 x 3 matrices over Z/p, on pairs (i, j). */
static int heisenberg(int p, pl_perms *out) {
  for (int d = 2; d < p; d++)
    if (p % d == 0) return 0;
  *out = perms(p * p, 2);
  for (int i = 0; i < p; i++)
    for (int j = 0; j < p; j++) {
      out->image[i * p + j] = (pl_point)((i + 1) % p * p + j);
      out->image[p * p + i * p + j] = (pl_point)(i * p + (i + j) % p);
    }
  return 1;
}

static int mathieu(int n, pl_perms *out) {
  (void)n;
  return pl_perms_parse("(1,2,3,4,5,6,7,8,9,10,11),(3,7,11,8)(4,10,5,6)", out) == PL_OK;
}

static const struct {
  const char *before, *after; /* of the number */
  int min, max;
  int (*make)(int n, pl_perms *out);
  const char *range;
} table[] = {
    {"M_", "", 11, 11, mathieu, "only M_11 is known"},
    {"PSL_2(", ")", 2, 27, projective, "q must be a power of a prime, from 2 to 27"},
    {"SL_2(", ")", 2, 19, special_linear, "q must be a power of a prime, from 2 to 19"},
    {"Dic_", "", 2, 250, dicyclic, "n must be from 2 to 250"},
    {"Heis_", "", 2, 19, heisenberg, "p must be a prime, from 2 to 19"},
};

int pl_perms_named(const char *name, pl_perms *out, const char **why) {
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    size_t len = strlen(table[i].before);
    if (strncmp(name, table[i].before, len) != 0) continue;
    char *end;
    long n = isdigit((unsigned char)name[len]) ? strtol(name + len, &end, 10) : -1;
    *why = NULL;
    if (n < table[i].min || n > table[i].max || strcmp(end, table[i].after) != 0 ||
        !table[i].make((int)n, out))
      *why = table[i].range;
    return 1;
  }
  return 0;
}

/* "perm:.."; *canonical is set where cycles have a spelling of their own. */
static pl_status read_perms(const char *text, pl_perms *out, char **canonical) {
  if (!*text) return pl_error(PL_EINPUT, "expected generators or a file after \"perm:\"");
  if (*text != '(') return pl_perms_read(text, out);
  PL_TRY(pl_perms_parse(text, out));
  char *cycles = pl_perms_text(out);
  *canonical = pl_asprintf("perm:%s", cycles);
  pl_free(cycles);
  return PL_OK;
}

int pl_perms_spec(const char *spec, pl_perms *out, char **canonical, pl_status *st) {
  static const char prefix[] = "perm:";
  spec += strspn(spec, " \t");
  size_t len = strlen(spec), before = sizeof prefix - 1;
  while (len && isspace((unsigned char)spec[len - 1])) len--;
  char *word = pl_asprintf("%.*s", (int)len, spec), *spelling = NULL;
  const char *why = NULL;
  int perm = !strncmp(word, prefix, before),
      found =
          perm ? !strstr(word, " x ") : !strpbrk(word, " \tx") && pl_perms_named(word, out, &why);
  if (found) {
    *st = perm  ? read_perms(word + before + strspn(word + before, " \t"), out, &spelling)
          : why ? pl_error(PL_EINPUT, "\"%.64s\" is out of range: %s", word, why)
                : PL_OK;
    if (!*st) *canonical = spelling ? spelling : pl_strdup(word);
  }
  pl_free(word);
  return found;
}
