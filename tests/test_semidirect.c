/* ranks: 1 */
#include "group_theorems.h"

#include "group/family.h"
#include "group/fourier.h"

static const char *const specs[] = {"p4_1",
                                    "p4_2",
                                    "p4_3",
                                    "p4_4",
                                    "p4_5",
                                    "p4m_1",
                                    "p4m_2",
                                    "p4m_3",
                                    "p4m_4",
                                    "p4m_5",
                                    "p4m_6",
                                    "(C_3 x C_3) : Q_8",
                                    "(C_5 x C_5) : Q_8",
                                    "(C_4 x C_4) : C_4",
                                    "C_3 : C_1",
                                    "C_7 : C_3 by [[2]]",
                                    "C_8 : C_2 by [[3]]",
                                    "C_11 : C_5 by [[3]]",
                                    "C_7 : C_9 by [[2]]",
                                    "C_3 : C_4 by [[2]]",
                                    "C_5 : C_8 by [[4]]",
                                    "C_3 : C_12 by [[2]]",
                                    "C_3 : D_6 by [[2]] [[1]]",
                                    "C_5 : Q_8 by [[1]] [[4]]",
                                    "(C_2 x C_4) : C_2 by [[1,0],[2,1]]",
                                    "(C_2 x C_2 x C_2) : C_3 by [[0,0,1],[1,0,0],[0,1,0]]",
                                    ("(C_3 x C_3 x C_2) : D_2 by [[0,1,0],[1,0,0],[0,0,1]] "
                                     "[[2,0,0],[0,2,0],[0,0,1]]"),
                                    "p4_5 x C_3",
                                    "C_3 x p4_3",
                                    "p4_3 x Q_8",
                                    "(C_3 x C_3) : Q_8 x Q_8",
                                    "C_5 : C_8 by [[4]] x C_7 : C_3 by [[2]]"};
enum { NUM_SPECS = sizeof specs / sizeof *specs };

static void elements_form_a_group(void **state) {
  (void)state;
  theorem_elements_form_a_group(specs, NUM_SPECS);
}

static void generators_generate(void **state) {
  (void)state;
  theorem_generators_generate(specs, NUM_SPECS);
}

static void counts_agree(void **state) {
  (void)state;
  theorem_counts_agree(specs, NUM_SPECS);
}

static void irreps_are_unitary_homomorphisms(void **state) {
  (void)state;
  theorem_irreps_are_unitary_homomorphisms(specs, NUM_SPECS, 2e-14);
}

static void matrix_entries_are_orthogonal(void **state) {
  (void)state;
  theorem_matrix_entries_are_orthogonal(specs, NUM_SPECS, 1e-14);
}

static void types_are_those_of_frobenius_and_schur(void **state) {
  (void)state;
  theorem_types_are_those_of_frobenius_and_schur(specs, NUM_SPECS);
}

static void trivial_irrep_comes_first(void **state) {
  (void)state;
  theorem_trivial_irrep_comes_first(specs, NUM_SPECS);
}

static double *normals(int64_t n) {
  double *x = pl_alloc((size_t)n, sizeof *x, "a function");
  pl_rng_normals(17, PL_STREAM(PL_STREAM_MISC, 1), (draws += (uint64_t)n) - (uint64_t)n, n, x);
  return x;
}

/* Where (t, h) takes a pixel, from the words of the header: first s, then r turns, then t; h is
 * r^k or s r^k. */
static int64_t move(int m, int64_t g, int64_t pixel) {
  int h = (int)(g / (m * m)), row = (int)pixel / m, column = (int)pixel % m;
  for (int k = 0; k < h % 4; k++) {
    int turned = (m - column) % m;
    column = row;
    row = turned;
  }
  if (h >= 4) column = (m - column) % m;
  int64_t t = g % (m * m);
  return (row + t / m) % m * m + (column + t % m) % m;
}

static void images_move_as_stated(void **state) {
  (void)state;
  for (int m = 1; m <= 6; m++) {
    char spec[16];
    snprintf(spec, sizeof spec, m % 2 ? "p4m_%d" : "p4_%d", m);
    pl_group *g = parse(spec);
    int64_t n = pl_group_order(g);
    assert_int_equal(n, m % 2 ? 8 * m * m : 4 * m * m);
    for (int k = 0; k < 2000; k++) {
      int64_t a = below(n), b = below(n), p = below((int64_t)m * m);
      assert_int_equal(move(m, pl_group_mul(g, a, b), p), move(m, a, move(m, b, p)));
      int64_t h = a / (m * m) * m * m;
      assert_int_equal(pl_group_mul(g, h, p) % (m * m), move(m, h, p));
    }
    pl_group_free(g);
  }
}

