/* ranks: 1 */
#include "pl_test.h"

#include "base/cores.h"
#include "base/limits.h"

#include <sys/resource.h>
#include <sys/wait.h>

static void shell(const char *command) {
  assert_int_equal(system(command), 0);
}

static void no_slurm(void) {
  unsetenv("SLURM_MEM_PER_NODE");
  unsetenv("SLURM_MEM_PER_CPU");
  unsetenv("SLURM_CPUS_ON_NODE");
  unsetenv("SLURM_CPUS_PER_TASK");
}

static int bounds_of(const char *root, int sharing, double bytes, pl_memory_bound by,
                     const char *says) {
  pl_memory m = pl_memory_limit_below(root, sharing);
  assert_close(m.bytes, bytes, 1e-12);
  assert_int_equal(m.bound, by);
  if (!strstr(m.says, says)) fail_msg("\"%s\" lacks \"%s\"", m.says, says);
  return 0;
}

static const double MB = 1048576;

/* 1000 MB of memory, of which 900 count. */
static void machine(void) {
  shell("rm -rf r; mkdir -p r/proc/self; echo 'MemTotal: 1024000 kB' >r/proc/meminfo");
}

static void the_machine_bounds_what_nothing_else_does(void **state) {
  (void)state;
  no_slurm();
  machine();
  bounds_of("r", 1, 900 * MB, PL_MEMORY_MACHINE, "machine");
  bounds_of("r", 4, 225 * MB, PL_MEMORY_MACHINE, "machine");
  assert_true(pl_memory_limit(1).bytes > 1e8);
}

static void slurm_bounds(void **state) {
  (void)state;
  machine();
  setenv("SLURM_MEM_PER_NODE", "400", 1);
  bounds_of("r", 4, 100 * MB, PL_MEMORY_SLURM, "SLURM_MEM_PER_NODE");
  setenv("SLURM_MEM_PER_CPU", "50", 1);
  setenv("SLURM_CPUS_ON_NODE", "6", 1);
  bounds_of("r", 3, 100 * MB, PL_MEMORY_SLURM, "SLURM_MEM_PER_CPU");
  unsetenv("SLURM_CPUS_ON_NODE");
  setenv("SLURM_CPUS_PER_TASK", "2", 1);
  bounds_of("r", 3, 100 * MB, PL_MEMORY_SLURM, "SLURM_MEM_PER_CPU");
  no_slurm();
  setenv("SLURM_MEM_PER_NODE", "0", 1); /* all of it */
  bounds_of("r", 1, 900 * MB, PL_MEMORY_MACHINE, "machine");
  no_slurm();
}

static void control_groups_bound(void **state) {
  (void)state;
  no_slurm();
  machine();
  /* Version 2: the group above is the tighter one. */
  shell("cd r && echo '0::/a/job' >proc/self/cgroup && "
        "echo '30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate' >proc/self/mountinfo"
        " && mkdir -p sys/fs/cgroup/a/job && echo max >sys/fs/cgroup/a/job/memory.max");
  bounds_of("r", 1, 900 * MB, PL_MEMORY_MACHINE, "machine");
  shell("echo 104857600 >r/sys/fs/cgroup/a/memory.max");
  bounds_of("r", 2, 50 * MB, PL_MEMORY_CGROUP, "control group /a, memory.max");
  shell("echo 52428800 >r/sys/fs/cgroup/a/job/memory.max");
  bounds_of("r", 1, 50 * MB, PL_MEMORY_CGROUP, "control group /a/job, memory.max");
  /* Slurm promises more than there is. */
  setenv("SLURM_MEM_PER_NODE", "400", 1);
  bounds_of("r", 1, 50 * MB, PL_MEMORY_CGROUP, "/a/job");
  no_slurm();

  /* Version 1 beside it, its memory controller among others; in a container whose mount shows the
   * container's own group. */
  shell("cd r && mkdir -p m/job && echo 9223372036854771712 >m/memory.limit_in_bytes && "
        "echo 20971520 >m/job/memory.limit_in_bytes && "
        "printf '5:cpu,cpuacct:/x\\n7:hugetlb,memory:/docker/1/job\\n0::/a/job\\n' "
        ">proc/self/cgroup && "
        "echo '31 23 0:27 /docker/1 /m ro,nosuid - cgroup cgroup rw,memory,hugetlb' "
        ">>proc/self/mountinfo");
  bounds_of("r", 1, 20 * MB, PL_MEMORY_CGROUP, "control group /job, memory.limit_in_bytes");
  shell("echo 9223372036854771712 >r/m/job/memory.limit_in_bytes");
  bounds_of("r", 1, 50 * MB, PL_MEMORY_CGROUP, "control group /a/job, memory.max");
}

/* Of the process alone, and less what it has: in a child, which cannot take it back. */
static void ulimit_bounds(void **state) {
  (void)state;
  no_slurm();
  pid_t child = fork();
  if (child == 0) {
    double before = pl_memory_limit(1).bytes;
    struct rlimit limit = {.rlim_cur = (rlim_t)1 << 60, .rlim_max = RLIM_INFINITY};
    if (setrlimit(RLIMIT_AS, &limit)) _exit(1);
    if (pl_memory_limit(1).bytes != before) _exit(2); /* no bound to speak of */
    FILE *f = fopen("/proc/self/statm", "r");
    long pages = 0;
    if (fscanf(f, "%ld", &pages) != 1) _exit(3);
    fclose(f);
    limit.rlim_cur = (rlim_t)(pages * sysconf(_SC_PAGESIZE)) + (64 << 20);
    if (setrlimit(RLIMIT_AS, &limit)) _exit(4);
    pl_memory m = pl_memory_limit(1);
    if (m.bound != PL_MEMORY_PROCESS || !strstr(m.says, "ulimit -v")) _exit(5);
    if (!(m.bytes > (60 << 20) && m.bytes <= (64 << 20))) _exit(6);
    if (pl_memory_limit(7).bytes < (60 << 20)) _exit(7);
    _exit(0);
  }
  int how;
  waitpid(child, &how, 0);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), 0);
}

static void crowds_are_told(void **state) {
  (void)state;
  static const struct {
    pl_cores c;
    const char *words; /* NULL: nothing to complain of */
  } cases[] = {
      {{4, 4, 4, 4, "n1"}, NULL},
      {{4, 8, 4, 8, "n1"}, NULL},
      {{8, 0, 0, 8, "n1"}, NULL}, /* not known */
      {{8, 8, 4, 8, "n1"}, "8 ranks on the 4 physical cores of n1"},
      {{8, 2, 2, 2, "n1"}, "8 ranks share 2 of the 2 processors of n1"},
      {{2, 1, 1, 8, "n1"}, "--bind-to none"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *says = pl_cores_complaint(&cases[i].c);
    assert_int_equal(!says, !cases[i].words);
    if (says) assert_non_null(strstr(says, cases[i].words));
    pl_free(says);
  }
  pl_comm world = pl_comm_wrap(MPI_COMM_WORLD);
  pl_cores here = pl_cores_count(&world);
  assert_int_equal(here.ranks, world.size);
  assert_true(here.cores >= 1 && here.cores <= here.threads && here.threads <= here.online);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(crowds_are_told),
    cmocka_unit_test_setup(the_machine_bounds_what_nothing_else_does, enter_folder),
    cmocka_unit_test(slurm_bounds),
    cmocka_unit_test(control_groups_bound),
    cmocka_unit_test_teardown(ulimit_bounds, leave_folder),
};
PL_TEST_MAIN(tests)
