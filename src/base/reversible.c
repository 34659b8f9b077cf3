#include "base/reversible.h"

#include "base/status.h"

#include <math.h>

static const double UNIT = (double)((int64_t)1 << PL_REVERSIBLE_BITS);

/* ---- division ---- */

static pl_divisor divisor(int64_t by) {
  pl_divisor v = {.by = by};
  while (((int64_t)1 << v.shift) < by) v.shift++;
  /* ceil(2^(63 + shift) / by) is below 2^64, as by > 2^(shift - 1). */
  unsigned __int128 power = (unsigned __int128)1 << (63 + v.shift);
  v.factor = (uint64_t)((power + (uint64_t)by - 1) / (uint64_t)by);
  return v;
}

/* 0 <= u < 2^63. */
static inline int64_t quotient(pl_divisor v, uint64_t u) {
  return (int64_t)((uint64_t)(((unsigned __int128)(2 * u) * v.factor) >> 64) >> v.shift);
}

/* floor(a / by): for a < 0 it is -1 - floor((-1 - a) / by). */
static inline int64_t floored(pl_divisor v, int64_t a) {
  int64_t sign = a >> 63;
  return quotient(v, (uint64_t)(a ^ sign)) ^ sign;
}

/* a less q times the divisor; parts of sums may pass 64 bits, so they wrap. */
static inline uint64_t left(int64_t a, int64_t q, pl_divisor v) {
  return (uint64_t)a - (uint64_t)q * (uint64_t)v.by;
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
  for (double most = 1; most * (double)d < 0x1p62; most = most * (double)d / (double)n + 1) {
    r.period++;
    if (r.period == INT32_MAX) break;
  }
  return r;
}

int pl_reversible_buffers(const pl_reversible *r, int layers) {
  return (layers + r->period - 1) / r->period;
}

/* ---- fixed point ---- */

/* The same in both directions; whatever beyond the range. */
static inline int64_t steps(double x) {
  return llrint(x * UNIT);
}
static inline bool fits(double x) {
  return fabs(x) < PL_REVERSIBLE_LIMIT;
}

bool pl_reversible_set(int64_t count, const double *x, int64_t *fixed) {
  bool ok = true;
  for (int64_t k = 0; k < count; k++) {
    ok &= fits(x[k]);
    fixed[k] = fits(x[k]) ? steps(x[k]) : 0;
  }
  return ok;
}

void pl_reversible_get(int64_t count, const int64_t *fixed, double *x) {
  for (int64_t k = 0; k < count; k++) x[k] = (double)fixed[k] * (1 / UNIT);
}

bool pl_reversible_forward(const pl_reversible *r, int64_t count, double c, const double *force,
                           int64_t *v, int64_t *x, uint64_t *buffer) {
  const pl_divisor n = r->n, d = r->d;
  bool ok = true;
  uint64_t over = 0; /* its highest bit: some sum has left the range */
  for (int64_t k = 0; k < count; k++) {
    double f = c * force[k];
    uint64_t add = (uint64_t)steps(f), at = (uint64_t)x[k];
    int64_t q = floored(d, v[k]);
    uint64_t b = buffer[k] * (uint64_t)d.by + left(v[k], q, d);
    int64_t high = quotient(n, b);
    uint64_t shrunk = (uint64_t)(q - high) * (uint64_t)n.by + b, to = shrunk + add, next = at + to;
    ok &= fits(f);
    over |= ((shrunk ^ to) & (add ^ to)) | ((at ^ next) & (to ^ next));
    buffer[k] = (uint64_t)high;
    v[k] = (int64_t)to;
    x[k] = (int64_t)next;
  }
  return ok && !(over >> 63);
}

void pl_reversible_back_x(int64_t count, const int64_t *v, int64_t *x) {
  for (int64_t k = 0; k < count; k++) x[k] -= v[k];
}

void pl_reversible_back_v(const pl_reversible *r, int64_t count, double c, const double *force,
                          int64_t *v, uint64_t *buffer) {
  const pl_divisor n = r->n, d = r->d;
  for (int64_t k = 0; k < count; k++) {
    int64_t was = v[k] - steps(c * force[k]), q = floored(n, was);
    uint64_t b = buffer[k] * (uint64_t)n.by + left(was, q, n);
    int64_t high = quotient(d, b);
    v[k] = (int64_t)((uint64_t)(q - high) * (uint64_t)d.by + b);
    buffer[k] = (uint64_t)high;
  }
}

double pl_reversible_bits(int64_t count, const uint64_t *buffer) {
  double sum = 0;
  for (int64_t k = 0; k < count; k++) sum += log2(1 + (double)buffer[k]);
  return sum;
}
