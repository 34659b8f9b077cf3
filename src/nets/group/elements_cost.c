#include "elements_cost.h"

#include "model/batch.h"
#include "model/optim.h"
#include "nets/group/layer.h"
#include "spectral/transform.h"

#include <math.h>
#include <stdio.h>

static double weights(const pl_spec *spec, double order) {
  double hidden = elements_recipe_of(spec)->hidden == HIDDEN_FULL ? order * order : order;
  return (double)(pl_group_values_of(spec)->depth - 1) * hidden + order;
}

double elements_weight_bytes(const pl_spec *spec, double order) {
  double n = weights(spec, order);
  return 2 * 8 * n + pl_optim_bytes(spec, n);
}

/* Seconds of one hidden layer, forward and back, made for `room` samples at a time. */
static double hidden_seconds(const pl_rates *r, const pl_group *own, double order, double samples,
                             double room) {
  if (own)
    return pl_convolve_seconds(own, (int64_t)samples, pl_convolve_choose(own, (int64_t)room));
  double rate = 2 * 64.0 * 64 * 64 / pl_rates_product(r, 64);
  return 6 * samples * order * order / rate +
         pl_rates_stream(r, 5 * 8 * order * order, 8 * order * order);
}

/* One linearisation: transform, singular values, powers. */
static double measure_seconds(const pl_rates *r, const pl_group *g) {
  double order = (double)pl_group_order(g);
  double s = 2 * pl_rates_transform(order) + 2 * order * r->power;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    pl_irrep p = pl_group_irrep(g, i);
    s += (p.type == PL_REAL ? 1 : 4) * pl_rates_svd(r, p.dim) + 4 * p.dim * r->power;
  }
  return s;
}

void elements_cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out) {
  pl_group *g = NULL, *own = NULL;
  *out = (pl_cost){0};
  if (elements_group(spec, &g) || elements_own_group(spec, g, &own)) {
    pl_group_free(g);
    return;
  }
  bool relu = elements_recipe_of(spec)->relu;
  double order = (double)pl_group_order(g), hidden = (double)pl_group_values_of(spec)->depth - 1;
  int64_t samples = pl_data_count(spec, PL_TRAIN), batch = pl_batch_size(spec, samples);
  double all = (double)samples, mine = ceil(all / team);
  double others = (double)(pl_data_count(spec, PL_VALIDATION) + pl_data_count(spec, PL_TEST));
  double seen = ceil((double)batch / team); /* in a step */
  /* Samples that go through the layers, in a record and in a step. */
  double through = relu ? mine : 1, stepped = relu ? seen : 1;
  double hops = team > 1 ? ceil(log2(team)) : 0, n = weights(spec, order);
  double shared = 8 * (relu ? n : order); /* bytes that ranks add up in a step */
  out->step = 1e-6 + hidden * hidden_seconds(rates, own, order, stepped, through) +
              pl_rates_stream(rates, 16 * seen * order, 8 * mine * order) +
              pl_rates_stream(rates, 40 * n, 16 * n) +
              hops * (2 * rates->latency + shared / rates->network);
  out->record = (relu ? mine : 1) * measure_seconds(rates, g) +
                hidden * hidden_seconds(rates, own, order, through, through);
  out->setup = (all + others + hidden) * (order * rates->normal + 2 * pl_rates_transform(order)) +
               n * rates->normal + out->record;
  out->flops =
      relu ? 6 * hidden * (double)batch * order * (own ? 1 : order) : 4 * all * order + 6 * n;
  double activations = through * order * (hidden * (relu ? 2 : 1) + 3);
  if (relu && batch < samples) activations += seen * order;
  out->bytes = elements_weight_bytes(spec, order) +
               8 * ((all + others) * 1.5 + mine + others / team) * order + 8 * activations +
               pl_transform_bytes(g, 1) + 8 * 6 * order;
  if (own)
    out->bytes += hidden * pl_convolve_bytes(own, (int64_t)through,
                                             pl_convolve_choose(own, (int64_t)through));
  out->imbalance = all > 0 ? mine * team / all : 1;
  pl_group_free(own);
  pl_group_free(g);
}

void elements_explain(const pl_spec *spec, int team, const pl_rates *rates) {
  pl_group *g = NULL, *own = NULL;
  (void)rates;
  if (elements_group(spec, &g) || elements_own_group(spec, g, &own)) {
    pl_group_free(g);
    return;
  }
  int64_t all = pl_data_count(spec, PL_TRAIN), mine = (all + team - 1) / team;
  printf("  every rank holds the weights and up to %lld of %lld samples", (long long)mine,
         (long long)all);
  if (own)
    printf("; convolution over %s through %s", pl_group_spec(own),
           pl_convolve_choose(own, elements_recipe_of(spec)->relu ? mine : 1) == PL_CONVOLVE_TABLE
               ? "its multiplication table"
               : "fast transforms");
  printf("\n");
  pl_group_free(own);
  pl_group_free(g);
}
