#include "nets/vector/data.h"

#include "base/mem.h"

const pl_data_kind *const pl_vector_data_kinds[] = {&pl_data_rings.base,
                                                    &pl_data_curve.base,
                                                    &pl_data_bars.base,
                                                    &pl_data_images.base,
                                                    &pl_data_lasso.base,
                                                    &pl_data_vector_file.base,
                                                    NULL};

const pl_data_kind *const pl_target_data_kinds[] = {&pl_data_lasso.base, &pl_data_curve.base,
                                                    &pl_data_vector_file.base, NULL};

const pl_data_kind *const pl_image_data_kinds[] = {&pl_data_bars.base, &pl_data_images.base,
                                                   &pl_data_vector_file.base, NULL};

static const pl_vector_data *kind_of(const pl_spec *spec) {
  return (const pl_vector_data *)spec->data;
}

pl_status pl_vector_shape_of(const pl_spec *spec, pl_vector_shape *out) {
  return kind_of(spec)->shape(spec, out);
}

void pl_vector_part_init(pl_vector_part *p, const pl_vector_shape *s, int64_t num, bool targets) {
  p->num = num;
  p->x = pl_alloc((size_t)num, (size_t)s->features * sizeof *p->x, "samples");
  if (targets) p->y = pl_alloc((size_t)(num * pl_vector_targets(s)), sizeof *p->y, "targets");
  if (targets && s->classes) p->label = pl_alloc((size_t)num, sizeof *p->label, "classes");
}

void pl_vector_part_share(pl_vector_part *p, const pl_vector_shape *s, const pl_comm *team) {
  size_t num = (size_t)p->num;
  pl_comm_bcast(team, p->x, num * (size_t)s->features * sizeof *p->x, 0);
  if (p->y) pl_comm_bcast(team, p->y, num * (size_t)pl_vector_targets(s) * sizeof *p->y, 0);
  for (int64_t i = 0; i < p->num && p->label; i++) p->label[i] = (int)p->y[i];
}

pl_status pl_vectors_init(const pl_spec *spec, const pl_comm *team, pl_vectors *out) {
  int64_t num[PL_NUM_PARTS] = {0};
  pl_status st = PL_OK;
  *out = (pl_vectors){0};
  if (team->rank == 0) st = pl_vector_shape_of(spec, &out->shape);
  for (int p = 0; p < PL_NUM_PARTS && team->rank == 0; p++)
    num[p] = pl_data_count(spec, (pl_part)p);
  PL_TRY(pl_agree(team, st));
  pl_comm_bcast(team, &out->shape, sizeof out->shape, 0);
  pl_comm_bcast(team, num, sizeof num, 0);
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    pl_vector_part *part = &out->part[p];
    pl_vector_part_init(part, &out->shape, num[p], true);
    if (team->rank == 0 && !st && num[p] > 0)
      st = kind_of(spec)->samples(spec, &out->shape, (pl_part)p, num[p], part->x, part->y);
  }
  st = pl_agree(team, st);
  for (int p = 0; p < PL_NUM_PARTS && !st; p++)
    pl_vector_part_share(&out->part[p], &out->shape, team);
  if (st) pl_vectors_fini(out);
  return st;
}

void pl_vectors_fini(pl_vectors *v) {
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    pl_free(v->part[p].x);
    pl_free(v->part[p].y);
    pl_free(v->part[p].label);
  }
  *v = (pl_vectors){0};
}
