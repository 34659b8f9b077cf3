/* ranks: 1
 * Each operation of the tape against its floor, at sizes of training.
 *   bench_tape [only operations whose name contains this]
 * Columns: microseconds of the forward sweep (recording included), and its share of the floor,
 * floor / time; the same for the backward sweep to all inputs.  The floor of a product is DGEMM of
 * the same shapes; of all else one pass that reads the inputs and writes the outputs, and what it
 * keeps of their size for the way back (backward: reads the adjoint and the numbers that the
 * formula needs, writes the inputs' adjoints), measured beside it, in the same caches; a row behind
 * an index is read as often as it is asked for.  Beside this strict floor stands the share of the
 * same pass at the rate of memory, where a training step works whose numbers do not fit the caches.
 * Medians over rounds, of ratios too, in processor time. */
#include "bench.h"

#include "base/rng.h"
#include "tape/ops.h"

enum { ROUNDS = 11, INPUTS = 3, NODES = 2708, EDGES = 13264, GATHERS = 20000 };

/* ---- data ---- */

static int64_t row_start[NODES + 1], gather_start[NODES + 1];
static int neighbour[EDGES], source[GATHERS], label[NODES];
static double weight[EDGES];
static pl_tape_csr cora = {NODES, NODES, row_start, neighbour, weight}, cora_turned;
static int64_t turned_start[NODES + 1];
static int turned_index[EDGES];
static double turned_value[EDGES];
static const pl_tape_windows digits = {16, 28, 28, 16, 3, 2, 1}, pools = {16, 28, 28, 16, 2, 2, 0};

static void random_starts(int64_t n, int64_t *start, uint64_t stream) {
  for (int64_t e = 0; e < n; e++) start[1 + pl_rng_below(1, stream, (uint64_t)e, NODES)]++;
  for (int i = 0; i < NODES; i++) start[i + 1] += start[i];
}

static void make_data(void) {
  random_starts(EDGES, row_start, 1);
  random_starts(GATHERS, gather_start, 2);
  for (int e = 0; e < EDGES; e++) {
    neighbour[e] = (int)pl_rng_below(1, 3, (uint64_t)e, NODES), weight[e] = .2;
    turned_start[neighbour[e] + 1]++;
  }
  for (int e = 0; e < GATHERS; e++) source[e] = (int)pl_rng_below(1, 4, (uint64_t)e, NODES);
  int64_t place[NODES];
  for (int i = 0; i < NODES; i++) {
    label[i] = i % 7;
    place[i] = turned_start[i + 1] += turned_start[i];
  }
  for (int64_t i = NODES - 1; i >= 0; i--)
    for (int64_t e = row_start[i + 1] - 1; e >= row_start[i]; e--) {
      int64_t at = --place[neighbour[e]];
      turned_index[at] = (int)i, turned_value[at] = weight[e];
    }
  cora_turned = (pl_tape_csr){NODES, NODES, turned_start, turned_index, turned_value};
}

/* ---- the operations ---- */

typedef struct row {
  const char *name;
  pl_node *(*one)(pl_tape *, pl_node *);
  pl_node *(*two)(pl_tape *, pl_node *, pl_node *);
  pl_node *(*three)(pl_tape *, pl_node *, pl_node *, pl_node *);
  int shape[INPUTS][2];
  /* Besides inputs (forward), or the adjoint of the output (backward), numbers read: */
  double forward_more, backward_more;
  bool product;
  bool keeps; /* as many numbers as the output has */
} row;

