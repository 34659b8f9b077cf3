#include "graph/karate.h"

#include <string.h>

/* Member i and the friends of larger numbers. */
enum { MOST = 16 };
static const int8_t friends[PL_KARATE_NODES][MOST] = {
    [0] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31},
    [1] = {2, 3, 7, 13, 17, 19, 21, 30},
    [2] = {3, 7, 8, 9, 13, 27, 28, 32},
    [3] = {7, 12, 13},
    [4] = {6, 10},
    [5] = {6, 10, 16},
    [6] = {16},
    [8] = {30, 32, 33},
    [9] = {33},
    [13] = {33},
    [14] = {32, 33},
    [15] = {32, 33},
    [18] = {32, 33},
    [19] = {33},
    [20] = {32, 33},
    [22] = {32, 33},
    [23] = {25, 27, 29, 32, 33},
    [24] = {25, 27, 31},
    [25] = {31},
    [26] = {29, 33},
    [27] = {33},
    [28] = {31, 33},
    [29] = {32, 33},
    [30] = {32, 33},
    [31] = {32, 33},
    [32] = {33},
};
static const int8_t officers[] = {9,  14, 15, 18, 20, 22, 23, 24, 25,
                                  26, 27, 28, 29, 30, 31, 32, 33};

pl_csr *pl_karate(void) {
  int64_t end[PL_KARATE_EDGES][2];
  pl_edges e = {.end = end};
  for (int i = 0; i < PL_KARATE_NODES; i++)
    for (int k = 0; k < MOST && friends[i][k]; k++, e.num++) {
      end[e.num][0] = i;
      end[e.num][1] = friends[i][k];
    }
  pl_csr *a;
  pl_require(e.num == PL_KARATE_EDGES && !pl_graph_new(PL_KARATE_NODES, &e, NULL, &a));
  return a;
}

void pl_karate_factions(int32_t label[PL_KARATE_NODES]) {
  memset(label, 0, PL_KARATE_NODES * sizeof *label);
  for (size_t k = 0; k < sizeof officers; k++) label[officers[k]] = 1;
}
