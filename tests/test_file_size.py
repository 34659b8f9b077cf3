"""A process that may not write beyond so many bytes of a file (ulimit -f): the signal that would end it
is no more than a full disk is.  One message, exit code 3, and what was there stays."""

import os
import shutil
import subprocess

import netCDF4
import numpy as np
import pytest

import pl_run
from sessions import assert_same, records

UNFINISHED, ENVIRONMENT, STOPPED = 1, 3, 75
SWEEP = "group: S_4\nsteps: 400\nmodel.depth: 2\nrecord: {points: 20, final: true}\nseed: 0..3\n"


@pytest.fixture(scope="module", name="folder")
def fixture_folder(tmp_path_factory):
    """An output, two shards of it, data and a function: each 20 KB or more."""
    folder = tmp_path_factory.mktemp("size")
    (folder / "s.yaml").write_text(SWEEP)
    pl_run.run("run s.yaml -q -o out.nc", cwd=folder)
    for k in (0, 1):
        pl_run.run(f"run s.yaml -q -o part.{k}.nc --shard {k}/2", cwd=folder)
    (folder / "big.yaml").write_text("group: S_7\nsteps: 30\nmodel.depth: 2\nrecord: {final: true, points: 3}\n")
    pl_run.run("data s.yaml -o data.nc -s data.samples=200", cwd=folder)
    pl_run.run("run big.yaml -q -o big.nc", cwd=folder)
    with netCDF4.Dataset(folder / "f.nc", "w") as nc:
        nc.createDimension("element", 1000)
        nc.createVariable("f", "f8", ("element",))[:] = np.arange(1000)
        nc.group = "C_1000"
    return folder


def limited(args, size, cwd, ranks=1, code=ENVIRONMENT):
    """A command whose ranks, not mpirun, may write so many bytes."""
    script = cwd / "limited"
    script.write_text(f'#!/bin/bash\nulimit -f {size // 1024}\nexec "$@"\n')
    script.chmod(0o755)
    line = pl_run.command(args, ranks)
    at = line.index(pl_run.BINARY)
    done = subprocess.run([*line[:at], script, *line[at:]], cwd=cwd, text=True, timeout=60,
                          capture_output=True, env=pl_run.environment(ranks), check=False)
    assert done.returncode == code, (args, done.returncode, done.stderr)
    return done


WRITERS = {
    "run": "run s.yaml -q -o OUT",
    "fourier": "fourier f.nc -o OUT",
    "fourier --csv": "fourier f.nc --csv OUT",
    "data": "data big.yaml -o OUT",
    "apply": "apply out.nc.final/run-000000.nc data.nc -o OUT",
    "merge": "merge part.0.nc part.1.nc -o OUT",
    "pack": "pack out.nc -o OUT",
    "group": "group S_7 -o OUT",
}


@pytest.mark.parametrize("writer, ranks", [*((w, 1) for w in WRITERS), ("run", 2), ("apply", 2)])
def test_outputs(folder, tmp_path, writer, ranks):
    out = tmp_path / "o.nc"
    out.write_text("precious")
    args = WRITERS[writer].replace("OUT", str(out)) + " --overwrite"
    done = limited(args, 1024, folder, ranks)
    assert done.stderr.count("error:") == 1 and "ulimit -f" in done.stderr and "o.nc" in done.stderr
    assert out.read_text() == "precious" and os.listdir(tmp_path) == ["o.nc"]


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_resumed_sweep(folder, tmp_path, ranks):
    """What its records say stays, and where there is room it ends as if nothing had been."""
    shutil.copy(folder / "s.yaml", tmp_path)
    pl_run.run("run s.yaml -q -o out.nc --max-steps 700", cwd=tmp_path, code=STOPPED)
    seen = records(tmp_path / "out.nc")
    done = limited("run s.yaml -q -o out.nc --resume", 4096, tmp_path, ranks)
    assert "ulimit -f" in done.stderr and done.stderr.count("error:") == 1
    left = records(tmp_path / "out.nc")
    assert seen and all(left[key] == value for key, value in seen.items())
    assert not (tmp_path / "out.nc.lock").exists()
    pl_run.run("run s.yaml -q -o out.nc --resume", cwd=tmp_path)
    assert_same(tmp_path / "out.nc", folder / "out.nc")


@pytest.mark.parametrize("ranks", [1, 2])
def test_optima(folder, tmp_path, ranks):
    for name in ("s.yaml", "out.nc"):
        shutil.copy(folder / name, tmp_path)
    before = (tmp_path / "out.nc").read_bytes()
    done = limited("optimum s.yaml --into out.nc", 4096, tmp_path, ranks)
    assert "ulimit -f" in done.stderr and (tmp_path / "out.nc").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["limited", "out.nc", "s.yaml"]


@pytest.mark.parametrize("ranks", [1, 2])
def test_weights_and_checkpoints(folder, tmp_path, ranks):
    """There is room for the output, but not for what stands beside it."""
    shutil.copy(folder / "big.yaml", tmp_path)
    size = (folder / "big.nc").stat().st_size + 4096
    assert size < 2 * 5040 * 8
    done = limited("run big.yaml -q -o out.nc", size, tmp_path, ranks, code=UNFINISHED)
    assert "ulimit -f" in done.stderr and "out.nc.final/run-000000.nc" in done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as nc:
        assert np.isfinite(nc["loss"][:].filled(np.nan)).all()
    done = limited("run big.yaml -q -o out.nc --overwrite --max-steps 1", size, tmp_path, ranks)
    assert "could not be saved" in done.stderr and records(tmp_path / "out.nc")


def shell(line, args, cwd):
    return subprocess.run(["bash", "-c", line, "bash", *pl_run.command(args)], cwd=cwd, text=True,
                          env=pl_run.environment(), stderr=subprocess.PIPE, check=False)


@pytest.mark.parametrize("line", ['ulimit -f 0; exec "$@" > out', 'exec "$@" >&-'])
@pytest.mark.parametrize("args", ["group S_4", "run --keys", "plan s.yaml", "status out.nc --json", "--help",
                                  "data --help", "fourier f.nc", "run s.yaml --dry-run"])
def test_standard_output(folder, line, args):
    """Words that do not arrive are no success."""
    done = shell(line, args, folder)
    assert done.returncode == ENVIRONMENT and "cannot write to standard output" in done.stderr


def test_what_is_closed_is_no_place_for_outputs(folder, tmp_path):
    """Nor do words go into a file that has got the number of a stream."""
    shutil.copy(folder / "s.yaml", tmp_path)
    assert shell('exec "$@" <&- >&- 2>&-', "run s.yaml -o out.nc", tmp_path).returncode == 0
    assert_same(tmp_path / "out.nc", folder / "out.nc")
