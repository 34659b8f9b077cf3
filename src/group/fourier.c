/* Axis by axis: transform along the last factor, turn it to the front, go on with the factor
 * before it; then combine the components of the factors' irreps into those of the product, from
 * the first factor on.  All of it in compact form, so every pass reads and writes |G| doubles. */
#include "group/fourier.h"

#include "base/blas.h"
#include "base/limits.h"
#include "base/mem.h"
#include "group/family.h"
#include "group/sn_fft.h"
#include "group/tensor.h"

#include <math.h>
#include <string.h>

/* Up to here the Fourier matrix beats every fast transform; above, families without one are
 * bearable up to DENSE_MAX. */
enum { DENSE = 32, DENSE_MAX = 2048 };
/* Functions are transformed together while they fit in cache. */
enum { CHUNK = 1 << 14 };

/* Transform along one factor. */
typedef struct axis {
  const pl_factor *factor; /* borrowed */
  double *forward;         /* [component][element], or NULL: fast */
  double *inverse;         /* the same with the weights of the inverse */
  void *plan;              /* of factor->family->fast */
} axis;

/* A run of the compact record: length doubles that stay as they are, or one quaternionic matrix
 * of length dim^2. */
typedef struct segment {
  int64_t from, to, length;
  int dim; /* quaternionic; 0: copy */
} segment;

struct pl_fourier {
  int64_t order, chunk;
  int factors;
  axis axis[PL_MAX_FACTORS];
  /* irreps[t]: of the product of factors 0..t, for t = 0..factors-2; own[t]: of factor t. */
  pl_irrep *irreps[PL_MAX_FACTORS], *own[PL_MAX_FACTORS];
  int64_t num_irreps[PL_MAX_FACTORS];
  segment *segment;
  int64_t num_segments;
  int straight;  /* the first axis works on the caller's records; no passes, no workspace */
  double *x, *y; /* chunk * |G| each */
};

/* ---- one axis ---- */

static int is_dense(const pl_factor *f) {
  return f->order <= DENSE || !f->family->fast;
}

static axis axis_new(const pl_factor *f, const int64_t *offset) {
  axis a = {.factor = f};
  if (!is_dense(f)) {
    a.plan = f->family->fast->make(f, offset);
    return a;
  }
  int n = (int)f->order;
  a.forward = pl_alloc((size_t)n * (size_t)n, sizeof(double), "a Fourier matrix");
  a.inverse = pl_alloc((size_t)n * (size_t)n, sizeof(double), "a Fourier matrix");
  double *column = pl_alloc((size_t)n, sizeof *column, "an irrep matrix");
  for (int64_t i = 0, first = 0; i < f->irreps; i++) {
    pl_irrep r = f->family->irrep(f, i);
    int64_t size = pl_compact_size(r);
    /* Re tr of a quaternion is twice its real part. */
    double weight = (double)r.mult * r.dim * (r.type == PL_QUATERNIONIC ? 2 : 1) / n;
    for (int g = 0; g < n; g++) {
      f->family->irrep_matrix(f, i, g, column);
      for (int64_t c = 0; c < size; c++) {
        a.forward[(first + c) * n + g] = column[c];
        a.inverse[(first + c) * n + g] = weight * column[c];
      }
    }
    first += size;
  }
  pl_free(column);
  return a;
}

static void axis_free(axis *a) {
  if (a->plan) a->factor->family->fast->free(a->plan);
  pl_free(a->forward);
  pl_free(a->inverse);
}

/* BLAS wants a leading dimension even where there is one row. */
static int leading(int64_t rows, int n, int64_t stride) {
  return rows > 1 ? pl_int(stride) : n;
}

static void axis_forward(const axis *a, int64_t rows, const double *in, int64_t in_stride,
                         double *out, int64_t out_stride) {
  if (a->plan) {
    a->factor->family->fast->forward(a->plan, rows, in, in_stride, out, out_stride);
    return;
  }
  int n = (int)a->factor->order;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, pl_int(rows), n, n, 1, in,
              leading(rows, n, in_stride), a->forward, n, 0, out, leading(rows, n, out_stride));
}

static void axis_inverse(const axis *a, int64_t rows, const double *in, int64_t in_stride,
                         double *out, int64_t out_stride) {
  if (a->plan) {
    a->factor->family->fast->inverse(a->plan, rows, in, in_stride, out, out_stride);
    return;
  }
  int n = (int)a->factor->order;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, pl_int(rows), n, n, 1, in,
              leading(rows, n, in_stride), a->inverse, n, 0, out, leading(rows, n, out_stride));
}

/* ---- plans ---- */

bool pl_fourier_in_place(const pl_group *g) {
  return pl_group_symmetric(g) >= PL_SN_IN_PLACE;
}

