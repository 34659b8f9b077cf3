#include "isotypic.h"

#include "base/blas.h"
#include "base/mem.h"
#include "group/group.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Permutations of n points, and the irreps of S_n that have at most two boxes below the first row:
 * no others occur. */
typedef struct workspace {
  int n, size; /* size: n^2 */
  pl_group *g;
  int64_t *step; /* element t_k = (n - k, n + 1 - k), k = 1 .. n - 1, at k - 1 */
  double *rho;   /* of one irrep: [n - 1][d][d] */
} workspace;

static void open_group(workspace *w, int n) {
  char spec[16];
  *w = (workspace){.n = n, .size = n * n};
  snprintf(spec, sizeof spec, "S_%d", n);
  if (pl_group_band(spec, n > 2 ? 2 : 1, true, &w->g)) pl_die(PL_EBUG, "%s", pl_error_message());
  int64_t gens[ISOTYPIC_MOST];
  w->step = pl_alloc((size_t)n, sizeof *w->step, "transpositions");
  int num = pl_group_generators(w->g, gens, ISOTYPIC_MOST);
  pl_require(num == n - 1);
  for (int k = 1; k < n; k++) w->step[k - 1] = gens[n - 1 - k];
}

/* y = T((i j)) x, or y += it. */
static void swap_points(const workspace *w, int i, int j, const double *x, double *y, bool add) {
  for (int a = 0; a < w->n; a++) {
    int p = a == i ? j : a == j ? i : a;
    for (int b = 0; b < w->n; b++) {
      int q = b == i ? j : b == j ? i : b;
      y[p * w->n + q] = (add ? y[p * w->n + q] : 0) + x[a * w->n + b];
    }
  }
}

/* Jucys and Murphy: y = sum over i < k of T((i k)) x, points counted from the last, from 1. */
static void murphy(const workspace *w, int k, const double *x, double *y) {
  memset(y, 0, (size_t)w->size * sizeof *y);
  for (int i = 1; i < k; i++) swap_points(w, w->n - i, w->n - k, x, y, true);
}

/* Of the orthonormal rows v[num][n^2], those combinations on which the k-th element of Jucys and
 * Murphy is `content`; returns their number.  more: room as v. */
static int keep_content(const workspace *w, int k, double content, int num, double *v,
                        double *more) {
  int lwork = 1 + 6 * num + 2 * num * num, liwork = 3 + 5 * num, info, kept = 0;
  double *a = pl_alloc((size_t)(num * num), sizeof *a, "isotypic basis");
  double *value = pl_alloc((size_t)num, sizeof *value, "isotypic basis");
  double *work = pl_alloc((size_t)lwork, sizeof *work, "isotypic basis");
  int *iwork = pl_alloc((size_t)liwork, sizeof *iwork, "isotypic basis");
  for (int i = 0; i < num; i++) murphy(w, k, v + (int64_t)i * w->size, more + (int64_t)i * w->size);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, num, num, w->size, 1, v, w->size, more,
              w->size, 0, a, num);
  dsyevd_("V", "L", &num, a, &num, value, work, &lwork, iwork, &liwork, &info, 1, 1);
  pl_require(info == 0);
  /* Contents are integers.  Eigenvectors are rows of a; those wanted stand together. */
  int first = 0;
  while (first < num && value[first] < content - 0.5) first++;
  while (first + kept < num && value[first + kept] < content + 0.5) kept++;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, kept, w->size, num, 1,
              a + (int64_t)first * num, num, v, w->size, 0, more, w->size);
  memcpy(v, more, (size_t)kept * (size_t)w->size * sizeof *v);
  pl_free(a);
  pl_free(value);
  pl_free(work);
  pl_free(iwork);
  return kept;
}

/* The first vectors of all copies of an irrep: Young's first basis vector is known by its contents,
 * and rho(t_k)_00 = 1 / (content of k + 1 - content of k). */
static int first_vectors(const workspace *w, int d, double *v, double *more) {
  double content[ISOTYPIC_MOST + 1];
  int num = w->size;
  content[1] = 0;
  for (int k = 1; k < w->n; k++)
    content[k + 1] = content[k] + round(1 / w->rho[(int64_t)(k - 1) * d * d]);
  memset(v, 0, (size_t)w->size * (size_t)w->size * sizeof *v);
  for (int i = 0; i < w->size; i++) v[(int64_t)i * w->size + i] = 1;
  for (int k = w->n; k > 1 && num > 0; k--) num = keep_content(w, k, content[k], num, v, more);
  return num;
}

