/* BLACS, PBLAS and ScaLAPACK prototypes (the libraries come without a C header).  Fortran names
 * take everything by pointer, indices from 1, string lengths last.
 *
 * Errors in arguments end the whole job inside the library, so callers validate first. */
#ifndef PL_LINALG_SCALAPACK_H
#define PL_LINALG_SCALAPACK_H

#include <mpi.h>
#include <stddef.h>

int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *ctx, const char *order, int nprow, int npcol);
void Cblacs_gridinfo(int ctx, int *nprow, int *npcol, int *myrow, int *mycol);
void Cblacs_gridexit(int ctx);

int numroc_(const int *n, const int *nb, const int *iproc, const int *src, const int *nprocs);

void pdgemm_(const char *opa, const char *opb, const int *m, const int *n, const int *k,
             const double *alpha, const double *a, const int *ia, const int *ja, const int *desca,
             const double *b, const int *ib, const int *jb, const int *descb, const double *beta,
             double *c, const int *ic, const int *jc, const int *descc, size_t, size_t);

/* Copies A(ia:, ja:) to B(ib:, jb:) between layouts; ctx covers the processes of both.  A process
 * outside a layout has -1 as context in its descriptor. */
void pdgemr2d_(const int *m, const int *n, const double *a, const int *ia, const int *ja,
               const int *desca, double *b, const int *ib, const int *jb, const int *descb,
               const int *ctx);

void pdgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a,
              const int *ia, const int *ja, const int *desca, double *s, double *u, const int *iu,
              const int *ju, const int *descu, double *vt, const int *ivt, const int *jvt,
              const int *descvt, double *work, const int *lwork, int *info, size_t, size_t);

/* A = L L^T (uplo "L": of the lower triangle); info > 0: not positive definite, on every process.
 * Then A X = B; blocks of A are square, and as high as those of B. */
void pdpotrf_(const char *uplo, const int *n, double *a, const int *ia, const int *ja,
              const int *desca, int *info, size_t);
void pdpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *ia,
              const int *ja, const int *desca, double *b, const int *ib, const int *jb,
              const int *descb, int *info, size_t);

#endif
