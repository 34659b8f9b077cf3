#!/usr/bin/env python3
"""Bring graphs, texts and instances of other formats into the laboratory's own (NetCDF), graphs
(include/graph/file.h):

  planetoid DIR/ind.cora       the pickles ind.cora.{x,tx,allx,y,ty,ally,graph} and test.index
  npz FILE.npz                 adj_data, adj_indices, .. (PPNP, GNN-LF/HF, Shchur); or edges,
                               node_features, node_labels, train_masks, .. (Platonov)
  edges FILE --nodes FILE      lines "u v [weight]"; lines "node label part features", features as
                               "3 17 20" (ones) or "3:0.5 17:2"; --splits: a line of t v e - a split
  mtx FILE.mtx                 Matrix Market coordinates, --features and --labels likewise
  molecules FILE.txt.gz        many graphs with a class each: the text of the graph-attribution
                               collection (include/nets/graph/data.h has what comes out)
  networkx FILE.graphml        also gml, gexf, net and paj (Pajek), g6, s6, edgelist, adjlist;
                               nodes named 0 .. n-1 keep their numbers, others get them in the order
                               in which they come first, and keep their names in node_name

or molecules (src/nets/points/README.md):

  xyz FILE.xyz ..              the numbers of a comment are properties; also QM9's extended XYZ
  qm7 FILE                     QM7 as text: m NAME ATOMS PBE0 DFTB, then "C x y z" (Angstrom)

or texts that are to be found (src/nets/retrieval/README.md):

  corpus DOCS.tsv QUERIES.tsv QRELS.tsv
                               lines "id text"; "id part text", part train, validation, test or -;
                               "query document grade", with tabs between

or hulls, triangulations, tours and orders of points (src/nets/sequence/README.md):

  pointer FILE.txt             lines "x1 y1 x2 y2 .. output i1 i2 ..", as they are published; of a
                               FILE.nc, made by plancherel data or apply, such lines are written

or samples as arrays, on a group or of features (analysis/arrays.py):

  arrays X.npy [Y.npy]         also CSV, with a header (y, split, names of elements) or the labels last;
                               --group S_4 for functions on a group

or images of characters (IDX files PREFIX-images-idx3-ubyte.gz, PREFIX-labels-idx1-short.gz):

  omniglot images_background   the original folders of drawings, ALPHABET/CHARACTER/*.png

Files may be packed with gzip.  Graphs become undirected: an edge listed both ways stands once.  What
was met goes to stderr.
"""

import argparse
import os
import sys

from modules import need

need("numpy", "xarray", "netCDF4")

import arrays  # noqa: E402
import corpus  # noqa: E402
import molecule_io  # noqa: E402
import molecules  # noqa: E402
import omniglot  # noqa: E402
import pointer_io  # noqa: E402
from graph_formats import edges, mtx, networkx, npz, planetoid  # noqa: E402
from graph_io import Sparse, check_nodes, draw_split, featureless, simplify, tell, write  # noqa: E402
from plancherel_io import InputError, OutputError, apart, main_guard, unreadable  # noqa: E402


def parser():
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("-o", "--output", required=True, metavar="OUT.nc")
    output.add_argument("--overwrite", action="store_true", help="replace OUT.nc")
    common = argparse.ArgumentParser(add_help=False, parents=[output])
    common.add_argument("--split", choices=["file", "planetoid"], default="file",
                        help="parts: those of the file, or drawn as Planetoid's (%(default)s)")
    for name, number, text in (("--seed", 0, "of --split planetoid"),
                               ("--per-class", 20, "nodes of each class to train on"),
                               ("--validation", 500, "nodes"), ("--test", 1000, "nodes")):
        common.add_argument(name, type=int, default=number, help=f"{text} (%(default)s)")
    common.add_argument("--self-loops", choices=["keep", "drop"], default="keep",
                        help="self-loops of the file (%(default)s)")
    common.add_argument("--duplicates", choices=["refuse", "largest", "sum"], default="refuse",
                        help="weight of an edge listed with different ones (%(default)s)")
    top = argparse.ArgumentParser(description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)
    formats = top.add_subparsers(dest="format", required=True, metavar="FORMAT")

    def add(read, *options):
        sub = formats.add_parser(read.__name__, parents=[common])
        sub.add_argument("file", metavar="FILE")
        for option, text in options:
            sub.add_argument(option, help=text)
        sub.set_defaults(read=read, convert=convert_graph)
        return sub

    add(planetoid)
    add(npz)
    add(edges, ("--nodes", "table of nodes"), ("--splits", "lines of letters t v e -"))
    add(mtx, ("--features", "FILE.mtx, nodes x features"), ("--labels", "a class for each node"))
    sub = add(networkx, ("--label", "attribute of nodes (label)"),
              ("--part", "attribute of nodes (split)"),
              ("--features", "attributes of nodes, separated by commas"))
    sub.add_argument("--weight", default="weight", help="attribute of edges (%(default)s)")
    for read in (molecule_io.xyz, molecule_io.qm7):
        sub = formats.add_parser(read.__name__, parents=[output])
        sub.add_argument("file", metavar="FILE")
        if read is molecule_io.xyz:
            sub.add_argument("more", nargs="*", metavar="FILE", help="more files")
        sub.set_defaults(read=read, convert=convert_points)
    sub = formats.add_parser("molecules", parents=[output])
    sub.add_argument("file", metavar="FILE")
    sub.set_defaults(convert=convert_molecules)
    images = formats.add_parser("omniglot", description=omniglot.__doc__)
    images.add_argument("file", metavar="FOLDER")
    images.add_argument("-o", "--output", required=True, metavar="PREFIX")
    images.add_argument("--overwrite", action="store_true", help="replace the files")
    images.add_argument("--test", metavar="ALPHABET,..",
                        help="alphabets whose characters come last, for test tasks")
    images.set_defaults(convert=omniglot.convert)
    sub = formats.add_parser("corpus", parents=[output])
    for name in ("file", "queries", "judgements"):
        sub.add_argument(name, metavar={"file": "DOCS.tsv", "queries": "QUERIES.tsv"}.get(
            name, "QRELS.tsv"))
    sub.add_argument("--vocabulary", type=int, metavar="N", help="the N most frequent words (all)")
    for name, number, text in (("--min-documents", 1, "documents that a word must stand in"),
                               ("--folds", 0, "cross-validation: parts of the queries"),
                               ("--fold", 0, ".. of which this one is for the test"),
                               ("--seed", 0, ".. in a random order")):
        sub.add_argument(name, type=int, default=number, help=f"{text} (%(default)s)")
    sub.set_defaults(convert=convert_corpus)
    sub = formats.add_parser("arrays", parents=[output], description=arrays.__doc__,
                             formatter_class=argparse.RawDescriptionHelpFormatter)
    sub.add_argument("file", metavar="X.npy|X.csv")
    sub.add_argument("labels", nargs="?", metavar="Y.npy|Y.csv")
    sub.add_argument("--group", metavar="SPEC", help="the columns are the elements of this group")
    sub.set_defaults(convert=convert_arrays)
    sub = formats.add_parser("pointer", parents=[output])
    sub.add_argument("file", metavar="FILE")
    sub.add_argument("--task", choices=pointer_io.TASKS, default="hull",
                     help="what the lines hold (%(default)s)")
    sub.add_argument("--part", choices=pointer_io.PARTS, default="train",
                     help="part that they become (%(default)s)")
    sub.set_defaults(convert=convert_pointer)
    return top


