#include "model/regularizer.h"

#include <float.h>
#include <stdlib.h>

PL_WORDS(ginis, "signed", "absolute")

#define F(member) offsetof(pl_common, member)
enum { RESULTS = PL_COST | PL_RESULTS };

static const pl_key bro_rows[] = {
    {"regularizer.bro", PL_KEY_REAL, F(bro), RESULTS, "0", .min = 0, .max = DBL_MAX,
     .help = "b of the objective (task + (b/2) BRO) / Gini^g: draws embeddings to be orthonormal"},
    {"regularizer.p", PL_KEY_REAL, F(bro_p), RESULTS, "2", .min = 1, .max = 64,
     .help = "the norm of H H^T - I, over its entries (on groups: 2, squared)"},
};
static const pl_key gini_rows[] = {
    {"regularizer.gini", PL_KEY_REAL, F(gini), RESULTS, "0", .min = 0, .max = DBL_MAX,
     .help = "g of the objective (task + (b/2) BRO) / Gini^g: rewards a read-out of unequal "
             "weights"},
    {"regularizer.gini_power", PL_KEY_REAL, F(gini_power), RESULTS, "1", .min = DBL_MIN,
     .max = DBL_MAX, .help = "factor on g"},
    {"regularizer.gini_of", PL_KEY_CHOICE, F(gini_of), RESULTS, "signed", .choice = ginis,
     .help =
         "whose differences Gini takes: of the weights with their signs, or of absolute values"},
};
const pl_keys pl_bro_keys = PL_KEYS(PL_IN_COMMON, bro_rows);
const pl_keys pl_gini_keys = PL_KEYS(PL_IN_COMMON, gini_rows);

double pl_gini_exponent(const pl_spec *spec) {
  return spec->common.gini > 0 ? spec->common.gini * spec->common.gini_power : 0;
}

bool pl_regularised(const pl_spec *spec) {
  return spec->common.bro > 0 || pl_gini_exponent(spec) > 0;
}

static int ascending(const void *a, const void *b) {
  double x = ((const pl_gini_place *)a)->value, y = ((const pl_gini_place *)b)->value;
  return (x > y) - (x < y);
}

static double sign(double x) {
  return (x > 0) - (x < 0);
}

double pl_gini_row(int64_t n, int64_t stride, const double *w, int64_t of, pl_gini_place *work,
                   double *slope) {
  bool absolute = of == PL_GINI_ABSOLUTE;
  double sum = 0, apart = 0;
  for (int64_t i = 0; i < n; i++) {
    double x = w[i * stride];
    work[i] = (pl_gini_place){absolute ? fabs(x) : x, i * stride};
    sum += fabs(x);
    if (slope) slope[i * stride] = 0;
  }
  if (n < 2 || sum == 0) return 0;
  qsort(work, (size_t)n, sizeof *work, ascending);
  /* Sorted, sum_{j,k} |x_j - x_k| = 2 sum_i (2 i - n + 1) x_i. */
  for (int64_t i = 0; i < n; i++) apart += (double)(2 * i - n + 1) * work[i].value;
  double gini = apart / ((double)(n - 1) * sum);
  for (int64_t i = 0, end; i < n && slope; i = end) {
    for (end = i + 1; end < n && work[end].value == work[i].value;) end++;
    double lead = (double)(i + end - n); /* how many are smaller, less those that are larger */
    for (int64_t k = i; k < end; k++) {
      double s = sign(w[work[k].at]);
      slope[work[k].at] = (lead * (absolute ? s : 1) / (double)(n - 1) - gini * s) / sum;
    }
  }
  return gini;
}

double pl_gini_factor(double gini, double g, double *log_slope) {
  const double least = 1e-3;
  *log_slope = gini > least ? -g / gini : 0;
  return pow(fmax(gini, least), -g);
}
