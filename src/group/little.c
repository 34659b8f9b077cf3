/* Irreps of N : K' in compact form, and the matrix E that every orbit with the same K and K'
 * shares. */
#include "group/little.h"

#include "base/mem.h"

#include <complex.h>
#include <math.h>
#include <string.h>

/* Irreps of K have dimension 1 or 2, those of N : K' at most twice that. */
enum { MAX_SIGMA = 2, MAX_TAU = 4 };
typedef double complex matrix[MAX_TAU][MAX_TAU];

static int mul(const pl_factor *h, int a, int b) {
  return (int)h->family->mul(h, a, b);
}
static int inv(const pl_factor *h, int a) {
  return (int)h->family->inv(h, a);
}
static int has(uint64_t set, int a) {
  return set >> a & 1;
}
static uint64_t only(int a) {
  return UINT64_C(1) << a;
}

/* ---- subgroups of H ---- */

/* The powers of a, as elements power[0..]; returns how many. */
static int powers(const pl_factor *h, int a, int *power) {
  int n = 0;
  for (int b = 0; n == 0 || b != 0; b = mul(h, b, a)) power[n++] = b;
  return n;
}

/* Subgroups of C_n, D_n and Q_8 are such groups themselves: l->k, its element j at member[j].  The
 * generators are the first elements that will do, so that H comes out as itself. */
static void recognise(pl_little *l, const pl_factor *h, int *member) {
  int size = __builtin_popcountll(l->stabiliser), largest = 0, r = 0;
  for (int a = 0; a < h->order; a++) {
    int n = has(l->stabiliser, a) ? powers(h, a, member) : 0;
    if (n > largest) largest = n, r = a;
  }
  powers(h, r, member);
  uint64_t rotations = 0;
  for (int j = 0; j < largest; j++) rotations |= only(member[j]);
  if (largest == size) {
    l->k = (pl_factor){.family = &pl_family_cyclic, .n = size};
  } else {
    int s = 0;
    while (!has(l->stabiliser & ~rotations, s)) s++;
    if (mul(h, s, s) == 0) {
      l->k = (pl_factor){.family = &pl_family_dihedral, .n = largest};
      for (int j = 0; j < largest; j++) member[largest + j] = mul(h, s, member[j]);
    } else {
      l->k = (pl_factor){.family = &pl_family_quaternion, .n = 8};
      int minus = member[2], units[] = {0, r, s, mul(h, r, s)};
      for (int j = 0; j < 8; j++) member[j] = j < 4 ? units[j] : mul(h, units[j - 4], minus);
    }
  }
  l->k.family->init(&l->k);
  pl_require(l->k.order == size);
}

/* ---- irreps of K ---- */

static int list_sigma(pl_little *l) {
  int n = 0;
  for (int i = 0; i < l->k.irreps; i++)
    for (int conj = 0; conj < l->k.family->irrep(&l->k, i).mult; conj++, n++)
      l->sigma[n].irrep = i, l->sigma[n].conj = conj;
  return n;
}

static pl_irrep sigma_irrep(const pl_little *l, int s) {
  return l->k.family->irrep(&l->k, l->sigma[s].irrep);
}

/* Irrep s of K at its element j, as complex numbers. */
static void sigma_matrix(const pl_little *l, int s, int j, double complex *out) {
  pl_irrep r = sigma_irrep(l, s);
  double compact[2 * MAX_SIGMA * MAX_SIGMA], full[2 * MAX_SIGMA * MAX_SIGMA];
  l->k.family->irrep_matrix(&l->k, l->sigma[s].irrep, j, compact);
  pl_compact_expand(r, compact, full);
  for (int e = 0; e < r.dim * r.dim; e++) {
    out[e] = r.type == PL_REAL ? full[e] : full[2 * e] + I * full[2 * e + 1];
    if (l->sigma[s].conj) out[e] = conj(out[e]);
  }
}

static double complex sigma_character(const pl_little *l, int s, int j) {
  double complex m[MAX_SIGMA * MAX_SIGMA];
  sigma_matrix(l, s, j, m);
  return sigma_irrep(l, s).dim == 1 ? m[0] : m[0] + m[3];
}

/* The irrep of K with character conj chi_s(t j t^-1); number[]: elements of H as elements of K. */
static int conjugate(const pl_little *l, const pl_factor *h, int s, int t, int num_sigma,
                     const int *member, const int *number) {
  for (int other = 0; other < num_sigma; other++) {
    double worst = 0;
    for (int j = 0; j < l->k.order; j++) {
      int turned = number[mul(h, mul(h, t, member[j]), inv(h, t))];
      worst = fmax(worst, cabs(conj(sigma_character(l, s, turned)) - sigma_character(l, other, j)));
    }
    if (worst < 1e-9) return other;
  }
  pl_die(PL_EBUG, "the conjugate of an irrep of a stabiliser is missing");
}

/* ---- irreps of N : K' whose chi is conjugate to t chi ---- */

