/* ranks: 1 */
/* Numerical irreps: known degrees and types, traces, residuals, the cache.  tests/test_gap.c has
 * their characters. */
#include "pl_test.h"

#include "base/nc.h"
#include "base/rng.h"
#include "group/check.h"
#include "group/generators.h"
#include "group/group.h"
#include "group/irreps.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static pl_finite *finite_of(const char *spec) {
  pl_perms p;
  pl_finite *f;
  const char *why = NULL;
  if (!pl_perms_named(spec, &p, &why)) assert_ok(pl_perms_parse(spec, &p));
  assert_null(why);
  assert_ok(pl_finite_from_perms(&p, &f));
  pl_free(p.image);
  return f;
}

/* ---- known tables ---- */

static void expect_irreps(const char *spec, const char *list) {
  pl_group *g;
  char text[1024] = "", label[64];
  assert_ok(pl_group_parse(spec, &g));
  for (int64_t i = 0; i < pl_group_num_irreps(g); i++) {
    size_t len = strlen(text);
    pl_group_irrep_label(g, i, label, sizeof label);
    snprintf(text + len, sizeof text - len, "%s%s%c", i ? " " : "", label,
             "rcq"[pl_group_irrep(g, i).type]);
  }
  assert_string_equal(text, list);
  pl_group_free(g);
}

/* Dimensions and types from the Atlas and from the theory; complex ones are pairs. */
static void test_known(void **state) {
  (void)state;
  expect_irreps("perm:()", "1ar");
  expect_irreps("perm:(1,2,3,4,5),(1,2,3)", "1ar 3ar 3br 4ar 5ar");
  expect_irreps("SL_2(3)", "1ar 1bc 2ac 2bq 3ar");
  expect_irreps("PSL_2(7)", "1ar 3ac 6ar 7ar 8ar");
  expect_irreps("M_11", "1ar 10ar 10bc 11ar 16ac 44ar 45ar 55ar");
  expect_irreps("Heis_3", "1ar 1bc 1cc 1dc 1ec 3ac");
  expect_irreps("Dic_3", "1ar 1br 1cc 2aq 2br");
  expect_irreps("PSL_2(4)", "1ar 3ar 3br 4ar 5ar");
  expect_irreps("SL_2(5)", "1ar 2aq 2bq 3ar 3br 4aq 4br 5ar 6aq");
}

/* Characters are traces of the matrices, and rows of the table are orthonormal. */
static void test_traces(void **state) {
  (void)state;
  pl_finite *f = finite_of("SL_2(7)");
  pl_classes *c = pl_classes_new(f);
  pl_characters *x;
  pl_irreps *r;
  assert_ok(pl_characters_new(f, c, &x));
  assert_ok(pl_irreps_new(f, &r));
  for (int64_t i = 0; i < x->n; i++)
    for (int64_t j = 0; j <= i; j++) {
      double _Complex sum = 0;
      for (int64_t k = 0; k < c->n; k++)
        sum += (double)c->size[k] * x->chi[i * c->n + k] * conj(x->chi[j * c->n + k]);
      assert_close(creal(sum) / (double)f->order, i == j, 1e-12);
      assert_close(cimag(sum), 0, 1e-9);
    }
  int64_t matched = 0;
  for (int64_t i = 0; i < r->n; i++) {
    int d = r->irrep[i].dim, width = r->irrep[i].type == PL_REAL ? 1 : 2;
    double *rho = pl_alloc((size_t)pl_irrep_size(r->irrep[i]), sizeof *rho, "a matrix");
    double _Complex trace[64];
    for (int64_t k = 0; k < c->n; k++) {
      trace[k] = 0;
      pl_irreps_matrix(r, f, i, c->rep[k], rho);
      for (int e = 0; e < d; e++)
        trace[k] += rho[e * (d + 1) * width] + (width == 2 ? I * rho[e * (d + 1) * width + 1] : 0);
    }
    for (int64_t j = 0; j < x->n; j++) {
      double off = 0;
      for (int64_t k = 0; k < c->n; k++) off = fmax(off, cabs(trace[k] - x->chi[j * c->n + k]));
      matched += off < 1e-11;
    }
    pl_free(rho);
  }
  assert_int_equal(matched, r->n);
  pl_irreps_free(r);
  pl_characters_free(x);
  pl_classes_free(c);
  pl_finite_free(f);
}