/* h n h^-1 = A_h n for the generators of H, in numbers written out by hand. */
static void actions_are_as_stated(void **state) {
  (void)state;
  static const struct {
    const char *spec;
    int64_t n, h, element, image;
  } rows[] = {
      {"(C_5 x C_5) : Q_8", 25, 1, 5, 2},                 /* i = [[0,2],[2,0]]: (1,0) -> (0,2) */
      {"(C_5 x C_5) : Q_8", 25, 1, 1, 10},                /* (0,1) -> (2,0) */
      {"(C_5 x C_5) : Q_8", 25, 2, 5, 1},                 /* j = [[0,-1],[1,0]]: (1,0) -> (0,1) */
      {"(C_5 x C_5) : Q_8", 25, 2, 1, 20},                /* (0,1) -> (-1,0) */
      {"(C_5 x C_5) : Q_8", 25, 4, 7, 23},                /* -1: (1,2) -> (4,3) */
      {"(C_3 x C_3) : Q_8", 9, 1, 3, 4},                  /* i = [[1,1],[1,-1]]: (1,0) -> (1,1) */
      {"(C_3 x C_3) : Q_8", 9, 1, 1, 5},                  /* (0,1) -> (1,2) */
      {"p4_5", 25, 1, 5, 1},                              /* r: (1,0) -> (0,1) */
      {"p4m_5", 25, 4, 6, 9},                             /* s: (1,1) -> (1,4) */
      {"C_7 : C_3 by [[2]]", 7, 1, 3, 6},                 /* 3 -> 6 */
      {"C_7 : C_3 by [[2]]", 7, 2, 3, 5},                 /* 3 -> 12 */
      {"(C_2 x C_4) : C_2 by [[1,0],[2,1]]", 8, 1, 5, 7}, /* (1,1) -> (1,3) */
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    pl_group *g = parse(rows[i].spec);
    int64_t h = rows[i].h * rows[i].n;
    int64_t turned = pl_group_mul(g, pl_group_mul(g, h, rows[i].element), pl_group_inv(g, h));
    assert_int_equal(turned, rows[i].image);
    pl_group_free(g);
  }
}

/* ---- labels ---- */

/* chi of "(k)+s" by the formula for induced characters, H = C_n: the stabiliser is generated by
 * some number `step`, and its irrep s sends j step to exp(-2 pi i s j step/n). */
static double complex induced(const pl_group *g, int rank, const int *m, int acting, const int *k,
                              int s, int64_t element) {
  int64_t normal = pl_group_order(g) / acting;
  double complex sum = 0;
  int step = 0, orbit[64][2];
  for (int h = 0; h < acting; h++) { /* h k: (h chi)(e_j) = chi(h^-1 e_j) */
    int64_t back = pl_group_inv(g, h * normal);
    for (int j = 0; j < rank; j++) {
      int64_t unit = rank == 2 && j == 0 ? m[1] : 1;
      int64_t image = pl_group_mul(g, back, unit) % normal;
      int64_t part[2] = {rank == 2 ? image / m[1] : image, image % m[rank - 1]};
      int64_t turns = 0; /* in units of 1/m_j; m_j the same for all */
      for (int i = 0; i < rank; i++) turns += k[i] * part[i];
      orbit[h][j] = (int)(turns % m[j]);
    }
    if (h && !step && !memcmp(orbit[h], k, (size_t)rank * sizeof *k)) step = h;
  }
  if (!step) step = acting;
  int h = (int)(element / normal);
  for (int x = 0; x < step; x++) { /* representatives of H/K; H is abelian */
    if (h % step) continue;
    int64_t a = element % normal, part[2] = {rank == 2 ? a / m[1] : a, a % m[rank - 1]};
    double turns = (double)s * h / step / (acting / step);
    for (int i = 0; i < rank; i++) turns += (double)(orbit[x][i] * part[i]) / m[i];
    sum += cexp(-2 * M_PI * I * turns);
  }
  return sum;
}

