#include "group/sn_fft.h"

#include "base/mem.h"
#include "group/perm.h"
#include "group/sn_level.h"

#include <math.h>
#include <string.h>

/* Up to level 7 the lanes of a vector are functions: on S_n, functions of a batch; or on S_m,
 * cosets of one function, m = min(n-1, 7).  Above, they are columns of one matrix. */
enum { LANE_MAX = 7 };
/* One side is read whole before the other is written: the transforms of the n cosets lie between.
 */
_Static_assert((int)PL_SN_IN_PLACE > (int)LANE_MAX, "a batch of one takes the way of columns");

/* Where the matrices of one transform on S_k stand, k = low..high, in vectors.  The matrix of
 * lambda is cut into panels by the path of its columns from level k down to level low; panel after
 * panel, each d_lambda x width and contiguous. */
typedef struct panel {
  int32_t width, cols; /* vectors per row; columns of the matrix in them */
} panel;
typedef struct matrix {
  int64_t base, width; /* width: of all panels */
  int npanels;
  panel *panels;
} matrix;
typedef struct layout {
  int low, high;
  int64_t size[PL_SN_MAX + 1];
  matrix *matrices[PL_SN_MAX + 1];
} layout;

struct pl_sn_fft {
  int n, m;
  int nirreps;
  int64_t *offset;
  pl_sn_graph *graph;
  pl_sn_program *program[PL_SN_MAX + 1];
  layout lane, col;                  /* of vectors over lanes; of vectors over columns */
  pl_vec *lane_out;                  /* transforms on S_m (or S_n, of a batch) in panels .. */
  pl_vec *record;                    /* .. and packed, row-major */
  int32_t *place;                    /* of the former in the latter, n <= 7 */
  pl_vec *lane_blocks[LANE_MAX + 1]; /* [k]: k transforms on S_(k-1), in every lane */
  pl_vec *col_blocks[PL_SN_MAX + 1]; /* [k]: k transforms on S_(k-1) */
  pl_vec *scratch, *top;             /* of a program; panels of level n */
  double *scale;                     /* sqrt(n! / d_lambda) */
};

static int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/* ---- layouts ---- */

static void layout_init(layout *lay, const pl_sn_graph *g, int low, int high, int cols_per_vec) {
  lay->low = low;
  lay->high = high;
  for (int k = low; k <= high; k++) {
    lay->matrices[k] = pl_zalloc((size_t)g->count[k], sizeof(matrix), "transform layout");
    for (int i = 0; i < g->count[k]; i++) {
      const pl_sn_shape *s = &g->shape[k][i];
      matrix *a = &lay->matrices[k][i];
      if (k == low) {
        a->npanels = 1;
        a->panels = pl_alloc(1, sizeof(panel), "transform layout");
        a->width = ceil_div(s->dim, cols_per_vec);
        a->panels[0] = (panel){(int32_t)a->width, (int32_t)s->dim};
      } else {
        for (int q = 0; q < s->nsub; q++) a->npanels += lay->matrices[k - 1][s->sub[q]].npanels;
        panel *p = a->panels = pl_alloc((size_t)a->npanels, sizeof(panel), "transform layout");
        for (int q = 0; q < s->nsub; q++) {
          const matrix *below = &lay->matrices[k - 1][s->sub[q]];
          memcpy(p, below->panels, (size_t)below->npanels * sizeof(panel));
          p += below->npanels;
          a->width += below->width;
        }
      }
      a->base = lay->size[k];
      lay->size[k] += s->dim * a->width;
    }
  }
}

static void layout_fini(layout *lay, const pl_sn_graph *g) {
  for (int k = lay->low; k <= lay->high; k++) {
    for (int i = 0; i < g->count[k]; i++) pl_free(lay->matrices[k][i].panels);
    pl_free(lay->matrices[k]);
  }
}

/* ---- one level ---- */

static pl_vec *block_panel(const layout *lay, const pl_sn_graph *g, int k, int mu, int64_t pos,
                           pl_vec *block) {
  return block + lay->matrices[k][mu].base + g->shape[k][mu].dim * pos;
}

