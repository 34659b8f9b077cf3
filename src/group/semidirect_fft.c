/* Transform on N : H: a DFT over N for each element of H, then E on the blocks of each orbit. */
#include "base/mem.h"
#include "group/semidirect.h"

#include <fftw3.h>
#include <string.h>

/* Where a spectrum, of which FFTW keeps half, holds a character and its conjugate. */
typedef struct place {
  int64_t at, mirror; /* mirror: -1 if that is not kept, or the same */
  double sign;        /* -1: the conjugate stands at `at` */
} place;

typedef struct plan {
  const pl_semidirect *s; /* borrowed */
  int64_t half;           /* complex numbers of a spectrum */
  place *place;           /* orbit by orbit, representative by representative of H/K' */
  fftw_plan forward, inverse;
  double *spectrum; /* [h][half] complex */
  double *block;    /* one block of every irrep of an orbit */
} plan;

/* Position of chi_k in half a spectrum, the last of k from 0 to m/2; -1 if it is not there. */
static int64_t half_position(const pl_action *a, int64_t chi) {
  int64_t m = a->m[a->rank - 1], last = chi % m;
  return last > m / 2 ? -1 : chi / m * (m / 2 + 1) + last;
}

static place find(const pl_action *a, int64_t chi) {
  place p = {half_position(a, chi), half_position(a, pl_action_negate(a, chi)), 1};
  if (p.at < 0) {
    p.at = p.mirror;
    p.mirror = -1;
    p.sign = -1;
  }
  if (p.mirror == p.at) p.mirror = -1;
  return p;
}

static int64_t half_spectrum(const pl_semidirect *s) {
  int64_t m = s->action.m[s->action.rank - 1];
  return s->n / m * (m / 2 + 1);
}

static int64_t num_places(const pl_semidirect *s) {
  int64_t n = 0;
  for (int64_t o = 0; o < s->orbits; o++) n += s->little[s->orbit[o].little].side;
  return n;
}

static void *plan_new(const pl_factor *f, const int64_t *offset) {
  (void)offset;
  const pl_semidirect *s = f->data;
  const pl_action *a = &s->action;
  plan *p = pl_alloc(1, sizeof *p, "a transform on a semidirect product");
  p->s = s;
  p->half = half_spectrum(s);
  p->place = pl_alloc((size_t)num_places(s), sizeof *p->place, "places of characters");
  place *next = p->place;
  int rows = 0;
  for (int64_t o = 0; o < s->orbits; o++) {
    const pl_little *l = &s->little[s->orbit[o].little];
    if (l->rows > rows) rows = l->rows;
    for (int r = 0; r < l->side; r++)
      *next++ = find(a, pl_action_apply(a, s->dual[l->rep[r]], s->orbit[o].chi));
  }
  p->block = pl_alloc((size_t)rows, sizeof *p->block, "blocks of irreps");
  p->spectrum = pl_alloc((size_t)(p->half * a->h.order), sizeof(fftw_complex), "spectra");
  /* Rows start anywhere; estimating keeps results the same from run to run. */
  double *row = pl_alloc((size_t)f->order, sizeof *row, "a row");
  unsigned flags = FFTW_ESTIMATE | FFTW_UNALIGNED;
  int m[PL_MAX_RANK], acting = (int)a->h.order;
  for (int i = 0; i < a->rank; i++) m[i] = (int)a->m[i];
  p->forward = fftw_plan_many_dft_r2c(a->rank, m, acting, row, NULL, 1, (int)s->n,
                                      (fftw_complex *)p->spectrum, NULL, 1, (int)p->half, flags);
  p->inverse = fftw_plan_many_dft_c2r(a->rank, m, acting, (fftw_complex *)p->spectrum, NULL, 1,
                                      (int)p->half, row, NULL, 1, (int)s->n, flags);
  pl_free(row);
  return p;
}

static void plan_free(void *plan_) {
  plan *p = plan_;
  fftw_destroy_plan(p->forward);
  fftw_destroy_plan(p->inverse);
  pl_free(p->place);
  pl_free(p->spectrum);
  pl_free(p->block);
  pl_free(p);
}

/* Blocks (r, c) of the irreps of an orbit, one after the other, from or to their matrices. */
static void put_block(const pl_little *l, int r, int c, const double *block, double *out) {
  int64_t side = l->side;
  for (int i = 0; i < l->irreps; i++) {
    int rows = pl_compact_rows(l->irrep[i].tau);
    int row = (int)pl_compact_size(l->irrep[i].tau) / rows;
    double *to = out + l->irrep[i].row * side * side + (r * rows * side + c) * row;
    for (int k = 0; k < rows; k++, to += side * row)
      for (int e = 0; e < row; e++) to[e] = *block++;
  }
}

