#include "nets/net.h"

#include "base/mem.h"
#include "base/pause.h"
#include "base/rng.h"
#include "base/norm.h"
#include "linalg/rect.h"
#include "model/batch.h"
#include "model/optim.h"
#include "net_work.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- weights ---- */

int pl_net_add(pl_net *net, pl_net_weight weight) {
  size_t n = (size_t)net->num_weights + 1;
  if (((n - 1) & (n - 2)) == 0) { /* room for 1, 2, 4, .. */
    size_t room = n == 1 ? 1 : 2 * (n - 1);
    net->weight = pl_realloc(net->weight, room, sizeof *net->weight, "weights");
    net->start = pl_realloc(net->start, room + 1, sizeof *net->start, "weights");
  }
  if (n == 1) net->start[0] = 0;
  net->weight[n - 1] = weight;
  net->start[n] = net->start[n - 1] + weight.rows * weight.cols;
  return net->num_weights++;
}

static int64_t length(const pl_net *net) {
  return net->num_weights ? net->start[net->num_weights] : 0;
}

static void draw_weight(const pl_net *net, int k) {
  const pl_net_weight *p = &net->weight[k];
  double *w = net->w + net->start[k];
  int64_t n = p->rows * p->cols;
  uint64_t seed = (uint64_t)net->spec.common.seed;
  uint64_t stream = PL_STREAM(PL_STREAM_FILTER, p->drawn_as ? p->drawn_as - 1 : k);
  if (p->init == PL_INIT_NORMAL) pl_rng_normals(seed, stream, 0, n, w);
  for (int64_t i = 0; i < n; i++) switch (p->init) {
    case PL_INIT_ZERO:
      w[i] = 0;
      break;
    case PL_INIT_CONSTANT:
      w[i] = p->scale;
      break;
    case PL_INIT_NORMAL:
      w[i] *= p->scale;
      break;
    case PL_INIT_IDENTITY:
      w[i] = i / p->cols == i % p->cols;
      break;
    case PL_INIT_SPREAD:
      w[i] = p->scale * (2 * pl_rng_uniform(seed, stream, (uint64_t)i) - 1);
      break;
    }
}

static void list_params(pl_net *net) {
  net->base.num_params = net->num_weights;
  net->base.params = pl_zalloc((size_t)net->num_weights, sizeof *net->base.params, "parameters");
  for (int k = 0; k < net->num_weights; k++) {
    const pl_net_weight *p = &net->weight[k];
    pl_param *b = &net->base.params[k];
    *b = (pl_param){.group = p->group,
                    .layer = p->layer,
                    .count = 1,
                    .rows = p->rows,
                    .cols = p->cols,
                    .shared = true,
                    .weight = 1,
                    .n = p->rows * p->cols,
                    .w = net->w + net->start[k]};
    memcpy(b->name, p->name, sizeof b->name);
  }
}

/* ---- samples ---- */

/* The samples of step t: batch t mod (steps of an epoch) of an epoch's order. */
static pl_take batch_of(pl_net *net, int64_t t) {
  pl_net_work *k = net->work;
  int64_t n = net->count[PL_TRAIN], size = pl_batch_size(&net->spec, n);
  int64_t steps = pl_batch_count(&net->spec, n), epoch = t / steps, at = t % steps * size;
  pl_take take = {.part = PL_TRAIN, .step = t, .training = true, .once = net->team.rank == 0};
  if (size < n && k->epoch != epoch) {
    pl_batch_order(&net->spec, epoch, n, k->order);
    k->epoch = epoch;
  }
  take.total = n - at < size ? n - at : size;
  pl_net_share(net, take.total, &take.first, &take.count);
  take.entry = k->order + at + take.first;
  return take;
}

/* Samples that go onto the tape at once: all that a rank may have, where the objective is not a sum
 * over samples or the ranks do not share them. */
static int64_t piece_of(const pl_net *net, int64_t total) {
  bool sums = !net->kind->combine && net->kind->split != PL_SPLIT_OWN;
  return sums && net->work->piece < total ? net->work->piece : total;
}

/* The piece of a take from number `from` on. */
static pl_take cut(const pl_take *take, int64_t from, int64_t piece) {
  pl_take part = *take;
  part.once = take->once && from == 0;
  part.first += from;
  part.entry += from;
  part.count = take->count - from < piece ? take->count - from : piece;
  return part;
}

