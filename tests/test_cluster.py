"""At home on a cluster: job scripts, the Spack recipe, ranks that share cores.  What is installed:
test_install.sh; under a real Slurm: slurm_test.sh."""

import ast
import os
import re
import shutil
import subprocess
import sys
import types

import pytest

import pl_run

JOBS = pl_run.ROOT / "jobs"


@pytest.mark.parametrize("name", ["sweep", "array", "plot", "scaling"])
def test_job_scripts(name):
    text = (JOBS / f"{name}.sbatch").read_text()
    assert subprocess.run(["bash", "-n", JOBS / f"{name}.sbatch"]).returncode == 0
    for option in ("account", "partition", "mail-user"):
        assert re.search(rf"^##SBATCH --{option}=", text, re.M)
    # Slurm reads directives up to the first command.
    assert "#SBATCH" not in text[re.search(r"^[^#\n]", text, re.M).start():]
    assert "--mpi=pmix" not in re.sub(r"^#.*", "", text, flags=re.M)
    if name != "plot":
        assert "\n#SBATCH --hint=nomultithread\n" in text and "\n#SBATCH --cpus-per-task=1\n" in text


def test_spack_recipe(monkeypatch):
    """It parses, and with words that only note what they are told says what the build needs."""
    path = JOBS / "spack/packages/plancherel/package.py"
    ast.parse(path.read_text())
    told = {word: [] for word in ("depends_on", "variant", "version", "license")}
    package = types.ModuleType("spack.package")
    package.__all__ = [*told, "MakefilePackage", "make", "join_path"]
    for word, calls in told.items():
        setattr(package, word, lambda *args, _calls=calls, **keys: _calls.append((args, keys)))
    made = []
    package.MakefilePackage, package.join_path = object, os.path.join
    package.make = lambda *args: made.append(args)
    monkeypatch.setitem(sys.modules, "spack", types.ModuleType("spack"))
    monkeypatch.setitem(sys.modules, "spack.package", package)
    names = {"__file__": str(path), "__name__": "recipe"}
    exec(compile(path.read_text(), path, "exec"), names)
    needs = {args[0].split()[0] for args, _ in told["depends_on"]}
    assert {"mpi", "scalapack", "openblas", "netcdf-c", "libyaml", "random123", "fftw-api@3"} <= needs
    recipe = names["Plancherel"]
    assert recipe.git == f"file://{pl_run.ROOT}"

    class Spec:
        mpicc, ld_flags = "mpicc", "-lscalapack"
        libs = property(lambda self: self)

        def __getitem__(self, name):
            return self

        def satisfies(self, what):
            return what in ("+zlib", "+qhull")

    one = recipe()
    one.spec = Spec()
    one.build(one.spec, "/opt/p")
    one.install(one.spec, "/opt/p")
    assert [m[-1] for m in made] == ["all", "install"] and "PREFIX=/opt/p" in made[1]
    # What it hands to make are variables and targets of the Makefile.
    makefile = (pl_run.ROOT / "Makefile").read_text()
    for word in made[1]:
        name = word.split("=")[0]
        assert re.search(rf"^{name} *(\?=|:=|:)", makefile, re.M), word


SWEEP = "group: S_3\nsteps: 3\nrecord.points: 2\nseed: 0..3\n"


@pytest.mark.skipif(not shutil.which("taskset"), reason="needs taskset")
def test_ranks_that_share_a_core(tmp_path):
    """Two ranks that may run on one processor only: the run says so, and trains all the same."""
    (tmp_path / "s.yaml").write_text(SWEEP)
    one = min(os.sched_getaffinity(0))
    command = ["taskset", "-c", str(one), *pl_run.command(["run", "s.yaml", "--overwrite"], ranks=2)]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, timeout=60,
                          env=pl_run.environment(2))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("2 ranks share 1 of the") == 1 and "one rank per core" in done.stderr
    quiet = subprocess.run([*command, "-q"], cwd=tmp_path, text=True, capture_output=True, timeout=60,
                           env=pl_run.environment(2))
    assert "share" not in quiet.stderr
    alone = pl_run.run(["run", "s.yaml", "--overwrite"], cwd=tmp_path)
    assert "ranks share" not in alone.stderr


def test_slots_are_explained():
    told = " ".join(pl_run.run(["run", "--help"]).stdout.split())
    for words in ("not enough slots", "--oversubscribe", "--bind-to none", "one per core"):
        assert words in told
        assert words in " ".join((pl_run.ROOT / "README.md").read_text().split())
