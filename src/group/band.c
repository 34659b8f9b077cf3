#include "group/band.h"

#include "base/mem.h"
#include "base/status.h"
#include "group/young.h"

#include <math.h>
#include <string.h>

/* Columns done at a time, so that they stay in cache. */
enum { PANEL = 32, MAX_CORNERS = 8 };

/* s_i on rows a .. a + rows - 1 and their partners b ..: (x, y) becomes (r x + q y, q x - r y); b
 * negative: x becomes -x. */
typedef struct move {
  int a, b, rows;
  double r, q;
} move;

/* A partition of m, its tableaux the rows of a matrix. */
typedef struct shape {
  int dim, corners;
  int row[MAX_CORNERS], child[MAX_CORNERS], offset[MAX_CORNERS]; /* without the box of row[..] */
  move *moves;
  int *first; /* [m]: the moves of s_i are first[i - 1] .. first[i] - 1 */
} shape;

typedef struct level {
  int count;
  pl_partition *partition;
  shape *shape;
} level;

struct pl_band {
  int n;
  level *level;  /* [n + 1] */
  double *panel; /* [largest dimension][PANEL] */
};

/* ---- tables ---- */

static int content(const pl_partition *p, int row) {
  return p->part[row] - 1 - row;
}

static int find(const level *l, const pl_partition *p) {
  int i = 0;
  while (pl_partition_compare(&l->partition[i], p)) i++;
  return i;
}

static void find_children(const level *below, const pl_partition *p, shape *s) {
  for (int r = p->rows - 1; r >= 0; r--) {
    pl_partition less;
    if (!pl_partition_remove(p, r, &less)) continue;
    pl_require(s->corners < MAX_CORNERS);
    int k = s->corners++;
    s->row[k] = r;
    s->child[k] = find(below, &less);
    s->offset[k] = s->dim;
    s->dim += below->shape[s->child[k]].dim;
  }
}

static void push(shape *s, int *count, int *capacity, move m) {
  if (*count == *capacity) {
    *capacity = 2 * *capacity + 8;
    s->moves = pl_realloc(s->moves, (size_t)*capacity, sizeof *s->moves, "moves of tableaux");
  }
  s->moves[(*count)++] = m;
}

/* Corner of s that takes the box of a row. */
static int corner_of(const shape *s, int row) {
  int k = 0;
  while (s->row[k] != row) k++;
  return k;
}

/* s_(m-1), by where the last two letters stand: m in corner A, m-1 in a corner B of what is left.
 */
static void move_last_two(const level *below, const pl_partition *p, shape *s, int *count,
                          int *capacity) {
  for (int A = 0; A < s->corners; A++) {
    const shape *mu = &below->shape[s->child[A]];
    for (int B = 0; B < mu->corners; B++) {
      int next = B + 1 < mu->corners ? mu->offset[B + 1] : mu->dim;
      int distance = content(p, s->row[A]) - content(&below->partition[s->child[A]], mu->row[B]);
      move m = {s->offset[A] + mu->offset[B], -1, next - mu->offset[B], 1.0 / distance, 0};
      if (distance == 1) continue;
      if (distance != -1) {
        if (s->row[A] < mu->row[B]) continue; /* the pair is listed at its partner */
        int C = corner_of(s, mu->row[B]);
        const shape *nu = &below->shape[s->child[C]];
        m.b = s->offset[C] + nu->offset[corner_of(nu, s->row[A])];
        m.q = sqrt(1 - m.r * m.r);
      }
      push(s, count, capacity, m);
    }
  }
}

static void list_moves(const level *below, int m, const pl_partition *p, shape *s) {
  int count = 0, capacity = 0;
  s->first = pl_zalloc((size_t)m, sizeof *s->first, "moves of tableaux");
  for (int i = 1; i < m - 1; i++) {
    for (int k = 0; k < s->corners; k++) {
      const shape *child = &below->shape[s->child[k]];
      for (int e = child->first[i - 1]; e < child->first[i]; e++) {
        move lower = child->moves[e];
        lower.a += s->offset[k];
        if (lower.b >= 0) lower.b += s->offset[k];
        push(s, &count, &capacity, lower);
      }
    }
    s->first[i] = count;
  }
  if (m < 2) return;
  move_last_two(below, p, s, &count, &capacity);
  s->first[m - 1] = count;
}

pl_band *pl_band_new(int n, int k) {
  pl_band *b = pl_zalloc(1, sizeof *b, "a band");
  b->n = n;
  b->level = pl_zalloc((size_t)n + 1, sizeof *b->level, "a band");
  for (int m = 0; m <= n; m++) {
    level *l = &b->level[m];
    l->partition = pl_partitions_within(m, k, &l->count);
    l->shape = pl_zalloc((size_t)l->count, sizeof *l->shape, "a band");
    if (m == 0) l->shape[0].dim = 1;
    for (int i = 0; m && i < l->count; i++) {
      find_children(l - 1, &l->partition[i], &l->shape[i]);
      list_moves(l - 1, m, &l->partition[i], &l->shape[i]);
    }
  }
  int largest = 0;
  for (int i = 0; i < pl_band_num_irreps(b); i++)
    if (pl_band_dim(b, i) > largest) largest = pl_band_dim(b, i);
  b->panel = pl_alloc((size_t)largest * PANEL, sizeof *b->panel, "columns of a permutation");
  return b;
}

