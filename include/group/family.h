/* What a family of groups supplies (internal to group/).  A group is a list of factors, one from
 * each family that its spec names; a new family is one file and one row in group.c's table.
 *
 * Compact form of a matrix of an irrep, in which every group has exactly |G| doubles in all:
 *   real type         d x d doubles;
 *   complex type      d x d pairs (re, im);
 *   quaternionic type d/2 x d/2 quaternions (q0, q1, q2, q3) = q0 + q1 i + q2 j + q3 k, which stand
 *                     for the blocks [[a, -conj b], [b, conj a]], a = q0 + i q1, b = q2 - i q3.
 * The products of the matrices are those of the quaternions. */
#ifndef PL_GROUP_FAMILY_H
#define PL_GROUP_FAMILY_H

#include "group/group.h"

enum { PL_MAX_FACTORS = 64 };
/* Of a group.  Leaves room for sums of 2 d^2 and for orders times small numbers in 64 bits. */
#define PL_MAX_ORDER (INT64_C(1) << 60)

typedef struct pl_family pl_family;

typedef struct pl_factor {
  const pl_family *family; /* borrowed */
  int64_t n;               /* of "C_n" */
  char *spec;              /* canonical spelling, or NULL: from letter and n; owned */
  int64_t order, classes;
  int64_t irreps; /* stored: classes - irreps of them are complex pairs */
  void *data;     /* the family's own, or NULL */
} pl_factor;

/* Fast transform along one axis: rows functions of f->order doubles to rows records in compact
 * form, irreps in order.  in and out do not overlap; in is unchanged; applying allocates nothing.
 * The strides are distances in doubles between rows. */
typedef struct pl_fast {
  /* offset: where to put the matrix of each irrep; NULL (always, unless places): packed. */
  void *(*make)(const pl_factor *f, const int64_t *offset);
  int places;
  void (*free)(void *plan);
  void (*forward)(void *plan, int64_t rows, const double *in, int64_t in_stride, double *out,
                  int64_t out_stride);
  void (*inverse)(void *plan, int64_t rows, const double *in, int64_t in_stride, double *out,
                  int64_t out_stride);
  int64_t (*bytes)(const pl_factor *f);
} pl_fast;

struct pl_family {
  char letter;                /* 'C' of "C_n"; 0: read by other means */
  const char *form;           /* its line in pl_group_forms */
  int64_t min, max;           /* of n */
  void (*init)(pl_factor *f); /* from n: order, classes, irreps, data */
  /* Instead of letter, min, max and init, names of the family's own: whether word is one of them;
   * and spec, order, classes, irreps and data from it, or a status with a message. */
  int (*reads)(const char *word);
  pl_status (*parse)(const char *word, pl_factor *f);
  double tolerance;           /* of pl_group_check; 0: rounding only */
  void (*fini)(pl_factor *f); /* NULL: nothing to free */
  int64_t (*mul)(const pl_factor *f, int64_t a, int64_t b);
  int64_t (*inv)(const pl_factor *f, int64_t a);
  int (*element_label)(const pl_factor *f, int64_t a, char *buf, size_t n);
  int (*generators)(const pl_factor *f, int64_t *gens, int max);
  pl_irrep (*irrep)(const pl_factor *f, int64_t i);
  /* Complex pairs among irreps 0..i-1.  NULL: none are complex. */
  int64_t (*complex_before)(const pl_factor *f, int64_t i);
  /* Label of irrep i, or of its conjugate. */
  int (*irrep_label)(const pl_factor *f, int64_t i, int conj, char *buf, size_t n);
  /* -1 if there is none; *conj: label names the conjugate of the stored one. */
  int64_t (*irrep_by_label)(const pl_factor *f, const char *label, int *conj);
  void (*irrep_matrix)(const pl_factor *f, int64_t i, int64_t element, double *compact);
  const pl_fast *fast; /* NULL: the Fourier matrix serves, so only small groups */
};

extern const pl_family pl_family_cyclic, pl_family_dihedral, pl_family_quaternion,
    pl_family_symmetric, pl_family_semidirect, pl_family_alternating, pl_family_signed,
    pl_family_numeric;

/* The band of codepth k of S_n as the one factor of a group: order 0 from n = 21. */
void pl_band_factor(int n, int k, pl_factor *f);

/* A word such as "C_12", len characters, by the letters of families (NULL-terminated).  On success
 * 1, *f set but not initialised; otherwise 0, and why says what is wrong. */
int pl_factor_parse(const pl_family *const *families, const char *word, int len, pl_factor *f,
                    char *why, size_t n);

/* The three names nearest to a word of len characters that no group has: "S_4, A_4, C_4". */
void pl_group_nearest(const char *word, int len, char *buf, size_t n);

struct pl_group {
  char *spec;
  int64_t order; /* 0: beyond 64 bits */
  double volume;
  int codepth; /* of a band; 0: whole */
  int factors;
  pl_factor factor[PL_MAX_FACTORS];
  /* Irreps of the product of factors t, t+1, ..: stored ones, and all over C. */
  int64_t stored[PL_MAX_FACTORS + 1], all[PL_MAX_FACTORS + 1];
};

/* Doubles of the compact form. */
static inline int64_t pl_compact_size(pl_irrep r) {
  return (int64_t)r.dim * r.dim * (r.type == PL_COMPLEX ? 2 : 1);
}
/* Rows of the compact form, which a block of a larger matrix keeps apart. */
static inline int pl_compact_rows(pl_irrep r) {
  return r.type == PL_QUATERNIONIC ? r.dim / 2 : r.dim;
}
/* From the compact form to the one of pl_group_irrep_matrix, and back.  Copies unless the type is
 * quaternionic. */
void pl_compact_expand(pl_irrep r, const double *compact, double *full);
void pl_compact_reduce(pl_irrep r, const double *full, double *compact);

#endif
