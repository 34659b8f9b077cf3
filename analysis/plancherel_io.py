"""Reading the output of `plancherel run`: what the scripts here share.

An output file is flat: variables on `run` say what each run was (every key of the sweep file, dots
as underscores) and how it ended; variables on (run, record, ..) are its trajectory, missing where
a run has no such record.  A file can be read while its sweep runs.
"""

import contextlib
import errno
import os
import re
import sys

import numpy as np

# On `run`, but an outcome and no key of the sweep file.
OUTCOMES = {"status", "wall_time", "memory", "steps_done", "ranks", "run_index", "best_step",
            "validation_best", "test_at_best", "separated", "converged", "optimum", "optimum_bound",
            "separable"}
# Keys whose values make replicas of one experiment.
REPLICAS = {"seed", "data_seed"}
# Runs with these outcomes do not enter medians.
BROKEN = {"diverged", "failed"}


# What the system says of a name that leads to no file.  Anything else it says, no permission, a disk
# that is full or broken, no memory, is the environment's fault.
NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.ELOOP}


class InputError(Exception):
    """A file, variable or option that does not fit; ends the program with exit code 2."""


class OutputError(OSError):
    """An output that cannot be written; ends the program with exit code 3."""


def unreadable(path, error, what="not readable"):
    """What to raise where reading path failed: an OSError, exit code 3, if that is the environment's
    fault, else an InputError.  Libraries number what they do not like of a content below 0."""
    if not isinstance(error, OSError) or (error.errno or 0) <= 0:
        return InputError(f"{path}: {what} ({error})")
    if error.errno in NO_FILE:
        return InputError(f"{path}: {error.strerror}")
    return OSError(error.errno, error.strerror, path)


def main_guard(main):
    """Run main() and turn an InputError into one line on stderr and exit code 2, trouble of the
    environment likewise into exit code 3, as of plancherel itself."""
    code, text = 0, ""
    try:
        main()
        sys.stdout.flush()
    except InputError as error:
        code, text = 2, str(error)
    except BrokenPipeError:  # the reader (head, less) left: not our failure
        give_up_stdout()
    except OSError as error:
        # Files that are written are named (placing), and those that are read.
        code, text = 3, f"{error.filename or 'standard output'}: {error.strerror or error}"
        if not error.filename:
            give_up_stdout()
    except MemoryError as error:
        code, text = 3, f"out of memory {error}".rstrip()
    if text:
        print(f"{os.path.basename(sys.argv[0])}: {text}", file=sys.stderr)
        sys.exit(code)


def give_up_stdout():
    """What could not be written is not tried again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def open_file(path):
    """The data set of a NetCDF file; InputError if it is missing or not one."""
    if not os.path.exists(path):
        raise InputError(f"{path}: no such file")
    if not os.path.isfile(path):  # a FIFO would keep us waiting
        raise InputError(f"{path}: not a regular file")
    import xarray  # here: what reads no output starts twice as fast without it
    try:
        # "s" is a unit of seconds here, not a request for timedelta objects.
        ds = xarray.open_dataset(path, engine="netcdf4", decode_times=False)
    except (OSError, ValueError) as error:
        raise unreadable(path, error, "not a readable NetCDF file") from error
    ds.encoding["source"] = path
    return ds


def open_output(path):
    """The data set of an output file of plancherel run; InputError likewise."""
    ds = open_file(path)
    require(ds, "status", ("run",))
    require(ds, "step", ("run", "record"))
    return ds


def open_outputs(paths):
    """One data set of several output files, of one sweep or of many: their runs one after the other,
    each with the records that it has (the rest missing), on the union of their irreps and other
    axes.  A single file is opened as by open_output; several are read whole."""
    if len(paths) == 1:
        return open_output(paths[0])
    seen = set()
    for path in paths:
        if os.path.realpath(path) in seen:
            raise InputError(f"{path}: given twice")
        seen.add(os.path.realpath(path))
    parts = [open_output(path) for path in paths]
    ds = join(parts)
    for part in parts:
        part.close()
    tell_repeated(ds, paths, [part.sizes["run"] for part in parts])
    return ds


def apart(output, inputs):
    """InputError where writing `output` would replace one of the inputs."""
    if os.path.exists(output) and any(os.path.samefile(output, path) for path in inputs):
        raise InputError(f"{output}: would replace an input")


@contextlib.contextmanager
def placing(path):
    """A name beside path, to write a file that takes its place when it is whole: what was there stays
    where that fails, which is an OutputError.  What is no regular file, such as /dev/stdout, is
    written to itself."""
    real = os.path.realpath(path)
    stem, suffix = os.path.splitext(real)
    beside = f"{stem}.{os.getpid()}{suffix}"
    if os.path.exists(path) and not os.path.isfile(path):
        beside = path
    try:
        yield beside
        if beside != path:
            os.replace(beside, real)
    except OSError as error:
        raise OutputError(error.errno, error.strerror or str(error), path) from error
    finally:
        if beside != path and os.path.exists(beside):
            os.remove(beside)


def write_together(contents):
    """Files {path: bytes}, as by placing: none takes its place before all are whole."""
    with contextlib.ExitStack() as stack:
        for path, content in contents.items():
            with open(stack.enter_context(placing(path)), "wb") as file:
                file.write(content)


@contextlib.contextmanager
def new_netcdf(path):
    """An open netCDF4.Dataset whose content becomes the CDF-5 file at path, as by placing.  It is made
    in memory: where a disk is full netCDF4 would end Python with a segmentation fault."""
    import netCDF4
    nc = netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_DATA", memory=1 << 16)
    try:
        yield nc
    finally:
        whole = nc.close()
    write_together({path: whole})


def characters(names):
    """Names as the array of characters that a NetCDF file holds, in UTF-8."""
    width = max(1, *(len(n.encode()) for n in names))
    return np.frombuffer(b"".join(n.encode().ljust(width, b"\0") for n in names),
                         dtype="S1").reshape(len(names), width)


def make_folder(path):
    """The folder at path, for outputs, made where it is absent; OutputError."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise OutputError(error.errno, error.strerror, path) from error


