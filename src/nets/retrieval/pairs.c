/* From lists, draws and batches to weighted pairs of scores. */
#include "base/rng.h"
#include "own.h"

#include <math.h>
#include <string.h>

double retrieval_rank_weight(int64_t cut, int64_t i, int64_t j) {
  double a = cut == PL_UNSET || i <= cut ? 1 / (double)i : 0;
  double b = cut == PL_UNSET || j <= cut ? 1 / (double)j : 0;
  return fabs(a - b);
}

int64_t retrieval_list(const pl_corpus *c, int64_t q, int64_t top, const pl_hit *hits,
                       int32_t *document, bool *relevant) {
  int64_t n = 0;
  bool found = false;
  for (; n < top && hits[n].document >= 0; n++) {
    document[n] = (int32_t)hits[n].document;
    relevant[n] = pl_corpus_relevant(c, q, document[n]);
    found = found || relevant[n];
  }
  for (int64_t k = c->start[q]; !found && k < c->start[q + 1]; k++, n++) {
    document[n] = c->relevant[k];
    relevant[n] = true;
  }
  return n;
}

/* ---- draws: numbers by step, query and attempt ---- */

enum { ATTEMPTS = 64, STREAM = 0x7ffffff5 };

typedef struct dice {
  uint64_t seed, index; /* of step and query */
} dice;

static dice dice_of(const pl_net *net, const pl_take *take, int64_t i) {
  /* 10^9 steps, 10^6 queries, 2^12 numbers, and one for the relevant document. */
  return (dice){(uint64_t)net->spec.common.seed,
                ((uint64_t)take->step << 34) + ((uint64_t)take->entry[i] << 13)};
}

static int64_t roll(const dice *d, int64_t which, int64_t below) {
  return pl_rng_below(d->seed, PL_STREAM(PL_STREAM_MISC, STREAM), d->index + (uint64_t)which,
                      below);
}

/* ---- dots ---- */

typedef struct maker {
  const pl_net *net;
  retrieval_own *own;
  const retrieval_values *v;
  const pl_take *take;
  retrieval_batch *b;
} maker;

static int64_t query_of(const maker *m, int64_t i) {
  return m->own->corpus.member[m->take->part][m->take->entry[i]];
}

static void add_dot(const maker *m, int64_t i, int32_t document, bool relevant, int64_t rank) {
  retrieval_batch *b = m->b;
  int32_t *row = &m->own->row[document];
  if (*row < 0) {
    *row = (int32_t)b->num_documents;
    b->number[b->num_documents++] = document;
  }
  int64_t k = b->num_dots++;
  b->query[k] = (int)i;
  b->document[k] = *row;
  b->relevant[k] = relevant;
  b->rank[k] = rank;
}

static retrieval_group *open_group(const maker *m, double factor, bool ranked) {
  retrieval_group *g = &m->b->group[m->b->num_groups++];
  *g = (retrieval_group){m->b->num_dots, m->b->num_dots, factor, ranked};
  return g;
}

/* One of the query's relevant documents. */
static int32_t positive(const maker *m, int64_t i) {
  const pl_corpus *c = &m->own->corpus;
  int64_t q = query_of(m, i);
  dice d = dice_of(m->net, m->take, i);
  return c->relevant[c->start[q] + roll(&d, 0, c->start[q + 1] - c->start[q])];
}

/* A document from the whole corpus, or from the window of the query's list, that is not relevant;
 * -1: none was met. */
static int32_t negative(const maker *m, int64_t i, const dice *d, int64_t draw, bool listed,
                        int64_t *rank) {
  const pl_corpus *c = &m->own->corpus;
  int64_t top = m->v->top;
  const double *list = m->own->once + m->take->entry[i] * top;
  *rank = 0;
  for (int64_t k = 0; k < ATTEMPTS; k++) {
    int64_t which = 1 + draw * ATTEMPTS + k, found;
    if (listed) {
      *rank = m->v->first + roll(d, which, top - m->v->first + 1);
      found = (int64_t)list[*rank - 1];
    } else {
      found = roll(d, which, c->document->rows);
    }
    if (found >= 0 && !pl_corpus_relevant(c, query_of(m, i), found)) return (int32_t)found;
  }
  return -1;
}

static void add_drawn(const maker *m, int64_t i, bool listed) {
  retrieval_group *g = open_group(m, 1, false);
  dice d = dice_of(m->net, m->take, i);
  add_dot(m, i, positive(m, i), true, 0);
  for (int64_t draw = 0; draw < m->v->draws; draw++) {
    int64_t rank;
    int32_t document = negative(m, i, &d, draw, listed, &rank);
    if (document >= 0) add_dot(m, i, document, false, rank);
  }
  g->end = m->b->num_dots;
}

/* What is relevant to the others of the batch.  A part that a record looks at comes as batches. */
static void add_others(const maker *m, int64_t i, double factor) {
  int64_t size = m->own->batch, from = i / size * size;
  int64_t to = from + size < m->take->count ? from + size : m->take->count;
  retrieval_group *g = open_group(m, factor, false);
  for (int64_t j = from; j < to; j++) {
    int32_t document = positive(m, j);
    bool relevant = pl_corpus_relevant(&m->own->corpus, query_of(m, i), document);
    if (j == i || !relevant) add_dot(m, i, document, relevant, 0);
  }
  g->end = m->b->num_dots;
}

