#!/usr/bin/env python3
"""Speed of the whole program, as ratios taken side by side in one run.

Without arguments: throughput on two ranks, against a real-space numpy step, and how well the
planner's estimates hold on S_7 and S_8.  --long: the same on S_9 .. S_11, with memory, strong
scaling, and what a record costs.  --scaling [-o OUT.png]: strong scaling alone, one run on S_9 and
one on S_10 on 1, 2, 4, .. ranks, as many as there are cores; with -o also drawn.  Where there is
another starter than mpirun (jobs/scaling.sbatch), $LAUNCH is its command, the number of ranks to
follow, $RANKS the most ranks and $SCALING the n of S_n.
"""

import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("PLANCHEREL", str(ROOT / "build" / "plancherel"))
ENV = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
           OPENBLAS_NUM_THREADS="1")
# Ranks on other nodes read here too: $TMPDIR has to be shared there.
WORK = Path(tempfile.mkdtemp(prefix="plancherel-bench-"))


def write(name, text):
    path = WORK / f"{name}.yaml"
    path.write_text(text)
    return str(path)


LAUNCH = shlex.split(os.environ.get("LAUNCH", "mpirun --oversubscribe -n"))


def run(sweep, ranks=1, *extra, prefix=()):
    """Train; returns the open output, wall seconds and the largest resident size in bytes.  prefix:
    of the program's command line."""
    out = str(WORK / "out.nc")
    command = [*prefix, PROGRAM, "run", sweep, "-o", out, "--overwrite", "--quiet", *extra]
    if ranks > 1 or "LAUNCH" in os.environ:
        command = [*LAUNCH, str(ranks), *command]
    start = time.monotonic()
    process = subprocess.Popen(command, env=ENV)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed with {process.returncode}")
    return netCDF4.Dataset(out), time.monotonic() - start, usage.ru_maxrss * 1024


def wall(data):
    return float(data["wall_time"][:].sum())


def sweep(n, depth, samples, steps, records, lr=0.5, extra=""):
    return write(
        f"s{n}", f"{{group: S_{n}, model.depth: {depth}, data.samples: {samples}, steps: {steps},"
        f" record.steps: {records}, optimizer.lr: {lr}, record.irreps: false{extra}}}")


def step_seconds(n, depth, samples, steps, ranks=1, extra=""):
    """Seconds of a step: the slope between a short and a long run, set-up and records cancel."""
    short, _, _ = run(sweep(n, depth, samples, 1, "[1]", extra=extra), ranks)
    a = wall(short)
    long, _, _ = run(sweep(n, depth, samples, steps + 1, f"[{steps + 1}]", extra=extra), ranks)
    return (wall(long) - a) / steps


def planned(sweep_file, ranks=1):
    """What `plancherel plan` says: GB per rank, seconds of a step, a record and a run."""
    text = subprocess.run([PROGRAM, "plan", sweep_file, "--ranks", str(ranks)], env=ENV, check=True,
                          capture_output=True, text=True).stdout
    unit = {"us": 1e-6, "ms": 1e-3, "s": 1, "h": 3600}
    gb = float(re.search(r"([\d.e+-]+) GB per rank, ", text).group(1))
    times = [float(re.search(rf"([\d.e+-]+) (us|ms|s|h) a {what}", text).group(1))
             * unit[re.search(rf"([\d.e+-]+) (us|ms|s|h) a {what}", text).group(2)]
             for what in ("step", "record", "run")]
    return (gb * 1e9, *times)


def throughput():
    text = "{group: S_5, model.depth: 3, steps: 20000, seed: 0..63, record.points: 20, " \
           "optimizer.lr: 0.01}"
    path = write("throughput", text)
    ratios = []
    for _ in range(5):
        _, one, _ = run(path, 1)
        _, two, _ = run(path, 2)
        _, launch, _ = run(write("empty", "{group: C_1, steps: 1, data.samples: 1}"), 2)
        _, single, _ = run(write("empty", "{group: C_1, steps: 1, data.samples: 1}"), 1)
        ratios.append((one - single) / (two - launch))
    print(f"throughput  64 runs on S_5, 2 ranks against 1 (less the time of an empty run): "
          f"{statistics.median(ratios):.2f}")


def small_runs():
    """10^4 runs of ten steps and eleven records: what is around the training."""
    path = write("small", "{group: S_3, data.samples: 4, seed: 0..9999, steps: 10, record.points: 11}")
    _, empty, _ = run(write("empty", "{group: C_1, steps: 1, data.samples: 1}"))
    _, one, _ = run(path)
    _, launch, _ = run(write("empty", "{group: C_1, steps: 1, data.samples: 1}"), 2)
    _, two, _ = run(path, 2)
    start = time.monotonic()
    subprocess.run([sys.executable, str(ROOT / "analysis/summary.py"), str(WORK / "out.nc")],
                   check=True, stdout=subprocess.DEVNULL)
    print(f"small runs  10^4 on S_3: {(one - empty) * 100:.0f} us a run with its 11 records; 2 ranks "
          f"against 1: {(one - empty) / (two - launch):.2f}; summary.py "
          f"{time.monotonic() - start:.1f} s")


