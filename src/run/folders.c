#include "folders.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/output.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

pl_status pl_checkpoint_write(const char *output, int64_t run, const pl_comm *team,
                              const pl_config *cfg, pl_model *model, pl_optim *optim,
                              const pl_ckpt *at) {
  char *folder = pl_checkpoints_of(output), *path = pl_checkpoint_of(output, run);
  if (team->rank == 0) mkdir(folder, 0777); /* a failure shows when the file is created */
  pl_status st = pl_ckpt_write(path, team, model, optim, pl_ckpt_digest(cfg, run), at);
  pl_free(folder);
  pl_free(path);
  return st;
}

bool pl_checkpoint_read(const char *output, int64_t run, const pl_comm *team, const pl_config *cfg,
                        pl_model *model, pl_optim *optim, int64_t records, pl_ckpt *at) {
  char *path = pl_checkpoint_of(output, run);
  bool found = pl_ckpt_read(path, team, model, optim, pl_ckpt_digest(cfg, run), records, at);
  pl_free(path);
  return found;
}

void pl_checkpoints_end(const char *output) {
  char *folder = pl_checkpoints_of(output);
  rmdir(folder);
  pl_free(folder);
}

pl_status pl_folders_expect_none(const char *output) {
  pl_status st = PL_OK;
  for (int i = 0; i < PL_OUTPUT_FOLDERS && !st; i++) {
    char *folder = pl_asprintf("%s.%s", output, pl_output_folders[i]);
    DIR *dir = opendir(folder);
    char *path = dir ? pl_output_next(dir, folder) : NULL;
    if (path)
      st =
          pl_error(PL_EINPUT, "%s: is there, but no %s that it belongs to: move it, or --overwrite",
                   path, output);
    if (dir) closedir(dir);
    pl_free(path);
    pl_free(folder);
  }
  return st;
}

/* ---- other numbers ---- */

static pl_status trouble(const char *path, const char *doing) {
  return pl_error(PL_EENV, "%s: cannot %s: %s", path, doing, strerror(errno));
}

char *pl_extending_of(const char *output) {
  char *target = pl_file_target(output), *name = pl_asprintf("%s.extending", target);
  pl_free(target);
  return name;
}

/* One file under two names; a copy where there are no hard links, or none that lead so far. */
static pl_status double_file(const char *from, const char *to) {
  char *copy;
  if (!link(from, to) || errno == ENOENT) return PL_OK;
  PL_TRY(pl_file_copy_beside(from, to, &copy));
  pl_status st = pl_file_replace(copy, to, NULL);
  pl_free(copy);
  return st;
}

static pl_status make_folder(const char *staged) {
  return mkdir(staged, 0777) && errno != EEXIST ? trouble(staged, "create") : PL_OK;
}

static pl_status stage(const char *folder, const char *staged, int64_t n, const int64_t *place) {
  static const char *const suffixes[] = {"", ".previous"};
  pl_status st = make_folder(staged);
  for (int64_t r = 0; r < n && !st; r++)
    for (int i = 0; i < 2 && !st && place[r] >= 0; i++) {
      char *from = pl_asprintf("%s/run-%06lld.nc%s", folder, (long long)r, suffixes[i]);
      char *to = pl_asprintf("%s/run-%06lld.nc%s", staged, (long long)place[r], suffixes[i]);
      st = double_file(from, to);
      pl_free(from);
      pl_free(to);
    }
  return st ? st : pl_file_sync_folder(staged);
}

pl_status pl_folders_stage(const char *from, const char *output, int64_t n, const int64_t *place) {
  pl_status st = PL_OK;
  for (int i = 0; i < PL_OUTPUT_FOLDERS && !st; i++) {
    char *folder = pl_asprintf("%s.%s", from, pl_output_folders[i]);
    char *staged = pl_asprintf("%s.%s.extending", output, pl_output_folders[i]);
    if (!access(folder, F_OK)) st = stage(folder, staged, n, place);
    pl_free(folder);
    pl_free(staged);
  }
  return st;
}

