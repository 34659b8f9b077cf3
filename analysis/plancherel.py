"""Plancherel from Python: outputs as xarray data sets and tables, numpy arrays as data files.

    import sys; sys.path.append("PREFIX/share/plancherel/analysis")   # or: module load plancherel
    import plancherel

    ds = plancherel.open("depth_s5.nc")                # run keys and irrep labels are coordinates
    ds.schatten.where(ds.model_depth == 3, drop=True)
    ds.irrep_energy.sel(irrep="3,1,1")
    frame = plancherel.tidy(ds, "records")             # one row per run and record, for pandas

    plancherel.elements("S_3")                         # ["123", "132", ..]: the order of elements
    plancherel.write_data("data.nc", x, y, group="S_3")
    # then in the sweep file: data: {kind: file, path: data.nc}

Errors are ValueError, FileNotFoundError where the program is not found, FileExistsError where a file
is, another OSError where one cannot be read or written.
"""

import datetime
import os
import shutil
import subprocess

import numpy as np
import xarray as xr

import plancherel_io as pio

__all__ = ["elements", "open", "program", "tidy", "write_data"]


def program():
    """Path of the program: $PLANCHEREL, or beside this file as installed or built, or on PATH.
    FileNotFoundError if there is none."""
    here = os.path.dirname(os.path.abspath(__file__))
    for path in (os.environ.get("PLANCHEREL"), os.path.join(here, "../../../bin/plancherel"),
                 os.path.join(here, "../build/plancherel"), shutil.which("plancherel")):
        if path and os.access(path, os.X_OK) and not os.path.isdir(path):
            return path
    raise FileNotFoundError("the program plancherel: build it, or name it in $PLANCHEREL")


def elements(group):
    """Labels of the group's elements, in the order in which files and the program have them.

    group: a spec as in a sweep file, "S_4", "C_5 x D_3".  ValueError if it is none, or has more than
    10^6 elements."""
    done = subprocess.run([program(), "group", group, "--elements"], text=True, capture_output=True)
    if done.returncode:
        raise ValueError(done.stderr.strip().removeprefix("plancherel: error: "))
    _, _, rows = done.stdout.partition("\nelement\tlabel\n")
    found = [row.split("\t", 1)[1] for row in rows.splitlines() if "\t" in row]
    if not found:
        raise ValueError(f"{group}: its elements are not listed")
    return found


# ---- outputs ----


def open(path):  # noqa: A001
    """The output of `plancherel run` as an xarray.Dataset, several of them (a list) as one.

    What says what a run was (all keys of the sweep, seeds, `status` in words) are coordinates of
    `run`; labels (irreps, elements, exponents, names of weights) are the index of their dimension
    where they tell its entries apart, else coordinates.  Records that a run does not have are NaN.
    The file may still be written."""
    try:
        ds = pio.open_outputs([path] if isinstance(path, (str, os.PathLike)) else list(path))
    except pio.InputError as error:
        raise ValueError(str(error)) from None
    states = pio.statuses(ds)
    new = {}
    for name, var in ds.variables.items():
        if len(var.dims) == 1 and var.dtype.kind in "OSU":
            new[name] = (var.dims, np.array(pio.column(ds, name), dtype=object), var.attrs)
    ds = ds.assign(new).assign_coords(status=("run", np.array(states, dtype=object)))
    ds = ds.assign_coords({"run": np.arange(ds.sizes["run"])})
    keys = [n for n, v in ds.data_vars.items() if v.dims == ("run",) and n not in pio.OUTCOMES]
    labels = [n for n, v in ds.data_vars.items()
              if len(v.dims) == 1 and v.dims[0] not in ("run", "record")]
    ds = ds.set_coords(keys + labels)
    for dim in ds.dims:
        label = f"{dim}_label" if f"{dim}_label" in ds.coords else f"{dim}_name"
        if label in ds.coords and dim not in ds.coords and ds[label].dims == (dim,):
            values = ds[label].values
            if len(set(values.tolist())) == len(values):
                ds = ds.assign_coords({dim: values})
    return ds


def tidy(ds, of="runs"):
    """A pandas.DataFrame of a data set from open: a row per run ("runs") with its keys, how it ended
    and the last record of each measure, or a row per run and record ("records") with its keys,
    `record`, `step` and the measures.  Only what is on run, or on run and record alone."""
    import pandas

    if of not in ("runs", "records"):
        raise ValueError(f'tidy: "runs" or "records", not {of!r}')
    on_run = [n for n, v in ds.variables.items() if v.dims == ("run",) and n not in ("run", "status")]
    measures = pio.on_records(ds)
    data = {"run": np.arange(ds.sizes["run"]),
            "status": ds["status"].values if ds["status"].dtype == object else pio.statuses(ds)}
    for name in on_run:
        values = ds[name].values
        data[name] = pio.column(ds, name) if values.dtype.kind in "OSU" else values
    runs = pandas.DataFrame(data)
    last = pio.last_records(ds)
    if of == "runs":
        return runs.assign(**{n: pio.last_values(ds, n, last) for n in measures})
    step = pio.steps(ds)
    run, record = np.nonzero(np.isfinite(step))
    keys = [n for n in runs.columns if n not in pio.OUTCOMES]
    rows = runs.loc[run, keys].reset_index(drop=True)
    rows = rows.assign(record=record, step=step[run, record].astype(np.int64))
    return rows.assign(**{n: ds[n].values[run, record] for n in measures})


