#include "fourier_weights.h"

#include "base/mem.h"
#include "base/nc.h"
#include "functional.h"
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

enum { PIECE = 1 << 18 }; /* doubles moved at a time */

/* How filters are written: values over the group, or coefficients of a band. */
static const struct filters {
  const char *name, *dim, *long_name;
} over_group = {"w", "element", "filters over the group, layer 0 first"},
  in_band = {"w_fourier", "component",
             "Fourier coefficients of the filters, layer 0 first: irreps of the band in order, "
             "matrices row-major"},
  in_fourier = {"w_fourier", "component",
                "Fourier coefficients of the filters, layer 0 first: irreps in order, matrices "
                "row-major"};

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

/* Filter number l over the elements. */
static pl_status put_function(fourier_net *m, int l, double *full, pl_nc *nc) {
  int64_t order = pl_group_order(m->group);
  pl_transform_inverse(m->transform, m->w[l], m->f);
  pl_transform_gather(m->transform, m->f, full);
  pl_status st = PL_OK;
  if (nc) st = pl_nc_put_doubles(nc, "w", (int64_t[]){l, 0}, (int64_t[]){1, order}, full);
  return pl_agree(&m->layout->team, st);
}

/* Its coefficients, piece by piece. */
static pl_status put_spectrum(fourier_net *m, int l, double *piece, pl_nc *nc) {
  const pl_comm *team = &m->layout->team;
  int num = m->layout->num_stacks;
  int64_t length = pl_packed_doubles(m->packed);
  double **blocks = pl_alloc((size_t)num, sizeof *blocks, "blocks");
  pl_status st = PL_OK;
  for (int i = 0; i < num; i++) blocks[i] = m->base.params[fourier_param(m, l, i)].w;
  for (int64_t first = 0; first < length && !st; first += PIECE) {
    int64_t n = length - first < PIECE ? length - first : PIECE;
    pl_packed_gather(m->packed, blocks, first, n, piece);
    if (nc)
      st = pl_nc_put_doubles(nc, "w_fourier", (int64_t[]){l, first}, (int64_t[]){1, n}, piece);
    st = pl_agree(team, st);
  }
  pl_free(blocks);
  return st;
}

pl_status fourier_save(pl_model *model, const char *path, const pl_attribute *attributes, int num) {
  fourier_net *m = fourier_of(model);
  const pl_comm *team = &m->layout->team;
  /* As they are read back. */
  bool band = pl_group_codepth(m->group);
  bool elements = !band && m->transform && pl_functional_elements(&m->spec, m->group);
  const struct filters *how = elements ? &over_group : band ? &in_band : &in_fourier;
  int64_t length = elements ? pl_group_order(m->group) : pl_packed_doubles(m->packed);
  pl_nc *nc = NULL;
  int64_t room = !elements ? PIECE : team->rank == 0 ? length : 0;
  double *x = pl_alloc((size_t)room, sizeof *x, "a filter");
  pl_status st = team->rank == 0 ? pl_nc_create(path, true, false, &nc) : PL_OK;
  if (nc) st = define_filters(m, how, length, attributes, num, nc);
  st = pl_agree(team, st);
  for (int l = 0; l < m->filters && !st; l++)
    st = elements ? put_function(m, l, x, nc) : put_spectrum(m, l, x, nc);
  pl_status closed = pl_nc_close(nc);
  pl_free(x);
  return pl_agree(team, st ? st : closed);
}
