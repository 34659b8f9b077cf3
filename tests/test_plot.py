"""analysis/plot.py: what stands in pictures, read back from vector files and from matplotlib."""

import os
import re
import subprocess
import sys
from pathlib import Path

import matplotlib
import netCDF4
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import colours

ANALYSIS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "analysis")
sys.path.insert(0, ANALYSIS)

import choose  # noqa: E402
import draw  # noqa: E402
import plancherel_io as pio  # noqa: E402
import plot  # noqa: E402
import symbols  # noqa: E402
from made_sweep import DIVERGED, FILL, RECORDS, put, write_sweep  # noqa: E402


@pytest.fixture(scope="module", name="sweep")
def fixture_sweep(tmp_path_factory):
    """Depths 2, 3, 5 on seeds 0..3: run 5 (depth 3) diverged."""
    return write_sweep(tmp_path_factory.mktemp("sweep") / "out.nc", states={5: DIVERGED})


@pytest.fixture(name="figures")
def fixture_figures(monkeypatch):
    """The figures that would be saved, in the order in which they are."""
    made = []
    def keep(figure, path):
        made.append(figure)
        Path(path).touch()

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep)
    return made


def texts_of(figure):
    """All words of a figure."""
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def drawn(figures, sweep, tmp_path, *args):
    """The figure that plot.py makes of these options."""
    plot.main([str(sweep), "-o", str(tmp_path / "f.png"), *map(str, args)])
    return figures[-1]


def shares(a, b):
    return a.get_shared_y_axes().joined(a, b)


def test_values_at_different_depths_share_no_axis(sweep, tmp_path, figures):
    """S_p at p = 2 / depth: a panel a depth, each with its own axis; a loss: lines on one axis."""
    figure = drawn(figures, sweep, tmp_path)
    assert [ax.get_title() for ax in figure.axes] == ["depth 2", "depth 3", "depth 5"]
    assert not any(shares(figure.axes[0], ax) for ax in figure.axes[1:])
    figure = drawn(figures, sweep, tmp_path, "--share-y")
    assert all(shares(figure.axes[0], ax) for ax in figure.axes)
    figure = drawn(figures, sweep, tmp_path, "--y", "loss")
    assert len(figure.axes) == 1 and len(figure.axes[0].lines) == 3
    figure = drawn(figures, sweep, tmp_path, "--hue", "model_depth")
    assert len(figure.axes) == 1 and len(figure.axes[0].lines) == 3
    with pio.open_output(sweep) as ds:
        assert not choose.depends_on_depth(ds.loss) and choose.depends_on_depth(ds.schatten)


def test_two_keys_share_an_axis_where_they_can(tmp_path, figures):
    path = write_sweep(tmp_path / "two.nc", depths=(2, 3), groups=("S_4", "C_6"), seeds=(0, 1))
    figure = drawn(figures, path, tmp_path, "--y", "loss")
    assert len(figure.axes) == 2 and shares(*figure.axes)
    figure = drawn(figures, path, tmp_path, "--y", "loss", "--share-y", "no")
    assert not shares(*figure.axes)


def test_the_footnote_counts(sweep, tmp_path, figures):
    figure = drawn(figures, sweep, tmp_path, "--y", "loss")
    note = " ".join(next(t for t in texts_of(figure) if "medians" in t).split())
    assert "lines: medians over 3 to 4 seeds, bands: their 16th to 84th percentile" in note
    assert "left out: 1 diverged, of 12 runs" in note
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["2", "3 (3 of 4)", "5"]


def test_what_does_not_classify_is_left_out_and_said(tmp_path, figures):
    path = write_sweep(tmp_path / "s.nc")
    with netCDF4.Dataset(path, "a") as nc:
        flag = nc.createVariable("separated", "i1", ["run"], fill_value=-1)
        flag[:] = [1] * 8 + [0] * 4  # all of depth 5, and none else
    figure = drawn(figures, path, tmp_path, "--y", "loss")
    words = " ".join(" ".join(texts_of(figure)).split())
    assert "left out: 4 not classifying, of 12 runs; none left of (depth 5)" in words
    assert len(figure.axes[0].lines) == 2
    assert len(drawn(figures, path, tmp_path, "--y", "loss", "--all").axes[0].lines) == 3


