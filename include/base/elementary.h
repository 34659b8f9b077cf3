/* Elementary functions without branches, so that a loop over them becomes vector code
 * (-fno-math-errno -fno-trapping-math; any width, with or without fused multiply-add).  Pure.
 *
 * Error bounds in units in the last place of the result, tested over all magnitudes:
 *   pl_exp 1   pl_logarithm 1   pl_tanh 3   pl_sigmoid 2.5   pl_silu 3.5   pl_softplus 3
 *   pl_sincos_turns 2 (with 2 pi rounded)
 * NaN gives NaN, infinities their limits, denormal arguments are right.  Where e^x, or e^-|x|
 * inside, is below 3.2e-308 it may count as 0: results are then off by less than 1e-304.  With
 * fused multiply-add, or all without, the bits of a result depend on the argument alone, not on its
 * place or the width of the registers. */
#ifndef PL_BASE_ELEMENTARY_H
#define PL_BASE_ELEMENTARY_H

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

/* Where arguments are cut.  The numbers stand in a file of their own: a compiler that sees them
 * works out apart what follows from them and chooses at the end, by eight operations in place of
 * one. */
extern const struct pl_limits {
  double zero;
  double least;       /* rounds to 2^-1023, whose exponent's bits are those of 0 */
  double least_half;  /* the same for half of e^x */
  double most;        /* of which e^x is finite, beyond 1e300 */
  double infinite;    /* e^x is infinite */
  double one;         /* 1/(1 + e^-x) is 1 */
  double minus, plus; /* of 2x: tanh x is -1, 1 */
} pl_limits;

static inline double pl_no_less(double least, double x) {
  return x < least ? least : x;
}
static inline double pl_no_more(double most, double x) {
  return most < x ? most : x;
}

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

/* a b + c, rounded once wherever the machine can.  Where both terms of a sum are products a
 * compiler may join either to it, in a loop another than in what is left over. */
static inline double pl_multiply_add(double a, double b, double c) {
#if defined(__FP_FAST_FMA) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
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

/* x = n log 2 + r; returns 2^(n + more), n + more in -1022..1023, or 0 for -1023: the low bits of a
 * sum that is rounded to an integer are its exponent. */
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
  return pl_exp_moderate(pl_no_less(pl_limits.least, x));
}

/* Twice 2^(n - 1), since n may be 1024. */
static inline double pl_exp(double x) {
  double cut = pl_no_more(pl_limits.infinite, pl_no_less(pl_limits.least_half, x));
  double r, half = pl_reduce(cut, -1, &r), y = half + half * pl_expm1_near_0(r);
  return y + y;
}

/* log x + k0 log 2 for normal x > 0, which is 2^k (1 + f), 1 + f in sqrt(1/2) .. sqrt(2):
 * log(1 + f) = 2 atanh s, s = f/(2 + f), in the form f - s (f - ..), whose leading term is exact.
 * Of what is no normal x > 0 the result is none: beyond +-708. */
static inline double pl_log_scaled(double x, double k0) {
  const uint64_t root_half = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000;
  uint64_t u = pl_bits(x) + (one - root_half);
  double k = pl_from_bits((u >> 52) | 0x4330000000000000) - (0x1p52 + 1023 - k0);
  double f = pl_from_bits((u & 0x000fffffffffffff) + root_half) - 1;
  double s = f / (2 + f), w = s * s, v = w * w;
  double even = 0x1.2b584aae78a57p-3, odd = 0x1.39fe606542ddep-3;
  even = even * v + 0x1.7462b4ab2ef6bp-3;
  odd = odd * v + 0x1.c71c62e5800a1p-3;
  even = even * v + 0x1.2492492df148dp-2;
  odd = odd * v + 0x1.99999999952e2p-2;
  even = even * v + 0x1.5555555555558p-1;
  double rest = pl_multiply_add(-s, f - w * (even + w * odd), k * PL_LN2_LOW);
  return k * PL_LN2_HIGH + (f + rest);
}

/* For normal x > 0. */
static inline double pl_log_normal(double x) {
  return pl_log_scaled(x, 0);
}

static inline double pl_logarithm(double x) {
  bool small = x < 0x1p-1022;
  double l = pl_log_scaled(small ? x * 0x1p54 : x, small ? -54 : 0);
  l = x > 0 ? l : x == 0 ? -INFINITY : NAN;
  return x < INFINITY ? l : x;
}

/* e^r = (2 + h + b)/(2 + h - b) for |r| <= log(2)/2, h even and b odd in r: where a division
 * follows anyway, half the work of a polynomial.  r coth(r/2) = r (2 + h)/b at Chebyshev's nodes,
 * to 0.03 units in the last place. */
