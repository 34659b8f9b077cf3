"""One writer per output, nothing that is read is replaced, and what was there is whole whatever
happens."""

import os
import re
import signal
import time

import netCDF4
import numpy as np
import pytest

import pl_run
from sessions import RUNNING, STOPPED as STOPPED_RUN, records, states, stop_when

BAD_INPUT, ENVIRONMENT, STOPPED = 2, 3, 75
SWEEP = "group: S_4\nsteps: 1000000000\nrecord.points: 20\ncheckpoint.every: 0.001\n"
SHORT = "group: S_3\nsteps: 20\nrecord.points: 4\nmodel.depth: 2\n"


def write(path, text):
    path.write_text(text)
    return path.name


def until(what, seconds=30):
    end = time.time() + seconds
    while not what():
        assert time.time() < end
        time.sleep(0.05)


def begun(path):
    if not path.exists():
        return False
    with netCDF4.Dataset(path) as f:
        return f["steps_done"][0] > 0


@pytest.fixture
def running(tmp_path):
    """A sweep that trains until it is told to stop."""
    write(tmp_path / "s.yaml", SWEEP)
    process = pl_run.start("run s.yaml -q -o out.nc", cwd=tmp_path)
    until(lambda: begun(tmp_path / "out.nc"))
    yield process
    process.kill()
    process.wait()


def stop(process, number=signal.SIGTERM):
    process.send_signal(number)
    return process.wait(timeout=20)


# ---- one writer ----

def test_an_output_has_one_writer(running, tmp_path):
    for args in ("run s.yaml -q -o out.nc", "run s.yaml -q -o out.nc --resume",
                 "run s.yaml -q -o out.nc --extend -s seed=[0,1]",
                 "run s.yaml -q -o out.nc --overwrite", "run s.yaml -q -o ./out.nc --overwrite",
                 "optimum s.yaml --into out.nc", "pack out.nc -o out.nc --overwrite",
                 "group S_3 -o out.nc --overwrite"):
        done = pl_run.run(args, cwd=tmp_path, code=None)
        assert done.returncode == (BAD_INPUT if "pack" in args else ENVIRONMENT), (args, done.stderr)
        assert f"process {running.pid}" in done.stderr or "pack" in args, (args, done.stderr)
    told = pl_run.run("status out.nc", cwd=tmp_path).stdout
    assert "1 running" in told and f"process {running.pid}" in told
    assert running.poll() is None
    assert stop(running) == STOPPED
    assert not (tmp_path / "out.nc.lock").exists()


def test_a_dead_writer_is_told_and_taken_over(running, tmp_path):
    running.kill()
    running.wait()
    told = pl_run.run("status out.nc", cwd=tmp_path).stdout
    assert "1 interrupted" in told and "nobody trains it" in told
    process = pl_run.start("run s.yaml -q -o out.nc --resume", cwd=tmp_path)
    until(lambda: "in use" in pl_run.run("status out.nc", cwd=tmp_path).stdout)
    assert stop(process) == STOPPED


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGXCPU, signal.SIGUSR1])
def test_signals_save(number, running, tmp_path):
    assert stop(running, number) == STOPPED
    assert list((tmp_path / "out.nc.ckpt").glob("run-*.nc"))
    assert "1 stopped" in pl_run.run("status out.nc", cwd=tmp_path).stdout


@pytest.mark.parametrize("ranks", [1, 2])
def test_signals_are_heard_while_a_run_is_set_up(ranks, tmp_path):
    """Where no rank has anything to save, at once: many samples are still to be drawn."""
    out = tmp_path / "out.nc"
    write(tmp_path / "s.yaml", "group: S_8\nmodel.depth: 2\ndata.samples: 4000\nsteps: 100000000\n"
          f"mapping.team: {ranks}\n")
    args = ["run", tmp_path / "s.yaml", "-q", "-o", out]
    stop_when(args, lambda: out.exists() and states(out) == [RUNNING], ranks)
    assert not (tmp_path / "out.nc.ckpt").exists() and not (tmp_path / "out.nc.lock").exists()
    assert "1 interrupted" in pl_run.run(["status", out]).stdout
    pl_run.run([*args, "--resume", "--max-steps", "1"], ranks, code=STOPPED)


