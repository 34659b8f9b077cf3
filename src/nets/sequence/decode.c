/* Greedy, beam and random decoding: hypotheses of all instances advance together, one product a
 * step for all of them. */
#include "base/blas.h"
#include "base/mem.h"
#include "base/rng.h"
#include "cell.h"
#include "network.h"
#include "base/elementary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

decoding network_decoding(const pl_spec *spec) {
  const pointer_values *v = pointer_values_of(spec);
  return (decoding){.pick = v->decode == DECODE_BEAM ? PICK_BEAM : PICK_BEST,
                    .beam = v->decode == DECODE_BEAM ? (int)v->beam : 1,
                    .mask = v->mask};
}

/* A sequence so far. */
typedef struct hypothesis {
  int64_t instance;
  int length;
  bool ended;
  double log_p;
} hypothesis;

/* All that lives during a decoding.  Rows of hypotheses: instance by instance, the best first. */
typedef struct search {
  const pl_net *net;
  const pl_net_weight *shape;
  const batch *b;
  const decoding *d;
  encoded e;
  pl_node *const *w;
  int64_t width, coordinates, room, most; /* most: hypotheses at a time */
  int64_t num;
  hypothesis *now, *next;
  int *symbols, *next_symbols;       /* [most][room] */
  double *h, *c, *next_h, *next_c;   /* [most][width] */
  double *x, *gate, *turned, *query; /* [most][coordinates], [4 width], [width], [width] */
  double *seen, *logits;             /* [most][2 width], [most][cols] */
  int64_t cols;
  struct candidate *candidates; /* [beam * (cols + 1)] */
} search;

typedef struct candidate {
  int64_t from; /* row */
  int symbol;   /* -1: it has ended */
  double log_p;
} candidate;

static const double *value_of(const search *s, int weight) {
  return s->w[weight]->value;
}

/* ---- one step of the decoder ---- */

static void copy_bias(int64_t rows, int64_t cols, const double *b, double *to) {
  for (int64_t i = 0; i < rows; i++) memcpy(to + i * cols, b, (size_t)cols * sizeof *to);
}

static void advance(search *s) {
  const places *at = &own_of(s->net)->at;
  int64_t n = s->num, w = s->width, d = s->coordinates;
  for (int64_t r = 0; r < n; r++) {
    const hypothesis *y = &s->now[r];
    int64_t row = y->length && !y->ended
                      ? s->b->first[y->instance] + s->symbols[r * s->room + y->length - 1]
                      : 0;
    memcpy(s->x + r * d, s->e.points->value + row * d, (size_t)d * sizeof *s->x);
  }
  copy_bias(n, 4 * w, value_of(s, at->decoder_bias), s->gate);
  pl_gemm(false, false, n, 4 * w, d, s->x, value_of(s, at->decoder_input), s->gate, true);
  pl_gemm(false, false, n, 4 * w, w, s->h, value_of(s, at->decoder_state), s->gate, true);
  for (int64_t r = 0; r < n; r++)
    cell_forward(w, s->gate + 4 * r * w, s->c + r * w, s->next_c + r * w, s->turned + r * w,
                 s->next_h + r * w);
  memcpy(s->h, s->next_h, (size_t)(n * w) * sizeof *s->h);
  memcpy(s->c, s->next_c, (size_t)(n * w) * sizeof *s->c);
}

static double score(int64_t n, const double *k, const double *q, const double *v) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) sum += v[i] * pl_tanh(k[i] + q[i]);
  return sum;
}

/* Over the n + 1 symbols of one row: x becomes its softmax. */
static void softmax(int64_t n, double *x) {
  double top = -INFINITY, sum = 0;
  for (int64_t j = 0; j < n; j++) top = fmax(top, x[j]);
  for (int64_t j = 0; j < n; j++) sum += x[j] = pl_exp_negative(x[j] - top);
  for (int64_t j = 0; j < n; j++) x[j] /= sum;
}

