#include "model/model.h"

#include "base/mem.h"
#include "nets/group/gcnn.h"
#include "nets/group/elements.h"

static const pl_model_kind *const kinds[] = {&pl_gcnn,      &pl_cnn,      &pl_fc,
                                             &pl_gcnn_relu, &pl_cnn_relu, &pl_fc_relu};

const pl_model_kind *pl_model_kind_get(int i) {
  return i >= 0 && (size_t)i < sizeof kinds / sizeof *kinds ? kinds[i] : NULL;
}

const char *pl_model_name(int i) {
  const pl_model_kind *k = pl_model_kind_get(i);
  return k ? k->name : NULL;
}

void pl_schema_free(pl_schema *s) {
  for (int i = 0; i < s->num_axes; i++) pl_free(s->axes[i].key);
  pl_free(s->axes);
  pl_free(s->observables);
  pl_free(s->offset);
  pl_free(s->length);
  if (s->free_context) s->free_context(s->context);
  *s = (pl_schema){0};
}
