/* N : H as a family of groups. */
#include "group/semidirect.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const pl_semidirect *self(const pl_factor *f) {
  return f->data;
}

/* ---- orbits of characters ---- */

/* h chi_k = chi_k', k'_j = sum_i k_i A_ij m_j/m_i, A the matrix of h^-1. */
static void set_duals(pl_semidirect *s) {
  const pl_action *a = &s->action;
  for (int h = 0; h < a->h.order; h++) {
    const pl_matrix *A = &a->by[a->h.family->inv(&a->h, h)];
    for (int i = 0; i < a->rank; i++)
      for (int j = 0; j < a->rank; j++) s->dual[h][j][i] = (*A)[i][j] * a->m[j] / a->m[i] % a->m[j];
  }
}

static int find_little(pl_semidirect *s, uint64_t stabiliser, uint64_t inertia, pl_chi chi) {
  for (int i = 0; i < s->littles; i++) {
    const pl_little *l = &s->little[i];
    if (l->stabiliser == stabiliser && l->inertia == inertia && l->chi == chi) return i;
  }
  s->little = pl_realloc(s->little, (size_t)s->littles + 1, sizeof *s->little, "little groups");
  pl_little_init(&s->little[s->littles], &s->action.h, stabiliser, inertia, chi);
  return s->littles++;
}

static void list_orbits(pl_semidirect *s) {
  const pl_action *a = &s->action;
  char *seen = pl_zalloc((size_t)s->n, 1, "characters");
  int64_t room = 0;
  pl_orbit next = {0};
  for (int64_t chi = 0; chi < s->n; chi++) {
    if (seen[chi]) continue;
    uint64_t stabiliser = 0, inertia = 0;
    int64_t conj = pl_action_negate(a, chi);
    for (int h = 0; h < a->h.order; h++) {
      int64_t image = pl_action_apply(a, s->dual[h], chi);
      seen[image] = seen[pl_action_negate(a, image)] = 1;
      if (image == chi) stabiliser |= UINT64_C(1) << h;
      if (image == chi || image == conj) inertia |= UINT64_C(1) << h;
    }
    next.chi = chi;
    next.little = find_little(s, stabiliser, inertia,
                              chi == conj             ? PL_CHI_REAL
                              : inertia == stabiliser ? PL_CHI_APART
                                                      : PL_CHI_TWISTED);
    if (s->orbits == room) {
      room = 2 * room + 16;
      s->orbit = pl_realloc(s->orbit, (size_t)room, sizeof *s->orbit, "orbits of characters");
    }
    s->orbit[s->orbits++] = next;
    const pl_little *l = &s->little[next.little];
    next.first += l->irreps;
    next.pairs += l->pairs;
    next.offset += (int64_t)l->rows * l->side * l->side;
  }
  pl_free(seen);
  pl_require(next.offset == s->n * a->h.order);
}

int pl_semidirect_parse(const pl_family *const *families, const char *text, pl_factor *f, char *why,
                        size_t n) {
  pl_semidirect *s = pl_zalloc(1, sizeof *s, "a semidirect product");
  char *name = NULL;
  int len = pl_action_parse(families, text, &s->action, &name, why, n);
  if (!len) {
    pl_free(s);
    return 0;
  }
  s->n = 1;
  for (int i = 0; i < s->action.rank; i++) s->n *= s->action.m[i];
  set_duals(s);
  list_orbits(s);
  const pl_orbit *last = &s->orbit[s->orbits - 1];
  const pl_little *l = &s->little[last->little];
  *f = (pl_factor){.family = &pl_family_semidirect,
                   .spec = name,
                   .order = s->n * s->action.h.order,
                   .irreps = last->first + l->irreps,
                   .classes = last->first + l->irreps + last->pairs + l->pairs,
                   .data = s};
  return len;
}

static void fini(pl_factor *f) {
  pl_semidirect *s = f->data;
  for (int i = 0; i < s->littles; i++) pl_little_fini(&s->little[i]);
  pl_free(s->little);
  pl_free(s->orbit);
  pl_free(s);
}

/* ---- elements ---- */

static int64_t add(const pl_action *a, int64_t x, int64_t y) {
  int64_t u[PL_MAX_RANK], v[PL_MAX_RANK];
  pl_action_split(a, x, u);
  pl_action_split(a, y, v);
  for (int i = 0; i < a->rank; i++) u[i] = (u[i] + v[i]) % a->m[i];
  return pl_action_join(a, u);
}

static int64_t mul(const pl_factor *f, int64_t x, int64_t y) {
  const pl_semidirect *s = self(f);
  const pl_action *a = &s->action;
  int64_t h = x / s->n, turned = pl_action_apply(a, a->by[h], y % s->n);
  return a->h.family->mul(&a->h, h, y / s->n) * s->n + add(a, x % s->n, turned);
}

