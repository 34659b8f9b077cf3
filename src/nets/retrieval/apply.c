/* A saved network on a collection: embeddings and rankings. */
#include "base/mem.h"
#include "own.h"

#include <string.h>

static const char FEATURES[] = "features";

pl_status retrieval_note(const pl_net *net, pl_nc *nc) {
  const int features = (int)retrieval_own_of(net)->corpus.document->cols;
  return pl_nc_att_ints(nc, NULL, FEATURES, PL_NC_INT, &features, 1);
}

/* Does the collection have the features that the network takes? */
static pl_status check_features(const pl_nc *weights, const pl_nc *data, int64_t features) {
  double taken;
  if (pl_nc_get_att_number(weights, FEATURES, &taken) != 1)
    return pl_error(PL_EINPUT,
                    "%s: expected an attribute features, a number, as record.final writes it",
                    pl_nc_path(weights));
  if (taken != (double)features)
    return pl_error(PL_EINPUT, "%s: %lld features, and the network takes %.0f", pl_nc_path(data),
                    (long long)features, taken);
  return PL_OK;
}

/* Documents of a ranking that is written. */
static int64_t ranked(int64_t documents) {
  return documents < 1000 ? documents : 1000;
}

pl_status retrieval_open(pl_net *net, const pl_nc *weights, const pl_nc *data) {
  pl_corpus corpus;
  PL_TRY(pl_corpus_open(data, &net->team, &corpus));
  retrieval_own *own = net->own = pl_zalloc(1, sizeof *own, "data");
  own->corpus = corpus;
  pl_status st = weights ? check_features(weights, data, corpus.document->cols) : PL_OK;
  PL_TRY(pl_agree(&net->team, st));
  retrieval_own_rooms(net, ranked(corpus.document->rows));
  encoder_add(net, corpus.document->cols);
  return PL_OK;
}

/* ---- the output ---- */

static const struct {
  const char *name, *meaning;
} told[NUM_METRICS] = {{"mrr10", MEANS_MRR10},
                       {"r100", MEANS_R100},
                       {"rank_mean", MEANS_RANK_MEAN},
                       {"rank_median", MEANS_RANK_MEDIAN},
                       {"pair_error_total", MEANS_ERROR_TOTAL},
                       {"pair_error_topk", MEANS_ERROR_TOP}};

static pl_status define(const pl_net *net, int64_t top, bool judged, pl_nc *out) {
  const retrieval_own *own = retrieval_own_of(net);
  const char *queries[] = {"query", "embedding", NULL}, *lists[] = {"query", "list_rank", NULL};
  const char *documents[] = {"document", "embedding", NULL};
  PL_TRY(pl_nc_def_dim(out, "query", own->corpus.query->rows));
  PL_TRY(pl_nc_def_dim(out, "document", own->corpus.document->rows));
  PL_TRY(pl_nc_def_dim(out, "embedding", retrieval_values_of(&net->spec)->width));
  PL_TRY(pl_nc_def_dim(out, "list_rank", top));
  PL_TRY(pl_nc_def_var(out, "query_embedding", PL_NC_DOUBLE, queries, "E_q of each query", "1"));
  PL_TRY(pl_nc_def_var(out, "document_embedding", PL_NC_DOUBLE, documents, "E_d of each document",
                       "1"));
  PL_TRY(pl_nc_def_var(out, "ranking", PL_NC_INT, lists, "documents of a query, best first", "1"));
  PL_TRY(pl_nc_def_var(out, "score", PL_NC_DOUBLE, lists, "their scores", "1"));
  for (int k = 0; judged && k < NUM_METRICS; k++)
    PL_TRY(pl_nc_def_var(out, told[k].name, PL_NC_DOUBLE, NULL, told[k].meaning, "1"));
  return pl_nc_end_def(out);
}

/* Rows first .. of all documents, at most a block, on every rank. */
static void fetch(const pl_net *net, int64_t first, int64_t count, double *rows) {
  int32_t number[PL_INDEX_BLOCK];
  for (int64_t i = 0; i < count; i++) number[i] = (int32_t)(first + i);
  pl_index_fetch(retrieval_own_of(net)->index, count, number, rows);
}

static pl_status put_documents(const pl_net *net, pl_nc *out) {
  int64_t documents = retrieval_own_of(net)->corpus.document->rows, left;
  int64_t width = retrieval_values_of(&net->spec)->width;
  double *rows = pl_alloc(PL_INDEX_BLOCK, (size_t)width * sizeof *rows, "embeddings");
  pl_status st = PL_OK;
  for (int64_t first = 0; (left = documents - first) > 0; first += PL_INDEX_BLOCK) {
    int64_t n = left < PL_INDEX_BLOCK ? left : PL_INDEX_BLOCK;
    fetch(net, first, n, rows);
    if (out && !st)
      st = pl_nc_put_doubles(out, "document_embedding", (int64_t[]){first, 0},
                             (int64_t[]){n, width}, rows);
  }
  pl_free(rows);
  return st;
}

static pl_status put_lists(const pl_net *net, int64_t top, pl_nc *out) {
  const retrieval_own *own = retrieval_own_of(net);
  int64_t n = own->corpus.query->rows * top;
  int64_t *document = pl_alloc((size_t)n, sizeof *document, "lists");
  double *score = pl_alloc((size_t)n, sizeof *score, "scores");
  for (int64_t k = 0; k < n; k++) {
    document[k] = own->hits[k].document;
    score[k] = own->hits[k].score;
  }
  pl_status st = pl_nc_put_ints(out, "ranking", NULL, NULL, document);
  if (!st) st = pl_nc_put_doubles(out, "score", NULL, NULL, score);
  if (!st) st = pl_nc_put_doubles(out, "query_embedding", NULL, NULL, own->query);
  pl_free(document);
  pl_free(score);
  return st;
}

pl_status retrieval_predict(pl_net *net, pl_nc *out) {
  const pl_corpus *c = &retrieval_own_of(net)->corpus;
  int64_t documents = c->document->rows, queries = c->query->rows;
  int64_t top = ranked(documents);
  bool judged = c->start[queries] > 0;
  double metric[NUM_METRICS];
  retrieval_index_now(net, net->w);
  if (judged) retrieval_metrics(net, PL_TEST, metric);
  retrieval_top_of(net, net->w, PL_TEST, 0, queries, top, retrieval_own_of(net)->hits);
  pl_status st = out ? define(net, top, judged, out) : PL_OK;
  if (out && !st) st = put_lists(net, top, out);
  for (int k = 0; out && judged && !st && k < NUM_METRICS; k++)
    st = pl_nc_put_doubles(out, told[k].name, NULL, NULL, &metric[k]);
  pl_status put = put_documents(net, st ? NULL : out);
  return pl_agree(&net->team, st ? st : put);
}

pl_status retrieval_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                          const char *path, const pl_attribute *attributes, int num) {
  (void)rates;
  return pl_net_apply(spec, team, retrieval_data_of(spec)->path, path, attributes, num);
}