@pytest.mark.parametrize("ranks", [1, 2])
def test_signals_are_heard_in_the_middle_of_a_record(ranks, tmp_path):
    """One of a million instances: nothing of it remains, and the steps before it are saved."""
    out, kept = tmp_path / "out.nc", tmp_path / "out.nc.ckpt" / "run-000000.nc"
    write(tmp_path / "s.yaml", "model.kind: pointer\ndata: {kind: hull, samples: 100, test: 1000000}\n"
          f"record: {{steps: [3], sample: 1000000}}\nsteps: 3\ncheckpoint.every: 1e-9\n"
          f"mapping.team: {ranks}\n")
    args = ["run", tmp_path / "s.yaml", "-q", "-o", out]
    stop_when(args, kept.exists, ranks)
    assert not records(out) and states(out) == [STOPPED_RUN]


@pytest.mark.parametrize("ranks, rank", [(2, 1), (4, 3)])
def test_signals_are_heard_while_several_runs_are_set_up(ranks, rank, tmp_path):
    """By any rank: all runs are given up, and nothing has come of them."""
    out = tmp_path / "out.nc"
    write(tmp_path / "s.yaml", "group: S_8\nmodel.depth: 2\nsteps: 100000000\n"
          "data: {samples: 10000, scale: unit, store: regenerate}\n"
          f"seed: 0..1\nmapping.team: {ranks // 2}\n")
    args = ["run", tmp_path / "s.yaml", "-q", "-o", out]
    stop_when(args, lambda: out.exists() and states(out) == [RUNNING, RUNNING], ranks, rank)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.nc", "s.yaml"]
    assert "2 interrupted" in pl_run.run(["status", out]).stdout


def test_a_run_trains_while_another_is_set_up(tmp_path):
    """Rank 0 hands runs out, writes records and hears signals whatever it is busy with: here with
    the samples of the first run, the longest."""
    out = tmp_path / "out.nc"
    write(tmp_path / "s.yaml", "zip: [[group, data.samples]]\ngroup: [S_8, S_3]\n"
          "data: {samples: [40000, 3], scale: unit, store: regenerate}\nmodel.depth: 2\nsteps: 1000000000\nmapping.team: 1\n")
    args = ["run", tmp_path / "s.yaml", "-q", "-o", out]
    stop_when(args, lambda: len(records(out)) > 5, 2)
    assert {run for run, _ in records(out)} == {1} and states(out) == [RUNNING, STOPPED_RUN]
    assert [p.name for p in (tmp_path / "out.nc.ckpt").iterdir()] == ["run-000001.nc"]
    before = records(out)
    pl_run.run([*args, "--resume", "--set", "checkpoint.every=0", "--max-steps", "1"], 2,
               code=STOPPED)
    assert before.items() <= records(out).items()


def test_who_lost_the_lock_writes_nothing_more(running, tmp_path):
    """Not even what it had gathered, and though it is told to save and leave."""
    out, lock = tmp_path / "out.nc", tmp_path / "out.nc.lock"
    running.send_signal(signal.SIGSTOP)
    lock.write_text(re.sub("token .*", "token another", lock.read_text()))
    before = out.read_bytes()
    running.send_signal(signal.SIGTERM)
    running.send_signal(signal.SIGCONT)
    assert running.wait(timeout=20) == ENVIRONMENT
    assert out.read_bytes() == before and "token another" in lock.read_text()


