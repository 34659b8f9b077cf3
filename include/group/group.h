/* Finite groups, and the conventions of the whole program (stated here once).
 *
 * G is a finite group of order |G|; elements are numbered 0..|G|-1 and 0 is the identity.
 *   Permutations      multiply right to left: (st)(i) = s(t(i)).
 *   Convolution       (a*b)(u) = sum_{gh=u} a(g) b(h).
 *   Fourier transform F_rho = sum_g f(g) rho(g), rho unitary, d = dim rho; not normalised.
 *   Inverse           f(g) = (1/|G|) sum_rho d tr(F_rho rho(g)^H); so conv becomes product.
 *   Plancherel        sum_g f(g) h(g) = (1/|G|) sum_rho m d Re tr(F_rho^H H_rho), f and h real.
 *   Matrices          row-major, entry (i, j) at i*d + j; complex entries as (re, im) pairs.
 *   Volume V          what stands for |G| in inner products and norms; V = |G| but for some bands.
 *
 * Bands.  S_n restricted to its irreps of codepth at most k (first row n - k or longer) stands for
 * the functions whose Fourier transform vanishes elsewhere: for k = 1 sums of functions of one item
 * and its position, for k = 2 of pairs, ..; k = n - 1: all.  They are closed under convolution, and
 * n may be large, as long as nothing lists elements.  With D = sum of d^2 over the band,
 *     <f, h> = (1/V) sum_rho d tr(F_rho^T H_rho),
 * V = |G|, as on the whole group, or V = D, in which the indicator of an element, projected to the
 * band, has norm 1 as on the whole group.
 *
 * Functions are real, so few matrices need storing.  m is the multiplicity of a stored irrep in
 * every sum over irreps:
 *   real type         real orthogonal matrices, m = 1;
 *   complex type      the pair (rho, conj rho) is stored once, complex, m = 2;
 *   quaternionic type stored complex, m = 1, in a basis where F = J conj(F) J^-1 with
 *                     J = I_(d/2) x [[0, -1], [1, 0]]: 2 x 2 blocks [[a, -conj b], [b, conj a]].
 *
 * Element order.  S_n: lexicographic in one-line notation.  C_n: 0..n-1.  D_n, symmetries of the
 * n-gon, order 2n: r^k is k, s r^k is n + k, s r s = r^-1.  Q_8: 1, i, j, k, -1, -i, -j, -k.
 * G x H: g |H| + h (G slow, H fast); more factors likewise.
 * N : H, N = C_m1 x C_m2 x ..: pairs (n, h), (n, h)(n', h') = (n + A_h n', h h'), number h |N| + n
 * (H slow), n the number of (n_1, n_2, ..) in the product N, A_h the matrix of h on columns.
 *
 * Actions in N : H.  The spec gives A_h for the generators of H (C_n: 1; D_n: r, s; Q_8: i, j);
 * for N = C_m x C_m there are defaults:
 *   C_4  [[0,-1],[1,0]]                         p4_m;
 *   D_4  r: [[0,-1],[1,0]], s: [[1,0],[0,-1]]   p4m_m;
 *   Q_8  i: [[a,b],[b,-a]], j: [[0,-1],[1,0]], (a, b) the first, a <= b, with a^2 + b^2 = -1 mod m;
 *        for an odd prime m the faithful action in SL_2(m).
 * Images.  Pixel p = (row, column) of an m x m image has number m row + column, that of an element
 * of N, and (t, h) moves p to A_h p + t, edges joined: r takes (row, column) to (-column, row), s
 * takes it to (row, -column).  The image moved by g is (gI)(p) = I(g^-1 p).  A function on G is
 * one m x m image for each h, one after the other; with I moved by h in place h it holds the
 * symmetries of I.  Moving I translates the function I(g p) of g on the left, for any pixel p.
 * A_h p is mul(h |N|, p) mod |N|.
 *
 * A_n: the even permutations as in S_n.  B_n, signed permutations i -> +-s(i): rank(s) 2^n + v,
 * bit j of v (from 0) for a minus sign at the image j + 1; labels "-2 1 3".  Groups from generators
 * (perm:.., M_11, ..): digits along a stabiliser chain (group/chain.h); labels are products of
 * cycles.  cayley:..: as in the file (group/finite.h).
 *
 * Irreps, in the order of their numbers.
 *   C_n  k = 0..n/2 sends g to exp(-2 pi i k g/n), so that F is the usual DFT; conj k is n-k.
 *   D_n  A1, trivial; A2: s -> -1; for even n B1: r -> -1, s -> 1, and B2: r -> -1, s -> -1;
 *        then E1, E2, ..: Eh sends r to the rotation by 2 pi h/n, s to diag(1, -1).
 *   Q_8  1, trivial; i, j, k: 1 on that unit and -1 on the two others;
 *        H: i -> diag(i, -i), j -> [[0, -1], [1, 0]].
 *   S_n  Young's orthogonal form (group/young.h) of w s w, w(i) = n+1-i, in decreasing
 *        lexicographic order of partitions; lexicographic element order then lists left cosets
 *        of S_(n-1) contiguously.
 *   N : H  orbits of the characters chi_k(n) = exp(-2 pi i sum k_j n_j/m_j) in the order of k, the
 *        first in its orbit and the conjugates (order as of elements n); in an orbit, irreps sigma
 *        of the stabiliser of chi_k in H, a C_n, D_n or Q_8, in its order, with conj sigma after
 *        sigma: "(k_1,k_2)+sigma", dimension |orbit| dim sigma, induced (group/semidirect.h).  A
 *        cyclic stabiliser is a C_n, even of one reflection.  The conjugate is "(-k_1,-k_2)+
 *        conj sigma", and also "(k_1,k_2)+" another sigma if the orbit has both characters.
 *   A_n  restrictions from S_n: lambda before its conjugate; a self-conjugate one splits in
 *        "lambda+" and "lambda-", eigenspaces of S e_T = sign(T) e_T', for +1 and -1 if S^2 = 1,
 *        otherwise a complex pair, for i and -i.  sign(T) = (-1)^(inversions of T's rows).
 *   B_n  "lambda|mu", lambda of n-k, mu of k ("-" if empty), k = 0..n: induced from the character
 *        (-1)^(minus signs on A) times lambda x mu, over the subsets A of k points in increasing
 *        order of their bit masks; coset representatives increase on A and off A.
 *   Groups from generators or a table: by dimension, then by the values of the characters, larger
 *        first (group/irreps.h); "3a", "3b", ..; conj "3a" is "3a*".
 *   G x H x ..  "a x b x ..", the last part fastest.  Of a conjugate pair the member is stored
 *        whose first complex part is a stored one; every later complex part b runs through b and
 *        conj b.  C_3 x C_4: 0 x 0, 0 x 1, 0 x 2, 1 x 0, 1 x 1, 1 x 3, 1 x 2.
 *        Matrices are Kronecker products, the index of a quaternionic part's 2 x 2 block before
 *        the index inside the block; two quaternionic parts p and q act on the quaternions as
 *        x -> p x conj(q), a real 4 x 4 block in the basis 1, i, j, k.
 *
 * Everything in this layer is Local: no MPI. */
