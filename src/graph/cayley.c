#include "graph/cayley.h"

#include "base/blas.h"
#include "base/mem.h"
#include "group/generators.h"
#include "group/perm.h"
#include "group/young.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- generators ---- */

static void append(pl_cayley *c, int64_t a) {
  c->element = pl_realloc(c->element, (size_t)c->num + 1, sizeof *c->element, "generators");
  c->element[c->num++] = a;
}

/* The permutation that moves points[0] to points[1], .., the last to the first. */
static int64_t cycle(int n, int length, const int *points) {
  int8_t p[PL_MAX_N];
  for (int i = 0; i < n; i++) p[i] = (int8_t)i;
  for (int k = 0; k < length; k++) p[points[k]] = (int8_t)points[(k + 1) % length];
  return pl_perm_rank(n, p);
}

static void transposition(pl_cayley *c, int n, int i, int j) {
  append(c, cycle(n, 2, (int[]){i, j}));
}

typedef enum { TRANSPOSITIONS, ADJACENT, STAR, CYCLE, NUM_NAMES } family;
static const char *const names[NUM_NAMES] = {"transpositions", "adjacent", "star",
                                             "cycle+transposition"};

static void named(pl_cayley *c, int n, family which) {
  int all[PL_MAX_N];
  for (int i = 0; i < n; i++) all[i] = i;
  if (which == CYCLE) {
    append(c, cycle(n, n, all));
    transposition(c, n, 0, 1);
  }
  for (int i = 0; which != CYCLE && i < n; i++)
    for (int j = i + 1; j < n; j++)
      if (which == TRANSPOSITIONS || (which == ADJACENT ? j == i + 1 : i == 0))
        transposition(c, n, i, j);
}

/* The element with this label, or -1. */
static int64_t find(const pl_group *g, const char *label) {
  size_t room = strlen(label) + 2;
  char *text = pl_alloc(room, 1, "a label");
  int64_t a = 0, order = pl_group_order(g);
  while (a < order && (pl_group_element_label(g, a, text, room), strcmp(text, label) != 0)) a++;
  pl_free(text);
  return a < order ? a : -1;
}

/* n where the identity's label is "1 2 .. n", 0 where labels are of another kind. */
static int one_line_points(const char *identity) {
  int n = 0;
  char *end;
  for (const char *s = identity; *s; s = *end ? end + 1 : end, n++)
    if (strtol(s, &end, 10) != n + 1 || (*end && *end != ' ')) return 0;
  return n;
}

/* Are elements spelled as permutations? */
static bool permutes(const pl_group *g) {
  char identity[256];
  pl_group_element_label(g, 0, identity, sizeof identity);
  return pl_group_symmetric(g) || !strcmp(identity, "()") || one_line_points(identity) > 1;
}

/* "2 3 1" of the first n points; the caller frees it. */
static char *one_line(int n, int degree, const pl_point *perm) {
  enum { WIDTH = 8 };
  char *text = pl_zalloc((size_t)n + 1, WIDTH, "a permutation");
  for (int i = 0, at = 0; i < n; i++)
    at += sprintf(text + at, i ? " %d" : "%d", (i < degree ? perm[i] : i) + 1);
  return text;
}

/* A permutation as labels of this group spell it: in one line or as cycles. */
static pl_status find_permutation(const pl_group *g, int degree, const pl_point *perm,
                                  int64_t *out) {
  char identity[256];
  size_t room = 1 + (size_t)pl_perm_cycles(degree, perm, NULL, 0);
  char *cycles = pl_alloc(room, 1, "cycles");
  pl_perm_cycles(degree, perm, cycles, room);
  pl_group_element_label(g, 0, identity, sizeof identity);
  int n = pl_group_symmetric(g), points = one_line_points(identity);
  pl_status st = PL_OK;
  if (n && degree <= n) {
    int8_t p[PL_MAX_N];
    for (int i = 0; i < n; i++) p[i] = (int8_t)(i < degree ? perm[i] : i);
    *out = pl_perm_rank(n, p);
  } else if (points >= degree) {
    char *line = one_line(points, degree, perm);
    *out = find(g, line);
    pl_free(line);
  } else {
    *out = find(g, cycles);
  }
  if (*out < 0) st = pl_error(PL_EINPUT, "generators: %s is not in %s", cycles, pl_group_spec(g));
  pl_free(cycles);
  return st;
}

