#include "nets/meta/data.h"

#include "keys.h"

const pl_data_kind *const pl_task_data_kinds[] = {
    &pl_data_sinusoid.base, &pl_data_quadratic.base, &pl_data_group_tasks.base,
    &pl_data_fewshot.base,  &pl_data_task_file.base, NULL};

static const pl_task_data *kind_of(const pl_spec *spec) {
  return (const pl_task_data *)spec->data;
}

pl_status pl_task_shape_of(const pl_spec *spec, pl_task_shape *out) {
  return kind_of(spec)->shape(spec, out);
}

pl_status pl_tasks_init(const pl_spec *spec, const pl_comm *team, pl_tasks *out) {
  *out = (pl_tasks){.spec = spec};
  pl_status st = team->rank == 0 ? pl_task_shape_of(spec, &out->shape) : PL_OK;
  for (int p = 0; p < PL_NUM_PARTS && team->rank == 0; p++)
    out->count[p] = pl_data_count(spec, (pl_part)p);
  PL_TRY(pl_agree(team, st));
  pl_comm_bcast(team, out->count, sizeof out->count, 0);
  pl_comm_bcast(team, &out->shape, sizeof out->shape, 0);
  st = kind_of(spec)->begin ? kind_of(spec)->begin(out, team) : PL_OK;
  if (st) pl_tasks_fini(out);
  return st;
}

void pl_tasks_fini(pl_tasks *t) {
  if (t->own) kind_of(t->spec)->end(t->own);
  *t = (pl_tasks){0};
}

void pl_task_make(const pl_tasks *t, pl_part part, int64_t i, double *x, double *y) {
  kind_of(t->spec)->make(t, part, i, x, y);
}
