"""Dense retrieval end to end: metrics, lists and measures against computations of their own, phases,
files, and what is told of odd collections."""

import itertools
import subprocess
import sys

import netCDF4
import numpy as np
import pytest
import yaml

import pl_run

ANALYSIS = pl_run.ROOT / "analysis"
SMALL = {"data": dict(n=5, documents=50, clusters=10, samples=30, validation=10, test=20, noise=.6),
         "model": dict(kind="retrieval", width=6), "train.batch": 8, "steps": 20,
         "optimizer": dict(kind="adam", lr=.02), "record": dict(final=True, points=3)}


def sweep(folder, name="s", ranks=1, code=0, **keys):
    keys = {**SMALL, **keys}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys))
    return pl_run.run(["run", folder / f"{name}.yaml", "-q", "--overwrite", "-o",
                       folder / f"{name}.nc"], ranks=ranks, code=code)


def read(path):
    with netCDF4.Dataset(path) as nc:
        nc.set_auto_mask(False)
        return {k: np.asarray(v[:]) for k, v in nc.variables.items()}


def dense(d, what, value=None):
    start, index = d[f"{what}_start"], d[f"{what}_index"]
    features = 1 + max(d["document_index"].max(), d["query_index"].max())
    out = np.zeros((len(start) - 1, features))
    out[np.repeat(np.arange(len(out)), np.diff(start)), index] = d[value or f"{what}_value"]
    return out


def relevant(d):
    out = [set() for _ in range(len(d["query_start"]) - 1)]
    for k, (q, doc) in enumerate(d["judgement"]):
        if d.get("grade", np.ones(len(d["judgement"])))[k] > 0:
            out[q].add(int(doc))
    return out


def brute_force(score, wanted, top):
    """All metrics, by sorting every list."""
    best, recall, total, in_top, reciprocal = [], [], [], [], []
    for row, want in zip(score, wanted):
        if not want:
            continue
        order = sorted(range(len(row)), key=lambda d: (-row[d], d))
        ranks = [k for k, d in enumerate(order, 1) if d in want]
        best.append(ranks[0])
        reciprocal.append(1 / ranks[0] if ranks[0] <= 10 else 0)
        recall.append(sum(r <= 100 for r in ranks) / len(ranks))
        pairs = [(i, j) for i, j in itertools.product(range(len(order)), repeat=2)
                 if order[i] in want and order[j] not in want and j < i]
        total.append(len(pairs))
        in_top.append(sum(j < top for _, j in pairs))
    return dict(mrr10=np.mean(reciprocal), r100=np.mean(recall), rank_mean=np.mean(best),
                rank_median=np.median(best), pair_error_total=np.mean(total),
                pair_error_topk=np.mean(in_top))


def write_corpus(path, documents, queries, judged, features=9, split=None, **more):
    """documents, queries: lists of {feature: value}."""
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        def put(name, kind, dims, values):
            for dim, n in zip(dims, np.shape(values)):
                if dim not in nc.dimensions:
                    nc.createDimension(dim, n)
            nc.createVariable(name, kind, dims)[:] = values
        nc.createDimension("feature", features)
        for what, rows in (("document", documents), ("query", queries)):
            put(f"{what}_start", "i8", (f"{what}_bound",), np.cumsum([0, *map(len, rows)]))
            put(f"{what}_index", "i4", (f"{what}_entry",), [k for r in rows for k in sorted(r)])
            put(f"{what}_value", "f8", (f"{what}_entry",), [r[k] for r in rows for k in sorted(r)])
        put("judgement", "i4", ("judgements", "two"), judged)
        if split is not None:
            put("split", "i1", ("query",), split)
        for name, (kind, dims, values) in more.items():
            put(name, kind, dims, values)


def random_corpus(path, documents=130, queries=24, seed=0, **more):
    """Up to three relevant documents a query; equal documents; a query without any; an empty one."""
    rng = np.random.default_rng(seed)
    rows = [{int(k): float(rng.integers(1, 3)) for k in
             rng.choice(9, rng.integers(1, 5), replace=False)} for _ in range(documents + queries)]
    rows[7] = rows[3]
    rows[11] = {}
    judged = [(q, int(d)) for q in range(queries - 1) for d in
              rng.choice(documents, rng.integers(1, 4), replace=False)]
    write_corpus(path, rows[:documents], rows[documents:], judged,
                 split=np.arange(queries) % 3, **more)


# ---- metrics, lists and rankings ----


