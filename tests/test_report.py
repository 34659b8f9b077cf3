"""analysis/report.py: the numbers of its page, and the page in a headless Chromium: sorting, opening runs,
keyboard, contrast, widths, no complaint of the console and nothing fetched."""

import html.parser
import itertools
import os
import re
import shutil
import sys

import netCDF4
import numpy as np
import pytest

import chrome
import colours

ANALYSIS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "analysis")
sys.path.insert(0, ANALYSIS)

import plancherel_io as pio  # noqa: E402
import report  # noqa: E402
import symbols  # noqa: E402
from made_sweep import DIVERGED, PENDING, STOPPED, write_sweep  # noqa: E402

SWEEP = "title: made up\nmodel.depth: [2, 3, 5]  # <of layers> & \"more\"\nseed: 0..3\n"
TITLE = "Depth & the <Fourier> solution on S_4"


@pytest.fixture(scope="module", name="sweep")
def fixture_sweep(tmp_path_factory):
    """Depths 2, 3, 5 on seeds 0..3: run 5 diverged, 6 does not separate, 9 stopped, 11 never started; run 0
    has not converged."""
    path = write_sweep(tmp_path_factory.mktemp("sweep") / "out.nc",
                       states={5: DIVERGED, 9: STOPPED, 11: PENDING})
    with netCDF4.Dataset(path, "a") as nc:
        for name, off in [("separated", 6), ("converged", 0)]:
            flag = nc.createVariable(name, "i1", ["run"], fill_value=-1)
            flag[:] = [r != off for r in range(12)]
        nc.title, nc.sweep, nc.source = TITLE, SWEEP, "plancherel 0.1.0, commit abc"
        nc.headline = "loss schatten normalized_margin"
    return path


@pytest.fixture(scope="module", name="page")
def fixture_page(sweep, tmp_path_factory):
    page = tmp_path_factory.mktemp("page") / "report.html"
    report.main([sweep, "-o", str(page)])
    return page


