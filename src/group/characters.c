#include "base/blas.h"
#include "base/mem.h"
#include "base/rng.h"
#include "group/eigen.h"
#include "group/irreps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef double _Complex cplx;

/* Values nearer than this are the same when characters are put in order. */
static const double same = 1e-6;
/* Eigenvalues nearer than this share of the mean distance are taken apart by another element, of so
 * many. */
static const double near = 0.02;
enum { ATTEMPTS = 8 };

/* ---- characters of degree 1 ---- */

/* G/G' = {g_1^i_1 g_2^i_2 ..}, 0 <= i_s < size_s, numbers i_1 + size_1 (i_2 + size_2 (..)). */
typedef struct quotient {
  int64_t order;
  int rank, size[16], power[16]; /* power: number of g_s^size_s, a product of those before */
  int *coset;                    /* of a class: the first class in its coset of G' */
  int *number;                   /* of such a class in G/G' */
} quotient;

static int root(int *coset, int k) {
  while (coset[k] != k) k = coset[k] = coset[coset[k]];
  return k;
}

/* A class lies in one coset, and so do y and yc for commutators c of generators.  That is all: with
 * y also y gcg^-1, a conjugate of (g^-1 y g) c. */
static void find_cosets(const pl_finite *f, const pl_classes *c, int *coset) {
  for (int k = 0; k < c->n; k++) coset[k] = k;
  for (int i = 0; i < f->num_gens; i++)
    for (int j = 0; j < i; j++) {
      int64_t a = f->gens[i], b = f->gens[j];
      int64_t commutator =
          pl_finite_mul(f, pl_finite_mul(f, a, b), pl_finite_inv(f, pl_finite_mul(f, b, a)));
      if (root(coset, c->of[commutator]) == 0) continue;
      for (int64_t y = 0; y < f->order; y++) {
        int k = root(coset, c->of[y]), l = root(coset, c->of[pl_finite_mul(f, y, commutator)]);
        coset[k > l ? k : l] = k > l ? l : k;
      }
    }
  for (int k = 0; k < c->n; k++) coset[k] = root(coset, k);
}

static void quotient_init(quotient *q, const pl_finite *f, const pl_classes *c) {
  *q = (quotient){.order = 1};
  q->coset = pl_alloc((size_t)c->n, sizeof *q->coset, "cosets");
  q->number = pl_alloc((size_t)c->n, sizeof *q->number, "cosets");
  int *list = pl_alloc((size_t)c->n, sizeof *list, "cosets");
  find_cosets(f, c, q->coset);
  for (int64_t k = 0; k < c->n; k++) q->number[k] = -1;
  list[0] = q->number[0] = 0;
  for (int s = 0; s < f->num_gens; s++) {
    int64_t g = f->gens[s], old = q->order, power = g;
    int size = 1, at;
    for (; q->number[at = q->coset[c->of[power]]] < 0; size++) power = pl_finite_mul(f, power, g);
    if (size == 1) continue;
    q->size[q->rank] = size;
    q->power[q->rank++] = q->number[at];
    for (; q->order < old * size; q->order++) {
      int64_t x = pl_finite_mul(f, c->rep[list[q->order - old]], g);
      list[q->order] = q->coset[c->of[x]];
      q->number[list[q->order]] = (int)q->order;
    }
  }
  pl_free(list);
}

/* Where a character is exp(2 pi i turn[s] / order) at g_s: its value at number a, likewise. */
static int64_t turns(const quotient *q, int rank, const int64_t *turn, int a) {
  int64_t sum = 0;
  for (int s = 0; s < rank; a /= q->size[s++]) sum += a % q->size[s] * turn[s];
  return sum % q->order;
}

static void linear_characters(const quotient *q, const pl_classes *c, pl_characters *x) {
  cplx *value = pl_alloc((size_t)q->order, sizeof *value, "roots of unity");
  for (int64_t t = 0; t < q->order; t++) {
    double angle = 2 * M_PI * (double)t / (double)q->order;
    value[t] = 4 * t % q->order == 0 ? ((const cplx[]){1, I, -1, -I})[4 * t / q->order]
                                     : cos(angle) + I * sin(angle);
  }
  for (int64_t i = 0; i < q->order; i++) {
    int64_t turn[16], digits = i;
    /* The size_s-th roots of the value at g_s^size_s extend it from the generators before. */
    for (int s = 0; s < q->rank; digits /= q->size[s++])
      turn[s] = (turns(q, s, turn, q->power[s]) + digits % q->size[s] * q->order) / q->size[s];
    x->dim[i] = 1;
    for (int64_t k = 0; k < c->n; k++)
      x->chi[i * c->n + k] = value[turns(q, q->rank, turn, q->number[q->coset[k]])];
  }
  pl_free(value);
}

