#include "elements_recipe.h"

#include <stdio.h>
#include <string.h>

/* A network is a row here and a row in elements.c. */
static const elements_recipe recipes[] = {
    {"cnn", HIDDEN_CYCLIC, false},     {"fc", HIDDEN_FULL, false},
    {"gcnn-relu", HIDDEN_GROUP, true}, {"cnn-relu", HIDDEN_CYCLIC, true},
    {"fc-relu", HIDDEN_FULL, true},
};

const elements_recipe *elements_recipe_of(const pl_spec *spec) {
  for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++)
    if (!strcmp(recipes[i].name, spec->model->name)) return &recipes[i];
  pl_die(PL_EBUG, "no recipe for %s", spec->model->name);
}

pl_status elements_group(const pl_spec *spec, pl_group **out) {
  return pl_group_parse(pl_group_values_of(spec)->group, out);
}

pl_status elements_own_group(const pl_spec *spec, const pl_group *g, pl_group **out) {
  char cyclic[32];
  *out = NULL;
  if (elements_recipe_of(spec)->hidden == HIDDEN_FULL) return PL_OK;
  if (elements_recipe_of(spec)->hidden == HIDDEN_GROUP) return elements_group(spec, out);
  snprintf(cyclic, sizeof cyclic, "C_%lld", (long long)pl_group_order(g));
  return pl_group_parse(cyclic, out);
}
