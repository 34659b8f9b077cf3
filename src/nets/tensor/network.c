#include "network.h"

#include "base/mem.h"

static void count_parts(pl_net *net, const pl_tensors *d) {
  for (int p = 0; p < PL_NUM_PARTS; p++) net->count[p] = d->part[p].num;
}

pl_status tensor_load(pl_net *net) {
  pl_tensors data;
  PL_TRY(pl_tensors_init(&net->spec, &net->team, &data));
  tensor_own *own = net->own = pl_zalloc(1, sizeof *own, "data");
  own->data = data;
  count_parts(net, &data);
  return PL_OK;
}

pl_status tensor_open_data(pl_net *net, const pl_nc *data) {
  pl_tensors found;
  PL_TRY(pl_tensors_open(data, &net->team, &found));
  tensor_own *own = net->own = pl_zalloc(1, sizeof *own, "data");
  own->data = found;
  count_parts(net, &found);
  return PL_OK;
}

pl_status tensor_check_data(const pl_spec *spec, const char **key) {
  const pl_tensor_data *data = (const pl_tensor_data *)spec->data;
  *key = "data.kind";
  return data->check ? data->check(spec, key) : PL_OK;
}

pl_status tensor_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                       const char *path, const pl_attribute *attributes, int num) {
  (void)rates;
  return pl_net_apply(spec, team, tensor_data_of(spec)->path, path, attributes, num);
}
