/* Samples of ballots from two files of rankings. */
#include "ballots.h"
#include "base/mem.h"
#include "data_keys.h"
#include "draw.h"
#include "nets/group/data.h"
#include "nets/group/keys.h"
#include "permutations.h"

typedef struct polls {
  ballots *ballots;
  pl_band *tables;
} polls;

static pl_status begin(pl_source *s) {
  polls *own = s->own = pl_zalloc(1, sizeof *own, "ballots");
  if (!s->regenerates) own->tables = permutations_tables(s->layout, !s->transform);
  return ballots_new(s->spec, &s->layout->team, s->seed, &own->ballots);
}

static void end(pl_source *s) {
  polls *own = s->own;
  ballots_free(own->ballots);
  pl_band_free(own->tables);
  pl_free(own);
}

static void clear_trivial(const pl_layout *l, double *F) {
  for (int i = 0; i < l->num_stacks; i++) {
    const pl_stack *b = &l->stacks[i];
    for (int64_t k = 0; b->size && k < b->count; k++)
      if (b->irrep[k] == 0) F[b->offset + k * b->size] = 0;
  }
}

static pl_status nothing_left(int64_t sample) {
  return pl_error(PL_EINPUT,
                  "sample %lld has every permutation equally often: nothing is left of it, "
                  "data.center: false would keep it",
                  (long long)sample);
}

static int64_t most(const pl_source *s) {
  return ballots_most(((const polls *)s->own)->ballots);
}

static pl_status sample(pl_source *s, pl_part part, int64_t i, double *F, double *y) {
  (void)part;
  (void)y;
  const pl_group_data_values *v = pl_group_data_of(s->spec);
  const pl_layout *l = s->layout;
  const polls *own = s->own;
  int n = pl_group_letters(l->group);
  size_t room = (size_t)most(s);
  int8_t *perms = pl_alloc(room, (size_t)n, "ballots");
  double *weights = pl_alloc(room, sizeof *weights, "ballots");
  int64_t count = ballots_sample(own->ballots, i, perms, weights);
  permutations_sum(l, s->transform, own->tables, count, perms, weights, s->f, F);
  pl_free(weights);
  pl_free(perms);
  if (!v->center) return PL_OK;
  double whole = draw_inner(l, F, F);
  clear_trivial(l, F);
  /* Counts are integers, those of extensions not much smaller: what is left is 0 or far above
   * rounding. */
  return draw_inner(l, F, F) > 1e-20 * whole ? PL_OK : nothing_left(i);
}

static pl_status recipe(pl_source *s, pl_part part, int64_t i, pl_recipe *out) {
  (void)part;
  const polls *own = s->own;
  out->count = ballots_sample(own->ballots, i, out->perms, out->weights);
  return PL_OK;
}

static bool centred(const pl_spec *spec) {
  return pl_group_data_of(spec)->center;
}

static double permutations(const pl_spec *spec) {
  return (double)pl_group_data_of(spec)->ballots;
}

PL_WORDS(samplings, "bootstrap", "blocks")

static const pl_key rows[] = {
    {"data.positive", PL_KEY_TEXT, DATA_FIELD(positive), DATA_DRAWN, .required = true, .path = true,
     .help = "file of rankings (PrefLib .soc, .soi, .toc, .toi, or an order per line) whose "
             "ballots make the "
             "samples +1"},
    {"data.negative", PL_KEY_TEXT, DATA_FIELD(negative), DATA_DRAWN, .required = true, .path = true,
     .help = "file of rankings of the samples -1"},
    {"data.ballots", PL_KEY_INT, DATA_FIELD(ballots), DATA_ALL, "10", .min = 1, .max = 1e6,
     .help = "ballots m in a sample: x(pi) is how many of them are pi"},
    {"data.sampling", PL_KEY_CHOICE, DATA_FIELD(sampling), DATA_DRAWN, "bootstrap",
     .choice = samplings,
     .help = "ballots of a sample: drawn with replacement, or the next m of all, shuffled once"},
    {"data.center", PL_KEY_BOOL, DATA_FIELD(center), DATA_DRAWN, "true",
     .help = "subtract m/|G|, which leaves the deviation from uniform ballots"},
    {"data.drop", PL_KEY_BOOL, DATA_FIELD(drop), DATA_DRAWN, "false",
     .help = "leave out ballots with ties or missing items, instead of averaging over their linear "
             "extensions"},
    {"data.zero_based", PL_KEY_BOOL, DATA_FIELD(zero_based), DATA_DRAWN, "false",
     .help = "items are numbered from 0 in both files"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&data_alone_keys, &data_scale_keys, &table, NULL};

const pl_group_data pl_data_rankings = {
    .base = {.name = "rankings",
             .help = "counts of ballots drawn from two files of rankings",
             .keys = keys,
             .write_data = pl_group_data_write,
             .count = data_alone_count},
    .over_group = true,
    .permutations = permutations,
    .check = ballots_check,
    .begin = begin,
    .sample = sample,
    .most = most,
    .recipe = recipe,
    .centred = centred,
    .nothing_left = nothing_left,
    .end = end,
};
