/* Regularisers of a network over a tape (model/regularizer.h): the part of the objective that
 * net.c has the same for all. */
#include "base/mem.h"
#include "nets/bro.h"
#include "net_work.h"

#include <math.h>
#include <string.h>

static bool watched(const pl_spec *spec) {
  return pl_net_kind_of(spec)->watched;
}

/* ---- life ---- */

int pl_net_regular_new(pl_net *net) {
  pl_net_regular *r = &net->work->regular;
  const pl_common *c = &net->spec.common;
  int64_t most = 0;
  r->b = c->bro > 0 ? c->bro : 0;
  r->g = pl_gini_exponent(&net->spec);
  r->recorded = pl_regularised(&net->spec) || watched(&net->spec);
  r->factor = 1;
  r->gini = NAN;
  if (net->kind->readout && (r->g > 0 || watched(&net->spec)))
    r->readouts = net->kind->readout(net, &r->first);
  for (int k = r->first; k < r->first + r->readouts; k++)
    if (net->weight[k].rows > most) most = net->weight[k].rows;
  if (r->readouts > 0) {
    int64_t n = net->start[r->first + r->readouts] - net->start[r->first];
    r->slope = pl_alloc((size_t)n, sizeof *r->slope, "slopes of Gini");
    r->work = pl_alloc((size_t)most, sizeof *r->work, "rows of a read-out");
  }
  return r->b > 0 ? 1 : 0;
}

void pl_net_regular_free(pl_net *net) {
  pl_free(net->work->regular.slope);
  pl_free(net->work->regular.work);
}

/* ---- Gini ---- */

/* Row i of a read-out is column i of its matrix: y = x W. */
static int64_t each_row(const pl_net *net, const double *w,
                        void (*visit)(const pl_net *net, int64_t n, int64_t stride, int64_t at,
                                      const double *w, void *context),
                        void *context) {
  const pl_net_regular *r = &net->work->regular;
  int64_t rows = 0;
  for (int k = r->first; k < r->first + r->readouts; k++) {
    const pl_net_weight *p = &net->weight[k];
    for (int64_t j = 0; j < p->cols; j++, rows++)
      visit(net, p->rows, p->cols, net->start[k] - net->start[r->first] + j, w + net->start[k] + j,
            context);
  }
  return rows;
}

static void add_row(const pl_net *net, int64_t n, int64_t stride, int64_t at, const double *w,
                    void *context) {
  const pl_net_regular *r = &net->work->regular;
  *(double *)context += pl_gini_row(n, stride, w, net->spec.common.gini_of, r->work, r->slope + at);
}

void pl_net_regular_weigh(pl_net *net, const double *w) {
  pl_net_regular *r = &net->work->regular;
  if (!(r->g > 0)) return;
  double sum = 0;
  r->rows = each_row(net, w, add_row, &sum);
  r->gini = sum / (double)r->rows;
  r->factor = pl_gini_factor(r->gini, r->g, &r->log_slope);
}

void pl_net_regular_slopes(const pl_net *net, double *slope) {
  const pl_net_work *k = net->work;
  for (int i = 0; i < k->own_terms; i++) slope[i] *= k->regular.factor;
  if (k->num_terms > k->own_terms) slope[k->own_terms] = k->regular.factor * k->regular.b / 2;
}

double pl_net_regular_objective(pl_net *net, double task) {
  const pl_net_work *k = net->work;
  double bro = k->num_terms > k->own_terms ? k->terms[k->own_terms] : 0;
  net->work->regular.task = task;
  return (task + k->regular.b / 2 * bro) * k->regular.factor;
}

void pl_net_regular_gradient(const pl_net *net, double objective, double *g) {
  const pl_net_regular *r = &net->work->regular;
  if (!(r->g > 0)) return;
  double c = objective * r->log_slope / (double)r->rows;
  int64_t from = net->start[r->first], n = net->start[r->first + r->readouts] - from;
  for (int64_t i = 0; i < n; i++) g[from + i] += c * r->slope[i];
}

/* ---- second order ---- */

typedef struct bending {
  const double *v; /* direction, as the weights */
  double *out;     /* as the weights: += c H_Gini v */
  double c, along; /* along: <slope of Gini, v> */
} bending;

static void add_along(const pl_net *net, int64_t n, int64_t stride, int64_t at, const double *w,
                      void *context) {
  const pl_net_regular *r = &net->work->regular;
  bending *b = context;
  (void)w;
  for (int64_t i = 0; i < n; i++)
    b->along += r->slope[at + i * stride] * b->v[net->start[r->first] + at + i * stride];
}

