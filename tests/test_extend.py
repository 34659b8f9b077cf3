"""run --extend: more values and more steps in an output that is there.  It then equals that of the
larger sweep trained at once, and what was in it has not changed, whatever interrupts it."""

import os
import random
import shutil
from pathlib import Path

import netCDF4
import numpy as np
import pytest

import pl_run
from sessions import (DIVERGED, DONE, OF_THE_SESSION, STOPPED, assert_same, contents, killer, records,
                      states)

SWEEP = """
group: [S_3]
model.depth: 2
optimizer.kind: [gd, adam]
data.samples: 4
steps: 60
record.points: 12
seed: [1, 3]
checkpoint.keep: true
"""
# Axes are longer and stand elsewhere, a new one is zipped from two keys, of which gd reads one, and
# another group stands before the irreps that were there.
LARGER = """
title: much more
zip: [[optimizer.lr, optimizer.beta2]]
group: [C_4, S_3]
seed: [0, 1, 3]
model.depth: 2
optimizer.kind: [adam, gd]
optimizer.lr: [0.02, 0.01]
optimizer.beta2: [0.9, 0.999]
data.samples: 4
steps: 200
record.points: 12
checkpoint.keep: true
"""
STAGES = ["--set", "record.stages=[60]"]


def write(path, text):
    path.write_text(text)
    return path


def trained(folder, text, name, *options, ranks=1, code=0):
    """The output of a sweep."""
    sweep = write(folder / f"{name}.yaml", text)
    pl_run.run(["run", sweep, "-q", "-o", folder / f"{name}.nc", *options], ranks, code=code)
    return folder / f"{name}.nc"


def copy(output, folder):
    """An output with its checkpoints, elsewhere."""
    folder.mkdir(exist_ok=True)
    for path in output.parent.glob(f"{output.name}*"):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / path.name)
    return folder / output.name


def extend(output, text, *options, ranks=1, code=0, **env):
    sweep = write(output.parent / "larger.yaml", text)
    return pl_run.run(["run", "--extend", sweep, "-q", "-o", output, *options], ranks, code=code,
                      **env)


def by_run(path):
    """(values of keys) -> trajectories, {variable: numbers}, those of irreps by irrep."""
    with netCDF4.Dataset(path) as f:
        f.set_auto_mask(False)
        irreps = list(zip(f["irrep_group"][:], f["irrep_label"][:]))
        keys = ["group", "model_depth", "optimizer_kind", "optimizer_lr", "seed"]
        runs = {}
        for r, key in enumerate(zip(*(f[k][:].tolist() for k in keys))):
            there = f["step"][r] >= 0
            mine = runs.setdefault(key, {})
            for name, v in f.variables.items():
                if v.dimensions == ("run", "record"):
                    mine[name] = v[r][there].tobytes()
                elif v.dimensions == ("run", "record", "irrep"):
                    own = v[r][there].T
                    mine |= {(name, i): x.tobytes() for i, x in zip(irreps, own) if i[0] == key[0]}
        return runs


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("small"), SWEEP, "small")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """The larger sweep, at once."""
    return trained(tmp_path_factory.mktemp("large"), LARGER, "large", *STAGES)


# ---- what an extended output is ----


@pytest.mark.parametrize("ranks", [1, 3])
def test_equals_the_larger_sweep_at_once(small, large, tmp_path, ranks):
    out = copy(small, tmp_path)
    alone = ["--set", "mapping.team=1"] if ranks > 1 else []
    extend(out, LARGER, *alone, ranks=ranks)
    assert_same(out, large, more=["mapping_team"] if alone else [])
    was, now = by_run(small), by_run(out)
    assert len(was) == 4 and was.keys() < now.keys()
    for key, mine in was.items():
        assert len(mine) > 20
        for name, values in mine.items():
            assert now[key][name].startswith(values), (key, name)
    with netCDF4.Dataset(out) as f:
        assert f.title == "much more" and len(f.history.splitlines()) == 2
    # The states of all runs are kept, by their new numbers.
    kept = sorted(p.name for p in Path(f"{out}.ckpt").iterdir())
    assert kept == [f"run-{r:06}.nc" for r in range(24)]
    # Again, by its file alone, and on: nothing is left to do, and all can grow once more.
    extend(out, LARGER, *alone)
    pl_run.run(["run", "--resume", out.parent / "larger.yaml", "-q", "-o", out, *alone])
    assert_same(out, large, more=["mapping_team"] if alone else [])


