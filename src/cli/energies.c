#include "energies.h"

#include "base/mem.h"
#include "csv.h"

#include <math.h>
#include <stddef.h>

enum { LABEL = 1024 };

/* ---- making ---- */

static void energies_init(energies *e, int64_t rows, bool ratios) {
  *e = (energies){.num = rows, .ratios = ratios};
  e->row = pl_zalloc((size_t)rows, sizeof *e->row, "energies");
}

static double ratio_of(double norm2, double mean) {
  return mean > 0 ? norm2 / mean : NAN;
}

static double sum_squares(const double *x, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += x[k] * x[k];
  return sum;
}

void energies_of_coefficients(energies *e, const pl_group *g, const double *F,
                              const pl_rankings *r) {
  char label[LABEL];
  double *mean = r ? pl_rankings_means(r) : NULL;
  energies_init(e, pl_group_num_irreps(g), r);
  for (int64_t i = 0; i < e->num; i++) {
    pl_irrep irrep = pl_group_irrep(g, i);
    int64_t size = pl_irrep_size(irrep);
    double norm2 = sum_squares(F, size);
    pl_group_irrep_label(g, i, label, sizeof label);
    e->row[i] = (energy_row){.label = pl_strdup(label), .dim = irrep.dim};
    e->row[i].energy = (double)irrep.mult * irrep.dim / (double)pl_group_order(g) * norm2;
    if (mean) e->row[i].ratio = ratio_of(norm2, mean[i]);
    e->total += e->row[i].energy;
    F += size;
  }
  for (int64_t i = 0; i < e->num; i++)
    e->row[i].share = e->total > 0 ? e->row[i].energy / e->total : 0;
  pl_free(mean);
}

/* mean2: of norm2 = ||F||^2, for ballots drawn uniformly. */
static void add_count(energies *e, const pl_rankings *r, const char *label, double dim,
                      double norm2, double mean2) {
  energy_row *row = &e->row[e->num++];
  *row = (energy_row){.label = pl_strdup(label), .dim = dim, .ratio = ratio_of(norm2, mean2)};
  row->energy = dim / tgamma(r->n + 1.0) * norm2;
  row->share = row->energy / e->total;
}

void energies_of_counts(energies *e, const pl_rankings *r, const pl_effects *x) {
  double ballots = (double)r->ballots;
  char label[32];
  energies_init(e, 1 + PL_NUM_EFFECTS, true);
  e->num = 0;
  e->total = pl_rankings_norm2(r);
  snprintf(label, sizeof label, "%d", r->n);
  add_count(e, r, label, 1, ballots * ballots, ballots * ballots);
  for (int kind = 0; kind < PL_NUM_EFFECTS; kind++) {
    if (!pl_effect_exists(kind, r->n)) continue;
    pl_effect_irrep(kind, r->n, label, sizeof label);
    add_count(e, r, label, pl_effect_dim(kind, r->n), x->norm2[kind], x->mean2[kind]);
  }
}

void energies_fini(energies *e) {
  for (int64_t i = 0; i < e->num; i++) pl_free(e->row[i].label);
  pl_free(e->row);
}

/* ---- showing ---- */

void energies_print(const energies *e) {
  printf("label\tdimension\tenergy\tshare%s\n", e->ratios ? "\tratio" : "");
  for (int64_t i = 0; i < e->num && !ferror(stdout); i++) {
    const energy_row *row = &e->row[i];
    printf("%s\t%.0f\t%.15g\t%.6g", row->label, row->dim, row->energy, row->share);
    if (e->ratios && isnan(row->ratio)) printf("\t-");
    if (e->ratios && !isnan(row->ratio)) printf("\t%.6g", row->ratio);
    putchar('\n');
  }
}

void energies_csv(const energies *e, FILE *out) {
  fprintf(out, "label,dimension,energy,share%s\n", e->ratios ? ",ratio" : "");
  for (int64_t i = 0; i < e->num && !ferror(out); i++) {
    const energy_row *row = &e->row[i];
    csv_text(out, row->label);
    fprintf(out, ",%.0f,%.17g,%.17g", row->dim, row->energy, row->share);
    if (e->ratios) putc(',', out);
    if (e->ratios && !isnan(row->ratio)) fprintf(out, "%.17g", row->ratio);
    putc('\n', out);
  }
}

/* ---- in a file ---- */

static const struct variable {
  const char *name, *long_name;
  size_t at;
  bool of_rankings;
} variables[] = {
    {"irrep_energy", "energy of f on the irrep: (m d / |G|) ||F||^2", offsetof(energy_row, energy),
     false},
    {"irrep_share", "share of the irrep in the squared norm of f", offsetof(energy_row, share),
     false},
    {"irrep_ratio", "energy over its mean for ballots drawn uniformly", offsetof(energy_row, ratio),
     true},
};
enum { VARIABLES = sizeof variables / sizeof *variables };

void energies_define(pl_nc *nc, const energies *e) {
  for (int v = 0; v < VARIABLES; v++)
    if (e->ratios || !variables[v].of_rankings)
      pl_nc_def_var(nc, variables[v].name, PL_NC_DOUBLE, (const char *[]){"irrep", NULL},
                    variables[v].long_name, "1");
}

pl_status energies_put(pl_nc *nc, const energies *e) {
  double *values = pl_alloc((size_t)e->num, sizeof *values, "energies");
  pl_status st = PL_OK;
  for (int v = 0; v < VARIABLES && !st; v++) {
    if (!e->ratios && variables[v].of_rankings) continue;
    for (int64_t i = 0; i < e->num; i++)
      values[i] = *(const double *)(const void *)((const char *)&e->row[i] + variables[v].at);
    st = pl_nc_put_doubles(nc, variables[v].name, NULL, NULL, values);
  }
  pl_free(values);
  return st;
}