/* Homomorphism and unitarity, on groups that are hard in ways of their own: large dimensions, many
 * characters of one degree, few different eigenvalues (powers of D_4), nothing but characters. */
static void test_residuals(void **state) {
  (void)state;
  static const struct {
    const char *spec;
    double residual;
  } groups[] = {
      {"SL_2(11)", 1e-10},
      {"Heis_7", 1e-10},
      {"PSL_2(13)", 1e-10},
      {"Dic_60", 1e-10},
      {"(1,2,3,4,5,6),(1,2)", 1e-10},
      {"(1,2,3,4)(5,6),(1,3),(9,10)(1,3),(11,12,13,14),(11,13)", 1e-10},
      {"(1,2,3,4),(1,3),(5,6,7,8),(5,7),(9,10,11,12),(9,11),(13,14,15,16),(13,15)", 1e-10},
      {"(1,2),(3,4),(5,6),(7,8),(9,10),(11,12),(13,14),(15,16),(17,18),(19,20)", 1e-12},
      {"(1,2,3,4,5,6,7,8,9),(10,11,12,13,14,15,16),(17,18,19,20,21,22,23,24)", 1e-12},
      {"(1,2,3),(4,5,6),(7,8,9),(1,4,7)(2,5,8)(3,6,9),(10,11,12),(1,10)(2,11)(3,12)", 1e-10},
      {"M_11", 1e-8}};
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    pl_finite *f = finite_of(groups[i].spec);
    pl_irreps *r;
    assert_ok(pl_irreps_new(f, &r));
    double residual = pl_irreps_residual(r, f, 20);
    if (!(residual <= groups[i].residual)) print_error("%s: %g\n", groups[i].spec, residual);
    assert_true(residual <= groups[i].residual);
    pl_irreps_free(r);
    pl_finite_free(f);
  }
}

/* Schur orthogonality and transforms as well. */
static void test_checks(void **state) {
  (void)state;
  static const char *const specs[] = {"SL_2(11)", "Dic_60", "M_11"};
  for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
    pl_group *g;
    pl_check check[PL_NUM_CHECKS];
    assert_ok(pl_group_parse(specs[i], &g));
    assert_ok(pl_group_check(g, check));
    for (int k = 0; k < PL_NUM_CHECKS; k++) assert_true(check[k].residual <= 1e-10);
    pl_group_free(g);
  }
}

/* ---- the cache ---- */

/* The one file in a folder; the caller frees it. */
static char *only_file(const char *folder) {
  DIR *dir = opendir(folder);
  char *path = NULL;
  for (struct dirent *e; (e = readdir(dir));)
    if (e->d_name[0] != '.') {
      assert_null(path);
      path = pl_asprintf("%s/%s", folder, e->d_name);
    }
  closedir(dir);
  assert_non_null(path);
  return path;
}

enum { FILE_ROOM = 1 << 20 };
static size_t read_bytes(const char *path, char *bytes) {
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  size_t n = fread(bytes, 1, FILE_ROOM, file);
  fclose(file);
  assert_true(n < FILE_ROOM);
  return n;
}
static void write_bytes(const char *path, const char *bytes, size_t n) {
  FILE *file = fopen(path, "w");
  assert_int_equal(fwrite(bytes, 1, n, file), n);
  fclose(file);
}

static void expect_same(const pl_finite *f, const pl_irreps *first) {
  pl_irreps *again;
  assert_ok(pl_irreps_cached(f, &again));
  assert_int_equal(again->n, first->n);
  for (int64_t i = 0; i < first->n; i++) {
    assert_string_equal(again->label[i], first->label[i]);
    assert_int_equal(again->irrep[i].type, first->irrep[i].type);
    assert_memory_equal(again->matrix[i], first->matrix[i],
                        (size_t)(first->transversal * pl_irrep_size(first->irrep[i])) *
                            sizeof(double));
  }
  pl_irreps_free(again);
}

