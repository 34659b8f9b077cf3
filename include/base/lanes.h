/* As many doubles as one register of this machine holds, as the vector extensions of the compiler
 * have them; in memory at any alignment. */
#ifndef PL_BASE_LANES_H
#define PL_BASE_LANES_H

#ifdef __AVX512F__
enum { PL_LANES = 8 };
#elif defined(__AVX__)
enum { PL_LANES = 4 };
#else
enum { PL_LANES = 2 };
#endif
typedef double pl_lanes
    __attribute__((vector_size(PL_LANES * sizeof(double)), aligned(8), may_alias));

#endif
