/* ranks: 1 */
#include "pl_test.h"

#include "base/clock.h"
#include "base/lock.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

/* Rewrite the lock with one of its lines changed, and make it `age` seconds old. */
static void forge(const char *key, const char *value, double age) {
  char command[256];
  snprintf(command, sizeof command,
           "sed 's/^%s .*/%s %s/' out.nc.lock >l && cat l >out.nc.lock && rm l && "
           "touch -d '-%.0f seconds' out.nc.lock",
           key, key, value, age);
  assert_int_equal(system(command), 0);
}

/* A process that takes the lock and waits, or leaves without releasing it. */
static pid_t holder(bool stays) {
  int ready[2];
  char c;
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    pl_lock *l;
    c = pl_lock_take("out.nc", 0, NULL, &l) ? '-' : '+';
    if (write(ready[1], &c, 1) != 1) _exit(1);
    while (stays) sleep(1);
    _exit(0);
  }
  assert_int_equal(read(ready[0], &c, 1), 1);
  assert_int_equal(c, '+');
  close(ready[0]);
  close(ready[1]);
  if (!stays) waitpid(child, NULL, 0);
  return child;
}

static void end(pid_t child) {
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

static int entries(void) {
  int n = 0;
  FILE *p = popen("ls -A | wc -l", "r");
  assert_int_equal(fscanf(p, "%d", &n), 1);
  pclose(p);
  return n;
}

static void one_holds_it_and_leaves_nothing(void **state) {
  (void)state;
  pl_lock *l, *second;
  pl_lock_holder h;
  assert_int_equal(pl_lock_query("out.nc", NULL), PL_LOCK_FREE);
  setenv("SLURM_JOB_ID", "4711", 1);
  assert_ok(pl_lock_take("out.nc", 0, NULL, &l));
  unsetenv("SLURM_JOB_ID");
  assert_int_equal(entries(), 1);
  assert_int_equal(pl_lock_query("out.nc", &h), PL_LOCK_HELD);
  assert_int_equal(h.pid, getpid());
  assert_string_equal(h.job, "4711");
  assert_true(h.age < 5);
  /* Another output's is another's. */
  assert_ok(pl_lock_take("out.1.nc", 0, NULL, &second));
  pl_lock_release(second);
  char who[64];
  snprintf(who, sizeof who, "process %d", getpid());
  assert_says(PL_EENV, pl_lock_take("./out.nc", 30, NULL, &second), who);
  assert_says(PL_EENV, PL_EENV, "in use");
  assert_says(PL_EENV, PL_EENV, "job 4711");
  assert_ok(pl_lock_beat(l));
  pl_lock_release(l);
  assert_int_equal(entries(), 0);
  assert_ok(pl_lock_beat(NULL));
}

static void a_living_process_keeps_it(void **state) {
  (void)state;
  pl_lock *l;
  pid_t child = holder(true);
  assert_says(PL_EENV, pl_lock_take("out.nc", 0, NULL, &l), "in use");
  /* However old its heartbeat, and even if it cannot move. */
  kill(child, SIGSTOP);
  forge("since", "1", 100000);
  double start = pl_clock();
  assert_says(PL_EENV, pl_lock_take("out.nc", 60, NULL, &l), "in use");
  assert_true(pl_clock() - start < 5);
  end(child);
  assert_int_equal(pl_lock_query("out.nc", NULL), PL_LOCK_DEAD);
  assert_ok(pl_lock_take("out.nc", 0, NULL, &l));
  pl_lock_release(l);
  assert_int_equal(entries(), 0);
}

/* Dead at once: gone; a zombie; its number taken by another process. */
static void a_dead_process_does_not(void **state) {
  (void)state;
  pl_lock *l;
  pl_log_init(0, PL_LOG_ERROR);
  holder(false);
  assert_ok(pl_lock_take("out.nc", 0, NULL, &l));
  pl_lock_release(l);
  pid_t zombie = holder(true);
  kill(zombie, SIGKILL);
  siginfo_t info;
  waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT);
  assert_ok(pl_lock_take("out.nc", 0, NULL, &l));
  pl_lock_release(l);
  waitpid(zombie, NULL, 0);
  pid_t other = holder(true);
  forge("started", "12345", 0);
  assert_ok(pl_lock_take("out.nc", 0, NULL, &l));
  pl_lock_release(l);
  end(other);
  assert_int_equal(entries(), 0);
  /* One that died while it took over from another dead one. */
  holder(false);
  assert_int_equal(system("cp out.nc.lock out.nc.lock.takeover"), 0);
  assert_ok(pl_lock_take("out.nc", 0, NULL, &l));
  pl_lock_release(l);
  assert_int_equal(entries(), 0);
  pl_log_init(0, PL_LOG_WARNING);
}

