/* What retrieval records beside metrics: of lists and negatives (listed.c), and of the encoders by
 * irreps (blocks.c). */
#include "base/mem.h"
#include "base/pause.h"
#include "own.h"

#include <stdio.h>

/* ---- axes ---- */

typedef struct context {
  int n; /* of permutations; 0: other data */
  int64_t top, width;
  int64_t sv[NUM_BLOCKS + 1]; /* where the singular values of each block begin */
  bool blocks;                /* recorded */
  char key[64];               /* of their axes */
} context;

static const context *own_context(const void *c) {
  return pl_net_context(c);
}

static bool wants_distance(const pl_spec *spec, const void *c) {
  (void)spec;
  return own_context(c)->n > 0;
}
static bool wants_blocks(const pl_spec *spec, const void *c) {
  (void)spec;
  return own_context(c)->blocks;
}

static void rank_value(const void *c, int64_t i, double *number, char *text) {
  (void)c, (void)text;
  *number = (double)(i + 1);
}
static void distance_value(const void *c, int64_t i, double *number, char *text) {
  (void)c, (void)text;
  *number = (double)i;
}

static void block_label(const void *c, int64_t block, int side, char *text) {
  blocks_label(own_context(c)->n, (int)block, side, text, 64);
}
static void query_irrep(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  block_label(c, i, SIDE_QUERY, text);
}
static void document_irrep(const void *c, int64_t i, double *number, char *text) {
  (void)number;
  block_label(c, i, SIDE_DOCUMENT, text);
}
static void sv_block(const void *c, int64_t i, double *number, char *text) {
  int block = 0;
  (void)text;
  while (i >= own_context(c)->sv[block + 1]) block++;
  *number = block;
}

static const pl_coord rank_coords[] = {
    {"rank_in_list", "1", "rank in a list, from 1", false, true, NULL, rank_value},
};
static const pl_coord distance_coords[] = {
    {"kendall_distance", "1", "Kendall distance: swaps of neighbours between two permutations",
     false, true, NULL, distance_value},
};
static const pl_coord block_coords[] = {
    {"encoder_block_query", "1", "irrep on the side of queries", true, false, NULL, query_irrep},
    {"encoder_block_document", "1", "irrep on the side of documents", true, false, NULL,
     document_irrep},
};
static const pl_coord sv_coords[] = {
    {"encoder_sv_block", "1", "block of the singular value, an index of dimension encoder_block",
     false, true, "encoder_block", sv_block},
};
#define COORDS(x) .coords = x, .num_coords = sizeof x / sizeof *x

pl_status retrieval_axes(const pl_spec *spec, pl_axis *axes, int *num, void **out,
                         void (**free_context)(void *)) {
  const retrieval_values *v = retrieval_values_of(spec);
  bool permuted = ((const pl_retrieval_data *)spec->data)->permuted;
  context *c = pl_zalloc(1, sizeof *c, "schema");
  c->n = permuted ? (int)retrieval_data_of(spec)->n : 0;
  c->top = v->top;
  c->width = v->width;
  c->blocks = permuted && v->encoder == ENCODER_LINEAR;
  *out = c;
  *free_context = pl_free;
  snprintf(c->key, sizeof c->key, "S_%d, width %lld", c->n, (long long)v->width);
  axes[(*num)++] = (pl_axis){
      .name = "list_rank", .key = (char *)(uintptr_t) "", .length = v->top, COORDS(rank_coords)};
  if (!permuted) return PL_OK;
  axes[(*num)++] = (pl_axis){.name = "distance",
                             .key = (char *)(uintptr_t) "",
                             .length = (int64_t)c->n * (c->n - 1) / 2 + 1,
                             COORDS(distance_coords)};
  if (!c->blocks) return PL_OK;
  for (int b = 0; b < NUM_BLOCKS; b++) c->sv[b + 1] = c->sv[b] + blocks_sv(c->n, v->width, b);
  axes[(*num)++] =
      (pl_axis){.name = "encoder_block", .key = c->key, .length = NUM_BLOCKS, COORDS(block_coords)};
  axes[(*num)++] = (pl_axis){
      .name = "encoder_sv", .key = c->key, .length = c->sv[NUM_BLOCKS], COORDS(sv_coords)};
  return PL_OK;
}

/* ---- a record ---- */

static int64_t distances(const pl_corpus *c) {
  return (int64_t)c->permuted.n * (c->permuted.n - 1) / 2 + 1;
}

