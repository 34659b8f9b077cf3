#include "measures.h"

#include <math.h>
#include <string.h>

static int sizes_of(const pl_net *net, pl_part part) {
  return part == PL_TEST ? own_of(net)->source.num_sizes : 1;
}

static int place_of(const pl_net *net, pl_part part, int points) {
  return part == PL_TEST ? source_size(&own_of(net)->source, points) : 0;
}

static void add_answer(const task *what, const problem *right, const problem *answer, tally *to) {
  bool valid = what->valid(answer);
  to->valid += valid;
  to->right += valid && what->same(answer, right);
  if (what->quality == QUALITY_COVERAGE) {
    to->quality += 3 * what->measure(answer, right) / right->length;
  } else if (valid && what->quality != QUALITY_NONE) {
    double got = what->measure(answer, right), best = what->measure(right, right);
    to->quality += got / best;
    to->length += got;
    to->reference += best;
  }
}

/* The instances of a take that the network can say something about. */
static batch reachable(const pl_net *net, pl_tape *t, const pl_take *take, tally *out) {
  batch all = batch_of_take(t, &own_of(net)->source, take);
  problem *some = pl_tape_alloc(t, (size_t)all.count, sizeof *some);
  int64_t n = 0;
  for (int64_t i = 0; i < all.count; i++)
    if (network_reaches(net, all.p[i].n))
      some[n++] = all.p[i];
    else
      out[place_of(net, take->part, all.p[i].n)].count = NAN; /* and so are all shares of it */
  return n == all.count ? all : batch_of(t, n, some);
}

static void visit(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take,
                  void *context) {
  const task *what = own_of(net)->source.task;
  tally *out = context;
  batch b = reachable(net, t, take, out);
  if (b.count == 0) return;
  decoding d = network_decoding(&net->spec);
  int room = what->most(b.widest) + 1;
  int *output = pl_tape_alloc(t, (size_t)(b.count * room), sizeof *output);
  int *length = pl_tape_alloc(t, (size_t)b.count, sizeof *length);
  const double *log_p = network_log_probabilities(net, t, w, &b, false)->value;
  network_decode(net, t, w, &b, &d, room, output, length, NULL);
  for (int64_t i = 0; i < b.count; i++) {
    problem answer = {b.p[i].n, length[i], b.p[i].x, output + i * room};
    tally *to = &out[place_of(net, take->part, b.p[i].n)];
    to->count++;
    to->nll -= log_p[i];
    add_answer(what, &b.p[i], &answer, to);
  }
}

void tally_part(pl_net *net, pl_part part, tally *out) {
  int n = sizes_of(net, part);
  memset(out, 0, (size_t)n * sizeof *out);
  pl_net_each(net, part, visit, out);
  pl_comm_sum(&net->team, &out[0].count, n * TALLY_NUMBERS);
}

void pointer_metrics(pl_net *net, pl_part part, double *metric) {
  measures *m = own_of(net)->measures;
  tally one, *sums = part == PL_TEST ? m->test : &one, all = {0};
  tally_part(net, part, sums);
  for (int i = 0; i < sizes_of(net, part); i++)
    all.count += sums[i].count, all.nll += sums[i].nll, all.right += sums[i].right;
  metric[METRIC_NLL] = all.nll / all.count;
  metric[METRIC_EXACT] = all.right / all.count;
}
