/* The policy p(. | P) as a function on S_n and its energy per irrep. */
#include "measures.h"

#include "base/norm.h"
#include "base/rng.h"
#include "group/perm.h"

#include <math.h>
#include <string.h>

enum { MOST_EXACT = 5, MOST = 8, DRAWS = 200, TURNS = 8, STREAM = 0x7ffffff5 };

int policy_points(const pl_spec *spec, const source *s) {
  const task *t = s->task;
  int n = s->num_sizes && s->count[PL_TEST] ? s->size[0] : s->low == s->high ? s->low : MOST + 1;
  if (pointer_values_of(spec)->policy == 0 || !t->permutes || !t->equivariant(s->canonical))
    return 0;
  return n <= MOST ? n : 0;
}

static int64_t number_of(int n, const int *output) {
  int8_t p[MOST];
  for (int i = 0; i < n; i++) p[i] = (int8_t)(output[i] - 1);
  return pl_perm_rank(n, p);
}

/* Add p to the elements of S_n that an output stands for: itself, or all rotations of a tour. */
static void put(const task *what, int n, const int *output, double p, double *f) {
  int turned[MOST];
  int turns = what->closed ? n : 1;
  for (int k = 0; k < turns; k++) {
    for (int i = 0; i < n; i++) turned[i] = output[(i + k) % n];
    f[number_of(n, turned)] += p / turns;
  }
}

/* sum[irrep] += factor times the energy of f there; energies add up to the sum of f^2. */
static void add_energies(measures *m, double factor, const double *f, double *sum) {
  pl_irrep_energies_of(m->energies, 1, f, m->energy);
  for (int64_t i = 0; i < m->irreps; i++) sum[i] += factor * m->energy[i];
}

static pl_node **fresh(pl_net *net, pl_tape **t) {
  pl_node **w = own_of(net)->measures->node;
  *t = pl_net_tape(net);
  pl_net_variables(net, *t, net->w, NULL, w);
  return w;
}

/* p(. | P) over all outputs of the points, relabelled back by sigma: f(pi) = p(sigma pi | sigma P),
 * divided by its sum. */
static void exact_policy(pl_net *net, const problem *p, const int *sigma, double *f) {
  const task *what = own_of(net)->source.task;
  measures *m = own_of(net)->measures;
  pl_tape *t;
  pl_node **w = fresh(net, &t);
  int64_t order = pl_group_order(m->group), count = 0;
  int n = p->n, c = what->coordinates, first = what->closed ? p->output[0] : 0;
  problem *all = pl_tape_alloc(t, (size_t)order, sizeof *all);
  int *plain = pl_tape_alloc(t, (size_t)(order * (n + 1)), sizeof *plain);
  double *x = pl_tape_alloc(t, (size_t)(n * c), sizeof *x), sum = 0;
  for (int64_t k = 0; k < order; k++) {
    int *output = plain + count * (n + 1);
    int8_t perm[MOST];
    pl_perm_unrank(n, k, perm);
    for (int i = 0; i < n; i++) output[i] = perm[i] + 1;
    if (first && output[0] != first) continue;
    output[n] = first;
    problem one = {n, what->closed ? n + 1 : n, p->x, output};
    all[count++] = relabelled(&one, c, sigma, x, pl_tape_alloc(t, (size_t)n + 1, sizeof *output));
  }
  batch b = batch_of(t, count, all);
  const double *log_p = network_log_probabilities(net, t, w, &b, true)->value;
  for (int64_t k = 0; k < count; k++) sum += exp(log_p[k]);
  memset(f, 0, (size_t)order * sizeof *f);
  for (int64_t k = 0; k < count; k++) put(what, n, plain + k * (n + 1), exp(log_p[k]) / sum, f);
}

