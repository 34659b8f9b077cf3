/* Elementary functions without branches, so that a loop over them becomes vector code
 * (-fno-math-errno -fno-trapping-math; any width, with or without fused multiply-add).  Pure.
 *
 * Error bounds in units in the last place of the result, tested over all magnitudes; NaN gives NaN,
 * infinities their limits, denormal arguments are right.  Where e^x, or e^-|x| inside, is below
 * 3e-308 it counts as 0: results are then off by less than 1e-304.
 *   pl_exp 1   pl_log 1   pl_tanh 2.5   pl_sigmoid 2.5   pl_silu 3.5   pl_softplus 2 */
#ifndef PL_TAPE_ELEMENTARY_H
#define PL_TAPE_ELEMENTARY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Added to a double and subtracted again it rounds to an integer, which stands meanwhile in the low
 * bits: conversions between doubles and 64-bit integers are scalar before AVX-512. */
#define PL_ROUNDER 0x1.8p52
/* log 2; the high part has 21 zeros at its end, so that its products with exponents are exact. */
#define PL_LN2_HIGH 0x1.62e42feep-1
#define PL_LN2_LOW  0x1.a39ef35793c76p-33

static inline uint64_t pl_bits(double x) {
  uint64_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}
static inline double pl_from_bits(uint64_t u) {
  double x;
  memcpy(&x, &u, sizeof x);
  return x;
}

/* 2^(n + more), n the integer that a rounded sum holds: in -1022..1023. */
static inline double pl_power_of_two(double rounded, int more) {
  return pl_from_bits((pl_bits(rounded) + (uint64_t)(1023 + more)) << 52);
}

/* e^r - 1 for |r| <= log(2)/2: Chebyshev interpolation of (e^r - 1 - r - r^2/2)/r^3, whose own
 * error is 0.02 units in the last place. */
static inline double pl_expm1_near_0(double r) {
  double q = 0x1.1f66e19b630d7p-29;
  q = q * r + 0x1.af38ad617009fp-26;
  q = q * r + 0x1.27e4e1f3a2503p-22;
  q = q * r + 0x1.71de0dacd6939p-19;
  q = q * r + 0x1.a01a01a47b3fbp-16;
  q = q * r + 0x1.a01a01a7c4839p-13;
  q = q * r + 0x1.6c16c16c167e1p-10;
  q = q * r + 0x1.11111111109b3p-7;
  q = q * r + 0x1.5555555555555p-5;
  q = q * r + 0x1.5555555555556p-3;
  q = q * r + 0.5;
  return r + r * r * q;
}

/* x = n log 2 + r; returns n + PL_ROUNDER. */
static inline double pl_reduce(double x, double *r) {
  double rounded = x * 0x1.71547652b82fep0 + PL_ROUNDER, n = rounded - PL_ROUNDER;
  *r = (x - n * PL_LN2_HIGH) - n * PL_LN2_LOW;
  return rounded;
}

/* e^x for x <= 709.78, and NaN.  2^n in two factors, since n may be 1024. */
static inline double pl_exp_negative(double x) {
  double r, n = pl_reduce(x, &r);
  double y = (2 + 2 * pl_expm1_near_0(r)) * pl_power_of_two(n, -1);
  return x < -707.7 ? 0 : y;
}

static inline double pl_exp(double x) {
  double y = pl_exp_negative(x);
  return x > 0x1.62e42fefa39efp9 ? INFINITY : y;
}

/* x = 2^k (1 + f), 1 + f in sqrt(1/2) .. sqrt(2); log(1 + f) = 2 atanh s, s = f/(2 + f), in the
 * form f - f^2/2 + s (f^2/2 + ..), whose leading term is exact. */
static inline double pl_log(double x) {
  const uint64_t root_half = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000;
  double small = x < 0x1p-1022 ? 54 : 0;
  uint64_t u = pl_bits(x < 0x1p-1022 ? x * 0x1p54 : x) + (one - root_half);
  double k = pl_from_bits((u >> 52) | 0x4330000000000000) - (0x1p52 + 1023) - small;
  double f = pl_from_bits((u & 0x000fffffffffffff) + root_half) - 1;
  double s = f / (2 + f), w = s * s, h = 0.5 * f * f;
  double p = 0x1.2b584aae78a57p-4;
  p = p * w + 0x1.39fe606542ddep-4;
  p = p * w + 0x1.7462b4ab2ef6bp-4;
  p = p * w + 0x1.c71c62e5800a1p-4;
  p = p * w + 0x1.2492492df148dp-3;
  p = p * w + 0x1.99999999952e2p-3;
  p = p * w + 0x1.5555555555558p-2;
  double l = k * PL_LN2_HIGH - ((h - (s * (h + 2 * w * p) + k * PL_LN2_LOW)) - f);
  l = x > 0 ? l : x == 0 ? -INFINITY : NAN;
  return x < INFINITY ? l : x;
}

/* log(1 + e) for 0 <= e <= 1: 2 atanh z, z = e/(2 + e), in the form e - z (e - ..). */
static inline double pl_log1p_unit(double e) {
  double z = e / (2 + e), w = z * z;
  double p = 0x1.4b0a26c5f2aefp-4;
  p = p * w + 0x1.687a6e7c95176p-5;
  p = p * w + 0x1.eb905e8575054p-5;
  p = p * w + 0x1.10ac75dc602b1p-4;
  p = p * w + 0x1.3b18b294bebf9p-4;
  p = p * w + 0x1.745cf0b0e03bdp-4;
  p = p * w + 0x1.c71c727143318p-4;
  p = p * w + 0x1.24924923d44c6p-3;
  p = p * w + 0x1.999999999a3ddp-3;
  p = p * w + 0x1.5555555555555p-2;
  return e - z * (e - 2 * w * p);
}

/* m/(m + 2), m = e^{2|x|} - 1. */
static inline double pl_tanh(double x) {
  double a = fabs(x), r, n = pl_reduce(a > 20 ? 40 : 2 * a, &r), power = pl_power_of_two(n, 0);
  double m = power * pl_expm1_near_0(r) + (power - 1);
  return copysign(m / (m + 2), x);
}

/* 1/(1 + e^-x). */
static inline double pl_sigmoid(double x) {
  double e = pl_exp_negative(-fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

/* x/(1 + e^-x), with its limit at minus infinity. */
static inline double pl_silu(double x) {
  return (x < -800 ? -800 : x) * pl_sigmoid(x);
}

/* log(1 + e^x); *sigmoid receives its derivative. */
static inline double pl_softplus(double x, double *sigmoid) {
  double e = pl_exp_negative(-fabs(x));
  *sigmoid = (x < 0 ? e : 1) / (1 + e);
  return (x < 0 ? 0 : x) + pl_log1p_unit(e);
}

#endif
