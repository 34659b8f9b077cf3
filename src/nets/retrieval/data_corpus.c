/* Collections from a NetCDF file, and into one. */
#include "base/log.h"
#include "base/mem.h"
#include "base/nc_read.h"
#include "corpus.h"
#include "keys.h"
#include "nets/retrieval/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers of a file ---- */

static bool has(const pl_nc *nc, const char *var) {
  return pl_nc_var(nc, var, NULL, NULL, NULL, 0) >= 0;
}

/* var(n) or, with cols > 0, var(n, cols); *n below 0: any number, which it becomes.  dim NULL: a
 * dimension of any name. */
static pl_status open_numbers(const pl_nc *nc, const char *var, pl_nc_number number,
                              const char *dim, int64_t *n, int64_t cols, pl_nc_input **in) {
  pl_nc_axis axes[] = {{dim, *n, NULL}, {NULL, cols, NULL}};
  PL_TRY(pl_nc_input_new(nc, var, number, cols > 0 ? 2 : 1, axes, in));
  *n = axes[0].length;
  return PL_OK;
}

static pl_status integers(const pl_nc *nc, const char *var, const char *dim, int64_t *n,
                          int64_t cols, int64_t **out) {
  pl_nc_input *in;
  PL_TRY(open_numbers(nc, var, PL_NC_INTEGER, dim, n, cols, &in));
  int64_t *v = pl_alloc((size_t)(*n * (cols > 0 ? cols : 1)), sizeof *v, "a collection");
  pl_status st = pl_nc_input_ints(in, NULL, NULL, v);
  pl_nc_input_free(in);
  *out = st ? NULL : v;
  if (st) pl_free(v);
  return st;
}

static pl_status reals(const pl_nc *nc, const char *var, int64_t n, double *out) {
  pl_nc_input *in;
  PL_TRY(open_numbers(nc, var, PL_NC_REAL, NULL, &n, 0, &in));
  pl_status st = pl_nc_input_doubles(in, NULL, NULL, out);
  pl_nc_input_free(in);
  return st;
}

static pl_status bad(const pl_nc *nc, const char *var, int64_t i, int64_t found,
                     const char *expected) {
  return pl_error(PL_EINPUT, "%s: %s[%lld] is %lld, expected %s", pl_nc_path(nc), var, (long long)i,
                  (long long)found, expected);
}

/* ---- sparse rows ---- */

typedef struct names {
  char start[40], index[40], value[40];
} names;

static names names_of(const char *what) {
  names n;
  snprintf(n.start, sizeof n.start, "%s_start", what);
  snprintf(n.index, sizeof n.index, "%s_index", what);
  snprintf(n.value, sizeof n.value, "%s_value", what);
  return n;
}

static pl_status check_starts(const pl_nc *nc, const char *var, int64_t rows, const int64_t *start,
                              int64_t entries) {
  for (int64_t i = 0; i <= rows; i++)
    if (start[i] < (i ? start[i - 1] : 0) || (i == 0 && start[0] != 0) || start[i] > entries)
      return bad(nc, var, i, start[i], "0 at first, then no less than before, the entries at last");
  return start[rows] == entries ? PL_OK
                                : bad(nc, var, rows, start[rows], "the number of all entries");
}

static pl_status check_columns(const pl_nc *nc, const char *var, int64_t rows, int64_t cols,
                               const int64_t *start, const int64_t *index) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t k = start[i]; k < start[i + 1]; k++) {
      if (index[k] < 0 || index[k] >= cols)
        return bad(nc, var, k, index[k], "a feature, from 0 and below the dimension feature");
      if (k > start[i] && index[k] <= index[k - 1])
        return bad(nc, var, k, index[k], "more than the entry before it in its row");
    }
  return PL_OK;
}

