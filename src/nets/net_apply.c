/* A saved network on the samples of a file. */
#include "net_work.h"

enum { SAMPLES = 256 }; /* on the tape at a time */

static pl_status open_files(const char *weights, const char *data, pl_nc **w, pl_nc **d) {
  PL_TRY(pl_nc_open(weights, false, w));
  return pl_nc_open(data, false, d);
}

static pl_status create_output(const char *path, const pl_attribute *attributes, int num,
                               pl_nc **out) {
  PL_TRY(pl_nc_create(path, true, false, out));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(*out, NULL, attributes[i].name, attributes[i].text));
  return PL_OK;
}

static pl_status predict(pl_net *net, const char *path, const pl_attribute *attributes, int num) {
  pl_nc *out = NULL;
  pl_status st = net->team.rank == 0 ? create_output(path, attributes, num, &out) : PL_OK;
  st = pl_agree(&net->team, st);
  if (!st) st = net->kind->predict(net, out);
  pl_status closed = pl_nc_close(out);
  return pl_agree(&net->team, st ? st : closed);
}

pl_status pl_net_apply(const pl_spec *spec, const pl_comm *team, const char *data_path,
                       const char *path, const pl_attribute *attributes, int num) {
  pl_nc *weights = NULL, *data = NULL;
  pl_net *net = NULL;
  const char *file = pl_net_values_of(spec)->init_path;
  pl_status st = team->rank == 0 ? open_files(file, data_path, &weights, &data) : PL_OK;
  st = pl_agree(team, st);
  if (!st) st = pl_net_open(spec, team, weights, data, &net);
  pl_nc_close(weights);
  pl_nc_close(data);
  if (st) return st;
  pl_net_set_piece(net, SAMPLES);
  st = predict(net, path, attributes, num);
  pl_net_destroy(&net->base);
  return st;
}