static pl_node *matmul_nt(pl_tape *t, pl_node *a, pl_node *b) {
  return pl_tape_matmul_nt(t, a, b);
}
static pl_node *soft(pl_tape *t, pl_node *x) {
  return pl_tape_soft_threshold(t, x, .5);
}
static pl_node *scale(pl_tape *t, pl_node *x) {
  return pl_tape_scale(t, x, .5);
}
static pl_node *dropout(pl_tape *t, pl_node *x) {
  return pl_tape_dropout(t, x, .5, 1, 1, 0);
}
static pl_node *spmm(pl_tape *t, pl_node *x) {
  return pl_tape_spmm(t, &cora, NULL, x);
}
static pl_node *spmm_turned(pl_tape *t, pl_node *x) {
  return pl_tape_spmm(t, &cora, &cora_turned, x);
}
static pl_node *spmm_weighted(pl_tape *t, pl_node *w, pl_node *x) {
  return pl_tape_spmm_weighted(t, &cora, w, x);
}
static pl_node *gather(pl_tape *t, pl_node *x) {
  return pl_tape_gather(t, x, GATHERS, source);
}
static pl_node *segment_sum(pl_tape *t, pl_node *x) {
  return pl_tape_segment_sum(t, x, NODES, gather_start);
}
static pl_node *segment_max(pl_tape *t, pl_node *x) {
  return pl_tape_segment_max(t, x, NODES, gather_start);
}
static pl_node *softmax_segments(pl_tape *t, pl_node *x) {
  return pl_tape_softmax_segments(t, x, NODES, gather_start);
}
static pl_node *softmax(pl_tape *t, pl_node *x) {
  return pl_tape_softmax(t, x, NULL);
}
static pl_node *log_softmax(pl_tape *t, pl_node *x) {
  return pl_tape_log_softmax(t, x, NULL);
}
static pl_node *pick(pl_tape *t, pl_node *x) {
  return pl_tape_pick(t, x, label);
}
static pl_node *concat_cols(pl_tape *t, pl_node *a, pl_node *b) {
  return pl_tape_concat_cols(t, 2, (pl_node *const[]){a, b});
}
static pl_node *concat_rows(pl_tape *t, pl_node *a, pl_node *b) {
  return pl_tape_concat_rows(t, 2, (pl_node *const[]){a, b});
}
static pl_node *half_cols(pl_tape *t, pl_node *x) {
  return pl_tape_cols(t, x, 0, x->cols / 2);
}
static pl_node *half_rows(pl_tape *t, pl_node *x) {
  return pl_tape_rows(t, x, 0, x->rows / 2);
}
static pl_node *reshape(pl_tape *t, pl_node *x) {
  return pl_tape_reshape(t, x, x->rows / 2, x->cols * 2);
}
static pl_node *im2col(pl_tape *t, pl_node *x) {
  return pl_tape_im2col(t, x, digits);
}
static pl_node *mean_pool(pl_tape *t, pl_node *x) {
  return pl_tape_mean_pool(t, x, pools);
}
static pl_node *max_pool(pl_tape *t, pl_node *x) {
  return pl_tape_max_pool(t, x, pools);
}

enum { N = NODES * 64, M = 128 * 256, PIXELS = 16 * 28 * 28 * 16 };
#define ONE(name, f, r, c, forward, backward)                                                      \
  { name, f, NULL, NULL, {{r, c}}, forward, backward, false, false }
#define KEEPS(name, f, r, c, backward)                                                             \
  { name, f, NULL, NULL, {{r, c}}, 0, backward, false, true }
#define TWO(name, f, r, c, r2, c2, backward)                                                       \
  { name, NULL, f, NULL, {{r, c}, {r2, c2}}, 0, backward, false, false }
