"""Interrupted sweeps: stopped by signals and clocks, killed, out of disk.  Whatever happens, after
--resume the output equals that of an undisturbed sweep, and no record that was once in the file is
ever lost.  When to interrupt is told by the records in the output, not by the clock."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import netCDF4
import numpy as np
import pytest

import pl_run
from sessions import (DIVERGED, DONE, RUNNING, STOPPED, assert_same, contents, finish, in_sessions,
                      killed_sessions, killer, records, states, stop_when)

SWEEP = """
group: [S_4, S_5]
model.depth: [2, 3]
data.samples: 6
optimizer.lr: 0.02
steps: 60000
record.points: 40
seed: 0..1
checkpoint.every: 0.002
"""
# Irreps of dimension 3 and more on a grid of both ranks.
GRIDS = ["--set", "mapping.team=2", "--set", "mapping.grid_ranks=2",
         "--set", "mapping.grid_min_dim=3", "--set", "steps=100", "--set", "record.points=8",
         "--set", "seed=0"]


@pytest.fixture
def sweep(tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP)
    return path


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The undisturbed sweep, on one rank."""
    folder = tmp_path_factory.mktemp("reference")
    (folder / "sweep.yaml").write_text(SWEEP)
    pl_run.run(["run", folder / "sweep.yaml", "-q", "-o", folder / "out.nc"])
    assert states(folder / "out.nc") == [DONE] * 8
    return folder / "out.nc"


# ---- signals and clocks ----


SHORT = ["--set", "steps=10000"]


@pytest.fixture(scope="module")
def short_reference(tmp_path_factory):
    folder = tmp_path_factory.mktemp("short")
    (folder / "sweep.yaml").write_text(SWEEP)
    pl_run.run(["run", folder / "sweep.yaml", *SHORT, "-q", "-o", folder / "out.nc"])
    return folder / "out.nc"


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_stopped_at_random_steps_equals_undisturbed(sweep, short_reference, tmp_path, ranks):
    """Teams of one are bitwise the same whatever the number of ranks."""
    random.seed(ranks)
    out, args = tmp_path / "out.nc", ["run", sweep, "--set", "mapping.team=1", *SHORT]
    in_sessions(args, out, lambda: int(10 ** random.uniform(0, 3.9)), 6 if ranks == 1 else 3,
                (ranks,))
    assert_same(out, short_reference, more=["mapping_team"])


def test_a_stop_is_told_with_exit_code_75(sweep, tmp_path):
    out = tmp_path / "out.nc"
    args = ["run", sweep, "-o", out, "--set", "steps=100000000"]
    done = pl_run.run([*args, "--max-time", "0:00:01.5"], code=75)
    assert "--resume" in done.stderr and "--max-time" in done.stderr
    stop_when([*args, "-q", "--overwrite"], lambda: STOPPED not in states(out) and records(out))
    assert STOPPED in states(out)
    assert list(Path(f"{out}.ckpt").glob("run-*.nc"))
    for wrong in ("0", "1:2:3:4", "x", "5y"):
        assert "--max-time" in pl_run.run([*args, "--max-time", wrong], code=2).stderr


@pytest.mark.parametrize("rank, sig", [(0, signal.SIGTERM), (2, signal.SIGUSR1)])
def test_one_rank_that_is_signalled_stops_all_teams(sweep, tmp_path, rank, sig):
    out = tmp_path / "out.nc"
    stop_when(["run", sweep, "-q", "-o", out, "--set", "steps=100000000"],
              lambda: len({run for run, _ in records(out)}) == 3, 3, rank, sig)
    assert 1 not in states(out) and states(out).count(STOPPED) >= 1


# A step takes a tenth of a second and more: two signals find the same one.
LONG_STEPS = ["--set", "group=S_9", "--set", "model.depth=3", "--set", "seed=0", "--set",
              "steps=1000000", "--set", "checkpoint.every=0"]  # saved when stopped, not by the clock


def interrupt(args, out, times):
    """SIGINT in the middle of training, so often, each after the one before was taken; returns the
    exit code."""
    process = pl_run.start([*args, "--overwrite", "-o", out])
    end = time.time() + 40
    out.unlink(missing_ok=True)
    while process.poll() is None and not records(out) and time.time() < end:
        time.sleep(0.01)
    time.sleep(0.3)  # into a step: records are written between two
    for _ in range(times):
        process.send_signal(signal.SIGINT)
        time.sleep(0.002)  # taken by now, and no step is over so soon
    return finish(process)


