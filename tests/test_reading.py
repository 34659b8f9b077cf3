"""Commands that read: without MPI, as JSON and in a line; energies and effects as CSV and in files."""

import csv
import json
import os
import subprocess

import netCDF4
import numpy as np
import pytest

import pl_run

RANKS = "# NUMBER ALTERNATIVES: 4\n# ALTERNATIVE NAME 1: Ann, \"B\"\n7: 1,2\n5: 3,{1,4},2\n2: 4,3,2,1\n"
SWEEP = """title: A "small" sweep
group: S_3
model.depth: [2, 3]
data.samples: 3
steps: 40
record.points: 4
seed: 0..1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With an output, its shards, rankings and a library whose MPI_Init ends the program."""
    at = tmp_path_factory.mktemp("reading")
    (at / "s.yaml").write_text(SWEEP)
    (at / "r.toi").write_text(RANKS)
    pl_run.run(["run", "s.yaml", "-q"], cwd=at)
    for k in range(2):
        pl_run.run(["run", "s.yaml", "-q", "--shard", f"{k}/2", "-o", f"part.{k}.nc"], cwd=at)
    (at / "no_mpi.c").write_text("#include <stdlib.h>\n#include <stdio.h>\n"
                                 "int MPI_Init(int *c, char ***v) { (void)c; (void)v; "
                                 "fputs(\"MPI_Init was called\\n\", stderr); _Exit(99); }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", at / "no_mpi.so", at / "no_mpi.c"], check=True)
    return at