static int64_t inv(const pl_factor *f, int64_t x) {
  const pl_semidirect *s = self(f);
  const pl_action *a = &s->action;
  int64_t h = a->h.family->inv(&a->h, x / s->n);
  return h * s->n + pl_action_negate(a, pl_action_apply(a, a->by[h], x % s->n));
}

/* "(1,2)" */
static int number_label(const pl_action *a, int64_t number, char *buf, size_t n) {
  int64_t part[PL_MAX_RANK];
  char text[PL_MAX_RANK * 24];
  int len = 0;
  pl_action_split(a, number, part);
  for (int i = 0; i < a->rank; i++)
    len += snprintf(text + len, sizeof text - (size_t)len, "%c%lld", i ? ',' : '(',
                    (long long)part[i]);
  return snprintf(buf, n, "%s)", text);
}

/* "(1,2) s r" */
static int element_label(const pl_factor *f, int64_t x, char *buf, size_t n) {
  const pl_semidirect *s = self(f);
  const pl_action *a = &s->action;
  char normal[128], acting[64];
  number_label(a, x % s->n, normal, sizeof normal);
  a->h.family->element_label(&a->h, x / s->n, acting, sizeof acting);
  return snprintf(buf, n, "%s %s", normal, acting);
}

static int generators(const pl_factor *f, int64_t *gens, int max) {
  const pl_semidirect *s = self(f);
  const pl_action *a = &s->action;
  int count = 0;
  int64_t place = s->n;
  for (int i = 0; i < a->rank; i++) {
    place /= a->m[i];
    if (a->m[i] > 1 && count++ < max) gens[count - 1] = place;
  }
  int room = max > count ? max - count : 0;
  int more = a->h.family->generators(&a->h, gens + (room ? count : 0), room);
  for (int i = count; i < count + more && i < max; i++) gens[i] *= s->n;
  return count + more;
}

/* ---- irreps ---- */

/* The orbit that irrep i belongs to. */
static const pl_orbit *orbit_of(const pl_semidirect *s, int64_t i) {
  int64_t low = 0, high = s->orbits;
  while (high - low > 1) {
    int64_t middle = low + (high - low) / 2;
    *(s->orbit[middle].first <= i ? &low : &high) = middle;
  }
  return &s->orbit[low];
}

static pl_irrep irrep(const pl_factor *f, int64_t i) {
  const pl_semidirect *s = self(f);
  const pl_orbit *o = orbit_of(s, i);
  const pl_little *l = &s->little[o->little];
  pl_irrep r = l->irrep[i - o->first].tau;
  r.dim *= l->side;
  return r;
}

static int64_t complex_before(const pl_factor *f, int64_t i) {
  const pl_semidirect *s = self(f);
  const pl_orbit *o = orbit_of(s, i);
  const pl_little *l = &s->little[o->little];
  int64_t pairs = o->pairs;
  for (int64_t k = o->first; k < i && k - o->first < l->irreps; k++)
    pairs += l->irrep[k - o->first].tau.type == PL_COMPLEX;
  return pairs;
}

/* "(1,2)+A1"; the conjugate has the opposite numbers, or another irrep of the stabiliser. */
static int irrep_label(const pl_factor *f, int64_t i, int conj, char *buf, size_t n) {
  const pl_semidirect *s = self(f);
  const pl_orbit *o = orbit_of(s, i);
  const pl_little *l = &s->little[o->little];
  const pl_little_irrep *p = &l->irrep[i - o->first];
  int sigma = conj ? p->partner : p->sigma;
  int64_t chi = conj && l->chi == PL_CHI_APART ? pl_action_negate(&s->action, o->chi) : o->chi;
  char numbers[128], name[32];
  number_label(&s->action, chi, numbers, sizeof numbers);
  l->k.family->irrep_label(&l->k, l->sigma[sigma].irrep, l->sigma[sigma].conj, name, sizeof name);
  return snprintf(buf, n, "%s+%s", numbers, name);
}

static int compare_chi(const void *chi, const void *orbit) {
  int64_t a = *(const int64_t *)chi, b = ((const pl_orbit *)orbit)->chi;
  return (a > b) - (a < b);
}

/* The number of "(1,2)", or -1; *end: what follows. */
static int64_t read_number(const pl_action *a, const char *text, const char **end) {
  int64_t part[PL_MAX_RANK];
  for (int i = 0; i < a->rank; i++) {
    if (*text++ != (i ? ',' : '(')) return -1;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 7) return -1;
    part[i] = strtoll(text, NULL, 10);
    if (part[i] >= a->m[i]) return -1;
    text += digits;
  }
  if (*text != ')') return -1;
  *end = text + 1;
  return pl_action_join(a, part);
}

