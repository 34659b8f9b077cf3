"""Run the program from Python tests: build/plancherel, or the path in $PLANCHEREL."""

import atexit
import itertools
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = os.environ.get("PLANCHEREL", str(ROOT / "build" / "plancherel"))

# As tests/run.sh; set here too, so that pytest alone does.
ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    "OPENBLAS_NUM_THREADS": "1",
    "HDF5_USE_FILE_LOCKING": "FALSE",
    "PLANCHEREL_CACHE": "",
}
# A process without mpirun has nobody to talk to: this makes it start three times as fast.
ALONE = {"OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_pml": "ob1", "OMPI_MCA_btl": "self"}
# Such processes share one session folder, which the first to end removes under the others: each
# gets its own.  Short, for sockets live there.
SESSIONS = tempfile.mkdtemp(prefix="pl-")
NUMBER = itertools.count()
atexit.register(shutil.rmtree, SESSIONS, ignore_errors=True)


def command(args, ranks=1):
    """The command line as a list; args: what follows "plancherel", a list or one string."""
    args = shlex.split(args) if isinstance(args, str) else [str(a) for a in args]
    if ranks == 1:
        return [BINARY, *args]
    mpirun = shlex.split(os.environ.get("MPIRUN", "mpirun"))
    return [*mpirun, "--oversubscribe", "-n", str(ranks), BINARY, *args]


def environment(ranks=1, **extra):
    alone = {}
    if ranks == 1:
        alone = {**ALONE, "OMPI_MCA_orte_tmpdir_base": f"{SESSIONS}/{next(NUMBER)}"}
        os.makedirs(alone["OMPI_MCA_orte_tmpdir_base"])
    return {**os.environ, **ENVIRONMENT, **alone, **extra}


def run(args, ranks=1, timeout=60, code=0, cwd=None, stdin=None, **env):
    """Run to the end and return the CompletedProcess (returncode, stdout, stderr; text).  An exit
    code other than `code` fails the test with the program's output; code=None accepts any."""
    done = subprocess.run(command(args, ranks), text=True, capture_output=True, timeout=timeout,
                          cwd=cwd, env=environment(ranks, **env), input=stdin if stdin else "")
    if code is not None and done.returncode != code:
        raise AssertionError(f"{shlex.join(map(str, done.args))}: exit code {done.returncode}, "
                             f"expected {code}\n{done.stdout}{done.stderr}")
    return done


def start(args, ranks=1, cwd=None, **env):
    """Start in the background; returns the Popen, whose output is thrown away."""
    return subprocess.Popen(command(args, ranks), cwd=cwd, env=environment(ranks, **env),
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
