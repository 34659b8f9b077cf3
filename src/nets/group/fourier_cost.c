#include "fourier_cost.h"

#include "base/mem.h"
#include "functional.h"
#include "gcnn_dual.h"
#include "linalg/svd.h"
#include "model/optim.h"
#include "recipes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Seconds of a permutation by tables, over n times its coefficients (group/band.h). */
static const double MOVE = 1.5e-10;
/* Second-level cache of a core, in doubles, less a margin. */
static const double CACHE = 100000;

int64_t fourier_stack_doubles(const fourier_ops *ops, const pl_spec *spec, int64_t samples) {
  /* A step touches the samples, the filters, products and the workspace of a stack. */
  double arrays = (double)samples + ops->work(spec, samples, false).arrays + ops->scratch;
  return (int64_t)fmax(256, CACHE / arrays);
}

static double size_of(pl_irrep r) {
  return (double)pl_irrep_size(r);
}

/* Seconds of one step of irrep r on one rank. */
static double step_time(const fourier_work *w, const pl_rates *rates, pl_irrep r, int64_t samples,
                        bool two_passes) {
  double factor = r.type == PL_REAL ? 1 : 4, bytes = 8 * size_of(r);
  double set = bytes * ((double)samples + w->arrays);
  /* Where the samples of an irrep do not fit into cache they are read for the gradient and again
   * for the margins. */
  double reads = (double)samples * (set < 1e6 ? 1 : 2) * (two_passes ? 2 : 1);
  /* Two products in three have a transposed factor, and operands come from farther away than in the
   * calibration, where they stay in cache. */
  double cold = r.dim < 64 ? 1.3 : 1.2;
  return w->products * factor * cold * pl_rates_product(rates, r.dim) +
         pl_rates_stream(rates, bytes * (reads + w->moves), 8 * (double)samples * size_of(r));
}

/* Seconds to make all samples of one irrep anew, where they are not kept. */
static double making_time(const pl_spec *spec, const pl_group *g, const pl_rates *rates, pl_irrep r,
                          int64_t samples) {
  double permutations = pl_group_data_permutations(spec);
  double one = permutations > 0 ? permutations * pl_group_letters(g) * MOVE : rates->normal;
  return (double)samples * one * size_of(r);
}

/* A look at the largest singular values: of a large matrix its products with some 300 vectors, a
 * few at a time; of others all values, where not all are given up on the way. */
static const double NARROW = 400, HALF = 0.5;

static double record_time(const fourier_work *w, const pl_rates *rates, pl_irrep r) {
  double factor = r.type == PL_REAL ? 1 : 4, product = pl_rates_product(rates, r.dim);
  double spectrum = pl_rates_svd(rates, r.dim);
  bool large = r.type == PL_REAL && r.dim > GCNN_DUAL_DEAR;
  double look = large ? NARROW / r.dim * product : HALF * spectrum;
  return factor *
         (w->record_values * spectrum + w->record_looks * look + w->record_products * product);
}

/* Number of records, roughly: enough for the balance between steps and singular values. */
static double records(const pl_spec *spec) {
  const pl_common *c = &spec->common;
  double n = c->record_steps.n ? c->record_steps.n : (double)c->record_points;
  return fmin(n, (double)c->steps + 1);
}

pl_mapping *fourier_map(const fourier_ops *ops, const pl_spec *spec, const pl_group *g, int team,
                        const pl_rates *rates, int64_t samples) {
  int64_t n = pl_group_num_irreps(g);
  double *cost = pl_alloc((size_t)n, sizeof *cost, "mapping");
  int *dim = pl_alloc((size_t)n, sizeof *dim, "mapping");
  bool *spread = pl_alloc((size_t)n, sizeof *spread, "mapping");
  bool twice = pl_optim_two_passes(spec);
  fourier_work w = ops->work(spec, samples, twice);
  double share = records(spec) / (double)spec->common.steps; /* records per step */
  for (int64_t i = 0; i < n; i++) {
    pl_irrep r = pl_group_irrep(g, i);
    dim[i] = r.dim;
    spread[i] = r.type == PL_REAL;
    cost[i] = step_time(&w, rates, r, samples, twice) + share * record_time(&w, rates, r);
  }
  const pl_group_values *v = pl_group_values_of(spec);
  pl_mapping_options opt = {.min_dim = v->grid_min_dim == PL_UNSET ? 256 : (int)v->grid_min_dim,
                            .grid_ranks = v->grid_ranks == PL_UNSET ? 0 : (int)v->grid_ranks,
                            .grid_efficiency = rates->grid_efficiency};
  pl_mapping *m = pl_mapping_new(team, n, cost, dim, spread, opt);
  pl_free(cost);
  pl_free(dim);
  pl_free(spread);
  return m;
}