static bool at_once(void) {
  return true;
}

/* Elsewhere: another host, another start of this one, another container. */
static void elsewhere_only_the_heartbeat_counts(void **state) {
  (void)state;
  const char *change[][2] = {{"host", "other"}, {"boot", "other"}, {"space", "7"}};
  pl_log_init(0, PL_LOG_ERROR);
  for (int i = 0; i < 3; i++) {
    pl_lock *l = NULL;
    pl_lock_holder h;
    holder(false);
    forge(change[i][0], change[i][1], PL_LOCK_STALE - 20);
    assert_says(PL_EENV, pl_lock_take("out.nc", 0, NULL, &l), "out.nc.lock holds until");
    assert_says(PL_STOPPED, pl_lock_take("out.nc", 60, at_once, &l), "stopped");
    assert_int_equal(pl_lock_query("out.nc", &h), PL_LOCK_HELD);
    assert_true(h.age > PL_LOCK_STALE - 25 && h.age < PL_LOCK_STALE - 10);
    /* Two seconds more, and it is stale: --resume waits for that. */
    forge(change[i][0], change[i][1], PL_LOCK_STALE - 2);
    double start = pl_clock();
    assert_ok(pl_lock_take("out.nc", 30, NULL, &l));
    assert_true(pl_clock() - start > 1 && pl_clock() - start < 15);
    pl_lock_release(l);
    assert_int_equal(entries(), 0);
  }
  /* One that promised less haste is waited for longer. */
  pl_lock *l;
  holder(false);
  forge("host", "other", PL_LOCK_STALE + 20);
  forge("promise", "600", PL_LOCK_STALE + 20);
  assert_int_equal(pl_lock_query("out.nc", NULL), PL_LOCK_HELD);
  forge("promise", "60", PL_LOCK_STALE + 20);
  assert_ok(pl_lock_take("out.nc", 0, NULL, &l));
  pl_lock_release(l);
  pl_log_init(0, PL_LOG_WARNING);
}

static void clocks_may_be_set_back(void **state) {
  (void)state;
  char text[600];
  pl_lock *l;
  pl_lock_holder h;
  pl_lock_watch w = {0};
  holder(false);
  forge("host", "other", 0);
  assert_int_equal(system("touch -d '+3600 seconds' out.nc.lock"), 0);
  assert_int_equal(pl_lock_query("out.nc", &h), PL_LOCK_HELD);
  assert_true(h.age < -3500);
  assert_non_null(strstr(pl_lock_describe(&h, text, sizeof text), "ahead: a clock was set back"));
  assert_says(PL_EENV, pl_lock_take("out.nc", 0, NULL, &l), "a clock was set back");
  unlink("out.nc.lock");
  /* It counts how long a heartbeat stands still, not when it was. */
  assert_false(pl_lock_stands_still(&w, 1e9, 100, 60));
  assert_false(pl_lock_stands_still(&w, 1e9, 159, 60));
  assert_false(pl_lock_stands_still(&w, 1e9 - 3600, 161, 60));
  assert_false(pl_lock_stands_still(&w, 1e9 - 3600, 220, 60));
  assert_true(pl_lock_stands_still(&w, 1e9 - 3600, 222, 60));
}

static void what_is_no_lock_grows_stale_too(void **state) {
  (void)state;
  pl_lock *l;
  assert_int_equal(system("echo nonsense >out.nc.lock"), 0);
  assert_says(PL_EENV, pl_lock_take("out.nc", 0, NULL, &l), "cannot be read");
  assert_int_equal(system("touch -d '-61 seconds' out.nc.lock"), 0);
  pl_log_init(0, PL_LOG_ERROR);
  assert_ok(pl_lock_take("out.nc", 0, NULL, &l));
  pl_log_init(0, PL_LOG_WARNING);
  pl_lock_release(l);
  /* Never through a link, nor from a FIFO. */
  assert_int_equal(symlink("/etc/passwd", "out.nc.lock"), 0);
  assert_says(PL_EENV, pl_lock_take("out.nc", 0, NULL, &l), "in use");
  unlink("out.nc.lock");
  assert_int_equal(mkfifo("out.nc.lock", 0666), 0);
  assert_says(PL_EENV, pl_lock_take("out.nc", 0, NULL, &l), "in use");
  unlink("out.nc.lock");
  assert_int_equal(entries(), 0);
}