/* ---- evaluations ---- */

void pl_net_variables(const pl_net *net, pl_tape *t, const double *w, double *g, pl_node **node) {
  for (int k = 0; k < net->num_weights; k++)
    node[k] = pl_tape_variable(t, net->weight[k].rows, net->weight[k].cols, w + net->start[k],
                               g ? g + net->start[k] : NULL);
}

pl_tape *pl_net_tape(pl_net *net) {
  pl_tape_reset(net->work->tape);
  net->work->on_tape = false;
  return net->work->tape;
}

/* Terms of a take at w, on this rank; the tape keeps what the backward sweep needs. */
static pl_node *record_terms(pl_net *net, const double *w, double *g, const pl_take *take) {
  pl_net_work *k = net->work;
  pl_net_tape(net);
  pl_net_variables(net, k->tape, w, g, k->node);
  pl_node *terms = net->kind->objective(net, k->tape, k->node, take);
  terms = pl_net_regular_terms(net, k->tape, terms);
  pl_require(terms->rows == 1 && terms->cols == k->num_terms);
  return terms;
}

/* The objective without regularisers, from the terms' sums. */
static double task_of(pl_net *net) {
  pl_net_work *k = net->work;
  double sum = 0;
  if (net->kind->combine) {
    sum = net->kind->combine(net, k->terms, k->slope);
    pl_net_regular_slopes(net, k->slope);
    return sum;
  }
  for (int i = 0; i < k->own_terms; i++) sum += k->terms[i];
  return sum;
}

/* Terms and vote over the team; the objective, and what each term's adjoint starts from. */
static double share_terms(pl_net *net, double *vote) {
  pl_net_work *k = net->work;
  int n = k->num_terms;
  k->terms[n] = *vote;
  pl_comm_sum(&net->team, k->terms, n + 1);
  *vote = k->terms[n];
  return pl_net_regular_objective(net, task_of(net));
}

static void add_terms(pl_net *net, const pl_node *terms, bool first) {
  double *sum = net->work->terms;
  for (int i = 0; i < net->work->num_terms; i++)
    sum[i] = first ? terms->value[i] : sum[i] + terms->value[i];
}

/* At w: in sums the slopes are known before the terms. */
static void start_slopes(pl_net *net, const double *w) {
  for (int i = 0; i < net->work->own_terms; i++) net->work->slope[i] = 1;
  pl_net_regular_weigh(net, w);
  pl_net_regular_slopes(net, net->work->slope);
}

/* The objective of a take at w, in pieces, added up in terms; its gradient is added to g, where
 * that is not NULL. */
static void sum_pieces(pl_net *net, const double *w, const pl_take *take, double *g) {
  pl_net_work *k = net->work;
  int64_t piece = piece_of(net, take->total), from = 0;
  start_slopes(net, w);
  do {
    pl_take part = cut(take, from, piece);
    pl_node *terms = record_terms(net, w, g, &part);
    add_terms(net, terms, from == 0);
    if (g) pl_tape_backward(k->tape, terms, k->slope);
    from += piece;
  } while (from < take->count && !pl_pause());
}

/* The objective of the batch of step t at the present weights: what a step then goes back from, or,
 * where the tape cannot hold it, its gradient as well. */
static void forward(pl_net *net, int64_t t, double *vote) {
  pl_net_work *k = net->work;
  pl_take take = batch_of(net, t);
  int64_t most = (take.total + net->team.size - 1) / net->team.size; /* the same on every rank */
  bool pieces = piece_of(net, take.total) < most;
  if (pieces) {
    memset(k->gradient, 0, (size_t)length(net) * sizeof *k->gradient);
    sum_pieces(net, net->w, &take, k->gradient);
    pl_comm_sum(&net->team, k->gradient, length(net));
  } else {
    start_slopes(net, net->w);
    k->result = record_terms(net, net->w, k->gradient, &take);
    add_terms(net, k->result, true);
  }
  k->objective = share_terms(net, vote);
  if (pieces) pl_net_regular_gradient(net, k->objective, k->gradient);
  k->step = t;
  k->on_tape = !pieces;
  k->has_gradient = pieces;
}

static void backward(pl_net *net) {
  pl_net_work *k = net->work;
  if (k->has_gradient) return;
  memset(k->gradient, 0, (size_t)length(net) * sizeof *k->gradient);
  pl_tape_backward(k->tape, k->result, k->slope);
  pl_comm_sum(&net->team, k->gradient, length(net));
  pl_net_regular_gradient(net, k->objective, k->gradient);
  k->has_gradient = true;
}