def test_only_what_is_new_is_trained(small, tmp_path):
    """A step more of each run: so many steps a rank makes, and no others."""
    out = copy(small, tmp_path / "steps")
    extend(out, SWEEP.replace("steps: 60", "steps: 61"), "--max-steps", 5)
    assert states(out) == [DONE] * 4
    out = copy(small, tmp_path / "seeds")
    extend(out, SWEEP.replace("[1, 3]", "[1, 2, 3]"), "--max-steps", 2 * 60 + 1)
    assert states(out) == [DONE] * 6


GROWING = """
model.kind: mlp
model.depth: 2
model.width: 5
data.kind: rings
data.samples: 30
data.validation: 20
train.batch: 8
optimizer.kind: adam
optimizer.weight_decay: 0.01
record.every_epoch: true
record.final: true
record.best: true
epochs: 3
seed: 0..1
"""


def test_minibatches_and_best_weights_go_on(tmp_path):
    """Twice longer, with the state that record.final keeps; weights are those of the whole."""
    out = trained(tmp_path, GROWING, "out")
    once = trained(tmp_path, GROWING.replace("epochs: 3", "epochs: 9"), "once")
    extend(out, GROWING.replace("epochs: 3", "epochs: 5"))
    extend(out, GROWING.replace("epochs: 3", "epochs: 9"))
    assert_same(out, once)
    for folder in "final", "best":
        for path in Path(f"{once}.{folder}").iterdir():
            mine = Path(f"{out}.{folder}") / path.name
            with netCDF4.Dataset(path) as a, netCDF4.Dataset(mine) as b:
                assert len(a.variables) >= 2
                for name in a.variables:
                    assert a[name][:].tobytes() == b[name][:].tobytes(), (folder, name)


@pytest.mark.parametrize("schedule", ["log", "linear"])
def test_records_of_a_schedule_go_on(tmp_path, schedule):
    text = f"group: C_2\nrecord.points: 5\nrecord.schedule: {schedule}\ncheckpoint.keep: true\n"
    out = trained(tmp_path, text + "steps: 20", "out")
    steps = [contents(out)["step"][0].tolist()]
    for more in 100, 300:
        extend(out, text + f"steps: {more}")
        steps.append(contents(out)["step"][0].tolist())
    ladder = {"log": [[0, 1, 4, 9, 20], [31, 100], [300]],
              "linear": [[0, 5, 10, 15, 20], [25, 50, 75, 100], [150, 225, 300]]}[schedule]
    assert steps == [sum(ladder[:n + 1], []) for n in range(3)]
    # As a sweep file may say, too.
    once = trained(tmp_path, text + "steps: 300\nrecord.stages: [20, 100]", "once")
    assert_same(out, once)
    # Another sweep is told by what it says itself.
    for other, words in [("steps: 400", "steps: was 300, is now 400"),
                         ("steps: 300\nrecord.steps: [0, 7]", "record.steps: ")]:
        sweep = write(tmp_path / "other.yaml", text + other)
        done = pl_run.run(["run", "--resume", sweep, "-q", "-o", out], code=2)
        assert words in done.stderr and "record.stages" not in done.stderr, done.stderr


def test_listed_records_go_on(tmp_path):
    text = "group: C_2\ncheckpoint.keep: true\n"
    out = trained(tmp_path, text + "steps: 20\nrecord.steps: [0, 7]", "out")
    once = trained(tmp_path, text + "steps: 50\nrecord.steps: [0, 7, 21, 40]", "once")
    done = extend(out, text + "steps: 50\nrecord.steps: [0, 7, 15, 40]", code=2)
    assert "record.steps: those up to the earlier last step" in done.stderr
    extend(out, text + "steps: 50\nrecord.steps: [0, 7, 21, 40]")
    assert_same(out, once)


