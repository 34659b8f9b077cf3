/* Permutations in clusters, and queries that were members, a little moved, under a hidden
 * rotation. */
#include "base/mem.h"
#include "base/norm.h"
#include "base/pause.h"
#include "base/rng.h"
#include "keys.h"
#include "nets/retrieval/data.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Streams of random numbers, each with an index of its own. */
enum { CENTRE, MEMBER, FRESH, QUERY, NOISE, ROTATION };
static uint64_t stream(int which) {
  return PL_STREAM(PL_STREAM_SAMPLE, which);
}

/* ---- features ---- */

static int64_t features_of(int n) {
  return (int64_t)n * n + n * (n - 1) / 2;
}

/* Of p: the permutation matrix, 1 in row p(j) and column j, less 1/n; and for i < j the sign of
 * p(j)
 * - p(i); all divided by the norm, which all p share. */
static void features(int n, const int8_t *p, double *x) {
  double scale = 1 / sqrt((double)(n - 1) + n * (n - 1) / 2);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) *x++ = ((p[j] == i) - 1. / n) * scale;
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) *x++ = p[j] > p[i] ? scale : -scale;
}

/* Rows of an orthogonal matrix: normal numbers made orthonormal, each row twice (Gram, Schmidt). */
static void draw_rotation(uint64_t seed, int64_t n, double *r) {
  pl_rng_normals(seed, stream(ROTATION), 0, n * n, r);
  for (int64_t i = 0; i < n; i++) {
    double *x = r + i * n;
    for (int pass = 0; pass < 2; pass++)
      for (int64_t k = 0; k < i; k++) {
        double dot = 0;
        for (int64_t j = 0; j < n; j++) dot += x[j] * r[k * n + j];
        for (int64_t j = 0; j < n; j++) x[j] -= dot * r[k * n + j];
      }
    double norm = pl_norm2(n, x);
    for (int64_t j = 0; j < n; j++) x[j] /= norm;
  }
}

/* ---- permutations ---- */

static void shuffle(uint64_t seed, int which, uint64_t index, int n, int8_t *p) {
  for (int i = 0; i < n; i++) p[i] = (int8_t)i;
  for (int i = n - 1; i > 0; i--) {
    int64_t j = pl_rng_below(seed, stream(which), index * PL_PERMUTED_MOST + (uint64_t)i, i + 1);
    int8_t kept = p[i];
    p[i] = p[j];
    p[j] = kept;
  }
}

/* Up to `most` swaps of neighbouring places, their number uniform. */
static void move(uint64_t seed, int which, uint64_t index, int64_t most, int n, int8_t *p) {
  enum { ROOM = 128 };
  int64_t swaps = pl_rng_below(seed, stream(which), index * ROOM, most + 1);
  for (int64_t k = 0; k < swaps; k++) {
    int64_t i = pl_rng_below(seed, stream(which), index * ROOM + 1 + (uint64_t)k, n - 1);
    int8_t kept = p[i];
    p[i] = p[i + 1];
    p[i + 1] = kept;
  }
}

static int64_t code(int n, const int8_t *p) {
  int64_t c = 0;
  for (int i = 0; i < n; i++) c = c << 4 | p[i];
  return c;
}

/* Those that stand already, by their codes, in a table with open addresses. */
typedef struct known {
  int64_t size, *code;
} known;

static bool add(known *k, int64_t c) {
  uint64_t bits[2];
  pl_rng_bits(0, 0, (uint64_t)c, bits);
  for (int64_t at = (int64_t)(bits[0] % (uint64_t)k->size);; at = (at + 1) % k->size) {
    if (k->code[at] == c) return false;
    if (k->code[at] >= 0) continue;
    k->code[at] = c;
    return true;
  }
}

/* Document d belongs to cluster d mod clusters.  A member that stands already is drawn again; after
 * PATIENCE times, from the whole group. */
