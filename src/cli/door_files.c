#include "door_files.h"

#include "base/file.h"
#include "base/mem.h"

#include <string.h>
#include <unistd.h>

static pl_status begin(door_output *o, bool overwrite, const char *const *inputs, int num) {
  PL_TRY(pl_output_begin(&o->out, o->path, overwrite, num, inputs));
  return pl_file_temporary(o->path, &o->temporary, NULL);
}

pl_status door_output_begin(door_output *o, const char *path, bool overwrite,
                            const char *const *inputs, int num, const pl_comm *world) {
  *o = (door_output){.path = path};
  PL_TRY(pl_agree(world, world->rank == 0 ? begin(o, overwrite, inputs, num) : PL_OK));
  size_t n = o->temporary ? strlen(o->temporary) + 1 : 0;
  pl_comm_bcast(world, &n, sizeof n, 0);
  if (!o->temporary) o->temporary = pl_alloc(n, 1, "a name");
  pl_comm_bcast(world, o->temporary, n, 0);
  return PL_OK;
}

pl_status door_output_end(door_output *o, pl_status st, const pl_comm *world) {
  if (world->rank == 0 && o->temporary) {
    if (!st) st = pl_lock_confirm(o->out.lock);
    if (st)
      unlink(o->temporary);
    else
      st = pl_file_replace(o->temporary, o->path, NULL);
  }
  if (world->rank == 0) st = pl_output_end(&o->out, st);
  pl_free(o->temporary);
  return pl_agree(world, st);
}
