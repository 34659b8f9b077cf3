/* ranks: 1 */
#include "pl_test.h"

#include "base/nc.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[] = "/tmp/pl_test_nc_XXXXXX";
static char path[64];

static int make_dir(void **state) {
  (void)state;
  if (!mkdtemp(dir)) return 1;
  snprintf(path, sizeof path, "%s/t.nc", dir);
  return 0;
}

static int remove_file(void **state) {
  (void)state;
  unlink(path);
  return 0;
}

static int remove_dir(void **state) {
  (void)state;
  return rmdir(dir);
}

#define assert_fails(want, call, ...)                                                              \
  do {                                                                                             \
    assert_int_equal(call, want);                                                                  \
    const char *parts[] = {__VA_ARGS__};                                                           \
    for (size_t i_ = 0; i_ < sizeof parts / sizeof *parts; i_++)                                   \
      if (!strstr(pl_error_message(), parts[i_])) {                                                \
        print_error("message \"%s\" lacks \"%s\"\n", pl_error_message(), parts[i_]);               \
        fail();                                                                                    \
      }                                                                                            \
  } while (0)

/* x(run, record) double, step(run, record) int64, status(run) byte, label(run, text) char, n int.
 */
static pl_nc *create_sample(bool netcdf4) {
  pl_nc *nc;
  assert_ok(pl_nc_create(path, false, netcdf4, &nc));
  assert_ok(pl_nc_def_dim(nc, "run", 3));
  assert_ok(pl_nc_def_dim(nc, "record", 5));
  assert_ok(pl_nc_def_dim(nc, "text", 8));
  const char *run_record[] = {"run", "record", NULL}, *run[] = {"run", NULL},
             *run_text[] = {"run", "text", NULL};
  assert_ok(pl_nc_def_var(nc, "x", PL_NC_DOUBLE, run_record, "a double", "1"));
  assert_ok(pl_nc_def_var(nc, "step", PL_NC_INT64, run_record, "step", "1"));
  assert_ok(pl_nc_att_ints(nc, "step", "_FillValue", PL_NC_INT64, (int[]){-1}, 1));
  assert_ok(pl_nc_def_var(nc, "status", PL_NC_BYTE, run, "status", NULL));
  assert_ok(pl_nc_att_ints(nc, "status", "flag_values", PL_NC_BYTE, (int[]){0, 1, 2, 3, 4, 5}, 6));
  assert_ok(pl_nc_def_var(nc, "label", PL_NC_CHAR, run_text, "label", NULL));
  assert_ok(pl_nc_def_var(nc, "n", PL_NC_INT, NULL, "a scalar", "1"));
  assert_ok(pl_nc_att_text(nc, NULL, "title", "Fourier of \xc3\xa9\xc3\xa8"));
  assert_ok(pl_nc_att_doubles(nc, NULL, "rates", (double[]){0.5, 1e-300}, 2));
  assert_ok(pl_nc_end_def(nc));
  return nc;
}

static void round_trip(bool netcdf4) {
  pl_nc *nc = create_sample(netcdf4);
  int64_t at[] = {1, 2}, n[] = {1, 3};
  assert_ok(pl_nc_put_doubles(nc, "x", at, n, (double[]){0.1, -1e300, 5}));
  assert_ok(pl_nc_put_ints(nc, "step", at, n, (int64_t[]){7, INT64_MAX, 0}));
  assert_ok(pl_nc_put_ints(nc, "status", NULL, NULL, (int64_t[]){1, 2, -3}));
  assert_ok(pl_nc_put_text(nc, "label", (int64_t[]){2, 0}, (int64_t[]){1, 6}, "3,\xc3\xa9,1"));
  assert_ok(pl_nc_put_ints(nc, "n", NULL, NULL, (int64_t[]){42}));
  assert_ok(pl_nc_fsync(nc));
  assert_ok(pl_nc_close(nc));

  assert_ok(pl_nc_open(path, false, &nc));
  assert_string_equal(pl_nc_path(nc), path);
  double x[15];
  assert_ok(pl_nc_get_doubles(nc, "x", NULL, NULL, x));
  for (int i = 0; i < 15; i++) {
    double want = i == 7 ? 0.1 : i == 8 ? -1e300 : i == 9 ? 5 : 9.9692099683868690e+36;
    assert_true(x[i] == want);
  }
  double fill;
  assert_int_equal(pl_nc_get_att_doubles(nc, "x", "_FillValue", &fill, 1), 1);
  assert_true(fill == x[0]);
  int64_t step[15], status[3], scalar;
  assert_ok(pl_nc_get_ints(nc, "step", NULL, NULL, step));
  for (int i = 0; i < 15; i++)
    assert_true(step[i] == (i == 7 ? 7 : i == 8 ? INT64_MAX : i == 9 ? 0 : -1));
  assert_ok(pl_nc_get_ints(nc, "status", NULL, NULL, status));
  assert_int_equal(status[2], -3);
  assert_ok(pl_nc_get_ints(nc, "n", NULL, NULL, &scalar));
  assert_int_equal(scalar, 42);
  char label[8];
  assert_ok(pl_nc_get_text(nc, "label", (int64_t[]){2, 0}, (int64_t[]){1, 8}, label));
  assert_memory_equal(label, "3,\xc3\xa9,1\0", 7);
  /* Numbers convert: doubles as integers and back. */
  int64_t rounded;
  assert_ok(pl_nc_get_ints(nc, "x", (int64_t[]){1, 4}, (int64_t[]){1, 1}, &rounded));
  assert_int_equal(rounded, 5);
  assert_ok(pl_nc_close(nc));
}

