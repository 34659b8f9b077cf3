"""Files of rankings: their spectral analysis against sums over the group in numpy, samples of ballots
drawn again here (Philox included), bad input."""

import itertools
import subprocess
import sys
from math import factorial, sqrt

import netCDF4
import numpy as np
import pytest
import xarray

import pl_run
from reference import symmetric
from test_ranks import Sweep
from test_reference import sweep, text, write_filters

NAMES = ["Anna", "Bo", "Cléo", "D. D.", "Eve", "Finn"]


def ballots(n, count, seed):
    """Orders, best first, from 1; the first items are liked more, some orders come again."""
    rng = np.random.default_rng(seed)
    likes = rng.gumbel(size=(count, n)) - 0.5 * np.arange(n)
    return [tuple(row) for row in np.argsort(-likes, axis=1) + 1]


def soc(path, orders, names=NAMES):
    """A PrefLib file, commonest order first."""
    unique = sorted(set(orders), key=orders.count, reverse=True)
    n = len(orders[0])
    lines = [f"# FILE NAME: {path.name}", "# DATA TYPE: soc", f"# NUMBER ALTERNATIVES: {n}",
             f"# NUMBER VOTERS: {len(orders)}", f"# NUMBER UNIQUE ORDERS: {len(unique)}"]
    lines += [f"# ALTERNATIVE NAME {i + 1}: {names[i]}" for i in range(n)]
    lines += [f"{orders.count(o)}: {','.join(map(str, o))}" for o in unique]
    path.write_text("\n".join(lines) + "\n")
    return path


def ranks(order):
    """pi in one-line notation: the rank of item 1, of item 2, .."""
    return tuple(order.index(i + 1) + 1 for i in range(len(order)))


def function(n, orders):
    number = {p: k for k, p in enumerate(itertools.permutations(range(1, n + 1)))}
    return np.bincount([number[ranks(o)] for o in orders], minlength=factorial(n)).astype(float)


def as_netcdf(path, n, f):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        nc.group = f"S_{n}"
        nc.createDimension("element", len(f))
        nc.createVariable("f", "f8", ("element",))[:] = f
    return path


def parts(done):
    """The blocks of the output, lists of lines."""
    return [block.splitlines() for block in done.stdout.rstrip().split("\n\n")]


# ---- fourier ----


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_fourier_is_that_of_the_counts(n, tmp_path):
    """The same coefficients and energies as for the function in a NetCDF file."""
    orders = ballots(n, 70, n)
    f = function(n, orders)
    a = pl_run.run(["fourier", soc(tmp_path / "r.soc", orders), "-o", tmp_path / "a.nc"])
    b = pl_run.run(["fourier", as_netcdf(tmp_path / "f.nc", n, f), "-o", tmp_path / "b.nc"])
    ours, theirs = parts(a), parts(b)
    assert ours[0][0] == theirs[0][0] + "\tratio"
    assert [line.rsplit("\t", 1)[0] for line in ours[0][1:]] == theirs[0][1:]
    assert ours[1] == theirs[1]
    for line in ours[0][1:]:
        _, d, energy, _, ratio = line.split("\t")
        mean = 70**2 if line == ours[0][1] else 70 * int(d)**2
        assert float(ratio) == pytest.approx(float(energy) * factorial(n) / mean, rel=1e-5)
    with netCDF4.Dataset(tmp_path / "a.nc") as x, netCDF4.Dataset(tmp_path / "b.nc") as y:
        assert (x["coefficient_real"][:] == y["coefficient_real"][:]).all()
        effect = [[sum(ranks(o)[i] == j for o in orders) - 70 / n for j in range(1, n + 1)]
                  for i in range(n)]
        np.testing.assert_allclose(x["first_order_effect"][:], effect, atol=1e-12)
        assert all(v.long_name and v.units for v in x.variables.values())
    with xarray.open_dataset(tmp_path / "a.nc") as ds:
        assert text(ds.item) == NAMES[:n]


