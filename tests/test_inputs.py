"""What a sweep reads: values that are missing or packed, elements in another order, files of another
group; files that change between two sessions; where relative paths lead."""

import os
import shutil

import netCDF4
import numpy as np
import pytest

import pl_run

BAD_INPUT = 2
N = 6
S3 = ["1 2 3", "1 3 2", "2 1 3", "2 3 1", "3 1 2", "3 2 1"]
RNG = np.random.default_rng(7)
X = RNG.standard_normal((4, N))
Y = np.array([1, -1, 1, -1])


def variable(f, name, dims, values, kind="f8", **attributes):
    fill = attributes.pop("_FillValue", None)
    v = f.createVariable(name, kind, dims, fill_value=fill)
    v.set_auto_maskandscale(False)
    for key, value in attributes.items():
        v.setncattr(key, value)
    if values is not None:
        v[:] = values
    return v


def data(path, x=X, labels=None, strings=False, group=None, dims=("sample", "element"), **attributes):
    """x(sample, element) and y(sample)."""
    with netCDF4.Dataset(path, "w") as f:
        for name, size in zip(dims, x.shape):
            f.createDimension(name, size)
        if group:
            f.setncattr("group", group)
        variable(f, "x", dims, x, **attributes)
        variable(f, "y", dims[:1], Y)
        label(f, labels, strings)


def label(f, labels, strings=False):
    if labels and strings:
        f.createVariable("element", str, ("element",))[:] = np.array(labels, dtype=object)
    elif labels:
        f.createDimension("letters", 8)
        chars = netCDF4.stringtochar(np.array(labels, dtype="S8"))
        f.createVariable("element", "S1", ("element", "letters"))[:] = chars


def sweep(tmp_path, more="", path="in.nc", group="S_3"):
    (tmp_path / "s.yaml").write_text(f"group: {group}\nsteps: 20\nrecord.points: 4\n"
                                     f"data: {{kind: file, path: {path}}}\n{more}")


def margins(path):
    with netCDF4.Dataset(path) as f:
        return f["min_margin"][:].filled(np.nan)


def refused(tmp_path, *words, args=("--dry-run",)):
    done = pl_run.run(["run", "s.yaml", "-q", *args], cwd=tmp_path, code=BAD_INPUT)
    for word in words:
        assert word in done.stderr, done.stderr


# ---- values ----

@pytest.mark.parametrize("case", ["default fill", "own fill", "missing_value", "not finite"])
def test_missing_samples(case, tmp_path):
    x, attributes = X.copy(), {}
    x[1, 2] = {"default fill": netCDF4.default_fillvals["f8"], "own fill": -9.0,
               "missing_value": 77.0, "not finite": np.inf}[case]
    if case == "own fill":
        attributes["_FillValue"] = -9.0
    if case == "missing_value":
        attributes["missing_value"] = 77.0
    data(tmp_path / "in.nc", x, **attributes)
    sweep(tmp_path)
    refused(tmp_path, "data.path: in.nc: x[1, 2] is ")


def test_missing_filters(tmp_path):
    w = RNG.standard_normal((3, N))
    w[2, 5] = netCDF4.default_fillvals["f8"]
    with netCDF4.Dataset(tmp_path / "w.nc", "w") as f:
        f.createDimension("layer", 3)
        f.createDimension("element", N)
        variable(f, "w", ("layer", "element"), w)
    (tmp_path / "s.yaml").write_text("group: S_3\nmodel.init: {kind: file, path: w.nc}\n")
    refused(tmp_path, "model.init.path: w.nc: w[2, 5] is missing")


def test_packed_samples(tmp_path):
    """As CF unpacks them."""
    packed = np.arange(4 * N).reshape(4, N) + 1
    data(tmp_path / "in.nc", packed, kind="i2", scale_factor=0.01, add_offset=0.25)
    data(tmp_path / "plain.nc", packed * 0.01 + 0.25)
    sweep(tmp_path)
    pl_run.run(["run", "s.yaml", "-q", "-o", "a.nc"], cwd=tmp_path)
    pl_run.run(["run", "s.yaml", "-q", "-s", "data.path=plain.nc", "-o", "b.nc"], cwd=tmp_path)
    assert np.allclose(margins(tmp_path / "a.nc"), margins(tmp_path / "b.nc"), rtol=1e-12)


def test_what_else_the_file_holds(tmp_path):
    """Such as a variable over a dimension that has no entries yet."""
    data(tmp_path / "in.nc")
    with netCDF4.Dataset(tmp_path / "in.nc", "a") as f:
        f.createDimension("time", None)
        f.createVariable("log", "f8", ("sample", "time", "element"))
    sweep(tmp_path)
    pl_run.run(["run", "s.yaml", "-q", "-o", "out.nc"], cwd=tmp_path)