@pytest.mark.parametrize("sweep", ["fifo", "plan.yaml"])
def test_signals_are_heard_before_training(sweep, tmp_path):
    """While a FIFO is opened, and while a plan is made that takes long."""
    os.mkfifo(tmp_path / "fifo")
    write(tmp_path / "plan.yaml", "group: C_1000 x C_1000 x C_1000\n")
    process = pl_run.start(["run", sweep, "-q", "-o", "out.nc"], cwd=tmp_path)
    time.sleep(1.5)
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        before = time.time()
        assert process.wait(timeout=10) == STOPPED
        assert time.time() - before < 1
    else:
        assert sweep != "fifo"
    assert not (tmp_path / "out.nc").exists()


@pytest.mark.parametrize("change", ["moved", "replaced", "truncated", "lock taken"])
def test_an_output_that_changes_under_the_program(change, running, tmp_path):
    out = tmp_path / "out.nc"
    if change == "moved":
        out.rename(tmp_path / "elsewhere.nc")
    elif change == "replaced":
        (tmp_path / "other").write_bytes(out.read_bytes())
        (tmp_path / "other").rename(out)
    elif change == "truncated":
        os.truncate(out, 100)
    else:  # seen at the next heartbeat
        (tmp_path / "out.nc.lock").unlink()
        assert running.wait(timeout=20) == ENVIRONMENT
        return
    assert stop(running) == ENVIRONMENT


# ---- what is read is not replaced ----

def links(path, name):
    """The same file by another path, a symbolic and a hard link."""
    (path.parent / f"soft_{name}").symlink_to(path)
    os.link(path, path.parent / f"hard_{name}")
    return [name, f"./{name}", f"soft_{name}", f"hard_{name}"]


def refused(args, cwd):
    done = pl_run.run(args, cwd=cwd, code=BAD_INPUT)
    assert "would replace" in done.stderr, done.stderr


def test_inputs_are_not_replaced(tmp_path):
    write(tmp_path / "s.yaml", SHORT + "record.final: true\n")
    pl_run.run("run s.yaml -q -o a.nc", cwd=tmp_path)
    w = "a.nc.final/run-000000.nc"
    write(tmp_path / "w.yaml", SHORT + f"model.init: {{kind: file, path: {w}}}\n")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.nc")}
    for name in links(tmp_path / "s.yaml", "s.yaml"):
        refused(["run", "s.yaml", "-q", "-o", name, "--overwrite"], tmp_path)
        refused(["optimum", "s.yaml", "-o", name, "--overwrite"], tmp_path)
    for name in links(tmp_path / "a.nc", "a.nc"):
        refused(["pack", "a.nc", "-o", name, "--overwrite"], tmp_path)
        refused(["merge", "a.nc", "-o", name, "--overwrite"], tmp_path)
    refused(["run", "w.yaml", "-q", "-o", w, "--overwrite"], tmp_path)
    # Its folder of final weights goes with an output that is replaced.
    refused(["run", "w.yaml", "-q", "-o", "a.nc", "--overwrite"], tmp_path)
    with netCDF4.Dataset(tmp_path / "f.nc", "w") as f:
        f.createDimension("element", 6)
        f.group = "S_3"
        f.createVariable("f", "f8", ("element",))[:] = np.arange(6)
    for name in links(tmp_path / "f.nc", "f.nc"):
        refused(["fourier", "f.nc", "-o", name, "--overwrite"], tmp_path)
    (tmp_path / "gens").write_text("(1,2,3)\n(1,2)\n")
    for name in links(tmp_path / "gens", "gens"):
        refused(["group", "perm:gens", "-o", name, "--overwrite"], tmp_path)
        for option in "-o", "--csv":
            refused(["fourier", "f.nc", "-g", "perm:gens", option, name, "--overwrite"], tmp_path)
    with netCDF4.Dataset(tmp_path / "f.nc", "a") as f:
        f.group = "perm:gens"
    refused(["fourier", "f.nc", "--csv", "soft_gens", "--overwrite"], tmp_path)
    assert (tmp_path / "gens").read_text() == "(1,2,3)\n(1,2)\n"
    assert all(p.read_bytes() == was for p, was in before.items())