/* Logits of every hypothesis, of the symbols that there are. */
static void look(search *s) {
  const places *at = &own_of(s->net)->at;
  int64_t n = s->num, w = s->width;
  if (at->key >= 0) {
    pl_gemm(false, false, n, w, w, s->h, value_of(s, at->query), s->query, false);
    for (int64_t r = 0; r < n; r++) {
      int64_t first = s->b->key_start[s->now[r].instance];
      for (int64_t j = 0; j <= s->b->p[s->now[r].instance].n; j++)
        s->logits[r * s->cols + j] =
            score(w, s->e.keys->value + (first + j) * w, s->query + r * w, value_of(s, at->score));
    }
  }
  if (at->output < 0) return;
  int64_t inputs = s->w[at->output]->rows;
  for (int64_t r = 0; r < n; r++) {
    double *seen = s->seen + r * inputs;
    memcpy(seen, s->h + r * w, (size_t)w * sizeof *seen);
    if (at->key < 0) continue;
    int64_t first = s->b->key_start[s->now[r].instance], keys = s->b->p[s->now[r].instance].n + 1;
    softmax(keys, s->logits + r * s->cols);
    memset(seen + w, 0, (size_t)w * sizeof *seen);
    for (int64_t j = 0; j < keys; j++)
      for (int64_t k = 0; k < w; k++)
        seen[w + k] += s->logits[r * s->cols + j] * s->e.states->value[(first + j) * w + k];
  }
  copy_bias(n, s->cols, value_of(s, at->output_bias), s->logits);
  pl_gemm(false, false, n, s->cols, inputs, s->seen, value_of(s, at->output), s->logits, true);
}

/* ---- choosing ---- */

/* Logarithms of probabilities of the symbols that may follow, minus infinity for the others. */
static void shares(const search *s, int64_t r) {
  const source *src = &own_of(s->net)->source;
  const hypothesis *y = &s->now[r];
  double *x = s->logits + r * s->cols, top = -INFINITY, sum = 0;
  int n = s->b->p[y->instance].n;
  for (int j = 0; j < s->cols; j++) {
    if (j > n || (s->d->mask &&
                  !src->task->allows(src->canonical, n, y->length, s->symbols + r * s->room, j)))
      x[j] = -INFINITY;
    top = fmax(top, x[j]);
  }
  for (int j = 0; j < s->cols; j++) sum += exp(x[j] - top);
  for (int j = 0; j < s->cols; j++) x[j] -= top + log(sum);
  if (y->length > 0 || s->d->begin == 0) return;
  for (int j = 0; j < s->cols; j++) x[j] = j == s->d->begin ? 0 : -INFINITY;
}

static int better(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->log_p != y->log_p) return x->log_p > y->log_p ? -1 : 1;
  if (x->from != y->from) return x->from < y->from ? -1 : 1;
  return x->symbol - y->symbol; /* ties by place, not by the sort */
}

static int draw(const search *s, int64_t r) {
  const hypothesis *y = &s->now[r];
  const double *x = s->logits + r * s->cols;
  double u = pl_rng_uniform(s->d->seed, s->d->stream,
                            (uint64_t)(s->d->first + y->instance) * (uint64_t)s->room +
                                (uint64_t)y->length);
  int chosen = -1;
  for (int j = 0; j < s->cols; j++) {
    if (x[j] == -INFINITY) continue;
    chosen = j;
    if ((u -= exp(x[j])) < 0) break;
  }
  return chosen;
}

/* What hypotheses first .. last - 1 of one instance can become. */
static int64_t candidates_of(search *s, int64_t first, int64_t last) {
  int64_t num = 0;
  for (int64_t r = first; r < last; r++) {
    const hypothesis *y = &s->now[r];
    if (y->ended) {
      s->candidates[num++] = (candidate){r, -1, y->log_p};
      continue;
    }
    shares(s, r);
    int only = s->d->pick == PICK_RANDOM ? draw(s, r) : -1;
    for (int j = 0; j < s->cols; j++) {
      double x = s->logits[r * s->cols + j];
      if (x > -INFINITY && (only < 0 || j == only))
        s->candidates[num++] = (candidate){r, j, y->log_p + x};
    }
  }
  qsort(s->candidates, (size_t)num, sizeof *s->candidates, better);
  return num < s->d->beam ? num : s->d->beam;
}

static void become(search *s, const candidate *c, int64_t to) {
  const hypothesis *from = &s->now[c->from];
  hypothesis *y = &s->next[to];
  int longest = own_of(s->net)->source.task->most(s->b->p[from->instance].n);
  *y = *from;
  y->log_p = c->log_p;
  memcpy(s->next_symbols + to * s->room, s->symbols + c->from * s->room,
         (size_t)from->length * sizeof *s->symbols);
  memcpy(s->next_h + to * s->width, s->h + c->from * s->width, (size_t)s->width * sizeof *s->h);
  memcpy(s->next_c + to * s->width, s->c + c->from * s->width, (size_t)s->width * sizeof *s->c);
  if (c->symbol > 0) s->next_symbols[to * s->room + y->length++] = c->symbol;
  /* One symbol more than any output has: it goes nowhere. */
  y->ended = c->symbol <= 0 || y->length > longest;
}

