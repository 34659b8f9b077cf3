#include "gcnn_polish.h"

#include "barrier.h"
#include "base/blas.h"
#include "base/mem.h"
#include "base/pause.h"
#include "linalg/leading.h"
#include "linalg/usv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* SEEN: most singular values that one round takes in, of all irreps together.  At a solution few
 * touch the bound: the sum over irreps of r (r + 1) / 2 is at most N + 1 where r of them do
 * (Pataki 1998). */
enum { SEEN = 64, NEWTON = 100 };

/* A matrix of the layout with the vectors of its largest singular values as rows: left is U^H,
 * right V^H, both [r][dim].  On a grid every rank of it has them. */
typedef struct seen {
  const pl_stack *b;
  int64_t k;
  int r;
  double *sigma, *left, *right;
} seen;

struct gcnn_polish {
  gcnn *m;
  int64_t n;
  int most;
  double largest[SEEN]; /* of this rank's singular values, decreasing */
  double *at, top;      /* where was looked last (NaN: nowhere), and the largest of all there */
  seen *list;
  int num, room;
  pl_usv *usv;
  double *matrix, *u, *vh, *sigma, *work, *part, *ones;
  /* The small problem: the same on every rank. */
  barrier_block *blocks;
  double **x; /* [rounds]: their matrices */
  int num_blocks, rounds, exponent;
};

/* ---- matrices, whole or in parts ---- */

/* This rank's part of matrix k of a stack as rows x cols numbers, row-major: all of it, or on a
 * grid, which holds the transpose, its blocks. */
typedef struct part {
  int rows, cols, ld;
} part;

static part part_of(const pl_stack *b) {
  return b->grid < 0 ? (part){b->dim, b->dim, b->dim} : (part){b->mat.ln, b->mat.lm, b->mat.lld};
}

/* The entries of num vectors that meet this rank's rows, or columns; and back, over zeros. */
static void pick(const pl_stack *b, bool rows, int num, const double *x, double *out) {
  int n = rows ? b->mat.ln : b->mat.lm;
  for (int j = 0; j < num; j++)
    for (int i = 0; i < n; i++)
      *out++ = x[(int64_t)j * b->dim + (rows ? pl_dmat_col(&b->mat, i) : pl_dmat_row(&b->mat, i))];
}
static void put(const pl_stack *b, bool rows, int num, const double *x, double *out) {
  int n = rows ? b->mat.ln : b->mat.lm;
  memset(out, 0, (size_t)num * (size_t)b->dim * sizeof *out);
  for (int j = 0; j < num; j++)
    for (int i = 0; i < n; i++)
      out[(int64_t)j * b->dim + (rows ? pl_dmat_col(&b->mat, i) : pl_dmat_row(&b->mat, i))] = *x++;
}

/* This rank's share of A x_j, or A^T x_j.  room: 2 num dim doubles. */
static void multiply(const pl_stack *b, const double *A, bool transposed, int num, const double *x,
                     double *out, double *room) {
  part p = part_of(b);
  CBLAS_TRANSPOSE t = transposed ? CblasNoTrans : CblasTrans;
  int from = transposed ? p.rows : p.cols, to = transposed ? p.cols : p.rows;
  if (b->grid < 0) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, t, num, to, from, 1, x, from, A, p.ld, 0, out, to);
    return;
  }
  double *y = room + (int64_t)num * b->dim;
  pick(b, transposed, num, x, room);
  memset(y, 0, (size_t)num * (size_t)to * sizeof *y);
  if (from && to)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, t, num, to, from, 1, room, from, A, p.ld, 0, y, to);
  put(b, !transposed, num, y, out);
}

typedef struct operand {
  const pl_layout *l;
  const pl_stack *b;
  const double *A;
  double *room;
} operand;

static void products(void *context, bool transposed, int num, const double *x, double *out) {
  const operand *o = context;
  multiply(o->b, o->A, transposed, num, x, out, o->room);
  if (o->b->grid >= 0) pl_comm_sum(&o->l->grids[o->b->grid]->comm, out, (int64_t)num * o->b->dim);
}