def test_overwrite_takes_what_belonged_to_the_output(tmp_path):
    write(tmp_path / "s.yaml", SHORT + "record.final: true\nseed: [0, 1]\n")
    pl_run.run("run s.yaml -q -o a.nc", cwd=tmp_path)
    (tmp_path / "a.nc.ckpt" / "run-000007.nc").touch()
    (tmp_path / "a.nc.final" / "notes").touch()
    pl_run.run("run s.yaml -q -s record.final=false -o a.nc --overwrite", cwd=tmp_path)
    assert not (tmp_path / "a.nc.ckpt").exists()
    assert [p.name for p in (tmp_path / "a.nc.final").iterdir()] == ["notes"]


def test_what_others_write_over_an_output_takes_them_too(tmp_path):
    """Whatever command the new file is of; unless it reads what stands there."""
    write(tmp_path / "s.yaml", SHORT + "record.final: true\n")
    pl_run.run("run s.yaml -q -o b.nc", cwd=tmp_path)
    w = "a.nc.final/run-000000.nc"
    for args in "group S_3", "data s.yaml", "pack b.nc":
        pl_run.run("run s.yaml -q -o a.nc --overwrite", cwd=tmp_path)
        pl_run.run(f"{args} -o a.nc --overwrite", cwd=tmp_path)
        assert not list(tmp_path.glob("a.nc.*")), args
    pl_run.run("run s.yaml -q -o a.nc --overwrite", cwd=tmp_path)
    pl_run.run("data s.yaml -o data.nc", cwd=tmp_path)
    (tmp_path / "soft.nc").symlink_to(tmp_path / w)
    for name in w, "./soft.nc":
        write(tmp_path / "w.yaml", SHORT + f"model.init: {{kind: file, path: {name}}}\nrecord.final: true\n")
        for args in "optimum w.yaml", "data w.yaml", f"apply {name} data.nc":
            refused(f"{args} -o a.nc --overwrite", tmp_path)
    # Also where only its folders are left, into which the new one's weights would go.
    (tmp_path / "a.nc").unlink()
    before = (tmp_path / w).read_bytes()
    refused("run w.yaml -q -o a.nc", tmp_path)
    assert (tmp_path / w).read_bytes() == before


@pytest.mark.parametrize("command", ["data g.yaml", "apply w.nc d.nc"])
def test_generators_are_inputs(command, tmp_path):
    (tmp_path / "gens").write_text("(1,2,3)\n(1,2)\n")
    write(tmp_path / "g.yaml", "group: perm:gens\nmodel.kind: gcnn\nmodel.depth: 2\nsteps: 5\n"
          "record.final: true\n")
    pl_run.run("run g.yaml -q", cwd=tmp_path)
    os.rename(tmp_path / "g.nc.final" / "run-000000.nc", tmp_path / "w.nc")
    pl_run.run("data g.yaml -o d.nc", cwd=tmp_path)
    refused(f"{command} -o gens --overwrite", tmp_path)
    assert (tmp_path / "gens").read_text() == "(1,2,3)\n(1,2)\n"


