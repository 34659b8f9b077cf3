#include "base/pause.h"

#include <stddef.h>

static pl_status (*look_after)(void *context);
static void *with;

void pl_pause_do(pl_status (*f)(void *context), void *context) {
  look_after = f;
  with = context;
}

pl_status pl_pause(void) {
  return look_after ? look_after(with) : PL_OK;
}
