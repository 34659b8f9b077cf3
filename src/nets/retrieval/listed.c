/* What became of the lists, how far the negatives are, and how pairs are weighted. */
#include "base/mem.h"
#include "own.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- overlap with the lists made once ---- */

static int by_number(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Share of the present lists that those made once had. */
double retrieval_overlap(const pl_net *net) {
  const retrieval_own *own = retrieval_own_of(net);
  int64_t top = retrieval_top(net), n = net->count[PL_TRAIN], listed = 0, both = 0;
  double *once = pl_alloc((size_t)top, sizeof *once, "a list");
  for (int64_t i = 0; i < n; i++) {
    memcpy(once, own->once + i * top, (size_t)top * sizeof *once);
    qsort(once, (size_t)top, sizeof *once, by_number);
    for (int64_t r = 0; r < top; r++) {
      double document = (double)own->hits[i * top + r].document;
      if (document < 0) break;
      listed++;
      both += bsearch(&document, once, (size_t)top, sizeof *once, by_number) != NULL;
    }
  }
  pl_free(once);
  return own->once[0] < 0 ? NAN : (double)both / (double)listed;
}

/* ---- weights of pairs ---- */

static double softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

/* -dl/dm as a share of its value at the smallest margin: margins may be hundreds. */
static double slope(int64_t loss, double m, double least) {
  return loss == LOSS_LOGISTIC ? exp(softplus(least) - softplus(m)) : exp(least - m);
}

typedef struct weighing {
  int64_t n;
  int32_t *document;
  bool *relevant;
  double *score;
} weighing;

/* Shares of one query's pairs by the rank of the other document, added to the sums; the cosine of
 * the two sets of weights.  false: the query has no pair. */
static bool weigh(const retrieval_values *v, const weighing *q, double *implicit, double *explicit,
                  double *cosine) {
  double least = INFINITY, all[2] = {0}, dot = 0, squares[2] = {0};
  for (int64_t i = 0; i < q->n; i++)
    for (int64_t j = 0; q->relevant[i] && j < q->n; j++)
      if (!q->relevant[j]) least = fmin(least, q->score[i] - q->score[j]);
  for (int pass = 0; pass < 2; pass++)
    for (int64_t i = 0; i < q->n; i++)
      for (int64_t j = 0; q->relevant[i] && j < q->n; j++) {
        if (q->relevant[j]) continue;
        double a = slope(v->loss, q->score[i] - q->score[j], least);
        double b = retrieval_rank_weight(v->cut, i + 1, j + 1);
        if (pass) {
          implicit[j] += a / all[0];
          if (all[1] > 0) explicit[j] += b / all[1];
          continue;
        }
        all[0] += a;
        all[1] += b;
        dot += a * b;
        squares[0] += a * a;
        squares[1] += b * b;
      }
  *cosine = squares[1] > 0 ? dot / sqrt(squares[0] * squares[1]) : 0;
  return all[0] > 0;
}

double retrieval_weigh(const pl_net *net, double *implicit, double *explicit) {
  const retrieval_own *own = retrieval_own_of(net);
  const retrieval_values *v = retrieval_values_of(&net->spec);
  const pl_corpus *c = &own->corpus;
  int64_t top = v->top, room = top + c->document->rows, queries = 0;
  weighing q = {0, pl_alloc((size_t)room, sizeof *q.document, "a list"),
                pl_alloc((size_t)room, sizeof *q.relevant, "a list"),
                pl_alloc((size_t)room, sizeof *q.score, "scores")};
  double sum = 0;
  memset(implicit, 0, (size_t)top * sizeof *implicit);
  memset(explicit, 0, (size_t)top * sizeof *explicit);
  for (int64_t i = 0; i < net->count[PL_TRAIN]; i++) {
    int64_t number = c->member[PL_TRAIN][i], listed = 0;
    const pl_hit *hits = own->hits + i * top;
    double cosine;
    q.n = retrieval_list(c, number, top, hits, q.document, q.relevant);
    while (listed < top && hits[listed].document >= 0) listed++;
    for (int64_t k = 0; k < listed; k++) q.score[k] = hits[k].score;
    for (int64_t k = listed; k < q.n; k++) q.score[k] = own->score[c->start[number] + k - listed];
    if (!weigh(v, &q, implicit, explicit, &cosine)) continue;
    queries++;
    sum += cosine;
  }
  for (int64_t k = 0; k < top; k++) {
    implicit[k] /= (double)queries;
    explicit[k] /= (double)queries;
  }
  pl_free(q.document);
  pl_free(q.relevant);
  pl_free(q.score);
  return sum / (double)queries;
}

/* ---- Kendall distances ---- */

static int distance(int n, const int8_t *p, const int8_t *q) {
  int8_t place[PL_PERMUTED_MOST], sum = 0;
  for (int i = 0; i < n; i++) place[p[i]] = (int8_t)i;
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) sum += place[q[i]] > place[q[j]];
  return sum;
}

/* Count document d, unless it is relevant, at its distance from query q. */
static void count_one(const pl_corpus *c, int64_t q, int64_t d, double *count) {
  const pl_permuted *p = &c->permuted;
  if (d < 0 || pl_corpus_relevant(c, q, d)) return;
  count[distance(p->n, p->query + q * p->n, p->document + d * p->n)]++;
}

/* Everything that random or inbatch may draw, for one query. */
static void count_drawn(const pl_corpus *c, int64_t negatives, int64_t q, double *count) {
  if (negatives == NEGATIVES_RANDOM)
    for (int64_t d = 0; d < c->document->rows; d++) count_one(c, q, d, count);
  else
    for (int64_t k = 0; k < c->count[PL_TRAIN]; k++) {
      int64_t other = c->member[PL_TRAIN][k];
      for (int64_t j = c->start[other]; j < c->start[other + 1]; j++)
        count_one(c, q, c->relevant[j], count);
    }
}

static void to_shares(int64_t n, double *x) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += x[k];
  for (int64_t k = 0; k < n; k++) x[k] /= sum;
}

void retrieval_distances(const pl_net *net, double *negatives, double *listed) {
  const retrieval_own *own = retrieval_own_of(net);
  const retrieval_values *v = retrieval_values_of(&net->spec);
  const pl_corpus *c = &own->corpus;
  int64_t length = (int64_t)c->permuted.n * (c->permuted.n - 1) / 2 + 1;
  bool drawn = own->negatives == NEGATIVES_RANDOM || own->negatives == NEGATIVES_INBATCH;
  memset(negatives, 0, (size_t)length * sizeof *negatives);
  memset(listed, 0, (size_t)length * sizeof *listed);
  for (int64_t i = 0; i < net->count[PL_TRAIN]; i++) {
    int64_t q = c->member[PL_TRAIN][i];
    if (drawn) count_drawn(c, own->negatives, q, negatives);
    for (int64_t r = 0; r < v->top; r++) {
      int64_t d = own->hits[i * v->top + r].document;
      count_one(c, q, d, listed);
      if (drawn || r + 1 < v->first) continue;
      count_one(c, q, own->negatives == NEGATIVES_ADORE ? d : (int64_t)own->once[i * v->top + r],
                negatives);
    }
  }
  to_shares(length, negatives);
  to_shares(length, listed);
}
