#include "run/plan.h"

#include "base/limits.h"
#include "base/mem.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one run ---- */

/* A run of a class, with what planning asks of it again and again. */
typedef struct job {
  int64_t run;
  pl_spec spec;
  pl_length length;
  int64_t records;
} job;

static job job_of(const pl_config *cfg, int64_t run) {
  job j = {.run = run};
  pl_config_run(cfg, run, &j.spec);
  j.length = pl_length_of(&j.spec);
  pl_free(pl_record_steps(&j.spec, &j.length, &j.records));
  return j;
}

static pl_cost cost_on(const job *j, int team, const pl_rates *rates) {
  pl_cost c;
  j->spec.model->cost(&j->spec, team, rates, &c);
  return c;
}

static double run_seconds(const job *j, const pl_cost *c) {
  return c->setup + (double)j->length.steps * c->step + (double)j->records * c->record;
}

/* ---- teams ---- */

/* The smallest team whose memory fits; 0 if none up to `most` does. */
static int smallest_team(const job *j, const pl_rates *rates, double memory, int most) {
  int last = 0, t = 1;
  while (t < most && cost_on(j, t, rates).bytes > memory) {
    last = t;
    t = t < 16 ? t + 1 : t + t / 8;
  }
  if (t >= most && cost_on(j, most, rates).bytes > memory) return 0;
  if (t > most) t = most;
  while (t - last > 1) {
    int middle = last + (t - last) / 2;
    if (cost_on(j, middle, rates).bytes <= memory)
      t = middle;
    else
      last = middle;
  }
  return t;
}

/* The largest job whose size is looked for. */
enum { MOST_RANKS = 1 << 16 };

static pl_status too_large(const job *j, const pl_plan *p) {
  double have = p->memory_per_rank / 1e9, need = cost_on(j, 1, &p->rates).bytes / 1e9;
  int enough = smallest_team(j, &p->rates, p->memory_per_rank, MOST_RANKS);
  char label[256];
  pl_model_label(&j->spec, label, sizeof label);
  if (enough)
    return pl_error(PL_EENV,
                    "run %lld (%s) needs %.3g GB; with %.3g GB per rank it would take %d ranks, "
                    "have %d",
                    (long long)j->run, label, need, have, enough, p->ranks);
  return pl_error(PL_EENV,
                  "run %lld (%s) needs %.3g GB and does not fit into %.3g GB per rank on any "
                  "number of ranks",
                  (long long)j->run, label, need, have);
}

/* Time of a phase of num runs, each `seconds` long on a team, the ranks forming `teams` teams. */
static double makespan(double seconds, int64_t num, int teams) {
  return seconds * (double)((num + teams - 1) / teams);
}