static void values_come_back_cdf5(void **state) {
  (void)state;
  round_trip(false);
  char magic[4];
  FILE *f = fopen(path, "rb");
  assert_int_equal(fread(magic, 1, 4, f), 4);
  fclose(f);
  assert_memory_equal(magic, "CDF\005", 4);
}

static void values_come_back_netcdf4(void **state) {
  (void)state;
  round_trip(true);
}

static void questions_are_answered(void **state) {
  (void)state;
  pl_nc *nc = create_sample(false);
  assert_int_equal(pl_nc_dim(nc, "record"), 5);
  assert_int_equal(pl_nc_dim(nc, "irrep"), -1);
  pl_nc_type type;
  char dims[2][64];
  int64_t shape[2] = {-7, -7};
  assert_int_equal(pl_nc_var(nc, "step", &type, dims, shape, 2), 2);
  assert_int_equal(type, PL_NC_INT64);
  assert_string_equal(dims[0], "run");
  assert_string_equal(dims[1], "record");
  assert_int_equal(shape[0], 3);
  assert_int_equal(shape[1], 5);
  shape[1] = -7;
  assert_int_equal(pl_nc_var(nc, "step", NULL, NULL, shape, 1), 2);
  assert_int_equal(shape[1], -7);
  assert_int_equal(pl_nc_var(nc, "n", &type, NULL, NULL, 0), 0);
  assert_int_equal(pl_nc_var(nc, "absent", &type, NULL, NULL, 0), -1);

  char buf[16];
  assert_true(pl_nc_get_att_text(nc, "x", "units", buf, sizeof buf));
  assert_string_equal(buf, "1");
  assert_true(pl_nc_get_att_text(nc, "label", "_Encoding", buf, sizeof buf));
  assert_string_equal(buf, "utf-8");
  assert_false(pl_nc_get_att_text(nc, NULL, "title", buf, 15)); /* 15 bytes and the end */
  assert_true(pl_nc_get_att_text(nc, NULL, "title", buf, 16));
  assert_false(pl_nc_get_att_text(nc, NULL, "rates", buf, sizeof buf));
  assert_false(pl_nc_get_att_text(nc, "absent", "units", buf, sizeof buf));
  double v[2] = {0, 3};
  assert_int_equal(pl_nc_get_att_doubles(nc, NULL, "rates", v, 1), 2);
  assert_true(v[0] == 0.5 && v[1] == 3);
  assert_int_equal(pl_nc_get_att_doubles(nc, NULL, "title", v, 2), -1);
  assert_int_equal(pl_nc_get_att_number(nc, "title", v), -1);
  assert_int_equal(pl_nc_get_att_number(nc, "rates", v), 2);
  assert_ok(pl_nc_close(nc));
}

