#include "small.h"

/* The bodies are inlined with a constant dimension and operation, so that the compiler unrolls
 * them completely. */
#define ALWAYS static inline __attribute__((always_inline))

/* A product alone, or alpha times it and beta times what was there. */
typedef struct mix {
  bool add;
  double alpha, beta;
} mix;

ALWAYS void put(const mix m, double x, double *c) {
  *c = m.add ? m.alpha * x + m.beta * *c : x;
}

ALWAYS void real_mul(const int d, int64_t count, const pl_product op, const mix m,
                     const double *restrict a, const double *restrict b, double *restrict c) {
  for (int64_t n = 0; n < count; n++, a += d * d, b += d * d, c += d * d) {
    double right[PL_SMALL_REAL * PL_SMALL_REAL];
    for (int k = 0; k < d; k++)
      for (int j = 0; j < d; j++) right[k * d + j] = op == PL_NC ? b[j * d + k] : b[k * d + j];
    for (int i = 0; i < d; i++) {
      double row[PL_SMALL_REAL] = {0};
      for (int k = 0; k < d; k++) {
        double x = op == PL_CN ? a[k * d + i] : a[i * d + k];
        for (int j = 0; j < d; j++) row[j] += x * right[k * d + j];
      }
      for (int j = 0; j < d; j++) put(m, row[j], &c[i * d + j]);
    }
  }
}

ALWAYS void complex_mul(const int d, int64_t count, const pl_product op, const mix m,
                        const double *restrict a, const double *restrict b, double *restrict c) {
  for (int64_t n = 0; n < count; n++, a += 2 * d * d, b += 2 * d * d, c += 2 * d * d)
    for (int i = 0; i < d; i++)
      for (int j = 0; j < d; j++) {
        double re = 0, im = 0;
        for (int k = 0; k < d; k++) {
          const double *x = a + 2 * (op == PL_CN ? k * d + i : i * d + k);
          const double *y = b + 2 * (op == PL_NC ? j * d + k : k * d + j);
          double xi = op == PL_CN ? -x[1] : x[1], yi = op == PL_NC ? -y[1] : y[1];
          re += x[0] * y[0] - xi * yi;
          im += x[0] * yi + xi * y[0];
        }
        put(m, re, &c[2 * (i * d + j)]);
        put(m, im, &c[2 * (i * d + j) + 1]);
      }
}

#define FOR_OPS(body, d)                                                                           \
  case d:                                                                                          \
    if (op == PL_NN)                                                                               \
      body(d, count, PL_NN, m, a, b, c);                                                           \
    else if (op == PL_CN)                                                                          \
      body(d, count, PL_CN, m, a, b, c);                                                           \
    else                                                                                           \
      body(d, count, PL_NC, m, a, b, c);                                                           \
    return

ALWAYS void mul(int dim, bool is_complex, int64_t count, pl_product op, const mix m,
                const double *a, const double *b, double *c) {
  if (is_complex) {
    switch (dim) {
      FOR_OPS(complex_mul, 1);
      FOR_OPS(complex_mul, 2);
      FOR_OPS(complex_mul, 3);
      FOR_OPS(complex_mul, 4);
    }
  } else {
    switch (dim) {
      FOR_OPS(real_mul, 1);
      FOR_OPS(real_mul, 2);
      FOR_OPS(real_mul, 3);
      FOR_OPS(real_mul, 4);
      FOR_OPS(real_mul, 5);
      FOR_OPS(real_mul, 6);
    }
  }
  pl_die(PL_EBUG, "no small product of dimension %d", dim);
}

/* Two functions: in one, saving what the rarer of them needs would cost the other. */
void pl_small_mul(int dim, bool is_complex, int64_t count, pl_product op, const double *a,
                  const double *b, double *c) {
  mul(dim, is_complex, count, op, (mix){.add = false}, a, b, c);
}

void pl_small_mul_add(int dim, bool is_complex, int64_t count, pl_product op, double alpha,
                      const double *a, const double *b, double beta, double *c) {
  mul(dim, is_complex, count, op, (mix){true, alpha, beta}, a, b, c);
}