def alone(folder, *args):
    """The program itself, under no launcher, where MPI must not start."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("OMPI_COMM", "PMI", "SLURM", "MV2"))}
    return subprocess.run([pl_run.BINARY, *args], cwd=folder, text=True, capture_output=True,
                          env=env | {"LD_PRELOAD": str(folder / "no_mpi.so")}, timeout=60)


@pytest.mark.parametrize("args", [
    ["status", "s.nc"], ["status", "s.nc", "--json"], ["pack", "s.nc", "-o", "packed.nc"],
    ["merge", "part.0.nc", "part.1.nc", "-o", "all.nc"], ["group", "S_4", "--check"],
    ["group", "D_4", "--elements"], ["fourier", "r.toi", "-o", "r.nc"], ["run", "--keys"],
    ["run", "--variables", "gcnn"], ["plan", "s.yaml"], ["--help"], ["fourier", "--help"], ["--version"]])
def test_no_mpi(args, folder):
    done = alone(folder, *args)
    assert done.returncode == 0, done.stderr
    assert done.stdout or "-o" in args


def test_training_needs_mpi(folder):
    """So that the test above could fail."""
    done = alone(folder, "run", "s.yaml", "--dry-run")
    assert done.returncode == 99 and "MPI_Init was called" in done.stderr


def test_bad_input_without_mpi(folder):
    done = alone(folder, "status", "s.yaml")
    assert done.returncode == 2 and "s.yaml" in done.stderr


def test_status_as_json(folder):
    told = json.loads(pl_run.run(["status", "s.nc", "--json"], cwd=folder).stdout)
    assert told["title"] == 'A "small" sweep' and told["in_use"] is False
    assert told["counts"]["done"] == 4 and sum(told["counts"].values()) == 4
    with netCDF4.Dataset(folder / "s.nc") as nc:
        for k, run in enumerate(told["runs"]):
            assert run["run"] == k and run["state"] == "done"
            assert run["steps_done"] == run["steps"] == 40
            assert run["model_depth"] == nc["model_depth"][k] and run["seed"] == nc["seed"][k]
            assert run["loss"] == pytest.approx(float(nc["loss"][k, -1]), rel=1e-5)
            assert run["separated"] is bool(nc["separated"][k])
    some = json.loads(pl_run.run(["status", "s.nc", "--json", "--state", "failed"], cwd=folder).stdout)
    assert some["runs"] == [] and some["counts"] == told["counts"]


def test_status_in_a_line(folder):
    assert pl_run.run(["status", "s.nc", "--short"], cwd=folder).stdout == "4 runs: 4 done\n"
    assert "exclude" in pl_run.run(["status", "s.nc", "--short", "--json"], code=2, cwd=folder).stderr


def test_energies_and_effects_as_csv(folder):
    done = pl_run.run(["fourier", "r.toi", "-o", "t.nc", "--csv", "e.csv", "--effects-csv", "f.csv",
                       "--effects", "3"], cwd=folder)
    with open(folder / "e.csv", newline="", encoding="utf-8") as file:
        assert file.readline() == "label,dimension,energy,share,ratio\n"
        assert file.readline().startswith('"4",1,')
        file.seek(0)
        energies = list(csv.DictReader(file))
    with open(folder / "f.csv", newline="", encoding="utf-8") as file:
        effects = list(csv.DictReader(file))
    printed = [line.split("\t") for line in done.stdout.split("\n\n")[0].splitlines()[1:]]
    assert [e["label"] for e in energies] == [p[0] for p in printed] and energies[1]["label"] == "3,1"
    with netCDF4.Dataset(folder / "t.nc") as nc:
        for name, column in (("energy", 2), ("share", 3), ("ratio", 4)):
            values = [float(e[name]) for e in energies]
            np.testing.assert_allclose(values, [float(p[column]) for p in printed], rtol=1e-5, atol=1e-12)
            assert (nc[f"irrep_{name}"][:] == values).all()
        names = [str(name).rstrip("\0") for name in nc["item"][:]]
        assert len(effects) == nc.dimensions["effect"].size == 9
        for k, e in enumerate(effects):
            assert float(e["effect"]) == nc["effect"][k] and float(e["z"]) == nc["effect_z"][k]
            assert ["first", "unordered", "ordered"][nc["effect_order"][k]] == e["kind"]
            item, rank = nc["effect_item"][k], nc["effect_rank"][k]
            assert e["item"] == names[item[0]] and int(e["rank"]) == rank[0] + 1
            assert (e["item_2"], e["rank_2"]) == (
                ("", "") if e["kind"] == "first" else (names[item[1]], str(rank[1] + 1)))
        assert 'Ann, "B"' in {e["item"] for e in effects}


def test_csv_takes_the_place_that_a_link_leads_to(folder):
    (folder / "there").mkdir()
    (folder / "there/e.csv").write_text("old")
    (folder / "link.csv").symlink_to("there/e.csv")
    pl_run.run(["fourier", "r.toi", "--csv", "link.csv", "--overwrite"], cwd=folder)
    assert (folder / "link.csv").is_symlink() and os.listdir(folder / "there") == ["e.csv"]
    assert (folder / "there/e.csv").read_text().startswith("label,dimension")


@pytest.mark.parametrize("items", [4, 12])
def test_ties_that_leave_nothing_have_no_ratio(items, folder):
    """Ballots of two ties have parts on three irreps alone, of n, (n - 1, 1) and (n - 2, 2); of 4
    items by the transform, of 12 from counts."""
    tied = [",".join(map(str, part)) for part in (range(1, items // 2 + 1), range(items // 2 + 1, items + 1))]
    (folder / "tied.toc").write_text(f"# NUMBER ALTERNATIVES: {items}\n3: {{{tied[0]}}},{{{tied[1]}}}\n")
    done = pl_run.run(["fourier", "tied.toc", "--csv", "tied.csv", "--overwrite"], cwd=folder)
    printed = [line.split("\t") for line in done.stdout.split("\n\n")[0].splitlines()[1:]]
    with open(folder / "tied.csv", newline="", encoding="utf-8") as file:
        ratios = {row["label"]: row["ratio"] for row in csv.DictReader(file)}
    some = {str(items), f"{items - 1},1", f"{items - 2},2"}
    assert {label for label, ratio in ratios.items() if ratio} == some < set(ratios)
    assert {label for label, *_, ratio in printed if ratio != "-"} == some


@pytest.mark.parametrize("args, words", [
    (["--csv", "r.toi"], "would replace"), (["--csv", "s.yaml"], "exists already"),
    (["-o", "x.nc", "--csv", "x.nc"], "would replace"),
    (["--csv", "x.csv", "--effects-csv", "x.csv"], "would replace"),
    (["--csv", "none/x.csv"], "none/x.csv")])
def test_bad_csv(args, words, folder):
    before = sorted(os.listdir(folder))
    code = 3 if "none" in args[-1] else 2
    assert words in pl_run.run(["fourier", "r.toi", *args], code=code, cwd=folder).stderr
    assert sorted(os.listdir(folder)) == before
