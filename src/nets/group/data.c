#include "nets/group/data.h"

#include "base/mem.h"
#include "base/norm.h"
#include "nets/group/keys.h"
#include "spectral/spectrum.h"

#include <math.h>

const pl_data_kind *const pl_group_data_kinds[] = {
    &pl_data_gaussian.base, &pl_data_sparse.base, &pl_data_irrep.base,    &pl_data_group_file.base,
    &pl_data_teacher.base,  &pl_data_idx.base,    &pl_data_rankings.base, NULL};

static const pl_group_data *kind_of(const pl_spec *spec) {
  return (const pl_group_data *)spec->data;
}

/* Networks without the key have 0 there. */
static bool in_band(const pl_spec *spec) {
  return pl_group_values_of(spec)->band_codepth > 0;
}

pl_status pl_group_of(const pl_spec *spec, const char **key, pl_group **out) {
  const pl_group_values *v = pl_group_values_of(spec);
  bool band = in_band(spec);
  if (key) *key = band ? "band.codepth" : "group";
  return band ? pl_group_band(v->group, (int)v->band_codepth, v->band_inner == PL_INNER_GROUP, out)
              : pl_group_parse(v->group, out);
}

pl_status pl_group_data_check(const pl_spec *spec, const pl_group *g, const char **key) {
  return kind_of(spec)->check ? kind_of(spec)->check(spec, g, key) : PL_OK;
}

bool pl_group_data_needs_transform(const pl_spec *spec) {
  bool over_group = kind_of(spec)->over_group;
  return !in_band(spec) && (over_group || pl_group_values_of(spec)->init_kind != PL_INIT_GAUSSIAN);
}

double pl_group_data_permutations(const pl_spec *spec) {
  return kind_of(spec)->permutations ? kind_of(spec)->permutations(spec) : 0;
}

/* ---- making them ---- */

/* Move one spectrum into its place among the samples, divided by its norm or multiplied. */
static void store(const pl_samples *s, const pl_layout *l, int64_t sample, double scale,
                  const double *F) {
  double factor = scale;
  int shift = 0; /* of entries whose norm has no reciprocal in range */
  if (scale == 0) {
    double norm2 = 0;
    for (int i = 0; i < l->num_stacks; i++) {
      const pl_stack *b = &l->stacks[i];
      norm2 += b->weight * pl_sum_squares(pl_stack_doubles(b), F + b->offset);
    }
    pl_comm_sum(&l->team, &norm2, 1);
    factor = 1 / sqrt(norm2);
    if (!pl_sum_safe(norm2)) {
      double norm = pl_spectrum_norm(l, F);
      shift = norm > 0 && isfinite(norm) ? -ilogb(norm) : 0;
      factor = 1 / ldexp(norm, shift);
    }
  }
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    double *to = pl_samples_stack(s, b) + sample * pl_data_stride(b);
    for (int64_t k = 0; k < pl_stack_doubles(b); k++)
      to[k] = factor * (shift ? ldexp(F[b->offset + k], shift) : F[b->offset + k]);
  }
}

/* One part, num samples of it. */
static pl_status make_part(pl_source *s, pl_part part, int64_t num, double *F, pl_samples *out) {
  const pl_group_data *kind = kind_of(s->spec);
  const pl_layout *l = s->layout;
  double scale = pl_group_data_of(s->spec)->scale;
  out->num = num;
  out->y = pl_alloc((size_t)num, sizeof *out->y, "labels");
  out->x = pl_zalloc((size_t)(num * l->local), sizeof *out->x, "samples in Fourier space");
  for (int64_t i = 0; i < num; i++) {
    out->y[i] = i % 2 ? -1 : 1;
    PL_TRY(kind->sample(s, part, i, F, &out->y[i]));
    store(out, l, i, scale, F);
  }
  return PL_OK;
}

pl_status pl_data_new(const pl_spec *spec, const pl_layout *l, pl_transform *t, double *f,
                      double *F, pl_data **out) {
  const pl_group_data *kind = kind_of(spec);
  pl_source s = {
      .spec = spec, .layout = l, .transform = t, .f = f, .seed = pl_data_seed(spec), .own = NULL};
  pl_data *data = pl_zalloc(1, sizeof *data, "data");
  int64_t num[PL_NUM_PARTS] = {0};
  for (int p = 0; p < PL_NUM_PARTS && l->team.rank == 0; p++) num[p] = pl_data_count(spec, p);
  pl_comm_bcast(&l->team, num, sizeof num, 0);
  pl_status st = kind->begin ? kind->begin(&s) : PL_OK;
  for (int p = 0; p < PL_NUM_PARTS && !st; p++) st = make_part(&s, p, num[p], F, &data->part[p]);
  if (kind->end) kind->end(&s);
  if (st)
    pl_data_free(data);
  else
    *out = data;
  return st;
}

void pl_data_free(pl_data *data) {
  if (!data) return;
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    pl_free(data->part[p].x);
    pl_free(data->part[p].y);
  }
  pl_free(data);
}