def against_numpy():
    sys.path.insert(0, str(ROOT / "tests"))
    import reference

    for n in (4, 5, 6):
        group = reference.symmetric(n)
        rng = np.random.default_rng(0)
        x = rng.standard_normal((10, group.order))
        w = rng.standard_normal((3, group.order)) / group.order**0.5
        net = reference.Network(group, w, x, np.where(np.arange(10) % 2, -1.0, 1.0))
        calls, start = 0, time.monotonic()
        while time.monotonic() - start < 1.5 or calls < 3:
            net.step(calls, lr=1e-3)
            calls += 1
        slow = (time.monotonic() - start) / calls
        fast = step_seconds(n, 3, 10, 4000)
        print(f"numpy       S_{n}: real-space step {slow:.3g} s, ours {fast:.3g} s: {slow / fast:.0f}x")


def empty_bytes():
    return run(write("empty", "{group: C_1, steps: 1, data.samples: 1}"))[2]


def estimate(name, path, ranks, base):
    gb, _, _, seconds = planned(path, ranks)
    data, _, resident = run(path, ranks)
    took = wall(data)
    memory = float(data["memory"][0])
    line = f"estimate    {name} on {ranks} rank(s): {took:.3g} s, planned {seconds:.3g} s " \
           f"(planned/measured {seconds / took:.2f}); {memory / 1e9:.3g} GB, planned " \
           f"{gb / 1e9:.3g} GB (measured/planned {memory / gb:.2f})"
    if ranks == 1 and gb > 1e8:
        line += f"; resident less an empty run {(resident - base) / 1e9:.3g} GB " \
                f"({(resident - base) / gb:.2f})"
    print(line)


def estimates(sizes, ranks=1):
    base = empty_bytes()
    for n, steps in sizes:
        estimate(f"S_{n}", sweep(n, 3, 10, steps, f"[0, {steps}]"), ranks, base)


def attributions():
    """Records of graphs, nearly all of whose time goes into attributions."""
    path = write("motif", "{model: {kind: gcn, layer: graphconv}, data: {kind: motif, test: 500}, "
                          "train.batch: 50, epochs: 4, record.every_epoch: true}")
    estimate("motifs, attributed,", path, 1, empty_bytes())


def records(sizes):
    for n, steps in sizes:
        every = ", ".join(str(k) for k in range(steps + 1))
        few, _, _ = run(sweep(n, 3, 10, steps, f"[{steps}]"))
        a = wall(few)
        many, _, _ = run(sweep(n, 3, 10, steps, f"[{every}]"))
        one = (wall(many) - a) / steps
        print(f"record      S_{n}: {one:.3g} s, {one / step_seconds(n, 3, 10, steps):.2f} steps")


def scaling(n, steps):
    ratios = []
    for _ in range(3):
        one = step_seconds(n, 3, 10, steps)
        two = step_seconds(n, 3, 10, steps, 2, ", mapping.team: 2")
        ratios.append(one / two)
    print(f"scaling     S_{n} step, 2 ranks against 1: {statistics.median(ratios):.2f}")


def stores(n, steps):
    """Samples made anew at every use against kept ones: a step, and memory against the plan."""
    for kind in ("gaussian", "sparse"):
        for elements in ("true", "false"):
            seconds, line = {}, f"store       S_{n}, {kind}, record.elements {elements}:"
            for store in ("keep", "regenerate"):
                extra = f", data.kind: {kind}, data.store: {store}, record.elements: {elements}"
                path = sweep(n, 2, 4, 1, "[1]", extra=extra)
                gb = planned(path)[0]
                memory = float(run(path)[0]["memory"][0])
                seconds[store] = step_seconds(n, 2, 4, steps, extra=extra)
                line += f" {store} {memory / 1e9:.3g} GB (measured/planned {memory / gb:.2f}),"
            print(f"{line} a step {seconds['regenerate'] / seconds['keep']:.2f} times as long")


def model_of_processor():
    with open("/proc/cpuinfo") as f:
        names = [line.split(":", 1)[1].strip() for line in f if line.startswith("model name")]
    return names[0] if names else "unknown processor"


def spent(sweep_file, ranks):
    """Wall seconds of a run, and those in reductions and in PBLAS, by tests/spent.c."""
    library, written = WORK / "spent.so", WORK / "spent"
    if not library.exists():
        compiler = os.environ.get("MPICC", "mpicc")
        subprocess.run([*shlex.split(compiler), "-shared", "-fPIC", "-O1", "-o", library,
                        ROOT / "tests" / "spent.c", "-ldl"], check=True)
    data, _, _ = run(sweep_file, ranks, prefix=["env", f"LD_PRELOAD={library}", f"SPENT={written}"])
    _, reductions, pblas = map(float, written.read_text().split())
    return np.array([wall(data), reductions, pblas])


