#include "group/group.h"

#include "base/mem.h"
#include "group/family.h"
#include "group/semidirect.h"
#include "group/tensor.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pl_family *const families[] = {
    &pl_family_cyclic,    &pl_family_dihedral,   &pl_family_quaternion,
    &pl_family_symmetric, &pl_family_semidirect, &pl_family_alternating,
    &pl_family_signed,    &pl_family_numeric,    NULL};

const char *pl_group_forms(void) {
  static char text[6144];
  if (!*text) {
    size_t len = 0;
    for (int i = 0; families[i]; i++)
      len += (size_t)snprintf(text + len, sizeof text - len, "%s\n", families[i]->form);
    snprintf(text + len, sizeof text - len, "G x H  direct product, of any number of these\n");
  }
  return text;
}

/* ---- parsing ---- */

static pl_status bad_spec(const char *spec, const char *why) {
  return pl_error(PL_EINPUT, "group \"%s\": %s (all forms: plancherel group --help)", spec, why);
}

/* Length of the word at p: up to white space or "x"; after a prefix such as "perm:", up to " x "
 * or the end. */
static int word_length(const char *p) {
  size_t len = strcspn(p, " \tx:");
  if (p[len] != ':') return pl_int((int64_t)len);
  const char *end = strstr(p, " x ");
  len = end ? (size_t)(end - p) : strlen(p);
  while (isspace((unsigned char)p[len - 1])) len--;
  return pl_int((int64_t)len);
}

/* A word that a family reads by itself: 1 and the status of that; otherwise 0. */
static int parse_word(const char *word, int len, pl_factor *f, pl_status *st) {
  char *copy = pl_asprintf("%.*s", len, word);
  int found = 0;
  for (int i = 0; families[i] && !found; i++) {
    if (!families[i]->reads || !families[i]->reads(copy)) continue;
    *f = (pl_factor){.family = families[i]};
    *st = families[i]->parse(copy, f);
    found = 1;
  }
  pl_free(copy);
  return found;
}

static void describe(pl_group *g) {
  char *spec = NULL;
  for (int t = 0; t < g->factors; t++) {
    const pl_factor *f = &g->factor[t];
    const char *before = spec ? spec : "", *x = spec ? " x " : "";
    char *longer = f->spec
                       ? pl_asprintf("%s%s%s", before, x, f->spec)
                       : pl_asprintf("%s%s%c_%lld", before, x, f->family->letter, (long long)f->n);
    pl_free(spec);
    spec = longer;
  }
  g->spec = spec;
  g->stored[g->factors] = g->all[g->factors] = 1;
  for (int t = g->factors - 1; t >= 0; t--) {
    const pl_factor *f = &g->factor[t];
    int64_t pairs = f->classes - f->irreps;
    g->all[t] = f->classes * g->all[t + 1];
    g->stored[t] = (f->irreps - pairs) * g->stored[t + 1] + pairs * g->all[t + 1];
  }
}

pl_status pl_group_parse(const char *spec, pl_group **out) {
  pl_group *g = pl_zalloc(1, sizeof *g, "a group");
  char why[256] = "";
  g->order = 1;
  for (const char *p = spec;;) {
    p += strspn(p, " \t");
    int len = word_length(p);
    if (len == 0) {
      snprintf(why, sizeof why,
               g->factors ? "nothing stands after the last \"x\""
               : *p       ? "nothing stands before the first \"x\""
                          : "the name is empty");
      break;
    }
    if (g->factors == PL_MAX_FACTORS) {
      snprintf(why, sizeof why, "more than %d factors", PL_MAX_FACTORS);
      break;
    }
    pl_factor *f = &g->factor[g->factors];
    pl_status st = PL_OK;
    int own = parse_word(p, len, f, &st);
    if (st) {
      pl_group_free(g);
      return pl_error_in(st, "group \"%s\": ", spec);
    }
    int semidirect = own ? 0 : pl_semidirect_parse(families, p, f, why, sizeof why);
    if (*why) break;
    if (semidirect) {
      len = semidirect;
    } else if (!own) {
      if (!pl_factor_parse(families, p, len < 64 ? len : 64, f, why, sizeof why)) break;
      f->family->init(f);
    }
    g->factors++;
    if (f->order > PL_MAX_ORDER / g->order) {
      snprintf(why, sizeof why, "its order passes 2^60 at \"%.*s\"", len < 64 ? len : 64, p);
      break;
    }
    g->order *= f->order;
    p += len;
    p += strspn(p, " \t");
    if (*p == 0) break;
    if (*p != 'x') {
      snprintf(why, sizeof why, "expected \"x\" before \"%.64s\"", p);
      break;
    }
    p++;
  }
  if (*why) {
    pl_group_free(g);
    return bad_spec(spec, why);
  }
  describe(g);
  g->volume = (double)g->order;
  *out = g;
  return PL_OK;
}

