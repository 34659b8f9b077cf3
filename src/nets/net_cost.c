#include "base/mem.h"
#include "model/batch.h"
#include "model/optim.h"
#include "net_work.h"

#include <math.h>
#include <stdio.h>

pl_status pl_net_shapes_of(const pl_spec *spec, pl_net *out) {
  *out = (pl_net){.kind = pl_net_kind_of(spec), .spec = *spec, .team = {.size = 1}};
  out->start = pl_zalloc(1, sizeof *out->start, "weights");
  pl_status st = out->kind->shapes(out);
  if (st) pl_net_shapes_free(out);
  return st;
}

void pl_net_shapes_free(pl_net *net) {
  pl_free(net->weight);
  pl_free(net->start);
  *net = (pl_net){0};
}

void pl_net_work_of(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                    double *fixed_flops, double *fixed_bytes) {
  const pl_net_kind *kind = pl_net_kind_of(spec);
  if (kind->work) {
    kind->work(spec, sample_flops, sample_bytes, fixed_flops, fixed_bytes);
    return;
  }
  pl_net shapes;
  *sample_flops = *sample_bytes = *fixed_flops = *fixed_bytes = 0;
  if (pl_net_shapes_of(spec, &shapes)) return;
  *sample_flops = 6 * (double)shapes.start[shapes.num_weights];
  for (int k = 0; k < shapes.num_weights; k++)
    *sample_bytes += 8 * (double)(shapes.weight[k].rows + 2 * shapes.weight[k].cols);
  pl_net_shapes_free(&shapes);
}

/* Entry-wise work and small products reach so much of DGEMM's rate at large sizes. */
static const double SHARE = 0.5;

void pl_net_cost(const pl_spec *spec, int team, const pl_rates *rates, pl_cost *out) {
  const pl_net_kind *kind = pl_net_kind_of(spec);
  pl_net shapes;
  *out = (pl_cost){.imbalance = 1};
  if (pl_net_shapes_of(spec, &shapes)) return;
  double weights = (double)shapes.start[shapes.num_weights], values = 0;
  for (int k = 0; k < shapes.num_weights; k++) {
    const pl_net_weight *w = &shapes.weight[k];
    values += pl_rates_svd(rates, (int)fmin((double)w->rows, (double)w->cols)) *
              fmax((double)w->rows / (double)w->cols, (double)w->cols / (double)w->rows);
  }
  pl_net_shapes_free(&shapes);
  double all = 0, observed = 0, together = 0, sample_flops, sample_bytes, fixed_flops, fixed_bytes;
  for (int p = 0; p < PL_NUM_PARTS; p++)
    all += (double)pl_net_record_count(spec, (pl_part)p, pl_data_count(spec, (pl_part)p));
  if (kind->observe_work) kind->observe_work(spec, &observed, &together);
  int64_t train = pl_data_count(spec, PL_TRAIN);
  double batch = (double)pl_batch_size(spec, train);
  double ranks = kind->split == PL_SPLIT_NONE ? 1 : team, mine = ceil(batch / ranks);
  pl_net_work_of(spec, &sample_flops, &sample_bytes, &fixed_flops, &fixed_bytes);
  if (kind->team_work) kind->team_work(spec, team, &fixed_flops, &fixed_bytes);
  double rate = SHARE * 2 * pow(256, 3) / pl_rates_product(rates, 256);
  double hops = team > 1 ? ceil(log2(team)) : 0;
  out->flops = batch * sample_flops + fixed_flops;
  out->step = 1e-5 + (mine * sample_flops + fixed_flops / ranks) / rate +
              pl_rates_stream(rates, 60 * weights, 8 * weights) +
              hops * (2 * rates->latency + 8 * weights / rates->network);
  out->record =
      (ceil(all / ranks) + observed / ranks) * sample_flops / rate + fixed_flops / rate + values;
  out->setup = weights * rates->normal + out->step;
  double widest = fmax(mine, ceil(all / ranks));
  widest = fmax(fmin(widest, (double)pl_net_piece_of(kind, sample_bytes)), together);
  out->bytes =
      widest * sample_bytes + fixed_bytes + 4 * 8 * weights + pl_optim_bytes(spec, weights);
  /* A team that shares nothing gains nothing. */
  if (kind->split == PL_SPLIT_NONE && team > 1) out->step *= 1.01;
}

void pl_net_explain(const pl_spec *spec, int team, const pl_rates *rates) {
  static const char *const how[] = {"each rank takes its part of a batch",
                                    "the ranks share the work inside a step",
                                    "one rank does it all"};
  pl_net shapes;
  (void)rates;
  if (pl_net_shapes_of(spec, &shapes)) return;
  int64_t train = pl_data_count(spec, PL_TRAIN);
  printf("  %lld weights in %d matrices on every rank", (long long)shapes.start[shapes.num_weights],
         shapes.num_weights);
  printf("; batches of %lld of %lld samples", (long long)pl_batch_size(spec, train),
         (long long)train);
  if (team > 1) printf("; %s", how[shapes.kind->split]);
  printf("\n");
  pl_net_shapes_free(&shapes);
}