/* A quaternionic matrix takes twice the d^2 doubles that it brings to |G|. */
int64_t pl_fourier_size(const pl_group *g) {
  int64_t count[3], squares[3];
  pl_group_irrep_sums(g, count, squares);
  return squares[PL_REAL] + 2 * (squares[PL_COMPLEX] + squares[PL_QUATERNIONIC]);
}

static int64_t chunk_of(const pl_group *g) {
  return g->order < CHUNK ? CHUNK / g->order : 1;
}

/* One factor whose fast transform puts matrices where the caller wants them. */
static int places_itself(const pl_group *g) {
  const pl_factor *f = &g->factor[0];
  return g->factors == 1 && !is_dense(f) && f->family->fast->places;
}

int64_t pl_fourier_bytes(const pl_group *g) {
  double bytes = 0;
  if (!places_itself(g)) {
    bytes += 16.0 * (double)chunk_of(g) * (double)g->order;
    bytes += (double)g->stored[0] * sizeof(segment);
  }
  double prefix = 1;
  for (int t = 0; t < g->factors; t++) {
    const pl_factor *f = &g->factor[t];
    prefix *= (double)f->classes;
    if (t < g->factors - 1) bytes += prefix * sizeof(pl_irrep);
    if (is_dense(f))
      bytes += 16.0 * (double)f->order * (double)f->order;
    else
      bytes += (double)f->family->fast->bytes(f);
  }
  return bytes < 9e18 ? (int64_t)bytes : INT64_MAX;
}

/* Irreps of the factors and of the products of the first ones. */
static void list_irreps(pl_fourier *p) {
  for (int t = 0; t < p->factors; t++) {
    const pl_factor *f = p->axis[t].factor;
    p->own[t] = pl_alloc((size_t)f->irreps, sizeof(pl_irrep), "a list of irreps");
    for (int64_t i = 0; i < f->irreps; i++) p->own[t][i] = f->family->irrep(f, i);
  }
  for (int t = 0; t < p->factors - 1; t++) {
    static const pl_irrep trivial = {1, PL_REAL, 1};
    const pl_irrep *before = t ? p->irreps[t - 1] : &trivial;
    int64_t num_before = t ? p->num_irreps[t - 1] : 1, n = 0;
    int64_t own = p->axis[t].factor->irreps;
    pl_irrep *list = pl_alloc((size_t)(2 * num_before * own), sizeof *list, "a list of irreps");
    for (int64_t i = 0; i < num_before; i++)
      for (int64_t j = 0; j < own; j++) {
        int count;
        pl_irrep r = pl_tensor_irrep(before[i], p->own[t][j], &count);
        while (count-- > 0) list[n++] = r;
      }
    p->irreps[t] = list;
    p->num_irreps[t] = n;
  }
}

static void list_segments(pl_fourier *p, const pl_group *g, const int64_t *offset) {
  int64_t n = 0, room = 16, from = 0, packed = 0;
  segment *s = pl_alloc((size_t)room, sizeof *s, "segments of a transform");
  for (int64_t i = 0; i < g->stored[0]; i++) {
    pl_irrep r = pl_group_irrep(g, i);
    int64_t size = pl_compact_size(r), to = offset ? offset[i] : packed;
    int dim = r.type == PL_QUATERNIONIC ? r.dim : 0;
    packed += pl_irrep_size(r);
    if (!dim && n && !s[n - 1].dim && s[n - 1].to + s[n - 1].length == to) {
      s[n - 1].length += size;
    } else {
      if (n == room) s = pl_realloc(s, (size_t)(room *= 2), sizeof *s, "segments of a transform");
      s[n++] = (segment){.from = from, .to = to, .length = size, .dim = dim};
    }
    from += size;
  }
  p->segment = s;
  p->num_segments = n;
}