/* ---- the others ---- */

/* Class functions orthogonal to the characters of degree 1: of sum 0 on every coset of G'.  In the
 * orthonormal basis K_k / sqrt |K_k| a reflection per coset takes the constant to its first class,
 * and what stands at the others has n - |G/G'| coordinates. */
typedef struct rest {
  const pl_finite *f;
  const pl_classes *c;
  int n, kept;        /* classes in cosets of several; n - cosets */
  int *class, *first; /* of a place: its class, and the place where its coset begins */
  int *place;         /* of a class, or -1 */
  double *axis;       /* normals of the reflections */
  int64_t *inverse;   /* of every element */
} rest;

static void rest_init(rest *r, const pl_finite *f, const pl_classes *c, const quotient *q) {
  *r = (rest){.f = f, .c = c};
  size_t n = (size_t)c->n;
  r->class = pl_alloc(n, sizeof *r->class, "classes");
  r->first = pl_alloc(n, sizeof *r->first, "classes");
  r->place = pl_alloc(n, sizeof *r->place, "classes");
  r->axis = pl_alloc(n, sizeof *r->axis, "classes");
  r->inverse = pl_alloc((size_t)f->order, sizeof *r->inverse, "inverses");
  for (int64_t y = 0; y < f->order; y++) r->inverse[y] = pl_finite_inv(f, y);
  /* Classes of every coset as a list from its first one on. */
  int *next = pl_alloc(n, sizeof *next, "classes"), *last = pl_alloc(n, sizeof *last, "classes");
  for (int k = 0; k < c->n; k++) {
    r->place[k] = next[k] = -1;
    if (q->coset[k] != k) next[last[q->coset[k]]] = k;
    last[q->coset[k]] = k;
  }
  int64_t derived = f->order / q->order;
  for (int k = 0; k < c->n; k++) {
    if (q->coset[k] != k || next[k] < 0) continue;
    int first = r->n;
    for (int l = k; l >= 0; l = next[l], r->n++) {
      r->class[r->n] = l;
      r->first[r->n] = first;
      r->place[l] = r->n;
      r->axis[r->n] = sqrt((double)c->size[l] / (double)derived) + (l == k);
    }
    r->kept += r->n - first - 1;
  }
  pl_free(next);
  pl_free(last);
}

static void rest_fini(rest *r) {
  pl_free(r->class);
  pl_free(r->first);
  pl_free(r->place);
  pl_free(r->axis);
  pl_free(r->inverse);
}

/* The reflections, on a vector of r->n entries.  |axis|^2 is twice its first entry. */
static void reflect(const rest *r, cplx *v, int stride) {
  for (int first = 0, end; first < r->n; first = end) {
    cplx dot = 0;
    for (end = first; end < r->n && r->first[end] == first; end++)
      dot += r->axis[end] * v[(int64_t)end * stride];
    dot /= r->axis[first];
    for (int i = first; i < end; i++) v[(int64_t)i * stride] -= dot * r->axis[i];
  }
}

/* Weights of z = sum_k weight_k K_k over the class sums K_k, those of inverses conjugate. */
static void draw_central(const pl_classes *c, int attempt, cplx *weight) {
  double *x = pl_alloc((size_t)(2 * c->n), sizeof *x, "random numbers");
  pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 16 + attempt), 0, 2 * c->n, x);
  for (int64_t k = 0; k < c->n; k++) {
    int64_t inverse = c->inverse[k];
    if (inverse < k) continue;
    weight[k] = x[2 * k] / sqrt((double)c->size[k]);
    if (inverse > k) weight[k] += I * x[2 * k + 1] / sqrt((double)c->size[k]);
    weight[inverse] = conj(weight[k]);
  }
  pl_free(x);
}

