#include "base/blas.h"
#include "base/mem.h"
#include "screen.h"

#include <math.h>
#include <string.h>

struct pl_index {
  const pl_comm *team;
  int64_t documents, width, top;
  int64_t first, count; /* this rank's documents .. */
  double *e;            /* .. [blocks * PL_INDEX_BLOCK][width] */
  double *score;        /* [PL_INDEX_QUERIES][PL_INDEX_BLOCK] */
  double *target;       /* scores of documents that are ranked, and how many stand before */
  int64_t targets;      /* room in it, for each of the two */
  screen *screen;       /* NULL where a first look does not pay */
  int64_t have[PL_INDEX_QUERIES];
  MPI_Op merge;
};

/* ---- lists ---- */

/* Put h where the worst of a heap of n stood, or, with the place n - 1 free, into the heap. */
static void sink(pl_hit *list, int64_t n, pl_hit h) {
  int64_t at = 0;
  for (int64_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && pl_hit_before(list[child], list[child + 1])) child++;
    if (!pl_hit_before(h, list[child])) break;
    list[at] = list[child];
  }
  list[at] = h;
}

static void rise(pl_hit *list, int64_t at, pl_hit h) {
  for (int64_t up; at > 0 && pl_hit_before(list[up = (at - 1) / 2], h); at = up)
    list[at] = list[up];
  list[at] = h;
}

void pl_hits_put(pl_hit *list, int64_t *have, int64_t k, pl_hit h) {
  if (*have < k)
    rise(list, (*have)++, h);
  else if (pl_hit_before(h, list[0]))
    sink(list, k, h);
}

static inline double number(double s) {
  return isnan(s) ? -INFINITY : s;
}

void pl_hits_add(pl_hit *list, int64_t *have, int64_t k, int64_t first, int64_t n,
                 const double *score) {
  enum { STRIDE = 16 };
  int64_t i = 0;
  for (; i < n && *have < k; i++, (*have)++)
    rise(list, *have, (pl_hit){number(score[i]), first + i});
  /* Few of the others are good enough: look at many at once. */
  while (i < n) {
    int64_t end = i + STRIDE < n ? i + STRIDE : n;
    double worst = list[0].score;
    int better = 0;
    if (end - i == STRIDE)
      for (int64_t j = 0; j < STRIDE; j++) better |= score[i + j] > worst;
    else
      better = 1;
    for (; better && i < end; i++)
      if (score[i] > list[0].score) sink(list, k, (pl_hit){score[i], first + i});
    i = end;
  }
}

void pl_hits_sort(pl_hit *list, int64_t have) {
  for (int64_t n = have - 1; n > 0; n--) {
    pl_hit worst = list[0];
    sink(list, n, list[n]);
    list[n] = worst;
  }
}

/* Two lists of k, best first, into the second.  From the back: the place that is written is never
 * before the next one to be read. */
static void merge_lists(int64_t k, const pl_hit *a, pl_hit *b) {
  int64_t i = 0, j = 0;
  while (i + j < k)
    if (pl_hit_before(a[i], b[j]))
      i++;
    else
      j++;
  for (int64_t at = k - 1; i > 0; at--)
    b[at] = j > 0 && pl_hit_before(a[i - 1], b[j - 1]) ? b[--j] : a[--i];
}

/* An element of the reduction is a list, whose length its type tells. */
static void merge_all(void *in, void *inout, int *num, MPI_Datatype *type) {
  int bytes;
  MPI_Type_size(*type, &bytes);
  int64_t k = bytes / (int)sizeof(pl_hit);
  for (int64_t i = 0; i < *num; i++)
    merge_lists(k, (const pl_hit *)in + i * k, (pl_hit *)inout + i * k);
}

/* ---- life ---- */

static const int64_t BLOCK = PL_INDEX_BLOCK;

