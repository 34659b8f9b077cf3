#include "base/mem.h"
#include "corpus.h"
#include "nets/retrieval/data.h"

#include <string.h>

const pl_data_kind *const pl_retrieval_data_kinds[] = {
    &pl_data_permutations.base, &pl_data_corpus.base, &pl_data_retrieval_file.base, NULL};

static const pl_retrieval_data *kind_of(const pl_spec *spec) {
  return (const pl_retrieval_data *)spec->data;
}

pl_status pl_corpus_shape_of(const pl_spec *spec, pl_corpus_shape *out) {
  return kind_of(spec)->shape(spec, out);
}

bool pl_corpus_relevant(const pl_corpus *c, int64_t q, int64_t document) {
  int64_t low = c->start[q], high = c->start[q + 1];
  while (low < high) {
    int64_t middle = (low + high) / 2;
    if (c->relevant[middle] < document)
      low = middle + 1;
    else
      high = middle;
  }
  return low < c->start[q + 1] && c->relevant[low] == document;
}

void pl_corpus_fini(pl_corpus *c) {
  pl_csr_free(c->document);
  pl_csr_free(c->query);
  pl_free(c->start);
  pl_free(c->relevant);
  for (int p = 0; p < PL_NUM_PARTS; p++) pl_free(c->member[p]);
  pl_free(c->permuted.document);
  pl_free(c->permuted.query);
  pl_free(c->permuted.rotation);
  *c = (pl_corpus){0};
}

/* ---- from rank 0 to all ---- */

/* n elements that rank 0 has; the others get room for them. */
static void share(const pl_comm *team, void *at, int64_t n, size_t size) {
  void **x = at;
  if (team->rank != 0) *x = pl_alloc((size_t)n, size, "a collection");
  pl_comm_bcast(team, *x, (size_t)n * size, 0);
}

static void share_rows(const pl_comm *team, pl_csr **s) {
  int64_t n[3] = {0};
  if (team->rank == 0) {
    n[0] = (*s)->rows;
    n[1] = (*s)->cols;
    n[2] = pl_csr_entries(*s);
  }
  pl_comm_bcast(team, n, sizeof n, 0);
  if (team->rank != 0) *s = pl_csr_new(n[0], n[1], n[2]);
  pl_comm_bcast(team, (*s)->start, (size_t)(n[0] + 1) * sizeof *(*s)->start, 0);
  pl_comm_bcast(team, (*s)->index, (size_t)n[2] * sizeof *(*s)->index, 0);
  pl_comm_bcast(team, (*s)->value, (size_t)n[2] * sizeof *(*s)->value, 0);
}

static void share_all(const pl_comm *team, pl_corpus *c) {
  pl_permuted *p = &c->permuted;
  share_rows(team, &c->document);
  share_rows(team, &c->query);
  int64_t queries = c->query->rows, features = c->document->cols;
  share(team, &c->start, queries + 1, sizeof *c->start);
  share(team, &c->relevant, c->start[queries], sizeof *c->relevant);
  pl_comm_bcast(team, c->count, sizeof c->count, 0);
  for (int k = 0; k < PL_NUM_PARTS; k++)
    share(team, &c->member[k], c->count[k], sizeof *c->member[k]);
  pl_comm_bcast(team, &p->n, sizeof p->n, 0);
  if (!p->n) return;
  share(team, &p->document, c->document->rows * p->n, 1);
  share(team, &p->query, queries * p->n, 1);
  share(team, &p->rotation, features * features, sizeof *p->rotation);
}

/* ---- parts ---- */

/* Queries without a relevant document teach and measure nothing: they stand in no part. */
static void list_members(pl_corpus *c, const int64_t *split) {
  int64_t queries = c->query->rows;
  for (int p = 0; p < PL_NUM_PARTS; p++) {
    c->member[p] = pl_alloc((size_t)queries, sizeof *c->member[p], "queries of a part");
    for (int64_t q = 0; q < queries; q++)
      if (split[q] == p && c->start[q] < c->start[q + 1]) c->member[p][c->count[p]++] = (int32_t)q;
  }
}

pl_status pl_corpus_init(const pl_spec *spec, const pl_comm *team, pl_corpus *out) {
  int64_t *split = NULL;
  *out = (pl_corpus){0};
  pl_status st = team->rank == 0 ? kind_of(spec)->make(spec, out, &split) : PL_OK;
  if (team->rank == 0 && !st) list_members(out, split);
  pl_free(split);
  st = pl_agree(team, st);
  if (st)
    pl_corpus_fini(out);
  else
    share_all(team, out);
  return st;
}

pl_status pl_corpus_open(const pl_nc *nc, const pl_comm *team, pl_corpus *out) {
  int64_t *split = NULL;
  *out = (pl_corpus){0};
  pl_status st = pl_agree(team, nc ? corpus_read(nc, false, out, &split) : PL_OK);
  pl_free(split);
  if (st) {
    pl_corpus_fini(out);
    return st;
  }
  for (int p = 0; p < PL_NUM_PARTS && team->rank == 0; p++) {
    out->count[p] = p == PL_TEST ? out->query->rows : 0;
    out->member[p] = pl_alloc((size_t)out->count[p], sizeof *out->member[p], "queries of a part");
    for (int64_t q = 0; q < out->count[p]; q++) out->member[p][q] = (int32_t)q;
  }
  share_all(team, out);
  return PL_OK;
}

/* Queries without a relevant document keep part 3: none. */
pl_status pl_corpus_write(const pl_spec *spec, const pl_comm *team, const char *path,
                          const pl_attribute *attributes, int num) {
  pl_corpus c;
  PL_TRY(pl_corpus_init(spec, team, &c));
  int8_t *split = pl_alloc((size_t)c.query->rows, sizeof *split, "parts of the data");
  memset(split, PL_NUM_PARTS, (size_t)c.query->rows);
  for (int p = 0; p < PL_NUM_PARTS; p++)
    for (int64_t k = 0; k < c.count[p]; k++) split[c.member[p][k]] = (int8_t)p;
  pl_status st = team->rank == 0 ? corpus_write(&c, split, path, attributes, num) : PL_OK;
  pl_free(split);
  pl_corpus_fini(&c);
  return pl_agree(team, st);
}