static const row rows[] = {
    {"matmul", NULL, pl_tape_matmul, NULL, {{NODES, 64}, {64, 64}}, 0, 0, true, false},
    {"matmul", NULL, pl_tape_matmul, NULL, {{128, 512}, {512, 1024}}, 0, 0, true, false},
    {"matmul", NULL, pl_tape_matmul, NULL, {{8, 8}, {8, 8}}, 0, 0, true, false},
    {"matmul_nt", NULL, matmul_nt, NULL, {{128, 256}, {512, 256}}, 0, 0, true, false},
    {"matmul_tn", NULL, pl_tape_matmul_tn, NULL, {{NODES, 64}, {NODES, 64}}, 0, 0, true, false},
    {"affine", NULL, NULL, pl_tape_affine, {{GATHERS, 64}, {64, 64}, {1, 64}}, 0, 0, true, false},
    ONE("spmm", spmm, NODES, 64, EDGES * 65.5 - N, EDGES * 65.5 - N),
    ONE("spmm, S^T given", spmm_turned, NODES, 64, EDGES * 65.5 - N, EDGES * 65.5 - N),
    {"spmm_weighted",
     NULL,
     spmm_weighted,
     NULL,
     {{EDGES, 1}, {NODES, 64}},
     EDGES * 64.5 - N,
     EDGES * 129.5 - N,
     false,
     false},
    TWO("add", pl_tape_add, NODES, 64, NODES, 64, 0),
    TWO("add", pl_tape_add, NODES, 64, 1, 64, 0),
    TWO("subtract", pl_tape_subtract, NODES, 64, NODES, 64, 0),
    TWO("multiply", pl_tape_multiply, NODES, 64, NODES, 64, 2 * N),
    TWO("multiply", pl_tape_multiply, NODES, 64, NODES, 1, N),
    TWO("multiply", pl_tape_multiply, GATHERS, 3, GATHERS, 1, GATHERS * 4),
    TWO("divide", pl_tape_divide, NODES, 64, NODES, 64, 2 * N),
    TWO("maximum", pl_tape_maximum, NODES, 64, NODES, 64, 2 * N),
    ONE("tanh", pl_tape_tanh, NODES, 64, 0, N),
    ONE("tanh", pl_tape_tanh, 128, 256, 0, M),
    ONE("sigmoid", pl_tape_sigmoid, NODES, 64, 0, N),
    ONE("silu", pl_tape_silu, NODES, 64, 0, N),
    KEEPS("softplus", pl_tape_softplus, NODES, 64, N),
    ONE("exp", pl_tape_exp, NODES, 64, 0, N),
    ONE("log", pl_tape_log, NODES, 64, 0, N),
    ONE("relu", pl_tape_relu, NODES, 64, 0, N),
    ONE("relu", pl_tape_relu, 128, 256, 0, M),
    ONE("sqrt", pl_tape_sqrt, NODES, 64, 0, N),
    ONE("square", pl_tape_square, NODES, 64, 0, N),
    ONE("abs", pl_tape_abs, NODES, 64, 0, N),
    ONE("sign", pl_tape_sign, NODES, 64, 0, 0),
    ONE("soft_threshold", soft, NODES, 64, 0, N),
    ONE("scale", scale, NODES, 64, 0, 0),
    KEEPS("dropout", dropout, NODES, 64, N),
    ONE("sum", pl_tape_sum, NODES, 64, 0, 0),
    ONE("row_sums", pl_tape_row_sums, NODES, 64, 0, 0),
    ONE("col_sums", pl_tape_col_sums, NODES, 64, 0, 0),
    ONE("row_max", pl_tape_row_max, NODES, 64, 0, NODES),
    ONE("gather", gather, NODES, 64, GATHERS * 64.5 - N, GATHERS * 64.5),
    ONE("segment_sum", segment_sum, GATHERS, 64, NODES, NODES),
    ONE("segment_max", segment_max, GATHERS, 64, NODES, N),
    ONE("softmax_segments", softmax_segments, GATHERS, 1, NODES, GATHERS + NODES),
    ONE("softmax_segments", softmax_segments, GATHERS, 8, NODES, GATHERS * 8 + NODES),
    ONE("softmax", softmax, NODES, 64, 0, N),
    KEEPS("log_softmax", log_softmax, NODES, 64, N),
    KEEPS("log_softmax", log_softmax, NODES, 7, NODES * 7),
    ONE("pick", pick, NODES, 7, 0, NODES / 2),
    ONE("transpose", pl_tape_transpose, NODES, 64, 0, 0),
    ONE("reshape", reshape, NODES, 64, 0, 0),
    ONE("cols", half_cols, NODES, 64, -N / 2, 0),
    ONE("rows", half_rows, NODES, 64, -N / 2, 0),
    TWO("concat_cols", concat_cols, NODES, 64, NODES, 64, 0),
    TWO("concat_rows", concat_rows, NODES, 64, NODES, 64, 0),
    ONE("im2col", im2col, 16 * 28 * 28, 16, 0, 0),
    ONE("mean_pool", mean_pool, 16 * 28 * 28, 16, 0, 0),
    ONE("max_pool", max_pool, 16 * 28 * 28, 16, 0, PIXELS / 4),
};