/* "S_n" with or without blanks around it: n, or 0. */
static int symmetric_word(const char *spec) {
  char digits[10];
  int end = 0, found = sscanf(spec, " S_%9[0-9] %n", digits, &end);
  return found == 1 && end && !spec[end] ? (int)strtol(digits, NULL, 10) : 0;
}

pl_status pl_group_band(const char *spec, int codepth, bool over_group, pl_group **out) {
  int n = symmetric_word(spec), most = codepth <= 2 ? 52 : codepth == 3 ? 20 : 13;
  if (!n) return pl_error(PL_EINPUT, "only a symmetric group S_n has a band, not \"%s\"", spec);
  if (codepth < 1 || codepth >= n || n > most)
    return pl_error(PL_EINPUT,
                    "no band of codepth %d in S_%d: codepths are from 1 to n - 1, with n up to 52 "
                    "for 1 and 2, up to 20 for 3, up to 13 for more",
                    codepth, n);
  pl_group *g = pl_zalloc(1, sizeof *g, "a group");
  int64_t count[3], squares[3];
  pl_band_factor(n, codepth, &g->factor[0]);
  g->factors = 1;
  g->order = g->factor[0].order;
  g->codepth = codepth;
  describe(g);
  pl_group_irrep_sums(g, count, squares);
  g->volume = !over_group ? (double)squares[PL_REAL]
              : g->order  ? (double)g->order
                          : exp(pl_group_log_order(g));
  *out = g;
  return PL_OK;
}

void pl_group_free(pl_group *g) {
  if (!g) return;
  for (int t = 0; t < g->factors; t++) {
    if (g->factor[t].family->fini) g->factor[t].family->fini(&g->factor[t]);
    pl_free(g->factor[t].spec);
  }
  pl_free(g->spec);
  pl_free(g);
}

/* ---- elements ---- */

const char *pl_group_spec(const pl_group *g) {
  return g->spec;
}
int pl_group_letters(const pl_group *g) {
  return g->factors == 1 && g->factor[0].family == &pl_family_symmetric ? (int)g->factor[0].n : 0;
}
int pl_group_symmetric(const pl_group *g) {
  return g->codepth ? 0 : pl_group_letters(g);
}

int64_t pl_group_order(const pl_group *g) {
  pl_require(g->order > 0);
  return g->order;
}

double pl_group_log_order(const pl_group *g) {
  return g->order ? log((double)g->order) : lgamma((double)g->factor[0].n + 1);
}

double pl_group_volume(const pl_group *g) {
  return g->volume;
}

int pl_group_codepth(const pl_group *g) {
  return g->codepth;
}

int64_t pl_group_mul(const pl_group *g, int64_t a, int64_t b) {
  int64_t product = 0;
  for (int64_t t = g->factors - 1, place = 1; t >= 0; t--) {
    const pl_factor *f = &g->factor[t];
    product += place * f->family->mul(f, a % f->order, b % f->order);
    a /= f->order, b /= f->order, place *= f->order;
  }
  return product;
}

int64_t pl_group_inv(const pl_group *g, int64_t a) {
  int64_t inverse = 0;
  for (int64_t t = g->factors - 1, place = 1; t >= 0; t--) {
    const pl_factor *f = &g->factor[t];
    inverse += place * f->family->inv(f, a % f->order);
    a /= f->order, place *= f->order;
  }
  return inverse;
}

/* Where the next part of a text of len bytes goes in a buffer of n, and what room it has. */
static char *at(char *buf, size_t n, int len) {
  return (size_t)len < n ? buf + len : NULL;
}
static size_t room(size_t n, int len) {
  return (size_t)len < n ? n - (size_t)len : 0;
}

/* Parts of element a along every factor. */
static void split_element(const pl_group *g, int64_t a, int64_t *part) {
  for (int t = g->factors - 1; t >= 0; t--) {
    part[t] = a % g->factor[t].order;
    a /= g->factor[t].order;
  }
}