/* WHAT_start(rows + 1), WHAT_index(entry) and WHAT_value(entry). */
static pl_status read_rows(const pl_nc *nc, const char *what, const char *value, int64_t features,
                           pl_csr **out) {
  names n = names_of(what);
  int64_t bounds = -1, entries = -1, *start = NULL, *index = NULL;
  pl_csr *s = NULL;
  pl_status st = integers(nc, n.start, NULL, &bounds, 0, &start);
  if (!st) st = integers(nc, n.index, NULL, &entries, 0, &index);
  if (!st && bounds < 2) st = pl_error(PL_EINPUT, "%s: no %s", pl_nc_path(nc), what);
  if (!st) st = check_starts(nc, n.start, bounds - 1, start, entries);
  if (!st) st = check_columns(nc, n.index, bounds - 1, features, start, index);
  if (!st) {
    s = pl_csr_new(bounds - 1, features, entries);
    memcpy(s->start, start, (size_t)bounds * sizeof *start);
    for (int64_t k = 0; k < entries; k++) s->index[k] = (int32_t)index[k];
    st = reals(nc, value ? value : n.value, entries, s->value);
  }
  pl_free(start);
  pl_free(index);
  if (st)
    pl_csr_free(s);
  else
    *out = s;
  return st;
}

static pl_status read_features(const pl_nc *nc, int64_t *features) {
  *features = pl_nc_dim(nc, "feature");
  if (*features >= 1 && *features <= INT32_MAX) return PL_OK;
  return pl_error(PL_EINPUT,
                  "%s: expected a dimension feature, as analysis/convert.py corpus "
                  "makes it",
                  pl_nc_path(nc));
}

/* ---- what is relevant ---- */

typedef struct pair {
  int64_t query, document;
} pair;

static int by_query(const void *a, const void *b) {
  const pair *x = a, *y = b;
  if (x->query != y->query) return x->query < y->query ? -1 : 1;
  return (x->document > y->document) - (x->document < y->document);
}

/* Judgements of a grade above 0, in order, each once. */
static pl_status read_pairs(const pl_nc *nc, int64_t queries, int64_t documents, int64_t *num,
                            pair **out) {
  int64_t n = -1, *both = NULL, *grade = NULL, kept = 0;
  pair *p = NULL;
  pl_status st = integers(nc, "judgement", NULL, &n, 2, &both);
  if (!st && has(nc, "grade")) st = integers(nc, "grade", NULL, &n, 0, &grade);
  if (!st) p = pl_alloc((size_t)n, sizeof *p, "relevant documents");
  for (int64_t k = 0; k < n && !st; k++) {
    int64_t q = both[2 * k], d = both[2 * k + 1];
    if (q < 0 || q >= queries) st = bad(nc, "judgement", 2 * k, q, "a query, from 0");
    if (!st && (d < 0 || d >= documents))
      st = bad(nc, "judgement", 2 * k + 1, d, "a document, from 0");
    if (!grade || grade[k] > 0) p[kept++] = (pair){q, d};
  }
  pl_free(both);
  pl_free(grade);
  if (st) {
    pl_free(p);
    return st;
  }
  qsort(p, (size_t)kept, sizeof *p, by_query);
  *num = 0;
  for (int64_t k = 0; k < kept; k++)
    if (k == 0 || by_query(&p[k], &p[k - 1]) != 0) p[(*num)++] = p[k];
  *out = p;
  return PL_OK;
}

static pl_status read_relevant(const pl_nc *nc, bool judged, pl_corpus *c) {
  int64_t queries = c->query->rows, num = 0;
  pair *p = NULL;
  if (judged || has(nc, "judgement")) PL_TRY(read_pairs(nc, queries, c->document->rows, &num, &p));
  c->start = pl_zalloc((size_t)queries + 1, sizeof *c->start, "relevant documents");
  c->relevant = pl_alloc((size_t)num, sizeof *c->relevant, "relevant documents");
  for (int64_t k = 0; k < num; k++) {
    c->start[p[k].query + 1]++;
    c->relevant[k] = (int32_t)p[k].document;
  }
  for (int64_t q = 0; q < queries; q++) c->start[q + 1] += c->start[q];
  pl_free(p);
  return PL_OK;
}

/* split(query): 0 to 2, or 3: in no part.  All for training where there is none. */
static pl_status read_split(const pl_nc *nc, int64_t queries, int64_t **out) {
  *out = NULL;
  if (!has(nc, "split")) {
    *out = pl_zalloc((size_t)queries, sizeof **out, "parts of the data");
    return PL_OK;
  }
  PL_TRY(integers(nc, "split", NULL, &queries, 0, out));
  for (int64_t q = 0; q < queries; q++)
    if ((*out)[q] < 0 || (*out)[q] > PL_NUM_PARTS)
      return bad(nc, "split", q, (*out)[q], "0 (training), 1 (validation), 2 (test) or 3 (none)");
  return PL_OK;
}