/* Room for what the record points to, made at the first. */
static void make_room(pl_net *net, retrieval_record *r) {
  retrieval_own *own = retrieval_own_of(net);
  const retrieval_values *v = retrieval_values_of(&net->spec);
  int64_t top = v->top, d = distances(&own->corpus), sv = 0;
  for (int b = 0; b < NUM_BLOCKS && own->corpus.permuted.n; b++)
    sv += blocks_sv(own->corpus.permuted.n, v->width, b);
  double *at = own->recorded;
  if (!at)
    at = own->recorded =
        pl_zalloc((size_t)(2 * top + 2 * d + sv + NUM_BLOCKS), sizeof *at, "a record");
  r->implicit = at;
  r->explicit = r->implicit + top;
  r->distance = r->explicit + top;
  r->top_distance = r->distance + d;
  r->energy = r->top_distance + d;
  r->sigma = r->energy + NUM_BLOCKS;
}

/* Rank 0 writes the record: what the ranks share is retrieved, the rest is its own. */
pl_status retrieval_observe(pl_net *net, void *state) {
  retrieval_own *own = retrieval_own_of(net);
  const retrieval_values *v = retrieval_values_of(&net->spec);
  retrieval_record *r = state;
  make_room(net, r);
  int64_t queries = net->count[PL_TRAIN], some = PL_INDEX_QUERIES;
  for (int64_t i = 0; i < queries; i += some) {
    PL_TRY(pl_agree(&net->team, pl_pause()));
    retrieval_top_of(net, net->w, PL_TRAIN, i, queries - i < some ? queries - i : some, v->top,
                     own->hits + i * v->top);
  }
  if (net->team.rank != 0) return PL_OK;
  r->static_overlap = retrieval_overlap(net);
  r->weight_cosine = retrieval_weigh(net, r->implicit, r->explicit);
  if (!own->corpus.permuted.n) return PL_OK;
  retrieval_distances(net, r->distance, r->top_distance);
  if (v->encoder != ENCODER_LINEAR) return PL_OK;
  return blocks_of(&own->corpus.permuted, v->width, net->w,
                   net->w + net->start[encoder_first(&net->spec, SIDE_DOCUMENT)], r->sigma,
                   r->energy, &r->equivariance_defect);
}

static void copy(int64_t n, const double *from, double *to) {
  for (int64_t k = 0; k < n; k++) to[k] = from[k];
}
static void implicit_weight(const void *state, double *out) {
  const retrieval_record *r = state;
  copy(retrieval_top(r->net.net), r->implicit, out);
}
static void rank_weight(const void *state, double *out) {
  const retrieval_record *r = state;
  copy(retrieval_top(r->net.net), r->explicit, out);
}
static void negative_distance(const void *state, double *out) {
  const retrieval_record *r = state;
  copy(distances(&retrieval_own_of(r->net.net)->corpus), r->distance, out);
}
static void top_distance(const void *state, double *out) {
  const retrieval_record *r = state;
  copy(distances(&retrieval_own_of(r->net.net)->corpus), r->top_distance, out);
}
static void singular_values(const void *state, double *out) {
  const retrieval_record *r = state;
  int n = retrieval_own_of(r->net.net)->corpus.permuted.n;
  int64_t sv = 0;
  for (int b = 0; b < NUM_BLOCKS; b++)
    sv += blocks_sv(n, retrieval_values_of(&r->net.net->spec)->width, b);
  copy(sv, r->sigma, out);
}
static void block_energy(const void *state, double *out) {
  copy(NUM_BLOCKS, ((const retrieval_record *)state)->energy, out);
}

#define AT(member) .from = offsetof(retrieval_record, member)
static const pl_measure rows[] = {
    {"static_overlap", NULL, "1",
     "share of the present lists of training queries that the lists made once have too",
     AT(static_overlap)},
    {"weight_cosine", NULL, "1",
     "mean over training queries of the cosine between -dl/dm of the pairs in the present list and "
     "the weights of adore",
     AT(weight_cosine)},
    {"implicit_weight", "list_rank", "1",
     "mean share of -dl/dm of a training query's pairs that falls to the other document's rank",
     .compute = implicit_weight},
    {"rank_weight", "list_rank", "1",
     "mean share of the weights of adore of a training query's pairs that falls to that rank",
     .compute = rank_weight},
    {"negative_distance", "distance", "1",
     "share of the negatives of training queries at a Kendall distance from the query",
     .wanted = wants_distance, .compute = negative_distance},
    {"top_distance", "distance", "1",
     "the same, of what the present lists hold and is not relevant", .wanted = wants_distance,
     .compute = top_distance},
    {"encoder_singular_values", "encoder_sv", "1",
     "singular values of the bilinear form M between irreps, by block, decreasing",
     .wanted = wants_blocks, .compute = singular_values},
    {"encoder_block_energy", "encoder_block", "1", "share of the block in ||M||_F^2",
     .wanted = wants_blocks, .compute = block_energy},
    {"equivariance_defect", NULL, "1",
     "largest relative violation of equivariance over group elements", .wanted = wants_blocks,
     AT(equivariance_defect)},
};
const pl_measures retrieval_measures = PL_MEASURES(rows);