#ifndef PL_GROUP_GROUP_H
#define PL_GROUP_GROUP_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pl_group pl_group;

/* Parse a spec such as "S_5", "C_28 x C_28 x D_4" or "(C_5 x C_5) : Q_8" (":" binds more tightly
 * than "x").  On failure PL_EINPUT with a message that names the part that is wrong and,
 * of an unknown name, the three nearest; *out unchanged.  Orders up to 2^60.  Takes little memory
 * whatever the order, but N : H lists its orbits, and a group known by its multiplication (order up
 * to 10^4) has its irreps found here, or read from a cache (group/irreps.h).  Free with
 * pl_group_free. */
pl_status pl_group_parse(const char *spec, pl_group **out);
/* Files that a spec names (perm:FILE, cayley:FILE): where the one at or behind `from` begins, and
 * its length; -1: no other.  from: 0, then the end of the one before.  Pure. */
int pl_group_file(const char *spec, int from, int *length);
/* The band of codepth k of spec, an S_n: 0 < k < n, n <= 52 for k <= 2, n <= 20 for k = 3, n <= 13
 * for more.  over_group: V = |G|, else D.  A group with fewer irreps and the same labels, matrices
 * and spelling; no transforms (group/fourier.h, group/check.h); elements only up to n = 20.
 * PL_EINPUT with a message, as pl_group_parse. */
