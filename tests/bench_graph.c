/* Propagation Z <- 0.9 S Z + 0.1 H of 64 columns, against its floor: one read of S, Z and H and one
 * write of Z in a step, at the rate at which this core reads and writes arrays of that size.  Three
 * graphs: Cora's size, K = 10 steps; 10^6 nodes and 10^7 edges in blocks of 100 with 1 % of the
 * edges between blocks, so that most rows of Z are in cache; and the same at random, where nearly
 * every entry of S fetches a row of Z from memory and this floor is out of reach.
 *   bench_graph            these three
 *   bench_graph FILE.nc    the graph of a file */
#include "bench.h"

#include "base/rng.h"
#include "graph/file.h"
#include "graph/random.h"

enum { COLUMNS = 64 };

typedef struct {
  const pl_csr *s;
  double *z[2], *h;
  int steps;
} propagation;

static void propagate(void *context) {
  propagation *p = context;
  for (int k = 0; k < p->steps; k++)
    pl_csr_times(p->s, COLUMNS, 0.9, p->z[k % 2], COLUMNS, 0.1, p->h, COLUMNS, p->z[(k + 1) % 2],
                 COLUMNS);
}

/* Arrays as long as those of a step: S as doubles and a half, and three of columns. */
typedef struct {
  int64_t entries, n;
  const double *s;
  double *const *z;
  const double *h;
  double sum;
  int steps;
} floor_arrays;

static void read_and_write(void *context) {
  floor_arrays *f = context;
  for (int k = 0; k < f->steps; k++) {
    double *restrict to = f->z[(k + 1) % 2], sum = 0;
    const double *restrict from = f->z[k % 2], *restrict h = f->h, *restrict s = f->s;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < f->entries; i++) sum += s[i];
#pragma omp simd
    for (int64_t i = 0; i < f->n; i++) to[i] = 0.9 * from[i] + 0.1 * h[i];
    f->sum += sum;
  }
}

static void measure(const char *name, const pl_csr *a, int rounds, double least) {
  pl_csr *s;
  if (pl_graph_operator(a, PL_OPERATOR_SYM, 1, &s)) pl_die(PL_EBUG, "%s", pl_error_message());
  int64_t n = s->rows * COLUMNS, entries = pl_csr_entries(s);
  double *z[3];
  for (int k = 0; k < 3; k++) z[k] = pl_zalloc((size_t)n, sizeof(double), "columns");
  for (int64_t i = 0; i < n; i += COLUMNS) pl_rng_normals(1, 0, i, 1, z[0] + i);
  int steps = s->rows < 100000 ? 10 : 2;
  propagation p = {s, {z[0], z[1]}, z[2], steps};
  /* An entry is 12 bytes. */
  double *flat = pl_zalloc((size_t)(entries * 3 / 2 + 1), sizeof *flat, "as long as S");
  floor_arrays f = {entries * 3 / 2, n, flat, p.z, z[2], 0, steps};
  double t = bench_time_by(pl_clock_processor, propagate, &p, rounds, least) / steps;
  double least_t = bench_time_by(pl_clock_processor, read_and_write, &f, rounds, least) / steps;
  double bytes = 12. * (double)entries + 24. * (double)n;
  printf("graph  %-22s %9lld nodes %9lld edges: %8.3f ms a step, %5.1f GFlop/s; one read and write "
         "%8.3f ms (%.1f GB/s): ratio %.2f\n",
         name, (long long)s->rows, (long long)(entries - s->rows) / 2, t * 1e3,
         2e-9 * COLUMNS * (double)entries / t, least_t * 1e3, bytes / least_t * 1e-9, least_t / t);
  for (int k = 0; k < 3; k++) pl_free(z[k]);
  pl_free(flat);
  pl_csr_free(s);
}

static void generated(const char *name, pl_block_model m, int rounds, double least) {
  pl_edges e = pl_block_model_edges(&m, 1);
  pl_csr *a;
  if (pl_graph_new(m.nodes, &e, NULL, &a)) pl_die(PL_EBUG, "%s", pl_error_message());
  pl_edges_fini(&e);
  measure(name, a, rounds, least);
  pl_csr_free(a);
}

static void from_file(const char *path) {
  pl_graph_data d;
  if (pl_graph_read(path, &d)) pl_die(PL_EINPUT, "%s", pl_error_message());
  measure("file", d.graph, 5, 0.1);
  pl_graph_data_fini(&d);
}

int main(int argc, char **argv) {
  const double n = 1e6, degree = 20, inside = 0.99;
  const pl_block_model cora = {.nodes = 2708, .blocks = 7, .p_in = 0.01, .p_out = 4e-5};
  const pl_block_model blocks = {.nodes = (int64_t)n,
                                 .blocks = 10000,
                                 .p_in = inside * degree / 99,
                                 .p_out = 0.01 * degree / n};
  const pl_block_model random = {.nodes = (int64_t)n, .blocks = 1, .p_in = degree / n};
  pl_blas_choose_kernels(argv);
  if (argc > 1) {
    from_file(argv[1]);
    return 0;
  }
  generated("cora", cora, 5, 0.1);
  generated("blocks of 100", blocks, 3, 0);
  generated("random", random, 1, 0);
  return 0;
}