pl_status pl_fourier_new(const pl_group *g, const int64_t *offset, pl_fourier **out) {
  pl_require(!g->codepth);
  for (int t = 0; t < g->factors; t++)
    if (is_dense(&g->factor[t]) && g->factor[t].order > DENSE_MAX)
      return pl_error(PL_EENV, "group %s: no fast transform along factor %d of order %lld", g->spec,
                      t + 1, (long long)g->factor[t].order);
  for (int t = 0; t < g->factors; t++)
    if (g->factor[t].family == &pl_family_symmetric && g->factor[t].n > PL_SN_FFT_MAX)
      return pl_error(PL_EENV, "group %s: transforms on S_n are made for n up to %d", g->spec,
                      PL_SN_FFT_MAX);
  double need = (double)pl_fourier_bytes(g);
  /* What every machine has is not worth the question, which reads files of the system. */
  pl_memory have = {.bytes = INFINITY};
  if (need > 1e8) have = pl_memory_limit(1);
  if (need > have.bytes)
    return pl_error(PL_EENV, "group %s: a transform needs %.3g GB of memory; %s allows %.3g GB",
                    g->spec, need * 1e-9, have.says, have.bytes * 1e-9);
  pl_fourier *p = pl_zalloc(1, sizeof *p, "a transform");
  p->order = g->order;
  p->factors = g->factors;
  p->chunk = chunk_of(g);
  p->straight = places_itself(g);
  for (int t = 0; t < g->factors; t++)
    p->axis[t] = axis_new(&g->factor[t], p->straight ? offset : NULL);
  if (g->factors > 1) list_irreps(p);
  if (!p->straight) {
    list_segments(p, g, offset);
    p->straight =
        p->factors == 1 && p->num_segments == 1 && !p->segment->dim && p->segment->to == 0;
  }
  if (!p->straight) {
    p->x = pl_alloc((size_t)(p->chunk * g->order), sizeof *p->x, "workspace of a transform");
    p->y = pl_alloc((size_t)(p->chunk * g->order), sizeof *p->y, "workspace of a transform");
  }
  *out = p;
  return PL_OK;
}

void pl_fourier_free(pl_fourier *p) {
  if (!p) return;
  for (int t = 0; t < p->factors; t++) {
    axis_free(&p->axis[t]);
    pl_free(p->irreps[t]);
    pl_free(p->own[t]);
  }
  pl_free(p->segment);
  pl_free(p->x);
  pl_free(p->y);
  pl_free(p);
}

/* ---- passes ---- */

/* out[b][j][i] = in[b][i][j], in tiles that fit in cache. */
static void transpose(int64_t batch, int64_t rows, int64_t columns, const double *restrict in,
                      double *restrict out) {
  enum { TILE = 16 };
  for (; batch > 0; batch--, in += rows * columns, out += rows * columns)
    for (int64_t i0 = 0; i0 < rows; i0 += TILE)
      for (int64_t j0 = 0; j0 < columns; j0 += TILE) {
        int64_t i1 = i0 + TILE < rows ? i0 + TILE : rows;
        int64_t j1 = j0 + TILE < columns ? j0 + TILE : columns;
        for (int64_t j = j0; j < j1; j++)
          for (int64_t i = i0; i < i1; i++) out[j * rows + i] = in[i * columns + j];
      }
}

typedef void pair_fn(pl_irrep rho, pl_irrep sigma, double *T, int64_t ld, double *record);

static void combine_pair(pl_irrep rho, pl_irrep sigma, double *T, int64_t ld, double *record) {
  pl_tensor_combine(rho, sigma, T, ld, record);
}
static void split_pair(pl_irrep rho, pl_irrep sigma, double *T, int64_t ld, double *record) {
  pl_tensor_split(rho, sigma, record, T, ld);
}

/* Between T[component of factor t][component of factors before], |before| = ld, and the records
 * of factors 0..t. */
static void pairs(const pl_fourier *p, int t, int64_t batch, int64_t ld, double *T, double *record,
                  pair_fn *pair) {
  int64_t own = p->axis[t].factor->irreps, num_before = p->num_irreps[t - 1];
  const pl_irrep *before = p->irreps[t - 1];
  for (; batch > 0; batch--, T += ld * p->axis[t].factor->order) {
    double *row = T;
    for (int64_t i = 0; i < num_before; i++) {
      double *block = row;
      for (int64_t j = 0; j < own; j++) {
        int count;
        pl_irrep r = pl_tensor_irrep(before[i], p->own[t][j], &count);
        pair(before[i], p->own[t][j], block, ld, record);
        record += count * pl_compact_size(r);
        block += pl_compact_size(p->own[t][j]) * ld;
      }
      row += pl_compact_size(before[i]);
    }
  }
}

static void swap(double **x, double **y) {
  double *t = *x;
  *x = *y;
  *y = t;
}

/* Compact records of batch functions in x; the result is where it ends up, x or y. */
static double *forward_compact(pl_fourier *p, int64_t batch, double *x, double *y) {
  int64_t total = batch * p->order, before = p->order;
  for (int t = p->factors - 1; t > 0; t--) {
    int64_t n = p->axis[t].factor->order, outer = total / before;
    before /= n;
    axis_forward(&p->axis[t], total / n, x, n, y, n);
    transpose(outer, before, n, y, x);
  }
  axis_forward(&p->axis[0], total / before, x, before, y, before);
  for (int t = 1; t < p->factors; t++) {
    swap(&x, &y);
    int64_t n = p->axis[t].factor->order;
    pairs(p, t, total / (before * n), before, x, y, combine_pair);
    before *= n;
  }
  return y;
}