/* ---- measuring ---- */

typedef struct bench {
  const row *r;
  pl_tape *t;
  double *data, *to;
  pl_node *x[INPUTS], *y;
  int64_t reads, writes;
} bench;

static int inputs_of(const row *r) {
  return r->one ? 1 : r->two ? 2 : 3;
}

static void run_forward(void *context) {
  bench *b = context;
  const double *at = b->data;
  pl_tape_reset(b->t);
  for (int k = 0; k < inputs_of(b->r); k++) {
    const int *s = b->r->shape[k];
    b->x[k] = pl_tape_variable(b->t, s[0], s[1], at, NULL);
    at += (int64_t)s[0] * s[1];
  }
  b->y = b->r->one   ? b->r->one(b->t, b->x[0])
         : b->r->two ? b->r->two(b->t, b->x[0], b->x[1])
                     : b->r->three(b->t, b->x[0], b->x[1], b->x[2]);
}

static void run_backward(void *context) {
  bench *b = context;
  pl_tape_backward(b->t, b->y, b->data);
}

/* Reads and writes these many numbers once, as side by side as their counts allow. */
static void run_stream(void *context) {
  bench *b = context;
  int64_t m = b->reads < b->writes ? b->reads : b->writes, k = m ? b->reads / m : 0;
  const double *a = b->data, *c = a + m, *d = c + m, *e = d + m;
  double *to = b->to, lane[8] = {0};
  if (k > 4) k = 4;
#pragma omp simd
  for (int64_t i = 0; i < m; i++)
    to[i] = k == 1   ? a[i]
            : k == 2 ? a[i] + c[i]
            : k == 3 ? a[i] + c[i] + d[i]
                     : a[i] + c[i] + d[i] + e[i];
  for (int64_t i = k * m; i + 8 <= b->reads; i += 8)
    for (int j = 0; j < 8; j++) lane[j] += a[i + j];
  for (int64_t i = m; i < b->writes; i++) to[i] = lane[0];
  for (int j = 0; j < 8; j++) b->to[b->writes + j] = lane[j];
}

/* The products of a sweep alone, on the same numbers. */
static void run_gemm(bench *b, bool back) {
  bool tn = b->r->two == pl_tape_matmul_tn, nt = b->r->two == matmul_nt;
  const pl_node *x = b->x[0], *w = b->x[1];
  int m = (int)b->y->rows, n = (int)b->y->cols, k = (int)(tn ? x->rows : x->cols);
  CBLAS_TRANSPOSE no = CblasNoTrans, yes = CblasTrans;
  const double *g = b->data;
  double *to = b->to;
  if (!back)
    cblas_dgemm(CblasRowMajor, tn ? yes : no, nt ? yes : no, m, n, k, 1, x->value, tn ? m : k,
                w->value, nt ? k : n, 0, to, n);
  if (back && !tn)
    cblas_dgemm(CblasRowMajor, no, nt ? no : yes, m, k, n, 1, g, n, w->value, nt ? k : n, 0, to, k);
  if (back && tn) cblas_dgemm(CblasRowMajor, no, yes, k, m, n, 1, w->value, n, g, n, 0, to, m);
  to += (int64_t)m * k;
  if (back && !nt)
    cblas_dgemm(CblasRowMajor, tn ? no : yes, no, k, n, m, 1, x->value, tn ? m : k, g, n, 0, to, n);
  if (back && nt) cblas_dgemm(CblasRowMajor, yes, no, n, k, m, 1, g, n, x->value, k, 0, to, k);
}