/* Multiplication by a random z, kept x kept in place; room for n x n. */
static void central_matrix(const rest *r, int attempt, cplx *matrix) {
  const pl_classes *c = r->c;
  int n = r->n;
  cplx *weight = pl_alloc((size_t)c->n, sizeof *weight, "a central element");
  draw_central(c, attempt, weight);
  memset(matrix, 0, (size_t)n * (size_t)n * sizeof *matrix);
  for (int j = 0; j < n; j++) {
    cplx *row = matrix + (int64_t)j * n;
    int64_t g = c->rep[r->class[j]];
    for (int64_t y = 0; y < r->f->order; y++) {
      int k = r->place[c->of[y]];
      if (k >= 0) row[k] += weight[c->of[pl_finite_mul(r->f, g, r->inverse[y])]];
    }
    for (int k = 0; k < n; k++)
      row[k] *= sqrt((double)c->size[r->class[j]] / (double)c->size[r->class[k]]);
    reflect(r, row, 1);
  }
  for (int k = 0; k < n; k++) reflect(r, matrix + k, n);
  cplx *to = matrix;
  for (int j = 0; j < n; j++)
    for (int k = 0; k < n; k++)
      if (r->first[j] != j && r->first[k] != k) *to++ = matrix[(int64_t)j * n + k];
  pl_free(weight);
}

/* Turns the k rows of vector, eigenvectors of equal eigenvalues, into those of the next element. */
static pl_status split_cluster(int n, int k, const cplx *matrix, cplx *vector, double *value) {
  const cplx one = 1, zero = 0;
  size_t rows = (size_t)k * (size_t)n;
  cplx *bar = pl_alloc(2 * rows, sizeof *bar, "eigenvectors"), *image = bar + rows;
  cplx *small = pl_alloc((size_t)k * (size_t)k, sizeof *small, "eigenvectors");
  for (size_t i = 0; i < rows; i++) bar[i] = conj(vector[i]);
  cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, k, n, &one, matrix, n, vector, n, &zero,
              image, k);
  cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, k, k, n, &one, bar, n, image, k, &zero,
              small, k);
  pl_status st = pl_eigen(k, small, value);
  memcpy(bar, vector, rows * sizeof *bar);
  cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, k, n, k, &one, small, k, bar, n, &zero,
              vector, n);
  pl_free(bar);
  pl_free(small);
  return st;
}

/* Marks where eigenvalues a..b-1 are apart; the number of places where they are not. */
static int mark_gaps(int a, int b, const double *value, double least, char *apart) {
  int left = 0;
  for (int i = a + 1; i < b; i++) {
    apart[i] = value[i] - value[i - 1] > least;
    left += !apart[i];
  }
  return left;
}

/* Common eigenvectors of all central elements, rows of vector: kept x kept; room for n x n. */
static pl_status eigenvectors(const rest *r, cplx *vector) {
  int n = r->kept;
  double *value = pl_alloc((size_t)n, sizeof *value, "eigenvalues");
  char *apart = pl_zalloc((size_t)n + 1, 1, "eigenvalues");
  cplx *matrix = NULL;
  central_matrix(r, 0, vector);
  pl_status st = pl_eigen(n, vector, value);
  double least = near * (value[n - 1] - value[0]) / n;
  apart[n] = 1;
  int left = mark_gaps(0, n, value, least, apart);
  for (int attempt = 1; !st && left; attempt++) {
    if (attempt == ATTEMPTS) {
      st = pl_error(PL_NUMERIC, "%d of its characters could not be told apart", left + 1);
      break;
    }
    if (!matrix) matrix = pl_alloc((size_t)r->n * (size_t)r->n, sizeof *matrix, "a matrix");
    central_matrix(r, attempt, matrix);
    left = 0;
    for (int a = 0, b = 1; !st && a < n; a = b++) {
      while (!apart[b]) b++;
      if (b == a + 1) continue;
      st = split_cluster(n, b - a, matrix, vector + (int64_t)a * n, value + a);
      left += mark_gaps(a, b, value, least, apart);
    }
  }
  pl_free(matrix);
  pl_free(value);
  pl_free(apart);
  return st;
}

/* Degree and values of the character of an eigenvector: component k is conj(chi_k) sqrt(|K_k| /
 * |G|) up to a phase, and chi is d > 0 at the identity. */