/* How many ranks share irrep i. */
static int ranks_of(const pl_mapping *map, int64_t i) {
  int grid = map->place[i].grid;
  return grid < 0 ? 1 : map->grids[grid].nprow * map->grids[grid].npcol;
}

/* What a rank has of a spectrum: doubles, those of its largest stack, the dimension of its largest
 * whole matrix, bytes to work on matrices that are spread, singular vectors that a record keeps; z:
 * not all of it is real. */
typedef struct share {
  double doubles, biggest, work, vectors;
  int largest;
  bool z;
} share;

static share *spread_doubles(const pl_group *g, const pl_mapping *map, int triplets) {
  share *all = pl_zalloc((size_t)map->team, sizeof *all, "memory estimate");
  for (int64_t i = 0; i < map->num_irreps; i++) {
    pl_irrep r = pl_group_irrep(g, i);
    int first = map->place[i].rank, ranks = ranks_of(map, i);
    bool grid = map->place[i].grid >= 0;
    for (share *s = all + first; s < all + first + ranks; s++) {
      s->doubles += size_of(r) / ranks;
      s->biggest = fmax(s->biggest, size_of(r) / ranks);
      if (!grid && r.dim > s->largest) s->largest = r.dim;
      if (r.type != PL_REAL) s->z = true;
      s->vectors += 2 * fmin(triplets, r.dim) * r.dim * (r.type == PL_REAL ? 1 : 2);
    }
    if (grid) all[first].work = fmax(all[first].work, (double)pl_svd_grid_bytes(r.dim, ranks));
  }
  return all;
}

/* ---- what is kept ---- */

static bool over_group(const pl_spec *spec, const pl_group *g) {
  return pl_functional_elements(spec, g) || pl_group_values_of(spec)->record_beta ||
         pl_optim_over_group(spec);
}

static fourier_choice choice_of(const fourier_ops *ops, const pl_spec *spec, const pl_group *g,
                                int store) {
  bool elements = over_group(spec, g);
  return (fourier_choice){.store = store,
                          .transform =
                              !pl_group_codepth(g) &&
                              (elements || pl_group_data_needs_transform(spec, g, store, elements)),
                          .beta = elements || ops->whole};
}

static void cost_of(const fourier_ops *ops, const pl_spec *spec, const pl_group *g, int team,
                    const pl_rates *rates, fourier_choice c, pl_cost *out);

fourier_choice fourier_choose(const fourier_ops *ops, const pl_spec *spec, const pl_group *g,
                              int team, const pl_rates *rates) {
  /* Samples that take less than this share of the memory are not looked at. */
  static const double SMALL = 1.0 / 64;
  int64_t asked = pl_group_values_of(spec)->data_store;
  fourier_choice keep = choice_of(ops, spec, g, PL_DATA_KEEP),
                 anew = choice_of(ops, spec, g, PL_DATA_REGENERATE);
  /* `apply` asks with the key of a run and the samples of a file. */
  if (asked == PL_DATA_KEEP || !pl_group_data_regenerates(spec, g)) return keep;
  if (asked == PL_DATA_REGENERATE) return anew;
  if (!(rates->memory > 0)) return keep;
  double bytes = 0;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) bytes += 8 * size_of(pl_group_irrep(g, i));
  for (int p = 0; p < PL_NUM_PARTS; p++)
    if (bytes * (double)pl_data_count(spec, p) > SMALL * rates->memory * team) {
      pl_cost cost;
      cost_of(ops, spec, g, team, rates, keep, &cost);
      return cost.bytes > rates->memory ? anew : keep;
    }
  return keep;
}

/* ---- the whole ---- */