def test_listed_records_of_epochs_go_on(tmp_path):
    """Three epochs are 12 steps: what was listed behind them is there, made at the end."""
    text = GROWING.replace("record.every_epoch: true", "record.steps: [0, 7{}]")
    longer = text.replace("epochs: 3", "epochs: 5")
    out = trained(tmp_path, text.format(", 15"), "out")
    assert contents(out)["step"][0].tolist() == [0, 7, 12]
    done = extend(out, longer.format(", 15"), code=2)
    assert "record.steps: 15 lies behind step 12" in done.stderr
    extend(out, text.format(", 15").replace("0..1", "0..2"))  # no longer than before
    out = trained(tmp_path, text.format(""), "plain")
    extend(out, longer.format(", 15"))
    assert contents(out)["step"][:, :3].tolist() == [[0, 7, 15]] * 2


ENDINGS = """
group: S_3
data.samples: 2
zip: [[optimizer.lr, stop.loss, stop.patience]]
optimizer.lr: [0.1, 0.1, 1.0e+160, 0.05]
stop.loss: [0.5, 0, 0, 0]
stop.patience: [0, 1, 0, 0]
stop.metric: accuracy
record.points: 6
checkpoint.keep: true
steps: 40
"""


def test_runs_that_ended_by_a_rule_have_ended(tmp_path):
    """By their loss, their patience, or in divergence."""
    out = trained(tmp_path, ENDINGS, "out", code=1)
    longer = ENDINGS.replace("steps: 40", "steps: 90")
    once = trained(tmp_path, longer, "once", "--set", "record.stages=[40]", code=1)
    ended = contents(once)["steps_done"].tolist()
    assert ended[0] < 40 and ended[1] < 40 and ended[3] == 90, ended
    assert states(out) == [DONE, DONE, DIVERGED, DONE]
    extend(out, longer, code=1)
    assert_same(out, once)



@pytest.mark.parametrize("rule", ["loss", "patience"])
def test_a_rule_met_at_the_last_step(tmp_path, rule):
    """Shorter or longer, such a run ends there, and has no record twice."""
    text = "group: S_3\ndata.samples: 2\nrecord.points: 4\ncheckpoint.keep: true\n"
    if rule == "loss":
        free = trained(tmp_path, text + "optimizer.lr: 0.1\nsteps: 9", "free")
        loss = contents(free)["loss"][0, -1]
        text += f"optimizer.lr: 0.1\nstop.loss: {loss * (1 + 1e-9):.17g}\n"
    else:  # four records, of which none is better than the first
        text += "optimizer.lr: 1.0e-9\nstop.patience: 3\nstop.metric: accuracy\n"
    out = trained(tmp_path, text + "steps: 9", "out")
    once = trained(tmp_path, text + "steps: 30", "once", "--set", "record.stages=[9]")
    assert contents(once)["steps_done"] == [9]
    extend(out, text + "steps: 30")
    assert_same(out, once)


def test_runs_under_way_go_on_in_the_larger_sweep(small, large, tmp_path):
    out = trained(tmp_path, SWEEP, "small", "--max-steps", 150, code=75)
    assert states(out).count(STOPPED) == 1 and states(out).count(DONE) == 2
    extend(out, LARGER)
    assert_same(out, large)


def test_what_stands_in_the_folders_stays(tmp_path):
    text = "group: C_2\nsteps: 3\nrecord.final: true\nseed: [{}]\n"
    out = trained(tmp_path, text.format("5, 7"), "out")
    weights = {s: (Path(f"{out}.final") / f"run-00000{r}.nc").read_bytes()
               for r, s in enumerate((5, 7))}
    write(Path(f"{out}.final") / "notes.txt", "mine")
    extend(out, text.format("7, 6, 5"))
    for run, seed in (0, 7), (2, 5):
        assert (Path(f"{out}.final") / f"run-00000{run}.nc").read_bytes() == weights[seed]
    assert (Path(f"{out}.final") / "notes.txt").read_text() == "mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "larger.yaml", "out.nc", "out.nc.ckpt", "out.nc.final", "out.yaml"]


def test_optima_are_carried_over(tmp_path):
    text = ("group: S_3\nmodel.depth: 2\ndata.samples: 2\nsteps: {}\nseed: [{}]\n"
            "checkpoint.keep: true\n")
    out = trained(tmp_path, text.format(3, "5, 7"), "out")
    pl_run.run(["optimum", tmp_path / "out.yaml", "--into", out])
    was = contents(out)
    assert was["optimum"].shape == (2,) and len(set(was["optimum"])) == 2
    extend(out, text.format(5, "7, 6, 5"))
    with netCDF4.Dataset(out) as f:
        for name in "optimum", "optimum_bound", "separable":
            assert f[name][:].filled(99).tolist() == [was[name][1], 99, was[name][0]]
        assert f["separable"].flag_meanings == "no yes"
    pl_run.run(["optimum", tmp_path / "larger.yaml", "--into", out])
    assert contents(out)["optimum"][[2, 0]].tolist() == was["optimum"].tolist()
    once = trained(tmp_path, text.format(5, "7, 6, 5"), "once", "-s", "record.stages=[3]")
    assert_same(out, once,
                more=["optimum", "optimum_bound", "separable"])


