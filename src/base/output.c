#include "base/output.h"

#include "base/file.h"
#include "base/mem.h"

#include <string.h>
#include <unistd.h>

pl_status pl_output_apart(const char *path, int num_inputs, const char *const *inputs) {
  for (int i = 0; i < num_inputs; i++)
    if (inputs[i] && strcmp(inputs[i], "-") != 0 && pl_file_same(path, inputs[i]))
      return pl_error(PL_EINPUT, "%s: would replace %s, which is read; name another output", path,
                      inputs[i]);
  return PL_OK;
}

pl_status pl_output_begin(pl_output *out, const char *path, bool overwrite, int num_inputs,
                          const char *const *inputs) {
  *out = (pl_output){.path = path};
  PL_TRY(pl_output_apart(path, num_inputs, inputs));
  PL_TRY(pl_lock_take(path, 0, NULL, &out->lock));
  return pl_file_absent(path, overwrite);
}

pl_status pl_output_create(pl_output *out, bool netcdf4) {
  PL_TRY(pl_lock_beat(out->lock));
  char *target = pl_file_target(out->path);
  pl_status st = pl_nc_create_beside(target, netcdf4, &out->nc);
  pl_free(target);
  return st;
}

/* Close, and give the file its name. */
static pl_status place(pl_output *out, const char *name) {
  pl_nc *nc = out->nc;
  out->nc = NULL;
  PL_TRY(pl_nc_close(nc));
  PL_TRY(pl_lock_confirm(out->lock));
  char *target = pl_file_target(out->path);
  pl_status st = pl_file_replace(name, target, NULL);
  pl_free(target);
  return st;
}

/* Closing would replace the message. */
static void give_up(pl_output *out, pl_status st) {
  char *message = pl_strdup(pl_error_message());
  pl_nc_close(out->nc);
  pl_error(st, "%s", message);
  pl_free(message);
}

static pl_status finish(pl_output *out, pl_status st) {
  char *name = pl_strdup(pl_nc_path(out->nc));
  if (st)
    give_up(out, st);
  else
    st = place(out, name);
  if (st) unlink(name);
  pl_free(name);
  return st;
}

pl_status pl_output_end(pl_output *out, pl_status st) {
  if (out->nc) st = finish(out, st);
  pl_lock_release(out->lock);
  *out = (pl_output){0};
  return st;
}
