/* ranks: 1 */
/* The content law on S_3 .. S_8: targets on the irreps of one content, by two independent ways. */
#include "pl_test.h"

#include "base/norm.h"
#include "base/rng.h"
#include "graph/cayley.h"
#include "group/fourier.h"

/* Contents of the irreps but c, each once, in Leja's order: the polynomials that have the first of
 * them as zeros stay small on the others. */
static int other_contents(const pl_group *g, int64_t c, double *out) {
  int n = 0;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    double e = (double)pl_cayley_content(g, i);
    bool known = e == (double)c;
    for (int k = 0; k < n; k++) known = known || out[k] == e;
    if (!known) out[n++] = e;
  }
  for (int k = 0; k < n; k++) {
    int best = k;
    double most = -1;
    for (int i = k; i < n; i++) {
      double product = k ? 1 : fabs(out[i]);
      for (int j = 0; j < k; j++) product *= fabs(out[i] - out[j]) / 10;
      if (product > most) most = product, best = i;
    }
    double kept = out[k];
    out[k] = out[best];
    out[best] = kept;
  }
  return n;
}

/* ||P y||^2, P = prod (A - e)/(c - e) the projection onto content c: A has the contents for its
 * eigenvalues.  y is overwritten. */
static double energy_by_polynomial(const pl_group *g, const pl_csr *a, int64_t c, double *y) {
  double e[64], *z = pl_alloc((size_t)a->rows, sizeof *z, "a product");
  int num = other_contents(g, c, e);
  for (int k = 0; k < num; k++) {
    double scale = 1 / ((double)c - e[k]);
    pl_csr_times(a, 1, scale, y, 1, -e[k] * scale, y, 1, z, 1);
    memcpy(y, z, (size_t)a->rows * sizeof *y);
  }
  pl_free(z);
  return pl_sum_squares(a->rows, y);
}

static double energy_by_fourier(const pl_group *g, int64_t content, const double *y) {
  pl_fourier *plan;
  double *F = pl_alloc((size_t)pl_fourier_size(g), sizeof *F, "coefficients"), sum = 0;
  const double *at = F;
  assert_ok(pl_fourier_new(g, NULL, &plan));
  pl_fourier_forward(plan, 1, y, pl_group_order(g), F, 0);
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    int64_t size = pl_irrep_size(pl_group_irrep(g, i));
    for (int64_t k = 0; k < size && pl_cayley_content(g, i) == content; k++)
      sum += pl_group_irrep(g, i).dim * at[k] * at[k] / (double)pl_group_order(g);
    at += size;
  }
  pl_fourier_free(plan);
  pl_free(F);
  return sum;
}

/* The energy of random targets on one content, on S_3 .. S_8: by the transform and by a polynomial
 * of the adjacency matrix; its mean is the sum of d^2/n! over those irreps. */
static void energies_of_a_content_are_those_of_a_polynomial(void **state) {
  (void)state;
  for (int n = 3; n <= 8; n++)
    for (int64_t content = -1; content <= 0; content++) {
      pl_group *g;
      pl_cayley *c;
      pl_csr *a;
      assert_ok(pl_group_parse((char[]){'S', '_', (char)('0' + n), 0}, &g));
      assert_ok(pl_cayley_new(g, "transpositions", &c));
      assert_ok(pl_cayley_graph(c, &a));
      double *y = pl_alloc((size_t)a->rows, sizeof *y, "targets"), share = 0;
      pl_rng_normals(7, PL_STREAM(PL_STREAM_MISC, n), 0, a->rows, y);
      double all = pl_sum_squares(a->rows, y), by_fourier = energy_by_fourier(g, content, y);
      assert_close(energy_by_polynomial(g, a, content, y) / all, by_fourier / all, 1e-12);
      for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
        double d = pl_group_irrep(g, i).dim;
        if (pl_cayley_content(g, i) == content) share += d * d / (double)a->rows;
      }
      /* Six standard deviations of a share of squared normals. */
      double spread = sqrt(2 * share * (1 - share) / (double)a->rows);
      assert_true(fabs(by_fourier / all - share) <= 6 * spread);
      pl_free(y);
      pl_csr_free(a);
      pl_cayley_free(c);
      pl_group_free(g);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(energies_of_a_content_are_those_of_a_polynomial),
};
PL_TEST_MAIN(tests)
