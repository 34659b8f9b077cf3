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

/* By record.schedule. */
static int64_t *by_schedule(const pl_common *c, int64_t last, int64_t *count) {
  int64_t points = c->record_points < last + 1 ? c->record_points : last + 1;
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

static int64_t *by_rule(const pl_common *c, const pl_length *length, int64_t *count) {
  return c->record_every_epoch ? by_epoch(length, count) : by_schedule(c, length->steps, count);
}

/* at, and behind its last step those of a longer run; both are given up. */
static int64_t *join(int64_t *at, int64_t *count, int64_t *more, int64_t num_more) {
  int64_t first = 0;
  while (first < num_more && more[first] <= at[*count - 1]) first++;
  at = pl_realloc(at, (size_t)(*count + num_more - first), sizeof *at, "record steps");
  for (; first < num_more; first++) at[(*count)++] = more[first];
  pl_free(more);
  return at;
}

int64_t *pl_record_steps(const pl_spec *spec, const pl_length *length, int64_t *count) {
  const pl_common *c = &spec->common;
  int64_t n = c->record_steps.n, num_more;
  if (n > 0) {
    int64_t *at = steps_of(n);
    memcpy(at, c->record_steps.v, (size_t)n * sizeof *at);
    *count = n;
    return at;
  }
  int64_t unit = c->epochs > 0 ? length->steps / c->epochs : 1, *at = NULL;
  for (int i = 0; i <= c->record_stages.n; i++) {
    pl_length stage = *length;
    if (i < c->record_stages.n) stage.steps = c->record_stages.v[i] * unit;
    if (i == 0)
      at = by_rule(c, &stage, count);
    else {
      int64_t *more = by_rule(c, &stage, &num_more);
      at = join(at, count, more, num_more);
    }
  }
  return at;
}
