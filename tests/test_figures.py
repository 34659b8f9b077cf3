"""The sweeps of jobs/paper: all are valid, one is run, drawn and tabulated, also as installed; images
of 28 x 28 pixels train."""

import os
import re
import subprocess
import sys

import numpy as np
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


def idx(folder):
    return ["--set", f"data.path={folder}/train-images-idx3-ubyte",
            "--set", f"data.labels={folder}/train-labels-idx1-ubyte"]


def knows(group):
    return pl_run.run(["group", group], code=None).returncode == 0


@pytest.mark.parametrize("job", JOBS)
def test_jobs_are_valid(job, drawn):
    """As their line "# quick:" says; the linear ones, in full too (planning takes a second)."""
    text = (PAPER / f"{job}.yaml").read_text()
    if "Q_8" in text and not knows("(C_5 x C_5) : Q_8"):
        pytest.skip("semidirect products are not known here")
    quick = next(line for line in text.splitlines() if line.startswith("# quick: "))
    images = idx(drawn) if "kind: idx" in text else []
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
    assert script("figures.py", out, "-o", tmp_path / "no" / "where.png").returncode == 3


def table(path):
    """{heading: {row: cells}} of what compare.py prints."""
    done = script("compare.py", path)
    assert done.returncode == 0, done.stderr
    out = {}
    for line in done.stdout.splitlines()[2:]:
        name, *cells = [c.strip() for c in line.strip("|").split("|")]
        if name.startswith("**"):
            out[name] = {"runs": cells}
        else:
            out[list(out)[-1]][name] = cells
    return list(out.values())


def number(cell):
    return float(cell.split(" (")[0])


def test_the_table(tmp_path):
    """On a cyclic group the Fourier and the cyclic quasi-norm are one, of every network; medians and
    counts as computed here; untrained runs enter neither."""
    path, out = tmp_path / "s.yaml", tmp_path / "s.nc"
    path.write_text("group: C_7\nmodel: {kind: [fc, cnn, gcnn], depth: 3}\ndata.samples: 4\n"
                    "optimizer.lr: [1e-300, 0.3]\nsteps: 400\nrecord: {points: 5, beta: true}\n"
                    "seed: 0..4\n")
    pl_run.run(["run", path, "-o", out, "--quiet"])
    still, trained = table(out)
    assert all(int(cell.split(" of ")[0]) < 5 for cell in still["runs"][:3])
    assert trained["runs"][:3] == ["5 of 5 runs"] * 3
    assert trained["cyclic l_p"][:3] == trained["Fourier S_p"][:3]
    with xarray.open_dataset(out, decode_times=False) as ds:
        kind, seed = ds.model_kind.values.astype(str), ds.seed.values
        moved, beta = ds.optimizer_lr.values > 0.1, ds.beta.values[:, -1]
        margin = ds.min_margin.values[:, -1] / np.linalg.norm(beta, axis=1)
    widest = 0
    for s in range(5):
        mine = moved & (seed == s)
        widest += kind[mine][margin[mine].argmax()] == "fc"
    assert trained["l_2 margin"][3] == f"fully connected on {widest} of 5" and widest > 2
    for column, name in enumerate(["gcnn", "cnn", "fc"]):
        chosen = moved & (kind == name)
        real = (np.abs(beta / np.linalg.norm(beta, axis=1)[:, None]) ** (2 / 3)).sum(axis=1) ** 1.5
        assert number(trained["real l_p"][column]) == pytest.approx(np.median(real[chosen]), rel=5e-3)
        assert number(trained["l_2 margin"][column]) == pytest.approx(np.median(margin[chosen]),
                                                                      rel=5e-3)


def test_wrong_arguments(tmp_path):
    assert script("compare.py", "--help").stdout.startswith("usage")
    done = subprocess.run([pl_run.ROOT / "jobs/paper/figures", "d4", "d5"], cwd=tmp_path, text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 2 and '"d5"' in done.stderr and "d4_relu" in done.stderr
    assert not list(tmp_path.iterdir())


def test_installed_figures(tmp_path):
    """The script beside the installed jobs uses the installed program and leaves all it makes in
    figures/ of the folder it is called from."""
    subprocess.run(["make", "-s", "-o", "all", "install", f"PREFIX={tmp_path}/usr"],
                   cwd=pl_run.ROOT, check=True, capture_output=True, timeout=30)
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run([tmp_path / "usr/share/plancherel/jobs/paper/figures", "d4"], cwd=work,
                          env={**os.environ, "RANKS": "1"}, text=True, capture_output=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    made = {f.relative_to(work).as_posix() for f in work.rglob("*") if f.is_file()}
    assert made == {"figures/d4.nc", "figures/d4.png", "figures/table.md"}
    assert "G-CNN on" in (work / "figures" / "table.md").read_text()


def test_images_of_28_pixels_train(drawn, tmp_path):
    out = tmp_path / "p4m.nc"
    pl_run.run(["run", PAPER / "images.yaml", "-o", out, "--quiet", *idx(drawn), "--set",
                "group='p4m_28'", "--set", "model.kind=[gcnn,cnn,gcnn-relu]", "--set", "seed=0",
                "--set", "steps=60", "--set", "record.points=2"])
    with xarray.open_dataset(out, decode_times=False) as ds:
        assert (ds.status == 2).all() and (ds.accuracy[:, -1] == 1).all()
        assert (ds.loss[:, 0] > 0.9).all() and (ds.loss[:, -1] < 0.2).all()
        assert ds.beta.shape == (3, 2, 6272)


def test_the_pictures_of_the_readme(tmp_path):
    """jobs/figures, or the published comparison, makes each of them, of sweeps that are valid."""
    readme = (pl_run.ROOT / "README.md").read_text()
    shown = set(re.findall(r"analysis/pictures/(\w+)\.png", readme)) - set(JOBS)
    dry = tmp_path / "mpirun"
    dry.write_text('#!/bin/sh\nshift 3\nexec "$@" --dry-run\n')
    dry.chmod(0o755)
    done = subprocess.run([pl_run.ROOT / "jobs/figures", *shown], cwd=tmp_path, text=True, capture_output=True,
                          env=os.environ | {"MPIRUN": str(dry), "PYTHON": "true"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("run 0:") == len(shown) >= 8
    done = subprocess.run([pl_run.ROOT / "jobs/figures", "nothing"], cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode == 2 and "nothing" in done.stderr
