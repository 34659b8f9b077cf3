/* Irreps of a finite group, found numerically.
 *
 * Characters.  Those of degree 1 are the ones of G/G', found exactly.  A random self-adjoint
 * element z of the centre of C[G] acts on class functions orthogonal to them as a Hermitian matrix
 * whose eigenvectors are the other irreducible characters (Burnside; Dixon 1967); where eigenvalues
 * come near each other, another z takes their eigenvectors apart.
 * Matrices.  Of dimension 1: the character.  Otherwise let rho be an irrep and e the projection
 * onto the smallest eigenspace of dimension m that rho(h) has for any h.  For a random self-adjoint
 * a in C[G], e rho(a) e has a simple extreme eigenvalue, with eigenvector v.  Right multiplication
 * by e and then by a and e, applied to the character again and again, yields tr(rho(x) q(eae) e)
 * for polynomials q: Lanczos' method on these functions, m steps, finds phi(x) = <v, rho(x) v>.
 * (Few steps matter: rounding brings in other irreps, and they grow with every step.)  The Gram
 * matrix of vectors rho(g_c) v, for 2d elements g_c, is phi(g_c^-1 g_c'); an orthonormal basis W of
 * their span gives rho(x) = W^H [phi(g_c^-1 x g_c')] W.  Nothing larger than the table of
 * characters, or than 2d, is diagonalised, and memory is m |G|. Real type: a has real coefficients,
 * so everything is real.  Quaternionic type: the antilinear map U conj that commutes with rho comes
 * from averaging over G, and the basis v, U conj(v), .. is the one of group/group.h. */
#ifndef PL_GROUP_IRREPS_H
#define PL_GROUP_IRREPS_H

#include "group/finite.h"
#include "group/group.h"

#include <complex.h>

/* Largest order for which irreps are sought. */
enum { PL_MAX_IRREP_ORDER = 10000 };
/* Most conjugacy classes for which characters are sought: their table takes 16 n^2 bytes, twice. */
enum { PL_MAX_CLASSES = 4096 };

/* All irreps over the complex numbers, by dimension and then by the values on the classes in
 * order, larger first (real part before imaginary part). */
typedef struct pl_characters {
  int64_t n;
  int *dim;
  double _Complex *chi; /* [irrep][class] */
} pl_characters;

/* PL_NUMERIC if what is found is no table of characters. */
pl_status pl_characters_new(const pl_finite *f, const pl_classes *c, pl_characters **out);
void pl_characters_free(pl_characters *c);

/* Irreps as stored: of a complex pair the one that comes first.  Labels are the dimension and a
 * letter that counts the stored irreps of this dimension: 1a is trivial; then 1b, .., 3a, .. */
typedef struct pl_irreps {
  int64_t n, transversal; /* elements of all transversals, level after level */
  pl_irrep *irrep;
  char (*label)[16];
  double **matrix; /* [element of a transversal][pl_irrep_size] of every irrep */
} pl_irreps;

/* PL_EINPUT if there are too many classes; PL_EBUG if the numbers do not come out right, which is
 * checked on random pairs. */
pl_status pl_irreps_new(const pl_finite *f, pl_irreps **out);
void pl_irreps_free(pl_irreps *r);
/* rho_i(a), pl_irrep_size doubles: the product of its factors. */
void pl_irreps_matrix(const pl_irreps *r, const pl_finite *f, int64_t i, int64_t a, double *out);
/* Largest deviation from rho(a) rho(b) = rho(ab) and from unitarity over pairs of random elements
 * in every irrep. */
double pl_irreps_residual(const pl_irreps *r, const pl_finite *f, int pairs);

/* Label of the stored irrep that `count` of its dimension d stand before. */
void pl_irreps_name(int d, int count, char label[16]);
/* Are these all irreps, each once, as pl_irreps_new stores them?  Largest deviation from Schur's
 * orthogonality of characters, which holds only of irreducible ones that differ: with X the values
 * of all characters on the classes, each column times sqrt(|K|/|G|), X X^H = 1, tested on random
 * vectors.  Infinite if their number is not that of the classes, or order, labels or types (by
 * Frobenius' and Schur's indicator) are not theirs.  Time: that of the classes, and of one matrix
 * per irrep and class. */
double pl_irreps_disorder(const pl_irreps *r, const pl_finite *f);

/* The same from a cache, kept there for later: a file named after the group in the folder
 * $PLANCHEREL_CACHE, else $XDG_CACHE_HOME/plancherel, else $HOME/.cache/plancherel; none if
 * PLANCHEREL_CACHE is empty or nothing is set.  A file of another version, with a wrong checksum,
 * whose matrices fail on random pairs or whose characters are not orthogonal is passed over and
 * replaced, as is anything that is no regular file; that none can be written is no error.  A folder
 * or file that others own (but root) or may write is not used. */
pl_status pl_irreps_cached(const pl_finite *f, pl_irreps **out);

#endif
