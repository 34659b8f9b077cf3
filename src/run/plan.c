#include "run/plan.h"

#include "base/mem.h"
#include "run/train.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- classes of runs that cost the same ---- */

/* Seeds, scales and learning rates do not change a run's cost. */
static const char *const free_keys[] = {"title",
                                        "seed",
                                        "data.seed",
                                        "optimizer.lr",
                                        "data.scale",
                                        "optimizer.growth.factor",
                                        "stop.loss",
                                        "optimizer.growth.every",
                                        "model.init.scale",
                                        "model.init.readout_scale",
                                        "loss"};

static bool changes_cost(const pl_key *key) {
  for (size_t i = 0; i < sizeof free_keys / sizeof *free_keys; i++)
    if (!strcmp(key->name, free_keys[i])) return false;
  return true;
}

static bool same_cost(const pl_config *cfg, int64_t a, int64_t b) {
  char x[256], y[256];
  for (int k = 0; k < pl_num_keys; k++) {
    const pl_key *key = &pl_keys[k];
    if (!changes_cost(key) || !pl_config_swept(cfg, key)) continue;
    pl_config_value(cfg, a, key, x, sizeof x);
    pl_config_value(cfg, b, key, y, sizeof y);
    if (strcmp(x, y)) return false;
  }
  return true;
}

static int find_class(pl_plan *p, const pl_config *cfg, int64_t r) {
  /* Neighbours are usually alike. */
  if (r > 0 && same_cost(cfg, r, r - 1)) return p->run_class[r - 1];
  for (int c = 0; c < p->num_classes; c++)
    if (same_cost(cfg, r, p->class_run[c])) return c;
  p->class_run = pl_realloc(p->class_run, (size_t)p->num_classes + 1, sizeof *p->class_run, "plan");
  p->class_run[p->num_classes] = r;
  return p->num_classes++;
}

/* ---- teams ---- */

static pl_cost cost_on(const pl_config *cfg, int64_t run, int team, const pl_rates *rates) {
  pl_spec spec;
  pl_cost c;
  pl_config_run(cfg, run, &spec);
  pl_model_kind_get((int)spec.model_kind)->cost(&spec, team, rates, &c);
  return c;
}

static double run_seconds(const pl_config *cfg, int64_t run, const pl_cost *c) {
  pl_spec spec;
  int64_t records;
  pl_config_run(cfg, run, &spec);
  pl_free(pl_record_steps(&spec, &records));
  return c->setup + (double)spec.steps * c->step + (double)records * c->record;
}

/* The smallest team whose memory fits; 0 if none up to `most` does. */
static int smallest_team(const pl_config *cfg, int64_t run, const pl_rates *rates, double memory,
                         int most) {
  for (int t = 1; t <= most; t = t < 16 ? t + 1 : t + t / 8)
    if (cost_on(cfg, run, t, rates).bytes <= memory) return t;
  return cost_on(cfg, run, most, rates).bytes <= memory ? most : 0;
}

/* The largest job whose size is looked for. */
enum { MOST_RANKS = 1 << 16 };

static pl_status too_large(const pl_config *cfg, int64_t run, const pl_plan *p) {
  double have = p->memory_per_rank / 1e9, need = cost_on(cfg, run, 1, &p->rates).bytes / 1e9;
  int enough = smallest_team(cfg, run, &p->rates, p->memory_per_rank, MOST_RANKS);
  char spec_group[128];
  pl_config_value(cfg, run, pl_key_find("group"), spec_group, sizeof spec_group);
  pl_status st;
  if (enough)
    st = pl_error(
        PL_EENV,
        "run %lld on %s needs %.3g GB; with %.3g GB per rank it would take %d ranks, have %d",
        (long long)run, spec_group, need, have, enough, p->ranks);
  else
    st = pl_error(PL_EENV,
                  "run %lld on %s needs %.3g GB and does not fit into %.3g GB per rank on any "
                  "number of ranks",
                  (long long)run, spec_group, need, have);
  return st;
}

/* Time of a phase of num runs, each `seconds` long on a team, the ranks forming `teams` teams. */
static double makespan(double seconds, int64_t num, int teams) {
  return seconds * (double)((num + teams - 1) / teams);
}

/* With fewer runs than teams, larger teams keep ranks busy, as long as they are faster. */
static int widen(const pl_plan *p, const pl_config *cfg, int64_t run, int64_t num, int team) {
  int best = team;
  double least = INFINITY;
  for (int64_t k = num; k >= 1; k = k > 8 ? k / 2 : k - 1) {
    int t = (int)(p->ranks / k);
    if (t < team) t = team;
    if (t > p->ranks) t = p->ranks;
    pl_cost c = cost_on(cfg, run, t, &p->rates);
    if (c.bytes > p->memory_per_rank) continue;
    double s = makespan(run_seconds(cfg, run, &c), num, p->ranks / t);
    if (s < 0.95 * least || (t == best && s < least)) {
      least = s;
      best = t;
    }
  }
  return best;
}

