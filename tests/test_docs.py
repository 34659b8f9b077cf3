"""The README knows every command, every key of the sweep file and every variable of the output."""

import re

import netCDF4

import pl_run

README = (pl_run.ROOT / "README.md").read_text()


def test_keys():
    table = pl_run.run(["run", "--keys"]).stdout
    keys = re.findall(r"^([a-z][\w.]*) ", table, re.M)
    assert len(keys) > 40
    assert [k for k in keys if k != "key" and f"| `{k}` |" not in README] == []


def test_commands():
    commands = re.findall(r"^  (\w+) +", pl_run.run(["--help"]).stdout, re.M)
    assert "run" in commands and len(commands) >= 8
    assert [c for c in commands if f"`plancherel {c} " not in README] == []


def test_variables(tmp_path):
    sweep = tmp_path / "s.yaml"
    sweep.write_text("{group: S_3, model.depth: 2, steps: 3, record.kkt: true, record.beta: true,"
                     " record.spectrum: true, data.samples: 2}")
    pl_run.run(["run", sweep, "-q", "-o", tmp_path / "o.nc"])
    with netCDF4.Dataset(tmp_path / "o.nc") as data:
        names = [n for n, v in data.variables.items() if v.dimensions[:2] == ("run", "record")]
        names += [n for n in data.variables if n.startswith("irrep_")]
        assert [n for n in names if f"`{n}" not in README] == []
        assert all(v.long_name and v.units for v in data.variables.values())


def test_group_file(tmp_path):
    """The README and --help tell every variable of the file of matrices."""
    pl_run.run(["group", "SL_2(3)", "-o", tmp_path / "g.nc"])
    told = pl_run.run(["group", "--help"]).stdout
    with netCDF4.Dataset(tmp_path / "g.nc") as data:
        assert [n for n in data.variables if n not in told or f"`{n}" not in README] == []