def convert_arrays(args):
    tell(arrays.convert(args))


def convert_molecules(args):
    counts = molecules.convert(args.file, args.output, "convert.py " + " ".join(sys.argv[1:]))
    tell(f"{args.output}: " + ", ".join(f"{n} {what}" for what, n in counts.items()))


def convert_corpus(args):
    for line in corpus.convert(args, "convert.py " + " ".join(sys.argv[1:])):
        tell(line)


def convert_points(args):
    found = args.read(args)
    names = molecule_io.write(args.output, found, "convert.py " + " ".join(sys.argv[1:]))
    tell(f"{args.output}: {len(found.sizes)} molecules, {len(found.number)} atoms of "
         f"{len(set(found.number))} elements, properties: {' '.join(names) or 'none'}")


def convert_pointer(args):
    """From text, or into it."""
    if args.file.endswith(".nc"):
        task, instances = pointer_io.read_nc(args.file)
        pointer_io.write_text(args.output, instances)
    else:
        task, instances = args.task, pointer_io.read_text(args.file, args.task)
        pointer_io.write_nc(args.output, task, instances, args.part,
                            "convert.py " + " ".join(sys.argv[1:]))
    sizes = sorted({len(x) for x, _ in instances})
    tell(f"{args.output}: {len(instances)} of {task}, {sizes[0]} to {sizes[-1]} points")


def convert_graph(args):
    graph = args.read(args)
    counts = simplify(graph, args.duplicates, args.self_loops)
    if args.split == "planetoid":
        graph.splits = draw_split(graph.label, args.per_class, args.validation, args.test, args.seed)
    check_nodes(graph)
    counts["nodes without features"] = featureless(graph)
    if isinstance(graph.features, Sparse) and not len(graph.features.data):
        graph.features = None
    return graph, counts


def main():
    args = parser().parse_args()
    if os.path.exists(args.output) and not args.overwrite:
        raise InputError(f"{args.output} exists already; use --overwrite to replace it")
    apart(args.output, [v for k, v in vars(args).items()
                        if k != "output" and isinstance(v, str) and os.path.isfile(v)])
    try:
        found = args.convert(args)
    except InputError as error:
        text = str(error)
        told = args.convert in (convert_corpus, omniglot.convert) or args.file in text
        raise InputError(text if told else f"{args.file}: {text}") from None
    except (OutputError, MemoryError):
        raise
    except OSError as error:
        name = os.fsdecode(error.filename or args.file)
        raise unreadable(name, error, f"not readable as {args.format}") from None
    except Exception as error:  # libraries that read foreign files raise what they like
        text = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"{args.file}: not readable as {args.format} ({text})") from None
    if args.convert is not convert_graph:
        return
    graph, counts = found
    write(args.output, graph, "convert.py " + " ".join(sys.argv[1:]))
    tell(f"{args.output}: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    if graph.names is not None:
        tell(f"nodes have other names than 0 .. {graph.nodes - 1}: numbered in the order in which they "
             "come first, names in node_name")
    if graph.splits is not None:
        sizes = [f"{(graph.splits[0] == p).sum()} {name}"
                 for p, name in enumerate(("train", "validation", "test", "none"))]
        tell(f"{len(graph.splits)} split(s), the first: " + ", ".join(sizes))


if __name__ == "__main__":
    main_guard(main)
