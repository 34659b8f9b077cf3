/* Shared by the test programs.  First line of each: ranks, for tests/run.sh.
 *
 *   int main(int argc, char **argv) { return pl_test_main(argc, argv, tests, n, NULL); }
 *
 * A failure on any rank fails the program on all; a leaked block fails it too. */
#ifndef PL_TEST_H
#define PL_TEST_H

#include "base/blas.h"
#include "base/comm.h"
#include "base/log.h"
#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static pl_comm pl_test_world;

/* |a - b| <= tol * max(1, |b|), or a failure that prints both. */
#define assert_close(a, b, tol)                                                                    \
  do {                                                                                             \
    double a_ = (a), b_ = (b), t_ = (tol)*fmax(1, fabs(b_));                                       \
    if (!(fabs(a_ - b_) <= t_)) {                                                                  \
      print_error("rank %d: %s = %.17g, expected %.17g within %.2g\n", pl_test_world.rank, #a, a_, \
                  b_, t_);                                                                         \
      fail();                                                                                      \
    }                                                                                              \
  } while (0)

/* Fails, with the message, if call does not return PL_OK. */
#define assert_ok(call)                                                                            \
  do {                                                                                             \
    if ((call) != PL_OK) {                                                                         \
      print_error("%s: %s\n", #call, pl_error_message());                                          \
      fail();                                                                                      \
    }                                                                                              \
  } while (0)

/* Fails unless call returned st with a message that holds part. */
static inline void assert_says(pl_status want, pl_status st, const char *part) {
  assert_int_equal(st, want);
  if (strstr(pl_error_message(), part)) return;
  print_error("message \"%s\" lacks \"%s\"\n", pl_error_message(), part);
  fail();
}

/* Setup of the first and teardown of the last test of a program that works in a folder of its own.
 */
static inline char *pl_test_folder(void) {
  static char folder[] = "/tmp/pl_test_XXXXXX";
  return folder;
}
static inline int enter_folder(void **state) {
  (void)state;
  return !mkdtemp(pl_test_folder()) || chdir(pl_test_folder());
}
static inline int leave_folder(void **state) {
  (void)state;
  char command[64];
  snprintf(command, sizeof command, "rm -r %s", pl_test_folder());
  return chdir("/") || system(command);
}

static inline int pl_test_run(int argc, char **argv, const char *name,
                              const struct CMUnitTest *tests, size_t n) {
  pl_blas_choose_kernels(argv);
  MPI_Init(&argc, &argv);
  pl_test_world = pl_comm_wrap(MPI_COMM_WORLD);
  pl_blas_threads();
  pl_log_init(pl_test_world.rank, PL_LOG_WARNING);
  int failed = _cmocka_run_group_tests(name, tests, n, NULL, NULL);
  if (pl_mem_live() != 0) {
    fprintf(stderr, "%s: %lld blocks leaked\n", name, (long long)pl_mem_live());
    failed++;
  }
  MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  MPI_Finalize();
  return failed != 0;
}
#define PL_TEST_MAIN(tests)                                                                        \
  int main(int argc, char **argv) {                                                                \
    return pl_test_run(argc, argv, __FILE__, tests, sizeof(tests) / sizeof *(tests));              \
  }

#endif