static void draw_documents(const retrieval_data_values *v, uint64_t seed, int8_t *document) {
  enum { PATIENCE = 100 };
  known k = {.size = 2 * v->documents + 1};
  uint64_t member = 0, fresh = 0;
  int n = (int)v->n;
  k.code = pl_alloc((size_t)k.size, sizeof *k.code, "permutations");
  for (int64_t i = 0; i < k.size; i++) k.code[i] = -1;
  for (int64_t d = 0; d < v->documents; d++) {
    int8_t *p = document + d * n;
    int tries = 0;
    do {
      if (tries++ < PATIENCE) {
        shuffle(seed, CENTRE, (uint64_t)(d % v->clusters), n, p);
        move(seed, MEMBER, member++, v->swaps, n, p);
      } else {
        shuffle(seed, FRESH, fresh++, n, p);
      }
    } while (!add(&k, code(n, p)));
  }
  pl_free(k.code);
}

/* ---- the collection ---- */

static pl_status shape(const pl_spec *spec, pl_corpus_shape *out) {
  const retrieval_data_values *v = retrieval_data_of(spec);
  const pl_common *c = &spec->common;
  int64_t f = features_of((int)v->n);
  *out = (pl_corpus_shape){.documents = v->documents,
                           .queries = c->samples + c->validation + c->test,
                           .features = f,
                           .entries = (double)(v->documents * f)};
  return PL_OK;
}

/* Full rows. */
static pl_csr *rows_of(int64_t rows, int64_t cols) {
  pl_csr *s = pl_csr_new(rows, cols, rows * cols);
  for (int64_t i = 0; i < rows; i++) {
    s->start[i + 1] = (i + 1) * cols;
    for (int64_t j = 0; j < cols; j++) s->index[i * cols + j] = (int32_t)j;
  }
  return s;
}

/* Query q of a part, from a member that it is to find: the member moved, its features turned, and
 * noise, much of it in some. */
static void draw_query(const pl_spec *spec, pl_part part, int64_t k, int64_t q, pl_corpus *c) {
  const retrieval_data_values *v = retrieval_data_of(spec);
  uint64_t seed = pl_data_seed(spec), index = (uint64_t)(PL_NUM_PARTS * k + (int)part);
  int n = (int)v->n;
  int64_t f = c->query->cols, from = pl_rng_below(seed, stream(QUERY), index * 256, v->documents);
  int8_t *p = c->permuted.query + q * n;
  double *x = pl_alloc((size_t)f, sizeof *x, "features"), *y = c->query->value + q * f;
  bool loud = pl_rng_uniform(seed, stream(QUERY), index * 256 + 1) < v->noisy;
  double noise = (loud ? v->noisy_noise : v->noise) / sqrt((double)f);
  memcpy(p, c->permuted.document + from * n, (size_t)n);
  move(seed, QUERY, 2 * index + 1, v->moves, n, p);
  features(n, p, x);
  pl_rng_normals(seed, stream(NOISE), (int64_t)index * f, f, y);
  for (int64_t i = 0; i < f; i++) {
    double sum = 0;
    for (int64_t j = 0; j < f; j++) sum += c->permuted.rotation[i * f + j] * x[j];
    y[i] = noise * y[i] + sum;
  }
  c->start[q + 1] = q + 1;
  c->relevant[q] = (int32_t)from;
  pl_free(x);
}