static const pl_plan *sorting; /* for qsort's comparison */

static int longest_first(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  double sx = pl_plan_run_seconds(sorting, x), sy = pl_plan_run_seconds(sorting, y);
  if (sx != sy) return sx < sy ? 1 : -1;
  return x < y ? -1 : 1;
}

static void form_phases(pl_plan *p) {
  int64_t *count = pl_zalloc((size_t)p->ranks + 1, sizeof *count, "plan");
  for (int64_t r = 0; r < p->num_runs; r++) count[p->class_team[p->run_class[r]]]++;
  for (int t = p->ranks; t >= 1; t--) {
    if (count[t] == 0) continue;
    pl_phase *f = &p->phases[p->num_phases++];
    *f = (pl_phase){.team = t};
    f->runs = pl_alloc((size_t)count[t], sizeof *f->runs, "plan");
    double sum = 0, longest = 0;
    for (int64_t r = 0; r < p->num_runs; r++) {
      if (p->class_team[p->run_class[r]] != t) continue;
      f->runs[f->num_runs++] = r;
      sum += pl_plan_run_seconds(p, r);
      longest = fmax(longest, pl_plan_run_seconds(p, r));
    }
    sorting = p;
    qsort(f->runs, (size_t)f->num_runs, sizeof *f->runs, longest_first);
    f->seconds = fmax(longest, sum / (p->ranks / t));
    p->seconds += f->seconds;
    p->work += sum;
  }
  pl_free(count);
}

pl_status pl_plan_new(const pl_config *cfg, int ranks, double memory_per_rank,
                      const pl_rates *rates, pl_plan **out) {
  pl_plan *p = pl_zalloc(1, sizeof *p, "plan");
  p->ranks = ranks > 0 ? ranks : 1;
  p->memory_per_rank = memory_per_rank;
  p->rates = *rates;
  p->num_runs = pl_config_num_runs(cfg);
  p->run_class = pl_alloc((size_t)p->num_runs, sizeof *p->run_class, "plan");
  for (int64_t r = 0; r < p->num_runs; r++) p->run_class[r] = find_class(p, cfg, r);
  size_t n = (size_t)p->num_classes;
  p->cost = pl_alloc(n, sizeof *p->cost, "plan");
  p->class_seconds = pl_alloc(n, sizeof *p->class_seconds, "plan");
  p->class_team = pl_alloc(n, sizeof *p->class_team, "plan");
  pl_status st = PL_OK;
  /* As many ranks as the largest run needs. */
  for (int c = 0; ranks <= 0 && c < p->num_classes; c++) {
    int t = smallest_team(cfg, p->class_run[c], rates, memory_per_rank, MOST_RANKS);
    if (t > p->ranks) p->ranks = t;
  }
  ranks = p->ranks;
  p->phases = pl_alloc((size_t)ranks, sizeof *p->phases, "plan");
  for (int c = 0; c < p->num_classes && !st; c++) {
    int64_t run = p->class_run[c];
    pl_spec spec;
    pl_config_run(cfg, run, &spec);
    if (spec.team != PL_UNSET) {
      p->class_team[c] = spec.team < ranks ? (int)spec.team : ranks;
    } else {
      p->class_team[c] = smallest_team(cfg, run, rates, memory_per_rank, ranks);
      if (p->class_team[c] == 0) {
        st = too_large(cfg, run, p);
        break;
      }
      /* Only where classes are few does a class alone leave ranks idle. */
      if (p->num_runs < ranks / p->class_team[c] + 1)
        p->class_team[c] = widen(p, cfg, run, p->num_runs, p->class_team[c]);
    }
    p->cost[c] = cost_on(cfg, run, p->class_team[c], rates);
    if (p->cost[c].bytes > memory_per_rank) st = too_large(cfg, run, p);
    p->class_seconds[c] = run_seconds(cfg, run, &p->cost[c]);
  }
  if (!st) form_phases(p);
  if (st)
    pl_plan_free(p);
  else
    *out = p;
  return st;
}

void pl_plan_free(pl_plan *p) {
  if (!p) return;
  for (int i = 0; i < p->num_phases; i++) pl_free(p->phases[i].runs);
  pl_free(p->phases);
  pl_free(p->run_class);
  pl_free(p->cost);
  pl_free(p->class_seconds);
  pl_free(p->class_run);
  pl_free(p->class_team);
  pl_free(p);
}

/* An array of rank 0 on every rank. */
static void *bcast_array(const pl_comm *comm, void *x, int64_t n, size_t size) {
  if (comm->rank != 0) x = pl_alloc((size_t)n, size, "plan");
  pl_comm_bcast(comm, x, (size_t)n * size, 0);
  return x;
}