class Tables(html.parser.HTMLParser):
    """Tables of a page as [[(sorted by, text)]], and its references."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.references = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.references += [v for k, v in attributes.items() if k in ("href", "src", "action", "data")]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append([attributes.get("data-v"), ""])

    def handle_data(self, data):
        if self.tables and self.tables[-1] and self.tables[-1][-1]:
            self.tables[-1][-1][-1][1] += data


def columns(table):
    """{heading: values sorted by} of a table."""
    return {head[1]: [row[k][0] for row in table[1:]] for k, head in enumerate(table[0])}


def test_numbers_are_those_of_the_file(sweep, page):
    combinations, runs = Tables(page.read_text()).tables[:2]
    found = columns(combinations)
    assert found["depth"] == ["2.0", "3.0", "5.0"] and found["runs"] == ["4", "4", "4"]
    assert (found["diverged"], found["not separated"]) == (["0", "1", "0"], ["0", "1", "0"])
    assert (found["not converged"], found["unfinished"]) == (["1", "0", "0"], ["0", "0", "2"])
    with pio.open_output(sweep) as ds:
        ends = pio.last_values(ds, "schatten", pio.last_records(ds))
        sound = [[0, 1, 2, 3], [4, 7], [8, 9, 10]]
        assert [float(v) for v in found["schatten"]] == pytest.approx([np.median(ends[s]) for s in sound])
        listed = columns(runs)
        assert listed["run"] == [str(r) for r in range(12)]
        assert listed["state"] == pio.statuses(ds)
        assert [float(v) for v in listed["schatten"][:11]] == pytest.approx(ends[:11])
        assert listed["schatten"][11] == ""
    least, largest = ends[:4].min(), ends[:4].max()
    assert f"[{least:.4g}, {largest:.4g}]" in "".join(c[1] for c in combinations[1])
    assert listed["flags"] == ["not converged"] + [""] * 4 + ["diverged", "not separated", "", "",
                                                              "unfinished", "", "unfinished"]


def test_flags_are_counted_in_words(page):
    text = page.read_text()
    for words in ["7 of 12 runs without a flag", "1 diverged", "1 not separated", "1 not converged", "2 unfinished",
                  "left out: 1 diverged, 1 not classifying, 1 pending, of 12 runs"]:
        assert words in text, words


def test_the_sweep_file_is_there_letter_by_letter(page):
    inside = re.search(r'<pre id="sweep-0"[^>]*>(.*?)</pre>', page.read_text(), re.S)[1]
    assert html.unescape(inside) == SWEEP


def test_one_file_that_needs_no_other(page):
    text = page.read_text()
    found = Tables(text)
    assert all(r.startswith("#") for r in found.references)
    assert "default-src 'none'" in text and "@import" not in text and "url(" not in text
    assert "<Fourier>" not in text  # what a file says is text


def test_symbols_on_a_page():
    assert symbols.page("S_p of beta & l_2, p = 2/depth <x>") == (
        "<i>S</i><sub>p</sub> of <i>β</i> &amp; <i>ℓ</i><sub>2</sub>, <i>p</i> = 2/depth &lt;x&gt;")


def test_a_thousand_runs_stay_below_5_MB(tmp_path):
    path = write_sweep(tmp_path / "many.nc", depths=(2, 3, 4, 5), seeds=range(250), spectrum=False)
    report.main([path, "-o", str(tmp_path / "r.html")])
    assert os.path.getsize(tmp_path / "r.html") < 5e6
    assert len(Tables((tmp_path / "r.html").read_text()).tables[1]) == 1001


def test_several_files_and_sweeps_without_a_sound_run(sweep, tmp_path, capsys):
    other = write_sweep(tmp_path / "lost.nc", depths=(7,), seeds=(0,), states={0: DIVERGED})
    report.main([other, "-o", str(tmp_path / "r.html")])
    assert "no run to draw (left out: 1 diverged" in (tmp_path / "r.html").read_text()
    report.main([sweep, other, "-o", str(tmp_path / "r.html")])
    text = (tmp_path / "r.html").read_text()
    assert "2 diverged" in text and text.count('class="copy"') == 2
    with pytest.raises(pio.OutputError, match="nowhere"):
        report.main([sweep, "-o", str(tmp_path / "nowhere" / "r.html")])
    with pytest.raises(pio.InputError, match="no such file"):
        report.main([str(tmp_path / "absent.nc"), "-o", str(tmp_path / "r.html")])


# ---- in a browser ----

CONTRAST = """(() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement, style = getComputedStyle(e);
    if (!walk.currentNode.data.trim() || !e.getClientRects().length || ["SCRIPT", "NOSCRIPT"].includes(e.tagName)) continue;
    const ink = parse(e.closest("svg") ? style.fill : style.color), ground = behind(e);
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
    const svg = e.closest("svg"), scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    found.push([(a + 0.05) / (b + 0.05), parseFloat(style.fontSize) * scale, walk.currentNode.data.trim()]);
  }
  return found;
})()"""
LINES = """(() => [...document.querySelectorAll("svg .line")].map((p) => getComputedStyle(p).stroke))()"""


@pytest.fixture(name="wide")
def fixture_wide(page):
    if not shutil.which("chromium"):
        pytest.skip("chromium is not installed")
    with chrome.Page(page, width=1600) as found:
        yield found


def column_of(page, table, heading):
    """Texts of a column as the page shows it now."""
    return page.js(f"""(() => {{
      const table = document.querySelector("{table} table");
      const k = [...table.tHead.rows[0].cells].findIndex((th) => th.textContent.trim() === "{heading}");
      return [...table.tBodies[0].rows].filter((r) => !r.hidden).map((r) => r.cells[k].textContent);
    }})()""")


def test_a_page_in_light(wide):
    """Sorting, runs, filters, the keyboard."""
    click = """(() => { [...document.querySelectorAll("#table th button")].find((b) => b.textContent === "%s").click(); })()"""
    assert column_of(wide, "#table", "depth") == ["2", "3", "5"]
    wide.js(click % "depth")
    wide.js(click % "depth")
    assert column_of(wide, "#table", "depth") == ["5", "3", "2"]
    assert wide.js("document.querySelector('#table th').getAttribute('aria-sort')") == "descending"
    wide.js(click % "diverged")
    assert column_of(wide, "#table", "diverged") == ["0", "0", "1"]
    assert wide.js("document.querySelectorAll('#table th[aria-sort=none]').length > 3")

    # A heading of the table of runs, by the keyboard; what is missing stays last.
    wide.js("[...document.querySelectorAll('#runs th button')].find((b) => b.textContent === 'schatten').focus()")
    for _ in range(2):
        wide.press("Enter", 13, "\r")
    shown = column_of(wide, "#runs", "schatten")
    assert shown[-1] == "" and [float(v) for v in shown[:-1]] == sorted(map(float, shown[:-1]), reverse=True)

    # A run, opened by the keyboard, shows its own curves; and is closed again.
    wide.js("document.querySelector('button.run[data-run=\"3\"]').focus()")
    wide.press(" ", 32, " ")
    assert wide.js("document.querySelector('button.run[data-run=\"3\"]').getAttribute('aria-expanded')") == "true"
    assert wide.js("document.querySelectorAll('#run-3 svg .line').length") == 3
    assert wide.js("document.getElementById('run-3').previousElementSibling.querySelector('button').dataset.run") == "3"
    wide.press(" ", 32, " ")
    assert wide.js("document.getElementById('run-3')") is None
    wide.js("document.querySelector('button.run[data-run=\"11\"]').click()")
    assert "no record" in wide.js("document.getElementById('run-11').textContent")

    # The runs of a combination, those with a flag, all.
    wide.js("[...document.querySelectorAll('button.pick')].find((b) => b.dataset.combination === '1').click()")
    assert set(column_of(wide, "#runs", "depth")) == {"3"}
    assert wide.js("document.activeElement.className") == "run"
    wide.js("document.getElementById('all-runs').click()")
    choose = "(() => { const s = document.getElementById('show'); s.value = '%s'; s.dispatchEvent(new Event('change')); })()"
    for value, runs in [("diverged", ["5"]), ("flagged", ["0", "5", "6", "9", "11"]), ("not-separated", ["6"])]:
        wide.js(choose % value)
        assert sorted(column_of(wide, "#runs", "run"), key=int) == runs
    assert wide.js("document.getElementById('count').textContent") == "1 run"

    # Pictures: medians at their ends, where the last step is.
    assert wide.js("document.querySelectorAll('figure.panel svg .line').length") > 8
    assert wide.js("[...document.querySelectorAll('svg path')].every((p) => !/NaN|Infinity/.test(p.getAttribute('d')))")
    check_looks(wide, 1600)


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_a_page_in_dark_on_a_telephone(page):
    with chrome.Page(page, width=400, height=800, dark=True) as narrow:
        assert narrow.js("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
        narrow.js("document.querySelector('button.run').click()")
        check_looks(narrow, 400)


def check_looks(page, width):
    """Contrast as WCAG asks for text (4.5), letters of 10 pixels, nothing wider than the
    screen, a quiet console, nothing fetched."""
    page.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    words = page.js(CONTRAST)
    assert len(words) > 200
    assert [w for w in words if w[0] < 4.5] == []
    assert [w for w in words if w[1] < 10] == []
    assert len(set(page.js(LINES)) - {"none"}) > 3
    assert page.js("document.documentElement.scrollWidth") <= width
    assert page.js("[...document.querySelectorAll('button, select, summary, .wide')].every((e) => e.tabIndex === 0)")
    assert page.errors == [] and len(page.requests) == 1


def test_colours_of_lines():
    """In light and dark: apart for eyes of several kinds, and from the page (WCAG asks for 3)."""
    style = (report.FOLDER / "style.css").read_text()
    for mode in re.findall(r"--back: (#\w+).*?--panel: (#\w+)(.*?)}", style, re.S):
        lines = re.findall(r"--c\d: (#\w+)", mode[2])
        assert len(lines) == 7
        for a, b in itertools.combinations(lines, 2):
            assert min(colours.apart(a, b, eye) for eye in colours.EYES) > 12 and colours.apart(a, b) > 20
        assert min(colours.contrast(a, ground) for a in lines for ground in mode[:2]) > 3


def test_a_page_replaces_no_input(tmp_path):
    path = tmp_path / "s.nc"
    write_sweep(path)
    before = path.read_bytes()
    with pytest.raises(pio.InputError, match="would replace an input"):
        report.main([str(path), "-o", str(path)])
    assert path.read_bytes() == before
