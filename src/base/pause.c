#include "base/pause.h"

static pl_status (*look_after)(void *context);
static void *with;
static pl_status answer;

void pl_pause_do(pl_status (*f)(void *context), void *context) {
  look_after = f;
  with = context;
  answer = PL_OK;
}

pl_status pl_pause(void) {
  if (look_after && !answer) answer = look_after(with);
  return answer;
}

pl_status pl_pause_answer(void) {
  return answer;
}
