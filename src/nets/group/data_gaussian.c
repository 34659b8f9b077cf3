/* Gaussian functions on a group. */
#include "base/mem.h"
#include "base/rng.h"
#include "data_keys.h"
#include "draw.h"
#include "nets/group/data.h"

static pl_status begin(pl_source *s) {
  s->own = draw_packed_offsets(s->layout->group);
  return PL_OK;
}

static pl_status sample(pl_source *s, pl_part part, int64_t i, double *F, double *y) {
  (void)y;
  draw_gaussian(s->layout, s->own, s->seed, PL_STREAM(PL_STREAM_SAMPLE, draw_member(part, i)), 1,
                pl_group_volume(s->layout->group), F);
  return PL_OK;
}

static pl_status recipe(pl_source *s, pl_part part, int64_t i, pl_recipe *out) {
  (void)s;
  out->stream = PL_STREAM(PL_STREAM_SAMPLE, draw_member(part, i));
  return PL_OK;
}

static void end(pl_source *s) {
  pl_free(s->own);
}

static const pl_keys *const keys[] = {&pl_size_keys, &data_scale_keys, NULL};

const pl_group_data pl_data_gaussian = {
    .base = {.name = "gaussian",
             .help = "independent normal values over the group, labels +1, -1 in turn",
             .keys = keys,
             .write_data = pl_group_data_write},
    .begin = begin,
    .sample = sample,
    .recipe = recipe,
    .end = end,
};
