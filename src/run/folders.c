#include "folders.h"

#include "base/mem.h"
#include "run/ckpt.h"
#include "run/inputs.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

static const char *const endings[] = {"ckpt", "final", "best"};
enum { NUM_ENDINGS = sizeof endings / sizeof *endings };

char *pl_checkpoints_of(const char *output) {
  return pl_asprintf("%s.ckpt", output);
}

char *pl_checkpoint_of(const char *output, int64_t run) {
  return pl_asprintf("%s.ckpt/run-%06lld.nc", output, (long long)run);
}

bool pl_checkpoints_any(const char *output) {
  char *folder = pl_checkpoints_of(output);
  bool there = !access(folder, F_OK);
  pl_free(folder);
  return there;
}

void pl_checkpoint_drop(const char *output, int64_t run) {
  char *path = pl_checkpoint_of(output, run);
  pl_ckpt_remove(path);
  pl_free(path);
}

void pl_checkpoints_end(const char *output) {
  char *folder = pl_checkpoints_of(output);
  rmdir(folder);
  pl_free(folder);
}

/* A file of the program's own in a folder, whole path; NULL: no more.  The caller frees it. */
static char *next_file(DIR *dir, const char *folder) {
  for (struct dirent *e; (e = readdir(dir));)
    if (!strncmp(e->d_name, "run-", 4) && strstr(e->d_name, ".nc"))
      return pl_asprintf("%s/%s", folder, e->d_name);
  return NULL;
}

static pl_status look(const char *folder, const pl_config *cfg) {
  pl_status st = PL_OK;
  DIR *dir = opendir(folder);
  for (char *path; dir && !st && (path = next_file(dir, folder)); pl_free(path))
    st = pl_inputs_apart(cfg, path);
  if (dir) closedir(dir);
  return st;
}

pl_status pl_folders_apart(const char *output, const pl_config *cfg) {
  pl_status st = PL_OK;
  for (int i = 0; i < NUM_ENDINGS && !st && pl_config_inputs(cfg)->num > 0; i++) {
    char *folder = pl_asprintf("%s.%s", output, endings[i]);
    st = look(folder, cfg);
    pl_free(folder);
  }
  return st;
}

void pl_folders_clear(const char *output) {
  for (int i = 0; i < NUM_ENDINGS; i++) {
    char *folder = pl_asprintf("%s.%s", output, endings[i]);
    DIR *dir = opendir(folder);
    for (char *path; dir && (path = next_file(dir, folder)); pl_free(path)) unlink(path);
    if (dir) closedir(dir);
    rmdir(folder);
    pl_free(folder);
  }
}
