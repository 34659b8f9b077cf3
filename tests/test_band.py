"""Bands of S_n: against the whole group, over ranks, and where n! is beyond integers."""

import itertools
import math

import netCDF4
import numpy as np
import pytest
import xarray
import yaml

import pl_run

RANKS = [1, 3]
SPREAD = {"mapping.grid_min_dim": 4, "mapping.block": 2}
FOURIER = ["loss", "log_loss", "min_margin", "accuracy", "beta_norm", "schatten_thresholded",
           "normalized_margin", "parameter_norm", "tightness", "l2_margin", "fourier_rank",
           "kkt_residual", "sample_margin", "schatten_at"]
ON_IRREPS = ["irrep_schatten", "irrep_energy", "irrep_rank", "singular_values"]
ELEMENTS = ["schatten_real", "linf_margin", "support", "uncertainty_product"]


def train(folder, name="s", ranks=1, **keys):
    keys = {k.replace("__", "."): v for k, v in keys.items()}
    if ranks > 1:
        keys.update(SPREAD, **{"mapping.team": ranks})
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(keys, sort_keys=False))
    pl_run.run(["run", folder / f"{name}.yaml", "-o", folder / f"{name}.nc", "--overwrite", "-q"],
               ranks)
    with xarray.open_dataset(folder / f"{name}.nc") as ds:
        return ds.load()


def effects(n, k, number, rng):
    """A random function of k items and their positions over S_n in lexicographic order: it lies in
    the band of codepth k."""
    perms = np.array(list(itertools.permutations(range(n))))
    f = np.zeros(len(perms))
    for _ in range(number):
        items, places = rng.permutation(n)[:k], rng.permutation(n)[:k]
        f += rng.normal() * (perms[:, items] == places).all(axis=1)
    return f


def write(path, dims, **variables):
    with netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA") as nc:
        for name, values in variables.items():
            values = np.asarray(values)
            for dim, size in zip(dims[name], values.shape):
                if dim not in nc.dimensions:
                    nc.createDimension(dim, size)
            nc.createVariable(name, "f8", dims[name])[:] = values


def assert_same(got, want, tolerance, what):
    got, want = np.asarray(got, float), np.asarray(want, float)
    assert got.shape == want.shape and (np.isnan(got) == np.isnan(want)).all(), what
    error = np.nanmax(np.abs(got - want)) / np.nanmax(np.abs(want))
    assert error <= tolerance, f"{what}: off by {error:.3g} of its size"


@pytest.fixture(scope="module", params=[(6, 2), (6, 3), (7, 2)], ids=str)
def in_band(request, tmp_path_factory):
    """Files of samples and filters in a band, and a run of the whole group on them."""
    n, k = request.param
    folder, rng = tmp_path_factory.mktemp("band"), np.random.default_rng(n + k)
    write(folder / "x.nc", {"x": ("sample", "element"), "y": ("sample",)},
          x=[effects(n, k, 30, rng) for _ in range(4)], y=[1, -1, -1, 1])
    write(folder / "w.nc", {"w": ("layer", "element")},
          w=[effects(n, k, 30, rng) * math.factorial(n) ** -0.5 for _ in range(3)])
    keys = dict(group=f"S_{n}", model__depth=3, model__init__kind="file",
                model__init__path=str(folder / "w.nc"), data__kind="file",
                data__path=str(folder / "x.nc"), data__scale=0.05, optimizer__lr=0.02, steps=60,
                record__points=6, record__spectrum=True, record__kkt=True)
    return folder, n, k, keys, train(folder, "whole", **keys)