static void add_list(const maker *m, pl_tape *t, int64_t i, const pl_hit *hits) {
  const pl_corpus *c = &m->own->corpus;
  int64_t q = query_of(m, i), top = m->v->top;
  size_t room = (size_t)(top + c->start[q + 1] - c->start[q]);
  int32_t *document = pl_tape_alloc(t, room, sizeof *document);
  bool *relevant = pl_tape_alloc(t, room, sizeof *relevant);
  int64_t n = retrieval_list(c, q, top, hits + i * top, document, relevant);
  retrieval_group *g = open_group(m, 1, true);
  for (int64_t k = 0; k < n; k++) add_dot(m, i, document[k], relevant[k], k + 1);
  g->end = m->b->num_dots;
}

/* Dots that the queries may need, at most. */
static int64_t most_dots(const maker *m) {
  int64_t n = m->take->count, others = n < m->own->batch ? n : m->own->batch, sum = 0;
  const pl_corpus *c = &m->own->corpus;
  switch (m->own->negatives) {
  case NEGATIVES_INBATCH:
    return n * others;
  case NEGATIVES_STAR:
    return n * (1 + m->v->draws + others);
  case NEGATIVES_ADORE:
    for (int64_t i = 0; i < n; i++)
      sum += m->v->top + c->start[query_of(m, i) + 1] - c->start[query_of(m, i)];
    return sum;
  default:
    return n * (1 + m->v->draws);
  }
}

void retrieval_collect(const pl_net *net, pl_tape *t, const pl_take *take, const pl_hit *hits,
                       retrieval_batch *b) {
  maker m = {net, retrieval_own_of(net), retrieval_values_of(&net->spec), take, b};
  int64_t kind = m.own->negatives, documents = m.own->corpus.document->rows;
  size_t dots = (size_t)most_dots(&m);
  *b = (retrieval_batch){.group = pl_tape_alloc(t, (size_t)(2 * take->count), sizeof *b->group),
                         .query = pl_tape_alloc(t, dots, sizeof *b->query),
                         .document = pl_tape_alloc(t, dots, sizeof *b->document),
                         .relevant = pl_tape_alloc(t, dots, sizeof *b->relevant),
                         .rank = pl_tape_alloc(t, dots, sizeof *b->rank),
                         .number =
                             pl_tape_alloc(t, (int64_t)dots < documents ? dots : (size_t)documents,
                                           sizeof *b->number)};
  for (int64_t i = 0; i < take->count; i++) {
    if (kind == NEGATIVES_ADORE) add_list(&m, t, i, hits);
    if (kind == NEGATIVES_RANDOM) add_drawn(&m, i, false);
    if (kind == NEGATIVES_STATIC || kind == NEGATIVES_STAR) add_drawn(&m, i, true);
    if (kind == NEGATIVES_INBATCH) add_others(&m, i, 1);
    if (kind == NEGATIVES_STAR) add_others(&m, i, m.v->random_weight);
  }
  for (int64_t k = 0; k < b->num_documents; k++) m.own->row[b->number[k]] = -1;
}

/* ---- pairs ---- */

/* Is dot k a negative against a relevant document of this score: behind the first rank of the
 * window, and not suspiciously close? */
static bool counts(const retrieval_values *v, const retrieval_batch *b, int64_t k, double negative,
                   double positive) {
  if (b->relevant[k] || (b->rank[k] > 0 && b->rank[k] < v->first)) return false;
  return isnan(v->margin) || negative < positive - v->margin * fabs(positive);
}

static int64_t most_pairs(const retrieval_batch *b, const retrieval_group *g) {
  int64_t relevant = 0;
  for (int64_t k = g->start; k < g->end; k++) relevant += b->relevant[k];
  return relevant * (g->end - g->start - relevant);
}

void retrieval_pair(const pl_net *net, pl_tape *t, const double *score, retrieval_batch *b) {
  const retrieval_values *v = retrieval_values_of(&net->spec);
  int64_t most = 0;
  for (int64_t i = 0; i < b->num_groups; i++) most += most_pairs(b, &b->group[i]);
  b->better = pl_tape_alloc(t, (size_t)most, sizeof *b->better);
  b->worse = pl_tape_alloc(t, (size_t)most, sizeof *b->worse);
  b->weight = pl_tape_alloc(t, (size_t)most, sizeof *b->weight);
  for (int64_t i = 0; i < b->num_groups; i++) {
    const retrieval_group *g = &b->group[i];
    int64_t from = b->num_pairs;
    for (int64_t p = g->start; p < g->end; p++)
      for (int64_t k = g->start; b->relevant[p] && k < g->end; k++) {
        if (!counts(v, b, k, score[k], score[p])) continue;
        int64_t at = b->num_pairs++;
        b->better[at] = (int)p;
        b->worse[at] = (int)k;
        b->weight[at] = g->ranked ? retrieval_rank_weight(v->cut, b->rank[p], b->rank[k]) : 1;
      }
    for (int64_t k = from; k < b->num_pairs; k++)
      b->weight[k] *= g->factor / (double)(b->num_pairs - from);
  }
}
