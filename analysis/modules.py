"""The packages that a script needs: one clear line, no traceback, where a Python lacks them."""

import importlib
import os
import sys

DEBIAN = {"numpy": "python3-numpy", "xarray": "python3-xarray", "netCDF4": "python3-netcdf4",
          "matplotlib": "python3-matplotlib", "networkx": "python3-networkx",
          "scipy": "python3-scipy", "sklearn": "python3-sklearn"}
PYPI = {"sklearn": "scikit-learn"}  # where it is not the module's name


def need(*names):
    """Import the packages, or end with exit code 3 and say which are missing, of which Python, and how
    to have them."""
    # A notebook leaves its own backend to the shells that it starts; a script draws into files.
    os.environ["MPLBACKEND"] = "Agg"
    missing = []
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError:
            missing.append(name)
    if not missing:
        return
    debian = " ".join(DEBIAN[name] for name in missing)
    print(f"{os.path.basename(sys.argv[0])}: {sys.executable} has no {', '.join(missing)}: "
          f"try /usr/bin/python3, or apt install {debian}, or pip install "
          + " ".join(PYPI.get(name, name) for name in missing),
          file=sys.stderr)
    sys.exit(3)