double pl_net_gradient_norm(pl_net *net) {
  pl_require(net->work->on_tape || net->work->has_gradient);
  backward(net);
  return pl_norm2(length(net), net->work->gradient);
}

double pl_net_objective(pl_net *net, pl_part part) {
  double vote = 0;
  pl_take take = pl_net_recorded(net, part);
  sum_pieces(net, net->w, &take, NULL);
  return share_terms(net, &vote);
}

void pl_net_each(pl_net *net, pl_part part, pl_net_visit *visit, void *context) {
  pl_net_work *k = net->work;
  pl_take take = pl_net_recorded(net, part);
  int64_t piece = piece_of(net, take.total);
  for (int64_t from = 0; from < take.count && !pl_pause(); from += piece) {
    pl_take some = cut(&take, from, piece);
    pl_net_tape(net);
    pl_net_variables(net, k->tape, net->w, NULL, k->node);
    visit(net, k->tape, k->node, &some, context);
  }
}

double pl_net_gradient(pl_net *net, const double *w, double *g) {
  pl_net_work *k = net->work;
  int64_t *entries;
  double vote = 0, objective;
  pl_take take = pl_net_whole(net, PL_TRAIN, &entries);
  memset(g, 0, (size_t)length(net) * sizeof *g);
  if (net->kind->combine) {
    start_slopes(net, w);
    pl_node *terms = record_terms(net, w, g, &take);
    add_terms(net, terms, true);
    objective = share_terms(net, &vote);
    pl_tape_backward(k->tape, terms, k->slope);
  } else {
    sum_pieces(net, w, &take, g);
    objective = share_terms(net, &vote);
  }
  pl_comm_sum(&net->team, g, length(net));
  pl_net_regular_gradient(net, objective, g);
  pl_free(entries);
  return objective;
}

void pl_net_hvp(pl_net *net, const double *w, const double *v, double *out) {
  pl_net_work *k = net->work;
  int64_t *entries;
  pl_take take = pl_net_whole(net, PL_TRAIN, &entries);
  int64_t piece = piece_of(net, take.total), from = 0;
  double unused = 0;
  pl_require(!net->kind->combine); /* sums of quotients have cross terms over the ranks */
  memset(out, 0, (size_t)length(net) * sizeof *out);
  memset(k->gradient, 0, (size_t)length(net) * sizeof *k->gradient);
  start_slopes(net, w);
  do {
    pl_take part = cut(&take, from, piece);
    pl_node *terms = record_terms(net, w, k->gradient, &part);
    add_terms(net, terms, from == 0);
    for (int i = 0; i < net->num_weights; i++)
      pl_tape_direction(k->tape, k->node[i], v + net->start[i], out + net->start[i]);
    pl_tape_backward(k->tape, terms, k->slope);
    pl_tape_hvp(k->tape);
    from += piece;
  } while (from < take.count);
  pl_comm_sum(&net->team, out, length(net));
  pl_comm_sum(&net->team, k->gradient, length(net));
  pl_net_regular_hvp(net, w, v, share_terms(net, &unused), k->gradient, out);
  pl_free(entries);
  k->step = -1; /* so is its gradient */
  k->has_gradient = false;
}

/* ---- steps that follow the gradient flow ---- */

static void move(pl_net *net, double h) {
  const double *g = net->work->gradient, *from = net->work->before;
  for (int64_t i = 0; i < length(net); i++) net->w[i] = from[i] - h * g[i];
}

/* To first order a step of length h lowers the objective by h ||g||^2; most of that must be seen,
 * where rounding of the objective leaves it to be seen. */
static bool follows(double was, double now, double due) {
  return was - now >= 0.9 * due || due <= 64 * DBL_EPSILON * fabs(was);
}

