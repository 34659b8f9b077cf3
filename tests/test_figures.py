"""The sweeps of jobs/paper: all are valid, and one is run and drawn."""

import subprocess
import sys

import pytest
import xarray

import pl_run

PAPER = pl_run.ROOT / "jobs" / "paper"
JOBS = sorted(p.stem for p in PAPER.glob("*.yaml"))


def script(name, *args):
    return subprocess.run([sys.executable, pl_run.ROOT / "analysis" / name, *map(str, args)],
                          text=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    assert script("strokes.py", folder, "--count", 40).returncode == 0
    return folder


def knows(group):
    return pl_run.run(["group", group], code=None).returncode == 0


@pytest.mark.parametrize("job", JOBS)
def test_jobs_are_valid(job, drawn):
    """As their line "# quick:" says; the linear ones, in full too (planning takes a second)."""
    text = (PAPER / f"{job}.yaml").read_text()
    if "Q_8" in text and not knows("(C_5 x C_5) : Q_8"):
        pytest.skip("semidirect products are not known here")
    quick = next(line for line in text.splitlines() if line.startswith("# quick: "))
    images = []
    if "kind: idx" in text:
        images = ["--set", f"data.path={drawn}/train-images-idx3-ubyte",
                  "--set", f"data.labels={drawn}/train-labels-idx1-ubyte"]
    sets = subprocess.run(["bash", "-c", f"printf '%s\\n' {quick[9:]}"], text=True,
                          capture_output=True).stdout.splitlines()
    quickly = [a for s in sets for a in ("--set", s)]
    for chosen in [quickly] if job.endswith("relu") else [quickly, []]:
        done = pl_run.run(["plan", PAPER / f"{job}.yaml", "--ranks", "2", *images, *chosen])
        assert "runs on 2 ranks" in done.stdout


def test_a_figure(tmp_path):
    out, picture = tmp_path / "d4.nc", tmp_path / "d4.png"
    pl_run.run(["run", PAPER / "d4.yaml", "-o", out, "--quiet", "--set", "seed=0..1"])
    with xarray.open_dataset(out, decode_times=False) as ds:
        kinds = ds.model_kind.values.astype(str)
        schatten, loss = ds.schatten.values[:, -1], ds.loss.values[:, -1]
    # What the figure is about.
    assert loss.max() < 1e-3
    assert schatten[kinds == "gcnn"].mean() < schatten[kinds == "cnn"].mean()
    assert schatten[kinds == "cnn"].mean() < schatten[kinds == "fc"].mean()
    done = script("figures.py", out, "-o", picture)
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and picture.stat().st_size > 30000
    assert script("figures.py", tmp_path / "none.nc", "-o", picture).returncode == 2
    assert script("figures.py", out, "-o", tmp_path / "no" / "where.png").returncode == 2
