"""Sessions of a sweep that end before it does: stopped or killed when the output shows so many
records or a rank has made so many steps, not when a clock says."""

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import netCDF4
import numpy as np

import pl_run

OF_THE_SESSION = {"wall_time", "memory", "ranks"}  # variables that tell how, not what


def contents(path):
    """All that a sweep computes: name -> array, missing values filled."""
    with netCDF4.Dataset(path) as f:
        f.set_auto_mask(False)
        return {n: v[:] for n, v in f.variables.items() if n not in OF_THE_SESSION}


def assert_same(a, b, tolerance=0, more=()):
    """more: variables that only a has."""
    x, y = contents(a), contents(b)
    assert x.keys() == y.keys() | set(more)
    for name in y:
        if tolerance and x[name].dtype.kind == "f":
            np.testing.assert_allclose(x[name], y[name], rtol=tolerance, atol=tolerance,
                                       err_msg=name)
        else:
            assert x[name].tobytes() == y[name].tobytes(), f"{name} differs"


def records(path):
    """The records that a reader finds now: (run, record) -> (step, loss)."""
    if not Path(path).exists():
        return {}
    with netCDF4.Dataset(path) as f:
        f.set_auto_mask(False)
        step, loss = f["step"][:], f["loss"][:]
    return {(int(r), int(k)): (step[r, k], loss[r, k]) for r, k in zip(*np.nonzero(step >= 0))}


def states(path):
    with netCDF4.Dataset(path) as f:
        return list(f["status"][:])


RUNNING, DONE, DIVERGED, STOPPED = 1, 2, 3, 5


def descendants(pid):
    """Process ids below pid, read from /proc."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
        except OSError:
            pass
    return found


def rank_pid(process, rank, ranks):
    """The process id of an MPI rank; None if it has ended."""
    if ranks == 1:
        return process.pid
    end = time.time() + 20
    while time.time() < end and process.poll() is None:
        for pid in descendants(process.pid):
            try:
                environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
                binary = os.readlink(f"/proc/{pid}/exe")
            except OSError:
                continue
            if f"OMPI_COMM_WORLD_RANK={rank}".encode() in environ and "plancherel" in binary:
                return pid
        time.sleep(0.01)
    return None


def catches(pid, sig):
    """Has the process a handler for sig?"""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (sig - 1) & 1)
    return False


def send(process, sig, rank=0, ranks=1):
    """Signal one rank, once the program has started there: mpirun itself may hang when a process
    dies while it launches the others."""
    pid = rank_pid(process, rank, ranks)
    try:
        while pid and process.poll() is None and not catches(pid, signal.SIGUSR1):
            time.sleep(0.01)
        if pid and process.poll() is None:
            os.kill(pid, sig)
    except (ProcessLookupError, FileNotFoundError):
        pass


def finish(process, timeout=30):
    try:
        return process.wait(timeout)
    finally:
        if process.poll() is None:
            process.kill()


def stop_when(args, condition, ranks=1, rank=0, sig=signal.SIGTERM):
    """Start a sweep that does not end, wait for condition(), signal one rank: must end with
    everything saved."""
    process = pl_run.start(args, ranks)
    end = time.time() + 30
    while process.poll() is None and not condition() and time.time() < end:
        time.sleep(0.005)
    send(process, sig, rank, ranks)
    assert finish(process) == 75


# ---- sessions that end before their sweep does ----


def session(args, out, ranks, seen, **env):
    """One session with --resume, watched: what a reader has seen (run, record) is there after it,
    unchanged.  Returns the exit code."""
    process = pl_run.start([*args, "--resume", "-q", "-o", out], ranks, **env)
    end = time.time() + 200  # what hangs
    while process.poll() is None and time.time() < end:
        seen.update(records(out))
        time.sleep(0.05)
    code = finish(process)
    left = records(out)
    for key, value in seen.items():
        assert left.get(key) == value, f"record {key} was there and is lost or changed"
    return code


def in_sessions(args, out, steps, times, ranks=(1,)):
    """The whole sweep in sessions, on ranks[0], ranks[1], .. ranks in turn: so many times stopped
    after steps() steps of a rank, which all together are fewer than the sweep has; then to its
    end."""
    seen = {}
    for k in range(times):
        limit = ["--max-steps", str(steps())]
        assert session([*args, *limit], out, ranks[k % len(ranks)], seen) == 75
    assert session(args, out, ranks[times % len(ranks)], seen) == 0
    assert not Path(f"{out}.ckpt").exists()


def killer(folder):
    """The library that kills the program when it has come so far (tests/killer.c), for
    LD_PRELOAD."""
    library = Path(folder) / "killer.so"
    subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-D_GNU_SOURCE", "-shared", "-fPIC",
                    "-O1", "-o", library, Path(__file__).parent / "killer.c"], check=True)
    return library


def killed_sessions(args, out, library, when, most, ranks=1, victim=0):
    """The whole sweep in sessions, each killed on one rank: when(kills so far) is ("KILL_STEPS", n)
    or ("KILL_WRITES", n); at most so many times.  Returns how often; at least once if that rank comes
    so far in a session of the whole sweep."""
    seen, kills = {}, 0
    # A stored plan: no calibration by the clock before the steps.
    assert session([*args, "--max-steps", "1"], out, ranks, seen) == 75
    while kills < most:
        how, count = when(kills)
        if not session(args, out, ranks, seen, LD_PRELOAD=str(library), KILL_RANK=str(victim),
                       **{how: str(count)}):
            break
        kills += 1
    else:
        assert session(args, out, ranks, seen) == 0
    assert not Path(f"{out}.ckpt").exists()
    return kills