static inline double pl_exp_parts(double r, double *h) {
  double w = r * r;
  *h = w * (0x1.c7195d44b641ep-3 + w * 0x1.03fc8b2a24d84p-9);
  return r + r * w * (0x1.c7101fbd83cc5p-6 + w * 0x1.1532243b2bc4dp-14);
}

/* (e^2x - 1)/(e^2x + 1). */
static inline double pl_tanh(double x) {
  double cut = pl_no_more(pl_limits.plus, pl_no_less(pl_limits.minus, x + x));
  double r, h, power = pl_reduce(cut, 0, &r), b = pl_exp_parts(r, &h);
  double sum = power + 1, less = 1 - power;
  double over = pl_multiply_add(sum, b, -(less * h)), under = pl_multiply_add(sum, h, -(less * b));
  return (over - 2 * less) / (2 * sum + under);
}

/* e^x/(1 + e^x). */
static inline double pl_sigmoid(double x) {
  double cut = pl_no_more(pl_limits.one, pl_no_less(pl_limits.least, x));
  double r, h, power = pl_reduce(cut, 0, &r), b = pl_exp_parts(r, &h);
  double e = power * (2 + (h + b));
  return e / (2 + (e + (h - b)));
}

/* x/(1 + e^-x), with its limit at minus infinity. */
static inline double pl_silu(double x) {
  return pl_no_less(pl_limits.least, x) * pl_sigmoid(x);
}

/* sin and cos of 2 pi t, 0 <= t <= 1: those of x, the angle to the nearest quarter, which t tells
 * exactly, turned by as many quarters.  Chebyshev interpolation of (sin x - x)/x^3 and
 * (cos x - 1 + x^2/2)/x^4 for |x| <= pi/4, to 0.2 and 0.02 units in the last place. */
static inline void pl_sincos_turns(double t, double *sine, double *cosine) {
  double rounded = t * 4 + PL_ROUNDER, x = (t - (rounded - PL_ROUNDER) * 0.25) * (2 * M_PI);
  double w = x * x, s = 0x1.5e0b19f8b1451p-33, c = -0x1.907da367a37cbp-37;
  s = s * w - 0x1.ae600b02b6262p-26;
  c = c * w + 0x1.1eeb68e93b64cp-29;
  s = s * w + 0x1.71de37968a100p-19;
  c = c * w - 0x1.27e4fa17da09ep-22;
  s = s * w - 0x1.a01a019e83aaep-13;
  c = c * w + 0x1.a01a019f4eb01p-16;
  s = s * w + 0x1.1111111110bb2p-7;
  c = c * w - 0x1.6c16c16c16967p-10;
  s = s * w - 0x1.5555555555555p-3;
  c = c * w + 0x1.5555555555555p-5;
  s = x + (x * w) * s;
  c = 1 + w * (w * c - 0.5);
  uint64_t quarters = pl_bits(rounded), odd = -(quarters & 1);
  uint64_t other = (pl_bits(s) ^ pl_bits(c)) & odd;
  *sine = pl_from_bits(pl_bits(s) ^ other ^ (quarters & 2) << 62);
  *cosine = pl_from_bits(pl_bits(c) ^ other ^ ((quarters + 1) & 2) << 62);
}

/* z = e/(2 + e), e = e^-|x|, of which all about softplus follows: e = 2z/(1 - z). */
static inline double pl_softplus_ratio(double x) {
  double r, h, power = pl_reduce(pl_no_less(pl_limits.least, -fabs(x)), 0, &r);
  double b = pl_exp_parts(r, &h), e = power * (2 + (h + b));
  return e / pl_multiply_add(2, 2 + (h - b), e);
}

/* log(1 + e^x) = max(x, 0) + log(1 + e), and log(1 + e) is 2 atanh z. */
static inline double pl_softplus(double x, double z) {
  double w = z * z, v = w * w;
  double even = 0x1.687a6e7c95176p-4, odd = 0x1.4b0a26c5f2aefp-3;
  even = even * v + 0x1.10ac75dc602b1p-3;
  odd = odd * v + 0x1.eb905e8575054p-4;
  even = even * v + 0x1.745cf0b0e03bdp-3;
  odd = odd * v + 0x1.3b18b294bebf9p-3;
  even = even * v + 0x1.24924923d44c6p-2;
  odd = odd * v + 0x1.c71c727143318p-3;
  even = even * v + 0x1.5555555555555p-1;
  odd = odd * v + 0x1.999999999a3ddp-2;
  return pl_no_less(pl_limits.zero, x) + pl_multiply_add(z * w, even + w * odd, z + z);
}

#endif