# ---- kills ----


KILLS = int(os.environ.get("KILLS", 2))


def test_killed_at_any_place(small, large, tmp_path):
    """While the new file is written, takes its place, or the folders follow: one of the two sweeps is
    in the output at every moment, with all records, and the next session ends what was begun.  The
    renamings: of the lock, the head of the new file, the file itself, the old folder, the new one."""
    library, was, kept = killer(tmp_path), contents(small), set(records(small).values())
    random.seed(7)
    places = [("KILL_RENAMES", n) for n in range(2, 7)]
    places += [("KILL_WRITES", random.randrange(1, 300)) for _ in range(KILLS)]
    shapes = []
    for k, (how, count) in enumerate(places):
        out = copy(small, tmp_path / str(k))
        done = extend(out, LARGER, code=None, LD_PRELOAD=str(library), KILL_RANK="0",
                      **{how: str(count)})
        assert done.returncode == -9, done.stderr
        now = contents(out)
        shapes.append(now["step"].shape)
        if shapes[-1] == was["step"].shape:
            assert all(now[n].tobytes() == was[n].tobytes() for n in was)
        else:
            assert kept <= set(records(out).values())
        if k < 2:  # nothing of it stays, whatever comes next
            pl_run.run(["run", write(out.parent / "larger.yaml", SWEEP), "--resume", "-q", "-o", out])
            assert not list(out.parent.glob("*.extending*"))
        if k % 2 and shapes[-1] != was["step"].shape:
            pl_run.run(["run", out.parent / "larger.yaml", "--resume", "-q", "-o", out])
        else:
            extend(out, LARGER)
        assert_same(out, large)
        left = sorted(p.name for p in out.parent.iterdir() if ".lock." not in p.name)
        assert left == ["larger.yaml", "small.nc", "small.nc.ckpt"], left
        assert len(list(Path(f"{out}.ckpt").glob("run-*.nc"))) == 24
    assert shapes[:5] == [was["step"].shape] * 2 + [contents(large)["step"].shape] * 3


def test_a_folder_that_cannot_be_synced(small, large, tmp_path):
    """Of the checkpoints by their new numbers; of the new file: then it has its name already, and the
    folders follow."""
    library, was = killer(tmp_path), contents(small)["step"].shape
    shapes = []
    for k in 2, 3:
        out = copy(small, tmp_path / str(k))
        done = extend(out, LARGER, code=3, LD_PRELOAD=str(library), KILL_RANK="0",
                      KILL_FOLDERS=str(k))
        assert "sync the folder" in done.stderr and done.stderr.count("error:") == 1
        shapes.append(contents(out)["step"].shape)
        assert sorted(p.name for p in out.parent.iterdir()) == ["larger.yaml", "small.nc",
                                                                "small.nc.ckpt"]
        begun = np.flatnonzero(contents(out)["step"][:, 0] >= 0)
        kept = sorted(p.name for p in Path(f"{out}.ckpt").iterdir())
        assert kept == [f"run-{r:06}.nc" for r in begun] and len(kept) == 4
        extend(out, LARGER)
        assert_same(out, large)
    assert shapes == [was, contents(large)["step"].shape]


# ---- shards ----