# ---- elements ----

@pytest.mark.parametrize("strings", [False, True])
def test_elements_in_another_order(strings, tmp_path):
    order = [3, 0, 5, 1, 4, 2]
    data(tmp_path / "in.nc", X[:, order], [S3[k] for k in order], strings)
    data(tmp_path / "plain.nc", labels=S3)
    sweep(tmp_path)
    pl_run.run(["run", "s.yaml", "-q", "-o", "a.nc"], cwd=tmp_path)
    pl_run.run(["run", "s.yaml", "-q", "-s", "data.path=plain.nc", "-o", "b.nc"], cwd=tmp_path)
    assert np.array_equal(margins(tmp_path / "a.nc"), margins(tmp_path / "b.nc"))


def test_filters_in_another_order(tmp_path):
    order = [5, 4, 3, 2, 1, 0]
    w = 0.2 * RNG.standard_normal((3, N))
    for name, at in (("a", order), ("b", range(N))):
        with netCDF4.Dataset(tmp_path / f"{name}_in.nc", "w") as f:
            f.createDimension("layer", 3)
            f.createDimension("element", N)
            variable(f, "w", ("layer", "element"), w[:, list(at)])
            label(f, [S3[k] for k in at])
        (tmp_path / "s.yaml").write_text(
            f"group: S_3\nsteps: 10\nmodel.init: {{kind: file, path: {name}_in.nc}}\n")
        pl_run.run(["run", "s.yaml", "-q", "-o", f"{name}.nc"], cwd=tmp_path)
    assert np.array_equal(margins(tmp_path / "a.nc"), margins(tmp_path / "b.nc"))


def test_elements_of_another_group(tmp_path):
    labels = [*S3[:5], "4 4 4"]
    data(tmp_path / "in.nc", labels=labels)
    sweep(tmp_path)
    refused(tmp_path, "in.nc", "4 4 4")


def test_attribute_group(tmp_path):
    data(tmp_path / "in.nc", group="C_6")
    sweep(tmp_path)
    refused(tmp_path, "data.path: in.nc", "C_6", "S_3")
    data(tmp_path / "in.nc", group="S_3")
    pl_run.run(["run", "s.yaml", "-q", "--dry-run"], cwd=tmp_path)


def test_names_of_dimensions(tmp_path):
    data(tmp_path / "in.nc", dims=("sample", "g"))
    sweep(tmp_path)
    refused(tmp_path, "x(sample = 4, g = 6)", "element = 6, the order of S_3")


def test_fourier_reads_alike(tmp_path):
    f = np.arange(1.0, 7.0)
    order = [2, 0, 1, 5, 4, 3]
    for name, values, labels, more in (("plain", f, S3, {}), ("order", f[order],
                                       [S3[k] for k in order], {}),
                                       ("packed", 2 * f, None, {"scale_factor": 0.5})):
        with netCDF4.Dataset(tmp_path / f"{name}.nc", "w") as nc:
            nc.createDimension("element", N)
            nc.group = "S_3"
            variable(nc, "f", ("element",), values, **more)
            label(nc, labels, strings=name == "order")
    told = [pl_run.run(["fourier", f"{n}.nc"], cwd=tmp_path).stdout for n in ("plain", "order", "packed")]
    assert "total energy: 91\n" in told[0] and told[1] == told[0] and told[2] == told[0]


# ---- files that change ----

def fresh(tmp_path):
    data(tmp_path / "in.nc")
    sweep(tmp_path, "seed: [0, 1, 2]\n")
    pl_run.run(["run", "s.yaml", "-q", "-o", "out.nc"], cwd=tmp_path)


def test_changed_data_is_not_gone_on_with(tmp_path):
    fresh(tmp_path)
    before = (tmp_path / "out.nc").read_bytes()
    pl_run.run(["run", "s.yaml", "-q", "-o", "out.nc", "--resume"], cwd=tmp_path)
    data(tmp_path / "in.nc", X + 1)
    refused(tmp_path, "out.nc", "data.path: in.nc has changed", "SHA-256", args=("-o", "out.nc", "--resume"))
    assert (tmp_path / "out.nc").read_bytes() == before


def test_changed_group_is_not_gone_on_with(tmp_path):
    (tmp_path / "gens").write_text("(1,2,3)\n(1,2)\n")
    (tmp_path / "s.yaml").write_text("group: C_2 x perm:gens\nsteps: 5\n")
    pl_run.run(["run", "s.yaml", "-q", "-o", "out.nc"], cwd=tmp_path)
    (tmp_path / "gens").write_text("(1,2)\n(1,2,3)\n")
    refused(tmp_path, "group: gens has changed", args=("-o", "out.nc", "--resume"))