/* From v_0 the other d - 1 vectors of its copy: T(t) v_i = rho(t)_ii v_i + rho(t)_ji v_j, where t
 * leads from i to j. */
static void spread(const workspace *w, int d, double *v) {
  bool *known = pl_zalloc((size_t)d, sizeof *known, "isotypic basis");
  int *queue = pl_alloc((size_t)d, sizeof *queue, "isotypic basis"), end = 1;
  known[0] = true;
  queue[0] = 0;
  for (int at = 0; at < end; at++)
    for (int k = 1; k < w->n; k++) {
      const double *rho = w->rho + (int64_t)(k - 1) * d * d;
      int i = queue[at], j = 0;
      while (j < d && (j == i || fabs(rho[j * d + i]) < 1e-8)) j++;
      if (j == d || known[j]) continue;
      const double *from = v + (int64_t)i * w->size;
      double *to = v + (int64_t)j * w->size;
      swap_points(w, w->n - k, w->n - k - 1, from, to, false);
      for (int q = 0; q < w->size; q++) to[q] = (to[q] - rho[i * d + i] * from[q]) / rho[j * d + i];
      known[j] = true;
      queue[end++] = j;
    }
  pl_require(end == d);
  pl_free(known);
  pl_free(queue);
}

static void add_irrep(workspace *w, isotypic *b, int64_t irrep, double *v, double *more) {
  int d = pl_group_irrep(w->g, irrep).dim;
  int64_t size = (int64_t)d * d, first = 0;
  w->rho = pl_alloc((size_t)(w->n * size), sizeof *w->rho, "matrices of an irrep");
  for (int k = 1; k < w->n; k++)
    pl_group_irrep_matrix(w->g, irrep, w->step[k - 1], w->rho + (k - 1) * size);
  int copies = first_vectors(w, d, v, more);
  for (int k = 0; k < b->num; k++) first += b->part[k].copies * b->part[k].dim;
  isotypic_part *p = &b->part[b->num];
  *p = (isotypic_part){.copies = copies, .dim = d, .first = first};
  pl_group_irrep_label(w->g, irrep, p->label, sizeof p->label);
  for (int c = 0; c < copies; c++) {
    double *to = b->basis + (first + (int64_t)c * d) * w->size;
    memcpy(to, v + (int64_t)c * w->size, (size_t)w->size * sizeof *to);
    spread(w, d, to);
  }
  b->num += copies > 0;
  pl_free(w->rho);
}

isotypic *isotypic_new(int n) {
  workspace w;
  open_group(&w, n);
  int64_t irreps = pl_group_num_irreps(w.g), square = (int64_t)w.size * w.size;
  isotypic *b = pl_zalloc(1, sizeof *b, "isotypic basis");
  b->n = n;
  b->part = pl_zalloc((size_t)irreps, sizeof *b->part, "isotypic basis");
  b->basis = pl_alloc((size_t)square, sizeof *b->basis, "isotypic basis");
  double *v = pl_alloc((size_t)square, sizeof *v, "isotypic basis");
  double *more = pl_alloc((size_t)square, sizeof *more, "isotypic basis");
  for (int64_t i = 0; i < irreps; i++) add_irrep(&w, b, i, v, more);
  pl_free(v);
  pl_free(more);
  pl_free(w.step);
  pl_group_free(w.g);
  return b;
}

isotypic *isotypic_shapes(int n) {
  isotypic *b = pl_zalloc(1, sizeof *b, "isotypic shapes");
  b->n = n;
  b->part = pl_zalloc(4, sizeof *b->part, "isotypic shapes");
  const struct {
    int least, copies, dim; /* for n from least on */
    const char *below;      /* the rows below the first, which has the rest */
    int boxes;
  } rows[] = {{1, 2, 1, "", 0},
              {2, 3, n - 1, ",1", 1},
              {4, 1, n * (n - 3) / 2, ",2", 2},
              {3, 1, (n - 1) * (n - 2) / 2, ",1,1", 2}};
  int64_t first = 0;
  for (int k = 0; k < 4; k++) {
    if (n < rows[k].least) continue;
    isotypic_part *p = &b->part[b->num++];
    /* Two points have one pattern of four indices less in each. */
    *p = (isotypic_part){
        .copies = rows[k].copies - (n == 2 && k == 1), .dim = rows[k].dim, .first = first};
    snprintf(p->label, sizeof p->label, "%d%s", n - rows[k].boxes, rows[k].below);
    first += p->copies * p->dim;
  }
  return b;
}

void isotypic_free(isotypic *b) {
  if (!b) return;
  pl_free(b->part);
  pl_free(b->basis);
  pl_free(b);
}
