/* BLAS and LAPACK prototypes, and which OpenBLAS kernels run.
 *
 * BLAS through CBLAS; LAPACK through its Fortran names (column-major; string lengths last). */
#ifndef PL_BASE_BLAS_H
#define PL_BASE_BLAS_H

#include "base/status.h"

#include <cblas.h>
#include <complex.h>
#include <stddef.h>

void dgesdd_(const char *jobz, const int *m, const int *n, double *a, const int *lda, double *s,
             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork,
             int *iwork, int *info, size_t);
void zgesdd_(const char *jobz, const int *m, const int *n, double _Complex *a, const int *lda,
             double *s, double _Complex *u, const int *ldu, double _Complex *vt, const int *ldvt,
             double _Complex *work, const int *lwork, double *rwork, int *iwork, int *info, size_t);
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b,
            const int *ldb, int *info, size_t);
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t);
void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
             double *work, const int *lwork, int *iwork, const int *liwork, int *info, size_t,
             size_t);
void zheevd_(const char *jobz, const char *uplo, const int *n, double _Complex *a, const int *lda,
             double *w, double _Complex *work, const int *lwork, double *rwork, const int *lrwork,
             int *iwork, const int *liwork, int *info, size_t, size_t);
void dgeev_(const char *jobvl, const char *jobvr, const int *n, double *a, const int *lda,
            double *wr, double *wi, double *vl, const int *ldvl, double *vr, const int *ldvr,
            double *work, const int *lwork, int *info, size_t, size_t);
void zgeev_(const char *jobvl, const char *jobvr, const int *n, double _Complex *a, const int *lda,
            double _Complex *w, double _Complex *vl, const int *ldvl, double _Complex *vr,
            const int *ldvr, double _Complex *work, const int *lwork, double *rwork, int *info,
            size_t, size_t);
void dgetrf_(const int *m, const int *n, double *a, const int *lda, int *ipiv, int *info);
void zgetrf_(const int *m, const int *n, double _Complex *a, const int *lda, int *ipiv, int *info);

/* OpenBLAS picks its kernels, and starts its threads, when the library loads.  Old releases fall
 * back to SSE3 kernels on CPUs newer than themselves (OpenBLAS issue 4267), five to seven times
 * slower. First thing in main, before MPI_Init: if OPENBLAS_CORETYPE is unset and the chosen
 * kernels are older than what the CPU offers, or OPENBLAS_NUM_THREADS is unset and there are
 * several threads, set them (one thread) and re-execute the program.  PLANCHEREL_NO_REEXEC=1
 * switches this off. Returns when nothing is to be done.  Local. */
void pl_blas_choose_kernels(char **argv);
/* PL_EENV if this CPU cannot run the kernels that OpenBLAS has chosen, or OPENBLAS_CORETYPE for it:
 * the first product would end the program with an illegal instruction.  Local. */
pl_status pl_blas_runs(void);
/* Let OpenBLAS take its buffers now, one per thread, after pl_blas_threads.  Where it gets none it
 * tries for ever (0.3.21 does); here it ends the process with exit code 3 and a message, since
 * nothing returns.  Local. */
void pl_blas_reserve(void);
/* One thread per process unless OPENBLAS_NUM_THREADS is set; returns the number in force. */
int pl_blas_threads(void);
const char *pl_blas_core(void);    /* kernel name, "SkylakeX" */
const char *pl_blas_version(void); /* "OpenBLAS 0.3.21 ..." */

#endif