int pl_group_element_label(const pl_group *g, int64_t a, char *buf, size_t n) {
  int64_t part[PL_MAX_FACTORS];
  int len = 0;
  split_element(g, a, part);
  for (int t = 0; t < g->factors; t++) {
    const pl_factor *f = &g->factor[t];
    if (t) len += snprintf(at(buf, n, len), room(n, len), ", ");
    len += f->family->element_label(f, part[t], at(buf, n, len), room(n, len));
  }
  return len;
}

int pl_group_generators(const pl_group *g, int64_t *gens, int max) {
  int count = 0;
  int64_t place = g->order;
  for (int t = 0; t < g->factors; t++) {
    const pl_factor *f = &g->factor[t];
    place /= f->order;
    int room_left = max > count ? max - count : 0;
    int more = f->family->generators(f, gens + (room_left ? count : 0), room_left);
    for (int i = count; i < count + more && i < max; i++) gens[i] *= place;
    count += more;
  }
  return count;
}

int64_t pl_group_num_classes(const pl_group *g) {
  return g->all[0];
}

/* ---- irreps ---- */

/* A stored irrep is a tuple of irreps of the factors, in lexicographic order.  Of a complex pair
 * the member is stored whose first complex part is a stored one; every later complex part rho
 * stands for two, rho (conj = 0) and then its conjugate (conj = 1). */
typedef struct part {
  int64_t irrep;
  int conj;
} part;

static int64_t complex_before(const pl_factor *f, int64_t i) {
  return f->family->complex_before ? f->family->complex_before(f, i) : 0;
}

/* Irreps of factors t, t+1, .. that stand before those with irrep i at factor t, given whether a
 * complex part has come before. */
static int64_t start(const pl_group *g, int t, int64_t i, int seen) {
  int64_t pairs = complex_before(&g->factor[t], i);
  if (seen) return (i + pairs) * g->all[t + 1];
  return (i - pairs) * g->stored[t + 1] + pairs * g->all[t + 1];
}

static void split_irrep(const pl_group *g, int64_t index, part *parts) {
  int seen = 0;
  for (int t = 0; t < g->factors; t++) {
    int64_t low = 0, high = g->factor[t].irreps;
    while (high - low > 1) {
      int64_t middle = low + (high - low) / 2;
      *(start(g, t, middle, seen) <= index ? &low : &high) = middle;
    }
    index -= start(g, t, low, seen);
    parts[t] = (part){.irrep = low};
    if (seen) {
      parts[t].conj = index >= g->all[t + 1];
      index -= parts[t].conj * g->all[t + 1];
    } else {
      seen = g->factor[t].family->irrep(&g->factor[t], low).type == PL_COMPLEX;
    }
  }
}

int64_t pl_group_num_irreps(const pl_group *g) {
  return g->stored[0];
}

static pl_irrep part_irrep(const pl_group *g, int t, const part *parts) {
  return g->factor[t].family->irrep(&g->factor[t], parts[t].irrep);
}

pl_status pl_group_countable(const pl_group *g) {
  int64_t n = pl_group_num_irreps(g);
  if (n <= PL_MAX_STORED) return PL_OK;
  return pl_error(PL_EINPUT, "%s has %lld irreps; at most %d can be kept in tables", g->spec,
                  (long long)n, PL_MAX_STORED);
}

pl_irrep pl_group_irrep(const pl_group *g, int64_t i) {
  part parts[PL_MAX_FACTORS];
  int count;
  split_irrep(g, i, parts);
  pl_irrep r = part_irrep(g, 0, parts);
  for (int t = 1; t < g->factors; t++) r = pl_tensor_irrep(r, part_irrep(g, t, parts), &count);
  return r;
}

/* sum of products of a and b by the rule of types, a becoming the result. */
static void multiply_by_type(int64_t a[3], const int64_t b[3]) {
  int64_t real = a[PL_REAL], complex = a[PL_COMPLEX], quaternionic = a[PL_QUATERNIONIC];
  a[PL_REAL] = real * b[PL_REAL] + quaternionic * b[PL_QUATERNIONIC];
  a[PL_QUATERNIONIC] = real * b[PL_QUATERNIONIC] + quaternionic * b[PL_REAL];
  a[PL_COMPLEX] = complex * (b[PL_REAL] + 2 * b[PL_COMPLEX] + b[PL_QUATERNIONIC]) +
                  (real + quaternionic) * b[PL_COMPLEX];
}