static double *inverse_compact(pl_fourier *p, int64_t batch, double *x, double *y) {
  int64_t total = batch * p->order, before = p->order;
  for (int t = p->factors - 1; t > 0; t--) {
    int64_t n = p->axis[t].factor->order, outer = total / before;
    before /= n;
    pairs(p, t, outer, before, y, x, split_pair);
    swap(&x, &y);
  }
  axis_inverse(&p->axis[0], total / before, x, before, y, before);
  for (int t = 1; t < p->factors; t++) {
    int64_t n = p->axis[t].factor->order;
    transpose(total / (before * n), n, before, y, x);
    axis_inverse(&p->axis[t], total / n, x, n, y, n);
    before *= n;
  }
  return y;
}

/* Compact record to the caller's, and back. */
static void scatter(const pl_fourier *p, const double *compact, double *F) {
  for (const segment *s = p->segment, *end = s + p->num_segments; s < end; s++)
    if (s->dim)
      pl_compact_expand((pl_irrep){s->dim, PL_QUATERNIONIC, 1}, compact + s->from, F + s->to);
    else
      memcpy(F + s->to, compact + s->from, (size_t)s->length * sizeof *F);
}
static void gather(const pl_fourier *p, const double *F, double *compact) {
  for (const segment *s = p->segment, *end = s + p->num_segments; s < end; s++)
    if (s->dim)
      pl_compact_reduce((pl_irrep){s->dim, PL_QUATERNIONIC, 1}, F + s->to, compact + s->from);
    else
      memcpy(compact + s->from, F + s->to, (size_t)s->length * sizeof *F);
}

void pl_fourier_forward(pl_fourier *p, int batch, const double *f, int64_t f_stride, double *F,
                        int64_t F_stride) {
  if (p->straight) {
    axis_forward(&p->axis[0], batch, f, f_stride, F, F_stride);
    return;
  }
  for (int64_t done = 0; done < batch; done += p->chunk) {
    int64_t n = batch - done < p->chunk ? batch - done : p->chunk;
    for (int64_t b = 0; b < n; b++, f += f_stride)
      memcpy(p->x + b * p->order, f, (size_t)p->order * sizeof *f);
    const double *record = forward_compact(p, n, p->x, p->y);
    for (int64_t b = 0; b < n; b++, F += F_stride) scatter(p, record + b * p->order, F);
  }
}

void pl_fourier_inverse(pl_fourier *p, int batch, const double *F, int64_t F_stride, double *f,
                        int64_t f_stride) {
  if (p->straight) {
    axis_inverse(&p->axis[0], batch, F, F_stride, f, f_stride);
    return;
  }
  for (int64_t done = 0; done < batch; done += p->chunk) {
    int64_t n = batch - done < p->chunk ? batch - done : p->chunk;
    for (int64_t b = 0; b < n; b++, F += F_stride) gather(p, F, p->x + b * p->order);
    const double *function = inverse_compact(p, n, p->x, p->y);
    for (int64_t b = 0; b < n; b++, f += f_stride)
      memcpy(f, function + b * p->order, (size_t)p->order * sizeof *f);
  }
}

/* ---- direct sums ---- */

static double *widest_matrix(const pl_group *g) {
  int64_t size = 1;
  for (int64_t i = 0; i < g->stored[0]; i++) {
    int64_t s = pl_irrep_size(pl_group_irrep(g, i));
    if (s > size) size = s;
  }
  return pl_alloc((size_t)size, sizeof(double), "an irrep matrix");
}

void pl_fourier_forward_direct(const pl_group *g, const double *f, double *F) {
  double *rho = widest_matrix(g);
  for (int64_t i = 0; i < g->stored[0]; i++) {
    int64_t size = pl_irrep_size(pl_group_irrep(g, i));
    memset(F, 0, (size_t)size * sizeof *F);
    for (int64_t a = 0; a < g->order; a++) {
      pl_group_irrep_matrix(g, i, a, rho);
      for (int64_t c = 0; c < size; c++) F[c] += f[a] * rho[c];
    }
    F += size;
  }
  pl_free(rho);
}

void pl_fourier_inverse_direct(const pl_group *g, const double *F, double *f) {
  double *rho = widest_matrix(g);
  memset(f, 0, (size_t)g->order * sizeof *f);
  for (int64_t i = 0; i < g->stored[0]; i++) {
    pl_irrep r = pl_group_irrep(g, i);
    int64_t size = pl_irrep_size(r);
    double weight = (double)r.mult * r.dim / (double)g->order;
    for (int64_t a = 0; a < g->order; a++) {
      pl_group_irrep_matrix(g, i, a, rho);
      double dot = 0; /* Re tr(F rho^H), in real parts */
      for (int64_t c = 0; c < size; c++) dot += F[c] * rho[c];
      f[a] += weight * dot;
    }
    F += size;
  }
  pl_free(rho);
}
