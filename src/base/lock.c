#include "base/lock.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CONTENT = 2048, MAX_TRIES = 20 };
static const double moment = 0.25; /* s */

struct pl_lock {
  char *path, *output;
  pl_lock_holder self;
  double beat; /* pl_clock of the last heartbeat */
  char *lost;  /* the message, once it is */
};

/* ---- processes ---- */

/* The first word of a file of the system; "" if there is none. */
static void first_word(const char *path, char *out, size_t n) {
  out[0] = 0;
  FILE *f = fopen(path, "re");
  if (!f) return;
  if (fgets(out, (int)n, f)) out[strcspn(out, " \n")] = 0;
  fclose(f);
}

/* Linux's mark of a process that ends: it runs no more, but large memory takes it seconds to give
 * back. */
enum { EXITING = 0x4 };

/* When a process started, in clock ticks since boot; -1: there is none, -2: not to be known. */
static int64_t start_of(int64_t pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
  FILE *f = fopen(path, "re");
  if (!f) return kill((pid_t)pid, 0) && errno == ESRCH ? -1 : -2;
  size_t n = fread(text, 1, sizeof text - 1, f);
  fclose(f);
  text[n] = 0;
  /* "pid (name) state ..": the name may hold anything, so from its last bracket on; the start is
   * field 22, the state field 3, the flags field 9. */
  char *at = strrchr(text, ')');
  if (!at) return n ? -2 : -1;
  char state;
  unsigned long flags;
  if (sscanf(at + 1, " %c %*d %*d %*d %*d %*d %lu", &state, &flags) != 2) return -2;
  if (state == 'Z' || state == 'X' || flags & EXITING) return -1;
  for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
  return at ? strtoll(at + 1, NULL, 10) : -2;
}

static int64_t pid_space(void) {
  struct stat s;
  return stat("/proc/self/ns/pid", &s) ? 0 : (int64_t)s.st_ino;
}

static const char *job_of_queue(void) {
  static const char *const names[] = {"SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *job = getenv(names[i]);
    if (job && *job) return job;
  }
  return "";
}

/* Only what the content can carry: no blanks, nothing that is not ASCII. */
static void put_word(char *out, size_t n, const char *text) {
  size_t k = 0;
  for (; *text && k + 1 < n; text++) out[k++] = *text > ' ' && *text < 127 ? *text : '?';
  out[k] = 0;
}

static void identify(pl_lock_holder *h) {
  char word[256] = "";
  memset(h, 0, sizeof *h);
  gethostname(word, sizeof word - 1);
  put_word(h->host, sizeof h->host, word);
  first_word("/proc/sys/kernel/random/boot_id", word, sizeof word);
  put_word(h->boot, sizeof h->boot, word);
  put_word(h->job, sizeof h->job, job_of_queue());
  h->pid = getpid();
  h->started = start_of(h->pid);
  h->pid_space = pid_space();
  h->since = time(NULL);
  h->promise = PL_LOCK_STALE;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(h->token, sizeof h->token, "%08x%08x%016llx", (unsigned)now.tv_sec,
           (unsigned)now.tv_nsec, (unsigned long long)h->pid ^ (uint64_t)(uintptr_t)h << 16);
}

/* ---- content ---- */

static int print(const pl_lock_holder *h, char *text) {
  return snprintf(text, CONTENT,
                  "plancherel-lock 1\nhost %s\npid %lld\nstarted %lld\nboot %s\nspace %lld\n"
                  "since %lld\njob %s\npromise %.0f\ntoken %s\nend\n",
                  h->host, (long long)h->pid, (long long)h->started, *h->boot ? h->boot : "-",
                  (long long)h->pid_space, (long long)h->since, *h->job ? h->job : "-", h->promise,
                  h->token);
}

/* What is no lock, or not yet a whole one, has pid 0. */
static void parse(const char *text, pl_lock_holder *h) {
  long long pid, started, space, since;
  memset(h, 0, sizeof *h);
  h->promise = PL_LOCK_STALE;
  int n = 0;
  sscanf(text,
         "plancherel-lock 1\nhost %255s\npid %lld\nstarted %lld\nboot %39s\nspace %lld\n"
         "since %lld\njob %63s\npromise %lf\ntoken %39s\nend%n",
         h->host, &pid, &started, h->boot, &space, &since, h->job, &h->promise, h->token, &n);
  if (!n || !(h->promise >= PL_LOCK_STALE)) {
    memset(h, 0, sizeof *h);
    h->promise = PL_LOCK_STALE;
    return;
  }
  h->pid = pid;
  h->started = started;
  h->pid_space = space;
  h->since = since;
  if (!strcmp(h->boot, "-")) h->boot[0] = 0;
  if (!strcmp(h->job, "-")) h->job[0] = 0;
}