#define SWAP(a, b)                                                                                 \
  do {                                                                                             \
    void *kept_ = a;                                                                               \
    a = b, b = kept_;                                                                              \
  } while (0)

/* Returns whether any hypothesis goes on. */
static bool choose(search *s) {
  int64_t made = 0;
  bool on = false;
  for (int64_t first = 0, last; first < s->num; first = last) {
    for (last = first; last < s->num && s->now[last].instance == s->now[first].instance;) last++;
    int64_t num = candidates_of(s, first, last);
    for (int64_t k = 0; k < num; k++) become(s, &s->candidates[k], made++);
  }
  for (int64_t r = 0; r < made; r++) on |= !s->next[r].ended;
  SWAP(s->now, s->next);
  SWAP(s->symbols, s->next_symbols);
  SWAP(s->h, s->next_h);
  SWAP(s->c, s->next_c);
  s->num = made;
  return on;
}

/* ---- life ---- */

static double *doubles(int64_t n) {
  return pl_alloc((size_t)n, sizeof(double), "decoding");
}

static void init(search *s) {
  int64_t m = s->most, w = s->width;
  double **const states[] = {&s->h, &s->c, &s->next_h, &s->next_c, &s->turned, &s->query};
  s->now = pl_alloc((size_t)m, sizeof *s->now, "decoding");
  s->next = pl_alloc((size_t)m, sizeof *s->next, "decoding");
  s->symbols = pl_alloc((size_t)(m * s->room), sizeof *s->symbols, "decoding");
  s->next_symbols = pl_alloc((size_t)(m * s->room), sizeof *s->symbols, "decoding");
  for (size_t k = 0; k < sizeof states / sizeof *states; k++) *states[k] = doubles(m * w);
  s->x = doubles(m * s->coordinates);
  s->gate = doubles(4 * m * w);
  s->seen = doubles(2 * m * w);
  s->logits = doubles(m * s->cols);
  s->candidates = pl_alloc((size_t)(s->d->beam * (s->cols + 1)), sizeof *s->candidates, "decoding");
  s->num = s->b->count;
  for (int64_t i = 0; i < s->num; i++) s->now[i] = (hypothesis){.instance = i};
  memcpy(s->h, s->e.h->value, (size_t)(s->num * w) * sizeof *s->h);
  memcpy(s->c, s->e.c->value, (size_t)(s->num * w) * sizeof *s->c);
}

static void fini(search *s) {
  void *const all[] = {s->now, s->next,   s->symbols, s->next_symbols, s->h,
                       s->c,   s->next_h, s->next_c,  s->turned,       s->query,
                       s->x,   s->gate,   s->seen,    s->logits,       s->candidates};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) pl_free(all[k]);
}

void network_decode(const pl_net *net, pl_tape *t, pl_node *const *w, const batch *b,
                    const decoding *d, int room, int *output, int *length, double *log_p) {
  const places *at = &own_of(net)->at;
  if (b->count == 0) return;
  /* What stays where nothing can follow, all numbers having overflowed. */
  for (int64_t i = 0; i < b->count; i++) {
    length[i] = 0;
    if (log_p) log_p[i] = NAN;
  }
  search s = {.net = net,
              .b = b,
              .d = d,
              .w = w,
              .e = network_encode(net, t, w, b),
              .width = pointer_values_of(&net->spec)->width,
              .coordinates = own_of(net)->source.task->coordinates,
              .room = room,
              .most = b->count * d->beam,
              .cols = b->widest + 1};
  if (at->output >= 0 && s.w[at->output]->cols > s.cols) s.cols = s.w[at->output]->cols;
  init(&s);
  do {
    advance(&s);
    look(&s);
  } while (choose(&s));
  for (int64_t r = s.num - 1; r >= 0; r--) { /* the best of each stands first */
    const hypothesis *y = &s.now[r];
    length[y->instance] = y->length;
    memcpy(output + y->instance * room, s.symbols + r * s.room,
           (size_t)length[y->instance] * sizeof *output);
    if (log_p) log_p[y->instance] = y->log_p;
  }
  fini(&s);
}