def strong(sizes, most):
    """One run of each size on 1, 2, 4, .. ranks: rows (n, ranks, seconds of a step, efficiency, shares
    of the step in reductions and PBLAS).  From the slope between a short and a long run."""
    rows = []
    print(f"{model_of_processor()}, up to {most} ranks; depth 3, 10 samples; reductions wait for the "
          "slowest rank\nstrong    group  ranks  step (s)  efficiency  in reductions  in PBLAS")
    for n, steps in sizes:
        ranks, first = 1, None
        while ranks <= most:
            slopes = []
            for _ in range(3):
                team = f", mapping.team: {ranks}"
                short = spent(sweep(n, 3, 10, 1, "[1]", extra=team), ranks)
                long = spent(sweep(n, 3, 10, steps + 1, f"[{steps + 1}]", extra=team), ranks)
                slopes.append((long - short) / steps)
            step = sorted(slopes, key=lambda x: x[0])[1]
            first = first or step[0]
            row = (n, ranks, step[0], first / ranks / step[0], *np.maximum(0, step[1:] / step[0]))
            rows.append(row)
            print("strong    S_{:<4} {:5}  {:8.3g}  {:10.2f}  {:13.1%}  {:8.1%}".format(*row),
                  flush=True)
            ranks *= 2
    return rows


def draw(rows, path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for n in sorted({row[0] for row in rows}):
        _, ranks, step, efficiency, reductions, pblas = zip(*[r for r in rows if r[0] == n])
        line, = left.plot(ranks, step, "o-", label=f"$S_{{{n}}}$")
        left.plot(ranks, step[0] / np.array(ranks), ":", color=line.get_color())
        right.plot(ranks, efficiency, "o-", color=line.get_color(), label=f"$S_{{{n}}}$ efficiency")
        right.plot(ranks, reductions, "--", color=line.get_color(), label="share of reductions")
        right.plot(ranks, pblas, "-.", color=line.get_color(), label="share of PBLAS")
    left.set(xscale="log", yscale="log", xlabel="ranks", ylabel="s a step (dotted: ideal)")
    right.set(xscale="log", xlabel="ranks", ylim=(0, 1.1))
    for axes in (left, right):
        axes.set_xticks(sorted({row[1] for row in rows}), sorted({row[1] for row in rows}))
        axes.minorticks_off()
        axes.legend(fontsize=8)
    figure.suptitle(model_of_processor(), fontsize=9)
    figure.savefig(path, dpi=150)
    print(f"drawn: {path}")


def strong_scaling(out):
    steps = {7: 400, 8: 100, 9: 40, 10: 8, 11: 3}
    sizes = [int(n) for n in os.environ.get("SCALING", "9 10").split()]
    most = int(os.environ.get("RANKS", len(os.sched_getaffinity(0))))
    rows = strong([(n, steps.get(n, 2 if n > 11 else 2000)) for n in sizes], most)
    if out:
        draw(rows, out)


def large(name, text):
    path = write(name, text)
    data, seconds, _ = run(path, 2)
    loss, schatten = data["log_loss"][0], data["schatten_thresholded"][0]
    print(f"large       {name}: {seconds:.0f} s on 2 ranks; log loss {loss[0]:.3g} -> {loss[-1]:.3g}, "
          f"S_p {schatten[0]:.4g} -> {schatten[-2]:.4g} -> {schatten[-1]:.4g}, "
          f"margin {data['min_margin'][0][-1]:.3g}")


def main():
    if "--scaling" in sys.argv:
        strong_scaling(sys.argv[sys.argv.index("-o") + 1] if "-o" in sys.argv else None)
    elif "--long" in sys.argv:
        estimates([(9, 100), (10, 12)])
        estimates([(9, 100), (10, 12)], 2)
        records([(9, 20), (10, 5)])
        scaling(9, 60)
        stores(10, 6)
        for depth in (2, 3):
            large(f"S_9, depth {depth}", f"{{group: S_9, model.depth: {depth}, steps: 400, "
                  "optimizer: {lr: 1, growth: {factor: 1.1, every: 20}}, record.points: 8}")
        large("S_10, depth 3", "{group: S_10, model.depth: 3, steps: 200, record.points: 6, "
              "optimizer: {lr: 2, growth: {factor: 1.1, every: 20}}}")
        large("S_11, depth 2", "{group: S_11, model.depth: 2, steps: 10, record.steps: [0, 10], "
              "data.samples: 4, optimizer.lr: 1}")
        estimates([(11, 2)])
    else:
        throughput()
        small_runs()
        against_numpy()
        estimates([(7, 4000), (8, 600)])
        attributions()


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(WORK)