/* ---- the whole ---- */

static pl_status read_all(const pl_nc *nc, bool judged, pl_corpus *out, int64_t **split) {
  int64_t features;
  PL_TRY(read_features(nc, &features));
  PL_TRY(read_rows(nc, "document", NULL, features, &out->document));
  PL_TRY(read_rows(nc, "query", NULL, features, &out->query));
  PL_TRY(read_relevant(nc, judged, out));
  return read_split(nc, out->query->rows, split);
}

pl_status corpus_read(const pl_nc *nc, bool judged, pl_corpus *out, int64_t **split) {
  *out = (pl_corpus){0};
  *split = NULL;
  pl_status st = read_all(nc, judged, out, split);
  if (st) {
    pl_corpus_fini(out);
    pl_free(*split);
    *split = NULL;
  }
  return st;
}

static pl_status read_path(const pl_spec *spec, pl_corpus *out, int64_t **split) {
  pl_nc *nc;
  PL_TRY(pl_nc_open(retrieval_data_of(spec)->path, false, &nc));
  pl_status st = corpus_read(nc, true, out, split);
  pl_nc_close(nc);
  return st;
}

/* ---- the kind of data ---- */

static pl_status shape(const pl_spec *spec, pl_corpus_shape *out) {
  pl_nc *nc;
  int64_t documents = -1, queries = -1, entries = -1;
  pl_nc_input *in[3] = {NULL};
  PL_TRY(pl_nc_open(retrieval_data_of(spec)->path, false, &nc));
  pl_status st = read_features(nc, &out->features);
  if (!st) st = open_numbers(nc, "document_start", PL_NC_INTEGER, NULL, &documents, 0, &in[0]);
  if (!st) st = open_numbers(nc, "query_start", PL_NC_INTEGER, NULL, &queries, 0, &in[1]);
  if (!st) st = open_numbers(nc, "document_index", PL_NC_INTEGER, NULL, &entries, 0, &in[2]);
  for (int k = 0; k < 3; k++)
    if (in[k]) pl_nc_input_free(in[k]);
  pl_nc_close(nc);
  out->documents = documents - 1;
  out->queries = queries - 1;
  out->entries = (double)entries;
  return st;
}

static int64_t count_part(const pl_corpus *c, const int64_t *split, pl_part part) {
  int64_t n = 0;
  for (int64_t q = 0; q < c->query->rows; q++)
    n += split[q] == (int64_t)part && c->start[q] < c->start[q + 1];
  return n;
}

static int64_t count(const pl_spec *spec, pl_part part) {
  pl_corpus c;
  int64_t *split = NULL, n = 0;
  if (!read_path(spec, &c, &split)) {
    n = count_part(&c, split, part);
    pl_corpus_fini(&c);
  }
  pl_free(split);
  return n;
}

static int64_t empty_rows(const pl_csr *s) {
  int64_t n = 0;
  for (int64_t i = 0; i < s->rows; i++) n += s->start[i] == s->start[i + 1];
  return n;
}

/* What is no error, and yet may surprise. */
static void tell(const char *path, const pl_corpus *c, const int64_t *split) {
  int64_t alone = 0, documents = empty_rows(c->document), queries = empty_rows(c->query);
  for (int64_t q = 0; q < c->query->rows; q++)
    alone += split[q] < PL_NUM_PARTS && c->start[q] == c->start[q + 1];
  if (alone)
    pl_log(PL_LOG_WARNING, "%s: %lld queries have no relevant document and are left out", path,
           (long long)alone);
  if (documents)
    pl_log(PL_LOG_WARNING, "%s: %lld documents have no features", path, (long long)documents);
  if (queries)
    pl_log(PL_LOG_WARNING, "%s: %lld queries have no features", path, (long long)queries);
}

static pl_status check(const pl_spec *spec, const char **key) {
  pl_corpus c;
  int64_t *split = NULL;
  const char *path = retrieval_data_of(spec)->path;
  *key = "data.path";
  PL_TRY(read_path(spec, &c, &split));
  pl_status st = PL_OK;
  if (count_part(&c, split, PL_TRAIN) > 0)
    tell(path, &c, split);
  else
    st = pl_error(PL_EINPUT, "%s: no query of the training part has a relevant document", path);
  pl_corpus_fini(&c);
  pl_free(split);
  return st;
}

