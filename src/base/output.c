#include "base/output.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/remains.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what stands beside it ---- */

const char *const pl_output_folders[PL_OUTPUT_FOLDERS] = {"ckpt", "final", "best"};

char *pl_output_next(DIR *dir, const char *folder) {
  for (struct dirent *e; (e = readdir(dir));)
    if (!strncmp(e->d_name, "run-", 4) && strstr(e->d_name, ".nc"))
      return pl_asprintf("%s/%s", folder, e->d_name);
  return NULL;
}

void pl_output_empty(const char *folder) {
  DIR *dir = opendir(folder);
  for (char *path; dir && (path = pl_output_next(dir, folder)); pl_free(path)) unlink(path);
  if (dir) closedir(dir);
  rmdir(folder);
}

void pl_output_clear(const char *path) {
  for (int i = 0; i < PL_OUTPUT_FOLDERS; i++) {
    char *folder = pl_asprintf("%s.%s", path, pl_output_folders[i]);
    pl_output_empty(folder);
    pl_free(folder);
  }
}

/* By a hard link it would not be lost: files there are replaced by name. */
static bool lies_beside(const char *path, const char *input) {
  char *target = pl_file_target(input), *slash = strrchr(target, '/');
  struct stat in, beside;
  bool found = false;
  if (slash) *slash = 0;
  for (int i = 0; i < PL_OUTPUT_FOLDERS && slash && !stat(target, &in); i++) {
    char *folder = pl_asprintf("%s.%s", path, pl_output_folders[i]);
    found |= !stat(folder, &beside) && in.st_dev == beside.st_dev && in.st_ino == beside.st_ino;
    pl_free(folder);
  }
  pl_free(target);
  return found;
}

pl_status pl_output_apart(const char *path, int num_inputs, const char *const *inputs) {
  for (int i = 0; i < num_inputs; i++)
    if (inputs[i] && strcmp(inputs[i], "-") != 0 &&
        (pl_file_same(path, inputs[i]) || lies_beside(path, inputs[i])))
      return pl_error(PL_EINPUT, "%s: would replace %s, which is read; name another output", path,
                      inputs[i]);
  return PL_OK;
}

/* ---- a new one ---- */

pl_status pl_output_begin(pl_output *out, const char *path, bool overwrite, int num_inputs,
                          const char *const *inputs) {
  *out = (pl_output){.path = path};
  PL_TRY(pl_output_apart(path, num_inputs, inputs));
  PL_TRY(pl_lock_take(path, 0, NULL, &out->lock));
  pl_remains_add(pl_lock_path(out->lock));
  return pl_file_absent(path, overwrite);
}

static void keep_name(pl_output *out, const char *name) {
  out->name = pl_strdup(name);
  pl_remains_add(name);
}

pl_status pl_output_create(pl_output *out, bool netcdf4) {
  PL_TRY(pl_lock_beat(out->lock));
  char *target = pl_file_target(out->path);
  pl_status st = pl_nc_create_beside(target, netcdf4, &out->nc);
  pl_free(target);
  if (!st) keep_name(out, pl_nc_path(out->nc));
  return st;
}

pl_status pl_output_name(pl_output *out) {
  char *target = pl_file_target(out->path), *name;
  pl_status st = pl_file_temporary(target, &name, NULL);
  pl_free(target);
  if (st) return st;
  keep_name(out, name);
  pl_free(name);
  return PL_OK;
}

/* Give the file its name. */
static pl_status place(const pl_output *out) {
  PL_TRY(pl_lock_confirm(out->lock));
  char *target = pl_file_target(out->path);
  pl_status st = pl_file_replace(out->name, target, NULL);
  pl_free(target);
  if (!st) pl_output_clear(out->path);
  return st;
}

/* Closing would replace the message. */
static pl_status close_after(pl_nc *nc, pl_status st) {
  if (!st) return pl_nc_close(nc);
  char *message = pl_strdup(pl_error_message());
  pl_nc_close(nc);
  pl_error(st, "%s", message);
  pl_free(message);
  return st;
}

pl_status pl_output_end(pl_output *out, pl_status st) {
  st = close_after(out->nc, st);
  if (out->name) {
    if (!st) st = place(out);
    if (st) unlink(out->name);
    pl_remains_drop(out->name);
    pl_free(out->name);
  }
  if (out->lock) pl_remains_drop(pl_lock_path(out->lock));
  pl_lock_release(out->lock);
  *out = (pl_output){0};
  return st;
}
