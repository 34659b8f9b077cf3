/* Random numbers of tasks.  Inside this room only. */
#ifndef PL_NETS_META_DRAW_H
#define PL_NETS_META_DRAW_H

#include "base/rng.h"
#include "model/data.h"

/* Streams of a part: several sorts of numbers each; DRAW_SHARED: what no part owns. */
enum { DRAW_SORTS = 8, DRAW_SHARED = PL_NUM_PARTS };
static inline uint64_t draw_stream(int part, int sort) {
  return PL_STREAM(PL_STREAM_SAMPLE, DRAW_SORTS * part + sort);
}

#endif