def test_first_interrupt_saves(sweep, tmp_path):
    out = tmp_path / "out.nc"
    assert interrupt(["run", sweep, "-q", *LONG_STEPS], out, 1) == 75
    assert states(out) == [STOPPED] and list(Path(f"{out}.ckpt").glob("run-*.nc"))


def test_second_interrupt_ends_at_once(sweep, tmp_path):
    out = tmp_path / "out.nc"
    # The step may end between the two, or saving begin, once in a while; not four times.
    for _ in range(4):
        shutil.rmtree(f"{out}.ckpt", ignore_errors=True)
        code = interrupt(["run", sweep, "-q", *LONG_STEPS], out, 2)
        if code != 75 and not Path(f"{out}.ckpt").exists():
            break
    assert code == 128 + signal.SIGINT
    assert states(out) == [RUNNING] and records(out) and not Path(f"{out}.ckpt").exists()


def test_teams_with_grids_go_on_bitwise(sweep, tmp_path):
    """The plan is stored, so that a resumed sweep has the mapping of the interrupted one."""
    random.seed(7)
    out, other = tmp_path / "out.nc", tmp_path / "other.nc"
    args = ["run", sweep, *GRIDS]
    pl_run.run([*args, "-q", "-o", out, "--max-steps", "130"], 2, code=75)
    shutil.copytree(f"{out}.ckpt", f"{other}.ckpt")
    shutil.copy(out, other)
    pl_run.run([*args, "--resume", "-q", "-o", other], 2)
    in_sessions(args, out, lambda: random.randint(1, 80), 3, (2,))
    assert_same(out, other)


def test_resumed_on_other_ranks_agrees_to_rounding(sweep, tmp_path):
    """A checkpoint does not depend on ranks or mapping: from a team with grids to one rank, and to
    three."""
    args = ["run", sweep, "-q", *GRIDS]
    whole = tmp_path / "whole.nc"
    pl_run.run([*args, "-o", whole])
    first = tmp_path / "first.nc"
    pl_run.run([*args, "-o", first, "--set", "checkpoint.every=0.0005"], 2)
    assert_same(first, whole, 1e-12)
    stopped = tmp_path / "stopped.nc"
    pl_run.run([*args, "-o", stopped, "--max-steps", "170"], 2, code=75)
    for ranks in (1, 3):
        out = tmp_path / f"on{ranks}.nc"
        shutil.copy(stopped, out)
        shutil.copytree(f"{stopped}.ckpt", f"{out}.ckpt")
        pl_run.run([*args, "--resume", "-o", out], ranks)
        assert_same(out, whole, 1e-12)


STATES = ["--set", "optimizer.kind=[momentum, adagrad, adam, muon]", "--set", "group=S_4", "--set",
          "seed=0", "--set", "record.kkt=true"]


def test_optimiser_states_and_running_averages_are_saved(sweep, tmp_path):
    """States are arrays in Fourier space or over the group; bounds come from averages over steps."""
    args = ["run", sweep, *STATES, "--set", "optimizer.lr=0.001", "--set", "steps=6000"]
    whole, out = tmp_path / "whole.nc", tmp_path / "out.nc"
    pl_run.run([*args, "-q", "-o", whole])
    in_sessions(args, out, lambda: 4001, 4)
    assert_same(out, whole)


def test_optimiser_states_move_to_other_ranks(sweep, tmp_path):
    args = ["run", sweep, *STATES, "--set", "optimizer.lr=0.001", "--set", "steps=400",
            "--set", "record.points=8", "--set", "model.depth=2", *GRIDS[:6]]
    whole, out = tmp_path / "whole.nc", tmp_path / "out.nc"
    pl_run.run([*args, "-q", "-o", whole])
    in_sessions(args, out, lambda: 261, 4, (2, 1))
    assert_same(out, whole, 1e-12)


# ---- kills ----


KILLS = int(os.environ.get("KILLS", 3))