def test_shards_are_extended_and_merged(large, tmp_path):
    parts = [tmp_path / f"{i}.nc" for i in range(2)]
    sweep = write(tmp_path / "small.yaml", SWEEP)
    for i, part in enumerate(parts):
        pl_run.run(["run", sweep, "-q", "-o", part, "--shard", f"{i}/2"])
    assert "holds a shard" in extend(parts[0], LARGER, code=2).stderr
    assert "holds shard 0/2, not 1/2" in extend(parts[0], LARGER, "--shard", "1/2", code=2).stderr
    for i, part in enumerate(parts):
        extend(part, LARGER, "--shard", f"{i}/2", "--max-steps", 1000, code=75)
        pl_run.run(["run", "--resume", tmp_path / "larger.yaml", "-q", "-o", part, "--shard",
                    f"{i}/2"])
    whole = tmp_path / "whole.nc"
    pl_run.run(["merge", *parts, "-o", whole])
    assert_same(whole, large)
    assert "holds the whole sweep" in extend(whole, LARGER, "--shard", "0/2", code=2).stderr
    extend(whole, LARGER.replace("seed: [0,", "seed: [9, 0,"))
    assert len(states(whole)) == 32


def sharded(folder, text, *last, code=0):
    """The outputs of two shards, the second made with options of its own."""
    sweep, parts = write(folder / "shards.yaml", text), [folder / f"{i}.nc" for i in range(2)]
    for i, part in enumerate(parts):
        pl_run.run(["run", sweep, "-q", "-o", part, "--shard", f"{i}/2", *(last if i else ())],
                   code=code if i else 0)
    return parts


def weights(output):
    """{number of run: its final weights}"""
    found = {}
    for path in Path(f"{output}.final").iterdir():
        with netCDF4.Dataset(path) as f:
            found[int(path.name[4:10])] = {n: v[:].tobytes() for n, v in f.variables.items()}
    return found


def test_what_was_merged_goes_on(large, tmp_path):
    """From states by their numbers in the whole, of runs that have ended and of one under way; what
    belonged to an output in its place is gone."""
    parts, whole = sharded(tmp_path, SWEEP, "--max-steps", 70, code=75), tmp_path / "whole.nc"
    there = {f"run-{r:06}.nc" for r in range(4)}
    assert sorted(states(parts[1])) == [DONE, STOPPED]
    shutil.copy(parts[0], whole)
    for folder in "ckpt", "best":
        Path(f"{whole}.{folder}").mkdir()
        write(Path(f"{whole}.{folder}") / "run-000009.nc", "another's")
    write(Path(f"{whole}.ckpt") / "notes.txt", "mine")
    pl_run.run(["merge", *parts, "-o", whole, "--overwrite"])
    assert {p.name for p in Path(f"{whole}.ckpt").iterdir()} == there | {"notes.txt"}
    for path in parts:
        path.unlink()
        shutil.rmtree(f"{path}.ckpt")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["shards.yaml", "whole.nc", "whole.nc.ckpt"]
    extend(whole, LARGER, "--max-steps", 4 * 140 + 50 + 20 * 200 + 1)  # no step is made twice
    assert_same(whole, large)


def test_weights_of_shards_come_along(tmp_path):
    text = "group: C_2\nsteps: {}\nrecord.final: true\nseed: 0..3\n"
    parts, whole = sharded(tmp_path, text.format(3)), tmp_path / "whole.nc"
    pl_run.run(["merge", *parts, "-o", whole])
    assert weights(whole) == weights(trained(tmp_path, text.format(3), "once"))
    was = [weights(part) for part in parts]
    extend(whole, text.format(9))
    longer = trained(tmp_path, text.format(9), "longer", "--set", "record.stages=[3]")
    assert weights(whole) == weights(longer) and [weights(part) for part in parts] == was
    assert_same(whole, longer)


def test_a_merge_keeps_what_belongs_to_none_of_its_outputs(tmp_path):
    """Weights whose output is elsewhere, and those of an input whose numbers are not its own yet."""
    text = "group: C_2\nsteps: 3\nrecord.final: true\nseed: 0..3\n"
    parts, whole = sharded(tmp_path, text), tmp_path / "whole.nc"
    pl_run.run(["merge", parts[0], "-o", whole])
    was = weights(whole)
    whole.rename(tmp_path / "elsewhere.nc")
    done = pl_run.run(["merge", *parts, "-o", whole], code=2)
    assert "/run-" in done.stderr and "that it belongs to" in done.stderr
    assert weights(whole) == was and not whole.exists()
    under_way = Path(f"{parts[1]}.final.before")
    under_way.mkdir()
    done = pl_run.run(["merge", *parts, "-o", whole, "--overwrite"], code=2)
    assert f"{parts[1]}: was being extended" in done.stderr and weights(whole) == was
    under_way.rmdir()
    pl_run.run(["merge", *parts, "-o", whole, "--overwrite"])
    assert len(weights(whole)) == 4