/* ---- what is seen at a point ---- */

static int parts(const pl_stack *b) {
  return pl_stack_complex(b) ? 2 : 1;
}

static int smaller(int a, int b) {
  return a < b ? a : b;
}

/* The r largest triplets into s.  Collective over the stack's grid. */
static pl_status whole_triplets(gcnn_polish *p, const pl_stack *b, const double *A, seen *s) {
  int d = b->dim, z = parts(b);
  int64_t size = (int64_t)d * d * z;
  pl_status st = PL_OK;
  bool mine = true;
  if (b->grid >= 0) {
    pl_dmat_gather(&b->mat, A, p->matrix);
    mine = b->owner == p->m->net.layout->team.rank;
  } else
    memcpy(p->matrix, A, (size_t)size * sizeof *A);
  int r = 0;
  if (mine) st = pl_usv_leading(p->usv, d, z == 2, p->matrix, 0, &r, p->sigma, p->u, p->vh);
  r = mine && !st ? smaller(r, s->r) : 0;
  size_t bytes = (size_t)r * (size_t)(d * z) * sizeof *p->u;
  memset(s->sigma, 0, (size_t)s->r * sizeof *s->sigma);
  memcpy(s->sigma, p->sigma, (size_t)r * sizeof *s->sigma);
  memcpy(s->left, p->u, bytes);
  memcpy(s->right, p->vh, bytes);
  return st;
}

static void share(const pl_layout *l, const pl_stack *b, seen *s) {
  const pl_comm *grid = &l->grids[b->grid]->comm;
  size_t bytes = (size_t)s->r * (size_t)b->dim * sizeof *s->left;
  pl_comm_bcast(grid, s->sigma, (size_t)s->r * sizeof *s->sigma, 0);
  pl_comm_bcast(grid, s->left, bytes, 0);
  pl_comm_bcast(grid, s->right, bytes, 0);
}

/* Take a value into the largest of this rank. */
static void rank_value(gcnn_polish *p, double x) {
  for (int j = 0; j < p->most && x > 0; j++)
    if (x > p->largest[j]) {
      double next = p->largest[j];
      p->largest[j] = x;
      x = next;
    }
}

static seen *append(gcnn_polish *p, const pl_stack *b, int64_t k, int r) {
  static const char what[] = "leading singular vectors";
  if (p->num == p->room) {
    p->room = 2 * p->room + 16;
    p->list = pl_realloc(p->list, (size_t)p->room, sizeof *p->list, what);
  }
  size_t size = (size_t)r * (size_t)b->dim * (size_t)parts(b);
  seen *s = &p->list[p->num++];
  *s = (seen){.b = b, .k = k, .r = r};
  s->sigma = pl_alloc((size_t)r, sizeof *s->sigma, what);
  s->left = pl_zalloc(size, sizeof *s->left, what);
  s->right = pl_zalloc(size, sizeof *s->right, what);
  return s;
}

static void forget(gcnn_polish *p) {
  for (int i = 0; i < p->num; i++) {
    pl_free(p->list[i].sigma);
    pl_free(p->list[i].left);
    pl_free(p->list[i].right);
  }
  p->num = 0;
}

static bool through_products(const pl_stack *b) {
  return b->dim > GCNN_POLISH_LARGE && !pl_stack_complex(b);
}

static pl_status look_at(gcnn_polish *p, const pl_stack *b, int64_t k, const double *A) {
  const pl_layout *l = p->m->net.layout;
  bool large = through_products(b);
  seen *s = append(p, b, k, smaller(smaller(p->most, b->dim), large ? PL_LEADING : b->dim));
  pl_status st = PL_OK;
  if (large) {
    double *room = p->work + pl_leading_work(b->dim);
    operand o = {l, b, A, room};
    pl_leading(b->dim, s->r, products, &o, s->sigma, s->left, s->right, p->work);
  } else
    st = whole_triplets(p, b, A, s);
  if (b->grid >= 0) share(l, b, s);
  if (isnan(s->sigma[0])) return PL_NUMERIC;
  if (b->owner == l->team.rank)
    for (int j = 0; j < s->r; j++) rank_value(p, s->sigma[j]);
  return st;
}