/* With fewer runs than teams, larger teams keep ranks busy, as long as they are faster. */
static int widen(const pl_plan *p, const job *j, int team) {
  int64_t num = p->num_runs;
  int best = team;
  double least = INFINITY;
  for (int64_t k = num; k >= 1; k = k > 8 ? k / 2 : k - 1) {
    int t = (int)(p->ranks / k);
    if (t < team) t = team;
    if (t > p->ranks) t = p->ranks;
    pl_cost c = cost_on(j, t, &p->rates);
    if (c.bytes > p->memory_per_rank) continue;
    double s = makespan(run_seconds(j, &c), num, p->ranks / t);
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
  for (int64_t r = 0; r < p->num_runs; r++) count[p->class_team[p->classes.of[r]]]++;
  for (int t = p->ranks; t >= 1; t--) {
    if (count[t] == 0) continue;
    pl_phase *f = &p->phases[p->num_phases++];
    *f = (pl_phase){.team = t};
    f->runs = pl_alloc((size_t)count[t], sizeof *f->runs, "plan");
    double sum = 0, longest = 0;
    for (int64_t r = 0; r < p->num_runs; r++) {
      if (p->class_team[p->classes.of[r]] != t) continue;
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

/* As many ranks as the largest run needs. */
static int enough_ranks(const pl_plan *p, const pl_config *cfg) {
  int most = 1;
  for (int64_t c = 0; c < p->classes.num; c++) {
    job j = job_of(cfg, p->classes.run[c]);
    int t = smallest_team(&j, &p->rates, p->memory_per_rank, MOST_RANKS);
    if (t > most) most = t;
  }
  return most;
}

/* 0: no team is large enough. */
static int choose_team(const pl_plan *p, const job *j) {
  int64_t fixed = j->spec.common.team;
  if (fixed != PL_UNSET) return fixed < p->ranks ? (int)fixed : p->ranks;
  int team = smallest_team(j, &p->rates, p->memory_per_rank, p->ranks);
  /* Only where classes are few does a class alone leave ranks idle. */
  return team > 0 && p->num_runs < p->ranks / team + 1 ? widen(p, j, team) : team;
}

static pl_status plan_class(pl_plan *p, const pl_config *cfg, int64_t c) {
  job j = job_of(cfg, p->classes.run[c]);
  int team = choose_team(p, &j);
  if (team == 0) return too_large(&j, p);
  p->length[c] = j.length;
  p->class_team[c] = team;
  p->cost[c] = cost_on(&j, team, &p->rates);
  p->class_seconds[c] = run_seconds(&j, &p->cost[c]);
  return p->cost[c].bytes > p->memory_per_rank ? too_large(&j, p) : PL_OK;
}

pl_status pl_plan_new(const pl_config *cfg, int ranks, double memory_per_rank,
                      const pl_rates *rates, pl_plan **out) {
  pl_plan *p = pl_zalloc(1, sizeof *p, "plan");
  p->memory_per_rank = memory_per_rank;
  p->rates = *rates;
  p->rates.memory = memory_per_rank;
  p->num_runs = pl_config_num_runs(cfg);
  p->classes = pl_run_classes_new(cfg, PL_COST);
  size_t n = (size_t)p->classes.num;
  p->length = pl_alloc(n, sizeof *p->length, "plan");
  p->cost = pl_alloc(n, sizeof *p->cost, "plan");
  p->class_seconds = pl_alloc(n, sizeof *p->class_seconds, "plan");
  p->class_team = pl_alloc(n, sizeof *p->class_team, "plan");
  p->ranks = ranks > 0 ? ranks : enough_ranks(p, cfg);
  p->phases = pl_alloc((size_t)p->ranks, sizeof *p->phases, "plan");
  pl_status st = PL_OK;
  for (int64_t c = 0; c < p->classes.num && !st; c++) st = plan_class(p, cfg, c);
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
  pl_run_classes_free(&p->classes);
  pl_free(p->length);
  pl_free(p->cost);
  pl_free(p->class_seconds);
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
  int64_t n = p->classes.num;
  p->classes.of = bcast_array(comm, p->classes.of, p->num_runs, sizeof(int64_t));
  p->classes.run = bcast_array(comm, p->classes.run, n, sizeof(int64_t));
  p->length = bcast_array(comm, p->length, n, sizeof *p->length);
  p->cost = bcast_array(comm, p->cost, n, sizeof *p->cost);
  p->class_seconds = bcast_array(comm, p->class_seconds, n, sizeof(double));
  p->class_team = bcast_array(comm, p->class_team, n, sizeof(int));
  *plan = p;
}

double pl_plan_run_seconds(const pl_plan *plan, int64_t r) {
  return plan->class_seconds[plan->classes.of[r]];
}

const pl_cost *pl_plan_run_cost(const pl_plan *plan, int64_t r) {
  return &plan->cost[plan->classes.of[r]];
}

const pl_length *pl_plan_run_length(const pl_plan *plan, int64_t r) {
  return &plan->length[plan->classes.of[r]];
}

int64_t pl_plan_run_steps(const pl_plan *plan, int64_t r) {
  return pl_plan_run_length(plan, r)->steps;
}

/* ---- printing ---- */

static void print_class(const pl_plan *p, const pl_config *cfg, int64_t c, int64_t num) {
  pl_spec spec;
  char label[256];
  pl_config_run(cfg, p->classes.run[c], &spec);
  pl_model_label(&spec, label, sizeof label);
  const pl_cost *k = &p->cost[c];
  printf("%lld run%s: %s, %lld steps: %d rank%s each, %.3g GB per rank, ", (long long)num,
         num == 1 ? "" : "s", label, (long long)p->length[c].steps, p->class_team[c],
         p->class_team[c] == 1 ? "" : "s", k->bytes / 1e9);
  pl_rates_print(k->step);
  printf(" a step, ");
  pl_rates_print(k->record);
  printf(" a record, ");
  pl_rates_print(p->class_seconds[c]);
  printf(" a run\n");
  spec.model->explain(&spec, p->class_team[c], &p->rates);
}

void pl_plan_print(const pl_plan *p, const pl_config *cfg) {
  printf("%lld run%s on %d rank%s, %.3g GB per rank allowed%s%s%s, about ", (long long)p->num_runs,
         p->num_runs == 1 ? "" : "s", p->ranks, p->ranks == 1 ? "" : "s", p->memory_per_rank / 1e9,
         *p->memory_says ? " (" : "", p->memory_says, *p->memory_says ? ")" : "");
  pl_rates_print(p->seconds);
  printf("\n");
  for (int i = 0; i < p->num_phases; i++) {
    const pl_phase *f = &p->phases[i];
    int teams = p->ranks / f->team, idle = p->ranks - teams * f->team;
    printf("phase %d: %d team%s of %d rank%s, %lld run%s, ", i + 1, teams, teams == 1 ? "" : "s",
           f->team, f->team == 1 ? "" : "s", (long long)f->num_runs, f->num_runs == 1 ? "" : "s");
    pl_rates_print(f->seconds);
    if (idle) printf(", %d rank%s idle", idle, idle == 1 ? "" : "s");
    printf("\n");
  }
  int64_t *num = pl_zalloc((size_t)p->classes.num, sizeof *num, "plan");
  for (int64_t r = 0; r < p->num_runs; r++) num[p->classes.of[r]]++;
  for (int64_t c = 0; c < p->classes.num; c++) print_class(p, cfg, c, num[c]);
  pl_free(num);
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
    if (*end == 'i') end++; /* 8GiB: units are powers of 1024 here, with or without it */
    if (*end == 'B' || *end == 'b') end++;
  }
  return *end ? 0 : x;
}

double pl_plan_longest(const pl_plan *plan) {
  double longest = 0;
  for (int64_t c = 0; c < plan->classes.num; c++) {
    const pl_cost *k = &plan->cost[c];
    longest = fmax(longest, k->setup + k->step + k->record);
  }
  return longest;
}

double pl_memory_per_rank(const pl_comm *world, char *says, size_t n) {
  if (world->size == 1) {
    pl_memory alone = pl_memory_limit(1);
    if (says) snprintf(says, n, "%s", alone.says);
    return alone.bytes;
  }
  MPI_Comm node;
  int here;
  MPI_Comm_split_type(world->mpi, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &here);
  MPI_Comm_free(&node);
  pl_memory m = pl_memory_limit(here);
  struct {
    double bytes;
    int rank;
  } mine = {m.bytes, world->rank}, least;
  MPI_Allreduce(&mine, &least, 1, MPI_DOUBLE_INT, MPI_MINLOC, world->mpi);
  pl_comm_bcast(world, m.says, sizeof m.says, least.rank);
  if (says) snprintf(says, n, "%s", m.says);
  return least.bytes;
}