@pytest.mark.parametrize("ranks, victim", [(1, 0), (2, 0), (2, 1)])
def test_killed_at_random(sweep, reference, tmp_path, ranks, victim):
    """At a step, or between two writes of a flush, a checkpoint or a lock."""
    kills, out = -(-KILLS // 3), tmp_path / "out.nc"
    args, library = ["run", sweep, "--set", "mapping.team=1"], killer(tmp_path)
    random.seed(100 * ranks + victim)

    def when(n):
        if n and random.random() < 0.5:
            return "KILL_WRITES", int(10 ** random.uniform(0, 2.5))
        return "KILL_STEPS", int(10 ** random.uniform(2.5, 4.7))

    while kills > 0:
        n = killed_sessions(args, out, library, when, kills, ranks, victim)
        assert n > 0
        kills -= n
        assert_same(out, reference, more=["mapping_team"])
        out.unlink()


def test_killed_before_an_older_checkpoint_goes(tmp_path):
    """The final state is kept; the checkpoint before it stays until the run is in the output."""
    sweep, out, whole = (tmp_path / name for name in ("sweep.yaml", "out.nc", "whole.nc"))
    sweep.write_text("group: S_3\nsteps: 60\nrecord.points: 5\ncheckpoint.keep: true\n")
    pl_run.run(["run", sweep, "-q", "-o", whole])
    args = ["run", sweep, "-q", "--resume", "-o", out]
    pl_run.run([*args, "--max-steps", 30], code=75)
    done = pl_run.run(args, code=None, LD_PRELOAD=str(killer(tmp_path)), KILL_RANK="0",
                      KILL_REMOVES=".nc.previous")
    assert done.returncode == -signal.SIGKILL and states(out) == [DONE]
    assert_same(out, whole)
    kept = Path(f"{out}.ckpt")
    assert len(list(kept.iterdir())) == 2
    pl_run.run(args)
    assert [p.name for p in kept.iterdir()] == ["run-000000.nc"]
    assert_same(out, whole)


# ---- memory ----


# A run for each of two ranks, then some of a larger group, shorter by any calibration.
GROWING = """
zip: [[group, steps, seed]]
group: [S_5, S_5, S_7, S_7]
steps: [20000, 20000, 8, 8]
seed: [0, 1, 2, 3]
model.depth: 2
data.samples: 200
optimizer.lr: 0.02
record.points: 40
mapping.team: 1
"""


@pytest.fixture(scope="module")
def growing(tmp_path_factory):
    """That sweep, undisturbed."""
    folder = tmp_path_factory.mktemp("growing")
    (folder / "sweep.yaml").write_text(GROWING)
    pl_run.run(["run", folder / "sweep.yaml", "-q", "-o", folder / "out.nc"], 2)
    return folder


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_without_memory(growing, tmp_path, rank):
    """In its first run a rank is left with 4 MB more than it has: libraries still find theirs, the
    samples on S_7, which the other is too slow to take, do not."""
    whole, out = growing / "out.nc", tmp_path / "out.nc"
    args = ["run", growing / "sweep.yaml", "-q", "--resume", "-o", out]
    pl_run.run([*args, "--max-steps", "10000"], 2, code=75)
    seen = records(out)
    errors = pl_run.run(args, 2, code=3, LD_PRELOAD=str(killer(tmp_path)), KILL_RANK=str(rank),
                        KILL_STEPS="500", KILL_STARVES=str(2**22), KILL_SLOWS="1000").stderr
    assert errors.count("plancherel: ") == 1 and "fatal: out of memory: " in errors, errors
    kept, undisturbed = records(out), records(whole)
    assert len(kept) >= len(seen) > 0
    assert all(undisturbed[key] == value for key, value in kept.items())
    pl_run.run(args, 2)
    assert_same(out, whole)


# ---- what --resume keeps, refuses and tries again ----


def test_a_changed_sweep_is_refused_with_the_key(sweep, reference, tmp_path):
    out = tmp_path / "out.nc"
    shutil.copy(reference, out)
    before = out.read_bytes()
    for key, value in [("optimizer.lr", "0.03"), ("seed", "0..2"), ("group", "[S_5, S_4]"),
                       ("data.samples", "[6, 7]")]:
        done = pl_run.run(["run", sweep, "--resume", "-o", out, "--set", f"{key}={value}"], code=2)
        assert f"{key}: " in done.stderr
    assert out.read_bytes() == before
    done = pl_run.run(["run", sweep, "-o", out], code=2)
    assert "--resume" in done.stderr
    # What touches no results may change; comments and spelling may, too.
    sweep.write_text("# again\n" + SWEEP.replace("model.depth: [2, 3]", "model: {depth: [2, 3]}"))
    pl_run.run(["run", sweep, "--resume", "-q", "-o", out, "--set", "checkpoint.every=5"])
    assert_same(out, reference)


def test_defaults_that_differ_by_kind(tmp_path):
    """Rings have classes and the softmax loss, curves numbers and the square one, unless told."""
    path, out = tmp_path / "s.yaml", tmp_path / "out.nc"
    path.write_text("model.kind: mlp\ndata: {kind: [rings, curve], samples: 8}\nsteps: 2\n")
    pl_run.run(["run", path, "-q", "-o", out])
    before = out.read_bytes()
    pl_run.run(["run", path, "-q", "--resume", "-o", out])
    assert out.read_bytes() == before
    with netCDF4.Dataset(out) as nc:
        assert list(nc["loss_kind"][:]) == ["softmax", "square"]
    swapped = ["--set", "data.kind=[curve, rings]"]
    assert "data.kind: " in pl_run.run(["run", path, "--resume", "-o", out, *swapped], code=2).stderr


def test_resume_refuses_what_is_no_output(sweep, tmp_path):
    out = tmp_path / "out.nc"
    out.write_text("not NetCDF")
    assert "out.nc" in pl_run.run(["run", sweep, "--resume", "-o", out], code=2).stderr
    with netCDF4.Dataset(out, "w", format="NETCDF3_64BIT_DATA") as f:
        f.createDimension("run", 3)
    assert "not an output" in pl_run.run(["run", sweep, "--resume", "-o", out], code=2).stderr


def test_retry_trains_diverged_runs_again(sweep, tmp_path):
    args = ["run", sweep, "-q", "-o", tmp_path / "out.nc", "--set", "steps=300", "--set",
            "optimizer.lr=[0.02, 1000]", "--set", "group=S_4", "--set", "model.depth=3"]
    out = tmp_path / "out.nc"
    pl_run.run(args, code=1)
    before = contents(out)
    assert sorted(set(states(out))) == [DONE, DIVERGED]
    pl_run.run([*args, "--resume"], code=1)
    with netCDF4.Dataset(out, "a") as f:  # a mark that only a new record wipes out
        f["loss"][:, 0] = -5
    pl_run.run([*args, "--resume"], code=1)
    assert (contents(out)["loss"][:, 0] == -5).all()
    pl_run.run([*args, "--resume", "--retry"], code=1)
    after = contents(out)
    again = np.array(states(out)) == DIVERGED
    assert (after["loss"][~again, 0] == -5).all()
    assert (after["loss"][again] == before["loss"][again]).all()


def test_resume_without_an_output_starts_one(sweep, short_reference, tmp_path):
    pl_run.run(["run", sweep, *SHORT, "--resume", "-q", "-o", tmp_path / "out.nc"])
    assert_same(tmp_path / "out.nc", short_reference)


# ---- damage ----


LONG = ["--set", "group=S_5", "--set", "model.depth=3", "--set", "seed=0", "--set",
        "steps=60000"]


@pytest.fixture(scope="module")
def long_reference(tmp_path_factory, reference):
    out = tmp_path_factory.mktemp("long") / "out.nc"
    pl_run.run(["run", reference.parent / "sweep.yaml", "-q", *LONG, "-o", out])
    return out


def stopped_run(sweep, out):
    """Stop a run that has two checkpoints; returns the newer one."""
    newer = Path(f"{out}.ckpt") / "run-000000.nc"
    args = ["run", sweep, "-q", *LONG, "-o", out, "--max-steps", "7000"]
    pl_run.run(args, code=75)
    pl_run.run([*args, "--resume"], code=75)
    assert Path(f"{newer}.previous").exists()
    return newer


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "truncated":
        data = data[: len(data) * 2 // 3]
    elif how == "one bit":
        data[len(data) // 2] ^= 4
    elif how == "empty":
        data = b""
    elif how == "text":
        data = b"damaged"
    path.write_bytes(data)


@pytest.mark.parametrize("how", ["truncated", "one bit", "empty", "text"])
def test_damaged_checkpoint_falls_back_to_the_one_before(sweep, long_reference, tmp_path, how):
    out = tmp_path / "out.nc"
    newer = stopped_run(sweep, out)
    damage(newer, how)
    done = pl_run.run(["run", sweep, *LONG, "--resume", "-o", out])
    assert "the checkpoint before it" in done.stderr and newer.name in done.stderr
    assert_same(out, long_reference)


def test_a_run_without_a_sound_checkpoint_starts_again(sweep, long_reference, tmp_path):
    out = tmp_path / "out.nc"
    newer = stopped_run(sweep, out)
    damage(newer, "truncated")
    damage(newer.with_name(newer.name + ".previous"), "one bit")
    done = pl_run.run(["run", sweep, *LONG, "--resume", "-o", out])
    assert done.stderr.count("checkpoint not used") == 2
    assert_same(out, long_reference)


def test_overwriting_a_sweep_removes_its_checkpoints(sweep, long_reference, tmp_path):
    out = tmp_path / "out.nc"
    stopped_run(sweep, out)
    pl_run.run(["run", sweep, "-q", *LONG, "-o", out, "--overwrite"])
    assert_same(out, long_reference)
    assert not Path(f"{out}.ckpt").exists()


# ---- the file system ----


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 1 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk],
                             capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk, leave=0):
    """Take all room but `leave` bytes."""
    with open(disk / "filler", "ab") as f:
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        try:
            f.write(b"x" * max(0, free - leave))
        except OSError:
            pass


def test_disk_full_at_creation(sweep, small_disk):
    done = pl_run.run(["run", sweep, "-o", small_disk / "out.nc", "--set", "record.points=20000"],
                      code=3)
    assert "No space" in done.stderr and done.stderr.count("error:") == 1
    assert not list(small_disk.iterdir())


def test_overwrite_keeps_the_old_file_until_the_new_one_is_whole(sweep, reference, small_disk):
    out = small_disk / "out.nc"
    shutil.copy(reference, out)
    pl_run.run(["run", sweep, "-o", out, "--overwrite", "--set", "record.points=20000"], code=3)
    assert_same(out, reference)


@pytest.mark.parametrize("ranks", [1, 2])
def test_disk_full_during_a_checkpoint_is_a_warning(sweep, reference, small_disk, ranks):
    out = small_disk / "out.nc"
    process = subprocess.Popen(
        pl_run.command(["run", sweep, "-q", "-o", out, "--set", "checkpoint.every=0.0003"], ranks),
        env=pl_run.environment(ranks), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not out.exists():
        time.sleep(0.002)
    fill(small_disk)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "no checkpoint at step" in errors
    assert_same(out, reference)


def test_disk_full_when_stopped_is_exit_code_3(sweep, small_disk):
    out = small_disk / "out.nc"
    process = subprocess.Popen(
        pl_run.command(["run", sweep, "-q", "-o", out, "--set", "checkpoint.every=0", "--set",
                        "steps=100000000"]),
        env=pl_run.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and len(records(out)) < 3:
        time.sleep(0.01)
    fill(small_disk)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "could not be saved" in errors
    assert len(records(out)) >= 3


@pytest.mark.parametrize("ranks", [1, 2])
def test_disk_full_during_a_record(sweep, small_disk, ranks):
    """The file is prefilled, so room is taken from under it: holes where records will be."""
    out = small_disk / "out.nc"
    many = ["--set", "record.points=2000", "--set", "record.irreps=false", "--set",
            "group=S_4", "--set", "steps=4000000"]
    process = subprocess.Popen(
        pl_run.command(["run", sweep, "-q", "-o", out, "--set", "checkpoint.every=0",
                        "--set", "record.schedule=linear", "--set", "seed=0", *many], ranks),
        env=pl_run.environment(ranks), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and len(records(out)) < 3:
        time.sleep(0.01)
    seen = records(out)
    size, page = out.stat().st_size, 4096
    # The last variable's rows of the first run, past its first records.
    start = size - 2 * 2000 * 6 * 8 + 4 * page
    start -= start % page
    subprocess.run(["fallocate", "--punch-hole", "-o", str(start), "-l", str(size - start), out],
                   check=True)
    fill(small_disk)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    assert errors.count("error:") == 1 and "No space" in errors
    left = records(out)
    assert all(left.get(key) == value for key, value in seen.items())


def test_read_only_folder(sweep, small_disk):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = pl_run.run(["run", sweep, "-o", small_disk / "out.nc"], code=3)
    assert "Read-only" in done.stderr and done.stderr.count("error:") == 1


# ---- shards ----


def test_shards_merge_into_the_whole(sweep, short_reference, tmp_path):
    parts = [tmp_path / f"part{i}.nc" for i in range(3)]
    for i, part in enumerate(parts):
        pl_run.run(["run", sweep, *SHORT, "-q", "-o", part, "--shard", f"{i}/3"], 1 + i % 2)
    with netCDF4.Dataset(parts[0]) as f:
        assert 0 < len(f["run_index"][:]) < 8
    out = tmp_path / "all.nc"
    pl_run.run(["merge", *reversed(parts), "-o", out])
    assert_same(out, short_reference)
    assert "exists" in pl_run.run(["merge", *parts, "-o", out], code=2).stderr
    twice = pl_run.run(["merge", parts[0], *parts, "-o", out, "--overwrite"], code=2)
    assert "earlier file" in twice.stderr
    assert_same(out, short_reference)
    # What is missing is trained by --resume of the whole.
    pl_run.run(["merge", parts[0], parts[2], "-o", out, "--overwrite"])
    assert 0 in states(out)
    pl_run.run(["run", sweep, *SHORT, "-q", "--resume", "-o", out])
    assert_same(out, short_reference)
    # A shard goes on as the same shard only.
    other = pl_run.run(["run", sweep, *SHORT, "--resume", "-o", parts[0], "--shard", "1/3"], code=2)
    assert "--shard" in other.stderr
    pl_run.run(["run", sweep, *SHORT, "-q", "--resume", "-o", parts[0], "--shard", "0/3"])
    assert not list(tmp_path.glob("*.extending*"))


def test_shards_of_different_sweeps_do_not_merge(sweep, tmp_path):
    short = ["run", sweep, "-q", "--set", "steps=50", "--set", "record.points=5"]
    pl_run.run([*short, "-o", tmp_path / "a.nc", "--shard", "0/2"])
    pl_run.run([*short, "-o", tmp_path / "b.nc", "--shard", "1/2", "--set", "loss=logistic"])
    done = pl_run.run(["merge", tmp_path / "a.nc", tmp_path / "b.nc", "-o", tmp_path / "c.nc"],
                      code=2)
    assert "loss: was exponential, is now logistic" in done.stderr
    assert not (tmp_path / "c.nc").exists()


def test_bad_shards_are_refused(sweep, tmp_path):
    for text in ("3/3", "-1/3", "1", "a/b", "0/0", "1/3x"):
        done = pl_run.run(["run", sweep, f"--shard={text}", "-o", tmp_path / "x.nc"], code=2)
        assert "--shard" in done.stderr
    assert "do not fill" in pl_run.run(["run", sweep, "--shard=0/9", "-o", tmp_path / "x.nc"],
                                       code=2).stderr


def test_packed_file_holds_the_same(sweep, reference, tmp_path):
    packed = tmp_path / "packed.nc"
    pl_run.run(["pack", reference, "-o", packed])
    assert_same(packed, reference)
    with netCDF4.Dataset(packed) as p, netCDF4.Dataset(reference) as r:
        assert p.data_model == "NETCDF4" and p["loss"].filters()["zlib"]
        assert {k: p.getncattr(k) if isinstance(p.getncattr(k), str) else list(
            np.atleast_1d(p.getncattr(k))) for k in p.ncattrs()} == {
            k: r.getncattr(k) if isinstance(r.getncattr(k), str) else list(
                np.atleast_1d(r.getncattr(k))) for k in r.ncattrs()}
        for name in r.variables:
            assert p[name].ncattrs() == r[name].ncattrs()
            assert p[name].dimensions == r[name].dimensions
    assert "exists" in pl_run.run(["pack", reference, "-o", packed], code=2).stderr
    before = packed.read_bytes()
    done = pl_run.run(["run", sweep, "--resume", "-o", packed], code=2)
    assert "packed.nc: packed, in netCDF-4" in done.stderr and packed.read_bytes() == before


def test_packing_what_is_being_written_is_told(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text("group: S_3\nsteps: 1000000000\n")
    session = pl_run.start(["run", path, "-q", "-o", tmp_path / "out.nc"])
    try:
        while not (tmp_path / "out.nc").exists():
            time.sleep(0.01)
        done = pl_run.run(["pack", tmp_path / "out.nc", "-o", tmp_path / "p.nc"])
        assert "out.nc: is being written" in done.stderr
    finally:
        session.send_signal(signal.SIGTERM)
        session.wait(timeout=60)
    assert pl_run.run(["pack", tmp_path / "out.nc", "-o", tmp_path / "q.nc"]).stderr == ""


def test_packing_onto_a_full_disk(reference, small_disk):
    fill(small_disk, 8192)
    done = pl_run.run(["pack", reference, "-o", small_disk / "packed.nc"], code=3)
    assert "No space" in done.stderr
    assert [p.name for p in small_disk.iterdir()] == ["filler"]
