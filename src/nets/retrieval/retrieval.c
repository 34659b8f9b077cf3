#include "base/mem.h"
#include "model/batch.h"
#include "model/optim.h"
#include "own.h"
#include "screen.h"

#include <stdio.h>
#include <string.h>

/* ---- the objective ---- */

static bool frozen_at(const pl_net *net, int64_t t) {
  const retrieval_values *v = retrieval_values_of(&net->spec);
  return retrieval_negatives(v, t) == NEGATIVES_ADORE;
}

/* The lists of adore: those that the batch has now, or those that serve it. */
static const pl_hit *lists_of(const pl_net *net, const pl_node *query, const pl_take *take) {
  retrieval_own *own = retrieval_own_of(net);
  int64_t top = retrieval_top(net);
  if (!take->training || !own->served) {
    pl_index_top(own->index, take->count, query->value, top, own->hits);
    return own->hits;
  }
  for (int64_t i = 0; i < take->count; i++)
    for (int64_t r = 0; r < top; r++)
      own->hits[i * top + r].document = (int64_t)own->served[take->entry[i] * top + r];
  return own->hits;
}

static pl_node *documents_of(const pl_net *net, pl_tape *t, pl_node *const *w,
                             const retrieval_batch *b) {
  retrieval_own *own = retrieval_own_of(net);
  int64_t width = retrieval_values_of(&net->spec)->width;
  if (own->negatives != NEGATIVES_ADORE) {
    pl_tape_csr x = encoder_rows(t, own->corpus.document, b->num_documents, b->number);
    return encoder_of(net, t, w, SIDE_DOCUMENT, &x);
  }
  double *e = pl_tape_alloc(t, (size_t)(b->num_documents * width), sizeof *e);
  pl_index_fetch(own->index, b->num_documents, b->number, e);
  return pl_tape_constant(t, b->num_documents, width, e);
}

static pl_node *nothing(pl_tape *t) {
  double *zero = pl_tape_alloc(t, 1, sizeof *zero);
  *zero = 0;
  return pl_tape_constant(t, 1, 1, zero);
}

/* (1/N) sum over queries and groups of factor (1/pairs) sum over pairs of weight l(s+ - s-).  Every
 * rank retrieves among its documents; the rest is rank 0's alone, so that steps are the same to the
 * last bit on any number of ranks. */
static pl_node *objective(const pl_net *net, pl_tape *t, pl_node *const *w, const pl_take *take) {
  retrieval_own *own = retrieval_own_of(net);
  bool adore;
  if (take->training) retrieval_prepare(net, w[0]->value, take->step);
  adore = own->negatives == NEGATIVES_ADORE;
  if (!adore && !take->once) return nothing(t);
  int32_t *row = pl_tape_alloc(t, (size_t)take->count, sizeof *row);
  for (int64_t i = 0; i < take->count; i++) row[i] = own->corpus.member[take->part][take->entry[i]];
  pl_tape_csr x = encoder_rows(t, own->corpus.query, take->count, row);
  pl_node *query = encoder_of(net, t, w, SIDE_QUERY, &x);
  retrieval_batch b;
  retrieval_collect(net, t, take, adore ? lists_of(net, query, take) : NULL, &b);
  pl_node *document = documents_of(net, t, w, &b);
  if (!take->once) return nothing(t);
  pl_node *score = retrieval_dots(t, query, document, b.num_dots, b.query, b.document);
  retrieval_pair(net, t, score->value, &b);
  pl_node *difference = pl_tape_subtract(t, pl_tape_gather(t, score, b.num_pairs, b.worse),
                                         pl_tape_gather(t, score, b.num_pairs, b.better));
  bool logistic = retrieval_values_of(&net->spec)->loss == LOSS_LOGISTIC;
  pl_node *loss = logistic ? pl_tape_softplus(t, difference) : pl_tape_exp(t, difference);
  pl_node *weight = pl_tape_constant(t, b.num_pairs, 1, b.weight);
  return pl_tape_scale(t, pl_tape_sum(t, pl_tape_multiply(t, loss, weight)),
                       1 / (double)take->total);
}

static bool rests(const pl_net *net, int k, int64_t t) {
  return frozen_at(net, t) && k >= encoder_first(&net->spec, SIDE_DOCUMENT);
}

/* ---- life ---- */

static double *no_lists(int64_t n) {
  double *list = pl_alloc((size_t)n, sizeof *list, "lists");
  for (int64_t k = 0; k < n; k++) list[k] = -1;
  return list;
}

