#include "nets/group/data.h"

#include "base/mem.h"
#include "base/norm.h"
#include "base/pause.h"
#include "base/sums.h"
#include "nets/group/keys.h"
#include "recipes.h"
#include "spectral/spectrum.h"

#include <math.h>
#include <string.h>

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
  if (band)
    return pl_group_band(v->group, (int)v->band_codepth, v->band_inner == PL_INNER_GROUP, out);
  pl_group *g;
  PL_TRY(pl_group_parse(v->group, &g));
  pl_status st = pl_group_countable(g);
  if (st)
    pl_group_free(g);
  else
    *out = g;
  return st;
}

pl_status pl_group_data_check(const pl_spec *spec, const pl_group *g, const char **key) {
  return kind_of(spec)->check ? kind_of(spec)->check(spec, g, key) : PL_OK;
}

/* Are samples sums of permutations, on an S_n, so that tables can make them? */
static bool of_permutations(const pl_spec *spec, const pl_group *g) {
  return kind_of(spec)->permutations && pl_group_letters(g) > 1;
}

bool pl_group_data_regenerates(const pl_spec *spec, const pl_group *g) {
  const pl_group_data *kind = kind_of(spec);
  return kind->recipe && (!kind->permutations || of_permutations(spec, g));
}

bool pl_group_data_needs_transform(const pl_spec *spec, const pl_group *g, int store,
                                   bool elements) {
  int64_t init = pl_group_values_of(spec)->init_kind;
  if (pl_group_codepth(g)) return false;
  if (init == PL_INIT_UNIFORM || (init == PL_INIT_FILE && elements)) return true;
  /* A transform takes as long as some sixteen permutations, but room for two functions over G. */
  static const double FEW = 100;
  bool few = pl_group_data_permutations(spec) <= FEW;
  bool tables = of_permutations(spec, g) && (store == PL_DATA_REGENERATE || (few && !elements));
  return kind_of(spec)->over_group && !tables;
}

double pl_group_data_permutations(const pl_spec *spec) {
  return kind_of(spec)->permutations ? kind_of(spec)->permutations(spec) : 0;
}

/* ---- using them ---- */

void pl_samples_sum(const pl_samples *s, const pl_stack *b, const double *c, double *r) {
  if (s->recipes)
    pl_recipes_sum(s->recipes, s->at, s->num, b, c, r);
  else
    pl_multi_axpy(s->num, pl_stack_doubles(b), c, pl_samples_stack(s, b), pl_data_stride(b), r);
}

void pl_samples_dot(const pl_samples *s, const pl_stack *b, const double *y, double *out) {
  if (s->recipes)
    pl_recipes_dot(s->recipes, s->at, s->num, b, y, out);
  else
    pl_multi_dot(s->num, pl_stack_doubles(b), b->weight, pl_samples_stack(s, b), pl_data_stride(b),
                 y, out);
}

void pl_samples_get(const pl_samples *s, const pl_stack *b, int64_t i, double *out) {
  if (s->recipes)
    pl_recipes_get(s->recipes, s->at + i, b, out);
  else
    memcpy(out, pl_samples_stack(s, b) + i * pl_data_stride(b),
           (size_t)pl_stack_doubles(b) * sizeof *out);
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
    PL_TRY(pl_agree(&l->team, pl_pause()));
    PL_TRY(kind->sample(s, part, i, F, &out->y[i]));
    store(out, l, i, scale, F);
  }
  return PL_OK;
}

/* The same of samples that are not kept. */
static pl_status note_part(pl_source *s, pl_part part, int64_t num, pl_recipe *room, double *F,
                           pl_recipes *recipes, int64_t at, pl_samples *out) {
  const pl_group_data *kind = kind_of(s->spec);
  *out = (pl_samples){.num = num, .recipes = recipes, .at = at};
  out->y = pl_alloc((size_t)num, sizeof *out->y, "labels");
  for (int64_t i = 0; i < num; i++) {
    out->y[i] = i % 2 ? -1 : 1;
    PL_TRY(pl_agree(&s->layout->team, pl_pause()));
    PL_TRY(kind->recipe(s, part, i, room));
    if (!pl_recipes_add(recipes, room, pl_group_data_of(s->spec)->scale, F))
      return kind->nothing_left(i);
  }
  return PL_OK;
}

static pl_status note_all(pl_source *s, const int64_t *num, double *F, pl_data *data) {
  const pl_group_data *kind = kind_of(s->spec);
  int64_t all = 0, at = 0;
  size_t count = (size_t)(kind->most ? (double)kind->most(s) : pl_group_data_permutations(s->spec));
  size_t letters = (size_t)pl_group_letters(s->layout->group);
  pl_recipe room = {.perms = pl_alloc(count, letters, "recipes of samples"),
                    .weights = pl_alloc(count, sizeof *room.weights, "recipes of samples")};
  for (int p = 0; p < PL_NUM_PARTS; p++) all += num[p];
  data->recipes = pl_recipes_new(s->layout, s->seed, all, kind->permutations,
                                 kind->centred && kind->centred(s->spec));
  pl_status st = PL_OK;
  for (int p = 0; p < PL_NUM_PARTS && !st; at += num[p++])
    st = note_part(s, p, num[p], &room, F, data->recipes, at, &data->part[p]);
  pl_free(room.perms);
  pl_free(room.weights);
  return st;
}

pl_status pl_data_new(const pl_spec *spec, const pl_layout *l, int store, pl_transform *t,
                      double *f, double *F, pl_data **out) {
  const pl_group_data *kind = kind_of(spec);
  pl_source s = {.spec = spec,
                 .layout = l,
                 .transform = t,
                 .f = f,
                 .seed = pl_data_seed(spec),
                 .regenerates = store == PL_DATA_REGENERATE,
                 .own = NULL};
  pl_data *data = pl_zalloc(1, sizeof *data, "data");
  int64_t num[PL_NUM_PARTS] = {0};
  for (int p = 0; p < PL_NUM_PARTS && l->team.rank == 0; p++) num[p] = pl_data_count(spec, p);
  pl_comm_bcast(&l->team, num, sizeof num, 0);
  pl_status st = kind->begin ? kind->begin(&s) : PL_OK;
  if (!st && s.regenerates) st = note_all(&s, num, F, data);
  for (int p = 0; p < PL_NUM_PARTS && !st && !s.regenerates; p++)
    st = make_part(&s, p, num[p], F, &data->part[p]);
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
  pl_recipes_free(data->recipes);
  pl_free(data);
}