static void long_text_attributes_come_back_whole(void **state) {
  (void)state;
  enum { N = 100000 };
  char *text = pl_alloc(N + 1, 1, "text");
  for (int i = 0; i < N; i++) text[i] = (char)('a' + i % 26);
  text[N] = '\0';
  pl_nc *nc;
  assert_ok(pl_nc_create(path, false, false, &nc));
  assert_ok(pl_nc_att_text(nc, NULL, "sweep", text));
  assert_ok(pl_nc_att_text(nc, NULL, "empty", ""));
  assert_ok(pl_nc_end_def(nc));
  assert_ok(pl_nc_close(nc));
  assert_ok(pl_nc_open(path, false, &nc));
  char *back = pl_nc_get_att_string(nc, NULL, "sweep");
  assert_string_equal(back, text);
  pl_free(back);
  back = pl_nc_get_att_string(nc, NULL, "empty");
  assert_string_equal(back, "");
  pl_free(back);
  assert_null(pl_nc_get_att_string(nc, NULL, "absent"));
  assert_ok(pl_nc_close(nc));
  pl_free(text);
}

static void expectations_name_what_is_wrong(void **state) {
  (void)state;
  pl_nc *nc = create_sample(false);
  int64_t shape[] = {-1, 5}, wrong[] = {-1, 6}, one[] = {-1};
  assert_ok(pl_nc_expect(nc, "x", false, 2, shape));
  assert_int_equal(shape[0], 3);
  assert_fails(PL_EINPUT, pl_nc_expect(nc, "x", false, 2, wrong), path,
               "numbers x(run = 3, record = 5)", "expected numbers of shape (any, 6)");
  assert_int_equal(wrong[0], -1);
  assert_fails(PL_EINPUT, pl_nc_expect(nc, "x", false, 1, one), "x(", "shape (any)");
  assert_fails(PL_EINPUT, pl_nc_expect(nc, "label", false, 2, shape), "found text label(run = 3");
  assert_fails(PL_EINPUT, pl_nc_expect(nc, "w", false, 2, shape), path, "no variable 'w'");
  assert_ok(pl_nc_close(nc));
}

static void slabs_are_checked(void **state) {
  (void)state;
  pl_nc *nc = create_sample(false);
  double v[16] = {0};
  int64_t at[] = {0, 3}, n[] = {1, 3}, i[16];
  assert_fails(PL_EINPUT, pl_nc_get_doubles(nc, "x", at, n, v), path, "x(run = 3, record = 5)",
               "3..5");
  assert_fails(PL_EINPUT, pl_nc_get_doubles(nc, "x", (int64_t[]){-1, 0}, n, v), "x(run");
  assert_fails(PL_EINPUT, pl_nc_get_ints(nc, "label", NULL, NULL, i), "found text", "numbers");
  char text[16];
  assert_fails(PL_EINPUT, pl_nc_get_text(nc, "x", NULL, NULL, text), "found numbers");
  assert_fails(PL_EINPUT, pl_nc_get_doubles(nc, "y", NULL, NULL, v), "no variable 'y'");
  /* Reading spoils nothing; the first failed write is what close returns. */
  assert_fails(PL_EINPUT, pl_nc_put_ints(nc, "status", NULL, NULL, (int64_t[]){0, 200, 0}), path,
               "status");
  assert_fails(PL_EINPUT, pl_nc_put_doubles(nc, "y", NULL, NULL, v), "no variable 'y'");
  assert_fails(PL_EINPUT, pl_nc_close(nc), "'status'");
}

static void definitions_are_checked(void **state) {
  (void)state;
  pl_nc *nc;
  assert_ok(pl_nc_create(path, false, false, &nc));
  assert_fails(PL_EINPUT, pl_nc_def_dim(nc, "run", 0), "'run'", "at least 1");
  assert_ok(pl_nc_def_dim(nc, "run", 2));
  assert_fails(PL_EINPUT, pl_nc_def_dim(nc, "run", 2), path, "'run'");
  const char *absent[] = {"run", "irrep", NULL};
  assert_fails(PL_EINPUT, pl_nc_def_var(nc, "x", PL_NC_INT, absent, NULL, NULL), "'x'", "'irrep'");
  assert_fails(PL_EINPUT, pl_nc_att_text(nc, "x", "units", "1"), "no variable 'x'");
  assert_fails(PL_EINPUT, pl_nc_close(nc), "at least 1");
  assert_int_equal(access(path, F_OK), -1);
}

static void write_bytes(const char *bytes, size_t n) {
  FILE *f = fopen(path, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, n, f), n);
  fclose(f);
}

