#include "run/shard.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/output.h"
#include "folders.h"
#include "model/batch.h"
#include "run/inputs.h"
#include "run/record.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

bool pl_shard_parse(const char *text, int64_t *shard, int64_t *shards) {
  char *end;
  errno = 0;
  long long i = strtoll(text, &end, 10);
  if (end == text || *end != '/') return false;
  const char *second = end + 1;
  long long n = strtoll(second, &end, 10);
  if (end == second || *end || errno || i < 0 || n < 1 || i >= n) return false;
  *shard = i;
  *shards = n;
  return true;
}

/* ---- who trains what ---- */

typedef struct work {
  double flops;
  int64_t run;
} work;

static int largest_first(const void *a, const void *b) {
  const work *x = a, *y = b;
  if (x->flops != y->flops) return x->flops < y->flops ? 1 : -1;
  return x->run < y->run ? -1 : x->run > y->run;
}

/* Of each run, computed once per class. */
static work *work_of(const pl_config *cfg) {
  int64_t n = pl_config_num_runs(cfg);
  pl_rates rates = pl_rates_nominal();
  pl_run_classes classes = pl_run_classes_new(cfg, PL_COST);
  work *w = pl_alloc((size_t)n, sizeof *w, "shards");
  for (int64_t r = 0; r < n; r++) {
    int64_t first = classes.run[classes.of[r]];
    w[r].run = r;
    if (first < r) {
      w[r].flops = w[first].flops;
      continue;
    }
    pl_spec spec;
    pl_cost cost;
    pl_config_run(cfg, r, &spec);
    spec.model->cost(&spec, 1, &rates, &cost);
    w[r].flops = cost.flops * (double)pl_run_steps(&spec);
  }
  pl_run_classes_free(&classes);
  return w;
}

/* A shard with the work it has; heap[0] has the least, of equal ones the first. */
typedef struct part {
  double load;
  int64_t shard;
} part;

static bool lighter(const part *a, const part *b) {
  return a->load < b->load || (a->load == b->load && a->shard < b->shard);
}

/* heap[0] has become heavier. */
static void sift_down(part *heap, int64_t n) {
  for (int64_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && lighter(&heap[child + 1], &heap[child])) child++;
    if (!lighter(&heap[child], &heap[i])) return;
    part kept = heap[i];
    heap[i] = heap[child];
    heap[child] = kept;
  }
}

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

int64_t *pl_shard_share(const pl_config *cfg, int64_t shard, int64_t shards, int64_t *mine) {
  int64_t n = pl_config_num_runs(cfg);
  work *w = work_of(cfg);
  part *heap = pl_alloc((size_t)shards, sizeof *heap, "shards");
  int64_t *runs = pl_alloc((size_t)n, sizeof *runs, "shards");
  for (int64_t i = 0; i < shards; i++) heap[i] = (part){.load = 0, .shard = i};
  qsort(w, (size_t)n, sizeof *w, largest_first);
  *mine = 0;
  for (int64_t k = 0; k < n; k++) {
    if (heap[0].shard == shard) runs[(*mine)++] = w[k].run;
    heap[0].load += w[k].flops;
    sift_down(heap, shards);
  }
  qsort(runs, (size_t)*mine, sizeof *runs, ascending);
  pl_free(w);
  pl_free(heap);
  return runs;
}

pl_status pl_shard_select(const pl_comm *comm, pl_config *cfg, int64_t shard, int64_t shards) {
  int64_t n = pl_config_num_runs(cfg), mine = 0;
  if (n < shards)
    return pl_error(PL_EINPUT, "--shard: %lld runs do not fill %lld shards", (long long)n,
                    (long long)shards);
  int64_t *runs = comm->rank == 0 ? pl_shard_share(cfg, shard, shards, &mine) : NULL;
  pl_comm_bcast(comm, &mine, sizeof mine, 0);
  if (comm->rank != 0) runs = pl_alloc((size_t)mine, sizeof *runs, "shards");
  pl_comm_bcast(comm, runs, (size_t)mine * sizeof *runs, 0);
  pl_config_select(cfg, mine, runs);
  pl_config_set_shard(cfg, shard, shards);
  pl_free(runs);
  return PL_OK;
}

/* ---- merging ---- */

/* What is put together. */
typedef struct merging {
  const char *out;      /* the output of the whole .. */
  const pl_config *cfg; /* .. and its sweep */
  pl_recorder *whole;
  bool *taken;    /* [runs of the whole]: some input has begun it */
  double *values; /* room for a record */
  int64_t begun, ended;
} merging;

/* Copy all that `from` has of its run r into run `to` of the whole; *place: to, or -1 where it has
 * nothing. */