static double seconds(struct timespec t) {
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The time of the file system at path: that of a file just made there, of our own clock where none
 * can be made. */
static double time_beside(const char *path) {
  char *name;
  int fd;
  struct timespec now;
  struct stat s;
  clock_gettime(CLOCK_REALTIME, &now);
  if (pl_file_temporary(path, &name, &fd)) return seconds(now);
  /* Written, since creating alone may take the time from us. */
  double t = write(fd, "", 1) == 1 && !fsync(fd) && !fstat(fd, &s) ? seconds(s.st_mtim) : 0;
  close(fd);
  unlink(name);
  pl_free(name);
  return t > 0 ? t : seconds(now);
}

/* The holder; false if there is no lock.  Opened anew every time, which makes NFS ask its server.
 * *changed, if not NULL, is when it last showed life. */
static bool read_lock(const char *path, pl_lock_holder *h, double *changed) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  memset(h, 0, sizeof *h);
  h->promise = PL_LOCK_STALE;
  if (changed) *changed = INFINITY;
  /* Where it is there and unreadable, pid and age stay 0. */
  if (fd < 0) return errno != ENOENT && errno != ENOTDIR;
  char text[CONTENT];
  struct stat s;
  ssize_t n = 0;
  bool regular = !fstat(fd, &s) && S_ISREG(s.st_mode);
  if (regular) n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n > 0 ? n : 0] = 0;
  if (regular) parse(text, h);
  if (regular && changed) *changed = seconds(s.st_mtim);
  return true;
}

/* ---- alive or dead ---- */

typedef enum { ALIVE, GONE, ELSEWHERE } life;

/* Another start of this host may be another host of the same name, and counts as one. */
static life life_of(const pl_lock_holder *h) {
  pl_lock_holder me;
  identify(&me);
  if (!h->pid || !*h->boot || strcmp(h->host, me.host) || strcmp(h->boot, me.boot) ||
      h->pid_space != me.pid_space)
    return ELSEWHERE;
  int64_t started = start_of(h->pid);
  if (started == -1) return GONE;
  /* Another process may have taken over the number. */
  return started == -2 || h->started < 0 || started == h->started ? ALIVE : GONE;
}

/* What stands at path, and whether its process lives: by the clock of the file system, if it is
 * only seen by its heartbeat. */
static pl_lock_state look_at(const char *path, pl_lock_holder *h, life *how, double *changed) {
  if (!read_lock(path, h, changed)) return PL_LOCK_FREE;
  *how = life_of(h);
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  h->age = (*how == ELSEWHERE ? time_beside(path) : seconds(now)) - *changed;
  /* Clocks may differ by a little, and what cannot be read has no time at all. */
  if (!isfinite(h->age) || (h->age < 0 && h->age > -PL_LOCK_BEAT)) h->age = 0;
  return *how == GONE || (*how == ELSEWHERE && h->age > h->promise) ? PL_LOCK_DEAD : PL_LOCK_HELD;
}

bool pl_lock_stands_still(pl_lock_watch *w, double changed, double now, double promise) {
  if (changed != w->changed) *w = (pl_lock_watch){changed, now};
  return now - w->since > promise;
}

/* ---- taking ---- */

static pl_status cannot(const char *output, const char *doing, int reason) {
  return pl_error(PL_EENV, "%s: cannot %s its lock: %s", output, doing, pl_file_reason(reason));
}

/* A finished file with our content beside the lock. */
static pl_status write_beside(const pl_lock *l, char **name) {
  char text[CONTENT];
  int fd, n = print(&l->self, text);
  if (pl_file_temporary(l->path, name, &fd)) return pl_error_in(PL_EENV, "%s: ", l->output);
  int reason = write(fd, text, (size_t)n) == n ? 0 : errno ? errno : ENOSPC;
  if (close(fd) && !reason) reason = errno;
  if (!reason) return PL_OK;
  unlink(*name);
  pl_free(*name);
  return cannot(l->output, "write", reason);
}

/* Where there are no hard links: created exclusively, then written. */
static int create_plainly(const pl_lock *l, const char *path) {
  char text[CONTENT];
  int n = print(&l->self, text);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) return errno;
  int reason = write(fd, text, (size_t)n) == n ? 0 : errno;
  if (close(fd) && !reason) reason = errno;
  if (reason) unlink(path);
  return reason;
}

