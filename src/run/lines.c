#include "run/lines.h"

#include "base/mem.h"

#include <string.h>

char *pl_lines_join(const char *const *texts, int n) {
  size_t size = 1;
  for (int i = 0; i < n; i++) {
    size += strlen(texts[i]) + 1;
    for (const char *c = texts[i]; *c; c++) size += *c == '\n';
  }
  char *all = pl_zalloc(size, 1, "lines"), *end = all;
  for (int i = 0; i < n; i++) {
    if (i) *end++ = '\n';
    for (const char *c = texts[i]; *c; c++) {
      *end++ = *c;
      if (*c == '\n') *end++ = '\t';
    }
  }
  return all;
}

char *pl_lines_next(char **at) {
  char *start = *at, *to = start, *from = start;
  if (!*start) return NULL;
  for (; *from && !(*from == '\n' && from[1] != '\t'); from++) {
    *to++ = *from;
    if (*from == '\n') from++;
  }
  *at = *from ? from + 1 : from;
  *to = 0;
  return start;
}
