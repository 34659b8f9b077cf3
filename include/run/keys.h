/* Talking about the table of keys.  Local. */
#ifndef PL_RUN_KEYS_H
#define PL_RUN_KEYS_H

#include "model/spec.h"

#include <stdio.h>

/* The key that someone who wrote name most likely meant, or NULL when none is near. */
const char *pl_keys_nearest(const char *name);
/* Does some key stand beneath name, as model.depth beneath model? */
bool pl_keys_section(const char *name);
/* Every key with what it accepts, its default and help; 100 columns. */
void pl_keys_print(FILE *out);

#endif