@pytest.mark.parametrize("kind", ["permutations", "corpus"])
def test_metrics_are_those_of_brute_force(tmp_path, kind):
    keys = dict(retrieval=dict(negatives="random", top=9))
    if kind == "corpus":
        random_corpus(tmp_path / "d.nc")
        keys["data"] = dict(kind="corpus", path=str(tmp_path / "d.nc"))
    sweep(tmp_path, **keys)
    if kind == "permutations":
        pl_run.run(["data", tmp_path / "s.yaml", "-o", tmp_path / "d.nc"])
    pl_run.run(["apply", tmp_path / "s.nc.final/run-000000.nc", tmp_path / "d.nc", "-o",
                tmp_path / "p.nc"])
    d, p, out = read(tmp_path / "d.nc"), read(tmp_path / "p.nc"), read(tmp_path / "s.nc")
    w = read(tmp_path / "s.nc.final/run-000000.nc")
    q, e = (dense(d, what) @ w[f"{what}_layer0_weight"] for what in ("query", "document"))
    np.testing.assert_allclose(p["query_embedding"], q, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(p["document_embedding"], e, rtol=1e-12, atol=1e-14)
    score = np.round(q @ e.T, 12)  # equal documents have equal scores
    wanted = relevant(d)
    for part, name in enumerate(["train", "validation", "test"]):
        rows = np.flatnonzero(d["split"] == part)
        want = brute_force(score[rows], [wanted[k] for k in rows], 9)
        for metric, value in want.items():
            assert out[f"{name}_{metric}"][0, -1] == pytest.approx(value, rel=1e-12), (name, metric)
    for metric, value in brute_force(score, wanted, 9 if kind == "x" else len(e)).items():
        if metric != "pair_error_topk":
            assert p[metric] == pytest.approx(value, rel=1e-12)
    for row, ranking, told in zip(score, p["ranking"], p["score"]):
        assert ranking.tolist() == sorted(range(len(row)), key=lambda k: (-row[k], k))
        np.testing.assert_allclose(told, row[ranking], atol=1e-11)


def test_ranks_agree_to_the_last_bit(tmp_path):
    """Training, records and predictions; 2000 documents are four blocks, of which short lists are
    searched in single precision first, but for the last of four ranks."""
    data = dict(SMALL["data"], n=7, documents=2000, clusters=100)
    for ranks in (1, 2, 4):
        sweep(tmp_path, f"r{ranks}", ranks, data=data, **{"mapping.team": ranks},
              retrieval=dict(negatives="adore", top=2, warmup=6))
    pl_run.run(["data", tmp_path / "r1.yaml", "-o", tmp_path / "d.nc"])
    for ranks in (1, 2, 4):
        pl_run.run(["apply", tmp_path / f"r{ranks}.nc.final/run-000000.nc", tmp_path / "d.nc", "-o",
                    tmp_path / f"p{ranks}.nc"], ranks=ranks)
    for kind in "rp":
        one = read(tmp_path / f"{kind}1.nc")
        for ranks in (2, 4):
            other = read(tmp_path / f"{kind}{ranks}.nc")
            for name, value in one.items():
                if name not in ("wall_time", "ranks", "memory", "mapping_team"):
                    assert value.tobytes() == other[name].tobytes(), (kind, ranks, name)


# ---- phases ----


def test_phases_chain(tmp_path):
    """ADORE on STAR on a warm-up: each begins where the one before ended, documents rest in the last,
    and lists that are made once are those of the start."""
    final = tmp_path / "{}.nc.final/run-000000.nc"
    sweep(tmp_path, "warm", model=dict(SMALL["model"], shared=True))
    sweep(tmp_path, "star", retrieval=dict(negatives="star", top=9, start=str(final).format("warm")))
    sweep(tmp_path, "adore", retrieval=dict(negatives="adore", top=9,
                                            start=str(final).format("star")))
    warm, star, adore = (read(str(final).format(n)) for n in ("warm", "star", "adore"))
    assert list(warm) == ["layer0_weight"]
    assert (star["document_layer0_weight"] == adore["document_layer0_weight"]).all()
    assert not (star["query_layer0_weight"] == adore["query_layer0_weight"]).any()
    for a, b in (("warm", "star"), ("star", "adore")):
        before, after = read(tmp_path / f"{a}.nc"), read(tmp_path / f"{b}.nc")
        for name in ("train_mrr10", "test_rank_mean", "test_pair_error_total"):
            assert after[name][0, 0] == before[name][0, -1]
        assert after["static_overlap"][0, 0] == 1 > after["static_overlap"][0, -1]


def test_overlap_and_distances(tmp_path):
    """static_overlap, the distances of what is listed and the weights by rank, from embeddings."""
    keys = dict(retrieval=dict(negatives="adore", top=9, warmup=0), record=dict(final=True, points=2),
                loss="exponential")
    sweep(tmp_path, "start", **keys, steps=1, optimizer=dict(lr=1e-300))
    sweep(tmp_path, "end", **keys, steps=40)
    pl_run.run(["data", tmp_path / "end.yaml", "-o", tmp_path / "d.nc"])
    d, out, wanted = read(tmp_path / "d.nc"), read(tmp_path / "end.nc"), None
    wanted, lists = relevant(d), []
    for name in ("start", "end"):
        w = read(tmp_path / f"{name}.nc.final/run-000000.nc")
        q, e = (dense(d, what) @ w[f"{what}_layer0_weight"] for what in ("query", "document"))
        lists.append((np.argsort(-(q @ e.T), 1, "stable")[:30, :9], q @ e.T))
    share = np.mean([len(set(a) & set(b)) / 9 for a, b in zip(lists[0][0], lists[1][0])])
    assert out["static_overlap"][0, -1] == pytest.approx(share)
    # Order signs are the last 10 features: two permutations differ in as many as they are apart.
    signs = np.sign(dense(d, "document")[:, 25:])
    implicit, ranked, cosine, count = np.zeros(9), np.zeros(9), [], 0
    for row, score, want in zip(lists[1][0], lists[1][1], wanted):
        listed = [*row, *(sorted(want) if not want & set(row) else [])]
        mine = [i for i, doc in enumerate(listed) if doc in want]
        pairs = [(i, j) for i in mine for j in range(len(listed)) if j not in mine]
        a = np.array([np.exp(score[listed[j]] - score[listed[i]]) for i, j in pairs])
        b = np.array([abs(1 / (i + 1) - 1 / (j + 1)) for i, j in pairs])
        for k, (_, j) in enumerate(pairs):
            implicit[j] += a[k] / a.sum()
            ranked[j] += b[k] / b.sum()
        cosine.append(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
        count += 1
    np.testing.assert_allclose(out["implicit_weight"][0, -1], implicit / count, rtol=1e-9)
    np.testing.assert_allclose(out["rank_weight"][0, -1], ranked / count, rtol=1e-9)
    assert out["weight_cosine"][0, -1] == pytest.approx(np.mean(cosine), rel=1e-9)
    # A query is at most one swap from what it is to find.
    got = out["negative_distance"][0, -1]
    assert (got == out["top_distance"][0, -1]).all() and got.sum() == pytest.approx(1)
    far = [(signs[x] != signs[y]).sum() for row, want in zip(lists[1][0], wanted)
           for x in row for y in want if x not in want]
    assert abs((got * np.arange(11)).sum() - np.mean(far)) <= 1


def test_random_negatives_are_everything(tmp_path):
    sweep(tmp_path, retrieval=dict(negatives="random", top=9))
    out = read(tmp_path / "s.nc")
    mean = (out["negative_distance"][0, -1] * out["kendall_distance"]).sum()
    assert abs(mean - 5) < .6  # half of 5 * 4 / 2, were the documents all of S_5
    assert np.isfinite(out["static_overlap"][0]).all()


# ---- irreps ----


def test_blocks_of_an_equivariant_encoder(tmp_path):
    """M = X^+ K X^+T with K(p, q) = f(p q^-1), in the features X of all of S_5, is equivariant: no
    block off the diagonal, no defect.  R is found from queries without noise."""
    data = dict(n=5, documents=60, clusters=60, swaps=6, moves=0, noise=0, noisy=0, samples=300)
    keys = dict(data=data, model=dict(kind="retrieval", width=35), retrieval=dict(top=5))
    sweep(tmp_path, "some", **keys)
    pl_run.run(["data", tmp_path / "some.yaml", "-o", tmp_path / "d.nc"])
    d = read(tmp_path / "d.nc")
    x, y = dense(d, "document")[d["judgement"][:, 1]], dense(d, "query")[d["judgement"][:, 0]]
    turn = (np.linalg.pinv(x, 1e-9) @ y).T  # R on the span of the documents' features
    assert np.abs(x @ turn.T - y).max() < 1e-12
    group = list(itertools.permutations(range(5)))

    def features(p):
        matrix = [(p[j] == i) - .2 for i in range(5) for j in range(5)]
        return np.array(matrix + [1 if p[j] > p[i] else -1 for i in range(5)
                                  for j in range(i + 1, 5)]) / np.sqrt(14)
    full = np.array([features(p) for p in group])
    for row in x[:20]:
        assert np.abs(full - row).sum(1).min() < 1e-12
    # 4 x 4 of the matrix, 4 + 6 of the signs, of which 4 are functions of the matrix.
    assert np.linalg.matrix_rank(full) == np.linalg.matrix_rank(x, 1e-9) == 22
    rng = np.random.default_rng(0)
    f = dict(zip(group, rng.standard_normal(120)))
    kernel = np.array([[f[tuple(p[q.index(i)] for i in range(5))] for q in group] for p in group])
    inverse = np.linalg.pinv(full, 1e-9)
    for name, m in (("equal", inverse @ kernel @ inverse.T), ("other", rng.standard_normal((35, 35)))):
        write_weights(tmp_path / f"{name}-w.nc", turn @ m, np.eye(35))
        sweep(tmp_path, name, **{**keys, "model": dict(keys["model"], init=dict(
            kind="file", path=str(tmp_path / f"{name}-w.nc")))}, steps=1, optimizer=dict(lr=1e-300))
    equal, other = read(tmp_path / "equal.nc"), read(tmp_path / "other.nc")
    labels = [(str(a), str(b)) for a, b in zip(texts(equal["encoder_block_query"]),
                                               texts(equal["encoder_block_document"]))]
    assert labels == [("4,1", "4,1"), ("4,1", "3,1,1"), ("3,1,1", "4,1"), ("3,1,1", "3,1,1")]
    off = np.array([a != b for a, b in labels])
    energy = equal["encoder_block_energy"][0, 0]
    assert energy[off].max() < 1e-20 and energy.sum() == pytest.approx(1)
    assert equal["equivariance_defect"][0, 0] < 1e-10 < .1 < other["equivariance_defect"][0, 0]
    assert other["encoder_block_energy"][0, 0][off].min() > .01
    sigma, block = equal["encoder_singular_values"][0, 0], equal["encoder_sv_block"]
    squares = np.array([(sigma[block == b]**2).sum() for b in range(4)])
    np.testing.assert_allclose(squares / squares.sum(), energy, atol=1e-14)
    # Each singular value of an equivariant block comes as often as the irrep is large.
    np.testing.assert_allclose(sigma[block == 0][:8].reshape(2, 4).std(1), 0, atol=1e-9)
    np.testing.assert_allclose(sigma[block == 3], sigma[block == 3][0], rtol=1e-9)


def texts(v):
    return [b"".join(row).decode().strip("\0 ") if v.dtype.kind == "S" else row for row in v]


def write_weights(path, query, document):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, value in (("query_layer0_weight", query), ("document_layer0_weight", document)):
            for k, n in enumerate(value.shape):
                nc.createDimension(f"{name}_{k}", n)
            nc.createVariable(name, "f8", [f"{name}_{k}" for k in (0, 1)])[:] = value


# ---- collections ----


def test_data_goes_out_and_in(tmp_path):
    keys = dict(retrieval=dict(negatives="star", top=9, warmup=5))
    sweep(tmp_path, **keys)
    pl_run.run(["data", tmp_path / "s.yaml", "-o", tmp_path / "d.nc"])
    for kind in ("corpus", "file"):
        sweep(tmp_path, kind, data=dict(kind=kind, path=str(tmp_path / "d.nc")), **keys)
        a, b = read(tmp_path / "s.nc"), read(tmp_path / f"{kind}.nc")
        assert all((a[k] == b[k]).all() for k in ("loss", "train_mrr10", "test_rank_mean"))


def test_odd_collections_are_told(tmp_path):
    """A query without a relevant document, an empty document, an empty query, a list that is longer
    than the corpus."""
    documents, queries = [{0: 1., 3: 2.}, {}, {2: 1.}], [{0: 1.}, {}, {2: 1.}]
    write_corpus(tmp_path / "d.nc", documents, queries, [(0, 0), (1, 1)])
    data = dict(kind="corpus", path=str(tmp_path / "d.nc"))
    told = sweep(tmp_path, data=data, retrieval=dict(top=3)).stderr
    for line in ("1 queries have no relevant document and are left out",
                 "1 documents have no features", "1 queries have no features"):
        assert line in told, told
    told = sweep(tmp_path, data=data, retrieval=dict(top=4), code=2).stderr
    assert "retrieval.top: lists of 4, and the corpus has 3 documents" in told
    write_corpus(tmp_path / "d.nc", documents, queries, [(0, 0)], split=[1, 0, 0])
    told = sweep(tmp_path, data=data, retrieval=dict(top=3), code=2).stderr
    assert "no query of the training part has a relevant document" in told


BAD = {
    "document_start[1] is 9": dict(document_start=("i8", ("document_bound",), [0, 9, 3, 3])),
    "judgement[1] is 7": dict(judged=[(0, 7)]),
    "judgement[0] is -1": dict(judged=[(-1, 0)]),
    "split[2] is 4": dict(split=[0, 0, 4]),
    "document_index[1] is 9": dict(document_index=("i4", ("document_entry",), [0, 9, 2])),
    "document_index[1] is 0": dict(document_index=("i4", ("document_entry",), [0, 0, 2])),
    "expected a dimension feature": dict(features=0),
    "no variable": dict(drop="judgement"),
}


@pytest.mark.parametrize("says", BAD)
def test_bad_files(tmp_path, says):
    change = dict(BAD[says])
    keys = dict(judged=[(0, 0), (1, 1)], split=[0, 0, 1])
    keys.update({k: change.pop(k) for k in ("judged", "split") if k in change})
    write_corpus(tmp_path / "d.nc", [{0: 1., 3: 2.}, {}, {2: 1.}], [{0: 1.}, {1: 1.}, {2: 1.}],
                 **keys)
    with netCDF4.Dataset(tmp_path / "d.nc", "a") as nc:
        if change.pop("features", 1) == 0:
            nc.renameDimension("feature", "other")
        if "drop" in change:
            nc.renameVariable(change.pop("drop"), "unused")
        for name, (_, _, values) in change.items():
            nc[name][:] = values
    told = sweep(tmp_path, data=dict(kind="corpus", path=str(tmp_path / "d.nc")),
                 retrieval=dict(top=2), code=2).stderr
    assert says in told and "data.path" in told and told.count("\n") == 1, told


@pytest.mark.parametrize("keys, says", [
    (dict(retrieval=dict(negatives="static")), "retrieval.start, retrieval.warmup, or"),
    (dict(retrieval=dict(negatives="adore"), model=dict(kind="retrieval", shared=True)),
     "adore freezes the encoder of documents"),
    (dict(retrieval=dict(first=9, top=5)), "the window begins behind retrieval.top"),
    (dict(retrieval=dict(lists="bm25", negatives="static", top=5)), "has no BM25"),
    (dict(retrieval=dict(start="nowhere.nc", top=5)), "nowhere.nc"),
    (dict(retrieval=dict(top=5), optimizer=dict(kind="flow")), "flow needs one objective"),
    (dict(data=dict(n=3, documents=4, clusters=2)), "half of them at most"),
    (dict(retrieval=dict(top=51)), "the corpus has 50 documents"),
])
def test_bad_keys(tmp_path, keys, says):
    told = sweep(tmp_path, code=2, **keys).stderr
    assert says in told and told.count("\n") == 1, told


# ---- texts ----


DOCS = """d1\tthe wing of a plane carries the plane
d2\ta bird has wings and a wing has feathers feathers
d3\tof the and
d4\tplane engine noise at the engine
d5\tfeathers keep the bird warm
"""
QUERIES = "q1\ttrain\tplane wing\nq2\ttest\tbird feathers feathers\nq3\t-\tengine\nq4\ttrain\tzebra\n"
QRELS = "q1\td1\t2\nq1\td4\t1\nq2\td5\t1\nq3\td4\t3\nq3\td1\t0\nq4\td2\t1\n"


def convert(folder, *args, code=0):
    for name, text in (("docs", DOCS), ("queries", QUERIES), ("qrels", QRELS)):
        path = folder / f"{name}.tsv"
        if not path.exists():
            path.write_text(text)
    done = subprocess.run([sys.executable, ANALYSIS / "convert.py", "corpus", folder / "docs.tsv",
                           folder / "queries.tsv", folder / "qrels.tsv", "-o", folder / "c.nc",
                           "--overwrite", *args], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stderr


def test_texts(tmp_path):
    """Weights by their formulas, lists by BM25, the tables and a TREC run."""
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: no corpora of texts")
    told = convert(tmp_path)
    assert "1 documents and 1 queries without a word that counts" in told
    d = read(tmp_path / "c.nc")
    words = ["bird", "carries", "engine", "feathers", "noise", "plane", "warm", "wing", "wings"]
    bags = [line.split("\t")[-1].split() for line in (DOCS + QUERIES).splitlines()]
    count = np.array([[bag.count(w) for w in words] for bag in bags], float)
    df = (count[:5] > 0).sum(0)
    weight = np.where(count > 0, 1 + np.log(np.maximum(count, 1)), 0) * (1 + np.log(6 / (1 + df)))
    weight /= np.maximum(np.linalg.norm(weight, axis=1, keepdims=True), 1e-300)
    np.testing.assert_allclose(np.vstack([dense(d, "document"), dense(d, "query")]), weight, rtol=1e-12)
    length = count[:5].sum(1, keepdims=True)
    bm25 = np.log(1 + (5 - df + .5) / (df + .5)) * count[:5] * 2.2 / (
        count[:5] + 1.2 * (.25 + .75 * length / length.mean()))
    np.testing.assert_allclose(dense(d, "document", "document_bm25"), bm25, rtol=1e-12)
    score = count[5:] @ bm25.T
    # static with BM25's list of one: the one negative of q1 (d1 first, relevant) is none; q3: d4.
    keys = dict(data=dict(kind="corpus", path=str(tmp_path / "c.nc")), steps=3)
    sweep(tmp_path, **keys, retrieval=dict(negatives="static", lists="bm25", top=5, draws=64))
    out = read(tmp_path / "s.nc")
    listed = [[k for k in np.argsort(-row, kind="stable") if row[k] > 0] for row in score]
    first = read(tmp_path / "s.nc.final/run-000000.nc")
    assert first["query_layer0_weight"].shape[0] == len(words)
    share = np.mean([len(listed[q]) / 5 for q in (0, 2, 3)])  # all documents are in a list of 5
    assert out["static_overlap"][0, 0] == pytest.approx(share)
    pl_run.run(["apply", tmp_path / "s.nc.final/run-000000.nc", tmp_path / "c.nc", "-o",
                tmp_path / "p.nc"])
    command = [sys.executable, ANALYSIS / "retrieval.py"]
    table = subprocess.run([*command, "table", tmp_path / "c.nc", tmp_path / "p.nc"], text=True,
                           capture_output=True, check=True).stdout.splitlines()
    wanted = relevant(d)
    for line, scores in ((1, dense(d, "query") @ dense(d, "document").T), (2, score)):
        want = brute_force(np.round(scores, 12), wanted, 5)
        assert table[line].split()[-2:] == [f"{want['mrr10']:.3f}", f"{want['r100']:.3f}"]
    assert float(table[3].split()[-2]) == pytest.approx(float(read(tmp_path / "p.nc")["mrr10"]), abs=6e-4)
    run = subprocess.run([*command, "trec", tmp_path / "c.nc", tmp_path / "p.nc", "--part", "test"],
                         text=True, capture_output=True, check=True).stdout.splitlines()
    p = read(tmp_path / "p.nc")
    assert [line.split()[:4] for line in run] == [
        ["q2", "Q0", f"d{doc + 1}", str(k + 1)] for k, doc in enumerate(p["ranking"][1])]


def test_folds(tmp_path):
    """Every query is in the test part of one fold."""
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: no corpora of texts")
    tests = []
    for k in range(3):
        convert(tmp_path, "--folds", "3", "--fold", str(k))
        tests.append(read(tmp_path / "c.nc")["split"] == 2)
    assert (np.sum(tests, axis=0) == 1).all()


@pytest.mark.parametrize("name, text, says", [
    ("qrels", "q1\td9\t1\n", "qrels.tsv:1: no document d9"),
    ("qrels", "q1\td1\n", "qrels.tsv:1: expected 3 fields"),
    ("qrels", "q1\td1\tyes\n", "qrels.tsv:1: grade yes"),
    ("docs", "d1\ta\nd1\tb\n", "docs.tsv:2: d1 stands twice"),
    ("queries", "q1\tlater\tplane\n", "queries.tsv:1: part later"),
])
def test_bad_texts(tmp_path, name, text, says):
    (tmp_path / f"{name}.tsv").write_text(text)
    told = convert(tmp_path, code=2)
    assert says in told and told.count("\n") == 1, told
