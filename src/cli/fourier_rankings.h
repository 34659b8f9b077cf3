/* `fourier` of rankings.  Inside cli/ only. */
#ifndef PL_CLI_FOURIER_RANKINGS_H
#define PL_CLI_FOURIER_RANKINGS_H

#include "base/status.h"
#include "fourier_options.h"

/* Energies and effects of the rankings in o->input: by the transform of the ballots where there is
 * room for it in `memory` bytes, or -o asks for it; else what follows from counts.  Local:
 * rank 0. */
pl_status fourier_rankings(const fourier_options *o, double memory);

#endif