pl_status pl_group_band(const char *spec, int codepth, bool over_group, pl_group **out);
void pl_group_free(pl_group *g);
/* The forms a spec can take, one per line, for help texts.  Static storage. */
const char *pl_group_forms(void);

const char *pl_group_spec(const pl_group *g); /* canonical spelling, borrowed */
/* |G|; not for a band with n > 20. */
int64_t pl_group_order(const pl_group *g);
double pl_group_log_order(const pl_group *g); /* natural logarithm, for every group */
double pl_group_volume(const pl_group *g);    /* V */
int pl_group_codepth(const pl_group *g);      /* k of a band; 0: a whole group */
int pl_group_letters(const pl_group *g);      /* n of S_n, whole or a band; else 0 */
/* n if g is the whole symmetric group S_n and nothing else, whose transform a team can share; else
 * 0. */
int pl_group_symmetric(const pl_group *g);
int64_t pl_group_mul(const pl_group *g, int64_t a, int64_t b);
int64_t pl_group_inv(const pl_group *g, int64_t a);
/* Label of an element, as files carry it (S_n: one-line, 1-based, "2 1 3"; products: parts joined
 * by ", ").  Writes at most n bytes with the closing zero; returns strlen of the whole. */
int pl_group_element_label(const pl_group *g, int64_t a, char *buf, size_t n);
/* Generators: returns their number, at most max are written.  S_n: (1 2), (2 3), ..; D_n: r, s;
 * products: those of each factor in turn. */
int pl_group_generators(const pl_group *g, int64_t *gens, int max);
/* Number of conjugacy classes (= of irreps over the complex numbers; of a band: of its irreps). */
int64_t pl_group_num_classes(const pl_group *g);

typedef enum { PL_REAL, PL_COMPLEX, PL_QUATERNIONIC } pl_irrep_type; /* Frobenius-Schur 1, 0, -1 */

typedef struct pl_irrep {
  int dim;
  pl_irrep_type type;
  int mult; /* m */
} pl_irrep;

/* Irreps as stored (a complex pair counts once), numbered 0..n-1; irrep 0 is the trivial one. */
int64_t pl_group_num_irreps(const pl_group *g);
pl_irrep pl_group_irrep(const pl_group *g, int64_t i);
/* PL_EINPUT if there are more than PL_MAX_STORED, over which nothing should loop: plans of such a
 * group would not end, and its tables fit no memory. */
enum { PL_MAX_STORED = 10000000 };
pl_status pl_group_countable(const pl_group *g);
/* Stored irreps of each type, and the sum of d^2 over them; without a loop over the irreps of a
 * product.  squares[PL_REAL] + 2 squares[PL_COMPLEX] + squares[PL_QUATERNIONIC] = |G|, or D. */
void pl_group_irrep_sums(const pl_group *g, int64_t count[3], int64_t squares[3]);
/* "3,1,1" for S_n; otherwise the family's names; products "a x b".  As pl_group_element_label. */
int pl_group_irrep_label(const pl_group *g, int64_t i, char *buf, size_t n);
/* The irrep with this label, or -1.  Either name of a conjugate pair finds it. */
int64_t pl_group_irrep_by_label(const pl_group *g, const char *label);
const char *pl_irrep_type_name(pl_irrep_type type); /* "real", "complex", "quaternionic" */

/* rho_i(element) into out: d*d doubles for real type, 2*d*d (re, im) otherwise.  The oracle of
 * every transform; its cost is of no concern. */
void pl_group_irrep_matrix(const pl_group *g, int64_t i, int64_t element, double *out);

/* Doubles that hold the matrix of irrep i: d*d, twice that for complex and quaternionic type. */
static inline int64_t pl_irrep_size(pl_irrep r) {
  return (int64_t)r.dim * r.dim * (r.type == PL_REAL ? 1 : 2);
}

#endif