void pl_plan_bcast(const pl_comm *comm, pl_plan **plan) {
  pl_plan *p = bcast_array(comm, *plan, 1, sizeof *p);
  p->phases = bcast_array(comm, p->phases, p->num_phases, sizeof *p->phases);
  for (int i = 0; i < p->num_phases; i++)
    p->phases[i].runs =
        bcast_array(comm, p->phases[i].runs, p->phases[i].num_runs, sizeof(int64_t));
  p->run_class = bcast_array(comm, p->run_class, p->num_runs, sizeof *p->run_class);
  p->cost = bcast_array(comm, p->cost, p->num_classes, sizeof *p->cost);
  p->class_seconds = bcast_array(comm, p->class_seconds, p->num_classes, sizeof(double));
  p->class_run = bcast_array(comm, p->class_run, p->num_classes, sizeof(int64_t));
  p->class_team = bcast_array(comm, p->class_team, p->num_classes, sizeof(int));
  *plan = p;
}

double pl_plan_run_seconds(const pl_plan *plan, int64_t r) {
  return plan->class_seconds[plan->run_class[r]];
}

/* ---- printing ---- */

static void print_seconds(double s) {
  if (s < 1e-3)
    printf("%.3g us", 1e6 * s);
  else if (s < 1)
    printf("%.3g ms", 1e3 * s);
  else if (s < 7200)
    printf("%.3g s", s);
  else
    printf("%.3g h", s / 3600);
}

static void print_class(const pl_plan *p, const pl_config *cfg, int c) {
  int64_t num = 0;
  pl_spec spec;
  pl_config_run(cfg, p->class_run[c], &spec);
  for (int64_t r = 0; r < p->num_runs; r++) num += p->run_class[r] == c;
  const pl_cost *k = &p->cost[c];
  printf("%lld run%s: %s, %s, depth %lld, %lld steps: %d rank%s each, %.3g GB per rank, ",
         (long long)num, num == 1 ? "" : "s", spec.group, pl_model_name((int)spec.model_kind),
         (long long)spec.model_depth, (long long)spec.steps, p->class_team[c],
         p->class_team[c] == 1 ? "" : "s", k->bytes / 1e9);
  print_seconds(k->step);
  printf(" a step, ");
  print_seconds(k->record);
  printf(" a record, ");
  print_seconds(p->class_seconds[c]);
  printf(" a run\n");
  pl_model_kind_get((int)spec.model_kind)->explain(&spec, p->class_team[c], &p->rates);
}

void pl_plan_print(const pl_plan *p, const pl_config *cfg) {
  printf("%lld runs on %d ranks, %.3g GB per rank allowed, about ", (long long)p->num_runs,
         p->ranks, p->memory_per_rank / 1e9);
  print_seconds(p->seconds);
  printf("\n");
  for (int i = 0; i < p->num_phases; i++) {
    const pl_phase *f = &p->phases[i];
    int teams = p->ranks / f->team, idle = p->ranks - teams * f->team;
    printf("phase %d: %d team%s of %d rank%s, %lld runs, ", i + 1, teams, teams == 1 ? "" : "s",
           f->team, f->team == 1 ? "" : "s", (long long)f->num_runs);
    print_seconds(f->seconds);
    if (idle) printf(", %d rank%s idle", idle, idle == 1 ? "" : "s");
    printf("\n");
  }
  for (int c = 0; c < p->num_classes; c++) print_class(p, cfg, c);
}

/* ---- memory ---- */

double pl_parse_bytes(const char *text) {
  char *end;
  double x = strtod(text, &end);
  if (end == text || !(x > 0)) return 0;
  static const char units[] = "KMGTP";
  if (*end) {
    const char *u = strchr(units, toupper((unsigned char)*end));
    if (!u || !*u) return 0;
    x *= pow(1024, (double)(u - units + 1));
    end++;
    if (*end == 'B' || *end == 'b') end++;
  }
  return *end ? 0 : x;
}

/* 0 if unset or not a number. */
static double env_number(const char *name) {
  const char *text = getenv(name);
  char *end;
  double x = text ? strtod(text, &end) : 0;
  return text && end != text && !*end ? x : 0;
}

double pl_memory_per_rank(const pl_comm *world) {
  MPI_Comm node;
  int here;
  MPI_Comm_split_type(world->mpi, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &here);
  MPI_Comm_free(&node);
  double machine = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
  double least = 0.9 * machine / here;
  /* Slurm counts in MB. */
  double per_node = env_number("SLURM_MEM_PER_NODE"), per_cpu = env_number("SLURM_MEM_PER_CPU");
  if (per_node > 0) least = fmin(least, per_node * 1048576 / here);
  if (per_cpu > 0)
    least = fmin(least, per_cpu * 1048576 * fmax(1, env_number("SLURM_CPUS_PER_TASK")));
  double negated = -least;
  pl_comm_max(world, &negated, 1);
  return -negated;
}
