/* ranks: 1 */
#include "pl_test.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>

static void write_file(const char *name, const char *text) {
  FILE *f = fopen(name, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

/* ---- reading ---- */

/* Whatever is no regular file is refused at once: none of them ends. */
static void only_regular_files_are_read(void **state) {
  (void)state;
  assert_int_equal(mkfifo("fifo", 0666), 0);
  assert_int_equal(symlink("fifo", "to_fifo"), 0);
  assert_int_equal(mkdir("folder", 0777), 0);
  const char *bad[] = {"fifo", "to_fifo", "folder", "/dev/zero", "/dev/tty"};
  double start = pl_clock();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char *text;
    pl_digest d;
    assert_says(PL_EINPUT, pl_file_read(bad[i], 100, "a test", &text, NULL), bad[i]);
    assert_says(PL_EINPUT, pl_digest_file(bad[i], NULL, &d), "not a regular file");
  }
  char *text;
  assert_says(PL_EINPUT, pl_file_read("absent", 100, "a test", &text, NULL), "No such file");
  assert_true(pl_clock() - start < 1);
  unlink("fifo"), unlink("to_fifo"), rmdir("folder");
}

static void text_is_read_whole_and_bounded(void **state) {
  (void)state;
  char *text;
  size_t n;
  write_file("a", "0123456789");
  assert_ok(pl_file_read("a", 10, "a test", &text, &n));
  assert_int_equal(n, 10);
  assert_string_equal(text, "0123456789");
  pl_free(text);
  assert_says(PL_EINPUT, pl_file_read("a", 9, "rankings", &text, &n), "too large for rankings");
  write_file("a", "");
  assert_ok(pl_file_read("a", 0, "a test", &text, &n));
  assert_int_equal(n, 0);
  pl_free(text);
  /* Files that say to be empty, and are not. */
  assert_ok(pl_file_read("/proc/self/status", 100000, "a test", &text, &n));
  assert_true(n > 10 && strlen(text) == n);
  pl_free(text);
  unlink("a");
}

static void one_file_has_many_names(void **state) {
  (void)state;
  write_file("a", "x");
  write_file("other", "x");
  assert_int_equal(link("a", "hard"), 0);
  assert_int_equal(symlink("a", "soft"), 0);
  assert_int_equal(symlink("soft", "softer"), 0);
  assert_int_equal(mkdir("d", 0777), 0);
  char whole[128];
  snprintf(whole, sizeof whole, "%s/d/../a", pl_test_folder());
  const char *same[] = {"a", "./a", "hard", "soft", "softer", "d/../a", whole};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    assert_true(pl_file_same("a", same[i]));
    assert_true(pl_file_same(same[i], "softer"));
    assert_false(pl_file_same(same[i], "other"));
    assert_false(pl_file_same(same[i], "new"));
  }
  /* Names of files to be. */
  assert_int_equal(symlink("new", "to_new"), 0);
  assert_true(pl_file_same("new", "d/../new"));
  assert_true(pl_file_same("new", "to_new"));
  assert_false(pl_file_same("new", "d/new"));
  assert_false(pl_file_same("absent/new", "new"));
  char *target = pl_file_target("softer");
  assert_true(pl_file_same(target, "a"));
  struct stat s;
  assert_true(!lstat(target, &s) && S_ISREG(s.st_mode));
  pl_free(target);
  /* A ring of links leads nowhere, and ends. */
  assert_int_equal(symlink("ring", "ring2"), 0);
  assert_int_equal(symlink("ring2", "ring"), 0);
  assert_false(pl_file_same("ring", "a"));
  pl_free(pl_file_target("ring"));
}

