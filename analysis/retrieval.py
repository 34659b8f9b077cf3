#!/usr/bin/env python3
"""Rankings of a collection (analysis/convert.py corpus): by words, and by networks that
`plancherel apply` was run with.

  retrieval.py table CORPUS.nc [OUT.nc ..]     MRR@10 and R@100 of tf-idf, BM25, each network, and
                                               each network and tf-idf together
  retrieval.py trec CORPUS.nc OUT.nc           the network's rankings as a TREC run, to stdout:
                                               query Q0 document rank score tag

"Together" adds the two scores of a query, each less its mean and over its standard deviation among
all documents.  Equal scores stand by document number.
"""

import argparse
import os

from modules import need

need("numpy", "xarray", "netCDF4")

import netCDF4  # noqa: E402
import numpy as np  # noqa: E402

from corpus import NONE, PARTS, Corpus  # noqa: E402
from plancherel_io import InputError, main_guard, unreadable  # noqa: E402


def read_output(path, corpus, names):
    if not os.path.exists(path):
        raise InputError(f"{path}: no such file")
    try:
        with netCDF4.Dataset(path) as nc:
            nc.set_auto_mask(False)
            sizes = [len(nc.dimensions[d]) for d in ("query", "document")]
            values = [np.asarray(nc[n][:]) for n in names]
    except (OSError, KeyError, IndexError) as error:
        raise unreadable(path, error, "not an output of plancherel apply") from None
    if sizes != [corpus.queries, corpus.documents]:
        raise InputError(f"{path}: {sizes[0]} queries and {sizes[1]} documents, and the corpus has "
                         f"{corpus.queries} and {corpus.documents}")
    return values


def by_words(corpus, document, query, rows):
    """Scores [rows][documents]."""
    q = corpus.rows("query", query)[rows]
    return (q @ corpus.rows("document", document).T).toarray()


def standard(score):
    spread = score.std(axis=1, keepdims=True)
    return (score - score.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)


def metrics(score, relevant, depth=10, recall=100):
    """MRR@depth and R@recall over queries that have a relevant document."""
    reciprocal, found = [], []
    for row, wanted in zip(score, relevant):
        if not wanted:
            continue
        order = np.lexsort((np.arange(len(row)), -row))[:max(depth, recall)].tolist()
        place = next((k for k, d in enumerate(order[:depth], 1) if d in wanted), None)
        reciprocal.append(1 / place if place else 0)
        found.append(len(wanted.intersection(order[:recall])) / len(wanted))
    return np.mean(reciprocal), np.mean(found)


def table(args, corpus):
    rows = np.flatnonzero(corpus.split == PARTS[args.part] if args.part else corpus.split != NONE)
    relevant = [corpus.relevant[q] for q in rows]
    if not any(relevant):
        raise InputError(f"{args.corpus}: no query of the part has a relevant document; see --part")
    tfidf = by_words(corpus, "document_value", "query_value", rows)
    scores = [("tf-idf", tfidf)]
    if "document_bm25" in corpus.v:
        scores.append(("BM25", by_words(corpus, "document_bm25", "query_count", rows)))
    for path in args.outputs:
        q, d = read_output(path, corpus, ("query_embedding", "document_embedding"))
        dense = q[rows] @ d.T
        scores += [(path, dense), (f"{path} + tf-idf", standard(dense) + standard(tfidf))]
    rows = [(name, *metrics(score, relevant)) for name, score in scores]
    print(f"{'':44} MRR@10  R@100")
    for row in rows:
        print("{:44} {:6.3f} {:6.3f}".format(*row))


def trec(args, corpus):
    ranking, score = read_output(args.outputs[0], corpus, ("ranking", "score"))
    queries, documents = corpus.ids("query"), corpus.ids("document")
    for q in range(corpus.queries):
        if args.part and corpus.split[q] != PARTS[args.part]:
            continue
        for k, d in enumerate(ranking[q]):
            if d >= 0:
                print(f"{queries[q]} Q0 {documents[d]} {k + 1} {score[q, k]:.17g} {args.tag}")


def main():
    top = argparse.ArgumentParser(description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for run, outputs in ((table, "*"), (trec, 1)):
        sub = commands.add_parser(run.__name__)
        sub.add_argument("corpus", metavar="CORPUS.nc")
        sub.add_argument("outputs", metavar="OUT.nc", nargs=outputs)
        sub.add_argument("--part", choices=["train", "validation", "test"], help="queries (all)")
        sub.set_defaults(run=run)
    sub.add_argument("--tag", default="plancherel", help="last word of a line (%(default)s)")
    args = top.parse_args()
    args.run(args, Corpus(args.corpus))


if __name__ == "__main__":
    main_guard(main)
