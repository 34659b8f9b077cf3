"""Collections of texts on the way into the laboratory's own format (src/nets/retrieval/README.md),
and out of it: what convert.py and retrieval.py share.

Weights of a word t in a text d of N, f its count there, df its documents:
  tf-idf  (1 + log f) (1 + log((1 + N) / (1 + df))), rows divided by their norms: those of
          scikit-learn's TfidfVectorizer(sublinear_tf=True, stop_words="english")
  BM25    log(1 + (N - df + 1/2) / (df + 1/2)) f (k + 1) / (f + k (1 - b + b |d| / mean |d|)),
          k = 1.2, b = 0.75, |d| the words of d that count; a query's word counts as often as it
          stands there
"""

import gzip
import os

import netCDF4
import numpy as np

from modules import need
from plancherel_io import InputError, characters, new_netcdf, unreadable

TRAIN, VALIDATION, TEST, NONE = range(4)
PARTS = {"train": TRAIN, "validation": VALIDATION, "dev": VALIDATION, "test": TEST, "-": TRAIN}
K, B = 1.2, 0.75


def lines(path, fields):
    """Rows of a table with tabs between so many fields, the last one taking what is left."""
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            row = line.rstrip("\r\n").split("\t", fields - 1)
            if row == [""]:
                continue
            if len(row) != fields:
                raise InputError(f"{path}:{number}: expected {fields} fields with tabs between")
            yield number, row


def once(path, rows):
    """{id: number}; an id that stands twice is an error."""
    index = {}
    for number, name in rows:
        if name in index:
            raise InputError(f"{path}:{number}: {name} stands twice")
        index[name] = len(index)
    return index


def read(documents, queries, judgements):
    """Ids and texts of documents, ids, parts and texts of queries, and (query, document, grade)."""
    texts = list(lines(documents, 2))
    asked = list(lines(queries, 3))
    if not texts or not asked:
        raise InputError(f"{queries if texts else documents}: empty")
    document = once(documents, ((n, row[0]) for n, row in texts))
    query = once(queries, ((n, row[0]) for n, row in asked))
    for number, row in asked:
        if row[1] not in PARTS:
            raise InputError(f"{queries}:{number}: part {row[1]}; expected one of {', '.join(PARTS)}")
    judged = {}
    for number, (q, d, grade) in lines(judgements, 3):
        if q not in query or d not in document:
            what, name = ("query", q) if q not in query else ("document", d)
            raise InputError(f"{judgements}:{number}: no {what} {name}")
        if not grade.lstrip("-").isdigit():
            raise InputError(f"{judgements}:{number}: grade {grade} is not an integer")
        pair = query[q], document[d]
        if judged.setdefault(pair, int(grade)) != int(grade):
            raise InputError(f"{judgements}:{number}: {q} and {d} have two grades")
    if not judged:
        raise InputError(f"{judgements}: empty")
    return (list(document), [row[1] for _, row in texts], list(query),
            [PARTS[row[1]] for _, row in asked], [row[2] for _, row in asked],
            [(*pair, grade) for pair, grade in sorted(judged.items())])


def weigh(texts, asked, features, least):
    """Counts and tf-idf, documents and queries, as sparse rows on the documents' vocabulary."""
    need("sklearn")
    from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

    counter = CountVectorizer(stop_words="english", max_features=features, min_df=least)
    try:
        counts = counter.fit_transform(texts)
    except ValueError as error:
        raise InputError(f"no vocabulary: {error}") from None
    weights = TfidfTransformer(sublinear_tf=True).fit(counts)
    other = counter.transform(asked)
    out = [counts, other, weights.transform(counts), weights.transform(other)]
    for m in out:
        m.sort_indices()
    return out


def bm25(counts):
    """Weights of the entries of counts (documents)."""
    n = counts.shape[0]
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    length = np.asarray(counts.sum(axis=1)).ravel()
    f = counts.data.astype(float)
    row = np.repeat(np.arange(n), np.diff(counts.indptr))
    idf = np.log(1 + (n - df + 0.5) / (df + 0.5))
    return idf[counts.indices] * f * (K + 1) / (f + K * (1 - B + B * length[row] / length.mean()))


def fold(split, folds, which, seed):
    """Cross-validation: part `which` of `folds` of a random order is the test part, the rest trains."""
    order = np.random.default_rng(seed).permutation(len(split))
    out = np.full(len(split), TRAIN)
    out[order[which::folds]] = TEST
    return out