static void labels_name_induced_characters(void **state) {
  (void)state;
  static const struct {
    const char *spec;
    int rank, m[2], acting;
  } rows[] = {{"p4_3", 2, {3, 3}, 4},
              {"p4_4", 2, {4, 4}, 4},
              {"p4_5", 2, {5, 5}, 4},
              {"C_7 : C_3 by [[2]]", 1, {7}, 3},
              {"C_8 : C_2 by [[3]]", 1, {8}, 2},
              {"C_11 : C_5 by [[3]]", 1, {11}, 5},
              {"C_3 : C_4 by [[2]]", 1, {3}, 4},
              {"C_5 : C_8 by [[4]]", 1, {5}, 8},
              {"C_3 : C_12 by [[2]]", 1, {3}, 12},
              {"C_7 : C_9 by [[2]]", 1, {7}, 9},
              {"(C_4 x C_4) : C_3 by [[0,3],[1,3]]", 2, {4, 4}, 3}};
  for (size_t s = 0; s < sizeof rows / sizeof *rows; s++) {
    pl_group *g = parse(rows[s].spec);
    const pl_factor *f = &g->factor[0];
    const char *form = rows[s].rank == 2 ? "(%d,%d)+%d" : "(%d)+%d";
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++)
      for (int conjugate = 0; conjugate < pl_group_irrep(g, i).mult; conjugate++) {
        char label[64];
        int k[2], sigma, found;
        f->family->irrep_label(f, i, conjugate, label, sizeof label);
        if (rows[s].rank == 2)
          assert_int_equal(sscanf(label, form, &k[0], &k[1], &sigma), 3);
        else
          assert_int_equal(sscanf(label, form, &k[0], &sigma), 2);
        assert_int_equal(f->family->irrep_by_label(f, label, &found), i);
        assert_int_equal(found, conjugate);
        /* The opposite of every number names the conjugate. */
        int d = pl_group_irrep(g, i).dim, stabiliser = rows[s].acting / d;
        int minus = (stabiliser - sigma) % stabiliser, first = (rows[s].m[0] - k[0]) % rows[s].m[0];
        if (rows[s].rank == 2)
          snprintf(label, sizeof label, form, first, (rows[s].m[1] - k[1]) % rows[s].m[1], minus);
        else
          snprintf(label, sizeof label, form, first, minus);
        assert_int_equal(f->family->irrep_by_label(f, label, &found), i);
        assert_int_equal(found, pl_group_irrep(g, i).type == PL_COMPLEX && !conjugate);
        for (int64_t a = 0; a < pl_group_order(g); a++) {
          double complex chi = character(g, i, a);
          double complex want = induced(g, rows[s].rank, rows[s].m, rows[s].acting, k, sigma, a);
          assert_close(cabs((conjugate ? conj(chi) : chi) - want), 0, 1e-13);
        }
      }
    pl_group_free(g);
  }
}

/* chi of "a x b" is chi_a chi_b, each conjugated where its label names the conjugate. */
static void characters_of_products_multiply(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"C_3", "p4_3"}, {"C_7 : C_3 by [[2]]", "C_5 : C_8 by [[4]]"}, {"p4_5", "C_4"}};
  for (size_t s = 0; s < sizeof rows / sizeof *rows; s++) {
    char spec[128];
    snprintf(spec, sizeof spec, "%s x %s", rows[s][0], rows[s][1]);
    pl_group *g = parse(spec), *part[2] = {parse(rows[s][0]), parse(rows[s][1])};
    for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
      char label[128], *x;
      int64_t irrep[2];
      int conjugate[2];
      pl_group_irrep_label(g, i, label, sizeof label);
      assert_int_equal(pl_group_irrep_by_label(g, label), i);
      x = strstr(label, " x ");
      *x = 0;
      for (int t = 0; t < 2; t++) {
        const pl_factor *f = &part[t]->factor[0];
        irrep[t] = f->family->irrep_by_label(f, t ? x + 3 : label, &conjugate[t]);
        assert_true(irrep[t] >= 0);
      }
      for (int k = 0; k < 40; k++) {
        int64_t a = below(pl_group_order(g)), n = pl_group_order(part[1]);
        double complex chi[2] = {character(part[0], irrep[0], a / n),
                                 character(part[1], irrep[1], a % n)};
        for (int t = 0; t < 2; t++)
          if (conjugate[t]) chi[t] = conj(chi[t]);
        assert_close(cabs(character(g, i, a) - chi[0] * chi[1]), 0, 1e-13);
      }
    }
    pl_group_free(g);
    pl_group_free(part[0]);
    pl_group_free(part[1]);
  }
}