/* tau(k) from sigma: blocks sigma(y_r^-1 k y_c), y = 1, t. */
static void induce(const pl_little *l, const pl_factor *h, int s, int t, int k, const int *number,
                   matrix out) {
  int d = sigma_irrep(l, s).dim;
  memset(out, 0, sizeof(matrix));
  for (int r = 0; r < 2; r++)
    for (int c = 0; c < 2; c++) {
      int to = mul(h, inv(h, r ? t : 0), mul(h, k, c ? t : 0));
      if (!has(l->stabiliser, to)) continue;
      double complex m[MAX_SIGMA * MAX_SIGMA];
      sigma_matrix(l, s, number[to], m);
      for (int i = 0; i < d; i++)
        for (int j = 0; j < d; j++) out[r * d + i][c * d + j] = m[i * d + j];
    }
}

static double norm(int d, const double complex *v) {
  double sum = 0;
  for (int i = 0; i < d; i++) sum += creal(v[i] * conj(v[i]));
  return sqrt(sum);
}

/* U with tau = U conj(tau) U^-1, unitary: the average of tau X tau^T, X a matrix unit.  Only X
 * that N leaves alone matter, those off the diagonal blocks. */
static void intertwiner(int members, int d, matrix *tau, matrix out) {
  double best = 0;
  for (int p = 0; p < d; p++)
    for (int q = 0; q < d; q++) {
      if ((p < d / 2) == (q < d / 2)) continue;
      matrix U = {{0}};
      double size = 0;
      for (int k = 0; k < members; k++)
        for (int i = 0; i < d; i++)
          for (int j = 0; j < d; j++) U[i][j] += tau[k][i][p] * tau[k][j][q] / members;
      for (int i = 0; i < d; i++) size = hypot(size, norm(d, U[i]));
      if (size <= best * 1.001) continue;
      best = size;
      for (int i = 0; i < d; i++)
        for (int j = 0; j < d; j++) out[i][j] = U[i][j] * sqrt(d) / size;
    }
}

/* C v = U conj(v) commutes with tau. */
static void apply_c(int d, const matrix U, const double complex *v, double complex *out) {
  for (int i = 0; i < d; i++) {
    out[i] = 0;
    for (int j = 0; j < d; j++) out[i] += U[i][j] * conj(v[j]);
  }
}

/* Orthonormal vectors in the rows of B, with C b = b (real type), or b, C b in turn
 * (quaternionic): in this basis tau has its compact form.  Each comes from the unit vectors e, or
 * e + C e and i e + C i e, by taking what is orthogonal to those before, where most is left. */
static void basis(int d, const matrix U, int real, matrix B) {
  for (int n = 0; n < d; n += real ? 1 : 2) {
    double best = 0;
    for (int e = 0; e < 2 * d; e++) {
      double complex v[MAX_TAU] = {0}, cv[MAX_TAU];
      v[e % d] = e < d ? 1 : I;
      if (real) {
        apply_c(d, U, v, cv);
        for (int i = 0; i < d; i++) v[i] += cv[i];
      }
      for (int b = 0; b < n; b++) {
        double complex dot = 0;
        for (int i = 0; i < d; i++) dot += conj(B[b][i]) * v[i];
        for (int i = 0; i < d; i++) v[i] -= dot * B[b][i];
      }
      double size = norm(d, v);
      if (size <= best * 1.001) continue;
      best = size;
      for (int i = 0; i < d; i++) B[n][i] = v[i] / size;
    }
    if (!real) apply_c(d, U, B[n], B[n + 1]);
  }
}

/* m in the basis B. */
static void change_basis(int d, const matrix B, const matrix m, matrix out) {
  for (int a = 0; a < d; a++)
    for (int b = 0; b < d; b++) {
      double complex sum = 0;
      for (int i = 0; i < d; i++)
        for (int j = 0; j < d; j++) sum += conj(B[a][i]) * m[i][j] * B[b][j];
      out[a][b] = sum;
    }
}

static void product(int d, const matrix x, const matrix y, matrix out) {
  for (int i = 0; i < d; i++)
    for (int j = 0; j < d; j++) {
      out[i][j] = 0;
      for (int k = 0; k < d; k++) out[i][j] += x[i][k] * y[k][j];
    }
}

static void to_compact(pl_irrep r, const matrix m, double *out) {
  double full[2 * MAX_TAU * MAX_TAU];
  int width = r.type == PL_REAL ? 1 : 2;
  for (int i = 0; i < r.dim; i++)
    for (int j = 0; j < r.dim; j++) {
      double *to = full + width * (i * r.dim + j);
      to[0] = creal(m[i][j]);
      if (width == 2) to[1] = cimag(m[i][j]);
    }
  pl_compact_reduce(r, full, out);
}

/* ---- E ---- */

/* The columns of one irrep: compact forms of tau(k) and M tau(k). */
static void columns(pl_little *l, const pl_little_irrep *p, int j, const matrix tau,
                    const matrix m_tau) {
  double *to = l->E + (int64_t)j * l->parts * l->rows + p->row;
  to_compact(p->tau, tau, to);
  if (l->parts == 2) to_compact(p->tau, m_tau, to + l->rows);
}