void pl_group_irrep_sums(const pl_group *g, int64_t count[3], int64_t squares[3]) {
  memcpy(count, (int64_t[3]){[PL_REAL] = 1}, 3 * sizeof *count);
  memcpy(squares, (int64_t[3]){[PL_REAL] = 1}, 3 * sizeof *squares);
  for (int t = 0; t < g->factors; t++) {
    const pl_factor *f = &g->factor[t];
    int64_t c[3] = {0}, s[3] = {0};
    for (int64_t i = 0; i < f->irreps; i++) {
      pl_irrep r = f->family->irrep(f, i);
      c[r.type]++;
      s[r.type] += (int64_t)r.dim * r.dim;
    }
    multiply_by_type(count, c);
    multiply_by_type(squares, s);
  }
}

int pl_group_irrep_label(const pl_group *g, int64_t i, char *buf, size_t n) {
  part parts[PL_MAX_FACTORS];
  int len = 0;
  split_irrep(g, i, parts);
  for (int t = 0; t < g->factors; t++) {
    const pl_factor *f = &g->factor[t];
    if (t) len += snprintf(at(buf, n, len), room(n, len), " x ");
    len += f->family->irrep_label(f, parts[t].irrep, parts[t].conj, at(buf, n, len), room(n, len));
  }
  return len;
}

int64_t pl_group_irrep_by_label(const pl_group *g, const char *label) {
  int64_t index = 0;
  int seen = 0, flip = 0;
  for (int t = 0; t < g->factors; t++) {
    const pl_factor *f = &g->factor[t];
    const char *end = strstr(label, " x ");
    if (!end != (t == g->factors - 1)) return -1;
    char name[128];
    size_t len = end ? (size_t)(end - label) : strlen(label);
    if (len >= sizeof name) return -1;
    memcpy(name, label, len);
    name[len] = 0;
    part p;
    p.irrep = f->family->irrep_by_label(f, name, &p.conj);
    if (p.irrep < 0) return -1;
    index += start(g, t, p.irrep, seen);
    if (f->family->irrep(f, p.irrep).type == PL_COMPLEX) {
      if (!seen) flip = p.conj;
      index += (p.conj ^ flip) * g->all[t + 1];
      seen = 1;
    }
    if (end) label = end + 3;
  }
  return index;
}

const char *pl_irrep_type_name(pl_irrep_type type) {
  switch (type) {
  case PL_REAL:
    return "real";
  case PL_COMPLEX:
    return "complex";
  case PL_QUATERNIONIC:
    return "quaternionic";
  }
  return "unknown";
}

/* ---- matrices ---- */

void pl_group_irrep_matrix(const pl_group *g, int64_t i, int64_t element, double *out) {
  part parts[PL_MAX_FACTORS];
  int64_t elements[PL_MAX_FACTORS];
  split_irrep(g, i, parts);
  split_element(g, element, elements);
  pl_irrep r = {1, PL_REAL, 1};
  double *so_far = pl_alloc(1, sizeof *so_far, "an irrep matrix");
  so_far[0] = 1;
  for (int t = 0; t < g->factors; t++) {
    const pl_factor *f = &g->factor[t];
    pl_irrep sigma = part_irrep(g, t, parts);
    int64_t m = pl_compact_size(r), n = pl_compact_size(sigma);
    int count;
    pl_irrep next = pl_tensor_irrep(r, sigma, &count);
    int64_t size = pl_compact_size(next);
    double *matrix = pl_alloc((size_t)n, sizeof *matrix, "an irrep matrix");
    double *T = pl_alloc((size_t)(m * n), sizeof *T, "an outer product");
    double *both = pl_alloc((size_t)(size * count), sizeof *both, "an irrep matrix");
    f->family->irrep_matrix(f, parts[t].irrep, elements[t], matrix);
    for (int64_t s = 0; s < n; s++)
      for (int64_t k = 0; k < m; k++) T[s * m + k] = matrix[s] * so_far[k];
    pl_tensor_combine(r, sigma, T, m, both);
    if (parts[t].conj) memmove(both, both + size, (size_t)size * sizeof *both);
    pl_free(so_far);
    pl_free(matrix);
    pl_free(T);
    so_far = both;
    r = next;
  }
  pl_compact_expand(r, so_far, out);
  pl_free(so_far);
}