def test_effects_are_named(tmp_path):
    """Every effect on five items, each beside its event by name, against projections in numpy."""
    n, count = 5, 200
    orders = ballots(n, count, 3)
    f, g = function(n, orders), symmetric(n)
    done = pl_run.run(["fourier", soc(tmp_path / "r.soc", orders), "--effects", "1000"])
    blocks = {block[0]: block for block in parts(done)}
    # Spaces spanned by indicators: of items at ranks, and of pairs; parts by Gram-Schmidt.
    pi = np.array(list(itertools.permutations(range(n))))
    pairs = list(itertools.combinations(range(n), 2))
    first = [pi[:, a] == j for a in range(n) for j in range(n)]
    unordered = [np.isin(pi[:, [a, b]], (j, k)).all(axis=1) for a, b in pairs for j, k in pairs]
    ordered = [(pi[:, a] == j) & (pi[:, b] == k) for a, b in itertools.permutations(range(n), 2)
               for j, k in pairs]
    below, kinds = np.full((len(f), 1), 1 / sqrt(len(f))), {}
    for title, events in [("first-order effects (irrep 4,1)", first),
                          ("second-order effects, unordered pairs (irrep 3,2)", unordered),
                          ("second-order effects, ordered pairs (irrep 3,1,1)", ordered)]:
        span = np.array(events, float).T
        u, s, _ = np.linalg.svd(span - below @ (below.T @ span), full_matrices=False)
        part = u[:, s > 1e-9 * s[0]]
        below = np.hstack([below, part])
        kinds[title] = (part @ (part.T @ f), part @ (part.T @ span[:, 0]))
    number = {name: i for i, name in enumerate(NAMES[:n])}
    for title, (projection, indicator) in kinds.items():
        block = blocks[f"Largest {title}"]
        sd = sqrt(count / g.order) * np.linalg.norm(indicator)
        seen = set()
        for line in block[2:]:
            z, effect, words = line.split(None, 2)
            if "first" in title:
                name, j = words.rsplit(" at rank ", 1)
                event = pi[:, number[name]] == int(j) - 1
            elif "unordered" in title:
                who, where = words.removesuffix(" in either order").split(" at ranks ")
                a, b = (number[name] for name in who.split(" and "))
                event = np.isin(pi[:, [a, b]], [int(r) - 1 for r in where.split(" and ")]).all(axis=1)
            else:
                one, two = words.removesuffix(", not the reverse").split(" and ")
                event = True
                for place in (one, two):
                    name, j = place.rsplit(" at rank ", 1)
                    event &= pi[:, number[name]] == int(j) - 1
                assert float(effect) > 0
            want = projection @ event
            seen.add(event.tobytes())
            assert float(effect) == pytest.approx(want, abs=0.051)
            assert float(z) == pytest.approx(want / sd, abs=0.0051)
        assert len(seen) == len(block) - 2 > 20
        sizes = [abs(float(line.split()[1])) for line in block[2:]]
        assert sizes == sorted(sizes, reverse=True)
    table = next(b for t, b in blocks.items() if t.startswith("First-order effects"))
    for i, line in enumerate(table[2:]):
        counts = np.array([sum(ranks(o)[i] == j for o in orders) for j in range(1, n + 1)])
        assert line.startswith(NAMES[i])
        np.testing.assert_allclose([float(w) for w in line.split()[-n:]], counts - count / n,
                                   atol=0.051)
    few = parts(pl_run.run(["fourier", tmp_path / "r.soc", "--effects", "2"]))
    assert [len(b) for b in few[-3:]] == [4, 4, 4]
    assert "Largest" not in pl_run.run(["fourier", tmp_path / "r.soc", "--effects=0"]).stdout


# The election of the American Psychological Association, 1980 (Diaconis, Group Representations in
# Probability and Statistics, 1988): ballots for each pi, the ranks of candidates 1 to 5, in
# lexicographic order.
ELECTION = """
    30 28 27 29 35 34 102 95 35 37 28 35 45 70 24 51 48 52 50 70 17 36 35 40 40 30 26 24 42 36 172 186
    52 53 52 45 96 162 28 44 53 63 79 106 21 40 34 35 34 30 42 40 34 30 74 82 75 34 64 41 35 87 28 62
    133 107 36 45 27 41 61 71 16 22 23 31 45 50 40 52 51 24 66 58 35 38 35 30 84 91 30 38 24 34 54 31
    29 11 19 25 46 50 50 35 24 26 44 54 26 34 22 22 49 57 28 43 24 37 67 29"""