def compare(band, whole, k, tolerance=1e-9, size=1.0):
    """size: of normalised beta in Fourier space, relative to the whole group."""
    n, sv = band.sizes["irrep"], band.sizes["sv"]
    assert band.irrep_label.values.tolist() == whole.irrep_label.values[:n].tolist()
    assert [v for v in ELEMENTS if v in band] == []
    factor = {"schatten_thresholded": size, "schatten_at": size, "beta_norm": 1 / size,
              "parameter_norm": 1 / size, "singular_values": size, "l2_margin": size ** 3,
              "irrep_schatten": size ** (2 / 3)}
    for v in FOURIER:
        assert_same(band[v], whole[v] * factor.get(v, 1), tolerance, v)
    for v in ON_IRREPS:
        part = whole[v][:, :, :sv if v == "singular_values" else n]
        floor = 1e-9 * float(np.nanmax(np.abs(whole[v])))
        assert_same(band[v], part * factor.get(v, 1), tolerance, v)
        assert v == "irrep_rank" or np.abs(whole[v][:, :, part.shape[2]:]).max() <= floor * 1e3


@pytest.mark.parametrize("ranks", RANKS)
def test_in_the_band_training_is_that_of_the_whole_group(in_band, ranks):
    folder, _, k, keys, whole = in_band
    assert float(whole.loss[0, -1]) < 0.9 * float(whole.loss[0, 0])
    compare(train(folder, "band", ranks, **keys, band__codepth=k, band__inner_product="group"),
            whole, k)


def test_the_inner_product_of_the_band_rescales_data_and_rate(in_band):
    """<f, h> times |G|/D: the same filters with samples times D/|G| and rate times |G|/D."""
    folder, n, k, keys, whole = in_band
    c = float((whole.irrep_dim ** 2).values[:band_irreps(whole, n, k)].sum()) / math.factorial(n)
    keys = {**keys, "data__scale": keys["data__scale"] * c,
            "optimizer__lr": keys["optimizer__lr"] / c}
    compare(train(folder, "own", **keys, band__codepth=k), whole, k, size=c ** 0.5)


def band_irreps(ds, n, k):
    return sum(n - int(label.split(",")[0]) <= k for label in ds.irrep_label.astype(str).values)


@pytest.mark.parametrize("ranks", RANKS)
@pytest.mark.parametrize("kind", ["gaussian", "sparse", "teacher", "rankings"])
def test_codepth_n_minus_1_is_the_whole_group(tmp_path, kind, ranks):
    keys = dict(group="S_5", model__depth=2, data__kind=kind, data__samples=4, steps=40,
                optimizer__kind="ngd", optimizer__lr=0.1, record__points=4, seed=3)
    if kind == "teacher":
        keys.update(data__irreps=["3,2", "2,1,1,1"], data__test=20)
    if kind == "rankings":
        towns = pl_run.ROOT / "jobs/rankings"
        keys.update(data__positive=str(towns / "north.soc"), data__negative=str(towns / "south.soc"))
    whole = train(tmp_path, "whole", **keys)
    band = train(tmp_path, "band", ranks, **keys, band__codepth=4,
                 band__inner_product="band" if ranks == 1 else "group")
    assert band.irrep_label.values.tolist() == whole.irrep_label.values.tolist()
    names = [v for v in band if band[v].dims[:2] == ("run", "record") and v != "irrep_rank"]
    assert {"dual_bound", "irrep_energy", "schatten"} < set(names)
    for v in names:
        assert_same(band[v], whole[v], 1e-10, v)


def test_bands_of_one_group_share_its_irreps(tmp_path):
    ds = train(tmp_path, group=["S_6", "S_7"], band__codepth=[1, 2], model__depth=2, steps=2,
               data__samples=2, record__spectrum=True)
    assert ds.irrep_group.astype(str).values.tolist() == ["S_6"] * 4 + ["S_7"] * 4
    assert ds.band_codepth.values.tolist() == [1, 2, 1, 2]
    there = np.isfinite(ds.irrep_energy[:, -1]).values.astype(int).tolist()
    assert there == [[1, 1] + [0] * 6, [1] * 4 + [0] * 4, [0] * 4 + [1, 1, 0, 0], [0] * 4 + [1] * 4]
    assert np.allclose(ds.irrep_energy[:, -1].sum("irrep"), 1)
    assert np.allclose(ds.irrep_log_order, np.log([720] * 4 + [5040] * 4))
    sv = np.isfinite(ds.singular_values[2, -1]).values
    assert (ds.sv_irrep.values[sv] == [4] + [5] * 6).all()


