/* Who is retrieved, and when. */
#include "own.h"

#include <string.h>

int64_t retrieval_negatives(const retrieval_values *v, int64_t t) {
  return t < v->warmup ? NEGATIVES_RANDOM : v->negatives;
}

static void embed_documents(const pl_net *net, const double *w) {
  retrieval_own *own = retrieval_own_of(net);
  int64_t first, count;
  double *rows = pl_index_rows(own->index, &first, &count);
  encoder_embed(net, own->tape, w, SIDE_DOCUMENT, own->corpus.document, NULL, first, count, rows);
}

void retrieval_index_now(const pl_net *net, const double *w) {
  if (!retrieval_own_of(net)->frozen) embed_documents(net, w);
}

void retrieval_top_of(const pl_net *net, const double *w, pl_part part, int64_t first,
                      int64_t count, int64_t top, pl_hit *hits) {
  retrieval_own *own = retrieval_own_of(net);
  encoder_embed(net, own->tape, w, SIDE_QUERY, own->corpus.query, own->corpus.member[part], first,
                count, own->query);
  pl_index_top(own->index, count, own->query, top, hits);
}

/* The lists of all training queries, into `list`. */
static void fill(const pl_net *net, const double *w, double *list) {
  retrieval_own *own = retrieval_own_of(net);
  int64_t n = net->count[PL_TRAIN], top = retrieval_top(net);
  retrieval_top_of(net, w, PL_TRAIN, 0, n, top, own->hits);
  for (int64_t k = 0; k < n * top; k++) list[k] = (double)own->hits[k].document;
}

void retrieval_prepare(const pl_net *net, const double *w, int64_t t) {
  const retrieval_values *v = retrieval_values_of(&net->spec);
  retrieval_own *own = retrieval_own_of(net);
  own->negatives = retrieval_negatives(v, t);
  if (t < v->warmup) return;
  if (own->negatives == NEGATIVES_ADORE && !own->frozen) {
    embed_documents(net, w);
    own->frozen = true;
  }
  if (own->once[0] < 0) {
    retrieval_index_now(net, w);
    fill(net, w, own->once);
  }
  if (own->served && (t - v->warmup) % v->refresh == 0) fill(net, w, own->served);
}
