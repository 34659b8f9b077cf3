#include "run/adopt.h"

#include "base/mem.h"
#include "growth.h"
#include "run/extend.h"
#include "run/record.h"
#include "run/shard.h"

#include <string.h>
#include <unistd.h>

/* What the output says of the sweep at hand. */
typedef struct adopted {
  char *set;
  int64_t num, *runs; /* to select; NULL: not told */
} adopted;

/* The numbers, in the whole, of the runs that the output holds. */
static void take_runs(const pl_config *was, adopted *out) {
  out->num = pl_config_num_runs(was);
  out->runs = pl_alloc((size_t)out->num, sizeof *out->runs, "runs of a shard");
  for (int64_t r = 0; r < out->num; r++) out->runs[r] = pl_config_index(was, r);
}

/* Is it a file from which the other stages were made, by --extend?  It need not say so. */
static bool lacks_stages(const pl_common *was, const pl_common *now) {
  return was->steps == now->steps && was->epochs == now->epochs && was->record_stages.n > 0 &&
         now->record_stages.n == 0 && now->record_steps.n == 0;
}

/* The recorder will tell whether it is the same sweep. */
static void adopt_resumed(pl_config *was, const pl_config *cfg, int64_t shard, int64_t shards,
                          adopted *out) {
  pl_spec a, b;
  int64_t i, n;
  pl_growth g = {0};
  pl_config_run(was, 0, &a);
  pl_config_run(cfg, 0, &b);
  g.stages = a.common.record_stages;
  if (lacks_stages(&a.common, &b.common)) out->set = pl_growth_set(&g);
  pl_config_shard(was, &i, &n);
  if (!shards || n != shards || i != shard) return;
  take_runs(was, out);
  pl_config_select_all(was);
  if (pl_config_num_runs(was) == pl_config_num_runs(cfg)) return;
  pl_free(out->runs);
  out->runs = NULL;
}

static pl_status expect_shard(const char *path, const pl_config *was, int64_t shard,
                              int64_t shards) {
  int64_t i, n;
  pl_config_shard(was, &i, &n);
  if (pl_config_selected(was) && !shards)
    return pl_error(PL_EINPUT, "%s: holds a shard: give --shard, as it was made", path);
  if (!pl_config_selected(was) && shards)
    return pl_error(PL_EINPUT, "%s: holds the whole sweep, not --shard %lld/%lld", path,
                    (long long)shard, (long long)shards);
  if (n > 0 && (i != shard || n != shards))
    return pl_error(PL_EINPUT, "%s: holds shard %lld/%lld, not %lld/%lld", path, (long long)i,
                    (long long)n, (long long)shard, (long long)shards);
  return PL_OK;
}

/* The runs of a shard: those that it had, in their new places, and its share of those that no shard
 * had. */
static void share_new(pl_config *cfg, const int64_t *place, int64_t num_was, int64_t shard,
                      int64_t shards, adopted *out) {
  int64_t runs = pl_config_num_runs(cfg), num_new = 0, mine = 0;
  bool *had = pl_zalloc((size_t)runs, sizeof *had, "runs of a shard");
  bool *own = pl_zalloc((size_t)runs, sizeof *own, "runs of a shard");
  int64_t *fresh = pl_alloc((size_t)runs, sizeof *fresh, "runs of a shard");
  for (int64_t r = 0; r < num_was; r++) had[place[r]] = true;
  for (int64_t r = 0; r < runs; r++)
    if (!had[r]) fresh[num_new++] = r;
  for (int64_t r = 0; r < out->num; r++) own[place[out->runs[r]]] = true;
  if (num_new > 0) {
    pl_config_select(cfg, num_new, fresh);
    int64_t *share = pl_shard_share(cfg, shard, shards, &mine);
    pl_config_select_all(cfg);
    out->runs = pl_realloc(out->runs, (size_t)(out->num + mine), sizeof *out->runs, "a shard");
    for (int64_t k = 0; k < mine; k++) own[fresh[share[k]]] = true;
    pl_free(share);
  }
  out->num = 0;
  for (int64_t r = 0; r < runs; r++)
    if (own[r]) out->runs[out->num++] = r;
  pl_free(fresh);
  pl_free(own);
  pl_free(had);
}

static pl_status adopt_extended(const char *path, pl_config *was, pl_config *cfg, int64_t shard,
                                int64_t shards, adopted *out) {
  PL_TRY(expect_shard(path, was, shard, shards));
  if (shards) take_runs(was, out);
  pl_config_select_all(was);
  int64_t runs = pl_config_num_runs(was);
  int64_t *place = pl_alloc((size_t)runs, sizeof *place, "runs of the output");
  pl_growth g = {0};
  pl_status st = pl_config_match(was, cfg, place);
  for (int64_t r = 0; r < runs && !st; r++) {
    pl_spec a, b;
    pl_config_run(was, r, &a);
    pl_config_run(cfg, place[r], &b);
    st = pl_growth_add(&g, &a, &b, false);
    if (!st && r == 0 && !pl_growth_has_stages(&g, &b)) out->set = pl_growth_set(&g);
  }
  if (!st && shards) share_new(cfg, place, runs, shard, shards, out);
  pl_free(place);
  return st ? pl_error_in(st, PL_NO_EXTENSION, path) : PL_OK;
}

static pl_status look(const char *path, bool extend, int64_t shard, int64_t shards, pl_config *cfg,
                      adopted *out) {
  pl_config *was = NULL;
  if (access(path, F_OK))
    return extend ? pl_error(PL_EINPUT, "%s: no such file: nothing to extend", path) : PL_OK;
  pl_status st = pl_recorder_config(path, &was);
  if (st) return extend ? st : PL_OK; /* told when it is opened */
  if (extend)
    st = adopt_extended(path, was, cfg, shard, shards, out);
  else
    adopt_resumed(was, cfg, shard, shards, out);
  pl_config_free(was);
  return st;
}

/* What rank 0 has found, on every rank. */
static void share_adopted(const pl_comm *comm, adopted *a) {
  int64_t n[] = {a->set ? (int64_t)strlen(a->set) + 1 : 0, a->runs ? a->num : -1};
  pl_comm_bcast(comm, n, sizeof n, 0);
  if (comm->rank != 0) {
    if (n[0] > 0) a->set = pl_alloc((size_t)n[0], 1, "--set");
    if (n[1] >= 0) a->runs = pl_alloc((size_t)n[1], sizeof *a->runs, "runs of a shard");
    a->num = n[1];
  }
  if (n[0] > 0) pl_comm_bcast(comm, a->set, (size_t)n[0], 0);
  if (n[1] > 0) pl_comm_bcast(comm, a->runs, (size_t)n[1] * sizeof *a->runs, 0);
}

pl_status pl_adopt(const pl_comm *comm, const char *path, bool extend, int64_t shard,
                   int64_t shards, pl_config **cfg, bool *selected) {
  adopted a = {0};
  *selected = false;
  pl_status st =
      pl_agree(comm, comm->rank == 0 ? look(path, extend, shard, shards, *cfg, &a) : PL_OK);
  if (!st) share_adopted(comm, &a);
  if (!st && a.set) {
    pl_config *more = NULL;
    st = pl_agree(comm, pl_config_with(*cfg, a.set, &more));
    if (!st) {
      pl_config_free(*cfg);
      *cfg = more;
    }
  }
  if (!st && a.runs) {
    pl_config_select(*cfg, a.num, a.runs);
    pl_config_set_shard(*cfg, shard, shards);
    *selected = true;
  }
  pl_free(a.set);
  pl_free(a.runs);
  return st;
}
