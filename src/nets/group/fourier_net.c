#include "fourier_net.h"

#include "base/mem.h"
#include "fourier_block.h"
#include "fourier_cost.h"
#include "fourier_observe.h"
#include "model/optim.h"

#include <stdio.h>

/* ---- life ---- */

/* The layout of its irreps over the team, and the transform. */
static pl_status place(fourier_net *m, const pl_comm *team, const pl_rates *rates) {
  const pl_group_values *v = m->values;
  int64_t samples = pl_data_count(&m->spec, PL_TRAIN);
  pl_comm_bcast(team, &samples, sizeof samples, 0);
  fourier_choice c = fourier_choose(m->ops, &m->spec, m->group, team->size, rates);
  pl_comm_bcast(team, &c, sizeof c, 0);
  m->store = c.store;
  pl_mapping *map = fourier_map(m->ops, &m->spec, m->group, team->size, rates, samples);
  pl_mapping_share(team, map);
  int block = v->grid_block == PL_UNSET ? 0 : (int)v->grid_block;
  int64_t most = fourier_stack_doubles(m->ops, &m->spec, samples);
  pl_status st = pl_layout_new(m->group, team, map, block, most, &m->layout);
  pl_mapping_free(map);
  if (!st && c.transform) st = pl_transform_new(m->layout, &m->transform);
  return st ? st : pl_agree(team, fourier_observe_new(m, rates, c.beta));
}

pl_status fourier_init(fourier_net *m, const pl_spec *spec, const pl_comm *team,
                       const pl_rates *rates) {
  m->spec = *spec;
  m->values = pl_group_values_of(&m->spec);
  m->filters = pl_filters_count(spec);
  PL_TRY(pl_agree(team, pl_group_of(spec, NULL, &m->group)));
  PL_TRY(place(m, team, rates));
  const pl_layout *l = m->layout;
  m->packed = pl_packed_new(l);
  m->w = pl_zalloc((size_t)m->filters, sizeof *m->w, "filters");
  for (int k = 0; k < m->filters; k++)
    m->w[k] = pl_zalloc((size_t)l->local, sizeof(double), "filters in Fourier space");
  for (int k = 0; k < m->ops->scratch; k++)
    m->scratch[k] = pl_alloc((size_t)l->scratch, sizeof(double), "workspace of a step");
  if (m->transform)
    m->f = pl_alloc((size_t)pl_transform_count(m->transform), sizeof(double), "function over G");
  fourier_list_params(m);
  fourier_prepare_optimiser(m);
  return pl_filters_init(spec, l, m->transform, m->f, m->w);
}

pl_status fourier_load(fourier_net *m) {
  const pl_layout *l = m->layout;
  /* Kept samples are made in a spectrum: beta's, or one for the while. */
  bool room = !m->beta && m->store == PL_DATA_KEEP;
  double *F = m->store == PL_DATA_REGENERATE ? m->scratch[1] : m->beta;
  if (room) F = pl_alloc((size_t)l->local, sizeof *F, "a sample");
  pl_status st = pl_data_new(&m->spec, l, m->store, m->transform, m->f, F, &m->data);
  if (room) pl_free(F);
  PL_TRY(st);
  m->train = &m->data->part[PL_TRAIN];
  size_t n = (size_t)m->train->num;
  m->margin = pl_alloc(n, sizeof *m->margin, "margins");
  m->coefficient = pl_alloc(n, sizeof *m->coefficient, "loss weights");
  m->sums = pl_alloc(n + 1 + (size_t)fourier_more_sums(m), sizeof *m->sums, "margins");
  for (int i = 0; i < l->num_stacks && fourier_square(m); i++) {
    const pl_stack *b = &l->stacks[i];
    m->target_norm2 +=
        b->weight * pl_sum_squares(pl_stack_doubles(b), pl_samples_stack(m->train, b));
  }
  pl_comm_sum(&l->team, &m->target_norm2, 1);
  return PL_OK;
}

void fourier_fini(fourier_net *m) {
  for (int k = 0; k < m->filters; k++) {
    if (m->gradient) pl_free(m->gradient[k]);
    if (m->w) pl_free(m->w[k]);
  }
  pl_free(m->w);
  for (int k = 0; k < FOURIER_SCRATCH; k++) pl_free(m->scratch[k]);
  pl_free(m->margin);
  pl_free(m->coefficient);
  pl_free(m->sums);
  pl_free(m->gradient);
  pl_free(m->delta);
  pl_free(m->whole);
  pl_usv_free(m->usv);
  pl_free(m->base.functions);
  pl_free(m->f);
  fourier_observe_free(m);
  pl_data_free(m->data);
  pl_packed_free(m->packed);
  pl_transform_free(m->transform);
  pl_layout_free(m->layout);
  pl_group_free(m->group);
  pl_free(m->base.params);
}

/* ---- the description ---- */

static const char *at_fault(const char *key, const char *what) {
  pl_error(PL_EINPUT, "%s", what);
  return key;
}

const char *fourier_fits(const pl_spec *spec) {
  const pl_group_values *v = pl_group_values_of(spec);
  bool band = v->band_codepth != PL_UNSET;
  if (v->band_inner != PL_INNER_BAND && !band)
    return at_fault("band.inner_product", "group needs band.codepth: without it there is no band");
  if (v->init_kind == PL_INIT_FILE && !v->init_path)
    return at_fault("model.init.kind", "file needs model.init.path");
  /* What needs functions over the group is not to be had in a band. */
  if (band && v->record_beta)
    return at_fault("record.beta", "beta over the group is not recorded in a band");
  if (band && pl_optim_over_group(spec))
    return at_fault("optimizer.domain",
                    "filter values over the group are no coordinates of a band; use "
                    "optimizer.domain: fourier");
  return NULL;
}

/* Trouble with a file or a group is found once, on rank 0, before any work. */
pl_status fourier_check(const pl_spec *spec, const char **key) {
  pl_group *g;
  pl_status st = PL_OK;
  PL_TRY(pl_group_of(spec, key, &g));
  const pl_group_values *v = pl_group_values_of(spec);
  if (v->record_beta && pl_group_order(g) > 1000000) {
    *key = "record.beta";
    st = pl_error(PL_EINPUT, "beta over %s has %lld values; recorded up to 10^6", v->group,
                  (long long)pl_group_order(g));
  }
  if (!st) st = pl_filters_check(spec, g, key);
  if (!st && v->data_store == PL_DATA_REGENERATE && !pl_group_data_regenerates(spec, g)) {
    *key = "data.store";
    st = pl_error(PL_EINPUT,
                  "%s samples of %s cannot be made anew: regenerate is for gaussian ones "
                  "and, on S_n, for sparse and rankings",
                  spec->data->name, pl_group_spec(g));
  }
  if (!st) st = pl_group_data_check(spec, g, key);
  pl_group_free(g);
  return st;
}

int fourier_label(const pl_spec *spec, char *buf, size_t n) {
  const pl_group_values *v = pl_group_values_of(spec);
  char band[32] = "", bank[32] = "";
  if (v->band_codepth != PL_UNSET)
    snprintf(band, sizeof band, ", codepth %lld", (long long)v->band_codepth);
  if (v->channels > 1) snprintf(bank, sizeof bank, ", %lld channels", (long long)v->channels);
  return snprintf(buf, n, "%s%s, %s, depth %lld%s", v->group, band, spec->model->name,
                  (long long)v->depth, bank);
}
