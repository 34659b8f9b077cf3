#include "base/mem.h"
#include "base/pause.h"
#include "base/rng.h"
#include "draw.h"
#include "function_file.h"
#include "functional.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"

#include <math.h>

int pl_filters_count(const pl_spec *spec) {
  const pl_group_values *v = pl_group_values_of(spec);
  return v->tied ? 1 : (int)v->depth * pl_group_channels(spec);
}

pl_status pl_filters_check(const pl_spec *spec, const pl_group *g, const char **key) {
  const pl_group_values *v = pl_group_values_of(spec);
  if (v->init_kind == PL_INIT_UNIFORM && pl_group_codepth(g)) {
    *key = "model.init.kind";
    return pl_error(PL_EINPUT,
                    "uniform filter values over the group are not in a band; gaussian or "
                    "file are");
  }
  if (v->init_kind != PL_INIT_FILE) return PL_OK;
  *key = "model.init.path";
  pl_nc *nc;
  PL_TRY(pl_nc_open(v->init_path, false, &nc));
  int64_t layers = pl_filters_count(spec);
  pl_status st = function_file_check(nc, "w", "layer", g, &layers, false);
  bool elements = pl_group_codepth(g) || pl_functional_elements(spec, g);
  if (!st && !elements && pl_nc_var(nc, "w", NULL, NULL, NULL, 0) >= 0)
    st = pl_error(PL_EINPUT,
                  "%s: w(layer, element) can be read with record.elements: true, w_fourier(layer, "
                  "component) without it",
                  v->init_path);
  pl_nc_close(nc);
  return st;
}

pl_status pl_filters_init(const pl_spec *spec, const pl_layout *l, pl_transform *t, double *f,
                          double *const *w) {
  const pl_group_values *v = pl_group_values_of(spec);
  function_file file = {0};
  pl_status st = PL_OK;
  uint64_t seed = (uint64_t)spec->common.seed;
  if (v->init_kind == PL_INIT_FILE)
    st = function_file_open(l, v->init_path, "w", "layer", pl_filters_count(spec), &file);
  int64_t *packed = draw_packed_offsets(l->group);
  int num = pl_filters_count(spec);
  for (int layer = 0; layer < num && !st; layer++) {
    st = pl_agree(&l->team, pl_pause());
    if (st) break;
    /* Networks without the key have 0 there. */
    bool readout = layer >= num - pl_group_channels(spec) && v->init_readout_scale > 0;
    double scale = readout ? v->init_readout_scale : v->init_scale;
    uint64_t stream = PL_STREAM(PL_STREAM_FILTER, layer);
    if (v->init_kind == PL_INIT_GAUSSIAN) {
      draw_gaussian(l, packed, seed, stream, scale, 1, w[layer]);
      continue;
    }
    if (v->init_kind == PL_INIT_FILE) {
      st = function_file_read(&file, l, t, layer, f, w[layer]);
    } else {
      /* Uniform on (-a, a) has variance a^2 / 3. */
      double a = scale * sqrt(3.0 / (double)pl_group_order(l->group));
      int64_t first = pl_transform_first(t), count = pl_transform_count(t);
      for (int64_t k = 0; k < count; k++)
        f[k] = a * (2 * pl_rng_uniform(seed, stream, (uint64_t)(first + k)) - 1);
      pl_transform_forward(t, f, w[layer]);
    }
  }
  pl_free(packed);
  function_file_close(&file);
  return st;
}