/* chi may be the orbit's or its conjugate. */
static int64_t irrep_by_label(const pl_factor *f, const char *label, int *conj) {
  const pl_semidirect *s = self(f);
  const char *name;
  int64_t chi = read_number(&s->action, label, &name);
  if (chi < 0 || *name != '+') return -1;
  *conj = 0;
  const pl_orbit *o = NULL;
  for (int flip = 0; flip < 2 && !o; flip++) {
    o = bsearch(&chi, s->orbit, (size_t)s->orbits, sizeof *o, compare_chi);
    *conj = flip;
    chi = pl_action_negate(&s->action, chi);
  }
  if (!o) return -1;
  const pl_little *l = &s->little[o->little];
  int of_k;
  int64_t sigma = l->k.family->irrep_by_label(&l->k, name + 1, &of_k);
  if (sigma < 0) return -1;
  /* sigma over the conjugate of chi is conj sigma over chi, conjugated. */
  if (l->k.family->irrep(&l->k, sigma).type == PL_COMPLEX) of_k ^= *conj;
  for (int i = 0; i < l->irreps; i++) {
    const pl_little_irrep *p = &l->irrep[i];
    int same = l->sigma[p->sigma].irrep == sigma && l->sigma[p->sigma].conj == of_k;
    int other = l->chi != PL_CHI_APART && l->sigma[p->partner].irrep == sigma &&
                l->sigma[p->partner].conj == of_k;
    if (!same && !other) continue;
    if (!same) *conj ^= 1;
    if (p->tau.type != PL_COMPLEX) *conj = 0;
    return o->first + i;
  }
  return -1;
}

static double angle(const pl_action *a, int64_t chi, int64_t element) {
  int64_t k[PL_MAX_RANK], n[PL_MAX_RANK];
  double turns = 0;
  pl_action_split(a, chi, k);
  pl_action_split(a, element, n);
  for (int i = 0; i < a->rank; i++) turns += (double)(k[i] * n[i] % a->m[i]) / (double)a->m[i];
  return -2 * M_PI * turns;
}

static void irrep_matrix(const pl_factor *f, int64_t i, int64_t element, double *compact) {
  const pl_semidirect *s = self(f);
  const pl_orbit *o = orbit_of(s, i);
  const pl_little *l = &s->little[o->little];
  const pl_little_irrep *p = &l->irrep[i - o->first];
  int size = (int)pl_compact_size(p->tau), rows = pl_compact_rows(p->tau);
  int row = size / rows, h = (int)(element / s->n);
  memset(compact, 0, (size_t)(size * l->side * l->side) * sizeof *compact);
  for (int r = 0; r < l->side; r++) {
    int64_t chi = pl_action_apply(&s->action, s->dual[l->rep[r]], o->chi);
    double theta = angle(&s->action, chi, element % s->n);
    for (int c = 0; c < l->side; c++)
      for (int j = 0; j < l->members; j++) {
        if (l->h[(r * l->side + c) * l->members + j] != h) continue;
        const double *E = l->E + (int64_t)j * l->parts * l->rows + p->row;
        for (int e = 0; e < size; e++) {
          int64_t to = ((int64_t)(r * rows + e / row) * l->side + c) * row + e % row;
          compact[to] = cos(theta) * E[e];
          if (l->parts == 2) compact[to] += sin(theta) * E[l->rows + e];
        }
      }
  }
}

const pl_family pl_family_semidirect = {
    .form = "(C_m x C_n ..) : H by [[..],[..]] ..  semidirect product, H = C_n, D_n or Q_8\n"
            "  (order up to 64), a matrix on columns for each generator of H\n"
            "  (C_n: 1; D_n: r, s; Q_8: i, j); without \"by\":\n"
            "  (C_m x C_m) : C_4  [[0,-1],[1,0]], turns by 90 degrees\n"
            "  (C_m x C_m) : D_4  the same, and s: [[1,0],[0,-1]]\n"
            "  (C_m x C_m) : Q_8  [[a,b],[b,-a]] and [[0,-1],[1,0]], a <= b the\n"
            "                     first with a^2 + b^2 = -1 mod m\n"
            "p4_m, p4m_m  (C_m x C_m) : C_4 and (C_m x C_m) : D_4, m = 1..1000",
    .fini = fini,
    .mul = mul,
    .inv = inv,
    .element_label = element_label,
    .generators = generators,
    .irrep = irrep,
    .complex_before = complex_before,
    .irrep_label = irrep_label,
    .irrep_by_label = irrep_by_label,
    .irrep_matrix = irrep_matrix,
    .fast = &pl_semidirect_fast,
};
