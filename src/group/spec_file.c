#include "group/group.h"

#include <ctype.h>
#include <string.h>

/* Where the file begins that a word of a spec, which begins at p, names; NULL: none. */
static const char *file_at(const char *p) {
  static const char *const starts[] = {"perm:", "cayley:"};
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
    size_t n = strlen(starts[i]);
    if (strncmp(p, starts[i], n) != 0) continue;
    p += n + strspn(p + n, " \t");
    return *p && *p != '(' ? p : NULL;
  }
  return NULL;
}

int pl_group_file(const char *spec, int from, int *length) {
  for (const char *p = spec + from; *p; p++) {
    bool word = p == spec || strchr(" \tx", p[-1]);
    const char *file = word ? file_at(p) : NULL;
    if (!file) continue;
    const char *end = strstr(file, " x ");
    size_t n = end ? (size_t)(end - file) : strlen(file);
    while (n && isspace((unsigned char)file[n - 1])) n--;
    *length = (int)n;
    return (int)(file - spec);
  }
  return -1;
}
