#include "run/paths.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

char *pl_path_folder(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return pl_strdup("");
  return slash == path ? pl_strdup("/") : pl_asprintf("%.*s", (int)(slash - path), path);
}

char *pl_path_absolute(const char *folder) {
  char *found = realpath(*folder ? folder : ".", NULL);
  char *copy = pl_strdup(found ? found : folder);
  free(found);
  return copy;
}

bool pl_path_file(const pl_key *key, const char *value, int i, const char **start, int *length) {
  if (key->path) {
    *start = value;
    *length = (int)strlen(value);
    return i == 0 && *length > 0;
  }
  for (int at = 0; key->file; at += *length) {
    at = key->file(value, at, length);
    if (at < 0) return false;
    *start = value + at;
    if (i-- == 0) return true;
  }
  return false;
}

const char *pl_path_lead(pl_arena *arena, const pl_key *key, const char *value,
                         const char *folder) {
  char *text = pl_strdup("");
  const char *start, *done = value;
  for (int i = 0, length; pl_path_file(key, value, i, &start, &length); i++) {
    bool ends = folder[strlen(folder) - 1] == '/';
    char *longer =
        pl_asprintf("%s%.*s%s%s%.*s", text, (int)(start - done), done, *start == '/' ? "" : folder,
                    *start == '/' || ends ? "" : "/", length, start);
    pl_free(text);
    text = longer;
    done = start + length;
  }
  char *whole = pl_asprintf("%s%s", text, done);
  const char *kept = pl_arena_text(arena, whole, strlen(whole));
  pl_free(whole);
  pl_free(text);
  return kept;
}