def write(path, ids, query_ids, split, judged, weighed, history):
    """Whole or not at all."""
    counts, asked, tfidf, asked_tfidf = weighed
    if not counts.nnz or not asked.nnz:
        raise InputError("no text, or no query, has a word that counts")
    with new_netcdf(path) as nc:
        def put(name, kind, dims, values, what):
            for d, n in zip(dims, np.shape(values)):
                if d not in nc.dimensions:
                    nc.createDimension(d, n)
            var = nc.createVariable(name, kind, dims, fill_value=False)
            var.setncatts({"long_name": what, "units": "1"})
            var[:] = values

        nc.createDimension("feature", counts.shape[1])
        for what, m, values in (("document", counts, tfidf), ("query", asked, asked_tfidf)):
            put(f"{what}_start", "i8", (f"{what}_bound",), m.indptr, "first entry of each row")
            put(f"{what}_index", "i4", (f"{what}_entry",), m.indices, "feature of each entry")
            put(f"{what}_value", "f8", (f"{what}_entry",), values.data, "tf-idf")
        put("document_bm25", "f8", ("document_entry",), bm25(counts), "weight by BM25")
        put("query_count", "f8", ("query_entry",), asked.data, "how often the word stands there")
        put("judgement", "i4", ("judgements", "query_document"), [j[:2] for j in judged],
            "a query and a document that was judged for it")
        put("grade", "i4", ("judgements",), [j[2] for j in judged], "above 0: relevant")
        put("split", "i1", ("query",), split, "part: 0 training, 1 validation, 2 test, 3 none")
        put("document_id", "S1", ("document", "document_letter"), characters(ids),
            "identifier of each document")
        put("query_id", "S1", ("query", "query_letter"), characters(query_ids),
            "identifier of each query")
        nc.Conventions, nc.history = "CF-1.10", history


def convert(args, history):
    """As convert.py calls it; what to tell."""
    ids, texts, query_ids, split, asked, judged = read(args.file, args.queries, args.judgements)
    if args.folds:
        if not 0 <= args.fold < args.folds <= len(query_ids):
            raise InputError(f"--fold {args.fold} of --folds {args.folds}: expected 0 and up")
        split = fold(split, args.folds, args.fold, args.seed)
    weighed = weigh(texts, asked, args.vocabulary, args.min_documents)
    write(args.output, ids, query_ids, split, judged, weighed, history)
    relevant = {q for q, _, grade in judged if grade > 0}
    sizes = [sum(int(s) == p for s in split) for p in range(3)]
    return [f"{args.output}: {len(ids)} documents, {len(query_ids)} queries, "
            f"{weighed[0].shape[1]} words, {len(judged)} judgements",
            f"{sizes[0]} train, {sizes[1]} validation, {sizes[2]} test",
            f"{int((np.diff(weighed[0].indptr) == 0).sum())} documents and "
            f"{int((np.diff(weighed[1].indptr) == 0).sum())} queries without a word that counts, "
            f"{len(query_ids) - len(relevant)} queries without a relevant document"]


class Corpus:
    """A file of the format: dense features would be large, so rows stay sparse."""

    def __init__(self, path):
        if not os.path.exists(path):
            raise InputError(f"{path}: no such file")
        try:
            with netCDF4.Dataset(path) as nc:
                nc.set_auto_mask(False)
                self.v = {k: np.asarray(v[:]) for k, v in nc.variables.items()}
                self.features = len(nc.dimensions["feature"])
            self.documents, self.queries = len(self.v["document_start"]) - 1, len(self.v["query_start"]) - 1
            judged, grade = self.v["judgement"], self.v.get("grade")
        except (OSError, KeyError) as error:
            raise unreadable(path, error, "not a corpus") from None
        self.split = self.v.get("split", np.zeros(self.queries, int))
        self.relevant = [set() for _ in range(self.queries)]
        for k, (q, d) in enumerate(judged):
            if grade is None or grade[k] > 0:
                self.relevant[q].add(int(d))

    def rows(self, what, value):
        """A scipy.sparse matrix."""
        need("scipy")
        from scipy.sparse import csr_matrix
        n = self.documents if what == "document" else self.queries
        return csr_matrix((self.v[value], self.v[f"{what}_index"], self.v[f"{what}_start"]),
                          shape=(n, self.features))

    def ids(self, what):
        """Identifiers, or numbers where the file has none."""
        if f"{what}_id" not in self.v:
            return [str(i) for i in range(self.documents if what == "document" else self.queries)]
        return [b"".join(row).rstrip(b"\0 ").decode() for row in self.v[f"{what}_id"]]