/* The file holds good[0..n-1]; put bad there: it must be passed over and replaced. */
static void expect_replaced(const pl_finite *f, const pl_irreps *first, const char *path,
                            const char *good, size_t n, const char *bad, size_t m) {
  static char now[FILE_ROOM];
  write_bytes(path, bad, m);
  expect_same(f, first);
  assert_int_equal(read_bytes(path, now), n);
  assert_memory_equal(now, good, n);
}

/* As the cache seals its files: FNV-1a of the bytes, started with the version of the format. */
static void seal(const char *path) {
  static char bytes[FILE_ROOM];
  uint64_t hash = UINT64_C(14695981039346656037) + 2;
  size_t n = read_bytes(path, bytes);
  for (size_t i = 0; i < n; i++) hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
  memcpy(bytes + n, &hash, sizeof hash);
  write_bytes(path, bytes, n + sizeof hash);
}

/* The sealed file with the matrices of irrep i replaced by those of irrep j, of the same size, or
 * (j < 0) by the identity. */
static void plant(const pl_irreps *r, const char *path, const char *good, size_t n, int64_t i,
                  int64_t j) {
  pl_nc *nc;
  int64_t at = 0, size = pl_irrep_size(r->irrep[i]), count = r->transversal * size;
  for (int64_t k = 0; k < i; k++) at += r->transversal * pl_irrep_size(r->irrep[k]);
  double *v = pl_zalloc((size_t)count, sizeof *v, "matrices");
  int width = r->irrep[i].type == PL_REAL ? 1 : 2;
  for (int64_t e = 0; j < 0 && e < r->transversal; e++)
    for (int k = 0; k < r->irrep[i].dim; k++) v[e * size + width * k * (r->irrep[i].dim + 1)] = 1;
  write_bytes(path, good, n - sizeof(uint64_t));
  assert_ok(pl_nc_open(path, true, &nc));
  assert_ok(pl_nc_put_doubles(nc, "matrix", &at, &count, j < 0 ? v : r->matrix[j]));
  assert_ok(pl_nc_close(nc));
  pl_free(v);
  seal(path);
}

/* Sealed, homomorphisms, unitary, and yet not the irreps: refused by their characters. */
static void test_planted(void **state) {
  (void)state;
  static char good[FILE_ROOM], bad[FILE_ROOM];
  char folder[] = "/tmp/pl_cache_XXXXXX";
  assert_non_null(mkdtemp(folder));
  setenv("PLANCHEREL_CACHE", folder, 1);
  const char *groups[] = {"(1,2,3,4,5),(4,5,6)", "SL_2(7)"};
  for (int g = 0; g < 2; g++) {
    pl_finite *f = finite_of(groups[g]);
    pl_irreps *r;
    assert_ok(pl_irreps_cached(f, &r));
    char *path = only_file(folder);
    size_t n = read_bytes(path, good);
    for (int64_t i = 0; i < r->n; i++)
      for (int64_t j = -1; j < r->n; j++) {
        if (j == i || (j >= 0 && memcmp(&r->irrep[i], &r->irrep[j], sizeof *r->irrep))) continue;
        if (i == 0 && j < 0) continue; /* that is what it is */
        plant(r, path, good, n, i, j);
        assert_int_equal(read_bytes(path, bad), n);
        expect_replaced(f, r, path, good, n, bad, n);
      }
    /* Two of one size in each other's place: all irreps, with wrong names. */
    int64_t i = 1;
    while (memcmp(&r->irrep[i], &r->irrep[i - 1], sizeof *r->irrep)) i++;
    plant(r, path, good, n, i, i - 1);
    read_bytes(path, bad);
    plant(r, path, bad, n, i - 1, i);
    read_bytes(path, bad);
    expect_replaced(f, r, path, good, n, bad, n);
    assert_true(pl_irreps_disorder(r, f) < 1e-9);

    /* No regular file, others' files: not read, not waited for, replaced. */
    unlink(path);
    assert_int_equal(mkfifo(path, 0666), 0);
    expect_same(f, r);
    assert_int_equal(read_bytes(path, bad), n);
    char *elsewhere = pl_asprintf("%s.elsewhere", folder);
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    expect_same(f, r);
    struct stat s;
    assert_true(!lstat(path, &s) && S_ISREG(s.st_mode));
    assert_int_equal(s.st_mode & 0777, 0644);
    assert_int_equal(chmod(path, 0666), 0);
    expect_same(f, r);
    assert_true(!lstat(path, &s) && (s.st_mode & 0777) == 0644);
    unlink(elsewhere);
    pl_free(elsewhere);
    /* A folder that others may write to: neither read nor written. */
    unlink(path);
    assert_int_equal(chmod(folder, 0777), 0);
    pl_log_init(0, PL_LOG_ERROR);
    expect_same(f, r);
    pl_log_init(0, PL_LOG_WARNING);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    pl_free(path);
    pl_irreps_free(r);
    pl_finite_free(f);
  }
  rmdir(folder);
  setenv("PLANCHEREL_CACHE", "", 1);
}