# ---- several files as one ----


def entries(ds, axis, places):
    """What tells the entries of an axis apart: the values of its coordinates, or their number alone,
    and how many entries before have the same.  places: as of the axes that coordinates point into."""
    names = sorted(n for n, v in ds.variables.items() if v.dims == (axis,))
    columns = []
    for name in names:
        pointed = places.get(ds[name].attrs.get("instance_dimension"))
        values = ds[name].values if pointed is None else pointed[ds[name].values]
        columns.append([plain(v) if v == v else None for v in values.tolist()])
    rows = zip(*columns) if columns else range(ds.sizes[axis])
    count, found = {}, []
    for row in rows:
        count[row] = count.get(row, -1) + 1
        found.append((tuple(names), row, count[row]))
    return found


def places_on_axes(parts):
    """For each data set, where the entries of its axes stand on those of all: {axis: places}; and
    the lengths of these.  Runs come one after the other."""
    places, length, start = [{} for _ in parts], {}, 0
    for part, place in zip(parts, places):
        place["run"] = start + np.arange(part.sizes["run"])
        start += part.sizes["run"]
    length["run"] = start
    axes = dict.fromkeys(d for part in parts for d in part.sizes if d != "run")
    pointing = {v.dims[0] for part in parts for v in part.variables.values()
                if "instance_dimension" in v.attrs}
    for axis in sorted(axes, key=lambda d: d in pointing):
        known = {}
        for part, place in zip(parts, places):
            if axis not in part.sizes:
                continue
            # Records have no coordinates: those of one number share a place.
            found = entries(part, axis, place)
            place[axis] = np.array([known.setdefault(e, len(known)) for e in found], dtype=int)
        length[axis] = len(known)
    return places, length


def join_variable(name, parts, places, length):
    """(dims, values, attributes) of one variable, missing where no part has it."""
    having = [i for i, part in enumerate(parts) if name in part.variables]
    first = parts[having[0]][name]
    for i in having:
        require(parts[i], name, first.dims)
    shape = tuple(length[d] for d in first.dims)
    kind = np.result_type(*(parts[i][name].dtype for i in having))
    covered = sum(parts[i][name].size for i in having)
    if kind.kind in "OSU":
        values = np.full(shape, "", dtype=object)
    elif covered < np.prod(shape, dtype=int):
        values = np.full(shape, np.nan, dtype=np.result_type(kind, float))
    else:
        values = np.zeros(shape, dtype=kind)
    for i in having:
        own = parts[i][name].values
        pointed = places[i].get(first.attrs.get("instance_dimension"))
        own = own if pointed is None else pointed[own]
        if values.dtype == object:
            own = np.array([plain(v) for v in own.ravel()], dtype=object).reshape(own.shape)
        values[np.ix_(*(places[i][d] for d in first.dims))] = own
    return first.dims, values, first.attrs


