#include "base/version.h"

const char pl_version[] = PL_VERSION;
const char pl_commit[] = PL_COMMIT;
