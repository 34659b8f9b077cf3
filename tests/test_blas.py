"""OpenBLAS where it cannot run: without memory for its buffers (it would try for ever), and told by
OPENBLAS_CORETYPE to use kernels that this CPU lacks (it would crash)."""

import os
import resource
import subprocess

import pytest

import pl_run

ENVIRONMENT = 3
COMMAND = ["run", "s.yaml", "-q", "-o", "out.nc", "--overwrite"]


def run(tmp_path, limit=resource.RLIM_INFINITY, drop=(), **env):
    """Exit code and the program's own lines on stderr."""
    (tmp_path / "s.yaml").write_text("group: S_3\nsteps: 10\n")
    env = {k: v for k, v in pl_run.environment(**env).items() if k not in drop}
    done = subprocess.run(pl_run.command(COMMAND), cwd=tmp_path, env=env, timeout=60, text=True,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
                          capture_output=True, stdin=subprocess.DEVNULL)
    return done.returncode, [line for line in done.stderr.splitlines() if "plancherel: " in line]


@pytest.mark.parametrize("drop", [(), ("OPENBLAS_NUM_THREADS",)])
def test_without_memory(drop, tmp_path):
    """From what MPI cannot start with to what is enough: done, or one message, never without end."""
    codes = set()
    for megabytes in range(325, 725, 50):
        code, said = run(tmp_path, megabytes << 20, drop)
        codes.add(code)
        assert code in (0, ENVIRONMENT), said
        assert code == 0 or len(said) <= 1 and all("out of memory" in line for line in said), said
    assert ENVIRONMENT in codes


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="kernels of x86-64")
@pytest.mark.parametrize("core, flag", [("SkylakeX", "avx512f"), ("Bulldozer", "fma4"),
                                        ("Haswell", "avx2"), ("Sandybridge", "avx")])
def test_kernels_that_the_cpu_lacks(core, flag, tmp_path):
    has = flag in open("/proc/cpuinfo").read().split()
    code, said = run(tmp_path, OPENBLAS_CORETYPE=core)
    if has:
        assert code == 0
        return
    assert code == ENVIRONMENT and len(said) == 1
    assert "its CPU has no" in said[0] and f"OPENBLAS_CORETYPE={core}" in said[0]
