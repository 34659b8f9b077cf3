#include "run/schedule.h"

#include "base/mem.h"
#include "model/batch.h"
#include "model/data.h"

#include <string.h>

pl_length pl_length_of(const pl_spec *spec) {
  pl_length l = {.steps = pl_run_steps(spec)};
  if (spec->common.record_every_epoch)
    l.epoch = pl_batch_count(spec, pl_data_count(spec, PL_TRAIN));
  return l;
}

static int64_t *steps_of(int64_t n) {
  return pl_alloc((size_t)n, sizeof(int64_t), "record steps");
}

/* At the start, after every epoch, and at the end. */
static int64_t *by_epoch(const pl_length *length, int64_t *count) {
  int64_t n = (length->steps + length->epoch - 1) / length->epoch, *at = steps_of(n + 1);
  for (int64_t i = 0; i < n; i++) at[i] = i * length->epoch;
  at[n] = length->steps;
  *count = n + 1;
  return at;
}

int64_t *pl_record_steps(const pl_spec *spec, const pl_length *length, int64_t *count) {
  const pl_common *c = &spec->common;
  int64_t n = c->record_steps.n, last = length->steps, points = c->record_points;
  if (n > 0) {
    int64_t *at = steps_of(n);
    memcpy(at, c->record_steps.v, (size_t)n * sizeof *at);
    *count = n;
    return at;
  }
  if (c->record_every_epoch) return by_epoch(length, count);
  if (points > last + 1) points = last + 1;
  int64_t *at = steps_of(points);
  for (int64_t i = 0; i < points; i++) {
    double x = (double)i / (double)(points - 1);
    double t =
        c->record_schedule == PL_SCHEDULE_LOG ? pow((double)last + 1, x) - 1 : (double)last * x;
    at[i] = llround(t);
    /* Early points of a logarithmic schedule fall on one step: move them on, so that all are
     * used; late ones are far apart. */
    if (i > 0 && at[i] <= at[i - 1]) at[i] = at[i - 1] + 1;
  }
  at[points - 1] = last;
  *count = points;
  return at;
}