static void bend_row(const pl_net *net, int64_t n, int64_t stride, int64_t at, const double *w,
                     void *context) {
  const pl_net_regular *r = &net->work->regular;
  bending *b = context;
  int64_t from = net->start[r->first] + at;
  pl_gini_bend(n, stride, w, r->slope + at, b->v + from, b->c, b->out + from);
}

/* The objective is N u(w), u = max(Gini, 1e-3)^-g: H = u H_N + dN du^T + du dN^T + N H_u. */
void pl_net_regular_hvp(const pl_net *net, const double *w, const double *v, double objective,
                        const double *gradient, double *out) {
  const pl_net_regular *r = &net->work->regular;
  if (!(r->g > 0)) return;
  int64_t all = net->start[net->num_weights], from = net->start[r->first];
  int64_t n = net->start[r->first + r->readouts] - from;
  double rows = (double)r->rows, du = r->log_slope / rows, dn = 0;
  bending b = {.v = v, .out = out};
  each_row(net, w, add_along, &b);
  for (int64_t i = 0; i < all; i++) dn += gradient[i] * v[i];
  for (int64_t i = 0; i < all; i++) out[i] += gradient[i] * du * b.along;
  /* d log u = -g/Gini dGini, whose own slope by Gini is g/Gini^2. */
  double curve =
      du * du * b.along + (r->log_slope ? r->g / (r->gini * r->gini) : 0) / (rows * rows) * b.along;
  for (int64_t i = 0; i < n; i++) out[from + i] += (dn * du + objective * curve) * r->slope[i];
  b.c = objective * du;
  each_row(net, w, bend_row, &b);
}

/* ---- orthonormality ---- */

void pl_net_embed(const pl_net *net, pl_tape *t, pl_node *h, int64_t graphs, const int64_t *start,
                  double share) {
  pl_net_regular *r = &net->work->regular;
  double p = net->spec.common.bro_p;
  if (r->b > 0) r->bro = pl_tape_bro(t, h, graphs, start, p, share);
  if (!r->watch) return;
  const pl_node *bro = r->b > 0 ? r->bro : pl_tape_bro(t, h, graphs, start, p, share);
  r->watched[0] += bro->value[0];
  r->watched[1] += share * pl_entropy_ranks(h->cols, h->value, graphs, start);
}

pl_node *pl_net_regular_terms(pl_net *net, pl_tape *t, pl_node *terms) {
  pl_net_regular *r = &net->work->regular;
  if (!(r->b > 0)) return terms;
  pl_require(r->bro != NULL);
  pl_node *both[] = {terms, r->bro};
  r->bro = NULL;
  return pl_tape_concat_cols(t, 2, both);
}

/* ---- records ---- */

double pl_net_regular_watch(pl_net *net) {
  pl_net_regular *r = &net->work->regular;
  r->watch = true;
  r->watched[0] = r->watched[1] = 0;
  double objective = pl_net_objective(net, PL_TRAIN), sum = 0;
  r->watch = false;
  pl_comm_sum(&net->team, r->watched, 2);
  if (r->readouts > 0 && !(r->g > 0)) r->rows = each_row(net, net->w, add_row, &sum);
  if (r->readouts > 0 && !(r->g > 0)) r->gini = sum / (double)r->rows;
  return objective;
}

#define AT(member) .from = offsetof(pl_net_record, member)
static bool wants_bro(const pl_spec *spec, const void *context) {
  (void)context;
  return spec->common.bro > 0 || watched(spec);
}
static bool wants_gini(const pl_spec *spec, const void *context) {
  (void)context;
  return pl_gini_exponent(spec) > 0 || watched(spec);
}
static bool wants_task(const pl_spec *spec, const void *context) {
  return wants_bro(spec, context) || wants_gini(spec, context);
}

static const pl_measure gini_rows[] = {
    {"task_loss", NULL, "1", PL_TASK_LOSS, .wanted = wants_task, .better = -1, AT(task_loss)},
    {"gini", NULL, "1", PL_GINI, .wanted = wants_gini, .better = 1, AT(gini)},
};
static const pl_measure bro_rows[] = {
    {"bro", NULL, "1", PL_BRO, .wanted = wants_bro, .better = -1, AT(bro)},
    {"embedding_entropy_rank", NULL, "1",
     "exponential of the entropy of the shares of the embeddings' squared singular values, mean "
     "over the graphs of the training part",
     .wanted = wants_bro, .better = 1, AT(embedding_entropy_rank)},
};
const pl_measures pl_net_gini_measures = PL_MEASURES(gini_rows);
const pl_measures pl_net_bro_measures = PL_MEASURES(bro_rows);