def test_only_files_are_replaced_and_links_followed(tmp_path):
    """Not a FIFO, say /dev/null; a link leads to the file that is replaced."""
    write(tmp_path / "s.yaml", SHORT)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("real")
    pl_run.run("run s.yaml -q", cwd=tmp_path)
    for args in "run -q s.yaml", "group S_3", "data s.yaml", "merge s.nc":
        done = pl_run.run(f"{args} -o fifo --overwrite", cwd=tmp_path, code=ENVIRONMENT)
        assert "fifo: cannot replace: not a regular file" in done.stderr, args
        assert (tmp_path / "fifo").is_fifo()
        pl_run.run(f"{args} -o link --overwrite", cwd=tmp_path)
        assert (tmp_path / "link").is_symlink(), args
    assert "not a regular file" in pl_run.run("fourier fifo", cwd=tmp_path, code=BAD_INPUT, timeout=20).stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_nothing_half_made(number, tmp_path):
    """Neither the lock nor the file that has not got its name yet."""
    write(tmp_path / "s.yaml", "model.kind: pointer\ndata: {kind: tsp, points: 13, samples: 1000000}\n")
    process = pl_run.start("data s.yaml -o out.nc", cwd=tmp_path)
    until(lambda: len(list(tmp_path.glob("out.nc.???????"))) == 1)
    time.sleep(0.1)  # until it is known to the handler
    assert stop(process, number) == -number
    assert [p.name for p in tmp_path.iterdir()] == ["s.yaml"]


def test_no_temporary_is_written_through_a_link(tmp_path):
    write(tmp_path / "s.yaml", SHORT)
    (tmp_path / "precious").write_text("kept")
    for name in ("out.nc.tmp", "packed.nc.packing", "whole.nc.extending"):
        (tmp_path / name).symlink_to(tmp_path / "precious")
    pl_run.run("run s.yaml -q -o out.nc", cwd=tmp_path)
    pl_run.run("pack out.nc -o packed.nc", cwd=tmp_path)
    pl_run.run("merge out.nc -o whole.nc", cwd=tmp_path)
    assert (tmp_path / "precious").read_text() == "kept"


# ---- optima beside a sweep ----

def optima(path):
    with netCDF4.Dataset(path) as f:
        return np.array(f["optimum"][:]), {v: np.array(f[v][:]) for v in f.variables}


def test_optima_into_an_output(tmp_path):
    write(tmp_path / "s.yaml", SHORT + "seed: [0, 1, 2]\n")
    args = "-s data.samples=4"
    pl_run.run(f"run s.yaml -q {args} -o out.nc", cwd=tmp_path)
    with netCDF4.Dataset(tmp_path / "out.nc") as f:
        was = {v: np.array(f[v][:]) for v in f.variables}
    held = open(tmp_path / "out.nc", "rb")  # who reads it meanwhile goes on with the old one
    whole = (tmp_path / "out.nc").read_bytes()
    for other in ("", "-s data.samples=5", "-s seed=[0,1,3] -s data.samples=4"):
        bytes_before = (tmp_path / "out.nc").read_bytes()
        pl_run.run(f"optimum s.yaml {other} --into out.nc", cwd=tmp_path, code=BAD_INPUT)
        assert (tmp_path / "out.nc").read_bytes() == bytes_before
    for _ in range(2):  # the second time the variables are there
        pl_run.run(f"optimum s.yaml {args} --into out.nc", cwd=tmp_path)
    found, now = optima(tmp_path / "out.nc")
    assert np.all(found > 0)
    assert all(np.array_equal(was[v], now[v], equal_nan=was[v].dtype.kind == "f") for v in was)
    with held:
        assert held.read() == whole
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.nc", "s.yaml"]
    pl_run.run(f"run s.yaml -q {args} -o out.nc --resume", cwd=tmp_path)


# ---- merging ----

def test_a_merged_file_takes_the_missing_shard_later(tmp_path):
    write(tmp_path / "s.yaml", SHORT + "seed: [0, 1, 2, 3]\n")
    for i in range(3):
        pl_run.run(f"run s.yaml -q --shard {i}/3 -o {i}.nc", cwd=tmp_path)
    done = pl_run.run("merge 0.nc 2.nc -o part.nc", cwd=tmp_path)
    with netCDF4.Dataset(tmp_path / "part.nc") as f:
        pending = int(np.sum(f["status"][:] == 0))
    assert f"{4 - pending} of 4 runs have ended; {pending} " in done.stderr
    done = pl_run.run("merge part.nc 1.nc -o whole.nc", cwd=tmp_path)
    assert not done.stderr
    pl_run.run("run s.yaml -q -o plain.nc", cwd=tmp_path)
    with netCDF4.Dataset(tmp_path / "whole.nc") as a, netCDF4.Dataset(tmp_path / "plain.nc") as b:
        assert np.array_equal(a["loss"][:], b["loss"][:])
    done = pl_run.run("merge whole.nc 1.nc -o again.nc", cwd=tmp_path, code=BAD_INPUT)
    assert "is in an earlier file, too" in done.stderr