static pl_status read_character(const rest *r, const cplx *vector, int *dim, cplx *chi) {
  const pl_classes *c = r->c;
  cplx *full = pl_zalloc((size_t)r->n, sizeof *full, "an eigenvector");
  for (int i = 0; i < r->n; i++)
    if (r->first[i] != i) full[i] = *vector++;
  reflect(r, full, 1);
  /* Places begin with the identity. */
  cplx phase = conj(full[0]) / cabs(full[0]);
  double d = cabs(full[0]) * sqrt((double)r->f->order);
  *dim = (int)lround(d);
  memset(chi, 0, (size_t)c->n * sizeof *chi);
  for (int i = 0; i < r->n; i++)
    chi[r->class[i]] =
        conj(full[i] * phase) * sqrt((double)r->f->order / (double)c->size[r->class[i]]);
  pl_free(full);
  if (!(fabs(d - *dim) < 1e-4))
    return pl_error(PL_NUMERIC, "a character of degree %.6g was found", d);
  chi[0] = *dim;
  /* Real on classes that hold their inverses, conjugate on the others. */
  for (int64_t k = 0; k < c->n; k++) {
    int64_t inverse = c->inverse[k];
    if (inverse >= k) chi[k] = (chi[k] + conj(chi[inverse])) / 2, chi[inverse] = conj(chi[k]);
  }
  return PL_OK;
}

static pl_status other_characters(const rest *r, pl_characters *x) {
  cplx *vector = pl_alloc((size_t)r->n * (size_t)r->n, sizeof *vector, "central elements");
  pl_status st = eigenvectors(r, vector);
  int64_t total = x->n - r->kept;
  for (int i = 0; !st && i < r->kept; i++) {
    int64_t to = x->n - r->kept + i;
    st = read_character(r, vector + (int64_t)i * r->kept, x->dim + to, x->chi + to * x->n);
    total += (int64_t)x->dim[to] * x->dim[to];
  }
  if (!st && total != r->f->order)
    st = pl_error(PL_NUMERIC, "squares of the degrees of its characters add up to %lld",
                  (long long)total);
  pl_free(vector);
  return st;
}

/* ---- order ---- */

static int compare(const void *a_, const void *b_, void *characters) {
  const pl_characters *x = characters;
  int64_t a = *(const int64_t *)a_, b = *(const int64_t *)b_;
  if (x->dim[a] != x->dim[b]) return x->dim[a] < x->dim[b] ? -1 : 1;
  for (int64_t k = 0; k < x->n; k++) {
    cplx d = x->chi[a * x->n + k] - x->chi[b * x->n + k];
    if (fabs(creal(d)) > same) return creal(d) > 0 ? -1 : 1;
    if (fabs(cimag(d)) > same) return cimag(d) > 0 ? -1 : 1;
  }
  return 0;
}

static void sort(pl_characters *x) {
  size_t n = (size_t)x->n;
  int64_t *from = pl_alloc(n, sizeof *from, "an order of characters");
  int *dim = pl_alloc(n, sizeof *dim, "characters");
  cplx *chi = pl_alloc(n * n, sizeof *chi, "characters");
  for (int64_t i = 0; i < x->n; i++) from[i] = i;
  qsort_r(from, n, sizeof *from, compare, x);
  for (int64_t i = 0; i < x->n; i++) {
    dim[i] = x->dim[from[i]];
    memcpy(chi + i * x->n, x->chi + from[i] * x->n, n * sizeof *chi);
  }
  pl_free(from);
  pl_free(x->dim);
  pl_free(x->chi);
  x->dim = dim;
  x->chi = chi;
}

pl_status pl_characters_new(const pl_finite *f, const pl_classes *c, pl_characters **out) {
  pl_require(c->n <= PL_MAX_CLASSES);
  size_t n = (size_t)c->n;
  pl_characters *x = pl_alloc(1, sizeof *x, "characters");
  *x = (pl_characters){.n = c->n};
  x->dim = pl_alloc(n, sizeof *x->dim, "characters");
  x->chi = pl_alloc(n * n, sizeof *x->chi, "characters");
  quotient q;
  rest r;
  quotient_init(&q, f, c);
  linear_characters(&q, c, x);
  rest_init(&r, f, c, &q);
  pl_status st = r.kept ? other_characters(&r, x) : PL_OK;
  rest_fini(&r);
  pl_free(q.coset);
  pl_free(q.number);
  if (st) {
    pl_characters_free(x);
    return st;
  }
  sort(x);
  *out = x;
  return PL_OK;
}

void pl_characters_free(pl_characters *c) {
  if (!c) return;
  pl_free(c->dim);
  pl_free(c->chi);
  pl_free(c);
}
