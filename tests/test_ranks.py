"""The same sweep on other numbers of ranks, in teams of one and of several."""

import re
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray
import yaml

import pl_run

DONE = 2


def load(path):
    with xarray.open_dataset(path) as ds:
        return ds.load()


def variables(path):
    """Dimensions, attributes and bytes of every variable, nothing decoded."""
    with netCDF4.Dataset(path) as nc:
        nc.set_auto_maskandscale(False)
        nc.set_auto_chartostring(False)
        return {name: (v.dimensions, {a: str(v.getncattr(a)) for a in v.ncattrs()},
                       np.asarray(v[:]).tobytes()) for name, v in nc.variables.items()}


class Sweep:
    """A sweep file, to be run on different ranks and with different teams."""

    def __init__(self, folder, **keys):
        self.folder, self.path = folder, folder / "sweep.yaml"
        self.path.write_text(yaml.safe_dump({k.replace("__", "."): v for k, v in keys.items()},
                                            sort_keys=False))

    def output(self, *name):
        return self.folder / ("-".join(map(str, name)) + ".nc")

    def run(self, ranks, timeout=300, **mapping):
        out = self.output(ranks, *mapping.values())
        sets = [f"--set=mapping.{k}={v}" for k, v in mapping.items()]
        pl_run.run(["run", self.path, "-o", out, "--quiet", *sets], ranks, timeout)
        ds = load(out)
        assert (ds.status == DONE).all()
        return ds

    def grids(self, ranks, **mapping):
        """Sizes of the grids that the planner lays irreps on, run after run."""
        sets = [f"--set=mapping.{k}={v}" for k, v in mapping.items()]
        plan = pl_run.run(["plan", self.path, "--ranks", ranks, *sets]).stdout
        return [int(p) * int(q) for p, q in re.findall(r"grid \d+: (\d+) x (\d+), .*d=", plan)]

    def finals(self, *name):
        folder = Path(f"{self.output(*name)}.final")
        return [load(path).w.values for path in sorted(folder.iterdir())]


# ---- teams of one ----

SEVEN = {"group": ["S_4", "Q_8 x C_3", "D_5"], "model__depth": [2, 3], "steps": 60,
         "optimizer__lr": 0.1, "record__points": 7, "record__final": True}
ONE = {"group": "S_5", "steps": 60, "data__kind": "sparse", "record__beta": True,
       "record__spectrum": True, "record__points": 7, "record__final": True}


@pytest.mark.parametrize("keys", [SEVEN, ONE], ids=["six runs", "one run"])
def test_teams_of_one(keys, tmp_path):
    """Bitwise: fewer runs than ranks, more, and as many."""
    sweep = Sweep(tmp_path, **keys)
    runs = sweep.run(1, team=1).sizes["run"]
    want, filters = variables(sweep.output(1, 1)), sweep.finals(1, 1)
    assert len(filters) == runs
    for ranks in (2, 3, 4, 6):
        assert (sweep.run(ranks, team=1).ranks == 1).all()
        got = variables(sweep.output(ranks, 1))
        assert set(got) == set(want)
        for name in set(want) - {"wall_time", "memory"}:
            assert got[name] == want[name], f"{name} on {ranks} ranks"
        for a, b in zip(sweep.finals(ranks, 1), filters, strict=True):
            assert np.array_equal(a, b), f"final filters on {ranks} ranks"


# ---- teams of several ----


def assert_agree(got, want, what, tolerance=1e-10):
    """Records to the size of their variable in the same run, all else exactly.  Raw Schatten
    values are left out, since they see rounding noise."""
    assert got.sizes["run"] == want.sizes["run"] and got.sizes["irrep"] == want.sizes["irrep"]
    for name in set(want.variables) - {"wall_time", "memory", "ranks", "schatten", "irrep_schatten"}:
        if name.startswith("mapping"):
            continue
        if "record" not in want[name].dims or want[name].dtype.kind != "f":
            numbers = want[name].dtype.kind == "f"
            assert np.array_equal(got[name].values, want[name].values, equal_nan=numbers), (what, name)
            continue
        for r in range(want.sizes["run"]):
            a, b = (ds[name].isel(run=r).values for ds in (got, want))
            assert np.array_equal(np.isnan(a), np.isnan(b)), (what, name, r)
            if np.isnan(b).all():
                continue
            error = np.nanmax(np.abs(a - b)) / np.nanmax(np.abs(b))
            assert error <= tolerance, f"{what}: run {r}, {name}: off by {error:.3g}"