static const pl_key rows[] = {
    {"data.path", PL_KEY_TEXT, offsetof(retrieval_data_values, path),
     PL_COST | PL_DATA | PL_RESULTS, .required = true, .path = true,
     .help = "NetCDF file of a collection, as analysis/convert.py corpus makes it"},
};
static const pl_keys table = PL_KEYS(PL_IN_DATA, rows);
static const pl_keys *const keys[] = {&table, NULL};

/* One format under two names: what the data are, and what every network calls its own format. */
#define CORPUS(word)                                                                               \
  {                                                                                                \
    .base = {.name = word,                                                                         \
             .help = "documents, queries and judgements from a NetCDF file",                       \
             .keys = keys,                                                                         \
             .seedless = true,                                                                     \
             .count = count,                                                                       \
             .write_data = pl_corpus_write},                                                       \
    .shape = shape, .check = check, .make = read_path                                              \
  }
const pl_retrieval_data pl_data_corpus = CORPUS("corpus");
const pl_retrieval_data pl_data_retrieval_file = CORPUS("file");

/* ---- out ---- */

static pl_status define_rows(pl_nc *nc, const char *what, const pl_csr *s) {
  names n = names_of(what);
  char bound[48], entry[48];
  const char *bounds[] = {bound, NULL}, *entries[] = {entry, NULL};
  snprintf(bound, sizeof bound, "%s_bound", what);
  snprintf(entry, sizeof entry, "%s_entry", what);
  if (pl_csr_entries(s) == 0) return pl_error(PL_EINPUT, "no %s has a feature", what);
  PL_TRY(pl_nc_def_dim(nc, bound, s->rows + 1));
  PL_TRY(pl_nc_def_dim(nc, entry, pl_csr_entries(s)));
  PL_TRY(pl_nc_def_var(nc, n.start, PL_NC_INT64, bounds, "first entry of each row", "1"));
  PL_TRY(pl_nc_def_var(nc, n.index, PL_NC_INT, entries, "feature of each entry", "1"));
  return pl_nc_def_var(nc, n.value, PL_NC_DOUBLE, entries, "its value", "1");
}

static pl_status put_rows(pl_nc *nc, const char *what, const pl_csr *s) {
  names n = names_of(what);
  int64_t entries = pl_csr_entries(s);
  int64_t *index = pl_alloc((size_t)entries, sizeof *index, "features");
  for (int64_t k = 0; k < entries; k++) index[k] = s->index[k];
  pl_status st = pl_nc_put_ints(nc, n.start, NULL, NULL, s->start);
  if (!st) st = pl_nc_put_ints(nc, n.index, NULL, NULL, index);
  if (!st) st = pl_nc_put_doubles(nc, n.value, NULL, NULL, s->value);
  pl_free(index);
  return st;
}

static pl_status define(pl_nc *nc, const pl_corpus *c, const pl_attribute *attributes, int num) {
  const char *judged[] = {"judgements", "query_document", NULL}, *queries[] = {"query", NULL};
  PL_TRY(pl_nc_def_dim(nc, "feature", c->document->cols));
  PL_TRY(pl_nc_def_dim(nc, "query", c->query->rows));
  PL_TRY(pl_nc_def_dim(nc, "judgements", c->start[c->query->rows]));
  PL_TRY(pl_nc_def_dim(nc, "query_document", 2));
  PL_TRY(define_rows(nc, "document", c->document));
  PL_TRY(define_rows(nc, "query", c->query));
  PL_TRY(pl_nc_def_var(nc, "judgement", PL_NC_INT, judged, "a query and a document relevant to it",
                       "1"));
  PL_TRY(pl_nc_def_var(nc, "split", PL_NC_BYTE, queries,
                       "part: 0 training, 1 validation, 2 test, 3 none", "1"));
  for (int i = 0; i < num; i++)
    PL_TRY(pl_nc_att_text(nc, NULL, attributes[i].name, attributes[i].text));
  return pl_nc_end_def(nc);
}

