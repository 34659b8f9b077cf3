/* What this machine can do, measured in a quarter of a second, and the times that follow.  Used to
 * choose team sizes, mappings and the faster of two equivalent methods, and to print estimates. */
#ifndef PL_BASE_RATES_H
#define PL_BASE_RATES_H

#include "base/status.h"

#include <stdint.h>

enum { PL_RATE_SIZES = 6 };

/* A plain struct, so that rank 0 can broadcast it. */
typedef struct pl_rates {
  double dim[PL_RATE_SIZES];  /* sizes measured, ascending */
  double gemm[PL_RATE_SIZES]; /* flop/s of a product of that size, one core */
  double svd[PL_RATE_SIZES];  /* seconds of all singular values at that size; 0: not measured */
  double two_stage[2];        /* real, complex: from this size on they are reduced in two stages */
  double cache_bandwidth;     /* bytes/s, data of a few hundred KB */
  double memory_bandwidth;    /* bytes/s, one core, data beyond the caches */
  double normal, power;       /* s: one Gaussian number; one pow */
  double latency;             /* s of a small message between ranks */
  double network;             /* bytes/s between ranks */
  double grid_efficiency;     /* speed of a rank on a grid relative to alone */
  double cores_per_node, bytes_per_node;
  double memory; /* bytes that a rank may use; 0: not bounded */
} pl_rates;

/* Measure this machine, all but singular values (pl_svd_rates), which stay nominal.
 * Local: rank 0 measures and broadcasts. */
pl_rates pl_rates_measure(void);
/* Fixed rates of a middling core, for choices that must not depend on the machine. */
pl_rates pl_rates_nominal(void);

/* Seconds of one real d x d product (2 d^3 flops); complex costs four times as much. */
double pl_rates_product(const pl_rates *r, int d);
/* Seconds of all singular values of a real d x d matrix. */
double pl_rates_svd(const pl_rates *r, int d);
/* Seconds to stream bytes, of which a working set of set bytes is reused. */
double pl_rates_stream(const pl_rates *r, double bytes, double set);

/* Seconds of one transform of a function of `order` values. */
double pl_rates_transform(double order);

/* Print a predicted time on stdout, in a unit that suits it: 1.18 us, 5.94 h. */
void pl_rates_print(double seconds);

#endif