@pytest.mark.parametrize("renames", [2, 3, 4])
def test_a_merge_that_is_killed(tmp_path, renames):
    """Before the new file has its name the old one is there with its states, then the new one."""
    text = "group: C_2\nsteps: 3\ncheckpoint.keep: true\nseed: 0..3\n"
    parts, library = sharded(tmp_path, text), killer(tmp_path)
    whole, once = tmp_path / "whole.nc", trained(tmp_path, text, "once")
    pl_run.run(["merge", parts[0], "-o", whole])
    done = pl_run.run(["merge", *parts, "-o", whole, "--overwrite"], code=None,
                      LD_PRELOAD=str(library), KILL_RANK="0", KILL_RENAMES=str(renames),
                      PMI_RANK="0")  # as if launched: kills count in MPI alone
    assert done.returncode in (0, -9)
    assert states(whole) in ([DONE, 0, DONE, 0], [DONE] * 4)
    pl_run.run(["run", "--resume", tmp_path / "shards.yaml", "-q", "-o", whole])
    assert_same(whole, once)
    assert len(list(Path(f"{whole}.ckpt").glob("run-*.nc"))) == 4
    extend(whole, text.replace("steps: 3", "steps: 5"))
    left = {p.name for p in tmp_path.iterdir() if p.name.startswith("whole") and ".lock" not in p.name}
    assert left == {"whole.nc", "whole.nc.ckpt"}


# ---- what is refused ----


@pytest.mark.parametrize("old, new, words", [
    ("data.samples: 4", "data.samples: 5", "data.samples: was 4, is now 5"),
    ("[1, 3]", "[1, 4]", "seed: 3 is not among its values now"),
    ("[1, 3]", "[1]", "seed: was 3, is now 1"),
    ("[gd, adam]", "[adam, muon]", "optimizer.kind: gd is not among its values now"),
    ("steps: 60", "steps: 50", "steps: was 60, is now 50"),
    ("steps: 60", "steps: [70, 80]", "steps: 60 is not among its values now"),
    ("record.points: 12", "record.points: 14", "record.points: was 12, is now 14"),
    ("steps: 60", "steps: 70\noptimizer.schedule: cosine", "optimizer.schedule: was constant"),
    ("steps: 60", "steps: 70\nrecord.stages: [20]", "record.stages: expected [60]"),
    ("model.depth: 2", "model.depth: 2\nzip: [[optimizer.kind, seed]]",
     "optimizer.kind: zipped with other values"),
])
def test_what_is_no_extension_is_refused(small, tmp_path, old, new, words):
    assert old in SWEEP
    out = copy(small, tmp_path)
    before = out.read_bytes()
    done = extend(out, SWEEP.replace(old, new), code=2)
    assert "not extended by this sweep: " + words in done.stderr
    assert out.read_bytes() == before


def test_states_that_were_not_kept(tmp_path):
    text = "group: C_2\nsteps: 5\nseed: 0..1\n"
    out = trained(tmp_path, text, "out")
    done = extend(out, text.replace("5", "9"), code=2)
    assert "checkpoint.keep: true or record.final: true" in done.stderr
    extend(out, text.replace("0..1", "0..3"))  # this needs none
    out.unlink()
    cosine = text + "optimizer.schedule: cosine\ncheckpoint.keep: true\n"
    out = trained(tmp_path, cosine, "out")
    assert "cosine" in extend(out, cosine.replace("5", "9"), code=2).stderr
    shutil.rmtree(f"{out}.ckpt")
    assert "nothing to extend" in extend(tmp_path / "none.nc", text, code=2).stderr


def test_inputs_are_the_same(tmp_path):
    text = "group: C_4\nsteps: 3\ndata.kind: file\ndata.path: x.nc\nseed: [{}]\n"
    out, data = tmp_path / "out.nc", write(tmp_path / "g.yaml", "group: C_4\ndata.samples: 2")
    pl_run.run(["data", data, "-o", tmp_path / "x.nc"])
    trained(tmp_path, text.format(0), "out")
    pl_run.run(["data", data, "--set", "seed=1", "-o", tmp_path / "x.nc", "--overwrite"])
    done = extend(out, text.format("0, 1"), code=2)
    assert "data.path: " in done.stderr and "SHA-256" in done.stderr
