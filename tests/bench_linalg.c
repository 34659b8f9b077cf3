/* Products and singular values, ours against the plain library call; medians of
 * processor time, on the ranks given by mpirun.  Arguments: the largest dimension to try (default
 * 768; 2310 takes a minute, 7700 ten) and the smallest.  Shares of DGEMM, ZGEMM: 8/3 d^3 (complex:
 * 32/3 d^3) flops, what any reduction has, in the time of all singular values, over its flop rate
 * on the same size. */
#include "base/blas.h"
#include "base/clock.h"
#include "base/comm.h"
#include "base/mem.h"
#include "base/rng.h"
#include "linalg/svd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int dims[] = {90, 216, 288, 768, 2310, 7700};
enum { NDIMS = sizeof dims / sizeof *dims, MAX_TIMES = 9 };

typedef struct work {
  int d, lwork, z;
  pl_dmat lay;
  double *a, *b, *c, *sigma, *work, *rwork, *grid_work;
  int *iwork;
  int64_t lgrid;
  pl_svd *svd;
} work;

static int64_t entries(const work *w) {
  int64_t n = (int64_t)w->d * w->d * w->z, local = pl_dmat_local(&w->lay);
  return n > local ? n : local;
}

static void fill(work *w) {
  pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 0), 0, entries(w), w->a);
}
static void gemm_plain(work *w) {
  const double one[2] = {1, 0}, zero[2] = {0, 0};
  if (w->z == 2)
    cblas_zgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, w->d, w->d, w->d, one, w->a, w->d, w->b,
                w->d, zero, w->c, w->d);
  else
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, w->d, w->d, w->d, 1, w->a, w->d, w->b,
                w->d, 0, w->c, w->d);
}
static void gemm_grid(work *w) {
  pl_dmat_gemm('N', 'N', 1, &w->lay, w->a, w->b, 0, w->c);
}
static void svd_plain(work *w) {
  int info;
  if (w->z == 2)
    zgesdd_("N", &w->d, &w->d, (double _Complex *)w->a, &w->d, w->sigma, NULL, &w->d, NULL, &w->d,
            (double _Complex *)w->work, &w->lwork, w->rwork, w->iwork, &info, 1);
  else
    dgesdd_("N", &w->d, &w->d, w->a, &w->d, w->sigma, NULL, &w->d, NULL, &w->d, w->work, &w->lwork,
            w->iwork, &info, 1);
}
static void svd_ours(work *w) {
  if (w->z == 2)
    pl_svd_complex(w->svd, w->d, w->a, w->sigma);
  else
    pl_svd_real(w->svd, w->d, w->a, w->sigma);
}
static void svd_grid(work *w) {
  pl_svd_grid(&w->lay, w->a, w->sigma, w->grid_work, w->lgrid);
}

static int ascending(const void *x, const void *y) {
  double a = *(const double *)x, b = *(const double *)y;
  return (a > b) - (a < b);
}

/* Median seconds of f, begun by all ranks together. */
static double median(const pl_comm *comm, void (*f)(work *), work *w) {
  double t[MAX_TIMES];
  int times = w->d > 5000 ? 1 : w->d > 1000 ? 3 : MAX_TIMES;
  if (times > 1) f(w);
  for (int i = 0; i < times; i++) {
    fill(w);
    MPI_Barrier(comm->mpi);
    double t0 = pl_clock_processor();
    f(w);
    t[i] = pl_clock_processor() - t0;
  }
  qsort(t, (size_t)times, sizeof *t, ascending);
  return t[times / 2];
}

/* One size: a line of the table. */
static void measure(const pl_comm *world, const pl_grid *grid, const pl_rates *rates, int dim,
                    int z) {
  work w = {.d = dim, .z = z, .lwork = 80 * dim, .svd = pl_svd_new(dim, z == 2, rates)};
  if (pl_dmat_describe(grid, w.d, w.d, pl_dmat_block(grid, w.d), &w.lay))
    pl_die(PL_EBUG, "%s", pl_error_message());
  size_t n = (size_t)entries(&w), d = (size_t)w.d;
  w.lgrid = pl_svd_grid_work(&w.lay);
  w.a = pl_alloc(n, sizeof *w.a, "a"), w.b = pl_alloc(n, sizeof *w.b, "b");
  w.c = pl_alloc(n, sizeof *w.c, "c"), w.sigma = pl_alloc(d, sizeof *w.sigma, "sigma");
  w.work = pl_alloc((size_t)(w.lwork * z), sizeof *w.work, "work");
  w.rwork = pl_alloc(7 * d, sizeof *w.rwork, "work");
  w.grid_work = pl_alloc((size_t)w.lgrid, sizeof *w.grid_work, "work");
  w.iwork = pl_alloc(8 * d, sizeof *w.iwork, "work");
  fill(&w);
  memcpy(w.b, w.a, n * sizeof *w.b);
  double gp = median(world, gemm_plain, &w), gg = z == 1 ? median(world, gemm_grid, &w) : NAN;
  double sp = median(world, svd_plain, &w), so = median(world, svd_ours, &w);
  double sg = z == 1 && world->size > 1 ? median(world, svd_grid, &w) : NAN;
  if (world->rank == 0)
    printf("%6d %-8s %8.2g %8.2g %4.2f %8.2g %8.2g %5.2f %6.0f %% %8.2g %5.2f\n", w.d,
           z == 2 ? "complex" : "real", gp, gg, gp / gg, sp, so, sp / so, 400 * gp / so / 3, sg,
           sp / sg);
  fflush(stdout);
  pl_free(w.a), pl_free(w.b), pl_free(w.c), pl_free(w.sigma), pl_free(w.rwork);
  pl_free(w.work), pl_free(w.grid_work), pl_free(w.iwork);
  pl_svd_free(w.svd);
}

int main(int argc, char **argv) {
  pl_blas_choose_kernels(argv);
  MPI_Init(&argc, &argv);
  pl_comm world = pl_comm_wrap(MPI_COMM_WORLD);
  pl_blas_threads();
  int most = argc > 1 ? atoi(argv[1]) : 768, least = argc > 2 ? atoi(argv[2]) : 0, p, q;
  pl_grid *grid;
  pl_rates rates = pl_rates_nominal();
  pl_grid_shape(world.size, &p, &q);
  if (pl_grid_new(&world, p, q, &grid)) return 1;
  if (world.rank == 0) pl_svd_rates(&rates);
  pl_comm_bcast(&world, &rates, sizeof rates, 0);
  if (world.rank == 0)
    printf("kernels %s, grid %d x %d; two stages from %g (real) and %g (complex) on; seconds, and "
           "speed relative to the plain call\n%6s %-8s %22s %23s %8s %14s\n",
           pl_blas_core(), p, q, rates.two_stage[0], rates.two_stage[1], "d", "field",
           "gemm       grid", "gesdd      ours", "of gemm", "on grid");
  for (int z = 1; z <= 2; z++)
    for (int k = 0; k < NDIMS; k++)
      if (dims[k] >= least && dims[k] <= most && (z == 1 || dims[k] < 5000))
        measure(&world, grid, &rates, dims[k], z);
  pl_grid_free(grid);
  MPI_Finalize();
  return 0;
}