static pl_status put_all(pl_nc *nc, const pl_corpus *c, const int8_t *split) {
  int64_t queries = c->query->rows, n = c->start[queries];
  int64_t *judged = pl_alloc((size_t)(2 * n + queries), sizeof *judged, "judgements");
  for (int64_t q = 0; q < queries; q++) {
    for (int64_t k = c->start[q]; k < c->start[q + 1]; k++) {
      judged[2 * k] = q;
      judged[2 * k + 1] = c->relevant[k];
    }
    judged[2 * n + q] = split[q];
  }
  pl_status st = put_rows(nc, "document", c->document);
  if (!st) st = put_rows(nc, "query", c->query);
  if (!st) st = pl_nc_put_ints(nc, "judgement", NULL, NULL, judged);
  if (!st) st = pl_nc_put_ints(nc, "split", NULL, NULL, judged + 2 * n);
  pl_free(judged);
  return st;
}

pl_status corpus_write(const pl_corpus *c, const int8_t *split, const char *path,
                       const pl_attribute *attributes, int num) {
  pl_nc *nc;
  PL_TRY(pl_nc_create(path, true, false, &nc));
  pl_status st = define(nc, c, attributes, num);
  if (!st) st = put_all(nc, c, split);
  pl_status closed = pl_nc_close(nc);
  return st ? st : closed;
}

/* ---- BM25 ---- */

pl_status pl_corpus_has_bm25(const pl_spec *spec) {
  pl_nc *nc;
  const char *path = retrieval_data_of(spec)->path;
  if (!path) return pl_error(PL_EINPUT, "%s has no BM25: it is for texts", spec->data->name);
  PL_TRY(pl_nc_open(path, false, &nc));
  pl_status st = has(nc, "document_bm25") && has(nc, "query_count")
                     ? PL_OK
                     : pl_error(PL_EINPUT, "%s: expected document_bm25 and query_count", path);
  pl_nc_close(nc);
  return st;
}

/* The best of the documents that share a word with the query. */
static void rank_by_words(const pl_csr *words, const pl_csr *query, int64_t q, int64_t top,
                          double *score, pl_hit *hits, int32_t *list) {
  int64_t have = 0;
  memset(score, 0, (size_t)words->cols * sizeof *score);
  for (int64_t k = query->start[q]; k < query->start[q + 1]; k++)
    for (int64_t e = words->start[query->index[k]]; e < words->start[query->index[k] + 1]; e++)
      score[words->index[e]] += query->value[k] * words->value[e];
  pl_hits_add(hits, &have, top, 0, words->cols, score);
  pl_hits_sort(hits, have);
  for (int64_t r = 0; r < top; r++)
    list[r] = r < have && hits[r].score > 0 ? (int32_t)hits[r].document : -1;
}

static pl_status bm25(const pl_spec *spec, const pl_corpus *c, int64_t top, int32_t *list) {
  pl_nc *nc;
  pl_csr *document = NULL, *query = NULL;
  PL_TRY(pl_nc_open(retrieval_data_of(spec)->path, false, &nc));
  pl_status st = read_rows(nc, "document", "document_bm25", c->document->cols, &document);
  if (!st) st = read_rows(nc, "query", "query_count", c->query->cols, &query);
  pl_nc_close(nc);
  if (!st && (document->rows != c->document->rows || query->rows != c->query->rows))
    st = pl_error(PL_EINPUT, "%s: has changed while it was read", retrieval_data_of(spec)->path);
  if (!st) {
    pl_csr *words = pl_csr_transpose(document);
    double *score = pl_alloc((size_t)document->rows, sizeof *score, "scores");
    pl_hit *hits = pl_alloc((size_t)top, sizeof *hits, "a list");
    for (int64_t i = 0; i < c->count[PL_TRAIN]; i++)
      rank_by_words(words, query, c->member[PL_TRAIN][i], top, score, hits, list + i * top);
    pl_free(score);
    pl_free(hits);
    pl_csr_free(words);
  }
  pl_csr_free(document);
  pl_csr_free(query);
  return st;
}

pl_status pl_corpus_bm25(const pl_spec *spec, const pl_comm *team, const pl_corpus *c, int64_t top,
                         int32_t *list) {
  pl_status st = pl_agree(team, team->rank == 0 ? bm25(spec, c, top, list) : PL_OK);
  if (!st) pl_comm_bcast(team, list, (size_t)(c->count[PL_TRAIN] * top) * sizeof *list, 0);
  return st;
}