static void paths_fail_by_their_reason(void **state) {
  (void)state;
  pl_nc *nc = NULL;
  char bad[128];
  assert_fails(PL_EINPUT, pl_nc_open(path, false, &nc), path, "No such file");
  snprintf(bad, sizeof bad, "%s/absent/t.nc", dir);
  assert_fails(PL_EENV, pl_nc_create(bad, false, false, &nc), bad, "No such file");
  assert_fails(PL_EENV, pl_nc_create(bad, true, true, &nc), bad, "No such file");
  assert_fails(PL_EENV, pl_nc_create(dir, true, false, &nc), dir, "directory");
  assert_fails(PL_EINPUT, pl_nc_open(dir, false, &nc), dir, "regular");
  /* A device must not be taken for a file: a failed definition removes it. */
  assert_fails(PL_EENV, pl_nc_create("/dev/null", true, false, &nc), "/dev/null", "regular");
  assert_fails(PL_EENV, pl_nc_create("/proc/pl.nc", false, false, &nc), "/proc/pl.nc");
  assert_fails(PL_EINPUT, pl_nc_open("http://localhost/t.nc", false, &nc), "No such file");

  write_bytes("group: S_4\n", 11);
  assert_fails(PL_EINPUT, pl_nc_open(path, false, &nc), path, "NetCDF");
  write_bytes("", 0);
  assert_fails(PL_EINPUT, pl_nc_open(path, true, &nc), path, "NetCDF");
  write_bytes("\211HDF\r\n\032\n", 8);
  assert_fails(PL_EINPUT, pl_nc_open(path, false, &nc), path, "NetCDF");

  assert_fails(PL_EINPUT, pl_nc_create(path, false, false, &nc), path, "--overwrite");
  assert_fails(PL_EINPUT, pl_nc_create(path, false, true, &nc), path, "--overwrite");
  assert_null(nc);
  assert_ok(pl_nc_create(path, true, false, &nc));
  assert_ok(pl_nc_end_def(nc));
  assert_ok(pl_nc_close(nc));

  if (geteuid() == 0) return; /* permissions do not bind root */
  chmod(path, 0);
  assert_fails(PL_EENV, pl_nc_open(path, false, &nc), path, "ermission");
  assert_fails(PL_EENV, pl_nc_create(path, true, false, &nc), path, "ermission");
}

/* The library gives zeros for what lies beyond the end of a CDF-5 file. */
static void a_truncated_file_is_refused(void **state) {
  (void)state;
  pl_nc *nc = NULL;
  double x[1000];
  for (int i = 0; i < 1000; i++) x[i] = i;
  assert_ok(pl_nc_create(path, true, false, &nc));
  assert_ok(pl_nc_def_dim(nc, "element", 1000));
  assert_ok(pl_nc_def_var(nc, "f", PL_NC_DOUBLE, (const char *[]){"element", NULL}, "f", "1"));
  assert_ok(pl_nc_end_def(nc));
  assert_ok(pl_nc_put_doubles(nc, "f", NULL, NULL, x));
  assert_ok(pl_nc_close(nc));
  assert_ok(pl_nc_open(path, false, &nc));
  assert_ok(pl_nc_close(nc));
  assert_int_equal(truncate(path, 7000), 0);
  nc = NULL;
  assert_fails(PL_EINPUT, pl_nc_open(path, false, &nc), path, "truncated: 7000 bytes");
  assert_null(nc);
}

static void a_read_only_file_refuses_writes(void **state) {
  (void)state;
  assert_ok(pl_nc_close(create_sample(false)));
  pl_nc *nc;
  assert_ok(pl_nc_open(path, false, &nc));
  assert_fails(PL_EINPUT, pl_nc_put_ints(nc, "n", NULL, NULL, (int64_t[]){1}), path, "'n'");
  assert_fails(PL_EINPUT, pl_nc_close(nc), "'n'");
  assert_ok(pl_nc_open(path, true, &nc));
  assert_ok(pl_nc_put_ints(nc, "n", NULL, NULL, (int64_t[]){1}));
  assert_ok(pl_nc_close(nc));
}

