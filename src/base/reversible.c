#include "base/reversible.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

static const double UNIT = (double)((int64_t)1 << PL_REVERSIBLE_BITS);

/* ---- integers as doubles ---- */

/* Machines without conversions and products of 64-bit integers in vectors have those of doubles:
 * all of a layer is arithmetic on integers that doubles hold exactly.  A buffer is one of them, an
 * entry of v is high 2^26 + low. */
typedef struct halves {
  double high, low;
} halves;

#define HALF 0x1p26

static inline double of_bits(uint64_t u) {
  double x;
  memcpy(&x, &u, sizeof x);
  return x;
}
static inline uint64_t bits_of(double x) {
  uint64_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

/* 0 <= u < 2^52: the mantissa of 2^52 + u, there and back. */
static const uint64_t MANTISSA = 0x4330000000000000;
static inline double of_small(uint64_t u) {
  return of_bits(u | MANTISSA) - 0x1p52;
}
static inline uint64_t to_small(double x) {
  return bits_of(x + 0x1p52) - MANTISSA;
}

static inline uint64_t biased(int64_t a) {
  return (uint64_t)a ^ (uint64_t)1 << 63;
}

/* low in 0 .. 2^26 - 1. */
static inline halves split(int64_t a) {
  return (halves){of_bits(biased(a) >> 26 | MANTISSA) - (0x1p52 + 0x1p37),
                  of_small((uint64_t)a & 0x3ffffff)};
}

/* |high| < 2^51, 0 <= low < 2^52; wraps. */
static inline int64_t joined(halves a) {
  uint64_t high = bits_of(a.high + 0x1.8p52) - 0x4338000000000000;
  return (int64_t)((high << 26) + to_small(a.low));
}

/* a 2^-52, rounded once: mantissas of 2^32 and of 1. */
static inline double number(int64_t a) {
  double high = of_bits(biased(a) >> 32 | bits_of(0x1p32)) - (0x1p32 + 0x1p11 + 1);
  return high + of_bits(((uint64_t)a & 0xffffffff) | bits_of(1));
}

/* round(x) in steps, |x| < 2^11, low in 0 .. 2^26 - 1; whatever beyond. */
static inline halves steps(double x) {
  double whole = nearbyint(x * UNIT), high = floor(whole * (1 / HALF));
  return (halves){high, whole - high * HALF};
}

/* ---- division ---- */

static pl_divisor divisor(int64_t by) {
  return (pl_divisor){(double)by, 1 / (double)by};
}

/* floor(a / by) for integers |a| < 2^49: (a + 1/2) / by lies further from every integer than
 * rounding reaches. */
static inline double floored(pl_divisor v, double a) {
  return floor((a + 0.5) * v.inverse);
}

/* a = by q + rest, 0 <= rest < by. */
static inline halves quotient(pl_divisor v, halves a, double *rest) {
  halves q;
  q.high = floored(v, a.high);
  double left = (a.high - q.high * v.by) * HALF + a.low;
  q.low = floored(v, left);
  *rest = left - q.low * v.by;
  return q;
}

/* b <- floor((b by + more) / over), whose rest it returns. */
static inline double exchange(pl_divisor by, pl_divisor over, double more, uint64_t *b) {
  double all = of_small(*b) * by.by + more, high = floored(over, all);
  *b = to_small(high);
  return all - high * over.by;
}

/* ---- the ratio ---- */

bool pl_reversible_ratio(double gamma, int64_t *n, int64_t *d) {
  if (!(gamma > 0 && gamma < 1)) return false;
  /* Convergents of the continued fraction. */
  int64_t p0 = 0, q0 = 1, p1 = 1, q1 = 0;
  for (double x = gamma; q1 <= PL_REVERSIBLE_MOST;) {
    int64_t a = (int64_t)floor(x), p = a * p1 + p0, q = a * q1 + q0;
    if (q > PL_REVERSIBLE_MOST) break;
    p0 = p1, q0 = q1, p1 = p, q1 = q;
    if ((double)p / (double)q == gamma) break;
    if (x == floor(x) || 1 / (x - floor(x)) > 2.0 * PL_REVERSIBLE_MOST) break;
    x = 1 / (x - floor(x));
  }
  if ((double)p1 / (double)q1 != gamma) {
    p1 = llrint(gamma * PL_REVERSIBLE_MOST);
    q1 = PL_REVERSIBLE_MOST;
  }
  if (p1 <= 0 || p1 >= q1) return false;
  *n = p1;
  *d = q1;
  return true;
}

pl_reversible pl_reversible_of(int64_t n, int64_t d) {
  pl_require(n > 0 && n < d && d <= PL_REVERSIBLE_MOST);
  pl_reversible r = {.n = divisor(n), .d = divisor(d)};
  /* b + 1 <= most before a layer gives b d + r < most d, and b + 1 <= most d/n + 1 after it. */
  for (double most = 1; most * (double)d < 0x1p49; most = most * (double)d / (double)n + 1) {
    r.period++;
    if (r.period == INT32_MAX) break;
  }
  return r;
}

int pl_reversible_buffers(const pl_reversible *r, int layers) {
  return (layers + r->period - 1) / r->period;
}

/* ---- fixed point ---- */

static inline bool fits(double x) {
  return fabs(x) < PL_REVERSIBLE_LIMIT;
}

bool pl_reversible_set(int64_t count, const double *x, int64_t *fixed) {
  bool ok = true;
  for (int64_t k = 0; k < count; k++) {
    ok &= fits(x[k]);
    fixed[k] = joined(steps(fits(x[k]) ? x[k] : 0));
  }
  return ok;
}

void pl_reversible_get(int64_t count, const int64_t *fixed, double *x) {
#pragma omp simd
  for (int64_t k = 0; k < count; k++) x[k] = number(fixed[k]);
}

bool pl_reversible_forward(const pl_reversible *r, int64_t count, double c, const double *force,
                           int64_t *v, int64_t *x, uint64_t *buffer, double *now) {
  const pl_divisor n = r->n, d = r->d;
  uint64_t over = 0; /* its highest bit: some number has left the range */
#pragma omp simd reduction(| : over)
  for (int64_t k = 0; k < count; k++) {
    double f = c * force[k], rest;
    halves add = steps(f), q = quotient(d, split(v[k]), &rest);
    rest = exchange(d, n, rest, &buffer[k]);
    halves to = {q.high * n.by + add.high, q.low * n.by + rest + add.low};
    int64_t at = x[k], moved = joined(to), next = (int64_t)((uint64_t)at + (uint64_t)moved);
    bool in = fits(f) & (fabs(to.high) < PL_REVERSIBLE_LIMIT * UNIT / HALF);
    over |= (uint64_t)((at ^ next) & (moved ^ next)) | (in ? 0 : (uint64_t)1 << 63);
    v[k] = moved;
    x[k] = next;
    now[k] = number(next);
  }
  return !(over >> 63);
}

void pl_reversible_back_x(int64_t count, const int64_t *v, int64_t *x, double *now) {
#pragma omp simd
  for (int64_t k = 0; k < count; k++) {
    x[k] = (int64_t)((uint64_t)x[k] - (uint64_t)v[k]);
    now[k] = number(x[k]);
  }
}

void pl_reversible_back_v(const pl_reversible *r, int64_t count, double c, const double *force,
                          int64_t *v, uint64_t *buffer) {
  const pl_divisor n = r->n, d = r->d;
#pragma omp simd
  for (int64_t k = 0; k < count; k++) {
    double rest;
    uint64_t added = (uint64_t)joined(steps(c * force[k]));
    halves q = quotient(n, split((int64_t)((uint64_t)v[k] - added)), &rest);
    rest = exchange(n, d, rest, &buffer[k]);
    v[k] = joined((halves){q.high * d.by, q.low * d.by + rest});
  }
}

double pl_reversible_bits(int64_t count, const uint64_t *buffer) {
  double sum = 0;
  for (int64_t k = 0; k < count; k++) sum += log2(1 + (double)buffer[k]);
  return sum;
}
