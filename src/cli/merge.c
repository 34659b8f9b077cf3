#include "base/mem.h"
#include "cli/cli.h"
#include "output_options.h"
#include "run/shard.h"

static error_t parse(int key, char *arg, struct argp_state *state) {
  return output_parse(key, arg, state, 2);
}

pl_status pl_cli_merge(int argc, char **argv, const pl_comm *world) {
  static const struct argp argp = {
      .options = output_options_known,
      .parser = parse,
      .args_doc = "SHARD.nc.. -o OUT.nc",
      .doc = "Merge the outputs of plancherel run --shard into the file of the whole sweep, and "
             "what stands beside them (states and weights of runs, in OUT.nc.ckpt, .final and "
             ".best) into its folders, by links where it can.  Runs that no input holds stay "
             "pending: run --resume trains them."};
  output_options o = {0};
  char *command = pl_cli_command_line(argc, argv);
  pl_cli_parse(&argp, argc, argv, &o, world);
  pl_status st = PL_OK;
  if (world->rank == 0) st = pl_merge(o.inputs, o.num_inputs, o.output, o.overwrite, command);
  pl_free(o.inputs);
  pl_free(command);
  return pl_agree(world, st);
}
