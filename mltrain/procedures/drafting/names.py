"""What a config and an experiment are called, by the name of the data."""

from __future__ import annotations

import re
from pathlib import Path

_ENDINGS = (".gz", ".csv", ".tsv", ".parquet", ".jsonl", ".npz", ".txt", ".data", ".dat", ".tab")


def config_name(data: Path) -> str:
    """Return the name of the config for a data file: `sales.yaml` for `sales.csv.gz`."""
    return f"{_stem(data)}.yaml"


def experiment_name(data: Path) -> str:
    """Return a name that an experiment can have."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", _stem(data)).strip("-._")
    return name[:64] or "experiment"


def _stem(data: Path) -> str:
    name = data.name or data.absolute().name
    for ending in _ENDINGS:
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return name or "data"
