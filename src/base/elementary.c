#include "base/elementary.h"

const struct pl_limits pl_limits = {
    .zero = 0,
    .least = -709,
    .least_half = -708.3,
    .most = 700,
    .infinite = 710,
    .one = 40,
    .minus = -38.2,
    .plus = 38.2,
};
