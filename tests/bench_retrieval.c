/* Exact search of the retrieval networks: queries x documents a second, against DGEMM of the same
 * shape alone, one after the other; and the worst case, where a first look in single precision
 * leaves all documents, which are equal.  Documents are shared by the ranks (mpirun).
 * bench_retrieval [documents] */
#include "bench.h"

#include "base/rng.h"
#include "nets/retrieval/index.h"

#include <time.h>

enum { WIDTH = 128, TOP = 50, ROUNDS = 5 };

/* This rank's documents in one product. */
static void plain(int64_t queries, const double *q, int64_t documents, const double *e,
                  double *scores) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)queries, pl_int(documents), WIDTH, 1, q,
              WIDTH, e, WIDTH, 0, scores, pl_int(documents));
}

/* The best TOP of a query by looking at all scores: false if the list is another. */
static bool agrees(const pl_hit *hits, int64_t first, int64_t documents, const double *scores) {
  int64_t above = 0;
  for (int64_t d = 0; d < documents; d++)
    above += pl_hit_before((pl_hit){scores[d], first + d}, hits[TOP - 1]);
  int64_t listed = 0;
  for (int k = 0; k < TOP - 1; k++)
    listed += hits[k].document >= first && hits[k].document < first + documents;
  return above == listed;
}

/* Of the processor, which other work on the machine does not stop. */
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds(const pl_comm *world, double start) {
  double t = now() - start;
  pl_comm_max(world, &t, 1);
  return t;
}

static void row(const pl_comm *world, int64_t documents, int64_t queries, bool equal) {
  int64_t first, count;
  pl_index *ix = pl_index_new(world, documents, WIDTH, TOP);
  double *e = pl_index_rows(ix, &first, &count), a[ROUNDS], b[ROUNDS], ratio[ROUNDS];
  double *q = pl_alloc((size_t)(queries * WIDTH), sizeof *q, "queries");
  double *scores = pl_alloc((size_t)(queries * count), sizeof *scores, "scores");
  pl_hit *hits = pl_alloc((size_t)(queries * TOP), sizeof *hits, "lists");
  for (int64_t d = 0; d < count; d++)
    pl_rng_normals(1, 1, equal ? 0 : (first + d) * WIDTH, WIDTH, e + d * WIDTH);
  pl_rng_normals(1, 2, 0, queries * WIDTH, q);
  for (int r = 0; r < ROUNDS; r++) {
    MPI_Barrier(world->mpi);
    double start = now();
    plain(queries, q, count, e, scores);
    a[r] = seconds(world, start);
    start = now();
    pl_index_top(ix, queries, q, TOP, hits);
    b[r] = seconds(world, start);
    ratio[r] = a[r] / b[r];
  }
  bool right = agrees(hits, first, count, scores);
  double all = (double)queries * (double)documents;
  if (!right) pl_die(PL_EBUG, "the search found another list than all scores");
  if (world->rank == 0)
    printf(
        "search    %lld queries, %lld documents x %d%s, %d rank(s): %.3g scores/s, %.2f of DGEMM "
        "alone (%.3g)\n",
        (long long)queries, (long long)documents, WIDTH, equal ? ", equal" : "", world->size,
        all / bench_median(b, ROUNDS), bench_median(ratio, ROUNDS), all / bench_median(a, ROUNDS));
  pl_free(q);
  pl_free(scores);
  pl_free(hits);
  pl_index_free(ix);
}

int main(int argc, char **argv) {
  pl_blas_choose_kernels(argv);
  MPI_Init(&argc, &argv);
  pl_comm world = pl_comm_wrap(MPI_COMM_WORLD);
  pl_blas_threads();
  int64_t documents = argc > 1 ? atoll(argv[1]) : 100000;
  row(&world, documents, 32, false);
  row(&world, documents, 128, false);
  row(&world, documents, 32, true);
  MPI_Finalize();
  return 0;
}