static void cost_of(const fourier_ops *ops, const pl_spec *spec, const pl_group *g, int team,
                    const pl_rates *rates, fourier_choice c, pl_cost *out) {
  *out = (pl_cost){0};
  const pl_group_values *v = pl_group_values_of(spec);
  int64_t n = pl_group_num_irreps(g), samples = pl_data_count(spec, PL_TRAIN);
  double all =
      (double)(samples + pl_data_count(spec, PL_VALIDATION) + pl_data_count(spec, PL_TEST));
  bool twice = pl_optim_two_passes(spec), kept = c.store == PL_DATA_KEEP;
  double order = c.transform ? (double)pl_group_order(g) : 0, L = pl_filters_count(spec);
  fourier_work w = ops->work(spec, samples, twice);
  pl_mapping *map = fourier_map(ops, spec, g, team, rates, samples);
  double *step = pl_zalloc((size_t)team, sizeof *step, "cost");
  double *record = pl_zalloc((size_t)team, sizeof *record, "cost");
  double singular = 0, values = 0;
  for (int64_t i = 0; i < n; i++) {
    pl_irrep r = pl_group_irrep(g, i);
    int first = map->place[i].rank, ranks = ranks_of(map, i);
    double part = ranks == 1 ? 1 : 1 / (ranks * rates->grid_efficiency);
    for (int k = 0; k < ranks; k++) {
      step[first + k] += part * step_time(&w, rates, r, kept ? samples : 0, twice);
      record[first + k] += part * record_time(&w, rates, r);
      if (kept) continue;
      double making = part * making_time(spec, g, rates, r, samples);
      step[first + k] += (twice ? 3 : 2) * making;
      record[first + k] += w.record_samples * making;
    }
    out->flops += w.products * 2 * pow(r.dim, 3) * (r.type == PL_REAL ? 1 : 4) +
                  4.0 * (double)samples * size_of(r);
    singular += r.dim;
    values += size_of(r);
  }
  double hops = team > 1 ? ceil(log2(team)) : 0;
  for (int k = 0; k < team; k++) {
    out->step = fmax(out->step, step[k]);
    out->record = fmax(out->record, record[k]);
  }
  /* A stack costs some hundred nanoseconds beside its arithmetic. */
  out->step += 1e-6 + hops * rates->latency * (twice ? 2 : 1);
  double transform = c.transform ? pl_rates_transform(order) / team : 0;
  bool functions = pl_optim_over_group(spec);
  if (functions) out->step += 2 * L * transform;
  /* An inverse transform of beta and of each filter, the powers of beta over G, and of the singular
   * values. */
  out->record += (1 + L) * transform + (order / team + 4 * singular) * rates->power;
  double fill = values / team * rates->normal + pl_rates_stream(rates, 32 * values / team, values);
  if (pl_group_data_needs_transform(spec, g, c.store, c.beta)) fill += transform;
  bool tables = !c.transform || !kept;
  double permutations = tables ? pl_group_data_permutations(spec) : 0;
  double by_tables = permutations * pl_group_letters(g) * values / team * MOVE;
  out->setup = (all + L) * fill + all * by_tables + out->step;

  share *shares = spread_doubles(g, map, w.record_triplets);
  for (int k = 0; k < team; k++) {
    const share *s = &shares[k];
    double stack =
        fmax(s->biggest, fmin((double)fourier_stack_doubles(ops, spec, samples), s->doubles));
    double spectra = (kept ? all : 0) + w.spectra + c.beta + (functions ? L : 0);
    double optim = pl_optim_bytes(spec, L * s->doubles);
    /* While kept samples are made one stands beside them, where later there are other things. */
    double making = kept && !c.beta ? fmax(0, 8 * s->doubles * (1 - w.later) - optim) : 0;
    double record_room =
        w.record_stacks * stack + w.record_matrices * s->largest * s->largest * (s->z ? 2 : 1);
    /* Made at the first record that needs it, when the samples are there. */
    double vectors = 8 * (s->vectors + w.record_vectors * s->largest * (s->z ? 2 : 1));
    double bytes = 8 * (s->doubles * spectra + record_room + ops->scratch * stack) + s->work +
                   fmax(making, vectors) + optim +
                   (s->largest ? (double)pl_svd_bytes(s->largest, s->z) : 0) +
                   (!kept || permutations > 0
                        ? pl_recipes_bytes(g, kept ? 1 : (int64_t)all, (int64_t)permutations, stack)
                        : 0);
    out->bytes = fmax(out->bytes, bytes);
  }
  out->bytes += 8 * ((functions ? order / team : 0) + order / team + 3 * singular +
                     (v->record_beta ? order : 0)) +
                (c.transform ? pl_transform_bytes(g, team) : 0);
  out->setup += 1e-9 * out->bytes; /* the first touch of every page, and tables */
  out->imbalance = map->imbalance;
  pl_free(shares);
  pl_free(step);
  pl_free(record);
  pl_mapping_free(map);
}

void fourier_cost(const fourier_ops *ops, const pl_spec *spec, int team, const pl_rates *rates,
                  pl_cost *out) {
  pl_group *g;
  *out = (pl_cost){0};
  if (pl_group_of(spec, NULL, &g)) return;
  cost_of(ops, spec, g, team, rates, fourier_choose(ops, spec, g, team, rates), out);
  pl_group_free(g);
}