pl_index *pl_index_new(const pl_comm *team, int64_t documents, int64_t width, int64_t top) {
  pl_index *ix = pl_zalloc(1, sizeof *ix, "an index");
  int64_t blocks = (documents + BLOCK - 1) / BLOCK;
  int64_t from = blocks * team->rank / team->size, to = blocks * (team->rank + 1) / team->size;
  ix->team = team;
  ix->documents = documents;
  ix->width = width;
  ix->top = top;
  ix->first = from * BLOCK;
  ix->count = (to * BLOCK < documents ? to * BLOCK : documents) - ix->first;
  if (ix->count < 0) ix->count = 0;
  ix->e = pl_zalloc((size_t)((to - from) * BLOCK), (size_t)width * sizeof *ix->e,
                    "embeddings of documents");
  ix->score = pl_alloc(PL_INDEX_QUERIES, PL_INDEX_BLOCK * sizeof *ix->score, "scores");
  ix->screen = screen_new(ix->first, ix->count, width, ix->e, top);
  MPI_Op_create(merge_all, 1, &ix->merge);
  return ix;
}

void pl_index_free(pl_index *ix) {
  if (!ix) return;
  MPI_Op_free(&ix->merge);
  screen_free(ix->screen);
  pl_free(ix->e);
  pl_free(ix->score);
  pl_free(ix->target);
  pl_free(ix);
}

double *pl_index_rows(pl_index *ix, int64_t *first, int64_t *count) {
  *first = ix->first;
  *count = ix->count;
  screen_stale(ix->screen);
  return ix->e;
}

/* ---- scores ---- */

void index_score(int64_t queries, int64_t width, const double *q, const double *e, double *score) {
  int w = pl_int(width);
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)queries, PL_INDEX_BLOCK, w, 1, q, w, e,
              w, 0, score, PL_INDEX_BLOCK);
}

/* Of the block that begins at this rank's document number `from`. */
static void score_block(const pl_index *ix, int64_t queries, const double *q, int64_t from) {
  index_score(queries, ix->width, q, ix->e + from * ix->width, ix->score);
}

static inline int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static void look_at_all(pl_index *ix, int64_t queries, const double *q, int64_t k, pl_hit *hits) {
  for (int64_t from = 0; from < ix->count; from += BLOCK) {
    score_block(ix, queries, q, from);
    for (int64_t i = 0; i < queries; i++)
      pl_hits_add(hits + i * k, &ix->have[i], k, ix->first + from, least(BLOCK, ix->count - from),
                  ix->score + i * BLOCK);
  }
}

static void top_of(pl_index *ix, int64_t queries, const double *q, int64_t k, pl_hit *hits) {
  memset(ix->have, 0, sizeof ix->have);
  if (!ix->screen || !screen_pays(queries, ix->count, k) ||
      !screen_top(ix->screen, queries, q, k, hits, ix->have))
    look_at_all(ix, queries, q, k, hits);
  for (int64_t i = 0; i < queries; i++) {
    pl_hits_sort(hits + i * k, ix->have[i]);
    for (int64_t r = ix->have[i]; r < k; r++) hits[i * k + r] = (pl_hit){-INFINITY, INT64_MAX};
  }
}

static void merge_over_ranks(const pl_index *ix, int64_t queries, int64_t k, pl_hit *hits) {
  MPI_Datatype list;
  if (ix->team->size == 1) return;
  MPI_Type_contiguous(pl_int(k * (int64_t)sizeof *hits), MPI_BYTE, &list);
  MPI_Type_commit(&list);
  MPI_Allreduce(MPI_IN_PLACE, hits, (int)queries, list, ix->merge, ix->team->mpi);
  MPI_Type_free(&list);
}

void pl_index_top(pl_index *ix, int64_t queries, const double *q, int64_t k, pl_hit *hits) {
  pl_require(k >= 1 && k <= ix->top);
  for (int64_t i = 0; i < queries; i += PL_INDEX_QUERIES) {
    int64_t n = least(PL_INDEX_QUERIES, queries - i);
    top_of(ix, n, q + i * ix->width, k, hits + i * k);
    merge_over_ranks(ix, n, k, hits + i * k);
  }
  for (int64_t i = 0; i < queries * k; i++)
    if (hits[i].document == INT64_MAX) hits[i].document = -1;
}