static void labels_are_as_documented(void **state) {
  (void)state;
  pl_group *g = parse("(C_5 x C_5) : Q_8");
  static const char *const irreps[] = {"(0,0)+1", "(0,0)+i", "(0,0)+j", "(0,0)+k",
                                       "(0,0)+H", "(0,1)+0", "(1,1)+0", "(1,2)+0"};
  assert_int_equal(pl_group_num_irreps(g), 8);
  char label[64];
  for (int i = 0; i < 8; i++) {
    pl_group_irrep_label(g, i, label, sizeof label);
    assert_string_equal(label, irreps[i]);
    assert_int_equal(pl_group_irrep_by_label(g, label), i);
    assert_int_equal(pl_group_irrep(g, i).dim, i < 4 ? 1 : i == 4 ? 2 : 8);
  }
  static const char *const wrong[] = {"",         "(0,0)",   "(0,0)+",  "(0,0)+X", "0,0+1",
                                      "(0,0)+1 ", "(0,2)+1", "(5,0)+0", "(0)+1",   "(-1,0)+0"};
  for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
    assert_int_equal(pl_group_irrep_by_label(g, wrong[k]), -1);
  pl_group_element_label(g, 6 * 25 + 13, label, sizeof label);
  assert_string_equal(label, "(2,3) -j");
  pl_group_free(g);

  g = parse("p4m_6");
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    pl_group_irrep_label(g, i, label, sizeof label);
    assert_int_equal(pl_group_irrep_by_label(g, label), i);
  }
  assert_int_equal(pl_group_irrep_by_label(g, "(0,0)+A1"), 0);
  assert_int_equal(pl_group_irrep(g, pl_group_irrep_by_label(g, "(1,2)+0")).dim, 8);
  assert_int_equal(pl_group_irrep(g, pl_group_irrep_by_label(g, "(0,3)+B2")).dim, 2);
  assert_int_equal(pl_group_irrep(g, pl_group_irrep_by_label(g, "(3,3)+E1")).dim, 2);
  pl_group_element_label(g, 5 * 36 + 7, label, sizeof label);
  assert_string_equal(label, "(1,1) s r");
  pl_group_free(g);
}

/* ---- transform ---- */

static double largest_difference(int64_t n, const double *x, const double *y) {
  double worst = 0;
  for (int64_t i = 0; i < n; i++) worst = fmax(worst, fabs(x[i] - y[i]));
  return worst;
}

static void transforms_are_the_direct_sums(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SPECS; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g), size = pl_fourier_size(g);
    pl_fourier *plan;
    assert_ok(pl_fourier_new(g, NULL, &plan));
    double *f = normals(n), *copy = pl_alloc((size_t)n, sizeof *copy, "a function");
    double *F = normals(size), *direct = normals(size), *back = normals(n);
    memcpy(copy, f, (size_t)n * sizeof *f);
    pl_fourier_forward(plan, 1, f, n, F, size);
    pl_fourier_forward_direct(g, f, direct);
    assert_close(largest_difference(size, F, direct), 0, 1e-12);
    pl_fourier_inverse(plan, 1, F, size, back, n);
    assert_close(largest_difference(n, back, f), 0, 1e-13);
    pl_fourier_inverse_direct(g, F, back);
    assert_close(largest_difference(n, back, f), 0, 1e-13);
    assert_memory_equal(f, copy, (size_t)n * sizeof *f);
    pl_free(f);
    pl_free(copy);
    pl_free(F);
    pl_free(direct);
    pl_free(back);
    pl_fourier_free(plan);
    pl_group_free(g);
  }
}

/* (1/|G|) sum m d Re tr(A^H B), the inner product of the functions. */
static double energy(const pl_group *g, const double *A, const double *B) {
  double sum = 0;
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    pl_irrep r = pl_group_irrep(g, i);
    for (int64_t e = 0; e < pl_irrep_size(r); e++) sum += r.mult * r.dim * *A++ * *B++;
  }
  return sum / (double)pl_group_order(g);
}

static void multiply(const pl_group *g, const double *A, const double *B, double *AB) {
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    pl_irrep r = pl_group_irrep(g, i);
    const double one[2] = {1, 0}, zero[2] = {0, 0};
    int d = r.dim;
    if (r.type == PL_REAL)
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, 1, A, d, B, d, 0, AB, d);
    else
      cblas_zgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, d, d, d, one, A, d, B, d, zero, AB, d);
    A += pl_irrep_size(r), B += pl_irrep_size(r), AB += pl_irrep_size(r);
  }
}