/* What a step's time goes into, over all irreps. */
static void explain_step(const fourier_ops *ops, const pl_spec *spec, const pl_group *g,
                         const pl_rates *rates, int store) {
  int64_t samples = pl_data_count(spec, PL_TRAIN), kept = store == PL_DATA_KEEP ? samples : 0;
  bool twice = pl_optim_two_passes(spec);
  fourier_work w = ops->work(spec, samples, twice), none = w;
  double whole = 0, products = 0, of_samples = 0;
  none.products = 0;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    pl_irrep r = pl_group_irrep(g, i);
    double all = step_time(&w, rates, r, kept, twice),
           rest = step_time(&none, rates, r, kept, twice);
    double filters = step_time(&none, rates, r, 0, twice);
    double making = kept ? 0 : (twice ? 3 : 2) * making_time(spec, g, rates, r, samples);
    whole += all + making;
    products += all - rest;
    of_samples += making + fmax(0, rest - filters);
  }
  printf("    a step goes %.0f %% into products, %.0f %% into samples, the rest into filters and "
         "gradients\n",
         100 * products / whole, 100 * of_samples / whole);
}

/* What the other store of the samples would cost. */
static void explain_store(const fourier_ops *ops, const pl_spec *spec, const pl_group *g, int team,
                          const pl_rates *rates) {
  if (!pl_group_data_regenerates(spec, g)) return;
  fourier_choice c = fourier_choose(ops, spec, g, team, rates);
  bool kept = c.store == PL_DATA_KEEP;
  pl_cost this, other;
  cost_of(ops, spec, g, team, rates, c, &this);
  cost_of(ops, spec, g, team, rates,
          choice_of(ops, spec, g, kept ? PL_DATA_REGENERATE : PL_DATA_KEEP), &other);
  printf("    samples %s (data.store: %s): %.3g GB per rank and ",
         kept ? "kept" : "made anew at every use", kept ? "keep" : "regenerate", this.bytes / 1e9);
  pl_rates_print(this.step);
  printf(" a step, against %.3g GB and ", other.bytes / 1e9);
  pl_rates_print(other.step);
  printf(" %s\n", kept ? "made anew" : "kept");
}

void fourier_explain(const fourier_ops *ops, const pl_spec *spec, int team, const pl_rates *rates) {
  pl_group *g;
  if (pl_group_of(spec, NULL, &g)) return;
  pl_mapping *map = fourier_map(ops, spec, g, team, rates, pl_data_count(spec, PL_TRAIN));
  double total = 0;
  for (int r = 0; r < team; r++) total += map->load[r];
  printf("  %s", pl_group_spec(g));
  if (pl_group_codepth(g)) printf(", codepth %d,", pl_group_codepth(g));
  printf(" on %d rank%s: predicted imbalance %.2f (largest load over mean)\n", team,
         team == 1 ? "" : "s", map->imbalance);
  for (int k = 0; k < map->num_grids; k++) {
    pl_grid_spec s = map->grids[k];
    printf("    grid %d: %d x %d, ranks %d..%d: ", k, s.nprow, s.npcol, s.first,
           s.first + s.nprow * s.npcol - 1);
    for (int64_t i = 0; i < map->num_irreps; i++) {
      if (map->place[i].grid != k) continue;
      char label[64];
      pl_group_irrep_label(g, i, label, sizeof label);
      printf(" (%s) d=%d", label, pl_group_irrep(g, i).dim);
    }
    printf("\n");
  }
  enum { SHOWN = 16 };
  for (int r = 0; r < team && r < SHOWN; r++) {
    int64_t whole = 0, largest = 0;
    for (int64_t i = 0; i < map->num_irreps; i++)
      if (map->place[i].grid < 0 && map->place[i].rank == r) {
        whole++;
        int d = pl_group_irrep(g, i).dim;
        if (d > largest) largest = d;
      }
    printf("    rank %d: load %.2f of the mean, ", r, total > 0 ? map->load[r] * team / total : 1);
    if (whole)
      printf("%lld whole irreps (largest d=%lld)\n", (long long)whole, (long long)largest);
    else
      printf("no whole irreps\n");
  }
  if (team > SHOWN) printf("    .. and %d more ranks\n", team - SHOWN);
  explain_step(ops, spec, g, rates, fourier_choose(ops, spec, g, team, rates).store);
  explain_store(ops, spec, g, team, rates);
  pl_mapping_free(map);
  pl_group_free(g);
}