# Every way to draw filters and data, every optimiser; D_3 and Q_8 have fewer irreps than ranks.
VARIETY = [("group", "model.init.kind", "data.kind", "optimizer.kind", "model.depth"),
           ("S_5", "gaussian", "gaussian", "gd", 3),
           ("S_5", "uniform", "sparse", "ngd", 2),
           ("S_5", "gaussian", "irrep", "gd", 4),
           ("S_6", "gaussian", "gaussian", "gd", 2),
           ("D_30", "gaussian", "gaussian", "ngd", 3),
           ("C_3 x Q_8", "uniform", "sparse", "gd", 3),
           ("Q_8", "gaussian", "gaussian", "gd", 3),
           ("D_3", "gaussian", "sparse", "ngd", 2)]


@pytest.fixture(scope="module")
def variety(tmp_path_factory):
    names, *rows = VARIETY
    sweep = Sweep(tmp_path_factory.mktemp("variety"), zip=[list(names)],
                  **{name: list(values) for name, values in zip(names, zip(*rows))},
                  data__irreps=["3,1,1", "4,1"], data__samples=4, optimizer__lr=0.2, steps=16,
                  record__steps=[0, 1, 16], record__final=True)
    return sweep, sweep.run(1), sweep.finals(1)


@pytest.mark.parametrize("ranks, team, grid, block", [
    (2, 2, 2, 2),
    (3, 3, 2, 2),  # one rank outside the grid
    (4, 4, 4, 2),
    (6, 6, 6, 2),  # 2 x 3: too few blocks for all ranks
    (5, 5, 4, 1),
    (7, 3, 2, 3),  # two teams, one rank left over
    (6, 4, 4, 2),  # one team, two left over
    (6, 6, None, None),  # whole irreps
    (8, 8, 4, 2),  # two grids, more ranks than irreps
])
def test_teams(variety, ranks, team, grid, block):
    sweep, want, filters = variety
    mapping = {"team": team}
    if grid:
        mapping |= {"grid_min_dim": 4, "grid_ranks": grid, "block": block}
    got = sweep.run(ranks, **mapping)
    assert (got.ranks == team).all()
    # S_5 and S_6 have irreps for grids: three runs and one.
    assert sweep.grids(ranks, **mapping) == ([] if not grid else [grid] * 4 * (team // grid))
    what = f"{ranks} ranks, teams of {team}, grids of {grid}"
    assert_agree(got, want, what)
    for a, b in zip(sweep.finals(ranks, *mapping.values()), filters, strict=True):
        assert np.abs(a - b).max() <= 1e-10 * np.abs(b).max(), what


def test_proportional_grids(tmp_path):
    """S_7: grids in proportion to the work of the largest irreps, the others whole; no irrep is
    worth more than one of three ranks."""
    sweep = Sweep(tmp_path, group="S_7", model__depth=[2, 3], data__samples=3, steps=10,
                  optimizer__lr=0.1, record__beta=True, record__spectrum=True,
                  record__steps=[0, 10])
    want = sweep.run(1)
    for ranks, grids in (3, []), (6, [2, 2]):
        mapping = {"team": ranks, "grid_min_dim": 14}
        assert sweep.grids(ranks, **mapping) == grids * want.sizes["run"]
        got = sweep.run(ranks, **mapping)
        assert (got.ranks == ranks).all()
        assert_agree(got, want, f"{ranks} ranks")


def test_planned_teams(tmp_path):
    """Teams that the planner chooses."""
    sweep = Sweep(tmp_path, group=["S_6", "S_3"], steps=20, data__samples=3, record__points=3)
    want = sweep.run(1)
    got = sweep.run(5)
    assert (want.ranks == 1).all() and (got.ranks > 1).all()
    assert_agree(got, want, "5 ranks")