/* With the weights of the inverse: m d / |G|, twice that for quaternions (Re tr is twice the real
 * part), half of it if a character and its conjugate share the sum. */
static void get_block(const pl_little *l, int r, int c, double order, const double *in,
                      double *block) {
  int64_t side = l->side;
  for (int i = 0; i < l->irreps; i++) {
    pl_irrep t = l->irrep[i].tau;
    int rows = pl_compact_rows(t), row = (int)pl_compact_size(t) / rows;
    double weight =
        t.mult * t.dim * (double)side * (t.type == PL_QUATERNIONIC ? 2 : 1) / (order * l->parts);
    const double *from = in + l->irrep[i].row * side * side + (r * rows * side + c) * row;
    for (int k = 0; k < rows; k++, from += side * row)
      for (int e = 0; e < row; e++) *block++ = weight * from[e];
  }
}

static void forward_block(const plan *p, const pl_little *l, const place *at, const int *h) {
  memset(p->block, 0, (size_t)l->rows * sizeof *p->block);
  const double *E = l->E;
  for (int j = 0; j < l->members; j++) {
    const double *z = p->spectrum + 2 * (h[j] * p->half + at->at);
    for (int part = 0; part < l->parts; part++, E += l->rows) {
      double x = part ? at->sign * z[1] : z[0];
      for (int k = 0; k < l->rows; k++) p->block[k] += x * E[k];
    }
  }
}

static void inverse_block(const plan *p, const pl_little *l, const place *at, const int *h) {
  const double *E = l->E;
  for (int j = 0; j < l->members; j++) {
    double x[2] = {0};
    for (int part = 0; part < l->parts; part++, E += l->rows)
      for (int k = 0; k < l->rows; k++) x[part] += p->block[k] * E[k];
    double *spectrum = p->spectrum + 2 * h[j] * p->half;
    spectrum[2 * at->at] = x[0], spectrum[2 * at->at + 1] = at->sign * x[1];
    if (at->mirror >= 0)
      spectrum[2 * at->mirror] = x[0], spectrum[2 * at->mirror + 1] = -at->sign * x[1];
  }
}

static void forward(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  const plan *p = plan_;
  const pl_semidirect *s = p->s;
  for (; rows > 0; rows--, in += in_stride, out += out_stride) {
    fftw_execute_dft_r2c(p->forward, (double *)in, (fftw_complex *)p->spectrum);
    const place *at = p->place;
    for (const pl_orbit *o = s->orbit, *end = o + s->orbits; o < end; o++) {
      const pl_little *l = &s->little[o->little];
      const int *h = l->h;
      for (int r = 0; r < l->side; r++, at++)
        for (int c = 0; c < l->side; c++, h += l->members) {
          forward_block(p, l, at, h);
          put_block(l, r, c, p->block, out + o->offset);
        }
    }
  }
}

static void inverse(void *plan_, int64_t rows, const double *in, int64_t in_stride, double *out,
                    int64_t out_stride) {
  const plan *p = plan_;
  const pl_semidirect *s = p->s;
  double order = (double)(s->n * s->action.h.order);
  for (; rows > 0; rows--, in += in_stride, out += out_stride) {
    const place *at = p->place;
    for (const pl_orbit *o = s->orbit, *end = o + s->orbits; o < end; o++) {
      const pl_little *l = &s->little[o->little];
      const int *h = l->h;
      for (int r = 0; r < l->side; r++, at++)
        for (int c = 0; c < l->side; c++, h += l->members) {
          get_block(l, r, c, order, in + o->offset, p->block);
          inverse_block(p, l, at, h);
        }
    }
    fftw_execute_dft_c2r(p->inverse, (fftw_complex *)p->spectrum, out);
  }
}

static int64_t bytes(const pl_factor *f) {
  const pl_semidirect *s = f->data;
  int64_t spectra = 16 * half_spectrum(s) * s->action.h.order;
  return spectra + num_places(s) * (int64_t)sizeof(place) + 64 * s->n; /* and FFTW's tables */
}

const pl_fast pl_semidirect_fast = {
    .make = plan_new, .free = plan_free, .forward = forward, .inverse = inverse, .bytes = bytes};
