"""Sessions of a sweep that end before it does: stopped or killed when the output shows so many
records, not when a clock says."""

import os
import random
import signal
import time
from pathlib import Path

import netCDF4
import numpy as np
import pytest

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
    """Start, wait for condition(), signal one rank: must end with everything saved.  If the sweep
    was done before that, as on a machine that is slow to look, again."""
    out = Path(args[args.index("-o") + 1])
    for _ in range(6):
        process = pl_run.start(args, ranks)
        end = time.time() + 30
        while process.poll() is None and not condition() and time.time() < end:
            time.sleep(0.005)
        send(process, sig, rank, ranks)
        code = finish(process)
        if code:
            break
        out.unlink()
    assert code == 75


# ---- sessions that end before their sweep does ----


def stop(process, ranks):
    """Ask any rank to save and leave."""
    sig = random.choice([signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
    send(process, sig, random.randrange(ranks), ranks)


def session(args, out, ranks, more, disturb, seen):
    """One session with --resume, disturbed once the output has `more` records beyond those that it
    began with; True if it was, False if the sweep has been done before.  What a reader has seen
    (run, record) is there after it, unchanged."""
    process = pl_run.start([*args, "--resume", "-q", "-o", out], ranks)
    before, end = len(records(out)), time.time() + 60
    while process.poll() is None and time.time() < end:
        now = records(out)
        seen.update(now)
        if len(now) >= before + more:
            disturb(process, ranks)
            break
        time.sleep(0.005)
    code = finish(process)
    left = records(out)
    for key, value in seen.items():
        assert left.get(key) == value, f"record {key} was there and is lost or changed"
    assert code in (0, 75) or disturb is not stop
    return code != 0


def in_sessions(args, out, more, ranks=(1,), disturb=stop, least=2, most=1000):
    """The whole sweep in sessions, on ranks[0], ranks[1], .. ranks in turn, each disturbed after
    more() new records, the first `most` of them; returns how often.  A machine that is slow to look
    lets a sweep get done too soon: then again, until it was disturbed `least` times."""
    for _ in range(6):
        disturbed, seen = 0, {}
        while disturbed < most and session(args, out, ranks[disturbed % len(ranks)], more(), disturb,
                                           seen):
            disturbed += 1
        pl_run.run([*args, "--resume", "-q", "-o", out], ranks[disturbed % len(ranks)])
        assert not Path(f"{out}.ckpt").exists()
        left = records(out)
        assert all(left.get(key) == value for key, value in seen.items())
        if disturbed >= least:
            return disturbed
        out.unlink()
    pytest.fail(f"the sweep was done before it could be disturbed {least} times")
