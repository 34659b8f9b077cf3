/* How far a network is from turning with its points: D(g) = f(g x) - g f(x), on signed permutations
 * g of the axes, as a function on the group by irreps (Plancherel): energy of irrep rho, dimension
 * d and multiplicity m, m d/|G| ||sum_g D(g) rho(g)||^2, over all coordinates of all samples. */
#include "base/mem.h"
#include "base/pause.h"
#include "base/norm.h"
#include "base/rng.h"
#include "network.h"
#include "nets/irreps.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WHOLE = 48, DRAWS = 0x64656663 }; /* of larger groups so many elements are drawn, by this */

/* ---- which runs ---- */

static bool shape_of(const pl_spec *spec, pl_points_shape *s) {
  *s = (pl_points_shape){0};
  return points_values_of(spec)->record_defect > 0 && !pl_points_shape_of(spec, s);
}

/* A plain network gives a graph's nodes no positions that could be turned. */
static bool recorded(const pl_spec *spec, const pl_points_shape *s) {
  return s->task != PL_POINTS_ADJACENCY || spec->model != &pl_gnn_points.net.door;
}

static bool by_irreps(const pl_points_shape *s) {
  return s->dimension == 2 || s->dimension == 3;
}

static bool wants_defect(const pl_spec *spec, const void *context) {
  pl_points_shape s;
  (void)context;
  return shape_of(spec, &s) && recorded(spec, &s);
}
static bool wants_shares(const pl_spec *spec, const void *context) {
  pl_points_shape s;
  (void)context;
  return shape_of(spec, &s) && recorded(spec, &s) && by_irreps(&s);
}

/* ---- room ---- */

struct defect {
  pl_take take;
  int64_t *entry;
  int64_t elements, numbers;  /* of the group that are looked at; of an answer to the take */
  double *answer, *violation; /* [numbers]; [elements][numbers] */
  double *square;             /* [elements] */
  pl_group *group;            /* NULL: not by irreps */
  pl_irrep_energies *energies;
  double *share;
};

static pl_status open_group(struct defect *d, int64_t dimension) {
  char spec[16];
  snprintf(spec, sizeof spec, "B_%lld", (long long)dimension);
  PL_TRY(pl_group_parse(spec, &d->group));
  PL_TRY(pl_irrep_energies_new(d->group, &d->energies));
  d->share = pl_alloc((size_t)pl_group_num_irreps(d->group), sizeof *d->share, "a defect");
  return PL_OK;
}

static int64_t numbers_of(const pl_points *data, const pl_take *take) {
  const pl_points_part *p = &data->part[take->part];
  int64_t nodes = p->start[take->count], pairs = p->pair_start[take->count];
  return data->shape.task == PL_POINTS_POSITIONS   ? nodes * data->shape.dimension
         : data->shape.task == PL_POINTS_ADJACENCY ? pairs
                                                   : take->count;
}

pl_status points_defect_new(const pl_net *net, struct defect **out) {
  const pl_points *data = points_of(net);
  int64_t most = points_values_of(&net->spec)->record_defect, dimension = data->shape.dimension;
  *out = NULL;
  if (most == 0 || !recorded(&net->spec, &data->shape)) return PL_OK;
  struct defect *d = *out = pl_zalloc(1, sizeof *d, "a defect");
  pl_part part = net->count[PL_TEST] > 0 ? PL_TEST : PL_TRAIN;
  int64_t count = net->count[part] < most ? net->count[part] : most;
  int64_t order = points_symmetry_order(AUGMENT_OCTAHEDRAL, dimension);
  d->entry = pl_alloc((size_t)count, sizeof *d->entry, "a defect");
  for (int64_t i = 0; i < count; i++) d->entry[i] = i;
  d->take = (pl_take){.part = part, .total = count, .count = count, .entry = d->entry};
  d->elements = order < WHOLE ? order : WHOLE;
  d->numbers = numbers_of(data, &d->take);
  d->answer = pl_alloc((size_t)d->numbers, sizeof *d->answer, "a defect");
  d->violation = pl_alloc((size_t)(d->elements * d->numbers), sizeof *d->violation, "a defect");
  d->square = pl_alloc((size_t)d->elements, sizeof *d->square, "a defect");
  return by_irreps(&data->shape) ? open_group(d, dimension) : PL_OK;
}

void points_defect_free(struct defect *d) {
  if (!d) return;
  pl_irrep_energies_free(d->energies);
  pl_group_free(d->group);
  pl_free(d->entry);
  pl_free(d->answer);
  pl_free(d->violation);
  pl_free(d->square);
  pl_free(d->share);
  pl_free(d);
}

/* ---- a record ---- */

