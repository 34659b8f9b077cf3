#include "model/data.h"

#include "model/model.h"

const char *pl_part_name(pl_part part) {
  static const char *const names[PL_NUM_PARTS] = {"train", "validation", "test"};
  return names[part];
}

int64_t pl_data_count(const pl_spec *spec, pl_part part) {
  const pl_common *c = &spec->common;
  if (spec->data->count) return spec->data->count(spec, part);
  return part == PL_TRAIN ? c->samples : part == PL_VALIDATION ? c->validation : c->test;
}

bool pl_data_same(const pl_spec *a, const pl_spec *b) {
  if (a->model != b->model || a->data != b->data) return false;
  if (!a->data->seedless && pl_data_seed(a) != pl_data_seed(b)) return false;
  const pl_keys *const *tables[] = {(const pl_keys *const[]){&pl_common_keys, NULL}, a->model->keys,
                                    a->data->keys};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    for (const pl_keys *const *t = tables[i]; *t; t++)
      for (int k = 0; k < (*t)->num; k++) {
        const pl_key *key = &(*t)->row[k];
        /* Which of the two seeds says it does not matter. */
        bool seed = (*t)->place == PL_IN_COMMON && (key->field == offsetof(pl_common, seed) ||
                                                    key->field == offsetof(pl_common, data_seed));
        if (key->touches & PL_DATA && !seed &&
            !pl_value_equal(key, pl_spec_value(a, *t, key), pl_spec_value(b, *t, key)))
          return false;
      }
  return true;
}
