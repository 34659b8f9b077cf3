#include "run/final.h"

#include "base/mem.h"

#include <sys/stat.h>

pl_attribute *pl_attributes_of(const pl_config *cfg, int64_t run, int *num) {
  int keys = pl_config_num_keys(cfg);
  pl_attribute *all = pl_alloc((size_t)keys, sizeof *all, "attributes");
  *num = 0;
  for (int k = 0; k < keys; k++) {
    int n = pl_config_value(cfg, run, k, NULL, 0);
    if (n == 0) continue;
    char *text = pl_alloc((size_t)n + 1, 1, "a value");
    pl_config_value(cfg, run, k, text, (size_t)n + 1);
    all[(*num)++] = (pl_attribute){pl_config_key(cfg, k)->name, text};
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
  if (team->rank == 0) mkdir(folder, 0777); /* a failure shows when the file is created */
  pl_status st = model->kind->save(model, path, attributes, num);
  pl_attributes_free(attributes, num);
  pl_free(folder);
  pl_free(path);
  return st;
}