pl_status pl_folders_stage_none(const char *output) {
  pl_status st = PL_OK;
  for (int i = 0; i < PL_OUTPUT_FOLDERS && !st; i++) {
    char *folder = pl_asprintf("%s.%s", output, pl_output_folders[i]);
    char *staged = pl_asprintf("%s.extending", folder);
    if (!access(folder, F_OK)) st = make_folder(staged);
    pl_free(folder);
    pl_free(staged);
  }
  return st;
}

/* Neither the new file nor the folders; the message of an error stays. */
static void unstage(const char *output) {
  char *message = pl_strdup(pl_error_message()), *name = pl_extending_of(output);
  for (int i = 0; i < PL_OUTPUT_FOLDERS; i++) {
    char *staged = pl_asprintf("%s.%s.extending", output, pl_output_folders[i]);
    pl_output_empty(staged);
    pl_free(staged);
  }
  unlink(name); /* the last: while it is there, the folders are nothing */
  pl_free(name);
  pl_error(PL_OK, "%s", message);
  pl_free(message);
}

/* What is not the program's own goes on into the new folder. */
static void empty_into(const char *aside, const char *folder) {
  pl_output_empty(aside);
  DIR *dir = opendir(aside);
  for (struct dirent *e; dir && (e = readdir(dir));) {
    if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    char *from = pl_asprintf("%s/%s", aside, e->d_name);
    char *to = pl_asprintf("%s/%s", folder, e->d_name);
    rename(from, to);
    pl_free(from);
    pl_free(to);
  }
  if (dir) closedir(dir);
  rmdir(aside);
}

/* Each step but the last is one renaming, and what it left tells whether it was done. */
static pl_status settle(const char *folder, const char *staged, const char *aside) {
  if (!access(staged, F_OK)) {
    if (!access(folder, F_OK) && rename(folder, aside)) return trouble(folder, "move");
    if (rename(staged, folder)) return trouble(staged, "move");
  }
  if (!access(aside, F_OK)) empty_into(aside, folder);
  rmdir(folder); /* if it is empty */
  return PL_OK;
}

pl_status pl_folders_settle(const char *output) {
  char *name = pl_extending_of(output), *begun = pl_asprintf("%s.tmp", name);
  pl_status st = PL_OK;
  unlink(begun); /* pl_recorder_create's, before name is there */
  if (!access(name, F_OK)) unstage(output);
  for (int i = 0; i < PL_OUTPUT_FOLDERS && !st; i++) {
    char *folder = pl_asprintf("%s.%s", output, pl_output_folders[i]);
    char *staged = pl_asprintf("%s.extending", folder), *aside = pl_asprintf("%s.before", folder);
    st = settle(folder, staged, aside);
    pl_free(folder);
    pl_free(staged);
    pl_free(aside);
  }
  pl_free(name);
  pl_free(begun);
  return st;
}

pl_status pl_folders_expect_settled(const char *output) {
  char *name = pl_extending_of(output);
  bool waits = !access(name, F_OK), follow = false;
  for (int i = 0; i < PL_OUTPUT_FOLDERS; i++) {
    char *staged = pl_asprintf("%s.%s.extending", output, pl_output_folders[i]);
    char *aside = pl_asprintf("%s.%s.before", output, pl_output_folders[i]);
    follow = follow || !access(staged, F_OK) || !access(aside, F_OK);
    pl_free(staged);
    pl_free(aside);
  }
  pl_free(name);
  return follow && !waits
             ? pl_error(PL_EINPUT, "%s: was being extended when that ended: run --resume it first",
                        output)
             : PL_OK;
}

/* The new file gets its name; *placed: it has it, even where an error says that a power cut may
 * undo that. */
static pl_status place(const char *name, const char *target, bool *placed) {
  struct stat made, there;
  if (stat(name, &made)) return pl_error(PL_EENV, "%s: %s", name, strerror(errno));
  pl_status st = pl_file_replace(name, target, NULL);
  *placed = !stat(target, &there) && there.st_dev == made.st_dev && there.st_ino == made.st_ino;
  return st;
}

pl_status pl_folders_place(const char *output, pl_status st) {
  char *name = pl_extending_of(output), *target = pl_file_target(output);
  bool placed = false;
  if (!st) st = place(name, target, &placed);
  pl_status settled = PL_OK;
  if (placed)
    settled = pl_folders_settle(output);
  else
    unstage(output);
  pl_free(name);
  pl_free(target);
  return settled ? settled : st;
}