/* The lock itself or the guard of its takeover.  *made false: there is one already. */
static pl_status create(const pl_lock *l, const char *path, bool *made) {
  char *name;
  PL_TRY(write_beside(l, &name));
  struct stat s;
  int reason = link(name, path) ? errno : 0;
  /* On NFS the answer may get lost, and the link be there. */
  if (reason && reason != EEXIST && !stat(name, &s) && s.st_nlink == 2) reason = 0;
  if (reason == EPERM || reason == EOPNOTSUPP || reason == ENOSYS || reason == EMLINK ||
      reason == EXDEV)
    reason = create_plainly(l, path);
  unlink(name);
  pl_free(name);
  *made = !reason;
  return !reason || reason == EEXIST ? PL_OK : cannot(l->output, "create", reason);
}

/* That of a process that died while it took over. */
static void drop_dead_guard(const pl_lock *l, const char *guard) {
  pl_lock_holder h;
  double changed;
  if (!read_lock(guard, &h, &changed)) return;
  life how = life_of(&h);
  if (how == GONE || (how == ELSEWHERE && changed + PL_LOCK_BEAT < time_beside(l->path)))
    unlink(guard);
}

/* Our own content in the place of a dead holder's, in one step: the lock never is absent meanwhile,
 * so nobody creates one; and only who holds the guard beside it does this, having looked again.
 * *made false: someone else is at it, or was. */
static pl_status take_over(pl_lock *l, const pl_lock_holder *dead, bool *made) {
  char *name, *guard = pl_asprintf("%s.takeover", l->path);
  pl_lock_holder now;
  bool guarded = false;
  pl_status st = create(l, guard, &guarded);
  if (!st && guarded) st = write_beside(l, &name);
  if (!st && guarded) {
    bool same = read_lock(l->path, &now, NULL) && !strcmp(now.token, dead->token);
    int reason = same && rename(name, l->path) ? errno : 0;
    *made = same && !reason;
    if (!*made) unlink(name);
    if (reason) st = cannot(l->output, "take over", reason);
    pl_free(name);
  }
  if (guarded) {
    unlink(guard);
  } else if (!st) {
    drop_dead_guard(l, guard);
    pl_sleep(1e-3);
  }
  pl_free(guard);
  return st;
}

static pl_status in_use(const pl_lock *l, const pl_lock_holder *h, life how) {
  char text[600];
  pl_error(PL_EENV, "%s: in use: %s", l->output, pl_lock_describe(h, text, sizeof text));
  if (how != ELSEWHERE) return PL_EENV;
  return pl_error(PL_EENV, "%s; if it is dead, its lock %s holds until that is %.0f s",
                  pl_error_message(), l->path, h->promise);
}

/* A second, or less if stop asks. */
static bool rest(bool (*stop)(void)) {
  for (int i = 0; i < 4; i++) {
    if (stop && stop()) return true;
    pl_sleep(moment);
  }
  return false;
}

static pl_status take(pl_lock *l, double wait, bool (*stop)(void)) {
  double until = pl_clock() + wait;
  char who[600] = "", text[600];
  bool made = false, told = false;
  pl_lock_watch watch = {0};
  for (int tries = 0; tries < MAX_TRIES;) {
    if (!made) PL_TRY(create(l, l->path, &made));
    if (made) {
      if (*who)
        pl_log(PL_LOG_WARNING, "%s: taken over from a process that is gone: %s", l->output, who);
      return PL_OK;
    }
    pl_lock_holder h;
    life how;
    double changed;
    pl_lock_state state = look_at(l->path, &h, &how, &changed);
    if (state == PL_LOCK_HELD && how == ELSEWHERE && isfinite(changed) &&
        pl_lock_stands_still(&watch, changed, pl_clock(), h.promise))
      state = PL_LOCK_DEAD;
    switch (state) {
    case PL_LOCK_FREE:
      tries++;
      continue;
    case PL_LOCK_DEAD:
      tries++;
      pl_lock_describe(&h, who, sizeof who);
      PL_TRY(take_over(l, &h, &made));
      continue;
    case PL_LOCK_HELD:
      break;
    }
    if (how == ALIVE || pl_clock() >= until) return in_use(l, &h, how);
    if (!told)
      pl_log(PL_LOG_INFO, "%s: in use: %s; waiting up to %.0f s for its end", l->output,
             pl_lock_describe(&h, text, sizeof text), wait);
    told = true;
    if (rest(stop)) return pl_error(PL_STOPPED, "%s: stopped while waiting for it", l->output);
  }
  return pl_error(PL_EENV, "%s: its lock %s changes hands all the time", l->output, l->path);
}

