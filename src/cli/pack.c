#include "base/mem.h"
#include "base/output.h"
#include "cli/cli.h"
#include "output_options.h"

static error_t parse(int key, char *arg, struct argp_state *state) {
  return output_parse(key, arg, state, 1);
}

static pl_status copy(const output_options *o, pl_output *out) {
  pl_nc *from;
  pl_lock_warn(o->inputs[0]);
  PL_TRY(pl_nc_open(o->inputs[0], false, &from));
  pl_status st = pl_output_name(out);
  if (!st) st = pl_nc_pack(from, out->name);
  pl_nc_close(from);
  return st;
}

static pl_status pack(const output_options *o) {
  pl_output out = {0};
  pl_status st = pl_output_begin(&out, o->output, o->overwrite, o->num_inputs, o->inputs);
  if (!st) st = copy(o, &out);
  return pl_output_end(&out, st);
}

pl_status pl_cli_pack(int argc, char **argv, const pl_comm *world) {
  static const struct argp argp = {
      .options = output_options_known,
      .parser = parse,
      .args_doc = "IN.nc -o OUT.nc",
      .doc =
          "Copy an output file into compressed netCDF-4, for keeping and sharing; a sweep cannot "
          "go on with it."};
  output_options o = {0};
  pl_cli_parse(&argp, argc, argv, &o, world);
  pl_status st = world->rank == 0 ? pack(&o) : PL_OK;
  pl_free(o.inputs);
  return pl_agree(world, st);
}