# His effects of candidates 1 and 2, and 1 and 3, on ranks 12, 13, 14, 15, 23, 24, 25, 34, 35, 45.
PUBLISHED = {"1 and 2": [-137, -20, 18, 140, 111, 22, 4, 6, -97, -46],
             "1 and 3": [476, -88, -179, -209, -147, -169, -160, 107, 128, 241]}
# The squared lengths of the projections, which he divides by 5!.
LENGTHS = {"5": 2286, "4,1": 298, "3,2": 459, "3,1,1": 78, "2,2,1": 27, "2,1,1,1": 7, "1,1,1,1,1": 0}


def test_the_published_example(tmp_path):
    lines = [f"{count}: {','.join(str(pi.index(j) + 1) for j in range(5))}" for count, pi in
             zip(ELECTION.split(), itertools.permutations(range(5)))]
    (tmp_path / "apa.soc").write_text("# NUMBER VOTERS: 5738\n" + "\n".join(lines))
    done = pl_run.run(["fourier", tmp_path / "apa.soc", "--effects", "100"])
    places = list(itertools.combinations(range(1, 6), 2))
    seen = 0
    for line in done.stdout.splitlines():
        for who, values in PUBLISHED.items():
            if f"  {who} at ranks " in line:
                j, k = line.split(" at ranks ")[1].split()[:3:2]
                assert abs(float(line.split()[1]) - values[places.index((int(j), int(k)))]) < 1
                seen += 1
    assert seen == 20
    energy = {row[0]: float(row[2]) for line in done.stdout.splitlines()
              if len(row := line.split("\t")) == 5 and row[0] in LENGTHS}
    assert {label: round(e / 120) for label, e in energy.items()} == LENGTHS


# ---- ties and missing items ----

# Ties from best to worst of four items, and how often.
OPEN = [([[3], [1, 2], [4]], 5), ([[1], [2]], 4), ([[4, 2]], 3), ([[2]], 2), ([[4], [3], [2], [1]], 6)]


def toi(path, ballots, base=1, kind="toi"):
    """A PrefLib file of ballots as in OPEN."""
    lines = [f"# DATA TYPE: {kind}", "# NUMBER ALTERNATIVES: 4",
             f"# NUMBER UNIQUE ORDERS: {len(ballots)}"]
    for ties, count in ballots:
        words = [",".join(str(i - 1 + base) for i in tie) for tie in ties]
        lines.append(f"{count}: " + ",".join(w if "," not in w else "{" + w + "}" for w in words))
    path.write_text("\n".join(lines) + "\n")
    return path


def weak_function(ballots, n=4):
    """f by its definition: every permutation that puts no item above a better one, in equal parts."""
    f = np.zeros(factorial(n))
    pi = np.array(list(itertools.permutations(range(n))))
    for ties, count in ballots:
        ties = [[i - 1 for i in tie] for tie in ties]
        ties.append([i for i in range(n) if i not in sum(ties, [])])
        good = np.ones(len(pi), bool)
        for better, worse in itertools.combinations(ties, 2):
            good &= (pi[:, better][:, :, None] < pi[:, worse][:, None, :]).all(axis=(1, 2))
        f[good] += count / good.sum()
    return f