static pl_status make(const pl_spec *spec, pl_corpus *c, int64_t **split) {
  const retrieval_data_values *v = retrieval_data_of(spec);
  pl_corpus_shape s;
  pl_permuted *p = &c->permuted;
  uint64_t seed = pl_data_seed(spec);
  shape(spec, &s);
  *p = (pl_permuted){
      .n = (int)v->n,
      .document = pl_alloc((size_t)(s.documents * v->n), 1, "permutations"),
      .query = pl_alloc((size_t)(s.queries * v->n), 1, "permutations"),
      .rotation = pl_alloc((size_t)(s.features * s.features), sizeof *p->rotation, "rotation")};
  c->document = rows_of(s.documents, s.features);
  c->query = rows_of(s.queries, s.features);
  c->start = pl_zalloc((size_t)s.queries + 1, sizeof *c->start, "relevant documents");
  c->relevant = pl_alloc((size_t)s.queries, sizeof *c->relevant, "relevant documents");
  *split = pl_alloc((size_t)s.queries, sizeof **split, "parts of the data");
  draw_documents(v, seed, p->document);
  draw_rotation(seed, s.features, p->rotation);
  for (int64_t d = 0; d < s.documents; d++)
    features(p->n, p->document + d * p->n, c->document->value + d * s.features);
  int64_t q = 0;
  for (int part = 0; part < PL_NUM_PARTS; part++)
    for (int64_t k = 0; k < pl_data_count(spec, (pl_part)part); k++, q++) {
      (*split)[q] = part;
      PL_TRY(pl_pause());
      draw_query(spec, (pl_part)part, k, q, c);
    }
  return PL_OK;
}

/* ---- keys ---- */

static const char *fits(const pl_spec *spec) {
  const retrieval_data_values *v = retrieval_data_of(spec);
  double group = 1;
  for (int64_t k = 2; k <= v->n; k++) group *= (double)k;
  if ((double)v->documents > group / 2) {
    pl_error(PL_EINPUT,
             "%lld different permutations; S_%lld has %.0f, and half of them at most "
             "are drawn",
             (long long)v->documents, (long long)v->n, group);
    return "data.documents";
  }
  if (v->clusters <= v->documents) return NULL;
  pl_error(PL_EINPUT, "more clusters than documents");
  return "data.clusters";
}

#define F(member) offsetof(retrieval_data_values, member)
enum { ALL = PL_COST | PL_DATA | PL_RESULTS, DRAWN = PL_DATA | PL_RESULTS };
static const pl_key rows[] = {
    {"data.n", PL_KEY_INT, F(n), ALL, "8", .min = 3, .max = PL_PERMUTED_MOST,
     .help = "the documents are permutations of S_n"},
    {"data.documents", PL_KEY_INT, F(documents), ALL, "3000", .min = 1, .max = 1e7,
     .help = "documents, no two of them equal"},
    {"data.clusters", PL_KEY_INT, F(clusters), DRAWN, "200", .min = 1, .max = 1e7,
     .help = "clusters that they stand in, each around a centre"},
    {"data.swaps", PL_KEY_INT, F(swaps), DRAWN, "4", .min = 0, .max = 100,
     .help = "swaps of neighbours, at most, between a centre and a member"},
    {"data.moves", PL_KEY_INT, F(moves), DRAWN, "1", .min = 0, .max = 100,
     .help = "swaps, at most, between a query's permutation and the member that it is to find"},
    {"data.noise", PL_KEY_REAL, F(noise), DRAWN, "0.1", .min = 0, .max = DBL_MAX,
     .help = "norm of the noise on a query's features, of norm 1 themselves"},
    {"data.noisy", PL_KEY_REAL, F(noisy), DRAWN, "0.15", .min = 0, .max = 1,
     .help = "share of queries with more noise"},
    {"data.noisy_noise", PL_KEY_REAL, F(noisy_noise), DRAWN, "1", .min = 0, .max = DBL_MAX,
     .help = "norm of theirs"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&pl_size_keys, &table, NULL};
static const pl_default defaults[] = {
    {"data.samples", "3000"}, {"data.test", "1000"}, {NULL, NULL}};

const pl_retrieval_data pl_data_permutations = {
    .base = {.name = "permutations",
             .help = "permutations in clusters, and queries that are to find one of them",
             .keys = keys,
             .defaults = defaults,
             .fits = fits,
             .write_data = pl_corpus_write},
    .permuted = true,
    .shape = shape,
    .make = make,
};
