#include "door_files.h"

#include "base/mem.h"
#include "run/inputs.h"

#include <string.h>

static pl_status begin(pl_output *out, const char *path, bool overwrite, const pl_config *cfg,
                       const char *sweep_file) {
  PL_TRY(pl_inputs_apart(cfg, path));
  PL_TRY(pl_output_begin(out, path, overwrite, 1, &sweep_file));
  return pl_output_name(out);
}

pl_status door_output_begin(door_output *o, const char *path, bool overwrite, pl_config *cfg,
                            const char *sweep_file, const pl_comm *world) {
  *o = (door_output){0};
  PL_TRY(pl_inputs_share(world, cfg));
  pl_status st = world->rank == 0 ? begin(&o->out, path, overwrite, cfg, sweep_file) : PL_OK;
  PL_TRY(pl_agree(world, st));
  size_t n = o->out.name ? strlen(o->out.name) + 1 : 0;
  pl_comm_bcast(world, &n, sizeof n, 0);
  o->temporary = pl_zalloc(n, 1, "a name");
  if (o->out.name) strcpy(o->temporary, o->out.name);
  pl_comm_bcast(world, o->temporary, n, 0);
  return PL_OK;
}

pl_status door_output_end(door_output *o, pl_status st, const pl_comm *world) {
  if (world->rank == 0) st = pl_output_end(&o->out, st);
  pl_free(o->temporary);
  return pl_agree(world, st);
}