static void add(pl_little *l, int dim, pl_irrep_type type, int sigma, int partner) {
  int n = l->irreps++;
  int row = n ? l->irrep[n - 1].row + (int)pl_compact_size(l->irrep[n - 1].tau) : 0;
  l->irrep[n] = (pl_little_irrep){.tau = {dim, type, type == PL_COMPLEX ? 2 : 1},
                                  .sigma = sigma,
                                  .partner = partner,
                                  .row = row};
  l->pairs += type == PL_COMPLEX;
}

/* K' = K: tau is chi x sigma. */
static void add_plain(pl_little *l, int s, int partner) {
  int d = sigma_irrep(l, s).dim;
  add(l, d, l->parts == 2 ? PL_COMPLEX : sigma_irrep(l, s).type, s, partner);
  for (int j = 0; j < l->members; j++) {
    double complex m[MAX_SIGMA * MAX_SIGMA];
    matrix tau, i_tau;
    sigma_matrix(l, s, j, m);
    for (int e = 0; e < d * d; e++) tau[e / d][e % d] = m[e], i_tau[e / d][e % d] = I * m[e];
    columns(l, &l->irrep[l->irreps - 1], j, tau, i_tau);
  }
}

static void add_twisted(pl_little *l, const pl_factor *h, int s, int partner, const int *member,
                        const int *number) {
  int d = 2 * sigma_irrep(l, s).dim;
  matrix *tau = pl_alloc((size_t)l->members, sizeof *tau, "irreps of a little group");
  matrix B = {{0}}, U, M = {{0}}, turned_m;
  for (int j = 0; j < l->members; j++)
    induce(l, h, s, member[l->members / 2], member[j], number, tau[j]);
  for (int i = 0; i < d; i++) M[i][i] = i < d / 2 ? I : -I, B[i][i] = 1;
  pl_irrep_type type = PL_COMPLEX;
  if (s == partner) {
    intertwiner(l->members, d, tau, U);
    double complex sign = 0; /* U conj(U) = +-1 */
    for (int j = 0; j < d; j++) sign += U[0][j] * conj(U[j][0]);
    type = creal(sign) > 0 ? PL_REAL : PL_QUATERNIONIC;
    basis(d, U, type == PL_REAL, B);
  }
  add(l, d, type, s, partner);
  change_basis(d, B, M, turned_m);
  for (int j = 0; j < l->members; j++) {
    matrix turned, m_tau;
    change_basis(d, B, tau[j], turned);
    product(d, turned_m, turned, m_tau);
    columns(l, &l->irrep[l->irreps - 1], j, turned, m_tau);
  }
  pl_free(tau);
}

/* Representatives of H/K' and the elements x_r k_j x_c^-1. */
static void list_cosets(pl_little *l, const pl_factor *h, const int *member) {
  uint64_t seen = 0;
  for (int x = 0; x < h->order; x++) {
    if (has(seen, x)) continue;
    l->rep[l->side++] = x;
    for (int j = 0; j < l->members; j++) seen |= only(mul(h, x, member[j]));
  }
  l->h = pl_alloc((size_t)(l->side * l->side * l->members), sizeof *l->h, "a little group");
  int *to = l->h;
  for (int r = 0; r < l->side; r++)
    for (int c = 0; c < l->side; c++)
      for (int j = 0; j < l->members; j++)
        *to++ = mul(h, mul(h, l->rep[r], member[j]), inv(h, l->rep[c]));
}

void pl_little_init(pl_little *l, const pl_factor *h, uint64_t stabiliser, uint64_t inertia,
                    pl_chi chi) {
  *l = (pl_little){.stabiliser = stabiliser, .inertia = inertia, .chi = chi};
  int member[PL_MAX_ACTING], number[PL_MAX_ACTING], t = 0;
  recognise(l, h, member);
  int size = (int)l->k.order;
  for (int j = 0; j < size; j++) number[member[j]] = j;
  if (chi == PL_CHI_TWISTED) {
    while (!has(inertia & ~stabiliser, t)) t++;
    for (int j = 0; j < size; j++) member[size + j] = mul(h, t, member[j]);
  }
  l->members = chi == PL_CHI_TWISTED ? 2 * size : size;
  l->parts = chi == PL_CHI_REAL ? 1 : 2;
  l->rows = l->members * l->parts;
  list_cosets(l, h, member);

  l->irrep = pl_alloc((size_t)size, sizeof *l->irrep, "a little group");
  l->E = pl_alloc((size_t)(l->rows * l->rows), sizeof *l->E, "a little group");
  int num_sigma = list_sigma(l);
  for (int s = 0; s < num_sigma; s++) {
    int partner = conjugate(l, h, s, t, num_sigma, member, number);
    if (chi != PL_CHI_APART && partner < s) continue;
    if (chi == PL_CHI_TWISTED)
      add_twisted(l, h, s, partner, member, number);
    else
      add_plain(l, s, partner);
  }
  const pl_little_irrep *last = &l->irrep[l->irreps - 1];
  pl_require(last->row + pl_compact_size(last->tau) == l->rows);
}

void pl_little_fini(pl_little *l) {
  pl_free(l->h);
  pl_free(l->E);
  pl_free(l->irrep);
}
