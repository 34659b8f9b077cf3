/* libFuzzer target: no bytes may crash, hang or leak the parser of groups, and the spelling that it
 * gives a group must parse to the same group.  Input: a spec; tests/corpus/group has seeds.  Needs
 * clang -fsanitize=fuzzer,address for this file and for the library. */
#include "base/mem.h"
#include "group/group.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  setenv("PLANCHEREL_CACHE", "", 1);
  char *spec = pl_alloc(size + 1, 1, "a spec");
  memcpy(spec, data, size);
  spec[size] = 0;
  pl_group *g, *again;
  if (!pl_group_parse(spec, &g)) {
    if (pl_group_parse(pl_group_spec(g), &again)) abort();
    if (strcmp(pl_group_spec(g), pl_group_spec(again)) != 0) abort();
    if (pl_group_order(g) != pl_group_order(again)) abort();
    if (pl_group_num_irreps(g) != pl_group_num_irreps(again)) abort();
    pl_group_free(again);
    pl_group_free(g);
  }
  pl_free(spec);
  if (pl_mem_live() != 0) abort();
  return 0;
}
