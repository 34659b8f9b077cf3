#include "measures.h"

#include "base/mem.h"
#include "group/group.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- rows ---- */

static const source *head_of(const void *context) {
  return &((const pointer_context *)pl_net_context(context))->head;
}
static bool tested(const pl_spec *spec, const void *context) {
  (void)spec;
  return head_of(context)->count[PL_TEST] > 0;
}
static bool tests_quality(const void *context, quality_kind quality) {
  return head_of(context)->task->quality == quality && head_of(context)->count[PL_TEST] > 0;
}
static bool wants_area(const pl_spec *spec, const void *context) {
  (void)spec;
  return tests_quality(context, QUALITY_AREA);
}
static bool wants_coverage(const pl_spec *spec, const void *context) {
  (void)spec;
  return tests_quality(context, QUALITY_COVERAGE);
}
static bool wants_tour(const pl_spec *spec, const void *context) {
  (void)spec;
  return tests_quality(context, QUALITY_TOUR);
}
static bool wants_relabel(const pl_spec *spec, const void *context) {
  return relabel_wanted(spec, head_of(context));
}
static bool wants_policy(const pl_spec *spec, const void *context) {
  return policy_points(spec, head_of(context)) > 0;
}

static void each_size(const void *state, double *out, double (*f)(const tally *t)) {
  const pl_net *net = ((const pointer_record *)state)->own;
  for (int i = 0; i < own_of(net)->source.num_sizes; i++)
    out[i] = f(&own_of(net)->measures->test[i]);
}
static double nll_of(const tally *t) {
  return t->nll / t->count;
}
static double exact_of(const tally *t) {
  return t->right / t->count;
}
static double invalid_of(const tally *t) {
  return 1 - t->valid / t->count;
}
static double covered_of(const tally *t) {
  return t->quality / t->count;
}
static double quality_of(const tally *t) {
  return t->quality / t->valid;
}
static double length_of(const tally *t) {
  return t->length / t->valid;
}
static double reference_of(const tally *t) {
  return t->reference / t->valid;
}
#define PER_SIZE(name)                                                                             \
  static void size_##name(const void *state, double *out) {                                        \
    each_size(state, out, name##_of);                                                              \
  }
PER_SIZE(nll)
PER_SIZE(exact)
PER_SIZE(invalid)
PER_SIZE(covered)
PER_SIZE(quality)
PER_SIZE(length)
PER_SIZE(reference)

static void policy_energy(const void *state, double *out) {
  const measures *m = own_of(((const pointer_record *)state)->own)->measures;
  memcpy(out, m->policy, (size_t)m->irreps * sizeof *out);
}
static void violation_energy(const void *state, double *out) {
  const measures *m = own_of(((const pointer_record *)state)->own)->measures;
  memcpy(out, m->violation, (size_t)m->irreps * sizeof *out);
}

#define NLL   "mean of -log p of the right output"
#define EXACT "share of outputs that say what the right one says"
static const pl_measure rows[] = {
    PL_NET_METRIC(METRIC_NLL, "nll", NLL, -1),
    PL_NET_METRIC(METRIC_EXACT, "exact_accuracy", EXACT, 1),
    {"nll", "size", "1", NLL " of each test size", .wanted = tested, .compute = size_nll},
    {"exact_accuracy", "size", "1", EXACT " of each test size", .wanted = tested,
     .compute = size_exact},
    {"invalid_rate", "size", "1", "share of outputs that are none", .wanted = tested,
     .compute = size_invalid},
    {"area_ratio", "size", "1", "area of the hull over the right one, mean of valid outputs",
     .wanted = wants_area, .compute = size_quality},
    {"coverage", "size", "1", "share of the right triangles that are found",
     .wanted = wants_coverage, .compute = size_covered},
    {"tour_ratio", "size", "1", "length of the tour over the solver's, mean of valid outputs",
     .wanted = wants_tour, .compute = size_quality},
    {"tour_length", "size", "1", "length of the tour, mean of valid outputs", .wanted = wants_tour,
     .compute = size_length},
    {"solver_length", "size", "1", "length of the solver's tour of the same instances",
     .wanted = wants_tour, .compute = size_reference},
    {"relabel_violation", NULL, "1",
     "largest change of log p of an output when points and output are relabelled alike",
     .wanted = wants_relabel, .from = offsetof(pointer_record, relabel)},
    {"policy_energy", "irrep", "1",
     "energy of p(. | points) in each irrep of S_n, as a share of its sum of squares",
     .wanted = wants_policy, .compute = policy_energy},
    {"violation_energy", "irrep", "1",
     "the same of p less its mean over relabellings; missing where outputs are drawn",
     .wanted = wants_policy, .compute = violation_energy},
};
const pl_measures pointer_measures = PL_MEASURES(rows);

