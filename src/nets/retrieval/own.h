/* The retrieval network from inside: retrieval.c (objective, the door), lists.c (who is retrieved,
 * and when), pairs.c (from lists to pairs), metrics.c and measures.c (records), blocks.c (by
 * irreps), start.c (the phase before), apply.c. */
#ifndef PL_NETS_RETRIEVAL_OWN_H
#define PL_NETS_RETRIEVAL_OWN_H

#include "encoder.h"
#include "nets/retrieval/index.h"
#include "nets/retrieval/retrieval.h"

typedef struct retrieval_own {
  pl_corpus corpus;
  pl_index *index;   /* embeddings of documents: the frozen ones, or those of the last record */
  bool frozen;       /* they are, and stay */
  pl_tape *tape;     /* for embeddings beside the objective's */
  int64_t negatives; /* of the last step */
  int64_t batch;     /* queries of a step */
  /* Lists of all training queries, [count][top], as doubles for checkpoints; -1: none there, in the
   * first place of all: not made yet. */
  double *once, *served; /* made once; made every retrieval.refresh steps (adore, above 1) */
  pl_hit *hits;          /* [training queries][top] */
  double *query;         /* [largest part][width] */
  int32_t *row;          /* [documents]: where in a batch, else -1 */
  int64_t *rank;         /* [judgements]: at the last record, each query's ascending .. */
  double *score;         /* .. and the scores, in the order of judgements */
  double *recorded;      /* what a record points to */
} retrieval_own;

static inline retrieval_own *retrieval_own_of(const pl_net *net) {
  return net->own;
}

/* What chooses negatives at step t.  Pure. */
int64_t retrieval_negatives(const retrieval_values *v, int64_t t);
/* Documents of a list.  Pure. */
static inline int64_t retrieval_top(const pl_net *net) {
  return retrieval_values_of(&net->spec)->top;
}

/* ---- lists.c: Collective ---- */

/* Before the objective of a step at the weights w: documents freeze and lists are made, when they
 * are due. */
void retrieval_prepare(const pl_net *net, const double *w, int64_t t);
/* Present embeddings of documents into the index, unless they are frozen. */
void retrieval_index_now(const pl_net *net, const double *w);
/* The first `top` documents of a part's queries first .. first + count - 1 at the weights w, into
 * hits; their embeddings stay in own->query. */
void retrieval_top_of(const pl_net *net, const double *w, pl_part part, int64_t first,
                      int64_t count, int64_t top, pl_hit *hits);

/* ---- pairs.c ---- */

/* Documents that one query's score is compared among. */
typedef struct retrieval_group {
  int64_t start, end; /* of dots */
  double factor;      /* of the mean over its pairs */
  bool ranked;        /* pairs are weighted by ranks */
} retrieval_group;

/* What a step compares, in the tape's memory. */
typedef struct retrieval_batch {
  int64_t num_groups, num_dots, num_documents, num_pairs;
  retrieval_group *group;
  int *query, *document; /* of each dot: rows among the batch's queries and documents */
  bool *relevant;
  int64_t *rank;       /* in its list, from 1; 0: not of a list */
  int32_t *number;     /* of each of the documents */
  int *better, *worse; /* of each pair: the dots */
  double *weight;
} retrieval_batch;

/* Groups and dots of the queries of a take.  hits: lists of adore, [count][top].  Local. */
void retrieval_collect(const pl_net *net, pl_tape *t, const pl_take *take, const pl_hit *hits,
                       retrieval_batch *b);
/* Pairs and their weights from the scores of the dots.  Local. */
void retrieval_pair(const pl_net *net, pl_tape *t, const double *score, retrieval_batch *b);

/* A list as a group, for measures: documents of hits until the first -1 and, where none of them is
 * relevant, all that are, behind.  Returns their number; document, relevant, rank: room for top and
 * the relevant ones of q.  Pure. */
int64_t retrieval_list(const pl_corpus *c, int64_t q, int64_t top, const pl_hit *hits,
                       int32_t *document, bool *relevant);
/* |u_i - u_j|, u = 1/rank, 0 beyond cut.  Pure. */
double retrieval_rank_weight(int64_t cut, int64_t i, int64_t j);

/* ---- dots.c ---- */

