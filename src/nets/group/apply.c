#include "apply.h"

#include "base/mem.h"
#include "base/nc.h"
#include "model/loss.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"

/* What the file of samples says, the same on every rank. */
typedef struct batch {
  int64_t n;
  int64_t *split; /* [n] */
  bool labelled;
} batch;

static pl_status check(const pl_spec *spec, batch *b) {
  pl_group *g;
  PL_TRY(pl_group_of(spec, NULL, &g));
  pl_status st =
      pl_group_file_open(pl_group_data_of(spec)->path, g, &b->n, &b->split, &b->labelled);
  pl_group_free(g);
  return st;
}

static pl_status open_batch(const pl_spec *spec, const pl_comm *team, batch *b) {
  *b = (batch){0};
  PL_TRY(pl_agree(team, team->rank == 0 ? check(spec, b) : PL_OK));
  pl_comm_bcast(team, &b->n, sizeof b->n, 0);
  pl_comm_bcast(team, &b->labelled, sizeof b->labelled, 0);
  if (!b->split) b->split = pl_alloc((size_t)b->n, sizeof *b->split, "parts of the data");
  pl_comm_bcast(team, b->split, (size_t)b->n * sizeof *b->split, 0);
  return PL_OK;
}

/* f of all samples in the file's order. */
static void collect(pl_model *m, const batch *b, group_outputs *outputs, double *f) {
  double *part = pl_alloc((size_t)b->n, sizeof *part, "outputs");
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    int64_t k = 0;
    for (int64_t i = 0; i < b->n; i++) k += b->split[i] == p;
    if (k == 0) continue;
    outputs(m, (pl_part)p, part);
    k = 0;
    for (int64_t i = 0; i < b->n; i++)
      if (b->split[i] == p) f[i] = part[k++];
  }
  pl_free(part);
}

static pl_status define(const batch *b, const pl_attribute *attributes, int num, pl_nc *nc) {
  const char *dims[] = {"sample", NULL};
  PL_TRY(pl_nc_def_dim(nc, "sample", b->n));
  PL_TRY(pl_nc_def_var(nc, "f", PL_NC_DOUBLE, dims, "output of the network", "1"));
  PL_TRY(pl_nc_def_var(nc, "prediction", PL_NC_BYTE, dims, "sign of f: +1 or -1", "1"));
  if (b->labelled) PL_TRY(pl_nc_def_var(nc, "accuracy", PL_NC_DOUBLE, NULL, PL_ACCURACY, "1"));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  return pl_nc_end_def(nc);
}

static pl_status put(const pl_spec *spec, const batch *b, const double *f, pl_nc *nc) {
  int64_t *sign = pl_alloc((size_t)b->n, sizeof *sign, "predictions");
  double *y = pl_alloc((size_t)b->n, sizeof *y, "labels"), right = 0;
  pl_nc *data = NULL;
  for (int64_t i = 0; i < b->n; i++) sign[i] = f[i] > 0 ? 1 : -1;
  pl_status st = pl_nc_put_doubles(nc, "f", NULL, NULL, f);
  if (!st) st = pl_nc_put_ints(nc, "prediction", NULL, NULL, sign);
  if (!st && b->labelled) st = pl_nc_open(pl_group_data_of(spec)->path, false, &data);
  if (data) st = pl_nc_get_doubles(data, "y", NULL, NULL, y);
  for (int64_t i = 0; i < b->n && data && !st; i++) right += y[i] * f[i] > 0;
  right /= (double)b->n;
  if (data && !st) st = pl_nc_put_doubles(nc, "accuracy", NULL, NULL, &right);
  pl_nc_close(data);
  pl_free(sign);
  pl_free(y);
  return st;
}

static pl_status write_file(const pl_spec *spec, const batch *b, const double *f, const char *path,
                            const pl_attribute *attributes, int num) {
  pl_nc *nc;
  PL_TRY(pl_nc_create(path, true, false, &nc));
  pl_status st = define(b, attributes, num, nc);
  if (!st) st = put(spec, b, f, nc);
  pl_status closed = pl_nc_close(nc);
  return st ? st : closed;
}

pl_status group_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                      const char *path, const pl_attribute *attributes, int num,
                      group_outputs *outputs) {
  batch b;
  pl_model *m;
  pl_spec margins = *spec; /* one that wants a target in place of samples has no say here */
  ((pl_group_values *)(void *)margins.network_values)->loss = PL_LOSS_LOGISTIC;
  PL_TRY(open_batch(spec, team, &b));
  pl_status st = spec->model->create(&margins, team, rates, &m);
  if (!st) {
    double *f = pl_alloc((size_t)b.n, sizeof *f, "outputs");
    collect(m, &b, outputs, f);
    if (team->rank == 0) st = write_file(spec, &b, f, path, attributes, num);
    st = pl_agree(team, st);
    spec->model->destroy(m);
    pl_free(f);
  }
  pl_free(b.split);
  return st;
}