/* Energies of p, and of p less its mean over relabellings, as shares of the sum of p^2. */
static void exact_spectra(pl_net *net, const problem *p, int64_t number) {
  measures *m = own_of(net)->measures;
  int64_t order = pl_group_order(m->group);
  double *one = m->f + order, *mean = one + order;
  int sigma[MOST];
  for (int i = 0; i < p->n; i++) sigma[i] = i;
  exact_policy(net, p, sigma, m->f);
  memcpy(mean, m->f, (size_t)order * sizeof *mean);
  for (int k = 1; k < TURNS; k++) {
    draw_relabelling((uint64_t)net->spec.common.seed, number * TURNS + k, p->n, sigma);
    exact_policy(net, p, sigma, one);
    for (int64_t i = 0; i < order; i++) mean[i] += one[i];
  }
  double squares = pl_sum_squares(order, m->f);
  add_energies(m, 1 / squares, m->f, m->policy);
  for (int64_t i = 0; i < order; i++) one[i] = m->f[i] - mean[i] / TURNS;
  add_energies(m, 1 / squares, one, m->violation);
}

/* From DRAWS outputs.  With e the energies of their distribution, and e_1 those of a single one
 * (which every output has), (DRAWS e - e_1)/(DRAWS - 1) is right in the mean, and so is the mean of
 * p for the sum of p^2. */
static void sampled_spectrum(pl_net *net, const problem *p, int64_t number) {
  const task *what = own_of(net)->source.task;
  measures *m = own_of(net)->measures;
  pl_tape *t;
  pl_node **w = fresh(net, &t);
  int64_t order = pl_group_order(m->group);
  decoding d = {.pick = PICK_RANDOM,
                .beam = 1,
                .mask = true,
                .begin = what->closed ? p->output[0] : 0,
                .seed = (uint64_t)net->spec.common.seed,
                .stream = PL_STREAM(PL_STREAM_MISC, STREAM),
                .first = number * DRAWS};
  problem all[DRAWS];
  int room = what->most(p->n) + 1, length[DRAWS];
  int *output = pl_tape_alloc(t, (size_t)(DRAWS * room), sizeof *output);
  double log_p[DRAWS], squares = 0;
  for (int k = 0; k < DRAWS; k++) all[k] = *p;
  batch b = batch_of(t, DRAWS, all);
  network_decode(net, t, w, &b, &d, room, output, length, log_p);
  for (int k = 0; k < DRAWS; k++) squares += exp(log_p[k]) / DRAWS;
  if (what->closed) squares /= p->n;
  memset(m->f, 0, (size_t)order * sizeof *m->f);
  for (int k = 0; k < DRAWS; k++)
    if (length[k] > 0) put(what, p->n, output + k * room, 1. / DRAWS, m->f);
  add_energies(m, DRAWS / (DRAWS - 1.) / squares, m->f, m->policy);
  memset(m->f, 0, (size_t)order * sizeof *m->f);
  if (length[0] > 0) put(what, p->n, output, 1, m->f);
  add_energies(m, -1 / (DRAWS - 1.) / squares, m->f, m->policy);
}

void policy_spectra(pl_net *net) {
  const source *s = &own_of(net)->source;
  measures *m = own_of(net)->measures;
  pl_part part = sampled_part(net);
  int n = policy_points(&net->spec, s);
  int64_t some = pointer_values_of(&net->spec)->policy, seen = 0;
  double x[2 * MOST], taken = 0;
  int output[4 * MOST];
  problem p;
  for (int64_t i = 0; i < m->irreps; i++) m->policy[i] = m->violation[i] = 0;
  for (int64_t e = 0; e < net->count[part] && seen < some && network_reaches(net, n); e++) {
    if (source_points(s, part, e) != n || seen++ % net->team.size != net->team.rank) continue;
    source_instance(s, part, e, x, output, &p);
    if (n <= MOST_EXACT)
      exact_spectra(net, &p, e);
    else
      sampled_spectrum(net, &p, e);
    taken++;
  }
  pl_comm_sum(&net->team, &taken, 1);
  pl_comm_sum(&net->team, m->policy, m->irreps);
  pl_comm_sum(&net->team, m->violation, m->irreps);
  for (int64_t i = 0; i < m->irreps; i++) {
    m->policy[i] /= taken;
    m->violation[i] /= n <= MOST_EXACT ? taken : NAN;
  }
}