void pl_band_free(pl_band *b) {
  if (!b) return;
  for (int m = 0; m <= b->n; m++) {
    for (int i = 0; i < b->level[m].count; i++) {
      pl_free(b->level[m].shape[i].moves);
      pl_free(b->level[m].shape[i].first);
    }
    pl_free(b->level[m].shape);
    pl_free(b->level[m].partition);
  }
  pl_free(b->level);
  pl_free(b->panel);
  pl_free(b);
}

int pl_band_num_irreps(const pl_band *b) {
  return b->level[b->n].count;
}

int pl_band_dim(const pl_band *b, int irrep) {
  return b->level[b->n].shape[irrep].dim;
}

/* ---- permutations ---- */

/* Some columns of the matrix of a permutation: [d][width], the columns cols[..] of the whole. */
typedef struct panel {
  int width, cols[PANEL];
  double *x;
} panel;

static void apply(const move *m, double *x, int width) {
  double *a = x + (int64_t)m->a * PANEL, r = m->r, q = m->q;
  if (m->b < 0) {
    for (int row = 0; row < m->rows; row++, a += PANEL)
      for (int c = 0; c < width; c++) a[c] = -a[c];
    return;
  }
  double *b = x + (int64_t)m->b * PANEL;
  for (int row = 0; row < m->rows; row++, a += PANEL, b += PANEL) {
#pragma omp simd
    for (int c = 0; c < width; c++) {
      double u = a[c], v = b[c];
      a[c] = r * u + q * v;
      b[c] = q * u - r * v;
    }
  }
}

/* s_j .. s_(to-1) on the blocks of partitions of `to` below shape number `irrep` of level m, whose
 * first row is row. */
static void apply_coset(const pl_band *b, int m, int irrep, int row, int to, int j, panel *p) {
  const shape *s = &b->level[m].shape[irrep];
  int from = 0, end;
  while (from < p->width && p->cols[from] < row) from++;
  for (end = from; end < p->width && p->cols[end] < row + s->dim;) end++;
  /* The first partition is (m), on which all is the identity. */
  if (from == end || irrep == 0) return;
  if (m > to) {
    for (int k = 0; k < s->corners; k++)
      apply_coset(b, m - 1, s->child[k], row + s->offset[k], to, j, p);
    return;
  }
  for (int i = to - 1; i >= j; i--)
    for (int e = s->first[i - 1]; e < s->first[i]; e++)
      apply(&s->moves[e], p->x + (int64_t)row * PANEL + from, end - from);
}

static void permutation(const pl_band *b, int irrep, const int8_t *perm, panel *p) {
  int n = b->n, d = pl_band_dim(b, irrep);
  memset(p->x, 0, (size_t)d * PANEL * sizeof *p->x);
  for (int c = 0; c < p->width; c++) p->x[(int64_t)p->cols[c] * PANEL + c] = 1;
  /* t = w s w: letter k goes to n-1 - s(n-1-k); c_m takes m to one more than the smaller images
   * of smaller letters. */
  for (int m = 2; m <= n; m++) {
    int j = 1;
    for (int k = n - m + 1; k < n; k++) j += perm[k] > perm[n - m];
    if (j < m) apply_coset(b, n, irrep, 0, m, j, p);
  }
}

/* The panel of the columns first .. of num_cols chosen ones. */
static panel panel_of(const pl_band *b, int num_cols, const int *cols, int first) {
  panel p = {.x = b->panel, .width = num_cols - first < PANEL ? num_cols - first : PANEL};
  for (int c = 0; c < p.width; c++) p.cols[c] = cols ? cols[first + c] : first + c;
  return p;
}

void pl_band_add(const pl_band *b, int irrep, int count, const int8_t *perms, const double *weights,
                 int num_cols, const int *cols, double *F) {
  int d = pl_band_dim(b, irrep);
  if (!cols) num_cols = d;
  for (int first = 0; first < num_cols; first += PANEL) {
    panel p = panel_of(b, num_cols, cols, first);
    for (int k = 0; k < count; k++) {
      permutation(b, irrep, perms + (int64_t)k * b->n, &p);
      for (int row = 0; row < d; row++)
        for (int c = 0; c < p.width; c++)
          F[(int64_t)row * num_cols + first + c] += weights[k] * p.x[(int64_t)row * PANEL + c];
    }
  }
}

void pl_band_dot(const pl_band *b, int irrep, int count, const int8_t *perms, int num_cols,
                 const int *cols, const double *F, double *out) {
  int d = pl_band_dim(b, irrep);
  if (!cols) num_cols = d;
  for (int first = 0; first < num_cols; first += PANEL) {
    panel p = panel_of(b, num_cols, cols, first);
    for (int k = 0; k < count; k++) {
      double sum[PANEL] = {0};
      permutation(b, irrep, perms + (int64_t)k * b->n, &p);
      for (int row = 0; row < d; row++)
        for (int c = 0; c < p.width; c++)
          sum[c] += F[(int64_t)row * num_cols + first + c] * p.x[(int64_t)row * PANEL + c];
      for (int c = 0; c < p.width; c++) out[k] += sum[c];
    }
  }
}
