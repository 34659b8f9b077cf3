/* All singular values of a spectrum on S_n: over the ranks of a team (mpirun), against dgesdd on
 * one core over the same irreps.  bench_spectrum [n] */
#include "bench.h"

#include "base/rng.h"
#include "group/group.h"
#include "base/rates.h"
#include "spectral/spectrum.h"

/* dgesdd over all irreps, longest first. */
static double plain(const pl_group *g) {
  double seconds = 0;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    int d = pl_group_irrep(g, i).dim, lwork = -1, info, one = 1;
    size_t n = (size_t)d * (size_t)d;
    double *a = pl_alloc(n, sizeof *a, "a"), *s = pl_alloc((size_t)d, sizeof *s, "s"), size;
    int *iwork = pl_alloc(8 * (size_t)d, sizeof *iwork, "iwork");
    pl_rng_normals(1, (uint64_t)i, 0, (int64_t)n, a);
    dgesdd_("N", &d, &d, a, &d, s, NULL, &one, NULL, &one, &size, &lwork, iwork, &info, 1);
    lwork = (int)size;
    double *work = pl_alloc((size_t)lwork, sizeof *work, "work");
    double start = pl_clock();
    dgesdd_("N", &d, &d, a, &d, s, NULL, &one, NULL, &one, work, &lwork, iwork, &info, 1);
    seconds += pl_clock() - start;
    pl_free(a);
    pl_free(s);
    pl_free(work);
    pl_free(iwork);
  }
  return seconds;
}

static double ours(const pl_comm *world, const pl_group *g) {
  int64_t n = pl_group_num_irreps(g);
  double *cost = pl_alloc((size_t)n, sizeof *cost, "cost");
  int *dim = pl_alloc((size_t)n, sizeof *dim, "dim");
  bool *real = pl_alloc((size_t)n, sizeof *real, "real");
  pl_rates rates = pl_rates_nominal();
  for (int64_t i = 0; i < n; i++) {
    dim[i] = pl_group_irrep(g, i).dim;
    cost[i] = pl_rates_svd(&rates, dim[i]);
    real[i] = true;
  }
  pl_mapping *m = pl_mapping_new(world->size, n, cost, dim, real,
                                 (pl_mapping_options){256, 0, rates.grid_efficiency});
  pl_layout *l;
  if (pl_layout_new(g, world, m, 0, 1 << 20, &l)) pl_die(PL_EBUG, "%s", pl_error_message());
  pl_spectrum_svd *w = pl_spectrum_svd_new(l, NULL);
  double *F = pl_alloc((size_t)l->local, sizeof *F, "spectrum");
  double *sigma = pl_alloc((size_t)l->local, sizeof *sigma, "values");
  pl_rng_normals(1, (uint64_t)world->rank, 0, l->local, F);
  MPI_Barrier(world->mpi);
  double t = pl_clock();
  for (int i = 0; i < l->num_stacks; i++)
    if (l->stacks[i].here)
      pl_stack_singular_values(l, &l->stacks[i], F + l->stacks[i].offset, w, sigma);
  t = pl_clock() - t;
  pl_comm_max(world, &t, 1);
  pl_spectrum_svd_free(w);
  pl_layout_free(l);
  pl_mapping_free(m);
  void *all[] = {F, sigma, cost, dim, real};
  for (int k = 0; k < 5; k++) pl_free(all[k]);
  return t;
}

int main(int argc, char **argv) {
  pl_blas_choose_kernels(argv);
  MPI_Init(&argc, &argv);
  pl_comm world = pl_comm_wrap(MPI_COMM_WORLD);
  pl_blas_threads();
  char name[16];
  snprintf(name, sizeof name, "S_%d", argc > 1 ? atoi(argv[1]) : 10);
  pl_group *g;
  if (pl_group_parse(name, &g)) pl_die(PL_EINPUT, "%s", pl_error_message());
  enum { ROUNDS = 3 };
  double a[ROUNDS], b[ROUNDS];
  for (int r = 0; r < ROUNDS; r++) {
    /* One core at a time for the plain call: the others wait. */
    a[r] = world.rank == 0 ? plain(g) : 0;
    MPI_Barrier(world.mpi);
    b[r] = ours(&world, g);
  }
  double one = bench_median(a, ROUNDS), team = bench_median(b, ROUNDS);
  if (world.rank == 0)
    printf("spectrum  %s: dgesdd on one core %.3g s, %d rank(s) %.3g s: ratio %.2f\n", name, one,
           world.size, team, one / team);
  pl_group_free(g);
  MPI_Finalize();
  return 0;
}
