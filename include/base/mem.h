/* Counted, aligned memory.  Exhaustion ends the job with exit code 3 (pl_die), so callers never
 * check for NULL.  Every block is counted: tests end with pl_mem_live() == 0. */
#ifndef PL_BASE_MEM_H
#define PL_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* count * size bytes aligned to 64, contents undefined.  what names the data in the message
 * printed when memory runs out.  Overflow of the product counts as exhaustion.  Never NULL. */
void *pl_alloc(size_t count, size_t size, const char *what) __attribute__((malloc));
/* The same, all bits zero. */
void *pl_zalloc(size_t count, size_t size, const char *what) __attribute__((malloc));
/* Grow or shrink; ptr may be NULL. */
void *pl_realloc(void *ptr, size_t count, size_t size, const char *what);
/* ptr may be NULL. */
void pl_free(void *ptr);
/* Copies of strings. */
char *pl_strdup(const char *s);
char *pl_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Blocks alive now; bytes alive now; most bytes ever alive (this process). */
int64_t pl_mem_live(void);
int64_t pl_mem_bytes(void);
int64_t pl_mem_peak(void);
/* Let the peak start again from the bytes alive now; returns these. */
int64_t pl_mem_restart_peak(void);

/* Narrow to int, or die: sizes handed to BLAS, MPI and ScaLAPACK. */
int pl_int(int64_t n);

#endif