def test_lines_per_irrep_are_medians_over_seeds(sweep, tmp_path, figures):
    figure = drawn(figures, sweep, tmp_path, "--y", "irrep_schatten")
    assert len(figure.axes) == 3 and not shares(*figure.axes[:2])
    with pio.open_output(sweep) as ds:  # run 1 ends before the others, run 5 diverged
        for ax, runs in zip(figure.axes, [[0, 2, 3], [4, 6, 7], range(8, 12)]):
            lines = ax.get_lines()
            assert len(lines) == 5
            ends = ds.irrep_schatten.values[runs, pio.last_records(ds)[runs]]
            for k, line in enumerate(lines):
                assert line.get_ydata()[-1] == pytest.approx(np.median(ends[:, k]))
    assert [t.get_text() for t in figure.legends[0].get_texts()] == [
        "4", "3,1", "2,2", "2,1,1", "1,1,1,1"]


def test_gap_honours_hue_and_panels(tmp_path, figures):
    path = write_sweep(tmp_path / "g.nc", depths=(2, 3), groups=("S_4", "C_6"), seeds=(0, 1, 2))
    figure = drawn(figures, path, tmp_path, "--kind", "gap")
    assert len(figure.axes) == 4  # two groups, two measures; lines: depths
    assert [len(ax.lines) for ax in figure.axes] == [2, 2, 2, 2]
    figure = drawn(figures, path, tmp_path, "--kind", "gap", "--hue", "group")
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == ["depth 2", "depth 2", "depth 3", "depth 3"]
    end = figure.axes[2].lines[1].get_ydata()[-1]
    assert end == pytest.approx(0.01 * 3 + 0.001)  # of S_4, its median seed


def test_size_limits_and_labels(sweep, tmp_path, figures):
    for more in [["--y", "loss"], ["--y", "irrep_schatten"], ["--kind", "irreps"]]:
        size = drawn(figures, sweep, tmp_path, "--width", 3.3, "--height", 5, *more).get_size_inches()
        assert list(size) == [3.3, 5]
        assert drawn(figures, sweep, tmp_path, "--width", 3.3, *more).get_figwidth() == 3.3
    figure = drawn(figures, sweep, tmp_path, "--ylim", "2", "9")
    assert figure.axes[0].get_ylim() == (2, 9)
    assert drawn(figures, sweep, tmp_path, "--xscale", "linear").axes[0].get_xscale() == "linear"
    assert plot.limits(["2,9"]) == (2, 9) and plot.limits(["0,"]) == (0, None)
    figure = drawn(figures, sweep, tmp_path, "--y", "loss", "--labels", "2=two", "model.depth=layers",
                   "y=$L$", "x=time")
    legend = figure.axes[0].get_legend()
    assert [t.get_text() for t in legend.get_texts()] == ["two", "3 (3 of 4)", "5"]
    assert legend.get_title().get_text() == "layers"
    assert (figure.axes[0].get_ylabel(), figure.axes[0].get_xlabel()) == ("$L$", "time")
    figure = drawn(figures, sweep, tmp_path, "--y", "loss", "--labels", "a,b,c")
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["a", "b", "c"]


def test_nothing_is_cut_off(sweep, tmp_path, figures):
    """Every word of a figure stands inside it, and axes do not run into legend or footnote."""
    for args in [["--y", "irrep_schatten", "--width", 6.5], ["--kind", "gap"],
                 ["--y", "irrep_schatten"], ["--y", "loss", "--width", 2.5, "--height", 2]]:
        figure = drawn(figures, sweep, tmp_path, *args)
        FigureCanvasAgg(figure).draw()  # saved with other dots an inch
        width, height = figure.bbox.size
        words = [*figure.texts, *figure.legends, *(ax.title for ax in figure.axes)]
        boxes = [w.get_window_extent() for w in words] + [ax.get_tightbbox() for ax in figure.axes]
        for box in boxes:
            assert box.x0 > -2 and box.y0 > -2 and box.x1 < width + 2 and box.y1 < height + 2, args
        around = [legend.get_window_extent() for legend in figure.legends]
        for ax in figure.axes:
            assert not any(ax.get_tightbbox().overlaps(box) for box in around), args