static pl_status copy_run(merging *m, const pl_recorder *from, int64_t r, int64_t to,
                          const char *path, int64_t *place) {
  pl_outcome out;
  *place = -1;
  PL_TRY(pl_recorder_run(from, r, &out));
  if (out.state == PL_RUN_PENDING) return PL_OK;
  *place = to;
  if (m->taken[to])
    return pl_error(PL_EINPUT, "%s: run %lld is in an earlier file, too", path, (long long)to);
  m->taken[to] = true;
  m->begun++;
  m->ended += out.state != PL_RUN_RUNNING && out.state != PL_RUN_STOPPED;
  return pl_recorder_copy(from, r, &out, m->whole, to, m->values);
}

static pl_status copy_shard(merging *m, const char *path) {
  pl_config *cfg = NULL;
  pl_recorder *rec = NULL;
  pl_lock_warn(path);
  PL_TRY(pl_recorder_config(path, &cfg));
  pl_status st = pl_config_same(m->cfg, cfg);
  if (st) st = pl_error_in(st, "%s: of another sweep: ", path);
  /* Only files that the whole sweep reads as they are now. */
  if (!st) pl_config_set_inputs(cfg, pl_config_inputs(m->cfg));
  if (!st) st = pl_folders_expect_settled(path);
  if (!st) st = pl_recorder_open(path, false, cfg, &rec);
  int64_t runs = pl_config_num_runs(cfg);
  int64_t *place = pl_alloc((size_t)runs, sizeof *place, "runs merged");
  for (int64_t r = 0; r < runs && !st; r++)
    st = copy_run(m, rec, r, pl_config_index(cfg, r), path, &place[r]);
  if (!st) st = pl_folders_stage(path, m->out, runs, place);
  pl_free(place);
  pl_recorder_close(rec);
  pl_config_free(cfg);
  return st;
}

static void tell(const merging *m) {
  int64_t runs = pl_config_num_runs(m->cfg), pending = runs - m->begun, rest = m->begun - m->ended;
  if (m->ended == runs) return;
  pl_log(PL_LOG_WARNING,
         "%lld of %lld runs have ended; %lld %s pending, %lld had begun: merge this output with "
         "what is missing, or run --resume",
         (long long)m->ended, (long long)runs, (long long)pending, pending == 1 ? "is" : "are",
         (long long)rest);
}

static pl_status write_merged(const char *const *inputs, int num_inputs, const char *out,
                              const pl_config *cfg, const char *command) {
  /* Shards were planned apart: the whole has no plan that a resumed sweep could keep. */
  pl_plan none = {.rates = pl_rates_nominal()};
  merging m = {.out = out, .cfg = cfg};
  char *name = pl_extending_of(out);
  pl_status st = pl_recorder_create(name, false, cfg, &none, command, &m.whole);
  pl_free(name);
  if (st) return st;
  pl_recorder_gather(m.whole, INFINITY);
  m.taken = pl_zalloc((size_t)pl_config_num_runs(cfg), sizeof *m.taken, "runs merged");
  m.values = pl_alloc((size_t)pl_recorder_longest(m.whole), sizeof *m.values, "a record");
  st = pl_folders_stage_none(out);
  for (int i = 0; i < num_inputs && !st; i++) st = copy_shard(&m, inputs[i]);
  if (!st) tell(&m);
  pl_free(m.values);
  pl_free(m.taken);
  pl_status closed = pl_recorder_close(m.whole);
  return st ? st : closed;
}

/* Under the lock of out. */
static pl_status merge(const char *const *inputs, int num_inputs, const pl_output *output,
                       bool overwrite, pl_config *cfg, const char *command) {
  const char *out = output->path;
  pl_config_select_all(cfg);
  PL_TRY(pl_inputs_take(cfg));
  PL_TRY(pl_inputs_apart(cfg, out));
  PL_TRY(pl_folders_settle(out));
  if (!overwrite) PL_TRY(pl_folders_expect_none(out));
  pl_status st = write_merged(inputs, num_inputs, out, cfg, command);
  if (!st) st = pl_lock_confirm(output->lock);
  return pl_folders_place(out, st);
}

pl_status pl_merge(const char *const *inputs, int num_inputs, const char *out, bool overwrite,
                   const char *command) {
  pl_config *cfg;
  pl_output output = {0};
  pl_status st = pl_output_begin(&output, out, overwrite, num_inputs, inputs);
  if (!st) st = pl_recorder_config(inputs[0], &cfg);
  if (!st) {
    st = merge(inputs, num_inputs, &output, overwrite, cfg, command);
    pl_config_free(cfg);
  }
  return pl_output_end(&output, st);
}