# ---- data ----


def order_of(given, group, size):
    """Where the group's elements stand among the labels given, and the group's labels."""
    known = elements(group)
    if len(known) != size:
        raise ValueError(f"x has {size} columns, but {group} has {len(known)} elements")
    if given is None:
        return np.arange(size), known
    place = {str(label): k for k, label in enumerate(given)}
    strange = [label for label in place if label not in set(known)]
    if strange:
        raise ValueError(f"{strange[0]!r} is no element of {group}; they are {known[0]!r}, {known[1]!r}, ..")
    if len(place) != len(known) or len(given) != len(known):
        raise ValueError(f"{len(given)} labels, {len(place)} different ones, for the {len(known)} elements")
    return np.array([place[label] for label in known]), known


def text_array(labels):
    """Labels as characters [n][longest], zeros behind."""
    coded = [label.encode() for label in labels]
    return np.array(coded, dtype=f"S{max(map(len, coded))}").reshape(-1, 1).view("S1")


def check_numbers(name, values, dims):
    """An array of finite doubles with so many dimensions."""
    values = np.asarray(values, dtype=float)
    if values.ndim not in dims or 0 in values.shape:
        raise ValueError(f"{name} has shape {values.shape}; expected {' or '.join(map(str, dims))} dimensions")
    if not np.isfinite(values).all():
        where = tuple(int(i[0]) for i in np.nonzero(~np.isfinite(values)))
        raise ValueError(f"{name}{list(where)} is {values[where]}, no finite number")
    return values


def write_data(path, x, y, group=None, elements=None, split=None, overwrite=False):
    """Write samples as `data.kind: file` reads them.

    x: [samples][elements of the group] (group given: functions on it), or [samples][features].
    y: [samples], labels 1 and -1 on a group; else classes from 0, or targets [samples][targets].
    group: spec, as in the sweep file; the elements, in the program's order, are asked of the program
        and written beside the samples, so that `run` checks them again.
    elements: labels of x's columns where they stand in another order; columns are brought into the
        group's.  split: [samples], 0 training, 1 validation, 2 test.
    ValueError for what does not fit, FileExistsError unless overwrite."""
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"{path} exists already")
    x = check_numbers("x", x, (2,))
    y = check_numbers("y", y, (1,) if group else (1, 2))
    if len(x) != len(y):
        raise ValueError(f"{len(x)} samples x, but {len(y)} labels y")
    if group and not np.isin(y, (1, -1)).all():
        raise ValueError(f"labels on a group are 1 and -1, not {y[~np.isin(y, (1, -1))][0]:g}")
    attrs = {"title": f"Samples on {group}" if group else "Samples",
             "Conventions": "CF-1.10, ACDD-1.3",
             "history": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
             + " plancherel.write_data"}
    variables = {}
    if group:
        order, labels = order_of(elements, group, x.shape[1])
        x = x[:, order]
        attrs["group"] = group
        variables["element"] = xr.Variable(("element", "string_element"), text_array(labels),
                                           {"long_name": "label of the group element", "units": "1"})
    axis = "element" if group else "feature"
    classes = not group and y.ndim == 1 and (y == np.floor(y)).all() and (y >= 0).all()
    variables["x"] = xr.Variable(("sample", axis), x, {"long_name": "samples", "units": "1"})
    variables["y"] = xr.Variable(("sample", "target")[:y.ndim], y.astype(np.int32) if classes else y,
                                 {"long_name": "labels" if y.ndim == 1 else "targets", "units": "1"})
    if split is not None:
        split = np.asarray(split)
        if split.shape != (len(x),) or not np.isin(split, (0, 1, 2)).all():
            raise ValueError("split has 0, 1 or 2 for each sample")
        variables["split"] = xr.Variable("sample", split.astype(np.int32), {
            "long_name": "part: 0 training, 1 validation, 2 test", "units": "1"})
    write_netcdf(path, variables, attrs)


def write_netcdf(path, variables, attrs):
    """A CDF-5 file that takes its name when it is whole."""
    with pio.new_netcdf(os.fspath(path)) as nc:
        nc.setncatts(attrs)
        for name, var in variables.items():
            for dim, size in zip(var.dims, var.shape):
                if dim not in nc.dimensions:
                    nc.createDimension(dim, size)
            out = nc.createVariable(name, var.dtype, var.dims)
            out.setncatts(var.attrs)
            out[:] = var.values