def test_open_ballots_are_means_of_their_extensions(tmp_path):
    done = pl_run.run(["fourier", toi(tmp_path / "a.toi", OPEN), "-o", tmp_path / "a.nc"])
    assert "open ballots: 14 have ties or miss items" in done.stdout
    f = as_netcdf(tmp_path / "f.nc", 4, weak_function(OPEN))
    theirs = pl_run.run(["fourier", f, "-o", tmp_path / "b.nc"])
    for ours, line in zip(parts(done)[0][1:], parts(theirs)[0][1:], strict=True):
        assert ours.split("\t")[:2] == line.split("\t")[:2]
        np.testing.assert_allclose(float(ours.split("\t")[2]), float(line.split("\t")[2]), rtol=1e-12,
                                   atol=1e-12)
    with netCDF4.Dataset(tmp_path / "a.nc") as x, netCDF4.Dataset(tmp_path / "b.nc") as y:
        np.testing.assert_allclose(x["coefficient_real"][:], y["coefficient_real"][:], atol=1e-12)
    zero = pl_run.run(["fourier", toi(tmp_path / "zero.toi", OPEN, 0), "--zero-based"])
    assert parts(zero)[0] == parts(done)[0]
    strict = pl_run.run(["fourier", tmp_path / "a.toi", "--drop"])
    assert "dropped: 14 ballots" in strict.stdout and "ballots: 6, of 1 different" in strict.stdout
    assert pl_run.run(["fourier", soc(tmp_path / "s.soc", 6 * [(4, 3, 2, 1)], ["1", "2", "3", "4"])]
                      ).stdout.splitlines() == [line for line in strict.stdout.splitlines()
                                                if not line.startswith("dropped")]


def test_too_many_extensions_are_counted(tmp_path):
    """A first choice among 11 leaves 10! open: no transform of 60 such ballots, but first orders."""
    names = "# NUMBER ALTERNATIVES: 12\n"
    (tmp_path / "a.soi").write_text(names + "".join(f"{i}: {i},{i % 12 + 1}\n" for i in range(1, 13)) +
                                    "".join(f"1: {i}\n" for i in range(1, 13)))
    lines = pl_run.run(["fourier", tmp_path / "a.soi"]).stdout.splitlines()
    assert [line.split("\t")[0] for line in lines[:5]] == ["label", "12", "11,1", "10,2", "10,1,1"]
    refused = pl_run.run(["fourier", tmp_path / "a.soi", "-o", tmp_path / "a.nc"], code=2)
    for words in ("5.23e+08", "90 ballots of 90", "2e+08", "--drop"):
        assert words in refused.stderr, refused.stderr
    assert not (tmp_path / "a.nc").exists()


def test_what_is_left_without_a_transform(tmp_path):
    """Every set of up to six items once, tied on top of 11: 11! extensions for each size."""
    (tmp_path / "a.toi").write_text("# NUMBER ALTERNATIVES: 11\n" + "".join(
        "1: {" + ",".join(map(str, s)) + "}\n" for k in range(1, 7)
        for s in itertools.combinations(range(1, 12), k)))
    done = pl_run.run(["fourier", tmp_path / "a.toi"])
    assert "other irreps: not without all linear extensions, 2.4e+08 of them" in done.stdout
    # All items are alike, so that the trivial irrep has all.
    assert [line.split("\t")[3] for line in parts(done)[0][1:]] == ["1", "0", "0", "0"]


def test_samples_of_open_ballots(tmp_path):
    """A block of all ballots is f; of too many extensions a run says how many."""
    files = [str(toi(tmp_path / f"{k}.toi", OPEN, k)) for k in (0, 1)]
    keys = dict(data__ballots=20, data__sampling="blocks", data__center=False, data__scale=1)
    x = samples(tmp_path, 4, 2, data__positive=files[1], data__negative=files[1], **keys)
    np.testing.assert_allclose(x, np.tile(weak_function(OPEN), (2, 1)), atol=1e-12)
    x = samples(tmp_path, 4, 2, data__positive=files[0], data__negative=files[0], data__zero_based=True,
                data__drop=True, **{**keys, "data__ballots": 3})
    np.testing.assert_allclose(x, np.tile(weak_function(OPEN[-1:]), (2, 1)) / 2, atol=1e-12)
    (tmp_path / "top.soi").write_text("# NUMBER ALTERNATIVES: 9\n5: 1\n7: 1,2\n")
    (tmp_path / "s.yaml").write_text("group: S_9\ndata: {kind: rankings, positive: top.soi, negative: "
                                     "top.soi, samples: 2}\nsteps: 1\n")
    done = pl_run.run(["run", "s.yaml", "-o", "s.nc"], code=2, cwd=tmp_path)
    for words in ("data.positive", "top.soi: 5 of 12 ballots", "5040", "4.03e+04", "data.drop"):
        assert words in done.stderr, done.stderr