def test_changed_filters_are_not_gone_on_with(tmp_path):
    (tmp_path / "a.yaml").write_text("group: S_3\nsteps: 5\nrecord.final: true\n")
    pl_run.run(["run", "a.yaml", "-q"], cwd=tmp_path)
    final = tmp_path / "a.nc.final" / "run-000000.nc"
    (tmp_path / "s.yaml").write_text(
        "group: S_3\nsteps: 5\nmodel.init: {kind: file, path: a.nc.final/run-000000.nc}\n")
    pl_run.run(["run", "s.yaml", "-q", "-o", "out.nc"], cwd=tmp_path)
    with netCDF4.Dataset(final, "a") as f:
        f["w"][0, 0] += 1
    refused(tmp_path, "model.init.path: a.nc.final/run-000000.nc has changed",
            args=("-o", "out.nc", "--resume"))


def test_shards_of_other_data_do_not_merge(tmp_path):
    data(tmp_path / "in.nc")
    sweep(tmp_path, "seed: [0, 1, 2]\n")
    for i in range(2):
        pl_run.run(["run", "s.yaml", "-q", "--shard", f"{i}/2", "-o", f"{i}.nc"], cwd=tmp_path)
        if i == 0:
            data(tmp_path / "in.nc", X + 1)
    done = pl_run.run("merge 0.nc 1.nc -o whole.nc", cwd=tmp_path, code=BAD_INPUT)
    assert "0.nc" in done.stderr and "in.nc has changed" in done.stderr
    assert not (tmp_path / "whole.nc").exists()


# ---- where paths lead ----

def test_paths_lead_from_the_sweep_file(tmp_path):
    """Its own from its folder, those of --set from here; stored sweeps from anywhere."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "else").mkdir()
    data(tmp_path / "sub" / "in.nc")
    data(tmp_path / "here.nc", X + 1)
    sweep(tmp_path / "sub", "seed: [0, 1]\n")
    for args, cwd in ((["sub/s.yaml"], tmp_path), (["s.yaml"], tmp_path / "sub"),
                      ([tmp_path / "sub" / "s.yaml"], tmp_path / "else")):
        pl_run.run(["run", *args, "-q", "--resume", "-o", tmp_path / "out.nc"], cwd=cwd)
    pl_run.run(["run", "sub/s.yaml", "-q", "-s", "data.path=here.nc", "-o", "set.nc"], cwd=tmp_path)
    assert not np.array_equal(margins(tmp_path / "out.nc"), margins(tmp_path / "set.nc"))
    for i in range(2):
        pl_run.run(["run", "sub/s.yaml", "-q", "--shard", f"{i}/2", "-o", f"{i}.nc"], cwd=tmp_path)
    pl_run.run(["merge", "../0.nc", "../1.nc", "-o", "whole.nc"], cwd=tmp_path / "else")
    os.remove(tmp_path / "sub" / "in.nc")
    done = pl_run.run("run sub/s.yaml -q --dry-run", cwd=tmp_path, code=BAD_INPUT)
    assert "sub/in.nc: cannot open" in done.stderr


def test_paths_of_a_group_lead_from_the_sweep_file(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "gens").write_text("(1,2,3)\n(1,2)\n")
    (tmp_path / "sub" / "s.yaml").write_text("group: ['perm:gens', 'C_2 x perm:gens']\nsteps: 5\n")
    pl_run.run("run sub/s.yaml -q", cwd=tmp_path)
    shutil.move(tmp_path / "sub" / "gens", tmp_path / "gens")
    done = pl_run.run("run sub/s.yaml -q --dry-run", cwd=tmp_path, code=BAD_INPUT)
    assert "sub/gens" in done.stderr


def test_standard_input_leads_from_here(tmp_path):
    data(tmp_path / "in.nc")
    text = "group: S_3\nsteps: 5\ndata: {kind: file, path: in.nc}\n"
    pl_run.run("run - -q --dry-run", cwd=tmp_path, stdin=text)


def test_line_breaks_in_set(tmp_path):
    """Stored so that the sweep can be read again."""
    (tmp_path / "s.yaml").write_text("group: S_3\nsteps: 5\n")
    args = ["run", "s.yaml", "-q", "-o", "out.nc", "-s", "title=|\n  two\n  lines\n", "-s",
            "seed=[0,\n  1]"]
    pl_run.run(args, cwd=tmp_path)
    pl_run.run([*args, "--resume"], cwd=tmp_path)
    assert pl_run.run("status out.nc", cwd=tmp_path).stdout.count("done")
    pl_run.run("merge out.nc -o whole.nc", cwd=tmp_path)