/* ---- ranks ---- */

/* Scores of the documents to be ranked, where this rank holds them: from the very products that
 * the others come from. */
static void find_targets(pl_index *ix, int64_t queries, const double *q, const int64_t *start,
                         const int32_t *document) {
  int64_t base = start[0], n = start[queries] - base;
  for (int64_t k = 0; k < n; k++) ix->target[k] = -INFINITY;
  for (int64_t from = 0; from < ix->count; from += BLOCK) {
    bool here = false;
    int64_t low = ix->first + from, high = low + least(BLOCK, ix->count - from);
    for (int64_t k = 0; k < n && !here; k++)
      here = document[base + k] >= low && document[base + k] < high;
    if (!here) continue;
    score_block(ix, queries, q, from);
    for (int64_t i = 0; i < queries; i++)
      for (int64_t k = start[i]; k < start[i + 1]; k++)
        if (document[k] >= low && document[k] < high)
          ix->target[k - base] = number(ix->score[i * BLOCK + document[k] - low]);
  }
  pl_comm_max(ix->team, ix->target, n);
}

/* How many of n documents, of which number `at` is the one that is ranked or would be, stand before
 * it. */
static int64_t before(int64_t n, const double *score, int64_t at, double target) {
  int64_t low = at < 0 ? 0 : least(at, n), sum = 0;
  for (int64_t c = 0; c < low; c++) sum += score[c] >= target;
  for (int64_t c = low; c < n; c++) sum += score[c] > target;
  return sum;
}

static void rank_some(pl_index *ix, int64_t queries, const double *q, const int64_t *start,
                      const int32_t *document, int64_t *rank, double *score) {
  int64_t base = start[0], n = start[queries] - base;
  double *count = ix->target + n;
  find_targets(ix, queries, q, start, document);
  memset(count, 0, (size_t)n * sizeof *count);
  for (int64_t from = 0; from < ix->count; from += BLOCK) {
    score_block(ix, queries, q, from);
    for (int64_t i = 0; i < queries; i++)
      for (int64_t k = start[i]; k < start[i + 1]; k++)
        count[k - base] += (double)before(least(BLOCK, ix->count - from), ix->score + i * BLOCK,
                                          document[k] - ix->first - from, ix->target[k - base]);
  }
  pl_comm_sum(ix->team, count, n);
  for (int64_t k = 0; k < n; k++)
    rank[base + k] = ix->target[k] == -INFINITY ? ix->documents : 1 + (int64_t)count[k];
  if (score) memcpy(score + base, ix->target, (size_t)n * sizeof *score);
}

void pl_index_ranks(pl_index *ix, int64_t queries, const double *q, const int64_t *start,
                    const int32_t *document, int64_t *rank, double *score) {
  for (int64_t i = 0; i < queries; i += PL_INDEX_QUERIES) {
    int64_t n = least(PL_INDEX_QUERIES, queries - i), targets = start[i + n] - start[i];
    if (targets > ix->targets) {
      ix->target = pl_realloc(ix->target, (size_t)(2 * targets), sizeof *ix->target, "scores");
      ix->targets = targets;
    }
    rank_some(ix, n, q + i * ix->width, start + i, document, rank, score);
  }
}

void pl_index_fetch(const pl_index *ix, int64_t count, const int32_t *document, double *out) {
  size_t row = (size_t)ix->width * sizeof *out;
  for (int64_t i = 0; i < count; i++) {
    int64_t at = document[i] - ix->first;
    if (at >= 0 && at < ix->count)
      memcpy(out + i * ix->width, ix->e + at * ix->width, row);
    else
      memset(out + i * ix->width, 0, row);
  }
  pl_comm_sum(ix->team, out, count * ix->width);
}