def test_many_items(tmp_path):
    """No transform: 30 items, and the irreps that counting reaches."""
    n, count = 30, 50
    orders = ballots(n, count, 1)
    path = tmp_path / "plain.txt"
    path.write_text("# a comment\n" + "\n".join(" ".join(map(str, o)) for o in orders) + "\n")
    blocks = parts(pl_run.run(["fourier", path], ranks=2))
    labels = [line.split("\t")[:2] for line in blocks[0][1:]]
    assert labels == [["30", "1"], ["29,1", "29"], ["28,2", "405"], ["28,1,1", "406"]]
    at = np.array([ranks(o) for o in orders])
    effect = np.array([(at == j).sum(axis=0) - count / n for j in range(1, n + 1)])
    _, _, energy, share, ratio = map(float, blocks[0][2].replace(",", "").split("\t"))
    norm2 = (effect**2).sum()
    assert ratio == pytest.approx(norm2 / (count * 29), rel=1e-5)
    assert energy == pytest.approx(29 * norm2 / factorial(n), rel=1e-12)
    assert share == pytest.approx(energy / count, rel=1e-5)
    assert "item 1" not in blocks[3][2] and blocks[3][2].split()[2].isdigit()


@pytest.mark.parametrize("content, args, words", [
    ("1 2 3\n1 2 2\n", [], ["r.soc, line 2", "item 2 stands twice"]),
    ("", [], ["r.soc: no ballots"]),
    ("1: 1,{2,3}\n", [], ["line 1", "a tie"]),
    ("1 2 3\n", ["--inverse"], ["--inverse", "NetCDF"]),
    ("1 2 3\n", ["--group", "S_3"], ["--group", "NetCDF"]),
    ("1 2 3\n", ["--effects", "few"], ["--effects", "few"]),
    (" ".join(map(str, range(1, 31))), ["-o", "x.nc"], ["r.soc", "--output", "13 items", "30"]),
    ("1 2 2\n", ["-o", "r.soc"], ["r.soc: would replace"]),
    (" ".join(map(str, range(1, 129))), [], ["line 1", "128 items", "2 to 127"]),
    ("1 2 3\n" + " ".join(map(str, range(1, 129))), [], ["line 2", "item 4; expected 1 to 3"]),
    (None, [], ["r.soc", "No such file"]),
])
def test_fourier_bad_rankings(content, args, words, tmp_path):
    if content is not None:
        (tmp_path / "r.soc").write_text(content)
    done = pl_run.run(["fourier", "r.soc", *args], code=2, cwd=tmp_path)
    for word in words:
        assert word in done.stderr, done.stderr


def test_a_folder_is_bad_input(tmp_path):
    assert "not a regular file but a directory" in pl_run.run(["fourier", tmp_path], code=2).stderr
    assert "not a regular file but a directory" in pl_run.run(["group", f"perm:{tmp_path}"], code=2).stderr


def test_effects_are_of_rankings(tmp_path):
    path = as_netcdf(tmp_path / "f.nc", 3, np.ones(6))
    assert "rankings" in pl_run.run(["fourier", path, "--effects", "3"], code=2).stderr


# ---- a labelled data set ----


def philox_below(seed, stream, index, n):
    """Philox 4x32-10 (Salmon et al., 2011), its first 64 bits scaled to 0..n-1."""
    low = 0xFFFFFFFF
    c, k = [index & low, index >> 32, stream & low, stream >> 32], [seed & low, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & low, a >> 32 ^ c[3] ^ k[1], a & low]
        k = [(k[0] + 0x9E3779B9) & low, (k[1] + 0xBB67AE85) & low]
    return ((c[1] << 32 | c[0]) * n) >> 64