void retrieval_own_rooms(pl_net *net, int64_t top) {
  const retrieval_values *v = retrieval_values_of(&net->spec);
  retrieval_own *own = retrieval_own_of(net);
  const pl_corpus *c = &own->corpus;
  int64_t documents = c->document->rows, largest = 0;
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    net->count[p] = c->count[p];
    if (c->count[p] > largest) largest = c->count[p];
  }
  own->tape = pl_tape_new();
  own->index = pl_index_new(&net->team, documents, v->width, top);
  own->hits = pl_alloc((size_t)(largest * top), sizeof *own->hits, "lists");
  own->query = pl_alloc((size_t)(largest * v->width), sizeof *own->query, "queries");
  own->rank = pl_alloc((size_t)c->start[c->query->rows], sizeof *own->rank, "ranks");
  own->score = pl_alloc((size_t)c->start[c->query->rows], sizeof *own->score, "scores");
  own->row = pl_alloc((size_t)documents, sizeof *own->row, "documents");
  for (int64_t d = 0; d < documents; d++) own->row[d] = -1;
}

static pl_status load_bm25(pl_net *net) {
  retrieval_own *own = retrieval_own_of(net);
  int64_t n = net->count[PL_TRAIN] * retrieval_top(net);
  int32_t *list = pl_alloc((size_t)n, sizeof *list, "lists");
  pl_status st = pl_corpus_bm25(&net->spec, &net->team, &own->corpus, retrieval_top(net), list);
  for (int64_t k = 0; k < n && !st; k++) own->once[k] = list[k];
  pl_free(list);
  return st;
}

static bool keeps_serving(const retrieval_values *v) {
  return v->negatives == NEGATIVES_ADORE && v->refresh > 1;
}

static pl_status load(pl_net *net) {
  const retrieval_values *v = retrieval_values_of(&net->spec);
  pl_corpus corpus;
  PL_TRY(pl_corpus_init(&net->spec, &net->team, &corpus));
  retrieval_own *own = net->own = pl_zalloc(1, sizeof *own, "data");
  own->corpus = corpus;
  retrieval_own_rooms(net, v->top);
  int64_t n = net->count[PL_TRAIN], lists = n * v->top;
  own->batch = pl_batch_size(&net->spec, n);
  own->once = no_lists(lists);
  if (keeps_serving(v)) own->served = no_lists(lists);
  encoder_add(net, corpus.document->cols);
  return v->lists == LISTS_BM25 ? load_bm25(net) : PL_OK;
}

static void unload(pl_net *net) {
  retrieval_own *own = net->own;
  if (!own) return;
  pl_corpus_fini(&own->corpus);
  pl_index_free(own->index);
  pl_tape_free(own->tape);
  pl_free(own->once);
  pl_free(own->served);
  pl_free(own->hits);
  pl_free(own->query);
  pl_free(own->rank);
  pl_free(own->score);
  pl_free(own->recorded);
  pl_free(own->row);
  pl_free(own);
}

static double *keep(pl_net *net, int i, const char **name, int64_t *n) {
  retrieval_own *own = retrieval_own_of(net);
  double *const kept[] = {own->once, own->served};
  static const char *const names[] = {"lists", "served"};
  if (i >= (own->served ? 2 : 1)) return NULL;
  *name = names[i];
  *n = net->count[PL_TRAIN] * retrieval_top(net);
  return kept[i];
}

static pl_status shapes(pl_net *net) {
  pl_corpus_shape shape;
  PL_TRY(pl_corpus_shape_of(&net->spec, &shape));
  encoder_add(net, shape.features);
  return PL_OK;
}

static void work(const pl_spec *spec, double *sample_flops, double *sample_bytes,
                 double *fixed_flops, double *fixed_bytes) {
  const retrieval_values *v = retrieval_values_of(spec);
  pl_corpus_shape s;
  *sample_flops = *sample_bytes = *fixed_flops = *fixed_bytes = 0;
  if (pl_corpus_shape_of(spec, &s)) return;
  double documents = (double)s.documents, width = (double)v->width, row = s.entries / documents;
  double layers = v->encoder == ENCODER_MLP ? (double)v->hidden : 0;
  double encode = (row + layers * (double)v->depth) * (layers > 0 ? layers : width);
  double compared = v->negatives == NEGATIVES_ADORE ? (double)v->top : 1 + (double)v->draws;
  *sample_flops = 6 * encode + 6 * compared * width;
  *sample_flops += v->negatives == NEGATIVES_ADORE ? 2 * documents * width : 6 * compared * encode;
  *sample_bytes = 16 * width * (compared + 2);
  *fixed_bytes = 12 * s.entries + 8 * documents * width;
  *fixed_bytes += screen_bytes(documents, width, (double)v->top);
}

