#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int my_rank;
static pl_log_level max_level = PL_LOG_INFO;
static bool line_open; /* an unfinished progress line stands on the terminal */

void pl_log_init(int rank, pl_log_level level) {
  my_rank = rank;
  max_level = level;
}

void pl_log_quiet(void) {
  max_level = PL_LOG_WARNING;
}

static void print(pl_log_level level, const char *prefix, const char *fmt, va_list ap) {
  static const char *const names[] = {"error: ", "warning: ", ""};
  char text[4096];
  vsnprintf(text, sizeof text, fmt, ap);
  /* One write per message, so that lines of several ranks do not mix. */
  fprintf(stderr, "%splancherel: %s%s%s\n", line_open ? "\n" : "", prefix, names[level], text);
  line_open = false;
}

void pl_log(pl_log_level level, const char *fmt, ...) {
  if (my_rank != 0 || level > max_level) return;
  va_list ap;
  va_start(ap, fmt);
  print(level, "", fmt, ap);
  va_end(ap);
}

void pl_log_all(pl_log_level level, const char *fmt, ...) {
  if (level > max_level) return;
  char prefix[32];
  snprintf(prefix, sizeof prefix, "rank %d: ", my_rank);
  va_list ap;
  va_start(ap, fmt);
  print(level, prefix, fmt, ap);
  va_end(ap);
}

void pl_progress_init(pl_progress *p) {
  *p = (pl_progress){.start = pl_clock(), .tty = isatty(STDERR_FILENO), .next_percent = 10};
}

static void duration(double s, char *buf, size_t n) {
  long t = (long)(s + 0.5);
  if (t < 60)
    snprintf(buf, n, "%lds", t);
  else if (t < 3600)
    snprintf(buf, n, "%ldm%02lds", t / 60, t % 60);
  else
    snprintf(buf, n, "%ldh%02ldm", t / 3600, t / 60 % 60);
}

bool pl_progress_due(const pl_progress *p, double work, bool final) {
  if (max_level < PL_LOG_INFO || my_rank != 0) return false;
  return final || (pl_clock() - p->last >= (p->tty ? 0.2 : 1.0) &&
                   (p->tty || 100 * work >= p->next_percent));
}

void pl_progress_update(pl_progress *p, int64_t done, int64_t total, double work, bool final) {
  if (!pl_progress_due(p, work, final)) return;
  double now = pl_clock(), elapsed = now - p->start, percent = 100 * work;
  p->last = now;
  while (p->next_percent <= percent) p->next_percent += 10;
  char left[32] = "?", took[32];
  if (work > p->before) duration(elapsed * (1 - work) / (work - p->before), left, sizeof left);
  duration(elapsed, took, sizeof took);
  char line[160];
  snprintf(line, sizeof line, "%lld/%lld runs, %3.0f %%, %.3g steps/s, %s, %s left",
           (long long)done, (long long)total, percent, (double)p->steps / (elapsed + 1e-9), took,
           final ? "0s" : left);
  if (p->tty) {
    fprintf(stderr, "\r\033[K%s%s", line, final ? "\n" : "");
    line_open = !final;
  } else {
    fprintf(stderr, "plancherel: %s\n", line);
  }
  fflush(stderr);
}
