/* One step of gradient descent against its floor: its products at the rate DGEMM reaches on the
 * same sizes, 3 (L - 1) of them per irrep, plus one read of the samples at the memory bandwidth,
 * both measured in the same run with every rank busy; on one rank in processor time.  Residual
 * networks likewise, with 3 (N - 1) products, and 4 (N - 1) with the reversible store; and what
 * their stores take.  Under mpirun the ranks form one team.  bench_step [largest n]: below 7 small
 * groups alone, for one build beside another. */
#include "bench.h"

#include "group/group.h"
#include "model/optim.h"
#include "run/config.h"

typedef struct product {
  int d;
  double *a, *b, *c;
} product;

static void gemm(void *p) {
  product *x = p;
  int d = x->d;
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1, x->a, d, x->b, d, 0, x->c, d);
}

typedef struct memory {
  int64_t n;
  double *x, sum;
} memory;

static void read_all(void *p) {
  memory *m = p;
  double s = 0;
#pragma omp simd reduction(+ : s)
  for (int64_t k = 0; k < m->n; k++) s += m->x[k];
  *(volatile double *)&m->sum += s;
}

typedef struct training {
  pl_model *model;
  pl_optim *optim;
  int64_t t;
} training;

static void step(void *p) {
  training *x = p;
  double vote = 0;
  x->model->kind->step(x->model, x->t, pl_optim_step(x->optim, x->t), &vote);
  x->t++;
}

/* Other work on the machine does not lengthen the time of one rank. */
static double now(const pl_comm *world) {
  return world->size == 1 ? pl_clock_processor() : pl_clock();
}

/* Rounds in lockstep over the ranks, so that all cores are busy at the same time. */
static double together(const pl_comm *world, void (*f)(void *), void *context, int rounds,
                       int64_t calls) {
  double t[32];
  for (int r = 0; r < rounds; r++) {
    MPI_Barrier(world->mpi);
    double start = now(world);
    for (int64_t i = 0; i < calls; i++) f(context);
    double mine = (now(world) - start) / (double)calls;
    pl_comm_max(world, &mine, 1);
    t[r] = mine;
  }
  return bench_median(t, rounds);
}

static pl_model *network(const pl_comm *world, const pl_rates *rates, const char *text,
                         pl_config **cfg, pl_spec *spec) {
  pl_model *model;
  if (pl_config_parse(text, strlen(text), "bench", NULL, 0, cfg))
    pl_die(PL_EBUG, "%s", pl_error_message());
  pl_config_run(*cfg, 0, spec);
  if (spec->model->create(spec, world, rates, &model)) pl_die(PL_EBUG, "%s", pl_error_message());
  return model;
}

static double gemm_seconds(const pl_comm *world, int d) {
  size_t n = (size_t)d * (size_t)d;
  product x = {d, pl_alloc(n, 8, "a"), pl_alloc(n, 8, "b"), pl_alloc(n, 8, "c")};
  for (size_t k = 0; k < n; k++) x.a[k] = x.b[k] = 1e-3 * (double)(k % 17);
  int64_t calls = (int64_t)fmin(3e7 / (2.0 * d * d * d), 1e5) + 1;
  gemm(&x);
  double t = together(world, gemm, &x, 5, calls);
  pl_free(x.a);
  pl_free(x.b);
  pl_free(x.c);
  return t;
}

static double read_seconds_per_byte(const pl_comm *world) {
  memory m = {(int64_t)8 << 20, NULL, 0};
  m.x = pl_zalloc((size_t)m.n, sizeof(double), "stream");
  double t = together(world, read_all, &m, 7, 1) / (8.0 * (double)m.n);
  pl_free(m.x);
  return t;
}

/* network: its keys of the sweep file; layers: products per irrep. */
static void against_floor(const pl_comm *world, const pl_rates *rates, int n,
                          const char *network_keys, int layers) {
  enum { SAMPLES = 10 };
  char text[256];
  snprintf(text, sizeof text, "{group: S_%d, model: {%s}, data.samples: %d, optimizer.lr: 1e-3}", n,
           network_keys, SAMPLES);
  pl_config *cfg;
  pl_spec spec;
  training x = {network(world, rates, text, &cfg, &spec), NULL, 0};
  x.optim = pl_optim_new(&spec, x.model, spec.common.steps);
  step(&x);
  double once = pl_clock();
  step(&x);
  once = pl_clock() - once;
  pl_comm_max(world, &once, 1);
  int64_t calls = (int64_t)(0.05 / (once + 1e-9)) + 1;
  double measured = together(world, step, &x, 9, calls);
  pl_optim_free(x.optim);
  x.model->kind->destroy(x.model);
  pl_config_free(cfg);

  pl_group *g;
  char name[16];
  snprintf(name, sizeof name, "S_%d", n);
  pl_group_parse(name, &g);
  double products = 0;
  int last = 0;
  double seconds = 0;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    int d = pl_group_irrep(g, i).dim;
    if (d != last) seconds = gemm_seconds(world, d);
    last = d;
    products += layers * seconds;
  }
  double reading = 8.0 * SAMPLES * (double)pl_group_order(g) * read_seconds_per_byte(world);
  double floor = (products + reading) / world->size;
  pl_group_free(g);
  if (world->rank == 0)
    printf("step      S_%-2d %s, %d rank%s: %9.3g s, floor %9.3g s (products %.3g, samples "
           "%.3g): floor/measured %.2f\n",
           n, network_keys, world->size, world->size == 1 ? "" : "s", measured, floor,
           products / world->size, reading / world->size, floor / measured);
}

/* The same small products in a straight loop: what a step could cost if it were nothing else. */
typedef struct straight {
  int num, depth, samples, *d;
  double *w, *x;
} straight;

