/* Elementary functions without branches, so that a loop over them becomes vector code
 * (-fno-math-errno -fno-trapping-math; any width, with or without fused multiply-add).  Pure.
 *
 * Error bounds in units in the last place of the result, tested over all magnitudes:
 *   pl_exp 1   pl_log 1   pl_tanh 2.5   pl_sigmoid 2.5   pl_silu 3.5   pl_softplus 2
 * NaN gives NaN, infinities their limits, denormal arguments are right.  Where e^x, or e^-|x|
 * inside, is below 3e-308 it counts as 0: results are then off by less than 1e-304.  With fused
 * multiply-add, or all without, the bits of a result depend on the argument alone, not on its place
 * or the width of the registers. */
#ifndef PL_TAPE_ELEMENTARY_H
#define PL_TAPE_ELEMENTARY_H

#include <math.h>
#include <stdbool.h>
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

/* e^r - 1 for |r| <= log(2)/2: Chebyshev interpolation of (e^r - 1 - r - r^2/2)/r^3, whose own
 * error is 0.02 units in the last place.  Even and odd powers apart, here and below: two chains of
 * half the length keep two units busy. */
static inline double pl_expm1_near_0(double r) {
  double w = r * r, even = 0x1.af38ad617009fp-26, odd = 0x1.1f66e19b630d7p-29;
  odd = odd * w + 0x1.27e4e1f3a2503p-22;
  even = even * w + 0x1.71de0dacd6939p-19;
  odd = odd * w + 0x1.a01a01a47b3fbp-16;
  even = even * w + 0x1.a01a01a7c4839p-13;
  odd = odd * w + 0x1.6c16c16c167e1p-10;
  even = even * w + 0x1.11111111109b3p-7;
  odd = odd * w + 0x1.5555555555555p-5;
  even = even * w + 0x1.5555555555556p-3;
  return r + w * (0.5 + r * (even + r * odd));
}

/* x = n log 2 + r; returns 2^(n + more), n + more in -1022..1023: the low bits of a sum that is
 * rounded to an integer are its exponent. */
static inline double pl_reduce(double x, int more, double *r) {
  double rounder = PL_ROUNDER + (1023 + more);
  double rounded = x * 0x1.71547652b82fep0 + rounder, n = rounded - rounder;
  *r = (x - n * PL_LN2_HIGH) - n * PL_LN2_LOW;
  return pl_from_bits(pl_bits(rounded) << 52);
}

/* e^x for |x| <= 700, and NaN. */
static inline double pl_exp_moderate(double x) {
  double r, power = pl_reduce(x, 0, &r);
  return power + power * pl_expm1_near_0(r);
}

/* e^x for x <= 709, and NaN. */
static inline double pl_exp_negative(double x) {
  double y = pl_exp_moderate(x);
  return x < -707.7 ? 0 : y;
}

/* Twice 2^(n - 1), since n may be 1024. */
static inline double pl_exp(double x) {
  double r, half = pl_reduce(710 < x ? 710 : x, -1, &r), y = half + half * pl_expm1_near_0(r);
  return x < -707.7 ? 0 : y + y;
}

/* log x + k0 log 2 for normal x > 0, which is 2^k (1 + f), 1 + f in sqrt(1/2) .. sqrt(2):
 * log(1 + f) = 2 atanh s, s = f/(2 + f), in the form f - f^2/2 + s (f^2/2 + ..), whose leading term
 * is exact. */
static inline double pl_log_scaled(double x, double k0) {
  const uint64_t root_half = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000;
  uint64_t u = pl_bits(x) + (one - root_half);
  double k = pl_from_bits((u >> 52) | 0x4330000000000000) - (0x1p52 + 1023 - k0);
  double f = pl_from_bits((u & 0x000fffffffffffff) + root_half) - 1;
  double s = f / (2 + f), w = s * s, v = w * w, h = 0.5 * f * f;
  double even = 0x1.2b584aae78a57p-3, odd = 0x1.39fe606542ddep-3;
  even = even * v + 0x1.7462b4ab2ef6bp-3;
  odd = odd * v + 0x1.c71c62e5800a1p-3;
  even = even * v + 0x1.2492492df148dp-2;
  odd = odd * v + 0x1.99999999952e2p-2;
  even = even * v + 0x1.5555555555558p-1;
  return k * PL_LN2_HIGH - ((h - (s * (h + w * (even + w * odd)) + k * PL_LN2_LOW)) - f);
}

/* For normal x > 0. */
static inline double pl_log_normal(double x) {
  return pl_log_scaled(x, 0);
}

static inline double pl_log(double x) {
  bool small = x < 0x1p-1022;
  double l = pl_log_scaled(small ? x * 0x1p54 : x, small ? -54 : 0);
  l = x > 0 ? l : x == 0 ? -INFINITY : NAN;
  return x < INFINITY ? l : x;
}

/* m/(m + 2), m = e^{2|x|} - 1. */
static inline double pl_tanh(double x) {
  double a = 2 * fabs(x), r, power = pl_reduce(40 < a ? 40 : a, 0, &r);
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

/* log(1 + e^x) from e = e^-|x|; *sigmoid receives its derivative.  log(1 + e) is 2 atanh z,
 * z = e/(2 + e), in the form e - z (e - ..). */
static inline double pl_softplus(double x, double e, double *sigmoid) {
  double t = 1 / (1 + e), z = e / (2 + e), w = z * z, v = w * w;
  double even = 0x1.687a6e7c95176p-4, odd = 0x1.4b0a26c5f2aefp-3;
  even = even * v + 0x1.10ac75dc602b1p-3;
  odd = odd * v + 0x1.eb905e8575054p-4;
  even = even * v + 0x1.745cf0b0e03bdp-3;
  odd = odd * v + 0x1.3b18b294bebf9p-3;
  even = even * v + 0x1.24924923d44c6p-2;
  odd = odd * v + 0x1.c71c727143318p-3;
  even = even * v + 0x1.5555555555555p-1;
  odd = odd * v + 0x1.999999999a3ddp-2;
  *sigmoid = x < 0 ? e * t : t;
  return (x < 0 ? 0 : x) + (e - z * (e - w * (even + w * odd)));
}

#endif