@pytest.mark.parametrize("spec,k", [("S_20", 2), ("S_21", 1), ("S_30", 1)])
def test_beyond_the_integers_ranks_agree(tmp_path, spec, k):
    """Sparse samples (elements have no numbers from 21! on), teams with grids, final filters."""
    keys = dict(group=spec, band__codepth=k, model__depth=2, data__kind="sparse", data__samples=4,
                optimizer__lr=20, steps=30, record__points=4, record__final=True)
    one = train(tmp_path, "one", **keys)
    assert float(one.loss[0, -1]) < 0.9 * float(one.loss[0, 0])
    assert np.allclose(one.irrep_log_order, math.lgamma(int(spec[2:]) + 1))
    for ranks in (2, 3, 4) if k == 2 else (3,):
        many = train(tmp_path, "many", ranks, **keys)
        for v in ("loss", "schatten", "dual_bound", "irrep_energy", "sample_margin"):
            assert_same(many[v], one[v], 1e-11, v)
    # The filters that training ended with are filters to start from.
    keys.update(model__init__kind="file", steps=1,
                model__init__path=str(tmp_path / "many.nc.final" / "run-000000.nc"))
    again = train(tmp_path, "again", **keys)
    assert_same(again.sample_margin[0, 0], one.sample_margin[0, -1], 1e-11, "margins")


def test_rankings_of_many_items(tmp_path):
    """Ballots that put one of two items first are told apart by first-order effects."""
    rng, n = np.random.default_rng(1), 25
    for first, name in (0, "positive"), (1, "negative"):
        orders = [[first, *rng.permutation([i for i in range(n) if i != first])] for _ in range(12)]
        (tmp_path / name).write_text("\n".join(" ".join(str(i + 1) for i in o) for o in orders))
    keys = dict(group=f"S_{n}", band__codepth=1, model__depth=2, data__kind="rankings",
                data__positive=str(tmp_path / "positive"), data__ballots=12, data__samples=2,
                data__negative=str(tmp_path / "negative"), data__sampling="blocks",
                optimizer__kind="ngd", optimizer__lr=0.01, steps=300, record__points=3)
    one, three = (train(tmp_path, f"on{r}", r, **keys) for r in (1, 3))
    assert float(one.min_margin[0, -1]) > 1 and float(one.irrep_energy[0, -1, 1]) > 0.99
    for v in ("loss", "schatten", "sample_margin"):
        assert_same(three[v], one[v], 1e-10, v)


def test_optimum_and_certificate(tmp_path):
    ds = train(tmp_path, group="S_14", band__codepth=1, model__depth=2, data__samples=4,
               data__kind="sparse", optimizer__kind="ngd", optimizer__lr=0.05, steps=2000,
               record__points=4, record__kkt=True)
    done = pl_run.run(["optimum", tmp_path / "s.yaml", "--gap", "1e-5"])
    best, bound = map(float, done.stdout.splitlines()[1].split()[1:3])
    assert best <= bound <= best * (1 + 2e-5)
    assert best * 0.9 < float(ds.normalized_margin[0, -1]) <= bound
    assert float(ds.dual_bound[0, -1]) >= best