def join(parts):
    """One data set of several; what the files say about how to show them is the first one's, and the
    headline measures those of all."""
    places, length = places_on_axes(parts)
    names = dict.fromkeys(name for part in parts for name in part.variables)
    variables = {name: join_variable(name, parts, places, length) for name in names}
    import xarray
    ds = xarray.Dataset(variables, attrs=parts[0].attrs)
    for attribute in ("headline", "swept"):
        words = dict.fromkeys(w for part in parts for w in part.attrs.get(attribute, "").split())
        if words:
            ds.attrs[attribute] = " ".join(words)
    ds.encoding["source"] = ", ".join(part.encoding["source"] for part in parts)
    return ds


def tell_repeated(ds, paths, runs):
    """Warn of runs that stand in two of the files, with the same value of every key."""
    keys = [n for n, v in ds.variables.items() if v.dims == ("run",) and n not in OUTCOMES]
    origin = np.repeat(np.arange(len(paths)), runs)
    repeated = sum(len(set(origin[same].tolist())) > 1 for _, same in combinations(ds, keys))
    if repeated:
        print(f"{os.path.basename(sys.argv[0])}: {repeated} run{'s' * (repeated > 1)} with the same "
              "keys in more than one of the files: counted for each", file=sys.stderr)


# ---- what a file holds ----


def source(ds):
    """The file, or files, of a data set, as messages name them."""
    return ds.encoding.get("source", "?")


def require(ds, name, dims=None, hint=""):
    """The variable `name`; InputError if it is absent or has other dimensions."""
    path = source(ds)
    if name not in ds.variables:
        raise InputError(f"{path}: no variable '{name}'{hint and '; ' + hint}")
    var = ds[name]
    if dims is not None and var.dims != dims:
        raise InputError(
            f"{path}: variable '{name}' has dimensions ({', '.join(var.dims)}), "
            f"expected ({', '.join(dims)}){hint and '; ' + hint}"
        )
    return var


def plain(value):
    """A Python value of an array entry: text without padding, integers as int."""
    if isinstance(value, bytes):
        return value.decode("utf-8").rstrip("\0")
    if isinstance(value, (float, np.floating)):
        return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(value)
    return value.item() if isinstance(value, np.generic) else value


def codes(ds, name):
    """(distinct Python values, which of them each entry has) of a one-dimensional variable."""
    known = ds.encoding.setdefault("codes", {})
    if name not in known:
        values = ds[name].values
        if values.dtype == object:
            values = np.array([v if isinstance(v, bytes) else str(v).encode() for v in values])
        distinct, code = np.unique(values, return_inverse=True)
        known[name] = [plain(v) for v in distinct], code.reshape(-1)
    return known[name]


def column(ds, name):
    """The values of a one-dimensional variable as a list of Python values."""
    distinct, code = codes(ds, name)
    return [distinct[c] for c in code.tolist()]


def last_values(ds, name, last):
    """The numbers of a variable on (run, record) at the last record of each run, NaN without one."""
    values = ds[name].values[np.arange(len(last)), np.maximum(last, 0)].astype(float)
    return np.where(last >= 0, values, np.nan)


def unclassified(ds, last):
    """Runs known not to classify their training samples at the last record: by `separated` or, where
    it says nothing, by the accuracy."""
    told = np.full(len(last), np.nan)
    if "separated" in ds.variables:
        told = ds["separated"].values.astype(float)
        told[~np.isin(told, (0, 1))] = np.nan
    for name in ("accuracy", "train_accuracy"):
        if name in ds.variables and ds[name].dims == ("run", "record"):
            accuracy = last_values(ds, name, last)
            by_accuracy = np.where(np.isfinite(accuracy), accuracy == 1, np.nan)
            told = np.where(np.isfinite(told), told, by_accuracy)
    return told == 0


def sound_runs(ds, every=False):
    """(which runs enter medians, why each of the others does not in a word): those with a record, not
    broken and, unless `every`, not known to leave training samples unclassified."""
    state, last = np.array(statuses(ds)), last_records(ds)
    sound = (last >= 0) & ~np.isin(state, sorted(BROKEN))
    astray = sound & unclassified(ds, last) & (not every)
    return sound & ~astray, np.where(astray, "not classifying", state)


def statuses(ds):
    """The state of each run in words."""
    var = require(ds, "status", ("run",))
    values = np.atleast_1d(var.attrs.get("flag_values", np.arange(6)))
    default = "pending running done diverged failed stopped"
    words = dict(zip(values.tolist(), var.attrs.get("flag_meanings", default).split()))
    return [words.get(int(v), str(v)) for v in var.values]


