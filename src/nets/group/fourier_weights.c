#include "fourier_weights.h"

#include "base/mem.h"
#include "base/nc.h"
#include "group/elements.h"

/* ---- pieces ---- */

static int64_t spectrum_length(const pl_model *model, int p) {
  (void)p;
  return pl_packed_doubles(((const fourier_net *)model)->packed);
}

static void gather_spectrum(pl_model *model, int p, double *const *blocks, int64_t first, int64_t n,
                            double *x) {
  pl_packed_gather(fourier_of(model)->packed, blocks + p, first, n, x);
}

static void scatter_spectrum(pl_model *model, int p, double *const *blocks, int64_t first,
                             int64_t n, double *x) {
  pl_packed_scatter(fourier_of(model)->packed, blocks + p, first, n, x);
}

const pl_transfer fourier_weights = {spectrum_length, gather_spectrum, scatter_spectrum};

static int64_t function_length(const pl_model *model, int p) {
  (void)p;
  return pl_group_order(((const fourier_net *)model)->group);
}

static void gather_function(pl_model *model, int p, double *const *blocks, int64_t first, int64_t n,
                            double *x) {
  pl_transform_gather_range(fourier_of(model)->transform, blocks[p], first, n, x);
}

static void scatter_function(pl_model *model, int p, double *const *blocks, int64_t first,
                             int64_t n, double *x) {
  pl_transform_scatter_range(fourier_of(model)->transform, blocks[p], first, n, x);
}

const pl_transfer fourier_functions = {function_length, gather_function, scatter_function};

/* ---- to a file ---- */

/* How filters are written: values over the group, or coefficients of a band. */
static const struct filters {
  const char *name, *dim, *long_name;
} over_group = {"w", "element", "filters over the group, layer 0 first"},
  in_band = {"w_fourier", "component",
             "Fourier coefficients of the filters, layer 0 first: irreps of the band in order, "
             "matrices row-major"};

static pl_status define_filters(const fourier_net *m, const struct filters *how, int64_t length,
                                const pl_attribute *attributes, int num, pl_nc *nc) {
  const char *dims[] = {"layer", how->dim, NULL};
  const int codepth = pl_group_codepth(m->group);
  PL_TRY(pl_nc_def_dim(nc, "layer", m->filters));
  PL_TRY(pl_nc_def_dim(nc, how->dim, length));
  PL_TRY(pl_nc_def_var(nc, how->name, PL_NC_DOUBLE, dims, how->long_name, "1"));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  PL_TRY(pl_elements_name_group(nc, m->group));
  if (codepth) PL_TRY(pl_nc_att_ints(nc, NULL, "band_codepth", PL_NC_INT, &codepth, 1));
  return pl_nc_end_def(nc);
}

/* Filter number l, whole, into x on rank 0 of the team; x is workspace on the others in a band. */
static void whole_filter(fourier_net *m, int l, double *x) {
  if (m->transform) {
    pl_transform_inverse(m->transform, m->w[l], m->f);
    pl_transform_gather(m->transform, m->f, x);
    return;
  }
  int n = m->layout->num_stacks;
  double **blocks = pl_alloc((size_t)n, sizeof *blocks, "blocks");
  for (int i = 0; i < n; i++) blocks[i] = m->base.params[fourier_param(m, l, i)].w;
  pl_packed_gather(m->packed, blocks, 0, pl_packed_doubles(m->packed), x);
  pl_free(blocks);
}

pl_status fourier_save(pl_model *model, const char *path, const pl_attribute *attributes, int num) {
  fourier_net *m = fourier_of(model);
  const pl_comm *team = &m->layout->team;
  bool band = !m->transform;
  const struct filters *how = band ? &in_band : &over_group;
  int64_t length = band ? pl_packed_doubles(m->packed) : pl_group_order(m->group);
  pl_nc *nc = NULL;
  double *full =
      band || team->rank == 0 ? pl_alloc((size_t)length, sizeof *full, "a filter") : NULL;
  pl_status st = team->rank == 0 ? pl_nc_create(path, true, false, &nc) : PL_OK;
  if (nc) st = define_filters(m, how, length, attributes, num, nc);
  st = pl_agree(team, st);
  for (int l = 0; l < m->filters && !st; l++) {
    whole_filter(m, l, full);
    if (team->rank == 0)
      st = pl_nc_put_doubles(nc, how->name, (int64_t[]){l, 0}, (int64_t[]){1, length}, full);
    st = pl_agree(team, st);
  }
  pl_status closed = pl_nc_close(nc);
  pl_free(full);
  return pl_agree(team, st ? st : closed);
}