static pl_status from_cycles(pl_cayley *c, const char *text) {
  pl_perms p;
  pl_status st = pl_perms_parse(text, &p);
  if (st) return pl_error_in(st, "generators: ");
  for (int s = 0; !st && s < p.num; s++) {
    int64_t a;
    st = find_permutation(c->group, p.degree, p.image + s * p.degree, &a);
    if (!st) append(c, a);
  }
  pl_free(p.image);
  return st;
}

/* Labels between semicolons. */
static pl_status from_labels(pl_cayley *c, const char *text) {
  char *copy = pl_strdup(text), *rest = copy;
  pl_status st = PL_OK;
  while (!st && rest) {
    char *label = strsep(&rest, ";");
    while (isspace((unsigned char)*label)) label++;
    for (size_t n = strlen(label); n && isspace((unsigned char)label[n - 1]); n--) label[n - 1] = 0;
    int64_t a = find(c->group, label);
    if (a < 0)
      st = pl_error(PL_EINPUT,
                    "generators: \"%s\" is no element of %s; expected transpositions, adjacent, "
                    "star, cycle+transposition (S_n), standard, cycles (two generators: "
                    "\"(1,2),(1,2)(3,4)\"), or labels of elements separated by \";\"",
                    label, pl_group_spec(c->group));
    else
      append(c, a);
  }
  pl_free(copy);
  return st;
}

static pl_status fill(pl_cayley *c, const char *text) {
  const pl_group *g = c->group;
  for (int k = 0; k < NUM_NAMES; k++)
    if (!strcmp(text, names[k])) {
      int n = pl_group_symmetric(g);
      if (n < 2)
        return pl_error(PL_EINPUT, "generators: %s are those of S_n, n >= 2, not of %s", text,
                        pl_group_spec(g));
      named(c, n, (family)k);
      return PL_OK;
    }
  if (!strcmp(text, "standard")) {
    c->num = pl_group_generators(g, NULL, 0);
    c->element = pl_alloc((size_t)c->num, sizeof *c->element, "generators");
    pl_group_generators(g, c->element, (int)c->num);
    return PL_OK;
  }
  if (*text == '(' && !strchr(text, ';') && permutes(g)) return from_cycles(c, text);
  return from_labels(c, text);
}

