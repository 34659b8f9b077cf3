#include "gcnn_regular.h"

#include "base/mem.h"
#include "model/loss.h"
#include "model/regularizer.h"

#include <math.h>
#include <string.h>

struct gcnn_regular {
  double b, g;   /* of the objective */
  int layers;    /* whose filters BRO takes: the first ones */
  int readouts;  /* slopes below */
  double **gram; /* [layers]: sum_k W_k W_k^H - I of a stack */
  double bro, gini, log_slope, factor;
  double orthonormal, unequal; /* factors on M W and on the slope of Gini in the step's gradient */
  /* g > 0: slopes of Gini by the read-outs, [K] spectra; a function over G on rank 0, and room. */
  double **slope, *f, *whole, *out;
  pl_gini_place *work;
};

double gcnn_regular_bro(const gcnn_regular *r) {
  return r->bro;
}
double gcnn_regular_gini(const gcnn_regular *r) {
  return r->gini;
}

/* ---- orthonormality ---- */

/* a -= I, every matrix of the stack. */
static void subtract_identity(const pl_stack *b, double *a) {
  if (b->grid >= 0) {
    for (int j = 0; j < b->mat.ln; j++)
      for (int i = 0; i < b->mat.lm; i++)
        if (pl_dmat_row(&b->mat, i) == pl_dmat_col(&b->mat, j)) a[(int64_t)j * b->mat.lld + i] -= 1;
    return;
  }
  int64_t step = (b->dim + 1) * (pl_stack_complex(b) ? 2 : 1);
  for (int64_t k = 0; k < b->count; k++)
    for (int64_t i = 0; i < b->dim; i++) a[k * b->size + i * step] -= 1;
}

/* M = sum_k W_l,k W_l,k^H - I */
static void gram(const gcnn *m, int l, const pl_stack *b, double *M) {
  for (int k = 0; k < m->channels; k++) {
    const double *w = gcnn_weight(m, l, k, b);
    if (k == 0)
      pl_stack_mul(b, PL_NC, w, w, M);
    else
      pl_stack_mul_add(b, PL_NC, 1, w, w, 1, M);
  }
  subtract_identity(b, M);
}

void gcnn_regular_forward(gcnn *m, const pl_stack *b) {
  gcnn_regular *r = m->regular;
  double sum = 0;
  for (int l = 1; l <= r->layers; l++) {
    gram(m, l, b, r->gram[0]);
    sum += pl_sum_squares(pl_stack_doubles(b), r->gram[0]);
  }
  m->net.sums[m->net.train->num + 1] += b->mult * b->dim * sum;
}

void gcnn_regular_begin(gcnn *m, const pl_stack *b) {
  for (int l = 1; l <= m->regular->layers; l++) gram(m, l, b, m->regular->gram[l - 1]);
}

void gcnn_regular_add(gcnn *m, int l, int k, const pl_stack *b, double *g) {
  const gcnn_regular *r = m->regular;
  if (l <= r->layers)
    pl_stack_mul_add(b, PL_NN, r->orthonormal, r->gram[l - 1], gcnn_weight(m, l, k, b), 1, g);
  if (l < m->depth || !(r->g > 0)) return;
  const double *slope = r->slope[k] + b->offset;
  for (int64_t i = 0; i < pl_stack_doubles(b); i++) g[i] += r->unequal * slope[i];
}

/* ---- Gini ---- */

/* Values over G come together on rank 0, their slopes go back as spectra. */
static void measure_gini(gcnn *m) {
  gcnn_regular *r = m->regular;
  pl_transform *t = m->net.transform;
  const pl_layout *l = m->net.layout;
  int64_t n = pl_group_order(m->net.group);
  double sum = 0;
  for (int k = 0; k < m->channels; k++) {
    pl_transform_inverse(t, m->net.w[gcnn_filter(m, m->depth, k)], r->f);
    pl_transform_gather(t, r->f, r->whole);
    if (l->team.rank == 0)
      sum += pl_gini_row(n, 1, r->whole, m->net.spec.common.gini_of, r->work, r->out);
    for (int64_t i = 0; l->team.rank == 0 && i < n; i++) r->out[i] /= m->channels;
    pl_transform_scatter(t, r->out, r->f);
    pl_transform_forward(t, r->f, r->slope[k]);
  }
  r->gini = sum / m->channels;
  pl_comm_bcast(&l->team, &r->gini, sizeof r->gini, 0);
}