static void a_sync_is_seen_by_a_reader(void **state) {
  (void)state;
  pl_nc *nc = create_sample(false), *reader;
  int64_t n = 0;
  assert_ok(pl_nc_put_ints(nc, "n", NULL, NULL, (int64_t[]){17}));
  assert_ok(pl_nc_sync(nc));
  assert_ok(pl_nc_open(path, false, &reader));
  assert_ok(pl_nc_get_ints(reader, "n", NULL, NULL, &n));
  assert_int_equal(n, 17);
  assert_ok(pl_nc_close(reader));
  assert_ok(pl_nc_close(nc));
}

/* One double variable of `bytes`; the status of end_def. */
static pl_status fill_file(const char *file, int64_t bytes, pl_nc **nc) {
  const char *dims[] = {"i", NULL};
  PL_TRY(pl_nc_create(file, false, false, nc));
  PL_TRY(pl_nc_def_dim(*nc, "i", bytes / 8));
  PL_TRY(pl_nc_def_var(*nc, "x", PL_NC_DOUBLE, dims, NULL, NULL));
  return pl_nc_end_def(*nc);
}

/* The size limit of a process stands for a full disk where no file system can be mounted. */
static void no_room_shows_at_the_start(void **state) {
  (void)state;
  struct rlimit old, small;
  getrlimit(RLIMIT_FSIZE, &old);
  small = old;
  small.rlim_cur = 100000;
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  pl_nc *nc = NULL, *fits = NULL;
  pl_status st = fill_file(path, 200000, &nc);
  char message[256];
  snprintf(message, sizeof message, "%s", pl_error_message());
  pl_status closed = pl_nc_close(nc);
  bool removed = access(path, F_OK) != 0;
  pl_status second = fill_file(path, 90000, &fits);
  setrlimit(RLIMIT_FSIZE, &old);
  signal(SIGXFSZ, handler);
  assert_int_equal(st, PL_EENV);
  assert_non_null(strstr(message, path));
  assert_non_null(strstr(message, "File too large"));
  assert_int_equal(closed, PL_EENV);
  assert_true(removed);
  assert_int_equal(second, PL_OK);
  assert_ok(pl_nc_close(fits));
}

enum { CANNOT_MOUNT = 77 };

/* In a process with its own mounts: a file system of 256 KiB refuses a file that is 1 byte short of
 * room for it and takes a smaller one, whose every byte can then be rewritten. */
static int on_a_small_disk(void) {
  if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) return CANNOT_MOUNT;
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return CANNOT_MOUNT;
  if (mount("tmpfs", dir, "tmpfs", 0, "size=256k")) return CANNOT_MOUNT;
  pl_nc *nc = NULL;
  if (fill_file(path, 256 * 1024, &nc) != PL_EENV) return 1;
  if (!strstr(pl_error_message(), "No space left") || !strstr(pl_error_message(), path)) return 2;
  if (pl_nc_close(nc) != PL_EENV || access(path, F_OK) == 0) return 3;
  if (fill_file(path, 250000, &nc) != PL_OK) return 4;
  double *x = pl_zalloc(250000 / 8, sizeof *x, "x");
  if (pl_nc_put_doubles(nc, "x", NULL, NULL, x) || pl_nc_fsync(nc)) return 5;
  return pl_nc_close(nc) == PL_OK ? 0 : 6;
}

static void a_full_disk_shows_at_the_start(void **state) {
  (void)state;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) _exit(on_a_small_disk());
  int how;
  waitpid(child, &how, 0);
  assert_true(WIFEXITED(how));
  if (WEXITSTATUS(how) == CANNOT_MOUNT) skip();
  assert_int_equal(WEXITSTATUS(how), 0);
}

#define file_test(f) cmocka_unit_test_teardown(f, remove_file)
static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(values_come_back_cdf5, make_dir, remove_file),
    file_test(values_come_back_netcdf4),
    file_test(questions_are_answered),
    file_test(long_text_attributes_come_back_whole),
    file_test(expectations_name_what_is_wrong),
    file_test(slabs_are_checked),
    file_test(definitions_are_checked),
    file_test(paths_fail_by_their_reason),
    file_test(a_truncated_file_is_refused),
    file_test(a_read_only_file_refuses_writes),
    file_test(a_sync_is_seen_by_a_reader),
    file_test(no_room_shows_at_the_start),
    cmocka_unit_test_teardown(a_full_disk_shows_at_the_start, remove_dir),
};
PL_TEST_MAIN(tests)