static int increasing(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* With inverses, in order, each once. */
static void close_up(pl_cayley *c) {
  for (int64_t k = 0, n = c->num; k < n; k++) append(c, pl_group_inv(c->group, c->element[k]));
  if (c->num) qsort(c->element, (size_t)c->num, sizeof *c->element, increasing);
  int64_t to = 0;
  for (int64_t k = 0; k < c->num; k++)
    if (!k || c->element[k] != c->element[k - 1]) c->element[to++] = c->element[k];
  c->num = to;
}

pl_status pl_cayley_new(const pl_group *g, const char *generators, pl_cayley **out) {
  if (pl_group_codepth(g))
    return pl_error(PL_EINPUT, "a Cayley graph needs all of %s, not a band", pl_group_spec(g));
  pl_cayley *c = pl_zalloc(1, sizeof *c, "a Cayley graph");
  c->group = g;
  pl_status st = fill(c, generators);
  if (!st) close_up(c);
  if (!st && c->num && c->element[0] == 0)
    st = pl_error(PL_EINPUT, "generators: the identity is none; a self-loop weight does what it "
                             "would");
  if (st)
    pl_cayley_free(c);
  else
    *out = c;
  return st;
}

void pl_cayley_free(pl_cayley *c) {
  if (!c) return;
  pl_free(c->element);
  pl_free(c);
}

/* ---- the graph ---- */

static int smaller(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

pl_status pl_cayley_graph(const pl_cayley *c, pl_csr **out) {
  int64_t n = pl_group_order(c->group);
  if (n > INT32_MAX)
    return pl_error(PL_EINPUT, "a Cayley graph of %s: 2^31 elements or more",
                    pl_group_spec(c->group));
  pl_csr *a = pl_csr_new(n, n, n * c->num);
  for (int64_t g = 0; g < n; g++) {
    int32_t *row = a->index + g * c->num;
    for (int64_t k = 0; k < c->num; k++) {
      row[k] = (int32_t)pl_group_mul(c->group, g, c->element[k]);
      a->value[g * c->num + k] = 1;
    }
    qsort(row, (size_t)c->num, sizeof *row, smaller);
    a->start[g + 1] = (g + 1) * c->num;
  }
  *out = a;
  return PL_OK;
}

/* ---- spectra ---- */

void pl_cayley_matrix(const pl_cayley *c, pl_operator kind, double self, int64_t irrep,
                      double *out) {
  pl_irrep r = pl_group_irrep(c->group, irrep);
  int64_t size = pl_irrep_size(r), step = r.type == PL_REAL ? 1 : 2;
  double *one = pl_alloc((size_t)size, sizeof *one, "a matrix of an irrep");
  memset(out, 0, (size_t)size * sizeof *out);
  for (int64_t k = 0; k < c->num; k++) {
    pl_group_irrep_matrix(c->group, irrep, c->element[k], one);
    for (int64_t e = 0; e < size; e++) out[e] += one[e];
  }
  for (int64_t i = 0; i < r.dim; i++) out[i * (r.dim + 1) * step] += self;
  for (int64_t e = 0; kind != PL_OPERATOR_NONE && e < size; e++) out[e] /= (double)c->num + self;
  pl_free(one);
}

/* a: Hermitian, destroyed.  Row-major is the conjugate, whose eigenvalues are the same. */
static int real_eigenvalues(int d, double *a, double *value) {
  double best, *work;
  int info, lwork = -1, liwork = -1, *iwork;
  dsyevd_("N", "L", &d, a, &d, value, &best, &lwork, &liwork, &liwork, &info, 1, 1);
  lwork = pl_int((int64_t)best);
  liwork = 3 + 5 * d;
  work = pl_alloc((size_t)lwork, sizeof *work, "workspace of eigenvalues");
  iwork = pl_alloc((size_t)liwork, sizeof *iwork, "workspace of eigenvalues");
  dsyevd_("N", "L", &d, a, &d, value, work, &lwork, iwork, &liwork, &info, 1, 1);
  pl_free(work);
  pl_free(iwork);
  return info;
}

static int complex_eigenvalues(int d, double _Complex *a, double *value) {
  int info, lwork = d * (d + 2), lrwork = d, liwork = 1, iwork;
  double _Complex *work = pl_alloc((size_t)lwork, sizeof *work, "workspace of eigenvalues");
  double *rwork = pl_alloc((size_t)lrwork, sizeof *rwork, "workspace of eigenvalues");
  zheevd_("N", "L", &d, a, &d, value, work, &lwork, rwork, &lrwork, &iwork, &liwork, &info, 1, 1);
  pl_free(work);
  pl_free(rwork);
  return info;
}

pl_status pl_cayley_eigenvalues(const pl_cayley *c, pl_operator kind, double self, int64_t irrep,
                                double *value) {
  pl_irrep r = pl_group_irrep(c->group, irrep);
  double *m = pl_alloc((size_t)pl_irrep_size(r), sizeof *m, "a matrix of an irrep");
  pl_cayley_matrix(c, kind, self, irrep, m);
  int info = r.type == PL_REAL ? real_eigenvalues(r.dim, m, value)
                               : complex_eigenvalues(r.dim, (double _Complex *)m, value);
  pl_free(m);
  if (info) return pl_error(PL_NUMERIC, "eigenvalues of an irrep: no convergence");
  return PL_OK;
}

bool pl_cayley_central(const pl_cayley *c) {
  const pl_group *g = c->group;
  int num = pl_group_generators(g, NULL, 0);
  int64_t *by = pl_alloc((size_t)num, sizeof *by, "generators");
  pl_group_generators(g, by, num);
  bool central = true;
  /* Enough by generators of the group: conjugation by them generates all of it. */
  for (int64_t k = 0; central && k < c->num; k++)
    for (int h = 0; central && h < num; h++) {
      int64_t a = pl_group_mul(g, pl_group_mul(g, by[h], c->element[k]), pl_group_inv(g, by[h]));
      central = bsearch(&a, c->element, (size_t)c->num, sizeof a, increasing) != NULL;
    }
  pl_free(by);
  return central;
}

int64_t pl_cayley_content(const pl_group *g, int64_t irrep) {
  char label[256];
  int64_t row = 0, sum = 0;
  pl_require(pl_group_letters(g));
  pl_group_irrep_label(g, irrep, label, sizeof label);
  for (char *s = label; *s; row++) {
    int64_t part = strtoll(s, &s, 10);
    sum += part * (part - 1) / 2 - row * part;
    if (*s == ',') s++;
  }
  return sum;
}

double pl_cayley_content_eigenvalue(const pl_group *g, pl_operator kind, double self,
                                    int64_t irrep) {
  int64_t n = pl_group_letters(g);
  double sum = (double)pl_cayley_content(g, irrep) + self;
  return kind == PL_OPERATOR_NONE ? sum : sum / ((double)(n * (n - 1) / 2) + self);
}