MISC = 4 << 32


def drawn(files, m, num, seed, sampling):
    """Which ballots make which sample: numbers of them in lexicographic order of their ranks."""
    sorted_files = [sorted(f, key=ranks) for f in files]
    shuffled = []
    for k, f in enumerate(sorted_files):
        numbers = list(range(len(f)))
        for i in range(m * ((num + 1 - k) // 2)):
            j = i + philox_below(seed, MISC | 0x7FFFFFF4 + k, i, len(f) - i)
            numbers[i], numbers[j] = numbers[j], numbers[i]
        shuffled.append(numbers)
    out = []
    for s in range(num):
        f = sorted_files[s % 2]
        if sampling == "blocks":
            chosen = shuffled[s % 2][s // 2 * m:(s // 2 + 1) * m]
        else:
            chosen = [philox_below(seed, MISC | s, i, len(f)) for i in range(m)]
        out.append([f[c] for c in chosen])
    return out


def samples(folder, n, num, **keys):
    """x[sample, element]: filters delta_e and delta_g make f(x) = x(g)."""
    g, files = symmetric(n), []
    for k in range(g.order):
        w = np.zeros((2, g.order))
        w[0, 0] = w[1, k] = 1
        files.append(str(folder / f"w{k}.nc"))
        write_filters(files[-1], g, w)
    ds = sweep(folder, group=f"S_{n}", model__depth=2, model__init__kind="file",
               model__init__path=files, data__kind="rankings", data__samples=num, steps=1,
               record__steps=[0], optimizer__lr=1e-300, **keys)
    return ds.sample_margin.values[:, 0, :].T * np.where(np.arange(num) % 2, -1, 1)[:, None]


@pytest.mark.parametrize("sampling, center, scale, store", [("bootstrap", True, "unit", "keep"),
                                                            ("bootstrap", False, 2, "regenerate"),
                                                            ("blocks", False, "unit", "keep"),
                                                            ("blocks", True, 1, "regenerate")])
def test_samples(sampling, center, scale, store, tmp_path):
    n, m, num, seed = 4, 6, 7, 5
    files = [ballots(n, 24, 1), ballots(n, 40, 2)]
    paths = [str(soc(tmp_path / f"{k}.soc", f)) for k, f in enumerate(files)]
    x = samples(tmp_path, n, num, data__positive=paths[0], data__negative=paths[1],
                data__ballots=m, data__sampling=sampling, data__center=center, data__scale=scale,
                data__store=store, data__seed=seed)
    for i, chosen in enumerate(drawn(files, m, num, seed, sampling)):
        want = function(n, chosen) - (m / 24 if center else 0)
        want *= 1 / np.linalg.norm(want) if scale == "unit" else scale
        np.testing.assert_allclose(x[i], want, atol=1e-13)


def test_blocks_use_every_ballot_once(tmp_path):
    n, files = 4, [ballots(4, 40, 1), ballots(4, 40, 2)]
    paths = [str(soc(tmp_path / f"{k}.soc", f)) for k, f in enumerate(files)]
    x = samples(tmp_path, n, 8, data__positive=paths[0], data__negative=paths[1], data__ballots=10,
                data__sampling="blocks", data__center=False, data__scale=1)
    for k in range(2):
        np.testing.assert_allclose(x[k::2].sum(axis=0), function(n, files[k]), atol=1e-12)


def test_ranks_agree(tmp_path):
    """On teams of 1, 2 and 3 ranks: the same trajectories."""
    files = [soc(tmp_path / f"{k}.soc", ballots(5, 300, k)) for k in range(2)]
    s = Sweep(tmp_path, group="S_5", data__kind="rankings", data__positive=str(files[0]),
              data__negative=str(files[1]), data__ballots=25, steps=60, optimizer__lr=0.1,
              data__sampling=["bootstrap", "blocks"], record__points=7)
    one = s.run(1)
    assert (one.loss.values[:, -1] < one.loss.values[:, 0]).all()
    for team in (2, 3):
        ds = s.run(team, team=team)
        assert (ds.ranks == team).all()
        np.testing.assert_allclose(ds.sample_margin.values, one.sample_margin.values, rtol=1e-10,
                                   atol=1e-12)


BASE = "kind: rankings, positive: a.soc, negative: b.soc, samples: 4"


@pytest.mark.parametrize("group, data, words", [
    ("S_3", "kind: rankings, positive: a.soc", ["data.kind", "data.negative"]),
    ("S_3", "positive: a.soc", ["data.positive", "rankings"]),
    ("S_3", "ballots: 3", ["data.ballots", "rankings"]),
    ("S_3", "center: false", ["data.center", "rankings"]),
    ("S_4", BASE, ["data.positive", "a.soc", "3 items", "S_4"]),
    ("C_6", BASE, ["group", "S_n", "C_6"]),
    ("S_3", BASE.replace("b.soc", "c.soc"), ["data.negative", "c.soc", "4 items"]),
    ("S_3", BASE.replace("b.soc", "none.soc"), ["data.negative", "none.soc", "No such file"]),
    ("S_3", BASE.replace("b.soc", "bad.soc"), ["data.negative", "bad.soc, line 1"]),
    ("S_3", BASE + ", sampling: blocks, ballots: 5",
     ["data.ballots", "4 samples", "2 blocks of 5", "b.soc has 9"]),
    ("S_3", BASE + ", sampling: jackknife", ["data.sampling", "bootstrap, blocks"]),
    ("S_3", BASE + ", ballots: 0", ["data.ballots", "1 to"]),
])
def test_bad_data(group, data, words, tmp_path):
    for name, n, count in (("a", 3, 10), ("b", 3, 9), ("c", 4, 9)):
        soc(tmp_path / f"{name}.soc", ballots(n, count, 1))
    (tmp_path / "bad.soc").write_text("1: 1,2,2\n")
    (tmp_path / "s.yaml").write_text(f"group: {group}\ndata: {{{data}}}\nsteps: 1\n")
    done = pl_run.run(["run", "s.yaml", "-o", "s.nc"], 1 + ("bad.soc" in data), code=2, cwd=tmp_path)
    for word in words:
        assert word in done.stderr, done.stderr


def test_the_example(tmp_path):
    """What the made-up towns differ in is what the network finds."""
    done = subprocess.run([sys.executable, pl_run.ROOT / "analysis/ballots.py", tmp_path], text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    for folder in (tmp_path, pl_run.ROOT / "jobs/rankings"):
        for town in ("north", "south"):
            rows = parts(pl_run.run(["fourier", folder / f"{town}.soc"]))[0][1:]
            ratio = {row.split("\t")[0]: float(row.split("\t")[-1]) for row in rows}
            assert max(ratio, key=ratio.get) == "3,2" and ratio["3,2"] > 5
    pl_run.run(["run", "jobs/rankings.yaml", "-o", tmp_path / "o.nc", "-q"], cwd=pl_run.ROOT)
    with xarray.open_dataset(tmp_path / "o.nc") as ds:
        energy = dict(zip(text(ds.irrep_label), ds.irrep_energy.values[:, -1].T))
        assert energy["3,2"].min() > 0.99
        assert (ds.accuracy.values[:, -1] == 1).all()


def test_uniform_ballots_leave_nothing(tmp_path):
    (tmp_path / "a.txt").write_text("1 2\n2 1\n")
    (tmp_path / "s.yaml").write_text(
        "group: S_2\ndata: {kind: rankings, positive: a.txt, negative: a.txt, samples: 2, "
        "ballots: 2, sampling: blocks}\nsteps: 1\n")
    for store in ("keep", "regenerate"):
        done = pl_run.run(["run", "s.yaml", "-o", f"{store}.nc", f"--set=data.store={store}"], code=1, cwd=tmp_path)
        assert "equally often" in done.stderr
    pl_run.run(["run", "s.yaml", "-o", "t.nc", "--set=data.center=false"], cwd=tmp_path)