/* The largest triplets of M at a into the list: more than are needed. */
static pl_status look_everywhere(gcnn_polish *p, const double *a) {
  gcnn *m = p->m;
  const pl_layout *l = m->net.layout;
  double *matrix = m->net.scratch[0];
  pl_status worst = PL_OK, st = PL_OK;
  memset(p->largest, 0, sizeof p->largest);
  for (int64_t i = 0; i < p->n; i++) m->net.coefficient[i] = m->net.train->y[i] * a[i];
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (!b->here) continue;
    if (b->grid < 0 && (st = pl_pause())) break; /* grids come first: none is left */
    pl_samples_sum(m->net.train, b, m->net.coefficient, matrix);
    for (int64_t k = 0; k < b->count; k++) {
      const double *A = matrix + k * b->size;
      /* No singular value is above the Frobenius norm. */
      if (b->grid < 0 && pl_norm2(b->size, A) <= p->largest[p->most - 1]) continue;
      st = look_at(p, b, k, A);
      if (st) worst = st;
    }
  }
  return pl_agree(&l->team, st == PL_STOPPED ? st : worst);
}

static int descending(const void *x, const void *y) {
  double a = *(const double *)x, b = *(const double *)y;
  return (a < b) - (a > b);
}

/* Cut the lists to the largest values of all ranks. */
static void cut(gcnn_polish *p) {
  const pl_comm *team = &p->m->net.layout->team;
  int64_t most = p->most, all = most * team->size;
  double *value = pl_zalloc((size_t)all, sizeof *value, "leading singular values");
  memcpy(value + most * team->rank, p->largest, (size_t)most * sizeof *value);
  pl_comm_sum(team, value, all);
  qsort(value, (size_t)all, sizeof *value, descending);
  p->top = value[0];
  /* Those that come in pairs come together, rounding or not. */
  double least = value[most - 1] * (1 - 1e-9);
  pl_free(value);
  for (int i = 0; i < p->num; i++) {
    seen *s = &p->list[i];
    while (s->r > 0 && !(s->sigma[s->r - 1] >= least && s->sigma[s->r - 1] > 0)) s->r--;
  }
}

/* What is seen at a, unless it is what was seen last. */
static pl_status look(gcnn_polish *p, const double *a) {
  size_t bytes = (size_t)p->n * sizeof *a;
  if (!memcmp(p->at, a, bytes)) return PL_OK;
  forget(p);
  p->at[0] = NAN;
  pl_status st = look_everywhere(p, a);
  if (st) return st;
  cut(p);
  memcpy(p->at, a, bytes);
  return PL_OK;
}

double gcnn_polish_estimate(gcnn_polish *p, const double *a) {
  return look(p, a) ? INFINITY : p->top / pl_group_volume(p->m->net.group);
}

/* ---- the small problem ---- */

/* This rank's share of U^H X V for one sample: r x r. */
static void compress(gcnn_polish *p, const seen *s, const double *x, double *out) {
  const pl_stack *b = s->b;
  const double one[2] = {1, 0}, zero[2] = {0, 0};
  int d = b->dim, r = s->r;
  if (pl_stack_complex(b)) {
    cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, r, d, d, one, s->left, d, x, d, zero,
                p->part, d);
    cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasConjTrans, r, r, d, one, p->part, d, s->right, d,
                zero, out, r);
    return;
  }
  multiply(b, x, true, r, s->left, p->part, p->part + (int64_t)r * d);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, r, r, d, 1, p->part, d, s->right, d, 0, out,
              r);
}

