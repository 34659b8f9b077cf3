#include "base/mem.h"
#include "base/nc_read.h"
#include "model/optim.h"
#include "net_work.h"

#include <stdio.h>
#include <string.h>

PL_WORDS(init_kinds, "random", "file")

/* The values stand in the family's own struct; these keys in the part of it that comes first. */
static const pl_key init_rows[] = {
    {"model.init.kind", PL_KEY_CHOICE, offsetof(pl_net_values, init_kind), PL_COST | PL_RESULTS,
     "random", .choice = init_kinds, .help = "initial weights: drawn, or from a file"},
    {"model.init.path", PL_KEY_TEXT, offsetof(pl_net_values, init_path), PL_COST | PL_RESULTS,
     .path = true, .with = "model.init.kind", .with_word = "file",
     .help = "NetCDF file with a variable for each weight, as record.final writes it"},
    {"record.sample", PL_KEY_INT, offsetof(pl_net_values, record_sample), PL_COST | PL_RESULTS,
     "10000", .min = 1, .max = 1e9, .units = "samples",
     .help = "loss and metrics of a longer training part are recorded over so many of its samples, "
             "drawn once"},
};
const pl_keys pl_net_init_keys = PL_KEYS(PL_IN_NETWORK, init_rows);

/* ---- out ---- */

static pl_status define(const pl_net *net, pl_nc *nc, const pl_attribute *attributes, int num) {
  for (int k = 0; k < net->num_weights; k++) {
    const pl_net_weight *w = &net->weight[k];
    char rows[64], cols[64];
    const char *dims[] = {rows, cols, NULL};
    snprintf(rows, sizeof rows, "%s_in", w->name);
    snprintf(cols, sizeof cols, "%s_out", w->name);
    PL_TRY(pl_nc_def_dim(nc, rows, w->rows));
    PL_TRY(pl_nc_def_dim(nc, cols, w->cols));
    PL_TRY(pl_nc_def_var(nc, w->name, PL_NC_DOUBLE, dims, w->what, "1"));
  }
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  if (net->kind->note) PL_TRY(net->kind->note(net, nc));
  return pl_nc_end_def(nc);
}

static pl_status write_file(const pl_net *net, const char *path, const pl_attribute *attributes,
                            int num) {
  pl_nc *nc;
  PL_TRY(pl_nc_create(path, true, false, &nc));
  pl_status st = define(net, nc, attributes, num);
  for (int k = 0; k < net->num_weights && !st; k++)
    st = pl_nc_put_doubles(nc, net->weight[k].name, NULL, NULL, net->w + net->start[k]);
  pl_status closed = pl_nc_close(nc);
  return st ? st : closed;
}

pl_status pl_net_save(pl_model *m, const char *path, const pl_attribute *attributes, int num) {
  const pl_net *net = pl_net_of(m);
  pl_status st = net->team.rank == 0 ? write_file(net, path, attributes, num) : PL_OK;
  return pl_agree(&net->team, st);
}

/* ---- in ---- */

/* The names of its dimensions are free, but those of `define` in the wrong order are a mistake that
 * a square matrix would hide. */
static bool transposed(const pl_nc *nc, const char *name) {
  char dims[2][64], rows[72], cols[72];
  if (pl_nc_var(nc, name, NULL, dims, NULL, 2) != 2) return false;
  snprintf(rows, sizeof rows, "%s_in", name);
  snprintf(cols, sizeof cols, "%s_out", name);
  return !strcmp(dims[0], cols) && !strcmp(dims[1], rows);
}

static bool is_width(const pl_spec *spec, const pl_keys *table, const pl_key *row, int64_t size) {
  return (!strcmp(row->name, "model.width") || !strcmp(row->name, "model.hidden")) &&
         *(const int64_t *)pl_spec_value(spec, table, row) == size;
}

/* What `size` is, for messages; where it is that of a key, which a file may have left out, also
 * which. */
static void describe(const pl_spec *spec, int64_t size, const char *what, char *buf, size_t n) {
  size_t used = (size_t)snprintf(buf, n, "%s", what);
  const char *between = ": as many as ";
  for (const pl_keys *const *t = spec->model->keys; *t; t++)
    for (int i = 0; i < (*t)->num && used < n; i++)
      if (is_width(spec, *t, &(*t)->row[i], size)) {
        used += (size_t)snprintf(buf + used, n - used, "%s%s", between, (*t)->row[i].name);
        between = " or ";
      }
}

pl_status pl_net_read_weight(const pl_spec *spec, const pl_nc *nc, const char *name,
                             const pl_net_weight *w, double *out) {
  char inputs[64], outputs[64];
  describe(spec, w->rows, "its inputs", inputs, sizeof inputs);
  describe(spec, w->cols, "its outputs", outputs, sizeof outputs);
  pl_nc_axis axes[] = {{NULL, w->rows, inputs}, {NULL, w->cols, outputs}};
  pl_nc_input *in;
  if (transposed(nc, name))
    return pl_error(PL_EINPUT, "%s: %s(%s_out, %s_in), expected (%s_in, %s_out)", pl_nc_path(nc),
                    name, name, name, name, name);
  PL_TRY(pl_nc_input_new(nc, name, PL_NC_REAL, 2, axes, &in));
  pl_status st = pl_nc_input_doubles(in, NULL, NULL, out);
  pl_nc_input_free(in);
  return st;
}

static pl_status read_all(const pl_net *net, const char *path, double *w) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(path, false, &nc));
  pl_status st = PL_OK;
  for (int k = 0; k < net->num_weights && !st; k++)
    st =
        pl_net_read_weight(&net->spec, nc, net->weight[k].name, &net->weight[k], w + net->start[k]);
  pl_nc_close(nc);
  return st;
}

pl_status pl_net_read_weights(pl_net *net) {
  const pl_net_values *v = pl_net_values_of(&net->spec);
  int64_t n = net->start[net->num_weights];
  if (v->init_kind != PL_NET_INIT_FILE) return PL_OK;
  pl_status st = net->team.rank == 0 ? read_all(net, v->init_path, net->w) : PL_OK;
  st = pl_agree(&net->team, st);
  if (!st) pl_comm_bcast(&net->team, net->w, (size_t)n * sizeof *net->w, 0);
  return st;
}

const char *pl_net_fits(const pl_spec *spec) {
  const pl_net_values *v = pl_net_values_of(spec);
  if (pl_optim_flow(spec) && spec->common.batch != PL_BATCH_WHOLE) {
    pl_error(PL_EINPUT, "flow takes whole batches: train.batch is %lld",
             (long long)spec->common.batch);
    return "optimizer.kind";
  }
  if (v->init_kind != PL_NET_INIT_FILE || v->init_path) return NULL;
  pl_error(PL_EINPUT, "file needs model.init.path");
  return "model.init.kind";
}

pl_status pl_net_check(const pl_spec *spec, const char **key) {
  const pl_net_values *v = pl_net_values_of(spec);
  pl_net net;
  if (v->init_kind != PL_NET_INIT_FILE) return PL_OK;
  PL_TRY(pl_net_shapes_of(spec, &net));
  double *w = pl_alloc((size_t)net.start[net.num_weights], sizeof *w, "weights of a file");
  *key = "model.init.path";
  pl_status st = read_all(&net, v->init_path, w);
  pl_free(w);
  pl_net_shapes_free(&net);
  return st;
}