/* y_k = sum_c q_{i(k) c} d_{j(k) c}; q, d: nodes of equal columns; i, j: [count], borrowed. */
pl_node *retrieval_dots(pl_tape *t, pl_node *q, pl_node *d, int64_t count, const int *i,
                        const int *j);

/* ---- start.c ---- */

/* Initial weights from the phase before.  Collective. */
pl_status retrieval_start(pl_net *net);
/* PL_EINPUT: its file does not fit.  Local. */
pl_status retrieval_check_start(const pl_spec *spec);

/* ---- records ---- */

#define MEANS_MRR10       "mean of 1/rank of the first relevant document, 0 beyond rank 10,"
#define MEANS_R100        "mean share of relevant documents among the first 100"
#define MEANS_RANK_MEAN   "mean rank of the first relevant document"
#define MEANS_RANK_MEDIAN "median rank of the first relevant document"
#define MEANS_ERROR_TOTAL "mean number of pairs of a relevant document and another before it"
#define MEANS_ERROR_TOP   "mean number of such pairs whose other is among the first retrieval.top"
enum {
  METRIC_MRR10,
  METRIC_R100,
  METRIC_RANK_MEAN,
  METRIC_RANK_MEDIAN,
  METRIC_ERROR_TOTAL,
  METRIC_ERROR_TOP,
  NUM_METRICS
};
void retrieval_metrics(pl_net *net, pl_part part, double *metric);
extern const pl_measures retrieval_metric_measures;

/* State at a record. */
typedef struct retrieval_record {
  pl_net_record net; /* first */
  double static_overlap, weight_cosine, equivariance_defect;
  double *implicit, *explicit;     /* [top] */
  double *distance, *top_distance; /* [n (n - 1)/2 + 1] */
  double *sigma, *energy;          /* [encoder_sv], [encoder_block] */
} retrieval_record;

/* listed.c: of training queries, whose present lists are own->hits.  Local.
 * Share of the present lists that was there when lists were made once; NaN before that. */
double retrieval_overlap(const pl_net *net);
/* Shares of a query's pairs by the rank of the other document, means over queries: of -dl/dm and of
 * the weights of adore, [top] each; and the mean cosine between the two. */
double retrieval_weigh(const pl_net *net, double *implicit, double *explicit);
/* Shares of Kendall distances between queries and what the sampler gives them, and what is in the
 * present lists, [n (n - 1)/2 + 1] each. */
void retrieval_distances(const pl_net *net, double *negatives, double *listed);

pl_status retrieval_observe(pl_net *net, void *state);
pl_status retrieval_axes(const pl_spec *spec, pl_axis *axes, int *num, void **context,
                         void (**free_context)(void *));
extern const pl_measures retrieval_measures;

/* ---- blocks.c: the bilinear form of linear encoders on permutations, by irreps ---- */

enum { NUM_BLOCKS = 4 };
/* Singular values of a block for encoders of this width.  Pure. */
int64_t blocks_sv(int n, int64_t width, int block);
/* "7,1" of S_8: the irrep of a block on the side of queries, or of documents.  As snprintf. */
int blocks_label(int n, int block, int side, char *buf, size_t size);
/* sigma: blocks one after the other; energy[NUM_BLOCKS]: shares of ||M||_F^2; defect: the largest
 * || M rho(g) - rho(g) M ||_F / ||M||_F over the swaps g of neighbours.  w_query, w_document:
 * [features][width].  PL_NUMERIC as pl_rect_singular_values.  Local. */
pl_status blocks_of(const pl_permuted *p, int64_t width, const double *w_query,
                    const double *w_document, double *sigma, double *energy, double *defect);

/* ---- apply.c ---- */

pl_status retrieval_note(const pl_net *net, pl_nc *nc);
pl_status retrieval_open(pl_net *net, const pl_nc *weights, const pl_nc *data);
pl_status retrieval_predict(pl_net *net, pl_nc *out);
pl_status retrieval_apply(const pl_spec *spec, const pl_comm *team, const pl_rates *rates,
                          const char *path, const pl_attribute *attributes, int num);

/* Counts of the parts, and room for searches in the corpus that net->own has, in lists of up to top
 * documents.  Local. */
void retrieval_own_rooms(pl_net *net, int64_t top);

#endif
