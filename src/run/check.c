#include "run/check.h"

#include "run/best.h"
#include "run/outline.h"

static pl_status check_networks(const pl_config *cfg) {
  pl_run_classes classes = pl_run_classes_new(cfg, PL_COST | PL_DATA);
  pl_status st = PL_OK;
  for (int64_t c = 0; c < classes.num && !st; c++) {
    int64_t r = classes.run[c];
    pl_spec spec;
    const char *key = "model.kind";
    pl_config_run(cfg, r, &spec);
    st = spec.model->check(&spec, &key);
    if (st) pl_config_blame(cfg, r, key, st);
  }
  pl_run_classes_free(&classes);
  return st;
}

static pl_status check_metrics(const pl_config *cfg, const pl_outline *outline) {
  for (int64_t r = 0; r < pl_config_num_runs(cfg); r++) {
    pl_spec spec;
    pl_watch watch;
    pl_config_run(cfg, r, &spec);
    pl_status st = pl_watch_init(&watch, &spec, &pl_outline_of(outline, r)->schema);
    if (st) return pl_config_blame(cfg, r, "stop.metric", st);
    if (!spec.common.record_best || watch.validation >= 0) continue;
    pl_error(PL_EINPUT, "the run has no validation part to tell the best record by");
    return pl_config_blame(cfg, r, "record.best", PL_EINPUT);
  }
  return PL_OK;
}

static pl_status check(const pl_config *cfg) {
  pl_outline *outline;
  PL_TRY(check_networks(cfg));
  PL_TRY(pl_outline_new(cfg, &outline));
  pl_status st = check_metrics(cfg, outline);
  pl_outline_free(outline);
  return st;
}

pl_status pl_sweep_check(const pl_comm *world, const pl_config *cfg) {
  return pl_agree(world, world->rank == 0 ? check(cfg) : PL_OK);
}
