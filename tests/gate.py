#!/usr/bin/env python3
"""Are the results those of an older commit, bit for bit?

    python3 tests/gate.py [--old COMMIT] [--new BINARY] [--only NAME]... [--ranks 1,3] [--strict]

Builds COMMIT under build/gate, runs the sweeps of tests/gate_sweeps.py with its program and with
build/plancherel, on one rank and on three, and compares all they write: every variable's
dimensions, attributes and bytes.  What may differ: time, memory, host, version and history;
variables on (run) of keys that no run owns, and their rows in runs that do not.  Told but no
failure, unless --strict: new variables and attributes, other long_names.  Exit code 1 and a short
list if anything else does.  Builds and outputs of the old commit are kept, so that only the first
call takes long.  Needs the python3 that has netCDF4 (Debian's own).
"""

import argparse
import collections
import concurrent.futures
import hashlib
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

import netCDF4
import numpy as np

import pl_run
from gate_sweeps import SWEEPS, write_inputs

GATE = pl_run.ROOT / "build/gate"
OLD = "98f8878"

# Old name of a variable: its new name, or the new names over which its runs are spread (a row must
# be found under one of them and be missing under the others).
RENAMED = {}

IGNORED = {"wall_time", "memory"}
IGNORED_ATTRIBUTES = {"host", "source", "history", "date_created", "plan_rates",
                      "plan_memory_per_rank"}
WORDS = {"long_name", "summary", "references"}  # attributes for people
# On (run), but no keys; and keys that every run owns.
BOOKS = {"status", "steps_done", "ranks", "run_index", "optimum", "optimum_bound"}
ALWAYS = {"group", "model_kind", "model_depth", "model_init_kind", "data_kind", "loss_kind",
          "optimizer_kind", "optimizer_lr", "optimizer_growth_factor", "steps", "stop_loss", "seed",
          "mapping_team"}

# Which rank holds which irreps, and so the order of sums, follows from rates that the program
# measures anew every time.  From an output that it resumes it takes those of before: these are
# written there first (pl_rates: six sizes, six products, six spectra, then nine numbers).
RATES = [4, 16, 48, 144, 400, 1024, 4e9, 2e10, 4e10, 5e10, 5.5e10, 6e10, 3e-6, 2e-5, 1.2e-4, 1.4e-3,
         2e-2, 0.3, 40e9, 10e9, 15e-9, 15e-9, 2e-6, 5e9, 0.75, 2, 8e9]
LIMIT = 120  # seconds for any call of the program


class Trouble(Exception):
    """The program did not do what the sweep asks for."""


# ---- running ----