static void flow_step(pl_net *net, int64_t t, double first, double *vote) {
  enum { PATIENCE = 10 }; /* steps after which the length doubles */
  pl_net_work *k = net->work;
  double was = k->objective, squares = pl_sum_squares(length(net), k->gradient), unused = 0;
  double *h = &k->flow[PL_FLOW_STEP], *accepted = &k->flow[PL_FLOW_ACCEPTED];
  if (*h == 0) *h = first;
  memcpy(k->before, net->w, (size_t)length(net) * sizeof *k->before);
  /* forward leaves the gradient as it is. */
  for (move(net, *h), forward(net, t + 1, &unused);
       !follows(was, k->objective, *h * squares) && *h > DBL_MIN;
       move(net, *h), forward(net, t + 1, &unused)) {
    *h /= 2;
    *accepted = 0;
  }
  k->flow[PL_FLOW_TIME] += *h;
  if (++*accepted >= PATIENCE) {
    *accepted = 0;
    *h *= 2;
  }
  pl_comm_sum(&net->team, vote, 1);
}

/* ---- the step ---- */

static bool rests(const pl_net *net, int k, int64_t t) {
  return net->kind->rests && net->kind->rests(net, k, t);
}

void pl_net_refresh(pl_model *m, int64_t t) {
  double vote = 0;
  forward(pl_net_of(m), t, &vote);
}

static double squared_norm(pl_net *net, pl_update *u, int64_t t, double log_scale) {
  double sum = 0, *g = net->work->gradient;
  for (int p = 0; p < net->base.num_params; p++)
    if (!rests(net, p, t))
      sum += pl_update_measure(u, p, &net->base.params[p], g + net->start[p], log_scale);
  return sum;
}

static double largest_entry(const pl_net *net, int64_t t) {
  double most = 0;
  for (int p = 0; p < net->base.num_params; p++)
    if (!rests(net, p, t))
      most = fmax(most, pl_max_abs(net->base.params[p].n, net->work->gradient + net->start[p]));
  return most;
}

static void scale_gradient(pl_net *net, double scale) {
  for (int64_t k = 0; k < length(net); k++) net->work->gradient[k] *= scale;
}

void pl_net_step(pl_model *m, int64_t t, pl_update *u, double *vote) {
  pl_net *net = pl_net_of(m);
  pl_net_work *k = net->work;
  double unused = 0, norm2 = 0, scale = 1;
  if (k->step != t || !(k->on_tape || k->has_gradient)) forward(net, t, &unused);
  backward(net);
  if (u->flow > 0) {
    flow_step(net, t, u->flow, vote);
    return;
  }
  if (u->needs_norm && !pl_sum_safe(norm2 = squared_norm(net, u, t, 0))) {
    /* The gradient and its scale trade a power of two, so that its squares are in range. */
    scale_gradient(net, scale = pl_safe_scale(largest_entry(net, t)));
    norm2 = squared_norm(net, u, t, -log(scale));
  }
  u->begin(u, -log(scale), sqrt(norm2));
  for (int p = 0; p < m->num_params; p++)
    if (!rests(net, p, t)) u->apply(u, p, &m->params[p], k->gradient + net->start[p]);
  if (scale != 1) scale_gradient(net, 1 / scale);
  forward(net, t + 1, vote);
}

const double *pl_net_step_gradient(const pl_net *net) {
  pl_require(net->work->has_gradient);
  return net->work->gradient;
}

pl_standing pl_net_standing(const pl_model *m) {
  return pl_standing_of(((const pl_net *)m)->work->objective);
}

double *pl_net_keep(pl_model *m, int i, const char **name, int64_t *n) {
  pl_net *net = pl_net_of(m);
  int flow = pl_optim_flow(&net->spec) ? 1 : 0;
  if (i >= flow) return net->kind->keep ? net->kind->keep(net, i - flow, name, n) : NULL;
  *name = "flow";
  *n = PL_FLOW_NUMBERS;
  return net->work->flow;
}

/* Every rank has the whole of every block. */
void pl_net_block_sum(pl_model *m, int p, double *x, int64_t n) {
  (void)m, (void)p, (void)x, (void)n;
}

void pl_net_block_polar(pl_model *m, int p, double *a) {
  pl_rect_polar(pl_net_of(m)->work->rect, m->params[p].rows, m->params[p].cols, a);
}

/* ---- weights in and out ---- */

static int64_t weight_length(const pl_model *m, int p) {
  return m->params[p].n;
}

static void gather(pl_model *m, int p, double *const *blocks, int64_t first, int64_t n, double *x) {
  if (pl_net_of(m)->team.rank == 0) memcpy(x, blocks[p] + first, (size_t)n * sizeof *x);
}

