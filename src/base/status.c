#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SIZE = 4096 };
static char message[MESSAGE_SIZE];
static void (*abort_hook)(int);

pl_status pl_error(pl_status st, const char *fmt, ...) {
  /* Formatted aside first: an argument may be the current message. */
  char text[MESSAGE_SIZE];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  memcpy(message, text, sizeof text);
  return st;
}

pl_status pl_error_in(pl_status st, const char *fmt, ...) {
  char prefix[1024], text[MESSAGE_SIZE];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(prefix, sizeof prefix, fmt, ap);
  va_end(ap);
  snprintf(text, sizeof text, "%s%.3000s", prefix, message);
  memcpy(message, text, sizeof text);
  return st;
}

const char *pl_error_message(void) {
  return message;
}

void pl_set_abort_hook(void (*hook)(int)) {
  abort_hook = hook;
}

void pl_die_at(const char *file, int line, pl_status st, const char *fmt, ...) {
  char text[MESSAGE_SIZE];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  fprintf(stderr, "plancherel: fatal: %s (%s:%d)\n", text, file, line);
  fflush(stderr);
  if (abort_hook) abort_hook(st);
  _Exit(st);
}