/* k transforms on S_(k-1), block b holding F_(k-b), to one on S_k, or back. */
static void level(const pl_sn_fft *plan, const layout *lay, int k, int back, pl_vec *blocks,
                  pl_vec *family) {
  const pl_sn_graph *g = plan->graph;
  for (int mu = 0; mu < g->count[k - 1]; mu++) {
    const pl_sn_shape *s = &g->shape[k - 1][mu];
    const matrix *a = &lay->matrices[k - 1][mu];
    pl_vec *in[PL_SN_MAX], *out[PL_SN_BRANCH];
    for (int j = 1; j <= k; j++)
      in[j - 1] = block_panel(lay, g, k - 1, mu, 0, blocks + (k - j) * lay->size[k - 1]);
    for (int l = 0; l < s->nsup; l++) {
      const pl_sn_shape *lambda = &g->shape[k][s->sup[l]];
      int64_t pos = 0;
      for (int q = 0; lambda->sub[q] != mu; q++) pos += lay->matrices[k - 1][lambda->sub[q]].width;
      out[l] = block_panel(lay, g, k, s->sup[l], pos, family);
    }
    for (int p = 0; p < a->npanels; p++) {
      int64_t w = a->panels[p].width;
      if (back)
        pl_sn_program_backward(plan->program[k], mu, w, in, out, plan->scratch);
      else
        pl_sn_program_forward(plan->program[k], mu, w, in, out, plan->scratch);
      for (int j = 0; j < k; j++) in[j] += s->dim * w;
      for (int l = 0; l < s->nsup; l++) out[l] += g->shape[k][s->sup[l]].dim * w;
    }
  }
}

/* Level n, between blocks and the caller's matrices. */
static void top_level(const pl_sn_fft *plan, int back, double *F) {
  const pl_sn_graph *g = plan->graph;
  const layout *lay = &plan->col;
  int n = plan->n;
  for (int mu = 0; mu < g->count[n - 1]; mu++) {
    const pl_sn_shape *s = &g->shape[n - 1][mu];
    const matrix *a = &lay->matrices[n - 1][mu];
    int64_t pos = 0, col = 0;
    for (int p = 0; p < a->npanels; p++) {
      int64_t w = a->panels[p].width, cols = a->panels[p].cols;
      pl_vec *in[PL_SN_MAX], *out[PL_SN_BRANCH], *free_panel = plan->top;
      for (int j = 1; j <= n; j++)
        in[j - 1] =
            block_panel(lay, g, n - 1, mu, pos, plan->col_blocks[n] + (n - j) * lay->size[n - 1]);
      for (int l = 0; l < s->nsup; l++) {
        out[l] = free_panel;
        free_panel += g->shape[n][s->sup[l]].dim * w;
      }
      if (!back) pl_sn_program_forward(plan->program[n], mu, w, in, out, plan->scratch);
      for (int l = 0; l < s->nsup; l++) {
        int lambda = s->sup[l];
        const pl_sn_shape *big = &g->shape[n][lambda];
        double *at = F + plan->offset[lambda] + big->off[pl_sn_graph_place(g, n, lambda, mu)] + col;
        if (back)
          pl_sn_rows_in(big->dim, w, cols, 1 / plan->scale[lambda], at, big->dim, out[l]);
        else
          pl_sn_rows_out(big->dim, w, cols, plan->scale[lambda], out[l], at, big->dim);
      }
      if (back) pl_sn_program_backward(plan->program[n], mu, w, in, out, plan->scratch);
      pos += w;
      col += cols;
    }
  }
}

/* ---- across lanes ---- */

/* The square matrix with rows a[i], transposed: blocks of 1, 2, 4 change places.  Loops of one step
 * unroll, so a stays in registers. */
