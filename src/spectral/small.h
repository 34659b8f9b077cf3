/* Products of small matrices, inside spectral/ only. */
#ifndef PL_SPECTRAL_SMALL_H
#define PL_SPECTRAL_SMALL_H

#include "spectral/spectrum.h"

enum { PL_SMALL_REAL = 6, PL_SMALL_COMPLEX = 4 };

/* c = a b for count products of dim x dim matrices stored one after the other, row-major; dim up
 * to PL_SMALL_REAL (real) or PL_SMALL_COMPLEX (complex).  Below these sizes a call of GEMM costs
 * more than the product.  Local, pure. */
void pl_small_mul(int dim, bool is_complex, int64_t count, pl_product op, const double *a,
                  const double *b, double *c);
/* Likewise c = alpha a b + beta c, beta != 0. */
void pl_small_mul_add(int dim, bool is_complex, int64_t count, pl_product op, double alpha,
                      const double *a, const double *b, double beta, double *c);

/* The same of real matrices of any dimension up to PL_PANEL_REAL, c not read where beta is 0:
 * tiles of c in registers, the right factor a panel of columns at a time.  It copies less than
 * DGEMM does, which is faster above.  Local, pure. */
enum { PL_PANEL_REAL = 40 };
void pl_panel_mul(int dim, int64_t count, pl_product op, double alpha, const double *a,
                  const double *b, double beta, double *c);

#endif