/* ---- checks ---- */

static const char *at_fault(const char *key, const char *what) {
  pl_error(PL_EINPUT, "%s", what);
  return key;
}

static const char *fits(const pl_spec *spec) {
  const retrieval_values *v = retrieval_values_of(spec);
  bool lists = v->negatives == NEGATIVES_STATIC || v->negatives == NEGATIVES_STAR;
  if (pl_optim_flow(spec))
    return at_fault("optimizer.kind", "flow needs one objective, and here negatives change");
  if (v->first > v->top)
    return at_fault("retrieval.first", "the window begins behind retrieval.top");
  if (v->negatives == NEGATIVES_ADORE && v->shared)
    return at_fault("model.shared", "adore freezes the encoder of documents, which must be apart; "
                                    "retrieval.start may name weights that were shared");
  if (lists && !v->start && v->warmup == 0 && v->lists == LISTS_MODEL &&
      pl_net_values_of(spec)->init_kind != PL_NET_INIT_FILE)
    return at_fault("retrieval.negatives", "static and star need lists of a network that has "
                                           "learned: retrieval.start, retrieval.warmup, or "
                                           "retrieval.lists bm25");
  if (v->start && pl_net_values_of(spec)->init_kind == PL_NET_INIT_FILE)
    return at_fault("retrieval.start", "both this and model.init.path give initial weights");
  return pl_net_fits(spec);
}

static pl_status check(const pl_spec *spec, const char **key) {
  const retrieval_values *v = retrieval_values_of(spec);
  const pl_retrieval_data *data = (const pl_retrieval_data *)spec->data;
  pl_corpus_shape shape;
  *key = "data.kind";
  if (data->check) PL_TRY(data->check(spec, key));
  PL_TRY(pl_corpus_shape_of(spec, &shape));
  *key = "retrieval.top";
  if (v->top > shape.documents)
    return pl_error(PL_EINPUT, "lists of %lld, and the corpus has %lld documents",
                    (long long)v->top, (long long)shape.documents);
  *key = "retrieval.lists";
  if (v->lists == LISTS_BM25) PL_TRY(pl_corpus_has_bm25(spec));
  *key = "retrieval.start";
  PL_TRY(retrieval_check_start(spec));
  return pl_net_check(spec, key);
}

static int label(const pl_spec *spec, char *buf, size_t n) {
  static const char *const names[] = {"random", "inbatch", "static", "star", "adore"};
  const retrieval_values *v = retrieval_values_of(spec);
  return snprintf(buf, n, "retrieval, %s, width %lld", names[v->negatives], (long long)v->width);
}

static const pl_keys *const keys[] = {&retrieval_keys, &pl_net_init_keys, &pl_batch_keys,
                                      &pl_spectrum_keys, NULL};
static const pl_measures *const measures[] = {&pl_net_measures, &retrieval_metric_measures,
                                              &retrieval_measures, NULL};
static const char *const headline[] = {"loss", "train_mrr10", "static_overlap", NULL};

const pl_net_kind pl_retrieval = {
    .door = {.name = "retrieval",
             .help = "encoders of queries and documents, and who chooses their negatives",
             PL_NET_DOOR,
             .example =
                 "{model: {kind: retrieval, width: 6}, retrieval: {negatives: adore, top: 7, "
                 "warmup: 3, refresh: 3}, data: {n: 4, documents: 12, clusters: 4, samples: "
                 "9, validation: 3, test: 4}, train.batch: 4, optimizer.lr: 0.5, steps: 10}",
             .summary = "Metrics of retrieval, the negatives that training met, and spectra of the "
                        "encoders",
             .reference = "Zhan, Mao, Liu, Guo, Zhang and Ma, Optimizing Dense Retrieval Model "
                          "Training with Hard Negatives, SIGIR 2021 (arXiv:2104.08051)",
             .headline = headline,
             .keys = keys,
             .data = pl_retrieval_data_kinds,
             .measures = measures,
             .metric = "mrr10",
             .fits = fits,
             .check = check,
             .label = label,
             .apply = retrieval_apply},
    .split = PL_SPLIT_OWN,
    .num_metrics = NUM_METRICS,
    .record_bytes = sizeof(retrieval_record),
    .load = load,
    .unload = unload,
    .initial = retrieval_start,
    .keep = keep,
    .rests = rests,
    .objective = objective,
    .metrics = retrieval_metrics,
    .observe = retrieval_observe,
    .axes = retrieval_axes,
    .shapes = shapes,
    .work = work,
    .note = retrieval_note,
    .open = retrieval_open,
    .predict = retrieval_predict,
};