@pytest.mark.parametrize("text, typeset", [
    ("Schatten value S_p of normalised beta, p = 2/depth",
     r"Schatten value $S_{p}$ of normalised $\beta$, $p$ = 2/depth"),
    ("above d eps sigma_1", r"above d eps $\sigma_{1}$"),
    ("m d sum sigma^p", r"m d sum $\sigma^{p}$"),
    ("l_2 of ||beta||^2 on SL_2(3)", r"$\ell_{2}$ of $\Vert$$\beta$$\Vert^2$ on $\mathrm{SL}_{2}$(3)"),
    ("Depth on S_52, 5$ a run", r"Depth on $S_{52}$, 5\$ a run"),
    ("beta_norm of beta1", "beta_norm of beta1"),
])
def test_symbols_are_typeset(text, typeset):
    assert symbols.tex(text) == typeset
    matplotlib.mathtext.MathTextParser("path").parse(typeset)  # it is mathematics that can be set


def test_hues_can_be_told_apart():
    """Two lines of one kind of dashes are 20 apart in L*a*b*, 12 for eyes without one kind of cones; and
    from white."""
    for values in [*(list(range(n)) for n in range(1, 29)), *(list("abcdefghijk")[:n] for n in (2, 8))]:
        look = draw.lines(values)
        assert len({(str(c), str(d)) for c, d in look}) == len(values)
        for i, (colour, dashes) in enumerate(look):
            assert colours.apart(colour, "white") > 20
            for other, its in look[:i]:
                if str(dashes) == str(its):
                    assert colours.apart(colour, other) > 20
                    assert min(colours.apart(colour, other, eye) for eye in colours.EYES) > 12


@pytest.mark.parametrize("ending, head, args", [
    ("pdf", b"%PDF", ["--kind", "irreps"]), ("svg", b"<?xml", ["--kind", "gap"]),
    ("eps", b"%!PS", ["--y", "loss"])])
def test_vector_files_hold_no_pixels(sweep, tmp_path, capfd, ending, head, args):
    out = tmp_path / f"f.{ending}"
    plot.main([str(sweep), "-o", str(out), *args])
    text = out.read_bytes()
    assert text.startswith(head) and capfd.readouterr().err == ""
    assert re.findall(rb"/Subtype /Image|<image", text) == []


def test_a_matplotlibrc_is_respected(sweep, tmp_path):
    """Its settings stand, and the style in all that it does not name."""
    (tmp_path / "matplotlibrc").write_text(
        "axes.grid: False\nlines.linewidth: 0.3\nfigure.figsize: 4, 3\nfont.size: 7\n"
        "axes.prop_cycle: cycler('color', ['ff0000', '00ff00'])\n")
    code = ("import sys; sys.path.insert(0, sys.argv[1])\nimport draw, matplotlib as m\n"
            "with draw.style():\n"
            " print(m.rcParams['axes.grid'], m.rcParams['lines.linewidth'], m.rcParams['font.size'],"
            " m.rcParams['axes.spines.top'], draw.lines(['a', 'b', 'c']), draw.wanted_size(None))")
    done = subprocess.run([sys.executable, "-c", code, ANALYSIS], cwd=tmp_path, text=True,
                          capture_output=True, check=True)
    assert done.stdout.strip() == ("False 0.3 7.0 False [('#ff0000', '-'), ('#00ff00', '-'), "
                                   "('#ff0000', (0, (5, 1.5)))] (4.0, 3.0)")