def test_samples_in_components(tmp_path):
    """x_fourier holds what x holds, transformed; what has no part in the band is refused."""
    n, rng = 5, np.random.default_rng(0)
    pl_run.run(["group", "S_5", "-o", tmp_path / "rho.nc"])
    with netCDF4.Dataset(tmp_path / "rho.nc") as nc:
        rho = nc["matrix"][:].data[:, :nc["irrep_start"][4]]
    x, y = rng.normal(size=(3, 120)), [1, -1, 1]
    dims = {"x": ("sample", "element"), "x_fourier": ("sample", "component"), "y": ("sample",)}
    write(tmp_path / "x.nc", dims, x=x, y=y)
    write(tmp_path / "c.nc", dims, x_fourier=x @ rho, y=y)
    sign = [(-1) ** sum(a > b for a, b in itertools.combinations(p, 2))
            for p in itertools.permutations(range(n))]
    write(tmp_path / "sign.nc", dims, x=[sign], y=[1])
    keys = dict(group="S_5", band__codepth=2, data__kind="file", steps=5, record__points=3)
    runs = [train(tmp_path, "from_" + f, **keys, data__path=str(tmp_path / f"{f}.nc"), data__scale="unit")
            for f in ("x", "c")]
    assert_same(runs[0].sample_margin, runs[1].sample_margin, 1e-10, "margins")
    done = pl_run.run(["run", tmp_path / "from_x.yaml", "-q", "-o", tmp_path / "s.nc",
                       "--set", f"data.path={tmp_path / 'sign.nc'}"], code=1)
    assert "has no part in the band" in done.stderr


@pytest.mark.parametrize("change,message", [
    ({"group": "C_12"}, "band.codepth: only a symmetric group"),
    ({"group": "S_6"}, None),
    ({"group": "S_6", "band.codepth": 6}, "band.codepth: no band of codepth 6 in S_6"),
    ({"group": "S_53"}, "band.codepth: no band"),
    ({"group": "S_1000"}, "band.codepth: no band of codepth 2 in S_1000"),
    ({"group": "S_21", "band.codepth": 3}, "band.codepth: no band"),
    ({"group": "S_14", "band.codepth": 4}, "band.codepth: no band"),
    ({"band.codepth": 0}, "band.codepth"),
    ({"data.kind": "sparse", "data.nonzeros": 1000001}, "data.nonzeros: a sample in a band is a sum"),
    ({"model.kind": "cnn"}, "band.codepth: not used by model.kind cnn"),
    ({"record.beta": True}, "record.beta"),
    ({"optimizer.kind": "adam"}, "optimizer.domain: fourier"),
    ({"optimizer.kind": "adam", "optimizer.domain": "fourier"}, None),
    ({"optimizer.kind": "muon"}, None),
    ({"optimizer.kind": "momentum"}, None),
    ({"model.init.kind": "uniform"}, "model.init.kind"),
    ({"data.kind": "irrep", "data.irreps": ["8,4"]}, None),
    ({"data.kind": "irrep", "data.irreps": ["7,5"], "band.codepth": 2}, "has no irrep \"7,5\""),
    ({"data.kind": "file", "data.path": "none.nc"}, "none.nc"),
], ids=str)
def test_what_is_refused(tmp_path, change, message):
    keys = {"group": "S_12", "band.codepth": 4 if "8,4" in str(change) else 2, "data.samples": 2,
            "model.depth": 2, "steps": 2, **change}
    if keys.get("data.kind") == "file":
        del keys["data.samples"]  # the file's own
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(keys))
    args = ["run", tmp_path / "s.yaml", "-q", "-o", tmp_path / "o.nc"]
    if "8,4" in str(change):
        args.append("--dry-run")
    done = pl_run.run(args, code=2 if message else 0, cwd=tmp_path)
    assert not message or message in done.stderr


def test_band_inner_product_alone(tmp_path):
    (tmp_path / "s.yaml").write_text("{group: S_5, band.inner_product: group}")
    done = pl_run.run(["run", tmp_path / "s.yaml", "-q"], code=2)
    assert "band.inner_product" in done.stderr and "band.codepth" in done.stderr


def test_group_command():
    out = pl_run.run(["group", "S_52", "--codepth", "2"]).stdout
    assert "52! = 8.065818e67" in out and "D = sum of d^2: 3251303" in out
    assert "50,1,1\t1275\treal\t1" in out
    assert out.count("\treal\t") == 4
    pl_run.run(["group", "S_6", "--codepth", "2", "--check"], code=2)
    for k in ("0", "2x", str(2**32 + 2)):
        assert "from 1 to 51" in pl_run.run(["group", "S_6", "--codepth", k], code=2).stderr