static void straight_loop(void *p) {
  straight *s = p;
  double *w = s->w;
  for (int i = 0; i < s->num; i++) {
    int d = s->d[i];
    for (int k = 0; k < 3 * (s->depth - 1); k++) {
      const double *a = w, *b = w + d * d;
      double *c = w + 2 * d * d;
      for (int r = 0; r < d; r++) {
        double row[8] = {0};
        for (int q = 0; q < d; q++)
          for (int j = 0; j < d; j++) row[j] += a[r * d + q] * b[q * d + j];
        for (int j = 0; j < d; j++) c[r * d + j] = row[j];
      }
    }
    /* The samples, read once for both uses. */
    double *r = w + 3 * d * d, *x = s->x;
    for (int q = 0; q < s->samples; q++, x += d * d)
      for (int k = 0; k < d * d; k++) r[k] += 1e-9 * x[k];
    w += 4 * d * d;
  }
}

static void against_straight_loop(const pl_comm *world, const pl_rates *rates, int n) {
  enum { SAMPLES = 10, DEPTH = 3 };
  char text[256], name[16];
  snprintf(text, sizeof text,
           "{group: S_%d, model.depth: %d, data.samples: %d, optimizer.lr: 1e-3}", n, DEPTH,
           SAMPLES);
  pl_config *cfg;
  pl_spec spec;
  training x = {network(world, rates, text, &cfg, &spec), NULL, 0};
  x.optim = pl_optim_new(&spec, x.model, spec.common.steps);
  double measured = bench_time_by(pl_clock_processor, step, &x, 9, 0.02);
  pl_optim_free(x.optim);
  x.model->kind->destroy(x.model);
  pl_config_free(cfg);
  pl_group *g;
  snprintf(name, sizeof name, "S_%d", n);
  pl_group_parse(name, &g);
  straight s = {(int)pl_group_num_irreps(g), DEPTH, SAMPLES, NULL, NULL, NULL};
  s.d = pl_alloc((size_t)s.num, sizeof(int), "d");
  for (int i = 0; i < s.num; i++) s.d[i] = pl_group_irrep(g, i).dim;
  s.w = pl_zalloc(4 * (size_t)pl_group_order(g), sizeof(double), "w");
  s.x = pl_zalloc(SAMPLES * (size_t)pl_group_order(g), sizeof(double), "x");
  double loop = bench_time_by(pl_clock_processor, straight_loop, &s, 9, 0.02);
  printf("overhead  S_%d: %.3g steps/s, straight loop %.3g: ratio %.2f\n", n, 1 / measured,
         1 / loop, loop / measured);
  pl_free(s.d);
  pl_free(s.w);
  pl_free(s.x);
  pl_group_free(g);
}

/* Peak memory of making a network and of one step, against depth. */
static void stores(const pl_comm *world, const pl_rates *rates, const char *name, const char *keys,
                   const char *rest) {
  static const char *const how[][2] = {
      {"all", "0.99"}, {"reversible", "0.99"}, {"reversible", "0.9"}};
  const int depths[] = {10, 100, 1000};
  for (int i = 0; i < 3; i++) {
    double mb[3];
    for (int k = 0; k < 3; k++) {
      char text[256];
      pl_config *cfg;
      pl_spec spec;
      snprintf(text, sizeof text,
               "{model: {%s, depth: %d, tied: true, scale: %g, gamma: %s, store: %s}, %s}", keys,
               depths[k], 1. / depths[k], how[i][1], how[i][0], rest);
      pl_mem_restart_peak();
      training x = {network(world, rates, text, &cfg, &spec), NULL, 0};
      x.optim = pl_optim_new(&spec, x.model, spec.common.steps);
      step(&x);
      mb[k] = 1e-6 * (double)pl_mem_peak();
      pl_optim_free(x.optim);
      x.model->kind->destroy(x.model);
      pl_config_free(cfg);
    }
    printf("memory    %s, tied, gamma %s, store %s: %.3g, %.3g, %.3g MB at depth 10, 100, 1000\n",
           name, how[i][1], how[i][0], mb[0], mb[1], mb[2]);
  }
}

int main(int argc, char **argv) {
  pl_blas_choose_kernels(argv);
  MPI_Init(&argc, &argv);
  pl_comm world = pl_comm_wrap(MPI_COMM_WORLD);
  pl_blas_threads();
  pl_rates rates = pl_rates_nominal();
  int largest = argc > 1 ? atoi(argv[1]) : 10;
  if (world.rank == 0) printf("kernels   %s, %s\n", pl_blas_core(), pl_blas_version());
  if (world.size == 1)
    for (int n = 4; n <= 5; n++) against_straight_loop(&world, &rates, n);
  for (int n = 7; n <= largest; n++) against_floor(&world, &rates, n, "kind: gcnn, depth: 3", 6);
  for (int n = 7; n <= largest && n <= 8; n++) {
    against_floor(&world, &rates, n, "kind: residual, depth: 20", 3 * 19);
    against_floor(&world, &rates, n, "kind: residual, depth: 20, tied: true", 3 * 19);
    against_floor(&world, &rates, n, "kind: residual, depth: 20, store: reversible", 4 * 19);
    against_floor(&world, &rates, n, "kind: residual, depth: 20, tied: true, store: reversible",
                  4 * 19);
  }
  if (world.size == 1 && largest >= 7) {
    stores(&world, &rates, "S_6 residual", "kind: residual", "group: S_6, data.samples: 4");
    /* Few samples, so that all of them are on the tape at a time. */
    stores(&world, &rates, "resmlp of width 16 on 8 samples", "kind: resmlp, width: 16",
           "data.samples: 8");
  }
  MPI_Finalize();
  return 0;
}