static void temporary_files_are_new(void **state) {
  (void)state;
  umask(022);
  char *names[50];
  for (int i = 0; i < 50; i++) {
    int fd;
    assert_ok(pl_file_temporary("t.nc", &names[i], &fd));
    struct stat s;
    assert_int_equal(fstat(fd, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0644);
    assert_int_equal(s.st_size, 0);
    close(fd);
    for (int j = 0; j < i; j++) assert_string_not_equal(names[i], names[j]);
    assert_memory_equal(names[i], "t.nc.", 5);
  }
  for (int i = 0; i < 50; i++) unlink(names[i]), pl_free(names[i]);
  char *name;
  assert_says(PL_EENV, pl_file_temporary("absent/t.nc", &name, NULL), "absent/t.nc");
}

/* ---- digests ---- */

/* FIPS 180-4's examples (NIST, Examples with intermediate values), and what sha256sum says. */
static void digests_are_sha256(void **state) {
  (void)state;
  const struct {
    const char *text, *sha256;
  } known[] = {{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
               {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
               {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
               {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"}};
  pl_digest d;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    pl_digest_bytes(known[i].text, strlen(known[i].text), &d);
    assert_string_equal(d.sha256, known[i].sha256);
    assert_int_equal(d.size, strlen(known[i].text));
  }
  /* A million times "a", in pieces of all sizes. */
  pl_sha256 s;
  char text[PL_DIGEST_TEXT], a[1000];
  memset(a, 'a', sizeof a);
  pl_sha256_init(&s);
  for (size_t left = 1000000, n = 1; left > 0; left -= n, n = n % 997 + 1) {
    if (n > left) n = left;
    pl_sha256_add(&s, a, n);
  }
  pl_sha256_end(&s, text);
  assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Lengths around the block and its padding, against coreutils. */
static void files_are_digested_as_by_sha256sum(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 3000000};
  char *bytes = pl_alloc(3000000, 1, "bytes");
  for (size_t k = 0; k < 3000000; k++) bytes[k] = (char)(k * k / 7 + k);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    FILE *f = fopen("b", "wb");
    assert_int_equal(fwrite(bytes, 1, sizes[i], f), sizes[i]);
    fclose(f);
    char want[PL_DIGEST_TEXT] = "";
    FILE *p = popen("sha256sum b", "r");
    assert_int_equal(fscanf(p, "%64s", want), 1);
    pclose(p);
    pl_digest d, again;
    assert_ok(pl_digest_file("b", NULL, &d));
    assert_string_equal(d.sha256, want);
    assert_int_equal(d.size, sizes[i]);
    pl_digest_bytes(bytes, sizes[i], &again);
    assert_true(pl_digest_equal(&d, &again));
  }
  pl_free(bytes);
}

static bool at_once(void) {
  return true;
}

static void changes_are_told(void **state) {
  (void)state;
  pl_digest was, is;
  write_file("x.nc", "one");
  assert_ok(pl_digest_file("x.nc", NULL, &was));
  write_file("x.nc", "two");
  assert_ok(pl_digest_file("x.nc", NULL, &is));
  assert_says(PL_EINPUT, pl_digest_expect("data.path", "x.nc", &was, &is), "data.path: x.nc has");
  assert_non_null(strstr(pl_error_message(), was.sha256));
  assert_non_null(strstr(pl_error_message(), is.sha256));
  assert_ok(pl_digest_expect("data.path", "x.nc", &is, &is));
  /* A large file, here a sparse one, is left when a signal says so. */
  assert_int_equal(truncate("x.nc", (off_t)1 << 40), 0);
  double start = pl_clock();
  assert_says(PL_STOPPED, pl_digest_file("x.nc", at_once, &is), "stopped");
  assert_true(pl_clock() - start < 10);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(only_regular_files_are_read, enter_folder),
    cmocka_unit_test(text_is_read_whole_and_bounded),
    cmocka_unit_test(one_file_has_many_names),
    cmocka_unit_test(temporary_files_are_new),
    cmocka_unit_test(digests_are_sha256),
    cmocka_unit_test(files_are_digested_as_by_sha256sum),
    cmocka_unit_test_teardown(changes_are_told, leave_folder),
};
PL_TEST_MAIN(tests)
