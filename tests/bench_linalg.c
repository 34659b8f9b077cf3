/* Products and singular values, ours against the plain library call; medians, on the ranks given
 * by mpirun.  Argument: the largest dimension to try (default 768; 2310 takes a minute). */
#include "base/blas.h"
#include "base/clock.h"
#include "base/comm.h"
#include "base/mem.h"
#include "base/rng.h"
#include "linalg/svd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int dims[] = {90, 216, 288, 768, 2310};
enum { NDIMS = sizeof dims / sizeof *dims, MAX_TIMES = 9 };

typedef struct work {
  int d, lwork;
  pl_dmat lay;
  double *a, *b, *c, *sigma, *work, *grid_work;
  int *iwork;
  int64_t lgrid;
  pl_svd *svd;
} work;

static int64_t entries(const work *w) {
  int64_t n = (int64_t)w->d * w->d, local = pl_dmat_local(&w->lay);
  return n > local ? n : local;
}

static void fill(work *w) {
  pl_rng_normals(1, PL_STREAM(PL_STREAM_MISC, 0), 0, entries(w), w->a);
}
static void gemm_plain(work *w) {
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, w->d, w->d, w->d, 1, w->a, w->d, w->b,
              w->d, 0, w->c, w->d);
}
static void gemm_grid(work *w) {
  pl_dmat_gemm('N', 'N', 1, &w->lay, w->a, w->b, 0, w->c);
}
static void svd_plain(work *w) {
  int info;
  dgesdd_("N", &w->d, &w->d, w->a, &w->d, w->sigma, NULL, &w->d, NULL, &w->d, w->work, &w->lwork,
          w->iwork, &info, 1);
}
static void svd_ours(work *w) {
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
  int times = w->d > 1000 ? 3 : MAX_TIMES;
  f(w);
  for (int i = 0; i < times; i++) {
    fill(w);
    MPI_Barrier(comm->mpi);
    double t0 = pl_clock();
    f(w);
    t[i] = pl_clock() - t0;
  }
  qsort(t, (size_t)times, sizeof *t, ascending);
  return t[times / 2];
}

int main(int argc, char **argv) {
  pl_blas_choose_kernels(argv);
  MPI_Init(&argc, &argv);
  pl_comm world = pl_comm_wrap(MPI_COMM_WORLD);
  pl_blas_threads();
  int limit = argc > 1 ? atoi(argv[1]) : 768, p, q;
  pl_grid *grid;
  pl_grid_shape(world.size, &p, &q);
  if (pl_grid_new(&world, p, q, &grid)) return 1;
  if (world.rank == 0)
    printf("kernels %s, grid %d x %d; seconds, and speed relative to the plain call\n"
           "%6s %21s %21s %21s\n",
           pl_blas_core(), p, q, "d", "dgemm       grid", "dgesdd  pl_svd_real", "pl_svd_grid");
  for (int k = 0; k < NDIMS && dims[k] <= limit; k++) {
    work w = {.d = dims[k], .lwork = 80 * dims[k], .svd = pl_svd_new(dims[k], false)};
    if (pl_dmat_describe(grid, w.d, w.d, pl_dmat_block(grid, w.d), &w.lay)) return 1;
    size_t n = (size_t)entries(&w), d = (size_t)w.d;
    w.lgrid = pl_svd_grid_work(&w.lay);
    w.a = pl_alloc(n, sizeof *w.a, "a"), w.b = pl_alloc(n, sizeof *w.b, "b");
    w.c = pl_alloc(n, sizeof *w.c, "c"), w.sigma = pl_alloc(d, sizeof *w.sigma, "sigma");
    w.work = pl_alloc((size_t)w.lwork, sizeof *w.work, "work");
    w.grid_work = pl_alloc((size_t)w.lgrid, sizeof *w.grid_work, "work");
    w.iwork = pl_alloc(8 * d, sizeof *w.iwork, "work");
    fill(&w);
    memcpy(w.b, w.a, n * sizeof *w.b);
    double gp = median(&world, gemm_plain, &w), gg = median(&world, gemm_grid, &w);
    double sp = median(&world, svd_plain, &w), so = median(&world, svd_ours, &w);
    double sg = median(&world, svd_grid, &w);
    if (world.rank == 0)
      printf("%6d %8.2g %8.2g %4.2f %8.2g %8.2g %4.2f %12.2g %4.2f\n", w.d, gp, gg, gp / gg, sp, so,
             sp / so, sg, sp / sg);
    pl_free(w.a), pl_free(w.b), pl_free(w.c), pl_free(w.sigma);
    pl_free(w.work), pl_free(w.grid_work), pl_free(w.iwork);
    pl_svd_free(w.svd);
  }
  pl_grid_free(grid);
  MPI_Finalize();
  return 0;
}
