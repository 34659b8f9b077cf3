"""The pages know every command, key and variable, and their examples run."""

import ast
import re

import netCDF4
import pytest

import pl_run
import tables

README = (pl_run.ROOT / "README.md").read_text()
FAMILIES = {p.parent.name if p.stem == "README" else p.stem: p.read_text()
            for p in tables.PAGES if p.parent != pl_run.ROOT}
PAGES = [*tables.PAGES, *pl_run.ROOT.glob("*.md"), pl_run.ROOT / "src/group/README.md"]


def named(text, name):
    """Is it there as code: `name`, `name(sample)`, `name 1`?"""
    return re.search(rf"`{re.escape(name)}[`( ]", text) is not None


def page_of(network):
    """The one page that has all tables of the network."""
    pages = [text for text in FAMILIES.values() if network in tables.asked(text, "networks")]
    assert len(pages) == 1, network
    for what in ["keys", "data", "data keys", "variables"]:
        assert network in tables.asked(pages[0], what), (network, what)
    return pages[0]


def test_tables_are_up_to_date():
    """Or else: python3 tests/tables.py --write"""
    for page in tables.PAGES:
        assert tables.updated(page.read_text()) == page.read_text(), page


def test_keys_and_variables():
    for network in tables.networks():
        text = README + page_of(network)
        rows = [row for _, rows in tables.sections(network).values() for row in rows]
        keys = {row[0] for row in rows}
        assert len(keys) > 20
        assert [k for k in keys if not named(text, k)] == []
        assert [row[0] for row in tables.variables(network) if not named(text, row[0])] == []
    for network in tables.networks():  # the gallery
        assert named(README, network)


def test_tables_of_columns_are_read_whole():
    """A cell over several lines, an empty one, and a word that sticks out of its column."""
    head = "key   accepts  default  meaning"
    assert tables.cells([head, "a.b   one of   -        first", "      c, d              second",
                         "e     text     1        third"]) == [
        ("a.b", "one of c, d", "-", "first second"), ("e", "text", "1", "third")]
    assert tables.defaults("4; 7 for data.kind a, b") == "`4`; `7` for data.kind a, b"
    assert tables.plain("|G| <= 2 * n") == "\\|G\\| &lt;= 2 \\* n"


def test_commands():
    commands = re.findall(r"^  (\w+) +", pl_run.run(["--help"]).stdout, re.M)
    assert "run" in commands and len(commands) >= 8
    assert [c for c in commands if f"`plancherel {c} " not in README] == []
    options = re.findall(r"--[a-z-]+", pl_run.run(["run", "--help"]).stdout)
    left = {"--help", "--usage", "--version", "--output"}
    assert [o for o in options if o not in README and o not in left] == []


def examples():
    for page in tables.PAGES:
        for i, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.S)):
            yield pytest.param(page.parent.name, text, id=f"{page.parent.name}-{i}")


@pytest.mark.parametrize("family, text", examples())
def test_examples_are_valid(family, text):
    assert "run 0:" in pl_run.run(["run", "-", "--dry-run"], stdin=text).stdout


@pytest.mark.parametrize("family", FAMILIES)
def test_variables_of_a_file(family, tmp_path):
    """Whatever the sweep at the head of a family's page writes, some page tells; all of it has words
    and units."""
    text = FAMILIES[family]
    sweep = re.search(r"```yaml\n(.*?)```", text, re.S)[1]
    short = "epochs=1" if "epochs:" in sweep else "steps=3"
    pl_run.run(["run", "-", "-q", "-o", tmp_path / "o.nc", "--set", short], stdin=sweep)
    keys = {row[0].replace(".", "_") for n in tables.networks()
            for _, rows in tables.sections(n).values() for row in rows}
    with netCDF4.Dataset(tmp_path / "o.nc") as data:
        names = [n for n, v in data.variables.items() if v.dimensions[:2] == ("run", "record")
                 or not {n, n.removesuffix("_kind")} & keys]
        assert {"status", "step", *data.headline.split()} <= set(names)
        assert family != "group" or "test_at_best" in names
        assert [n for n in names if not named(README + text, n)] == []
        assert all(v.long_name and v.units for v in data.variables.values())
        assert [n for n in ["headline", "default_y", "default_hue", "swept"]
                if n not in data.ncattrs() or not named(README, n)] == []


def test_group_file(tmp_path):
    """The page of groups and --help tell every variable of the file of matrices."""
    page = (pl_run.ROOT / "src/group/README.md").read_text()
    pl_run.run(["group", "SL_2(3)", "-o", tmp_path / "g.nc"])
    told = pl_run.run(["group", "--help"]).stdout
    with netCDF4.Dataset(tmp_path / "g.nc") as data:
        assert [n for n in data.variables if n not in told or f"`{n}" not in page] == []


def anchors(text):
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return {re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-") for h in heads}


@pytest.mark.parametrize("page", sorted(set(PAGES)), ids=lambda p: str(p.relative_to(pl_run.ROOT)))
def test_links_lead_somewhere(page):
    text = page.read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), target
        assert not anchor or anchor in anchors(goal.read_text()), target


def test_programs_in_python_are_whole():
    """Benchmarks are run by hand, and nobody else would notice."""
    for path in [*pl_run.ROOT.glob("tests/*.py"), *pl_run.ROOT.glob("analysis/*.py")]:
        ast.parse(path.read_text(), str(path))


def test_the_readme_is_short():
    assert len(README.splitlines()) < 300
    assert len((pl_run.ROOT / "CONTRIBUTING.md").read_text().splitlines()) < 80
