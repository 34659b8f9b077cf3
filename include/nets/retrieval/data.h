/* Collections to search in: documents and queries as sparse rows of features, and which documents
 * are relevant to which query. */
#ifndef PL_NETS_RETRIEVAL_DATA_H
#define PL_NETS_RETRIEVAL_DATA_H

#include "base/comm.h"
#include "base/csr.h"
#include "base/nc.h"
#include "model/data.h"

#include <stdbool.h>

/* What is known of a collection of permutations of 1..n, beyond their features. */
enum { PL_PERMUTED_MOST = 12 }; /* n */
typedef struct pl_permuted {
  int n;
  int8_t *document, *query; /* [documents][n], [queries][n]: one-line, from 0; of a query: what it
                             * was drawn from, moved */
  double *rotation;         /* R, [features][features], that queries' features went through */
} pl_permuted;

typedef struct pl_corpus {
  pl_csr *document, *query; /* rows of features */
  int64_t *start;           /* [queries + 1]: query q has the relevant documents .. */
  int32_t *relevant;        /* .. relevant[start[q]] .., increasing */
  int64_t count[PL_NUM_PARTS];
  int32_t *member[PL_NUM_PARTS]; /* queries of a part that have a relevant document, increasing */
  pl_permuted permuted;          /* n 0: none */
} pl_corpus;

/* Sizes, without the collection. */
typedef struct pl_corpus_shape {
  int64_t documents, queries, features;
  double entries; /* features that are not 0, of all documents */
} pl_corpus_shape;

/* Is r among the relevant documents of query q?  Pure. */
bool pl_corpus_relevant(const pl_corpus *c, int64_t q, int64_t document);

/* The collection of spec: made or read on rank 0, the same on every rank.  The caller frees what it
 * holds (pl_corpus_fini).  Collective; the same status on every rank. */
pl_status pl_corpus_init(const pl_spec *spec, const pl_comm *team, pl_corpus *out);
/* All queries of an open file as the test part, those without a relevant document too.  Collective;
 * nc on rank 0 only. */
pl_status pl_corpus_open(const pl_nc *nc, const pl_comm *team, pl_corpus *out);
void pl_corpus_fini(pl_corpus *c);
/* PL_EINPUT: the file is bad.  Local. */
pl_status pl_corpus_shape_of(const pl_spec *spec, pl_corpus_shape *out);
/* pl_data_kind.write_data of all kinds here. */
pl_status pl_corpus_write(const pl_spec *spec, const pl_comm *team, const char *path,
                          const pl_attribute *attributes, int num);

/* The top documents by BM25 of each query of the training part, [count][top], -1 where fewer share
 * a word with it; read from the collection's file on rank 0.  Collective. */
pl_status pl_corpus_bm25(const pl_spec *spec, const pl_comm *team, const pl_corpus *c, int64_t top,
                         int32_t *list);
/* Does the file have weights of BM25?  PL_EINPUT: no, or it is no file.  Local. */
pl_status pl_corpus_has_bm25(const pl_spec *spec);

/* A kind of data for retrieval: one file src/nets/retrieval/data_NAME.c. */
typedef struct pl_retrieval_data {
  pl_data_kind base; /* first */
  bool permuted;     /* pl_corpus.permuted is there */
  /* Local. */
  pl_status (*shape)(const pl_spec *spec, pl_corpus_shape *out);
  /* PL_EINPUT: *key is at fault.  Local. */
  pl_status (*check)(const pl_spec *spec, const char **key);
  /* All of it but count and member: *split, a part for each query, is the caller's to free.  Local.
   */
  pl_status (*make)(const pl_spec *spec, pl_corpus *out, int64_t **split);
} pl_retrieval_data;

extern const pl_retrieval_data pl_data_permutations, pl_data_corpus, pl_data_retrieval_file;
/* All of them, permutations first; NULL-terminated. */
extern const pl_data_kind *const pl_retrieval_data_kinds[];

#endif