static void convolutions_become_products(void **state) {
  (void)state;
  for (int s = 0; s < NUM_SPECS; s++) {
    pl_group *g = parse(specs[s]);
    int64_t n = pl_group_order(g), size = pl_fourier_size(g);
    pl_fourier *plan;
    assert_ok(pl_fourier_new(g, NULL, &plan));
    double *f = normals(3 * n), *F = normals(3 * size), *product = normals(size), dot = 0;
    memset(f + 2 * n, 0, (size_t)n * sizeof *f);
    for (int64_t a = 0; a < n; a++)
      for (int64_t b = 0; b < n; b++) f[2 * n + pl_group_mul(g, a, b)] += f[a] * f[n + b];
    for (int64_t a = 0; a < n; a++) dot += f[a] * f[n + a];
    pl_fourier_forward(plan, 3, f, n, F, size);
    multiply(g, F, F + size, product);
    assert_close(largest_difference(size, product, F + 2 * size) / (double)n, 0, 1e-13);
    assert_close(energy(g, F, F + size), dot, 1e-12);
    pl_free(f);
    pl_free(F);
    pl_free(product);
    pl_fourier_free(plan);
    pl_group_free(g);
  }
}

static void large_images_go_and_come_back(void **state) {
  (void)state;
  static const char *const large[] = {"p4m_28", "p4_28", "(C_31 x C_31) : Q_8", "p4m_15 x C_5"};
  for (size_t s = 0; s < sizeof large / sizeof *large; s++) {
    pl_group *g = parse(large[s]);
    int64_t n = pl_group_order(g), size = pl_fourier_size(g);
    enum { BATCH = 3 };
    pl_fourier *plan;
    assert_ok(pl_fourier_new(g, NULL, &plan));
    double *f = normals(BATCH * n), *F = normals(BATCH * size), *back = normals(BATCH * n);
    double square = 0;
    pl_fourier_forward(plan, BATCH, f, n, F, size);
    int64_t live = pl_mem_live(), bytes = pl_mem_bytes();
    pl_fourier_inverse(plan, BATCH, F, size, back, n);
    assert_int_equal(pl_mem_live(), live);
    assert_int_equal(pl_mem_bytes(), bytes);
    assert_close(largest_difference(BATCH * n, back, f), 0, 1e-13);
    for (int64_t a = 0; a < n; a++) square += f[a] * f[a];
    assert_close(energy(g, F, F), square, 1e-12);
    pl_free(f);
    pl_free(F);
    pl_free(back);
    pl_fourier_free(plan);
    pl_group_free(g);
  }
}

/* ---- specs ---- */

static void specs_are_read_leniently(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {" (C_5xC_5):Q_8 ", "(C_5 x C_5) : Q_8"},
      {"( C_5 x\tC_5 )  :\tQ_8xC_3", "(C_5 x C_5) : Q_8 x C_3"},
      {"p4m_028", "p4m_28"},
      {"p4_3xC_2", "p4_3 x C_2"},
      {"C_7:C_3 by [ [ 9 ] ]", "C_7 : C_3 by [[2]]"},
      {"(C_7) : C_3 by[[-5]] x C_2", "C_7 : C_3 by [[2]] x C_2"},
      {"C_3 : D_6 by [[-1]][[1]]", "C_3 : D_6 by [[2]] [[1]]"},
      {"C_3:C_1", "C_3 : C_1"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    pl_group *g = parse(rows[i][0]);
    assert_string_equal(pl_group_spec(g), rows[i][1]);
    pl_group *again = parse(pl_group_spec(g));
    assert_int_equal(pl_group_order(again), pl_group_order(g));
    assert_string_equal(pl_group_spec(again), rows[i][1]);
    pl_group_free(again);
    pl_group_free(g);
  }
}