def swept_keys(ds):
    """Keys that differ between the runs that own them, replicas (seeds) apart, in the file's order."""
    keys = []
    for name, var in ds.variables.items():
        if var.dims != ("run",) or name in OUTCOMES | REPLICAS:
            continue
        if sum(v == v and v != "" for v in codes(ds, name)[0]) > 1:
            keys.append(name)
    return keys


def on_records(ds):
    """Names of the variables on (run, record), the step apart."""
    return [n for n, v in ds.variables.items() if v.dims == ("run", "record") and n != "step"]


def headline(ds):
    """The measures that tell most, as the file says; of older files, those of a linear G-CNN."""
    names = ds.attrs.get("headline", "loss schatten_thresholded normalized_margin").split()
    able = on_records(ds)
    return [n for n in names if n in able] or able[:1]


def default_y(ds):
    """The measure to draw, as the file says; of older files the Schatten value."""
    able = on_records(ds)
    wanted = [ds.attrs.get("default_y"), "schatten", *headline(ds)]
    found = [n for n in wanted if n in able]
    if not found:
        raise InputError(f"{source(ds)}: no variable on (run, record) to draw")
    return found[0]


def default_hue(ds, keys):
    """The key to tell apart by colour among `keys`, as the file says; of older files the depth."""
    wanted = [ds.attrs.get("default_hue"), "model_depth", *keys]
    return next((k for k in wanted if k in keys), None)


def order(value):
    """Sorting key for values of one column: numbers, then text, missing last."""
    if isinstance(value, str):
        return (1, 0, value)
    return (2, 0, "") if value != value else (0, value, "")


def combinations(ds, keys, runs=None):
    """[(values, runs)] for each combination of `keys` among `runs` (all), sorted."""
    runs = np.arange(ds.sizes["run"]) if runs is None else np.asarray(runs, dtype=int)
    if not len(runs):
        return []
    known = [codes(ds, key) for key in keys]
    mark = np.zeros(len(runs), dtype=int)
    for distinct, code in known:  # one number for each combination so far
        mark = np.unique(mark * len(distinct) + code[runs], return_inverse=True)[1].reshape(-1)
    inside = np.argsort(mark, kind="stable")
    parts = np.split(runs[inside], np.flatnonzero(np.diff(mark[inside])) + 1)
    found = [(tuple(d[c[part[0]]] for d, c in known), part.tolist()) for part in parts]
    return sorted(found, key=lambda item: [order(v) for v in item[0]])


def number(value):
    """A value as short text."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def key_text(key):
    """A key as it reads in the sweep file's last part: model_depth -> depth."""
    head, _, tail = key.partition("_")
    nested = {"model", "data", "optimizer", "train", "record", "stop"}
    return (tail if head in nested and tail else key).replace("_", " ")


def group_text(spec):
    """A group spec for matplotlib: "C_10 x S_4" with indices and a times sign."""
    return re.sub(r"\b([A-Z])_(\d+)", r"$\1_{\2}$", spec).replace(" x ", " × ")


def value_text(key, value):
    """A value of a key as it stands in a figure."""
    return group_text(value) if key == "group" else number(value)


def combination_text(keys, values):
    """ "depth 3, lr 0.01" ."""
    texts = [value_text(k, v) for k, v in zip(keys, values)]
    named = [isinstance(v, str) for v in values]
    return ", ".join(t if n else f"{key_text(k)} {t}" for k, t, n in zip(keys, texts, named))


def steps(ds):
    """step(run, record) as floats, NaN where there is no record."""
    step = require(ds, "step", ("run", "record")).values.astype(float)
    return np.where(step >= 0, step, np.nan)


def last_records(ds):
    """Index of each run's last record, -1 if it has none."""
    there = np.isfinite(steps(ds))
    last = there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    return np.where(there.any(axis=1), last, -1)


def irreps_of(ds, run):
    """Indices along `irrep` of the irreps of a run's group, or its band, as stored."""
    groups = np.array(column(ds, require(ds, "irrep_group", ("irrep",)).name))
    if "group" not in ds.variables:
        return np.arange(len(groups))

    def of_run(name):
        distinct, code = codes(ds, name)
        return distinct[code[run]]

    own = groups == of_run("group")
    codepth = of_run("band_codepth") if "band_codepth" in ds.variables else np.nan
    if codepth == codepth:
        parts = [[int(p) for p in label.split(",")] for label in column(ds, "irrep_label")]
        own &= np.array([sum(p[1:]) for p in parts]) <= codepth
    return np.flatnonzero(own)


def axis_label(var):
    """Axis label from long_name and units."""
    text = var.attrs.get("long_name", var.name)
    units = var.attrs.get("units", "1")
    return text if units in ("1", "") else f"{text} [{units}]"
