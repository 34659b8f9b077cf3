#include "measures.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

enum { RELABELLINGS = 4, STREAM = 0x7ffffff4 };

pl_part sampled_part(const pl_net *net) {
  return net->count[PL_TEST] > 0 ? PL_TEST : PL_TRAIN;
}

bool relabel_wanted(const pl_spec *spec, const source *s) {
  return pointer_values_of(spec)->relabel > 0 && s->task->equivariant(s->canonical);
}

void draw_relabelling(uint64_t seed, int64_t index, int n, int *sigma) {
  for (int i = 0; i < n; i++) sigma[i] = i;
  for (int i = n - 1; i > 0; i--) {
    int k = (int)pl_rng_below(seed, PL_STREAM(PL_STREAM_MISC, STREAM),
                              (uint64_t)index * MOST_POINTS + (uint64_t)i, i + 1);
    int kept = sigma[i];
    sigma[i] = sigma[k], sigma[k] = kept;
  }
}

problem relabelled(const problem *p, int coordinates, const int *sigma, double *x, int *output) {
  for (int i = 0; i < p->n; i++)
    memcpy(x + sigma[i] * coordinates, p->x + i * coordinates, (size_t)coordinates * sizeof *x);
  for (int i = 0; i < p->length; i++) output[i] = 1 + sigma[p->output[i] - 1];
  return (problem){p->n, p->length, x, output};
}

/* log p of an instance and of its relabellings, the first unchanged. */
static double spread_of(pl_net *net, int64_t entry, int64_t number) {
  const source *s = &own_of(net)->source;
  pl_tape *t = pl_net_tape(net);
  pl_node **w = own_of(net)->measures->node;
  int n = source_points(s, sampled_part(net), entry), sigma[MOST_POINTS];
  int64_t c = s->task->coordinates;
  problem p[1 + RELABELLINGS];
  double worst = 0;
  if (!network_reaches(net, n)) return NAN;
  pl_net_variables(net, t, net->w, NULL, w);
  double *x = pl_tape_alloc(t, (size_t)(n * c), sizeof *x);
  int *output = pl_tape_alloc(t, (size_t)source_room(s, n), sizeof *output);
  source_instance(s, sampled_part(net), entry, x, output, &p[0]);
  for (int k = 1; k <= RELABELLINGS; k++) {
    draw_relabelling((uint64_t)net->spec.common.seed, number * RELABELLINGS + k, n, sigma);
    p[k] = relabelled(&p[0], (int)c, sigma, pl_tape_alloc(t, (size_t)(n * c), sizeof *x),
                      pl_tape_alloc(t, (size_t)p[0].length, sizeof *output));
  }
  batch b = batch_of(t, 1 + RELABELLINGS, p);
  const double *log_p = network_log_probabilities(net, t, w, &b, false)->value;
  for (int k = 1; k <= RELABELLINGS; k++) worst = fmax(worst, fabs(log_p[k] - log_p[0]));
  return worst;
}

double relabel_violation(pl_net *net) {
  int64_t all = net->count[sampled_part(net)];
  int64_t some = pointer_values_of(&net->spec)->relabel;
  double worst = 0;
  if (some > all) some = all;
  for (int64_t k = net->team.rank; k < some; k += net->team.size) {
    double one = spread_of(net, k * all / some, k);
    worst = one > worst ? one : worst; /* sizes out of reach are left out */
  }
  pl_comm_max(&net->team, &worst, 1);
  return worst;
}
