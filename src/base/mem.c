#include "base/mem.h"

#include "base/status.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The block's size stands in a header one alignment unit before the data, so that pl_free can keep
 * the balance without a table.  Large blocks ask for huge pages, which many machines give only who
 * asks: transforms and sparse products jump between pages and would wait for their addresses. */
enum { ALIGN = 64, HUGE_PAGE = 2 << 20 };
static int64_t live, bytes, peak;

static void *get(size_t count, size_t size, const char *what) {
  size_t n;
  if (__builtin_mul_overflow(count, size, &n) || n > SIZE_MAX / 2)
    pl_die(PL_EENV, "out of memory: %s needs %zu x %zu bytes", what, count, size);
  void *block;
  if (posix_memalign(&block, n >= HUGE_PAGE ? HUGE_PAGE : ALIGN, ALIGN + n))
    pl_die(PL_EENV, "out of memory: %s needs %zu bytes", what, n);
  char *p = block;
  if (n >= HUGE_PAGE) madvise(p, n, MADV_HUGEPAGE);
  memcpy(p, &n, sizeof n);
  live++;
  bytes += (int64_t)n;
  if (bytes > peak) peak = bytes;
  return p + ALIGN;
}

static size_t size_of(const void *ptr) {
  size_t n;
  memcpy(&n, (const char *)ptr - ALIGN, sizeof n);
  return n;
}

void *pl_alloc(size_t count, size_t size, const char *what) {
  return get(count, size, what);
}

void *pl_zalloc(size_t count, size_t size, const char *what) {
  void *p = get(count, size, what);
  memset(p, 0, count * size);
  return p;
}

void *pl_realloc(void *ptr, size_t count, size_t size, const char *what) {
  void *p = get(count, size, what);
  if (ptr) {
    size_t old = size_of(ptr);
    memcpy(p, ptr, old < count * size ? old : count * size);
    pl_free(ptr);
  }
  return p;
}

void pl_free(void *ptr) {
  if (!ptr) return;
  live--;
  bytes -= (int64_t)size_of(ptr);
  free((char *)ptr - ALIGN);
}

char *pl_strdup(const char *s) {
  size_t n = strlen(s) + 1;
  return memcpy(pl_alloc(n, 1, "a string"), s, n);
}

char *pl_asprintf(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  int n = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  char *s = pl_alloc((size_t)n + 1, 1, "a string");
  va_start(ap, fmt);
  vsnprintf(s, (size_t)n + 1, fmt, ap);
  va_end(ap);
  return s;
}

int64_t pl_mem_live(void) {
  return live;
}
int64_t pl_mem_bytes(void) {
  return bytes;
}
int64_t pl_mem_restart_peak(void) {
  return peak = bytes;
}
int64_t pl_mem_peak(void) {
  return peak;
}

int pl_int(int64_t n) {
  if (n < 0 || n > INT_MAX) pl_die(PL_EBUG, "size %lld does not fit an int", (long long)n);
  return (int)n;
}