/* Element k of those that are looked at: all of them in their order, or some that are drawn. */
static points_symmetry element_of(const struct defect *d, int64_t dimension, int64_t k) {
  int64_t order = points_symmetry_order(AUGMENT_OCTAHEDRAL, dimension);
  if (order > d->elements)
    k = pl_rng_below(0, PL_STREAM(PL_STREAM_MISC, DRAWS), (uint64_t)k, order);
  return points_symmetry_of(AUGMENT_OCTAHEDRAL, dimension, k);
}

/* f of the samples moved by g, NULL: not moved. */
static void ask(pl_net *net, const struct defect *d, const points_symmetry *g, double *out) {
  pl_tape *t = pl_net_tape(net);
  pl_node **w = pl_tape_alloc(t, (size_t)net->num_weights, sizeof *w);
  pl_net_variables(net, t, net->w, NULL, w);
  points_batch b = points_batch_new(net, t, &d->take, g);
  const pl_node *f = points_answer(net, t, w, &b);
  pl_require(pl_tape_count(f) == d->numbers);
  memcpy(out, f->value, (size_t)d->numbers * sizeof *out);
}

/* D(g) of element k into row k. */
static void violate(pl_net *net, struct defect *d, int64_t k) {
  const pl_points_shape *s = &points_of(net)->shape;
  points_symmetry g = element_of(d, s->dimension, k);
  double *row = d->violation + k * d->numbers;
  pl_tape *t;
  ask(net, d, &g, row);
  t = pl_net_tape(net);
  double *turned = pl_tape_alloc(t, (size_t)d->numbers, sizeof *turned);
  if (s->task == PL_POINTS_POSITIONS)
    points_symmetry_apply(&g, s->dimension, d->numbers / s->dimension, d->answer, turned);
  else
    memcpy(turned, d->answer, (size_t)d->numbers * sizeof *turned);
  for (int64_t i = 0; i < d->numbers; i++) row[i] -= turned[i];
}

/* Where the defect is 0 there is nothing to share out: NaN. */
static void share_out(struct defect *d) {
  int64_t irreps = pl_group_num_irreps(d->group);
  double all = 0;
  pl_irrep_energies_of(d->energies, d->numbers, d->violation, d->share);
  for (int64_t i = 0; i < irreps; i++) all += d->share[i];
  for (int64_t i = 0; i < irreps; i++) d->share[i] = all > 0 ? d->share[i] / all : NAN;
}

pl_status points_observe(pl_net *net, void *state) {
  points_record *r = state;
  struct defect *d = ((points_own *)net->own)->defect;
  if (!d) return PL_OK;
  memset(d->violation, 0, (size_t)(d->elements * d->numbers) * sizeof *d->violation);
  ask(net, d, NULL, d->answer);
  for (int64_t k = net->team.rank; k < d->elements && !pl_pause(); k += net->team.size)
    violate(net, d, k);
  pl_comm_sum(&net->team, d->violation, d->elements * d->numbers);
  double largest = 0, size = sqrt(pl_sum_squares(d->numbers, d->answer));
  for (int64_t k = 0; k < d->elements; k++)
    largest = fmax(largest, sqrt(pl_sum_squares(d->numbers, d->violation + k * d->numbers)));
  r->defect = largest > 0 ? largest / size : 0;
  r->share = d->share;
  if (d->group) share_out(d);
  return PL_OK;
}

/* ---- measures ---- */

static void defect_share(const void *state, double *out) {
  const points_record *r = state;
  const struct defect *d = ((const points_own *)r->net.net->own)->defect;
  memcpy(out, r->share, (size_t)pl_group_num_irreps(d->group) * sizeof *out);
}

static const pl_measure rows[] = {
    {"equivariance_defect", NULL, "1",
     "largest relative violation of equivariance over group elements", .wanted = wants_defect,
     .from = offsetof(points_record, defect)},
    {"defect_share", "irrep", "1", "share of each irrep in the violation of equivariance",
     .wanted = wants_shares, .compute = defect_share},
};
const pl_measures points_defect_measures = PL_MEASURES(rows);

/* ---- the axis ---- */

static void free_axes(void *c) {
  pl_group_free(((pl_irrep_context *)c)->group);
  pl_free(c);
}

pl_status points_axes(const pl_spec *spec, pl_axis *axes, int *num, void **own,
                      void (**free_context)(void *)) {
  pl_points_shape s;
  char name[16];
  pl_irrep_context *c = *own = pl_zalloc(1, sizeof *c, "axes of a network on points");
  *free_context = free_axes;
  if (!wants_shares(spec, NULL) || !shape_of(spec, &s)) return PL_OK;
  snprintf(name, sizeof name, "B_%lld", (long long)s.dimension);
  PL_TRY(pl_group_parse(name, &c->group));
  axes[(*num)++] = pl_irrep_axis(c);
  return PL_OK;
}