/* ---- axes ---- */

static void size_value(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = head_of(c)->size[i];
}
static void size_optimal(const void *c, int64_t i, double *number, char *text) {
  (void)text;
  *number = head_of(c)->optimal[i];
}
static const pl_coord size_coords[] = {
    {"size", "1", "points of the test instances", false, true, NULL, size_value},
    {"size_optimal", "1", "1: the outputs of this size are optimal; 0: not proved to be", false,
     true, NULL, size_optimal},
};

static void free_context(void *context) {
  pointer_context *c = context;
  pl_group_free(c->irreps.group);
  pl_free(c->sizes);
  pl_free(c);
}

static char *sizes_key(const source *s) {
  char *key = pl_asprintf("%s %d", s->task->name, s->canonical);
  for (int i = 0; i < s->num_sizes; i++) {
    char *longer = pl_asprintf("%s %d%s", key, s->size[i], s->optimal[i] ? "" : "?");
    pl_free(key);
    key = longer;
  }
  return key;
}

static pl_status policy_group(const pl_spec *spec, const source *s, pl_group **out) {
  char name[16];
  int n = policy_points(spec, s);
  *out = NULL;
  if (n == 0) return PL_OK;
  snprintf(name, sizeof name, "S_%d", n);
  return pl_group_parse(name, out);
}

pl_status pointer_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                       void (**free_it)(void *)) {
  pointer_context *c = pl_zalloc(1, sizeof *c, "schema");
  const char *key;
  *context = c;
  *free_it = free_context;
  PL_TRY(source_head(spec, &c->head, &key));
  PL_TRY(policy_group(spec, &c->head, &c->irreps.group));
  c->sizes = sizes_key(&c->head);
  if (c->head.count[PL_TEST] > 0)
    axes[(*num)++] = (pl_axis){.name = "size",
                               .key = c->sizes,
                               .length = c->head.num_sizes,
                               .coords = size_coords,
                               .num_coords = sizeof size_coords / sizeof *size_coords};
  if (c->irreps.group) axes[(*num)++] = pl_irrep_axis(&c->irreps);
  return PL_OK;
}

/* ---- a record ---- */

pl_status measures_new(const pl_net *net, measures **out) {
  measures *m = *out = pl_zalloc(1, sizeof *m, "measures");
  pl_group *g;
  m->node = pl_alloc((size_t)net->num_weights, sizeof *m->node, "weights");
  PL_TRY(policy_group(&net->spec, &own_of(net)->source, &g));
  m->group = g;
  if (!g) return PL_OK;
  size_t order = (size_t)pl_group_order(g);
  m->irreps = pl_group_num_irreps(g);
  m->f = pl_alloc(3 * order, sizeof *m->f, "a policy");
  m->energy = pl_alloc((size_t)m->irreps, sizeof *m->energy, "a policy");
  m->policy = pl_alloc((size_t)m->irreps, sizeof *m->policy, "a policy");
  m->violation = pl_alloc((size_t)m->irreps, sizeof *m->violation, "a policy");
  return pl_irrep_energies_new(g, &m->energies);
}

void measures_free(measures *m) {
  if (!m) return;
  pl_irrep_energies_free(m->energies);
  pl_group_free((pl_group *)(uintptr_t)m->group);
  pl_free(m->node);
  pl_free(m->f);
  pl_free(m->energy);
  pl_free(m->policy);
  pl_free(m->violation);
  pl_free(m);
}

pl_status pointer_observe(pl_net *net, void *state) {
  pointer_record *r = state;
  const pointer_own *own = own_of(net);
  r->own = net;
  if (relabel_wanted(&net->spec, &own->source)) r->relabel = relabel_violation(net);
  if (own->measures->group) policy_spectra(net);
  return PL_OK;
}