static void scatter(pl_model *m, int p, double *const *blocks, int64_t first, int64_t n,
                    double *x) {
  pl_comm_bcast(&pl_net_of(m)->team, x, (size_t)n * sizeof *x, 0);
  memcpy(blocks[p] + first, x, (size_t)n * sizeof *x);
}

const pl_transfer pl_net_weights = {weight_length, gather, scatter};

/* ---- life ---- */

static void make_work(pl_net *net) {
  pl_net_work *k = net->work = pl_zalloc(1, sizeof *k, "network");
  int64_t n = length(net), train = net->count[PL_TRAIN];
  k->tape = pl_tape_new();
  k->own_terms = net->kind->num_terms ? net->kind->num_terms : 1;
  k->num_terms = k->own_terms + pl_net_regular_new(net);
  k->node = pl_alloc((size_t)net->num_weights, sizeof(pl_node *), "weights");
  k->gradient = pl_zalloc((size_t)n, sizeof *k->gradient, "gradient");
  k->terms = pl_alloc((size_t)k->num_terms + 1, sizeof *k->terms, "objective");
  k->slope = pl_alloc((size_t)k->num_terms, sizeof *k->slope, "objective");
  k->order = pl_alloc((size_t)train, sizeof *k->order, "order of samples");
  for (int64_t i = 0; i < train; i++) k->order[i] = i;
  if (pl_optim_flow(&net->spec)) k->before = pl_alloc((size_t)n, sizeof *k->before, "weights");
  k->epoch = -1;
  k->step = -1;
  pl_net_sample_new(net);
  k->rect = pl_rect_new(1, 1);
  for (int p = 0; p < net->num_weights; p++)
    pl_rect_admit(k->rect, net->weight[p].rows, net->weight[p].cols);
}

/* A network whose data and parameters are known: room, weights. */
static pl_status furnish(pl_net *net) {
  net->w = pl_zalloc((size_t)length(net), sizeof *net->w, "weights");
  for (int k = 0; k < net->num_weights; k++) draw_weight(net, k);
  list_params(net);
  make_work(net);
  return pl_agree(&net->team, pl_net_read_weights(net));
}

static pl_net *empty(const pl_spec *spec, const pl_comm *team) {
  pl_net *net = pl_zalloc(1, sizeof *net, "network");
  net->kind = pl_net_kind_of(spec);
  net->base.kind = spec->model;
  net->spec = *spec;
  net->team = *team;
  return net;
}

/* What stands for pl_net_kind.load; the others count what they have read, not once more. */
static pl_status load_plain(pl_net *net) {
  for (int p = 0; p < PL_NUM_PARTS; p++) net->count[p] = pl_data_count(&net->spec, (pl_part)p);
  return net->kind->shapes(net);
}

pl_status pl_net_create(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                        pl_model **out) {
  (void)rates;
  pl_net *net = empty(spec, team);
  pl_status st = net->kind->load ? net->kind->load(net) : load_plain(net);
  if (!st) st = furnish(net);
  if (!st && net->kind->initial) st = net->kind->initial(net);
  if (!st) st = pl_agree(team, pl_net_observe_new(net));
  if (st) {
    pl_net_destroy(&net->base);
    return st;
  }
  pl_net_refresh(&net->base, 0);
  if (net->kind->begin) net->kind->begin(net);
  *out = &net->base;
  return PL_OK;
}

pl_status pl_net_open(const pl_spec *spec, const pl_comm *team, const pl_nc *weights,
                      const pl_nc *data, pl_net **out) {
  pl_net *net = empty(spec, team);
  pl_status st = net->kind->open(net, weights, data);
  if (!st) st = furnish(net);
  if (st)
    pl_net_destroy(&net->base);
  else
    *out = net;
  return st;
}

void pl_net_destroy(pl_model *m) {
  pl_net *net = pl_net_of(m);
  pl_net_work *k = net->work;
  if (net->kind->unload) net->kind->unload(net);
  if (k) {
    pl_net_observe_free(net);
    pl_net_sample_free(net);
    pl_tape_free(k->tape);
    pl_rect_free(k->rect);
    pl_free(k->node);
    pl_free(k->gradient);
    pl_free(k->terms);
    pl_free(k->slope);
    pl_free(k->order);
    pl_free(k->before);
    pl_net_regular_free(net);
    pl_free(k);
  }
  pl_free(net->weight);
  pl_free(net->start);
  pl_free(net->w);
  pl_free(net->base.params);
  pl_free(net);
}