/* What the ranks see: [blocks][2], rows and parts, in the order of ranks and of their lists. */
static double *shapes(gcnn_polish *p, int *num, int *first) {
  const pl_layout *l = p->m->net.layout;
  double *count = pl_zalloc((size_t)l->team.size, sizeof *count, "leading subspaces");
  for (int i = 0; i < p->num; i++)
    count[l->team.rank] += p->list[i].r > 0 && p->list[i].b->owner == l->team.rank;
  pl_comm_sum(&l->team, count, l->team.size);
  *num = *first = 0;
  for (int k = 0; k < l->team.size; k++) {
    if (k == l->team.rank) *first = *num;
    *num += (int)count[k];
  }
  pl_free(count);
  double *shape = pl_zalloc(2 * (size_t)*num + 1, sizeof *shape, "leading subspaces");
  int at = *first;
  for (int i = 0; i < p->num; i++) {
    const seen *s = &p->list[i];
    if (s->r == 0 || s->b->owner != l->team.rank) continue;
    shape[2 * at] = s->r;
    shape[2 * at++ + 1] = parts(s->b);
  }
  pl_comm_sum(&l->team, shape, 2 * (int64_t)*num);
  return shape;
}

/* The matrices of all samples for one subspace, on its owner. */
static void compress_all(gcnn_polish *p, const seen *s, double *out) {
  const pl_layout *l = p->m->net.layout;
  const pl_samples *samples = p->m->net.train;
  const pl_stack *b = s->b;
  int64_t size = (int64_t)s->r * s->r * parts(b);
  for (int64_t i = 0; i < p->n; i++) {
    const double *x = p->m->net.scratch[1];
    if (samples->recipes)
      pl_samples_get(samples, b, i, p->m->net.scratch[1]);
    else
      x = pl_samples_stack(samples, b) + i * pl_data_stride(b);
    compress(p, s, x + s->k * b->size, out + i * size);
  }
  if (b->grid >= 0) pl_comm_sum(&l->grids[b->grid]->comm, out, p->n * size);
}

/* Add the subspaces of all ranks to the small problem, in units of 2^exponent. */
static void add_blocks(gcnn_polish *p) {
  static const char what[] = "matrices on leading subspaces";
  const pl_layout *l = p->m->net.layout;
  int num, at;
  double *shape = shapes(p, &num, &at);
  int64_t *start = pl_alloc((size_t)num + 1, sizeof *start, what);
  start[0] = 0;
  for (int k = 0; k < num; k++)
    start[k + 1] = start[k] + p->n * (int64_t)(shape[2 * k] * shape[2 * k] * shape[2 * k + 1]);
  double *x = pl_zalloc((size_t)start[num], sizeof *x, what);
  for (int i = 0; i < p->num; i++) {
    const seen *s = &p->list[i];
    if (s->r == 0) continue;
    if (s->b->owner == l->team.rank)
      compress_all(p, s, x + start[at++]);
    else {
      double *mine = pl_alloc((size_t)(p->n * s->r * s->r), sizeof *mine, what);
      compress_all(p, s, mine);
      pl_free(mine);
    }
  }
  pl_comm_sum(&l->team, x, start[num]);
  for (int64_t q = 0; q < start[num]; q++) x[q] = ldexp(x[q], -p->exponent);
  p->blocks = pl_realloc(p->blocks, (size_t)(p->num_blocks + num), sizeof *p->blocks, what);
  for (int k = 0; k < num; k++)
    p->blocks[p->num_blocks++] = (barrier_block){.dim = (int)shape[2 * k],
                                                 .is_complex = shape[2 * k + 1] == 2,
                                                 .count = 1,
                                                 .x = x + start[k],
                                                 .stride = (start[k + 1] - start[k]) / p->n};
  p->x = pl_realloc(p->x, (size_t)p->rounds + 1, sizeof *p->x, what);
  p->x[p->rounds++] = x;
  pl_free(start);
  pl_free(shape);
}