def test_backends_of_notebooks_do_not_matter(sweep, tmp_path):
    """Nor does the size of the picture get lost on the way into the file."""
    for backend in ["module://matplotlib_inline.backend_inline", "nonsense"]:
        command = [sys.executable, os.path.join(ANALYSIS, "plot.py"), sweep, "-o", tmp_path / "f.png",
                   "--width", "3.3", "--height", "3", "--y", "loss"]
        done = subprocess.run(command, env=os.environ | {"MPLBACKEND": backend}, text=True,
                              capture_output=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert matplotlib.image.imread(tmp_path / "f.png").shape[:2] == (600, 660)


def test_a_python_without_modules_is_one_line():
    """As pyenv's: without the packages of the system."""
    scripts = [p for p in Path(ANALYSIS).glob("*.py") if "__main__" in p.read_text()]
    assert len(scripts) >= 8
    for path in scripts:
        done = subprocess.run([sys.executable, "-S", path, "x"], text=True, capture_output=True)
        assert done.returncode == 3 and len(done.stderr.splitlines()) == 1, done.stderr
        assert done.stderr.startswith(f"{path.name}: {sys.executable} has no numpy")
        assert "apt install python3-numpy" in done.stderr


def test_a_missing_matplotlib_is_one_line(sweep, tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('as if it were not there')\n")
    for script, code in [("plot.py", 3), ("summary.py", 0)]:
        args = ["-o", tmp_path / "f.png"] * (script == "plot.py")
        done = subprocess.run([sys.executable, os.path.join(ANALYSIS, script), sweep, *args], text=True,
                              capture_output=True, env=os.environ | {"PYTHONPATH": str(tmp_path)})
        assert done.returncode == code, done.stderr
        assert code == 0 or done.stderr.splitlines() == [
            f"plot.py: {sys.executable} has no matplotlib: try /usr/bin/python3, or apt install "
            "python3-matplotlib, or pip install matplotlib"]


def test_several_files_make_one_picture(tmp_path, figures):
    paths = [write_sweep(tmp_path / f"{d}.nc", depths=(d,)) for d in (2, 3)]
    plot.main([*paths, "-o", str(tmp_path / "f.png"), "--y", "loss"])
    assert len(figures[-1].axes[0].lines) == 2
    with pytest.raises(pio.InputError, match="takes one file"):
        plot.main([*paths, "-o", str(tmp_path / "f.png"), "--kind", "tours"])


@pytest.mark.parametrize("args, word", [
    (["--ylim", "1"], "two numbers"), (["--ylim", "a", "b"], "two numbers"),
    (["--ylim", "3", "2"], "smaller"), (["--width", "0"], "inches"), (["-o", "f.txt"], "f.txt"),
    (["--kind", "final", "--x", "group"], "values are numbers")])
def test_wrong_options_are_one_line(sweep, tmp_path, capsys, args, word, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((SystemExit, pio.InputError)) as caught:
        plot.main([sweep, "-o", "f.png", *args])
    assert word in str(caught.value) + capsys.readouterr().err


def test_a_variable_that_some_runs_lack(tmp_path, figures):
    """No line where there is nothing, and one message where there is nothing at all."""
    path = tmp_path / "s.nc"
    write_sweep(path, depths=(2, 3))
    missing = netCDF4.default_fillvals["f8"]
    with netCDF4.Dataset(path, "a") as nc:
        time = nc.createVariable("flow_time", "f8", ("run", "record"), fill_value=missing)
        time[:] = nc["step"][:].astype(float)
        for name in ("flow_time", "singular_values"):
            nc[name][nc["model_depth"][:] == 3] = missing
    by_time = [str(path), "-o", str(tmp_path / "f.png"), "--hue", "model_depth", "--x", "flow_time",
               "--y", "loss"]
    plot.main(by_time)
    assert len(figures[-1].axes[0].lines) == 1
    plot.main([str(path), "-o", str(tmp_path / "f.png"), "--kind", "spectrum"])
    assert len(figures[-1].axes[0].lines) == 1
    with netCDF4.Dataset(path, "a") as nc:
        nc["flow_time"][:] = missing
    with pytest.raises(pio.InputError, match="nothing to draw"):
        plot.main(by_time)


def with_weights(path, widths, hidden):
    """A sweep over widths, whose seeds of a width share `hidden` matrices of its size and a bias each:
    the singular values of a matrix are width, .., 1."""
    write_sweep(path, depths=widths, seeds=(0, 1), irreps=False, spectrum=False)
    names, owner, runs = [], [], []
    for width in widths:
        for layer in range(hidden):
            for kind, size in (("weight", width), ("bias", 1)):
                owner += [len(names)] * size
                runs += [width] * size
                names.append(f"layer{layer}_{kind}")
    with netCDF4.Dataset(path, "a") as nc:
        nc.renameVariable("model_depth", "model_width")
        for name, size in (("weight", len(names)), ("weight_sv", len(owner))):
            nc.createDimension(name, size)
        put(nc, "weight_name", names, ["weight"], "name of the weight")
        put(nc, "weight_sv_weight", np.array(owner, "i4"), ["weight_sv"], "weight of the singular value")
        nc["weight_sv_weight"].instance_dimension = "weight"
        place = np.arange(len(owner)) - np.searchsorted(owner, owner)
        mine = nc["model_width"][:][:, None] == np.array(runs)
        values = np.where(mine, np.array(runs) - place, FILL)[:, None].repeat(RECORDS, axis=1)
        put(nc, "weight_singular_values", values, ["run", "record", "weight_sv"],
            "singular values of each weight", fill=FILL)
    return path


def test_spectra_of_weights_have_a_panel_each(tmp_path, figures):
    """Weights of the same name in networks of several widths: lines of one panel, largest first."""
    path = with_weights(tmp_path / "w.nc", (3, 5), 2)
    figure = drawn(figures, path, tmp_path, "--kind", "spectrum")
    assert [ax.get_title() for ax in figure.axes] == ["layer0_weight", "layer1_weight"]
    assert shares(*figure.axes)
    for ax in figure.axes:
        assert [line.get_ydata().tolist() for line in ax.lines] == [[3, 2, 1], [5, 4, 3, 2, 1]]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["3", "5"]
    assert "without vectors" in " ".join(texts_of(figure))
    figure = drawn(figures, path, tmp_path, "--kind", "spectrum", "--weights", "layer1*")
    assert [ax.get_title() for ax in figure.axes] == ["layer1_weight", "layer1_bias"]
    figure = drawn(figures, path, tmp_path, "--kind", "spectrum", "--run", 0)
    assert [len(ax.lines) for ax in figure.axes] == [1, 1]
    with netCDF4.Dataset(path, "a") as nc:
        nc["weight_singular_values"][0] = FILL
    with pytest.raises(pio.InputError, match="nothing to draw"):
        drawn(figures, path, tmp_path, "--kind", "spectrum", "--run", 0)
    for args, word in ((["--weights", "x*"], "there are layer0_weight, layer0_bias"),
                       (["--y", "loss"], "takes one of: weight_singular_values")):
        with pytest.raises(pio.InputError, match=word):
            drawn(figures, path, tmp_path, "--kind", "spectrum", *args)


def test_spectra_of_many_weights_are_the_first(tmp_path, figures):
    path = with_weights(tmp_path / "w.nc", (2, 3), 14)
    figure = drawn(figures, path, tmp_path, "--kind", "spectrum")
    assert len(figure.axes) == choose.MAX_PANELS
    assert "the first 12 of 14 weights" in " ".join(" ".join(texts_of(figure)).split())
    figure = drawn(figures, path, tmp_path, "--kind", "spectrum", "--hue", "seed")
    assert [ax.get_title() for ax in figure.axes][:2] == ["layer0_weight, width 2", "layer0_weight, width 3"]
    assert len(figure.axes) == choose.MAX_PANELS
