/* libFuzzer target: no text may crash, hang or leak the parser of group specs, and what it takes is
 * a group: its canonical spelling names the same one, and while it is small its elements, labels
 * and irreps obey their laws.  Input: a spec; tests/corpus/group has seeds.  Needs clang
 * -fsanitize=fuzzer,address for this file and for the library. */
#include "base/mem.h"
#include "group/group.h"
#include "group/irreps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ORDER = 2000, MAX_IRREPS = 64, MAX_DIM = 40, MAX_SEARCHED = 2500 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Irreps of thousands of elements take a minute here on a busy machine, where a case has to end:
 * M_11 and its like are read, and refused. */
pl_status __real_pl_irreps_cached(const pl_finite *g, pl_irreps **out);
pl_status __wrap_pl_irreps_cached(const pl_finite *g, pl_irreps **out);
pl_status __wrap_pl_irreps_cached(const pl_finite *g, pl_irreps **out) {
  if (g->order > MAX_SEARCHED) return pl_error(PL_EINPUT, "more than %d elements", MAX_SEARCHED);
  return __real_pl_irreps_cached(g, out);
}

static void demand(int holds, const pl_group *g, const char *law) {
  if (holds) return;
  fprintf(stderr, "%s: %s\n", pl_group_spec(g), law);
  abort();
}

/* Some element, another one for each spec and number. */
static int64_t some(const pl_group *g, int64_t i) {
  uint64_t h = (uint64_t)i * 0x9E3779B97F4A7C15u + 1;
  for (const char *c = pl_group_spec(g); *c; c++) h = (h ^ (uint64_t)*c) * 0x100000001B3u;
  return (int64_t)(h % (uint64_t)pl_group_order(g));
}

static void check_elements(const pl_group *g) {
  int64_t a = some(g, 1), b = some(g, 2), c = some(g, 3);
  int64_t left = pl_group_mul(g, pl_group_mul(g, a, b), c);
  demand(left == pl_group_mul(g, a, pl_group_mul(g, b, c)), g, "associative");
  demand(pl_group_mul(g, a, pl_group_inv(g, a)) == 0, g, "inverses");
  char label[256];
  demand(pl_group_element_label(g, a, label, sizeof label) > 0, g, "elements have labels");
}

/* rho(a) rho(a^-1) = 1, d^2 numbers or twice as many. */
static void check_irrep(const pl_group *g, int64_t i) {
  pl_irrep r = pl_group_irrep(g, i);
  char label[256];
  int n = pl_group_irrep_label(g, i, label, sizeof label);
  demand(n > 0 && (n >= (int)sizeof label || pl_group_irrep_by_label(g, label) == i), g,
         "a label finds its irrep");
  if (r.dim > MAX_DIM) return;
  size_t d = (size_t)r.dim, len = (size_t)pl_irrep_size(r), c = len / (d * d);
  int64_t a = some(g, i + 4);
  double *m = pl_alloc(2 * len, sizeof *m, "matrices"), *inv = m + len;
  pl_group_irrep_matrix(g, i, a, m);
  pl_group_irrep_matrix(g, i, pl_group_inv(g, a), inv);
  double off = 0;
  for (size_t j = 0; j < d; j++)
    for (size_t k = 0; k < d; k++) {
      double re = j == k ? -1 : 0, im = 0;
      for (size_t l = 0; l < d; l++) {
        const double *x = m + c * (j * d + l), *y = inv + c * (l * d + k);
        re += x[0] * y[0] - (c == 2 ? x[1] * y[1] : 0);
        im += c == 2 ? x[0] * y[1] + x[1] * y[0] : 0;
      }
      off = fmax(off, fmax(fabs(re), fabs(im)));
    }
  demand(off < 1e-8, g, "rho(a) rho(a^-1) = 1");
  pl_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *spec = pl_alloc(size + 1, 1, "spec");
  if (size) memcpy(spec, data, size);
  spec[size] = 0;
  pl_group *g, *again;
  if (!pl_group_parse(spec, &g)) {
    demand(!pl_group_parse(pl_group_spec(g), &again), g, "the canonical spelling is one");
    demand(!strcmp(pl_group_spec(g), pl_group_spec(again)), g, "and names the same group");
    pl_group_free(again);
    int64_t count[3], squares[3];
    pl_group_irrep_sums(g, count, squares);
    demand(squares[PL_REAL] + 2 * squares[PL_COMPLEX] + squares[PL_QUATERNIONIC] ==
               pl_group_order(g),
           g, "the sum of m d^2 is the order");
    demand(count[0] + count[1] + count[2] == pl_group_num_irreps(g), g, "types cover the irreps");
    if (pl_group_order(g) <= MAX_ORDER) {
      check_elements(g);
      for (int64_t i = 0; i < pl_group_num_irreps(g) && i < MAX_IRREPS; i++) check_irrep(g, i);
    }
    pl_group_free(g);
  }
  pl_free(spec);
  if (pl_mem_live() != 0) abort();
  return 0;
}
