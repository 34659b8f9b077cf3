/* Metrics of a part from the ranks of its relevant documents among the whole corpus. */
#include "base/mem.h"
#include "base/pause.h"
#include "own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Ranks of the relevant documents of some queries of a part, into own->rank, each query's in
 * ascending order. */
static void rank_part(const pl_net *net, pl_part part, int64_t first, int64_t count) {
  retrieval_own *own = retrieval_own_of(net);
  const pl_corpus *c = &own->corpus;
  const int32_t *member = c->member[part] + first;
  int64_t start[PL_INDEX_QUERIES + 1] = {0};
  for (int64_t i = 0; i < count; i++)
    start[i + 1] = start[i] + c->start[member[i] + 1] - c->start[member[i]];
  int32_t *document = pl_alloc((size_t)start[count], sizeof *document, "relevant documents");
  for (int64_t i = 0; i < count; i++)
    memcpy(document + start[i], c->relevant + c->start[member[i]],
           (size_t)(start[i + 1] - start[i]) * sizeof *document);
  int64_t *rank = pl_alloc((size_t)start[count], sizeof *rank, "ranks");
  double *score = pl_alloc((size_t)start[count], sizeof *score, "scores");
  encoder_embed(net, own->tape, net->w, SIDE_QUERY, c->query, c->member[part], first, count,
                own->query);
  pl_index_ranks(own->index, count, own->query, start, document, rank, score);
  for (int64_t i = 0; i < count; i++) {
    int64_t n = start[i + 1] - start[i];
    qsort(rank + start[i], (size_t)n, sizeof *rank, ascending);
    memcpy(own->rank + c->start[member[i]], rank + start[i], (size_t)n * sizeof *rank);
    memcpy(own->score + c->start[member[i]], score + start[i], (size_t)n * sizeof *score);
  }
  pl_free(document);
  pl_free(rank);
  pl_free(score);
}

/* Of relevant documents at ascending ranks: pairs with another document before them; the same, of
 * others among the first `top`. */
static void count_errors(int64_t n, const int64_t *rank, int64_t top, double *total,
                         double *in_top) {
  int64_t listed = 0;
  while (listed < n && rank[listed] <= top) listed++;
  for (int64_t i = 0; i < n; i++) {
    *total += (double)(rank[i] - 1 - i);
    *in_top += (double)(i < listed ? rank[i] - 1 - i : top - listed);
  }
}

static double median(int64_t n, int64_t *x) {
  qsort(x, (size_t)n, sizeof *x, ascending);
  return ((double)x[(n - 1) / 2] + (double)x[n / 2]) / 2;
}

void retrieval_metrics(pl_net *net, pl_part part, double *metric) {
  retrieval_own *own = retrieval_own_of(net);
  const pl_corpus *c = &own->corpus;
  int64_t n = net->count[part], top = retrieval_top(net), judged = 0;
  int64_t *best = pl_alloc((size_t)n, sizeof *best, "ranks");
  /* Parts come in order, the training part first. */
  if (part == PL_TRAIN) retrieval_index_now(net, net->w);
  for (int64_t i = 0; i < n && !pl_agree(&net->team, pl_pause()); i += PL_INDEX_QUERIES)
    rank_part(net, part, i, n - i < PL_INDEX_QUERIES ? n - i : PL_INDEX_QUERIES);
  memset(metric, 0, NUM_METRICS * sizeof *metric);
  for (int64_t i = 0; i < n; i++) {
    int64_t q = c->member[part][i], relevant = c->start[q + 1] - c->start[q], found = 0;
    const int64_t *rank = own->rank + c->start[q];
    if (relevant == 0) continue;
    best[judged++] = rank[0];
    for (int64_t k = 0; k < relevant; k++) found += rank[k] <= 100;
    metric[METRIC_MRR10] += rank[0] <= 10 ? 1 / (double)rank[0] : 0;
    metric[METRIC_R100] += (double)found / (double)relevant;
    metric[METRIC_RANK_MEAN] += (double)rank[0];
    count_errors(relevant, rank, top, &metric[METRIC_ERROR_TOTAL], &metric[METRIC_ERROR_TOP]);
  }
  for (int k = 0; k < NUM_METRICS; k++) metric[k] /= (double)judged;
  metric[METRIC_RANK_MEDIAN] = judged ? median(judged, best) : NAN;
  pl_free(best);
}

static const pl_measure rows[] = {
    PL_NET_METRIC(METRIC_MRR10, "mrr10", MEANS_MRR10, 1),
    PL_NET_METRIC(METRIC_R100, "r100", MEANS_R100, 1),
    PL_NET_METRIC(METRIC_RANK_MEAN, "rank_mean", MEANS_RANK_MEAN, -1),
    PL_NET_METRIC(METRIC_RANK_MEDIAN, "rank_median", MEANS_RANK_MEDIAN, -1),
    PL_NET_METRIC(METRIC_ERROR_TOTAL, "pair_error_total", MEANS_ERROR_TOTAL, -1),
    PL_NET_METRIC(METRIC_ERROR_TOP, "pair_error_topk", MEANS_ERROR_TOP, -1),
};
const pl_measures retrieval_metric_measures = PL_MEASURES(rows);