/* On the first rank: the solution of the small problem. */
static pl_status solve(gcnn_polish *p, double gap, double *a, double *lower) {
  pl_optimum out;
  barrier *q = barrier_new(p->n, p->m->net.train->y, p->ones, p->num_blocks, p->blocks, false);
  pl_status st = barrier_solve(q, gap, NEWTON, &out);
  /* Short of the gap, too, the point is one and the margin a bound. */
  bool some = !out.inseparable && out.margin > 0;
  if (some) {
    const double *point = barrier_point(q);
    double sum = 0;
    for (int64_t i = 0; i < p->n; i++) sum += point[i];
    for (int64_t i = 0; i < p->n; i++) a[i] = point[i] / sum;
    *lower = ldexp(out.margin, p->exponent) / pl_group_volume(p->m->net.group);
  }
  barrier_free(q);
  return some ? PL_OK : st ? st : PL_NUMERIC;
}

bool gcnn_polish_round(gcnn_polish *p, double gap, double *a, double *lower) {
  const pl_comm *team = &p->m->net.layout->team;
  if (look(p, a) || !(p->top > 0)) return false;
  if (p->rounds == 0) p->exponent = ilogb(p->top);
  add_blocks(p);
  int solved = team->rank == 0 && !solve(p, gap, a, lower);
  pl_comm_bcast(team, &solved, sizeof solved, 0);
  pl_comm_bcast(team, a, (size_t)p->n * sizeof *a, 0);
  pl_comm_bcast(team, lower, sizeof *lower, 0);
  return solved;
}

/* ---- life ---- */

gcnn_polish *gcnn_polish_new(gcnn *m) {
  static const char what[] = "polishing certificates";
  const pl_layout *l = m->net.layout;
  gcnn_polish *p = pl_zalloc(1, sizeof *p, what);
  p->m = m;
  p->n = m->net.train->num;
  p->most = smaller(4 * (int)p->n + 16, SEEN);
  int whole = 0, large = 0, vectors = 0;
  bool z = false;
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    if (!b->here) continue;
    int *most = through_products(b) ? &large : &whole;
    if (b->dim > *most) *most = b->dim;
    if (b->dim * parts(b) > vectors) vectors = b->dim * parts(b);
    z = z || pl_stack_complex(b);
  }
  size_t size = (size_t)whole * (size_t)whole * (z ? 2 : 1);
  p->matrix = pl_alloc(size, sizeof(double), what);
  p->u = pl_alloc(size, sizeof(double), what);
  p->vh = pl_alloc(size, sizeof(double), what);
  p->sigma = pl_alloc((size_t)whole, sizeof(double), what);
  p->usv = pl_usv_leading_new(whole, z);
  _Static_assert(GCNN_POLISH_VECTORS == 3 * SEEN + 4 * PL_LEADING_SPACE, "its workspace");
  if (large) {
    /* The widest product is of the whole Krylov space. */
    size_t room = 2 * (size_t)PL_LEADING_SPACE * (size_t)large;
    p->work = pl_alloc((size_t)pl_leading_work(large) + room, sizeof(double), what);
  }
  p->part = pl_alloc(3 * SEEN * (size_t)vectors, sizeof(double), what);
  p->ones = pl_alloc((size_t)p->n, sizeof(double), what);
  for (int64_t i = 0; i < p->n; i++) p->ones[i] = 1;
  p->at = pl_alloc((size_t)p->n, sizeof(double), what);
  p->at[0] = NAN;
  return p;
}

void gcnn_polish_free(gcnn_polish *p) {
  if (!p) return;
  forget(p);
  double *arrays[] = {p->matrix, p->u, p->vh, p->sigma, p->work, p->part, p->ones, p->at};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) pl_free(arrays[k]);
  for (int k = 0; k < p->rounds; k++) pl_free(p->x[k]);
  pl_free(p->x);
  pl_free(p->blocks);
  pl_free(p->list);
  pl_usv_free(p->usv);
  pl_free(p);
}
