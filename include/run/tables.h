/* The tables of the zoo as text, in four columns: what a sweep file may say, and what an output may
 * hold.  The pages of the families are made of them.  Local. */
#ifndef PL_RUN_TABLES_H
#define PL_RUN_TABLES_H

#include "base/status.h"

#include <stdio.h>

/* Keys with what they accept, their default and help: those of all runs, of a network with its
 * kinds of data, and of the optimisers; network NULL: of the whole zoo, and for whom they are.
 * PL_EINPUT: no network of that name. */
pl_status pl_keys_print(FILE *out, const char *network);

/* What a network may record, with its dimensions, units and meaning; NULL: every network, and who
 * records it.  As above. */
pl_status pl_variables_print(FILE *out, const char *network);

#endif