static inline __attribute__((always_inline)) void transpose(pl_vec *a) {
#ifdef __AVX512F__
  for (int i = 0; i < 8; i += 2) {
    pl_vec x = a[i], y = a[i + 1];
    a[i] = __builtin_shufflevector(x, y, 0, 8, 2, 10, 4, 12, 6, 14);
    a[i + 1] = __builtin_shufflevector(x, y, 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int j = 0; j < 4; j++) {
    int i = j + j / 2 * 2;
    pl_vec x = a[i], y = a[i + 2];
    a[i] = __builtin_shufflevector(x, y, 0, 1, 8, 9, 4, 5, 12, 13);
    a[i + 2] = __builtin_shufflevector(x, y, 2, 3, 10, 11, 6, 7, 14, 15);
  }
  for (int i = 0; i < 4; i++) {
    pl_vec x = a[i], y = a[i + 4];
    a[i] = __builtin_shufflevector(x, y, 0, 1, 2, 3, 8, 9, 10, 11);
    a[i + 4] = __builtin_shufflevector(x, y, 4, 5, 6, 7, 12, 13, 14, 15);
  }
#else
  for (int i = 0; i < 4; i += 2) {
    pl_vec x = a[i], y = a[i + 1];
    a[i] = __builtin_shufflevector(x, y, 0, 4, 2, 6);
    a[i + 1] = __builtin_shufflevector(x, y, 1, 5, 3, 7);
  }
  for (int i = 0; i < 2; i++) {
    pl_vec x = a[i], y = a[i + 2];
    a[i] = __builtin_shufflevector(x, y, 0, 1, 4, 5);
    a[i + 2] = __builtin_shufflevector(x, y, 2, 3, 6, 7);
  }
#endif
}

typedef pl_vec unaligned __attribute__((aligned(sizeof(double))));

/* lanes functions of size doubles, stride apart, to vectors and back.  A missing lane repeats the
 * first: it goes through the arithmetic and is dropped at the end. */
static void lanes_in(int lanes, const double *f, int64_t stride, int64_t size, pl_vec *to) {
  int64_t at[PL_LANES], e = 0;
  pl_vec a[PL_LANES];
  for (int i = 0; i < PL_LANES; i++) at[i] = i < lanes ? i * stride : 0;
  for (; e + PL_LANES <= size; e += PL_LANES) {
    for (int i = 0; i < PL_LANES; i++) a[i] = *(const unaligned *)(f + at[i] + e);
    transpose(a);
    for (int i = 0; i < PL_LANES; i++) to[e + i] = a[i];
  }
  if (e == size) return;
  for (int i = 0; i < PL_LANES; i++) pl_sn_part_in(f + at[i] + e, size - e, &a[i]);
  transpose(a);
  for (int i = 0; i < PL_LANES; i++)
    if (e + i < size) to[e + i] = a[i];
}

static void lanes_out(int lanes, const pl_vec *from, int64_t size, double *f, int64_t stride) {
  int64_t at[PL_LANES], e = 0;
  pl_vec a[PL_LANES];
  for (int i = 0; i < PL_LANES; i++) at[i] = i < lanes ? i * stride : 0;
  for (; e + PL_LANES <= size; e += PL_LANES) {
    for (int i = 0; i < PL_LANES; i++) a[i] = from[e + i];
    transpose(a);
    for (int i = PL_LANES - 1; i >= 0; i--) /* the first lane comes last, and stays */
      *(unaligned *)(f + at[i] + e) = a[i];
  }
  if (e == size) return;
  for (int i = 0; i < PL_LANES; i++) a[i] = from[e + i < size ? e + i : e];
  transpose(a);
  for (int i = PL_LANES - 1; i >= 0; i--) pl_sn_part_out(&a[i], f + at[i] + e, size - e);
}

/* The records of level n, between panels (lane_out) and packed row-major matrices (record), in the
 * caller's scaling on the latter side. */
static void panels_to_record(const pl_sn_fft *plan) {
  const pl_vec *from = plan->lane_out;
  const int32_t *place = plan->place;
  for (int lambda = 0; lambda < plan->nirreps; lambda++) {
    double scale = plan->scale[lambda];
    int64_t d = plan->graph->shape[plan->n][lambda].dim;
    for (int64_t i = 0; i < d * d; i++) plan->record[*place++] = *from++ * scale;
  }
}

static void record_to_panels(const pl_sn_fft *plan) {
  pl_vec *to = plan->lane_out;
  const int32_t *place = plan->place;
  for (int lambda = 0; lambda < plan->nirreps; lambda++) {
    double scale = 1 / plan->scale[lambda];
    int64_t d = plan->graph->shape[plan->n][lambda].dim;
    for (int64_t i = 0; i < d * d; i++) *to++ = plan->record[*place++] * scale;
  }
}

/* PL_LANES columns, from column u on, of a matrix of vectors over lanes: where they start and how
 * far their rows are apart.  Columns past the last one all are `none`, a single vector. */
static void find_columns(const pl_sn_fft *plan, int mu, int64_t u, pl_vec *none, pl_vec **start,
                         int64_t *step) {
  const matrix *a = &plan->lane.matrices[plan->m][mu];
  pl_vec *panel_start = plan->lane_out + a->base;
  int64_t d = plan->graph->shape[plan->m][mu].dim, w, first = 0;
  for (int i = 0; i < PL_LANES; i++) start[i] = none, step[i] = 0;
  for (int p = 0; p < a->npanels; p++, first += w, panel_start += d * w) {
    w = a->panels[p].width;
    for (int64_t c = 0; c < w; c++) {
      if (first + c < u || first + c >= u + PL_LANES) continue;
      start[first + c - u] = panel_start + c;
      step[first + c - u] = w;
    }
  }
}

/* The matrices of all mu |- m, from vectors over lanes to vectors over columns, lane i in block i;
 * and back. */
static void lanes_to_columns(const pl_sn_fft *plan, int lanes, pl_vec *blocks) {
  int m = plan->m;
  int64_t step[PL_LANES], size = plan->col.size[m];
  pl_vec *from[PL_LANES], a[PL_LANES], none = {0};
  for (int mu = 0; mu < plan->graph->count[m]; mu++) {
    const matrix *b = &plan->col.matrices[m][mu];
    for (int64_t v = 0; v < b->width; v++) {
      pl_vec *to = blocks + b->base + v;
      find_columns(plan, mu, v * PL_LANES, &none, from, step);
      for (int64_t t = 0; t < plan->graph->shape[m][mu].dim; t++, to += b->width) {
        for (int i = 0; i < PL_LANES; i++) a[i] = from[i][t * step[i]];
        transpose(a);
        for (int i = 0; i < lanes; i++) to[i * size] = a[i];
      }
    }
  }
}

static void columns_to_lanes(const pl_sn_fft *plan, int lanes, const pl_vec *blocks) {
  int m = plan->m;
  int64_t step[PL_LANES], lane[PL_LANES];
  pl_vec *to[PL_LANES], a[PL_LANES], none;
  for (int i = 0; i < PL_LANES; i++) lane[i] = i < lanes ? i * plan->col.size[m] : 0;
  for (int mu = 0; mu < plan->graph->count[m]; mu++) {
    const matrix *b = &plan->col.matrices[m][mu];
    for (int64_t v = 0; v < b->width; v++) {
      const pl_vec *from = blocks + b->base + v;
      find_columns(plan, mu, v * PL_LANES, &none, to, step);
      for (int64_t t = 0; t < plan->graph->shape[m][mu].dim; t++, from += b->width) {
        for (int i = 0; i < PL_LANES; i++) a[i] = from[lane[i]];
        transpose(a);
        for (int i = 0; i < PL_LANES; i++) to[i][t * step[i]] = a[i];
      }
    }
  }
}

/* Functions f, stride apart, one per lane, to their transforms on S_k, in vectors over lanes; and
 * back. */
static void lanes_forward(const pl_sn_fft *plan, int k, int lanes, const double *f, int64_t stride,
                          pl_vec *out) {
  int64_t order = pl_factorial(k - 1);
  if (k <= PL_SN_SMALL) {
    pl_vec x[120];
    lanes_in(lanes, f, stride, k * order, x);
    pl_sn_small_forward(k, x, out);
    return;
  }
  int64_t size = plan->lane.size[k - 1];
  for (int b = 0; b < k; b++)
    lanes_forward(plan, k - 1, lanes, f + b * order, stride, plan->lane_blocks[k] + b * size);
  level(plan, &plan->lane, k, 0, plan->lane_blocks[k], out);
}

static void lanes_backward(const pl_sn_fft *plan, int k, int lanes, pl_vec *in, double *f,
                           int64_t stride) {
  int64_t order = pl_factorial(k - 1);
  if (k <= PL_SN_SMALL) {
    pl_vec x[120];
    pl_sn_small_backward(k, x, in);
    lanes_out(lanes, x, k * order, f, stride);
    return;
  }
  int64_t size = plan->lane.size[k - 1];
  level(plan, &plan->lane, k, 1, plan->lane_blocks[k], in);
  for (int b = 0; b < k; b++)
    lanes_backward(plan, k - 1, lanes, plan->lane_blocks[k] + b * size, f + b * order, stride);
}

/* ---- one function ---- */

/* Cosets go through the lanes in rounds; the first coset of the last one. */
static int last_round(int cosets) {
  return (cosets - 1) / PL_LANES * PL_LANES;
}

/* The k cosets of S_(k-1) in f to their transforms, in plan->col_blocks[k]. */
static void cosets_forward(const pl_sn_fft *plan, int k, const double *f) {
  const layout *col = &plan->col;
  int64_t order = pl_factorial(k - 1), size = col->size[k - 1];
  if (k - 1 > plan->m) {
    for (int b = 0; b < k; b++) {
      cosets_forward(plan, k - 1, f + b * order);
      level(plan, col, k - 1, 0, plan->col_blocks[k - 1], plan->col_blocks[k] + b * size);
    }
    return;
  }
  for (int b = 0; b < k; b += PL_LANES) {
    int lanes = k - b < PL_LANES ? k - b : PL_LANES;
    lanes_forward(plan, k - 1, lanes, f + b * order, order, plan->lane_out);
    lanes_to_columns(plan, lanes, plan->col_blocks[k] + b * size);
  }
}

static void cosets_backward(const pl_sn_fft *plan, int k, double *f) {
  const layout *col = &plan->col;
  int64_t order = pl_factorial(k - 1), size = col->size[k - 1];
  if (k - 1 > plan->m) {
    for (int b = 0; b < k; b++) {
      level(plan, col, k - 1, 1, plan->col_blocks[k - 1], plan->col_blocks[k] + b * size);
      cosets_backward(plan, k - 1, f + b * order);
    }
    return;
  }
  for (int b = last_round(k); b >= 0; b -= PL_LANES) {
    int lanes = k - b < PL_LANES ? k - b : PL_LANES;
    columns_to_lanes(plan, lanes, plan->col_blocks[k] + b * size);
    lanes_backward(plan, k - 1, lanes, plan->lane_out, f + b * order, order);
  }
}

/* ---- plan ---- */

static int32_t *record_places(const pl_sn_fft *plan) {
  int32_t *place = pl_alloc((size_t)pl_factorial(plan->n), sizeof *place, "transform record");
  int64_t i = 0, start = 0;
  for (int lambda = 0; lambda < plan->nirreps; lambda++) {
    const matrix *a = &plan->lane.matrices[plan->n][lambda];
    int64_t d = plan->graph->shape[plan->n][lambda].dim, col = 0;
    for (int p = 0; p < a->npanels; col += a->panels[p++].width)
      for (int64_t t = 0; t < d; t++)
        for (int64_t u = 0; u < a->panels[p].width; u++)
          place[i++] = (int32_t)(start + t * d + col + u);
    start += d * d;
  }
  return place;
}

typedef struct sizes { /* in vectors */
  int64_t record, lane_out, scratch, top, lane_blocks[LANE_MAX + 1], col_blocks[PL_SN_MAX + 1];
} sizes;

static int64_t larger(int64_t a, int64_t b) {
  return a > b ? a : b;
}

/* Most vectors that a program of level k, run on panels of lay, needs as scratch. */
static int64_t scratch_size(const pl_sn_fft *plan, const layout *lay, int k) {
  int64_t widest = 0;
  for (int mu = 0; mu < plan->graph->count[k - 1]; mu++)
    for (int p = 0; p < lay->matrices[k - 1][mu].npanels; p++)
      widest = larger(widest, lay->matrices[k - 1][mu].panels[p].width);
  return widest * pl_sn_program_rows(plan->program[k]);
}

static sizes plan_sizes(const pl_sn_fft *plan) {
  int n = plan->n, lanes = plan->lane.high;
  sizes z = {.lane_out = plan->lane.size[lanes], .record = n <= LANE_MAX ? pl_factorial(n) : 0};
  for (int k = PL_SN_SMALL + 1; k <= lanes; k++) {
    z.lane_blocks[k] = k == plan->m ? 0 : k * plan->lane.size[k - 1];
    z.scratch = larger(z.scratch, scratch_size(plan, &plan->lane, k));
  }
  for (int k = plan->m + 1; n > PL_SN_SMALL && k <= n; k++) {
    z.col_blocks[k] = (k == plan->m + 1 ? last_round(k) + PL_LANES : k) * plan->col.size[k - 1];
    z.scratch = larger(z.scratch, scratch_size(plan, &plan->col, k));
  }
  for (int mu = 0; n > PL_SN_SMALL && mu < plan->graph->count[n - 1]; mu++)
    for (int p = 0; p < plan->col.matrices[n - 1][mu].npanels; p++)
      z.top = larger(z.top, n * plan->graph->shape[n - 1][mu].dim *
                                plan->col.matrices[n - 1][mu].panels[p].width);
  return z;
}

/* All but the workspace. */
static pl_sn_fft *plan_tables(int n, const int64_t *offset) {
  pl_sn_fft *plan = pl_zalloc(1, sizeof *plan, "transform plan");
  pl_sn_graph *g = plan->graph = pl_sn_graph_new(n);
  plan->n = n;
  plan->m = n - 1 < LANE_MAX ? n - 1 : LANE_MAX;
  plan->nirreps = g->count[n];
  plan->offset = pl_alloc((size_t)plan->nirreps, sizeof *plan->offset, "transform plan");
  plan->scale = pl_alloc((size_t)plan->nirreps, sizeof *plan->scale, "transform plan");
  int64_t packed = 0;
  for (int i = 0; i < plan->nirreps; i++) {
    int64_t d = g->shape[n][i].dim;
    plan->offset[i] = offset ? offset[i] : packed;
    plan->scale[i] = sqrt((double)pl_factorial(n) / (double)d);
    packed += d * d;
  }
  for (int k = PL_SN_SMALL + 1; k <= n; k++) plan->program[k] = pl_sn_program_new(g, k);
  layout_init(&plan->lane, g, n < PL_SN_SMALL ? n : PL_SN_SMALL, n < LANE_MAX ? n : LANE_MAX, 1);
  if (n > PL_SN_SMALL) layout_init(&plan->col, g, plan->m, n - 1, PL_LANES);
  return plan;
}

static pl_vec *vectors(int64_t count) {
  return pl_alloc((size_t)count, sizeof(pl_vec), "workspace of a transform on S_n");
}

pl_status pl_sn_fft_new(int n, const int64_t *offset, pl_sn_fft **out) {
  if (n < 1 || n > PL_SN_MAX)
    return pl_error(PL_EINPUT, "S_%d: transforms are made for n = 1 .. %d", n, PL_SN_MAX);
  pl_sn_fft *plan = plan_tables(n, offset);
  sizes z = plan_sizes(plan);
  plan->record = vectors(z.record);
  if (n <= LANE_MAX) plan->place = record_places(plan);
  plan->lane_out = vectors(z.lane_out);
  plan->scratch = vectors(z.scratch);
  plan->top = vectors(z.top);
  for (int k = 1; k <= LANE_MAX; k++)
    if (z.lane_blocks[k]) plan->lane_blocks[k] = vectors(z.lane_blocks[k]);
  for (int k = 1; k <= PL_SN_MAX; k++)
    if (z.col_blocks[k]) plan->col_blocks[k] = vectors(z.col_blocks[k]);
  /* One is spent when the other is filled, if the last round of cosets is the last filled and the
   * first spent; side by side they would not fit in cache. */
  if (n > PL_SN_SMALL)
    plan->lane_blocks[plan->m] =
        plan->col_blocks[plan->m + 1] + last_round(plan->m + 1) * plan->col.size[plan->m];
  *out = plan;
  return PL_OK;
}

void pl_sn_fft_free(pl_sn_fft *plan) {
  if (!plan) return;
  layout_fini(&plan->lane, plan->graph);
  if (plan->n > PL_SN_SMALL) layout_fini(&plan->col, plan->graph);
  for (int k = 1; k <= LANE_MAX; k++)
    if (k != plan->m) pl_free(plan->lane_blocks[k]);
  for (int k = 1; k <= PL_SN_MAX; k++) {
    pl_sn_program_free(plan->program[k]);
    pl_free(plan->col_blocks[k]);
  }
  pl_sn_graph_free(plan->graph);
  pl_free(plan->offset);
  pl_free(plan->scale);
  pl_free(plan->record);
  pl_free(plan->place);
  pl_free(plan->lane_out);
  pl_free(plan->scratch);
  pl_free(plan->top);
  pl_free(plan);
}

int64_t pl_sn_fft_bytes(int n) {
  if (n < 1 || n > PL_SN_MAX) return 0;
  pl_sn_fft *plan = plan_tables(n, NULL);
  sizes z = plan_sizes(plan);
  int64_t bytes = z.record + z.lane_out + z.scratch + z.top;
  for (int k = 1; k <= LANE_MAX; k++) bytes += z.lane_blocks[k];
  for (int k = 1; k <= PL_SN_MAX; k++) bytes += z.col_blocks[k];
  bytes *= (int64_t)sizeof(pl_vec);
  for (int k = PL_SN_SMALL + 1; k <= n; k++) bytes += pl_sn_program_bytes(plan->program[k]);
  pl_sn_fft_free(plan);
  return bytes;
}

/* ---- apply ---- */

/* Functions of a batch that go through the lanes together; 0: cosets of one fill the lanes. */
static int lanes_of_batch(const pl_sn_fft *plan, int left) {
  if (plan->n > LANE_MAX || (plan->n > PL_SN_SMALL && left < PL_LANES / 2)) return 0;
  return left < PL_LANES ? left : PL_LANES;
}

/* Matrices from lambda on that follow each other without gaps, as one piece: its doubles, and the
 * lambda after it. */
static int64_t piece(const pl_sn_fft *plan, int lambda, int *next) {
  int64_t size = 0;
  int i = lambda;
  do {
    int64_t d = plan->graph->shape[plan->n][i++].dim;
    size += d * d;
  } while (i < plan->nirreps && plan->offset[i] == plan->offset[lambda] + size);
  *next = i;
  return size;
}

static void batch_forward(const pl_sn_fft *plan, int lanes, const double *f, int64_t f_stride,
                          double *F, int64_t F_stride) {
  const pl_vec *from = plan->record;
  lanes_forward(plan, plan->n, lanes, f, f_stride, plan->lane_out);
  panels_to_record(plan);
  for (int i = 0, next; i < plan->nirreps; i = next) {
    int64_t size = piece(plan, i, &next);
    lanes_out(lanes, from, size, F + plan->offset[i], F_stride);
    from += size;
  }
}

static void batch_inverse(const pl_sn_fft *plan, int lanes, const double *F, int64_t F_stride,
                          double *f, int64_t f_stride) {
  pl_vec *to = plan->record;
  for (int i = 0, next; i < plan->nirreps; i = next) {
    int64_t size = piece(plan, i, &next);
    lanes_in(lanes, F + plan->offset[i], F_stride, size, to);
    to += size;
  }
  record_to_panels(plan);
  lanes_backward(plan, plan->n, lanes, plan->lane_out, f, f_stride);
}

/* S_2: sum and difference, there and back.  The lanes would cost more than they save. */
static void pairs(int batch, double scale, const double *x0, const double *x1, int64_t x_stride,
                  double *y0, double *y1, int64_t y_stride) {
  for (int b = 0; b < batch; b++) {
    double u = scale * x0[b * x_stride], v = scale * x1[b * x_stride];
    y0[b * y_stride] = u + v;
    y1[b * y_stride] = u - v;
  }
}

void pl_sn_fft_forward(pl_sn_fft *plan, int batch, const double *f, int64_t f_stride, double *F,
                       int64_t F_stride) {
  const int64_t *at = plan->offset;
  if (plan->n == 2) {
    pairs(batch, 1, f, f + 1, f_stride, F + at[0], F + at[1], F_stride);
    return;
  }
  for (int b = 0, lanes; b < batch; b += lanes ? lanes : 1) {
    lanes = lanes_of_batch(plan, batch - b);
    if (lanes) {
      batch_forward(plan, lanes, f + b * f_stride, f_stride, F + b * F_stride, F_stride);
    } else {
      cosets_forward(plan, plan->n, f + b * f_stride);
      top_level(plan, 0, F + b * F_stride);
    }
  }
}

void pl_sn_fft_inverse(pl_sn_fft *plan, int batch, const double *F, int64_t F_stride, double *f,
                       int64_t f_stride) {
  const int64_t *at = plan->offset;
  if (plan->n == 2) {
    pairs(batch, 0.5, F + at[0], F + at[1], F_stride, f, f + 1, f_stride);
    return;
  }
  for (int b = 0, lanes; b < batch; b += lanes ? lanes : 1) {
    lanes = lanes_of_batch(plan, batch - b);
    if (lanes) {
      batch_inverse(plan, lanes, F + b * F_stride, F_stride, f + b * f_stride, f_stride);
    } else {
      top_level(plan, 1, (double *)F + b * F_stride); /* reads only */
      cosets_backward(plan, plan->n, f + b * f_stride);
    }
  }
}
