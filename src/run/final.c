#include "run/final.h"

#include "base/mem.h"
#include "run/paths.h"

#include <sys/stat.h>
#include <unistd.h>

/* With its files named from the root on, since the sweep's folder is not that of the attribute. */
static char *from_root(const pl_key *key, const char *value) {
  pl_arena arena = {0};
  char *here = pl_path_absolute(""), *text = pl_strdup(pl_path_lead(&arena, key, value, here));
  pl_free(here);
  pl_arena_free(&arena);
  return text;
}

/* A key's value for the attribute; NULL: the run has none.  The caller frees it. */
static char *value_of(const pl_config *cfg, int64_t run, int k) {
  const pl_key *row;
  const void *v = pl_config_typed(cfg, run, k, &row);
  if (!v) return NULL;
  const char *start, *const *used = pl_config_used(cfg, run, k);
  int length;
  if (used && *used && pl_path_file(row, *used, 0, &start, &length)) return from_root(row, *used);
  int n = pl_config_value(cfg, run, k, NULL, 0);
  char *text = n > 0 ? pl_alloc((size_t)n + 1, 1, "a value") : NULL;
  if (text) pl_config_value(cfg, run, k, text, (size_t)n + 1);
  return text;
}

pl_attribute *pl_attributes_of(const pl_config *cfg, int64_t run, int *num) {
  int keys = pl_config_num_keys(cfg);
  pl_attribute *all = pl_alloc((size_t)keys, sizeof *all, "attributes");
  *num = 0;
  for (int k = 0; k < keys; k++) {
    char *text = value_of(cfg, run, k);
    if (text) all[(*num)++] = (pl_attribute){pl_config_key(cfg, k)->name, text};
  }
  return all;
}

void pl_attributes_free(pl_attribute *attributes, int num) {
  for (int i = 0; i < num; i++) pl_free((char *)(uintptr_t)attributes[i].text);
  pl_free(attributes);
}

pl_status pl_final_save(const char *output, const char *which, const pl_comm *team,
                        const pl_config *cfg, int64_t run, pl_model *model) {
  int num;
  pl_attribute *attributes = pl_attributes_of(cfg, run, &num);
  char *folder = pl_asprintf("%s.%s", output, which);
  char *path = pl_asprintf("%s/run-%06lld.nc", folder, (long long)run);
  if (team->rank == 0) {
    mkdir(folder, 0777); /* a failure shows when the file is created */
    unlink(path);        /* another output may have it by a link */
  }
  pl_status st = model->kind->save(model, path, attributes, num);
  pl_attributes_free(attributes, num);
  pl_free(folder);
  pl_free(path);
  return st;
}