/* ---- the objective ---- */

static void settle(fourier_net *net, const double *sums) {
  gcnn *m = (gcnn *)net;
  gcnn_regular *r = m->regular;
  r->bro = sums[0];
  if (!(r->g > 0)) return;
  measure_gini(m);
  r->factor = pl_gini_factor(r->gini, r->g, &r->log_slope);
}

static pl_standing standing(const fourier_net *net, double log_task) {
  const gcnn_regular *r = ((const gcnn *)net)->regular;
  if (!(r->b > 0)) return pl_standing_of_log(log_task + log(r->factor));
  return pl_standing_of((exp(log_task) + r->b / 2 * r->bro) * r->factor);
}

/* Without BRO the objective is the task's times a number: it stays in log space. */
static void weigh(fourier_net *net) {
  gcnn_regular *r = ((gcnn *)net)->regular;
  int64_t n = net->train->num;
  double scale = r->factor, log_task = pl_log_loss(net->values->loss, n, net->margin);
  r->unequal = exp(log_task - net->log_scale) * r->factor * r->log_slope;
  if (r->b > 0) {
    scale *= exp(net->log_scale);
    net->log_scale = 0;
    r->unequal = (exp(log_task) + r->b / 2 * r->bro) * r->factor * r->log_slope;
  }
  for (int64_t i = 0; i < n; i++) net->coefficient[i] *= scale;
  /* d BRO = sum m d <4 M W, dW>, and a gradient's inner product has m d over the volume. */
  r->orthonormal = 2 * r->b * pl_group_volume(net->group) * r->factor;
}

static const fourier_terms terms = {
    .sums = 1, .settle = settle, .weigh = weigh, .standing = standing};

/* ---- life ---- */

void gcnn_regular_new(gcnn *m) {
  const pl_spec *spec = &m->net.spec;
  const pl_layout *l = m->net.layout;
  if (!pl_regularised(spec)) return;
  gcnn_regular *r = m->regular = pl_zalloc(1, sizeof *r, "regularisers");
  m->net.terms = &terms;
  r->b = spec->common.bro;
  r->g = pl_gini_exponent(spec);
  r->factor = 1;
  r->gini = NAN;
  r->layers = m->net.values->regularizer_layer == PL_LAYER_ALL ? m->depth : 1;
  r->gram = pl_alloc((size_t)r->layers, sizeof *r->gram, "Gram matrices");
  for (int k = 0; k < r->layers; k++)
    r->gram[k] = pl_alloc((size_t)l->scratch, sizeof(double), "Gram matrices");
  if (!(r->g > 0)) return;
  size_t n = l->team.rank == 0 ? (size_t)pl_group_order(m->net.group) : 0;
  r->readouts = m->channels;
  r->slope = pl_alloc((size_t)m->channels, sizeof *r->slope, "slopes of Gini");
  for (int k = 0; k < m->channels; k++)
    r->slope[k] = pl_alloc((size_t)l->local, sizeof(double), "slopes of Gini");
  r->f = pl_alloc((size_t)pl_transform_count(m->net.transform), sizeof(double), "a read-out");
  r->whole = pl_alloc(n, sizeof *r->whole, "a read-out over G");
  r->out = pl_alloc(n, sizeof *r->out, "slopes of Gini over G");
  r->work = pl_alloc(n, sizeof *r->work, "a read-out over G");
}

void gcnn_regular_free(gcnn_regular *r) {
  if (!r) return;
  for (int k = 0; k < r->layers; k++) pl_free(r->gram[k]);
  for (int k = 0; k < r->readouts; k++) pl_free(r->slope[k]);
  pl_free(r->slope);
  pl_free(r->gram);
  pl_free(r->f);
  pl_free(r->whole);
  pl_free(r->out);
  pl_free(r->work);
  pl_free(r);
}

const char *gcnn_regular_fits(const pl_spec *spec) {
  if (spec->common.bro > 0 && spec->common.bro_p != 2) {
    pl_error(PL_EINPUT, "on groups the norm is that of Frobenius, squared: regularizer.p 2");
    return "regularizer.p";
  }
  if (pl_gini_exponent(spec) > 0 && pl_group_values_of(spec)->band_codepth != PL_UNSET) {
    pl_error(PL_EINPUT, "Gini is that of filter values over the group, which a band has not");
    return "regularizer.gini";
  }
  return NULL;
}