pl_status pl_lock_take(const char *path, double wait, bool (*stop)(void), pl_lock **out) {
  pl_lock *l = pl_zalloc(1, sizeof *l, "a lock");
  char *target = pl_file_target(path);
  l->path = pl_asprintf("%s.lock", target);
  l->output = pl_strdup(path);
  identify(&l->self);
  pl_status st = take(l, wait, stop);
  l->beat = pl_clock();
  pl_free(target);
  if (!st) {
    *out = l;
    return PL_OK;
  }
  pl_free(l->path);
  pl_free(l->output);
  pl_free(l);
  return st;
}

/* ---- holding ---- */

static bool ours(const pl_lock *l, pl_lock_holder *h) {
  return read_lock(l->path, h, NULL) && !strcmp(h->token, l->self.token);
}

/* Someone who took it for dead may have moved it aside for a moment. */
static bool still_ours(const pl_lock *l, pl_lock_holder *h) {
  if (ours(l, h)) return true;
  pl_sleep(moment);
  return ours(l, h);
}

static pl_status lost(pl_lock *l, const pl_lock_holder *h) {
  char text[600];
  l->lost = h->pid ? pl_asprintf("%s: its lock has been taken over: %s", l->output,
                                 pl_lock_describe(h, text, sizeof text))
                   : pl_asprintf("%s: its lock %s has been removed", l->output, l->path);
  return pl_error(PL_EENV, "%s", l->lost);
}

pl_status pl_lock_confirm(pl_lock *l) {
  if (!l) return PL_OK;
  if (l->lost) return pl_error(PL_EENV, "%s", l->lost);
  pl_lock_holder h;
  if (!still_ours(l, &h)) return lost(l, &h);
  /* By the server's clock.  If that fails for once, the next beat may not. */
  utimensat(AT_FDCWD, l->path, NULL, AT_SYMLINK_NOFOLLOW);
  l->beat = pl_clock();
  return PL_OK;
}

pl_status pl_lock_beat(pl_lock *l) {
  bool early = l && !l->lost && pl_clock() - l->beat < PL_LOCK_BEAT;
  return early ? PL_OK : pl_lock_confirm(l);
}

pl_status pl_lock_promise(pl_lock *l, double s) {
  if (!l) return PL_OK;
  if (l->lost) return pl_error(PL_EENV, "%s", l->lost);
  double old = l->self.promise;
  l->self.promise = ceil(fmax(s, PL_LOCK_STALE));
  if (l->self.promise == old) return PL_OK;
  pl_lock_holder h;
  char *name;
  if (!still_ours(l, &h)) return lost(l, &h);
  PL_TRY(write_beside(l, &name));
  int reason = rename(name, l->path) ? errno : 0;
  if (reason) unlink(name);
  pl_free(name);
  if (reason) return cannot(l->output, "write", reason);
  l->beat = pl_clock();
  return PL_OK;
}

const char *pl_lock_path(const pl_lock *l) {
  return l->path;
}

void pl_lock_release(pl_lock *l) {
  if (!l) return;
  pl_lock_holder h;
  if (!l->lost && ours(l, &h)) unlink(l->path);
  pl_free(l->path);
  pl_free(l->output);
  pl_free(l->lost);
  pl_free(l);
}

/* ---- asking ---- */

pl_lock_state pl_lock_query(const char *path, pl_lock_holder *holder) {
  pl_lock_holder h;
  char *target = pl_file_target(path), *lock = pl_asprintf("%s.lock", target);
  life how;
  double changed;
  pl_lock_state state = look_at(lock, &h, &how, &changed);
  pl_free(lock);
  pl_free(target);
  if (holder && state != PL_LOCK_FREE) *holder = h;
  return state;
}

void pl_lock_warn(const char *path) {
  if (pl_lock_query(path, NULL) == PL_LOCK_HELD)
    pl_log(PL_LOG_WARNING, "%s: is being written: what it has now is taken", path);
}

const char *pl_lock_describe(const pl_lock_holder *h, char *buf, size_t n) {
  if (!h->pid) {
    snprintf(buf, n, "by a lock that cannot be read, last changed %.0f s ago", h->age);
    return buf;
  }
  char since[64] = "?", sign[64];
  time_t t = (time_t)h->since;
  struct tm local;
  if (localtime_r(&t, &local)) strftime(since, sizeof since, "%Y-%m-%d %H:%M:%S", &local);
  snprintf(sign, sizeof sign, h->age < 0 ? "%.0f s ahead: a clock was set back" : "%.0f s ago",
           fabs(h->age));
  snprintf(buf, n, "host %s, process %lld, since %s%s%s, last sign of life %s", h->host,
           (long long)h->pid, since, *h->job ? ", job " : "", h->job, sign);
  return buf;
}