static void run_gemm_forward(void *context) {
  run_gemm(context, false);
}
static void run_gemm_backward(void *context) {
  run_gemm(context, true);
}

static double repeat(int calls, void (*run)(void *), bench *b) {
  double start = pl_clock_processor();
  for (int i = 0; i < calls; i++) run(b);
  return pl_clock_processor() - start;
}

/* Seconds of one call; as long goes before, untimed, to fill the caches. */
static double seconds(void (*run)(void *), bench *b) {
  int calls = 1;
  while (repeat(calls, run, b) < 1e-3) calls *= 2;
  return repeat(calls, run, b) / calls;
}

/* Seconds in which memory moves one number, beyond any cache. */
static double memory_time(void) {
  enum { LONG = 1 << 24 }; /* 128 MB each way */
  double *data = pl_zalloc(LONG, sizeof *data, "memory"),
         *to = pl_zalloc(LONG, sizeof *to, "memory");
  bench b = {.data = data, .to = to, .reads = LONG - 8, .writes = LONG - 8};
  double t[3];
  for (int r = 0; r < 3; r++) t[r] = repeat(1, run_stream, &b) / (2 * (LONG - 8.));
  pl_free(data);
  pl_free(to);
  return bench_median(t, 3);
}

/* Of one sweep: median time, and of floor / time; the share at the rate of memory. */
static void measure(bench *b, void (*run)(void *), void (*floor_run)(void *), double number) {
  double time[ROUNDS], ratio[ROUNDS];
  for (int r = 0; r < ROUNDS; r++) {
    time[r] = seconds(run, b);
    ratio[r] = seconds(floor_run, b) / time[r];
  }
  double t = bench_median(time, ROUNDS);
  printf(" %10.2f %6.2f", 1e6 * t, bench_median(ratio, ROUNDS));
  if (b->r->product)
    printf(" %6s", "");
  else
    printf(" %6.2f", number * (double)(b->reads + b->writes) / t);
}

static void print_row(bench *b, double number) {
  const row *r = b->r;
  char shape[64];
  int64_t in = 0;
  int at = 0;
  for (int k = 0; k < inputs_of(r); k++) {
    in += (int64_t)r->shape[k][0] * r->shape[k][1];
    at += snprintf(shape + at, sizeof shape - (size_t)at, "%s%dx%d", k ? " " : "", r->shape[k][0],
                   r->shape[k][1]);
  }
  printf("%-16s %-20s", r->name, shape);
  run_forward(b);
  int64_t out = pl_tape_count(b->y);
  b->reads = in + (int64_t)r->forward_more, b->writes = r->keeps ? 2 * out : out;
  measure(b, run_forward, r->product ? run_gemm_forward : run_stream, number);
  b->reads = out + (int64_t)r->backward_more, b->writes = in;
  measure(b, run_backward, r->product ? run_gemm_backward : run_stream, number);
  printf("\n");
  fflush(stdout);
}

int main(int argc, char **argv) {
  enum { MOST = 1 << 22 };
  pl_blas_choose_kernels(argv);
  pl_blas_threads();
  make_data();
  bench b = {.t = pl_tape_new(), .data = pl_alloc(MOST, sizeof(double), "data")};
  b.to = pl_zalloc(MOST, sizeof(double), "output");
  for (int64_t i = 0; i < MOST; i++) b.data[i] = .5 + pl_rng_uniform(1, 9, (uint64_t)i);
  printf("%-16s %-20s %10s %6s %6s %10s %6s %6s\n", "operation", "inputs", "forward us", "share",
         "memory", "back us", "share", "memory");
  double number = memory_time();
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    b.r = &rows[k];
    if (argc < 2 || strstr(b.r->name, argv[1])) print_row(&b, number);
  }
  pl_tape_free(b.t);
  pl_free(b.data);
  pl_free(b.to);
  return 0;
}
