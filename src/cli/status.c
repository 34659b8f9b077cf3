#include "cli/cli.h"
pl_status pl_cli_status(int argc, char **argv, const pl_comm *world) {
  (void)argc, (void)argv, (void)world;
  return PL_OK;
}
pl_status pl_cli_fourier(int argc, char **argv, const pl_comm *world) {
  (void)argc, (void)argv, (void)world;
  return PL_OK;
}