def build(commit):
    """The program of a commit, built unless it is there."""
    name = subprocess.run(["git", "rev-parse", "--short=12", f"{commit}^{{commit}}"], text=True,
                          cwd=pl_run.ROOT, capture_output=True, check=True).stdout.strip()
    folder = GATE / "old" / name
    binary = folder / "build/plancherel"
    if not binary.exists():
        print(f"building {name}", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        # An export rather than a worktree: git need not know of what `make clean` removes.
        tree = subprocess.run(["git", "archive", name], cwd=pl_run.ROOT, capture_output=True,
                              check=True).stdout
        subprocess.run(["tar", "-x"], cwd=folder, input=tree, check=True)
        subprocess.run(["make", "-j2", "build/plancherel"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
    return binary


def call(args, ranks, code=0):
    try:
        done = pl_run.run(args, ranks, timeout=LIMIT, code=None, cwd=GATE / "in")
    except subprocess.TimeoutExpired:
        raise Trouble(f"{args[0]}: not done after {LIMIT} s") from None
    if code is not None and done.returncode != code:
        lines = (done.stderr + done.stdout).strip().splitlines() or [""]
        raise Trouble(f"{args[0]}: exit code {done.returncode}, expected {code}: {lines[0]}")
    return done.returncode


def pin(args, out, ranks):
    """Create the output, no step done, and write the rates of the plan into it."""
    call([*args, "-o", out, "--max-time", "1e-9"], ranks, 75)
    with netCDF4.Dataset(out, "a") as nc:
        if len(nc.plan_rates) != len(RATES):
            raise Trouble(f"plan_rates has {len(nc.plan_rates)} numbers, RATES {len(RATES)}")
        nc.plan_rates = np.array(RATES)
    return [*args, "-o", out, "--resume"]


def train(args, out, ranks, code=0):
    args = pin(args, out, ranks) if ranks > 1 else [*args, "-o", out]
    call(args, ranks, code)


def train_in_sessions(args, out, ranks):
    """Stopped by the clock up to three times, at least once in the middle of a run: where that
    happens must not matter."""
    args, stops = pin(args, out, ranks), 0
    for _ in range(3):
        if call([*args, "--max-time", "0.12"], ranks, None) != 75:
            break
        stops += any(Path(f"{out}.ckpt").glob("run-*.nc"))
    if not stops:
        raise Trouble("was never stopped in the middle of a run: give it more steps")
    call(args, ranks)


def produce(sweep, path, out, ranks):
    args = ["run", path.name, "-q"]
    if sweep.how == "optimum":
        call(["optimum", path.name, "-o", out], ranks)
    elif sweep.how == "resume":
        train_in_sessions(args, out, ranks)
    elif sweep.how == "shard":
        parts = [out.with_suffix(f".{i}.nc") for i in range(2)]
        for i, part in enumerate(parts):
            train([*args, "--shard", f"{i}/2"], part, ranks)
        call(["merge", *parts, "-o", out], 1)
    else:
        train(args, out, ranks, sweep.code)
    if Path(f"{out}.ckpt").exists():
        raise Trouble("checkpoints are left")


def stamp(binary, text):
    """Of all that an output depends on."""
    files = sorted(p for p in (GATE / "in").iterdir() if p.suffix != ".yaml")
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    parts = [text, str(binary.stat().st_mtime_ns), str(RATES), platform.node(), *cpu[:1]]
    parts += [hashlib.sha256(p.read_bytes()).hexdigest() for p in files]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def run_all(jobs, binary, folder, keep, workers):
    """Outputs of all jobs (name, ranks) into the folder; returns troubles by job.  keep: those of
    an earlier call may serve."""
    folder.mkdir(parents=True, exist_ok=True)
    pl_run.BINARY = str(binary)

    def one(job):
        name, ranks = job
        sweep, out = SWEEPS[name], output(folder, job)
        path, seal = GATE / "in" / f"{name}-{ranks}.yaml", out.with_suffix(".stamp")
        now = stamp(binary, f"{sweep.how} {sweep.code} {sweep.text(ranks)}")
        if keep and seal.exists() and seal.read_text() == now:
            return None
        for old in folder.glob(f"{out.stem}.*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        path.write_text(sweep.text(ranks))
        try:
            produce(sweep, path, out, ranks)
        except Trouble as trouble:
            return str(trouble)
        seal.write_text(now)
        return None

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return {job: t for job, t in zip(jobs, pool.map(one, jobs)) if t}


def output(folder, job):
    return folder / f"{job[0]}-{job[1]}.nc"


# ---- comparing ----


class Variable:
    def __init__(self, v):
        self.dims, self.type = v.dimensions, str(v.dtype)
        self.attributes = {a: v.getncattr(a) for a in v.ncattrs()}
        self.values = np.ascontiguousarray(v[:])
        fill = "\0" if self.type == "|S1" else netCDF4.default_fillvals[v.dtype.str[1:]]
        self.fill = np.array(self.attributes.get("_FillValue", fill)).astype(v.dtype)

    def is_key(self):
        """On (run) alone; texts have a dimension of their length."""
        return self.dims[:1] == ("run",) and all(d.startswith("string") for d in self.dims[1:])

    def rows(self):
        """The bytes of each run; of texts without what fills them up."""
        texts = self.type == "|S1"
        return [row.tobytes().rstrip(b"\0") if texts else row.tobytes() for row in self.values]

    def show(self, r):
        return repr(self.rows()[r].decode() if self.type == "|S1" else self.values[r])

    def missing(self):
        """Runs of which nothing is there."""
        return [bool((row == self.fill).all()) for row in self.values]


class File:
    def __init__(self, path):
        with netCDF4.Dataset(path) as nc:
            nc.set_auto_maskandscale(False)
            nc.set_auto_chartostring(False)
            self.attributes = {a: nc.getncattr(a) for a in nc.ncattrs()}
            self.variables = {name: Variable(v) for name, v in nc.variables.items()}


    def kinds(self):
        """What decides which keys a run owns, run by run."""
        names = ("model_kind", "data_kind", "optimizer_kind")
        return list(zip(*(self.variables[n].rows() for n in names if n in self.variables)))


class Findings:
    """fails: lines; notes: line -> in how many files."""

    def __init__(self, strict):
        self.strict, self.fails, self.notes = strict, [], collections.Counter()

    def fail(self, line):
        self.fails.append(line)

    def note(self, line, allowed=False):
        """allowed: whatever --strict says."""
        self.fail(line) if self.strict and not allowed else self.notes.update([line])


def same(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def compare_attributes(found, where, old, new):
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            found.fail(f"{where}: no attribute {name}")
        elif name not in old:
            found.note(f"{where}: new attribute {name}")
        elif not same(old[name], new[name]):
            line = f"{where}: {name}: {str(old[name])[:60]!r} is now {str(new[name])[:60]!r}"
            found.note(line) if name in WORDS else found.fail(line)


def difference(a, b):
    """Where two arrays of one shape differ, in words."""
    if a.ndim == 0:
        return f"{a} is now {b}"
    width = a.dtype.itemsize
    differ = (a.view(np.uint8).reshape(*a.shape, width)
              != b.view(np.uint8).reshape(*b.shape, width)).any(axis=-1)
    at = tuple(int(i) for i in np.argwhere(differ)[0])
    text = f"{differ.sum()} of {a.size} values, first at {list(at)}: {a[at]!r} is now {b[at]!r}"
    if a.dtype.kind == "f":
        with np.errstate(all="ignore"):
            error = np.abs(a - b)[differ] / np.maximum(np.abs(a), np.abs(b))[differ]
        text += f", at most {np.nanmax(error, initial=0):.2g} of their size"
    return text


def compare_key(found, name, old, new, given, kinds):
    """Rows that no run owns may be missing now: then in all runs of the same kinds."""
    lost, kept = set(), set()
    for r, (a, b, gone) in enumerate(zip(old.rows(), new.rows(), new.missing())):
        if a == b:
            if not gone:
                kept.add(kinds[r])
        elif name == "data_test" and old.show(r) == "1000" and new.show(r) == "0":
            found.note("data_test: 0 is the default now, but for a teacher", True)
        elif gone and name not in ALWAYS:
            lost.add(kinds[r])
        else:
            found.fail(f"{name}: run {r}: {old.show(r)} is now {new.show(r)}")
            return
    if lost & kept or (lost and not kept and name in given):
        found.fail(f"{name}: missing in runs that own it")
    elif lost:
        found.note(f"{name}: missing in runs that do not own it", True)


def compare_spread(found, name, old, news):
    """Over several new variables, run by run."""
    rows, gone = [v.rows() for v in news], [v.missing() for v in news]
    for r, (row, nothing) in enumerate(zip(old.rows(), old.missing())):
        here = [k for k in range(len(news)) if not gone[k][r]]
        if [rows[k][r] for k in here] != ([] if nothing else [row]):
            found.fail(f"{name}: run {r} is not under its new name")
            return


def compare_variable(found, name, old, news, given, kinds):
    for new in news:
        compare_attributes(found, name, old.attributes, new.attributes)
        text = old.type == "|S1" and old.is_key()
        a, b = (v.dims[:1] if text else v.dims for v in (old, new))
        shapes = [v.values.shape[:1] if text else v.values.shape for v in (old, new)]
        if (a, old.type, shapes[0]) != (b, new.type, shapes[1]):
            found.fail(f"{name}: {old.type}{old.dims}{old.values.shape} is now "
                       f"{new.type}{new.dims}{new.values.shape}")
            return
    if len(news) > 1:
        compare_spread(found, name, old, news)
    elif old.is_key() and name not in BOOKS:
        compare_key(found, name, old, news[0], given, kinds)
    elif not same(old.values, news[0].values):
        found.fail(f"{name}: {difference(old.values, news[0].values)}")


def compare_files(found, old, new, given):
    """given: variables of the keys that the sweep sets."""
    old, new = File(old), File(new)
    for f in (old, new):
        for name in IGNORED_ATTRIBUTES:
            f.attributes.pop(name, None)
    compare_attributes(found, "file", old.attributes, new.attributes)
    expected = set()
    for name, v in old.variables.items():
        names = RENAMED.get(name, name)
        names = [names] if isinstance(names, str) else list(names)
        expected.update(names)
        news = [new.variables[n] for n in names if n in new.variables]
        if name in IGNORED and news:
            continue
        if news:
            compare_variable(found, name, v, news, given, old.kinds())
        elif v.is_key() and name not in BOOKS | ALWAYS | IGNORED | given:
            found.note(f"{name}: gone, no run owns it", True)
        else:
            found.fail(f"{name}: gone")
    for name in new.variables.keys() - expected:
        found.note(f"{name}: new")


def compare_outputs(found, old, new, given):
    """An output file and the final filters beside it."""
    compare_files(found, old, new, given)
    finals = [{p.name: p for p in Path(f"{out}.final").glob("*")} for out in (old, new)]
    if finals[0].keys() != finals[1].keys():
        found.fail(f"final filters of {len(finals[0])} runs are now of {len(finals[1])}")
        return
    for name, path in finals[0].items():
        inner = Findings(found.strict)
        compare_files(inner, path, finals[1][name], set())
        found.notes.update(inner.notes)
        for line in inner.fails:
            found.fail(f"{name}: {line}")


def given(sweep):
    names = {key.replace(".", "_") for key in sweep.keys} - {"title", "zip"}
    return {"loss_kind" if name == "loss" else name for name in names}


# ---- the command ----


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--old", default=OLD, metavar="COMMIT", help=f"reference (default: {OLD})")
    p.add_argument("--new", default=pl_run.ROOT / "build/plancherel", type=Path, metavar="BINARY",
                   help="program to judge (default: build/plancherel)")
    p.add_argument("--only", action="append", metavar="NAME", choices=SWEEPS,
                   help="this sweep (again: these): " + ", ".join(SWEEPS))
    p.add_argument("--ranks", default="1,3", metavar="N,..", help="default: 1,3")
    p.add_argument("--jobs", default=2, type=int, help="sweeps run at a time (default: 2)")
    p.add_argument("--strict", action="store_true", help="other words and new variables fail")
    p.add_argument("--fresh", action="store_true", help="run the old program again, too")
    return p.parse_args()


def main():
    o = options()
    ranks = [int(n) for n in o.ranks.split(",")]
    jobs = [(name, n) for name in o.only or SWEEPS for n in ranks]
    (GATE / "in").mkdir(parents=True, exist_ok=True)
    write_inputs(GATE / "in")
    binary = build(o.old)
    folders = GATE / "out" / binary.parent.parent.name, GATE / "out/new"
    begin = time.time()
    broken = run_all(jobs, binary, folders[0], not o.fresh, o.jobs)
    for job, trouble in broken.items():
        print(f"{job[0]}, ranks {job[1]}: the old program fails: {trouble}")
    middle = time.time()
    troubles = run_all(jobs, o.new.resolve(), folders[1], False, o.jobs)
    end = time.time()
    differ, notes = len(broken), collections.Counter()
    for job in jobs:
        found = Findings(o.strict)
        if job in broken:
            continue
        if job in troubles:
            found.fail(troubles[job])
        else:
            compare_outputs(found, *(output(f, job) for f in folders), given(SWEEPS[job[0]]))
        differ += bool(found.fails)
        notes.update(found.notes.keys())
        for line in found.fails[:4]:
            print(f"{job[0]}, ranks {job[1]}: {line}")
        if len(found.fails) > 4:
            print(f"{job[0]}, ranks {job[1]}: .. and {len(found.fails) - 4} more")
    for line, count in sorted(notes.items()):
        print(f"allowed, in {count}: {line}")
    print(f"{len(jobs)} outputs, {differ} differ (old {middle - begin:.0f} s, new "
          f"{end - middle:.0f} s)")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