/* Beats change the time of the file, and notice who else has written or removed it. */
static void a_lost_lock_is_noticed(void **state) {
  (void)state;
  pl_lock *l;
  pl_lock_holder h;
  struct stat s;
  assert_ok(pl_lock_take("out.nc", 0, NULL, &l));
  assert_ok(pl_lock_promise(l, 300));
  assert_int_equal(pl_lock_query("out.nc", &h), PL_LOCK_HELD);
  assert_true(h.promise == 300);
  assert_int_equal(system("touch -d '-100 seconds' out.nc.lock"), 0);
  assert_ok(pl_lock_beat(l)); /* too early: nothing happens */
  assert_int_equal(stat("out.nc.lock", &s), 0);
  assert_true(time(NULL) - s.st_mtim.tv_sec > 50);
  for (int i = 0; i < PL_LOCK_BEAT + 1; i++) pl_sleep(1);
  assert_ok(pl_lock_beat(l));
  assert_int_equal(stat("out.nc.lock", &s), 0);
  assert_true(time(NULL) - s.st_mtim.tv_sec < 5);
  assert_ok(pl_lock_confirm(l));
  forge("token", "another", 0);
  assert_ok(pl_lock_beat(l)); /* too early to ask */
  assert_says(PL_EENV, pl_lock_confirm(l), "taken over");
  assert_says(PL_EENV, pl_lock_promise(l, 60), "taken over");
  assert_says(PL_EENV, pl_lock_beat(l), "taken over");
  pl_lock_release(l); /* someone else's stays */
  assert_int_equal(entries(), 1);
  unlink("out.nc.lock");
  assert_ok(pl_lock_take("out.nc", 0, NULL, &l));
  unlink("out.nc.lock");
  assert_says(PL_EENV, pl_lock_promise(l, 100), "removed");
  pl_lock_release(l);
}

static void links_share_it(void **state) {
  (void)state;
  pl_lock *l, *second;
  assert_int_equal(symlink("real.nc", "link.nc"), 0); /* a file to be */
  assert_ok(pl_lock_take("link.nc", 0, NULL, &l));
  assert_says(PL_EENV, pl_lock_take("real.nc", 0, NULL, &second), "in use");
  pl_lock_release(l);
  assert_ok(pl_lock_take("real.nc", 0, NULL, &l));
  assert_says(PL_EENV, pl_lock_take("link.nc", 0, NULL, &second), "in use");
  pl_lock_release(l);
  unlink("link.nc");
  assert_says(PL_EENV, pl_lock_take("absent/out.nc", 0, NULL, &l), "absent/out.nc");
}

/* Many want it, and the lock of a dead process, at once: at every moment one has it. */
static void only_one_gets_it(void **state) {
  (void)state;
  enum { MANY = 8, ROUNDS = 20 };
  pl_log_init(0, PL_LOG_ERROR);
  for (int round = 0; round < 3; round++) {
    if (round) holder(false);
    pid_t child[MANY];
    for (int i = 0; i < MANY; i++) {
      child[i] = fork();
      if (child[i]) continue;
      int had = 0;
      for (double until = pl_clock() + 60; had < ROUNDS && pl_clock() < until;) {
        pl_lock *l;
        if (pl_lock_take("out.nc", 0, NULL, &l)) {
          pl_sleep(1e-3);
          continue;
        }
        /* The critical section: exclusive, or its file is there already. */
        int fd = open("inside", O_CREAT | O_EXCL | O_WRONLY, 0666);
        if (fd < 0) _exit(1);
        pl_sleep(1e-4);
        close(fd);
        unlink("inside");
        had++;
        pl_lock_release(l);
      }
      _exit(had == ROUNDS ? 0 : 2);
    }
    for (int i = 0; i < MANY; i++) {
      int how;
      waitpid(child[i], &how, 0);
      assert_true(WIFEXITED(how));
      assert_int_equal(WEXITSTATUS(how), 0);
    }
    assert_int_equal(entries(), 0);
  }
  pl_log_init(0, PL_LOG_WARNING);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(one_holds_it_and_leaves_nothing, enter_folder),
    cmocka_unit_test(a_living_process_keeps_it),
    cmocka_unit_test(a_dead_process_does_not),
    cmocka_unit_test(elsewhere_only_the_heartbeat_counts),
    cmocka_unit_test(clocks_may_be_set_back),
    cmocka_unit_test(what_is_no_lock_grows_stale_too),
    cmocka_unit_test(a_lost_lock_is_noticed),
    cmocka_unit_test(links_share_it),
    cmocka_unit_test_teardown(only_one_gets_it, leave_folder),
};
PL_TEST_MAIN(tests)
