"""analysis/: what fails says so in one line with the program's exit codes, loses nothing that was there
and prints no half of a result."""

import contextlib
import importlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ANALYSIS = Path(__file__).resolve().parent.parent / "analysis"
sys.path.insert(0, str(ANALYSIS))

import plancherel_io as pio  # noqa: E402
from made_sweep import write_sweep  # noqa: E402

TEXTS = {
    "edges": "0 1\n1 2\n",
    "hull": "0 0 1 0 0 1 output 1 2 3 1\n",
    "xyz": "2\n0.5\nH 0 0 0\nH 0 0 1\n",
    "molecules": "m a 2 1 0 train 1\na 0 0\nb 0 1 0\nw 1 0\n",
}
# Script, arguments and what it writes.
WRITERS = {
    "ballots": (["OUT"], ["north.soc", "south.soc"]),
    "strokes": (["OUT", "--count", "4"], ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"]),
    "convert edges": (["edges", "edges", "-o", "OUT/o.nc", "--overwrite"], ["o.nc"]),
    "convert pointer": (["pointer", "hull", "-o", "OUT/o.nc", "--overwrite"], ["o.nc"]),
    "convert xyz": (["xyz", "xyz", "-o", "OUT/o.nc", "--overwrite"], ["o.nc"]),
    "convert molecules": (["molecules", "molecules", "-o", "OUT/o.nc", "--overwrite"], ["o.nc"]),
    "convert arrays": (["arrays", "x.npy", "-o", "OUT/o.nc", "--overwrite"], ["o.nc"]),
    "convert omniglot": (["omniglot", "drawings", "-o", "OUT/o", "--overwrite"],
                         ["o-images-idx3-ubyte.gz", "o-labels-idx1-short.gz", "o-classes.txt"]),
    "summary": (["sweep.nc", "--csv", "OUT/o.csv"], ["o.csv"]),
    "plot": (["sweep.nc", "-o", "OUT/o.png"], ["o.png"]),
    "report": (["sweep.nc", "-o", "OUT/o.html"], ["o.html"]),
}


@pytest.fixture(scope="module", name="folder")
def fixture_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    np.save(folder / "x.npy", np.arange(12.0).reshape(4, 3))
    write_sweep(folder / "sweep.nc", depths=(3,), seeds=(0, 1))
    rows = {"start": ("bound", "i8", [0, 1, 2]), "index": ("entry", "i4", [0, 1]),
            "value": ("entry", "f8", [1, 1])}
    with pio.new_netcdf(str(folder / "corpus.nc")) as nc:
        for dim, size in (("bound", 3), ("entry", 2), ("feature", 2), ("judgements", 1), ("pair", 2)):
            nc.createDimension(dim, size)
        nc.createVariable("judgement", "i4", ("judgements", "pair"))[:] = [[0, 1]]
        for side in ("document", "query"):
            for name, (dim, kind, values) in rows.items():
                nc.createVariable(f"{side}_{name}", kind, (dim,))[:] = values
    from matplotlib.image import imsave
    (folder / "drawings/Greek/character01").mkdir(parents=True)
    imsave(folder / "drawings/Greek/character01/1.png", np.eye(28))
    return folder


def script(monkeypatch, capsys, name, args):
    """A script in this process: its exit code and what it told."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, args)])
    capsys.readouterr()
    code = 0
    try:
        pio.main_guard(importlib.import_module(name).main)
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr()


@contextlib.contextmanager
def disk_of(size):
    """The size limit of a process stands for a full disk; Python ignores its signal."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_loses_nothing(folder, tmp_path, monkeypatch, capsys, writer):
    monkeypatch.chdir(folder)
    name, (args, files) = writer.split()[0], WRITERS[writer]
    args = [a.replace("OUT", str(tmp_path)) for a in args]
    for file in files:
        (tmp_path / file).write_text("precious")
    with disk_of(20):
        code, (out, err) = script(monkeypatch, capsys, name, args)
    assert code == 3 and out == "" and len(err.splitlines()) == 1, err
    assert any(f"{tmp_path / file}: File too large" in err for file in files), err
    assert sorted(os.listdir(tmp_path)) == sorted(files)
    assert all((tmp_path / file).read_text() == "precious" for file in files)
    # And where there is room:
    code, (_, err) = script(monkeypatch, capsys, name, args)
    assert code == 0 and sorted(os.listdir(tmp_path)) == sorted(files), err
    assert not any((tmp_path / file).read_bytes() == b"precious" for file in files)


@pytest.mark.parametrize("writer", WRITERS)
def test_a_folder_that_is_not_there(folder, tmp_path, monkeypatch, capsys, writer):
    monkeypatch.chdir(folder)
    (tmp_path / "file").write_text("precious")
    args = [a.replace("OUT", str(tmp_path / "file")) for a in WRITERS[writer][0]]
    code, (out, err) = script(monkeypatch, capsys, writer.split()[0], args)
    assert code == 3 and out == "" and len(err.splitlines()) == 1, err
    assert str(tmp_path / "file") in err and (tmp_path / "file").read_text() == "precious"


@pytest.mark.parametrize("name, args, word", [
    ("summary", ["FILE"], "FILE"), ("convert", ["edges", "FILE", "-o", "o.nc"], "FILE"),
    ("convert", ["pointer", "FILE.nc", "-o", "o.txt"], "FILE.nc"),
    ("energies", ["FILE.csv", "-o", "o.png"], "FILE.csv")])
def test_inputs(tmp_path, monkeypatch, capsys, name, args, word):
    """Absent: exit code 2; not to be read: 3."""
    monkeypatch.chdir(tmp_path)
    code, (out, err) = script(monkeypatch, capsys, name, args)
    assert (code, out) == (2, "") and word in err and "o such file" in err
    for file in ("FILE", "FILE.nc", "FILE.csv"):
        Path(file).touch()

    def refuse(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    for place in ("builtins.open", "netCDF4.Dataset", "xarray.open_dataset"):
        monkeypatch.setattr(place, refuse)
    code, (out, err) = script(monkeypatch, capsys, name, args)
    monkeypatch.undo()
    assert (code, out) == (3, "") and err.endswith(f"{word}: Permission denied\n"), err


def test_stdout_on_a_full_disk(folder):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([sys.executable, ANALYSIS / "summary.py", folder / "sweep.nc"],
                              stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (3, "summary.py: standard output: No space left on device\n")


@pytest.mark.parametrize("name, args", [
    ("compare", ["sweep.nc"]), ("compare", ["none.nc"]), ("summary", ["sweep.nc", "none.nc"]),
    ("summary", ["none.nc", "--csv", "-"]), ("retrieval", ["table", "corpus.nc", "none.nc"]),
    ("retrieval", ["trec", "corpus.nc", "sweep.nc"])])
def test_errors_come_before_results(folder, monkeypatch, capsys, name, args):
    monkeypatch.chdir(folder)
    code, (out, err) = script(monkeypatch, capsys, name, args)
    assert (code, out) == (2, "") and len(err.splitlines()) == 1, out + err
    assert args[-1] in err or args[0] in err