static void bad_specs_are_explained(void **state) {
  (void)state;
  static const char *const rows[][2] = {
      {"p4_0", "\"p4_0\" is out of range: m must be from 1 to 1000"},
      {"p4m_1001", "\"p4m_1001\" is out of range"},
      {"p4_", "\"p4_\" is out of range"},
      {"p4m_x", "\"p4m_x\" is out of range"},
      {"p4m28", "\"p4m28\" is not a known group"},
      {"p4_5y", "expected \"x\" before \"y\""},
      {"(C_5 x C_5", "a \")\" is missing after \"(C_5 x C_5\""},
      {"(C_5 C_5) : Q_8", "a \")\" is missing after \"(C_5 \""},
      {"(C_5 x C_5)", "expected \":\" after \"(C_5 x C_5)\""},
      {"() : Q_8", "\"\" is not a known group"},
      {"(C_5 x D_3) : Q_8", "\"D_3\" cannot stand before \":\""},
      {"S_3 : C_2", "\"S_3\" cannot stand before \":\""},
      {"(C_2 x C_2 x C_2 x C_2 x C_2) : C_2", "more than 4 cyclic groups"},
      {"(C_1001 x C_1000) : C_4", "more than 1000000 elements"},
      {"(C_5 x C_0) : Q_8", "\"C_0\" is out of range"},
      {"(C_5 x C_5) :", "nothing stands after the last \":\""},
      {"(C_5 x C_5) : Q", "\"Q\" is not a known group"},
      {"(C_5 x C_5) : S_3", "\"S_3\" cannot stand after \":\""},
      {"(C_5 x C_5) : C_65", "\"C_65\" cannot stand after \":\""},
      {"(C_5 x C_5) : C_3", "how C_3 acts must be stated: \"by\" and a 2 x 2 matrix for each of "
                            "its 1 generators"},
      {"(C_5 x C_7) : D_4", "how D_4 acts must be stated"},
      {"(C_4 x C_4) : Q_8", "4 is no such m"},
      {"C_7 : C_3 by [[3]]", "the matrices do not satisfy the relations of C_3"},
      {"(C_5 x C_5) : D_4 by [[0,-1],[1,0]] [[1,0],[0,1]]", "the relations of D_4"},
      {"(C_5 x C_5) : D_4 by [[0,-1],[1,0]]", "expected a 2 x 2 matrix such as"},
      {"C_7 : C_3 by", "expected a 1 x 1 matrix"},
      {"C_7 : C_3 by [[y]]", "expected a whole number at \"y]]\""},
      {"C_7 : C_3 by [[99999999999999999999]]", "expected a whole number"},
      {"C_7 : C_3 by [[2,1]]", "expected row 1 of a matrix to have 1 entries"},
      {"(C_5 x C_5) : C_4 by [[1],[0,1]]", "expected row 1 of a matrix to have 2 entries"},
      {"C_7 : C_3 by [[2],[1]]", "expected a matrix to have 1 rows"},
      {"(C_2 x C_4) : C_2 by [[1,0],[1,1]]", "entry 1 of a matrix does not map C_2 to C_4"},
      {"C_7 : C_3 by [[0]]", "the relations of C_3"},
      {"C_3 x (C_5 x C_5) : E_8", "\"E_8\" is not a known group"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    pl_group *g = (pl_group *)&rows;
    assert_int_equal(pl_group_parse(rows[i][0], &g), PL_EINPUT);
    assert_true(g == (pl_group *)&rows);
    if (!strstr(pl_error_message(), rows[i][1])) {
      print_error("%s: %s lacks %s\n", rows[i][0], pl_error_message(), rows[i][1]);
      fail();
    }
    assert_non_null(strstr(pl_error_message(), "(all forms: plancherel group --help)"));
    assert_null(strchr(pl_error_message(), '\n'));
  }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(elements_form_a_group),
    cmocka_unit_test(generators_generate),
    cmocka_unit_test(images_move_as_stated),
    cmocka_unit_test(actions_are_as_stated),
    cmocka_unit_test(counts_agree),
    cmocka_unit_test(irreps_are_unitary_homomorphisms),
    cmocka_unit_test(matrix_entries_are_orthogonal),
    cmocka_unit_test(types_are_those_of_frobenius_and_schur),
    cmocka_unit_test(labels_name_induced_characters),
    cmocka_unit_test(characters_of_products_multiply),
    cmocka_unit_test(labels_are_as_documented),
    cmocka_unit_test(trivial_irrep_comes_first),
    cmocka_unit_test(transforms_are_the_direct_sums),
    cmocka_unit_test(convolutions_become_products),
    cmocka_unit_test(large_images_go_and_come_back),
    cmocka_unit_test(specs_are_read_leniently),
    cmocka_unit_test(bad_specs_are_explained),
};
PL_TEST_MAIN(tests)