# ---- starts that are not one job ----

@pytest.mark.parametrize("name", ["PMI_SIZE", "SLURM_STEP_NUM_TASKS", "MV2_COMM_WORLD_SIZE"])
def test_mpi_that_was_not_wired_up(name, tmp_path):
    write(tmp_path / "s.yaml", SHORT + "seed: [0, 1]\n")
    done = pl_run.run("run s.yaml -q -o out.nc", cwd=tmp_path, code=ENVIRONMENT, **{name: "4"})
    assert "MPI was not wired up" in done.stderr and name in done.stderr
    pl_run.run("run s.yaml -q -o out.nc", cwd=tmp_path, **{name: "1"})
    # Shards side by side in one step are on purpose.
    pl_run.run("run s.yaml -q --shard 1/2 -o 1.nc", cwd=tmp_path, **{name: "2"})


# ---- what the options understand ----

@pytest.mark.parametrize("text, code", [("2-00:00:00", 0), ("1-12", 0), ("0-00:00:30", 0), ("2d", 0),
                                        ("1:30:00", 0), ("2-", 2), ("-1", 2), ("1-2-3", 2)])
def test_times(text, code, tmp_path):
    write(tmp_path / "s.yaml", SHORT)
    pl_run.run(["run", "s.yaml", "-q", "--dry-run", f"--max-time={text}"], cwd=tmp_path, code=code)


def test_sizes_and_bounds(tmp_path):
    write(tmp_path / "s.yaml", SHORT)
    for text in ("8GiB", "8G", "8gb", str(8 << 30)):
        told = pl_run.run(["plan", "s.yaml", "-m", text], cwd=tmp_path).stdout
        assert "8.59 GB per rank allowed (--memory-per-rank)" in told
    told = pl_run.run("plan s.yaml", cwd=tmp_path, SLURM_MEM_PER_NODE="300").stdout
    assert "0.315 GB per rank allowed (" in told and "SLURM_MEM_PER_NODE" in told


def test_duplicates_are_told(tmp_path):
    write(tmp_path / "s.yaml", "group: S_3\nmodel.depth: [2, 2, 3]\nseed: [0..2, 2]\nsteps: 5\n")
    done = pl_run.run("run s.yaml -q --dry-run", cwd=tmp_path)
    assert "6 of 12 runs are the same as an earlier one" in done.stderr
    write(tmp_path / "s.yaml", "group: S_3\nmodel.depth: [2, 3]\nseed: 0..2\nsteps: 5\n")
    assert not pl_run.run("run s.yaml -q --dry-run", cwd=tmp_path).stderr


def test_irreps_want_quotes(tmp_path):
    write(tmp_path / "s.yaml", "group: S_4\ndata: {kind: irrep, irreps: [3,1]}\n")
    done = pl_run.run("run s.yaml -q --dry-run", cwd=tmp_path, code=BAD_INPUT)
    assert "needs quotes: ['3,1']" in done.stderr


def test_a_title_may_change(tmp_path):
    write(tmp_path / "s.yaml", "title: one\n" + SHORT)
    pl_run.run("run s.yaml -q -o out.nc", cwd=tmp_path)
    write(tmp_path / "s.yaml", "title: two\n" + SHORT)
    pl_run.run("run s.yaml -q -o out.nc --resume", cwd=tmp_path)