/* What is read is what was found, whatever has happened to the file; a bad one is replaced. */
static void test_cache(void **state) {
  (void)state;
  static char good[FILE_ROOM], bad[FILE_ROOM];
  char folder[] = "/tmp/pl_cache_XXXXXX";
  assert_non_null(mkdtemp(folder));
  setenv("PLANCHEREL_CACHE", folder, 1);
  pl_finite *f = finite_of("(1,2,3,4,5),(4,5,6)"), *g = finite_of("(2,1,3,4,5),(4,5,6)");
  pl_irreps *first, *other;
  assert_ok(pl_irreps_cached(g, &other));
  char *path = only_file(folder);
  size_t m = read_bytes(path, bad), n;
  unlink(path);
  pl_free(path);
  assert_ok(pl_irreps_cached(f, &first));
  path = only_file(folder);
  n = read_bytes(path, good);
  expect_same(f, first);

  /* Sound, but of another group, whose file has the same size. */
  assert_int_equal(m, n);
  expect_replaced(f, first, path, good, n, bad, m);
  expect_replaced(f, first, path, good, n, good, 0);
  expect_replaced(f, first, path, good, n, "no NetCDF", 9);
  expect_replaced(f, first, path, good, n, good, 200);
  expect_replaced(f, first, path, good, n, good, n / 2);
  expect_replaced(f, first, path, good, n, good, n - 8);
  /* One bit wrong, every third time in the header. */
  for (uint64_t draw = 0; draw < 60; draw++) {
    int64_t at = pl_rng_below(9, 1, 2 * draw, draw % 3 ? (int64_t)n : 1000);
    memcpy(bad, good, n);
    bad[at] = (char)(bad[at] ^ 1 << pl_rng_below(9, 1, 2 * draw + 1, 8));
    expect_replaced(f, first, path, good, n, bad, n);
  }

  /* Folders that cannot be: a file, and one below a file. */
  setenv("PLANCHEREL_CACHE", path, 1);
  expect_same(f, first);
  setenv("PLANCHEREL_CACHE", "/dev/null/none", 1);
  expect_same(f, first);
  pl_irreps_free(first);
  pl_irreps_free(other);
  pl_finite_free(f);
  pl_finite_free(g);
  unlink(path);
  rmdir(folder);
  pl_free(path);
  setenv("PLANCHEREL_CACHE", "", 1);
}

int main(int argc, char **argv) {
  setenv("PLANCHEREL_CACHE", "", 1);
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known),     cmocka_unit_test(test_traces),
      cmocka_unit_test(test_residuals), cmocka_unit_test(test_checks),
      cmocka_unit_test(test_cache),     cmocka_unit_test(test_planted),
  };
  return pl_test_run(argc, argv, __FILE__, tests, sizeof tests / sizeof *tests);
}
