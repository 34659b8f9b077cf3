#include "model/batch.h"

#include "base/rng.h"
#include "model/data.h"

int64_t pl_batch_size(const pl_spec *spec, int64_t n) {
  int64_t size = spec->common.batch;
  return size == PL_BATCH_WHOLE || size > n ? n : size;
}

int64_t pl_batch_count(const pl_spec *spec, int64_t n) {
  int64_t size = pl_batch_size(spec, n);
  return size > 0 ? (n + size - 1) / size : 1;
}

void pl_batch_order(const pl_spec *spec, int64_t epoch, int64_t n, int64_t *order) {
  for (int64_t k = 0; k < n; k++) order[k] = k;
  if (!spec->common.shuffle) return;
  uint64_t stream = PL_STREAM(PL_STREAM_SHUFFLE, epoch);
  for (int64_t k = n - 1; k > 0; k--) {
    int64_t j = pl_rng_below((uint64_t)spec->common.seed, stream, (uint64_t)k, k + 1);
    int64_t kept = order[k];
    order[k] = order[j];
    order[j] = kept;
  }
}

int64_t pl_run_steps(const pl_spec *spec) {
  const pl_common *c = &spec->common;
  if (c->epochs <= 0) return c->steps;
  return c->epochs * pl_batch_count(spec, pl_data_count(spec, PL_TRAIN));
}
