"""Tables for `mltrain init --data`, and the command with what it has written."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mltrain.config.load import Loaded, load
from tests.conftest import in_process

ROWS = 120


def shop(rows: int = ROWS) -> dict[str, list[Any]]:
    """Return the columns of a table with a bit of everything; the target is `price`."""
    draw = random.Random(5)
    sizes = [draw.randint(20, 200) for _ in range(rows)]
    towns = [draw.choice(["Ulm", "Bonn", "Köln"]) for _ in range(rows)]
    return {
        "id": list(range(1, rows + 1)),
        "size": sizes,
        "town": towns,
        "sold": [f"20{draw.randint(10, 23)}-0{draw.randint(1, 9)}-{draw.randint(10, 28)}" for _ in range(rows)],
        "country": ["DE"] * rows,
        "note": [f"the house of family {draw.random()} with a garden" for _ in range(rows)],
        "price": [
            round(size * 3.1 + len(town) * 7 + draw.random() * 90, 2) for size, town in zip(sizes, towns, strict=True)
        ],
    }


def write_csv(path: Path, columns: Mapping[str, Sequence[Any]], **options: Any) -> Path:
    """Write columns as a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, **options)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def drafted(folder: Path, data: str, *options: str) -> tuple[Loaded, str]:
    """Run `mltrain init --data`, check what it prints, and return the config, loaded, and its text."""
    done = in_process(folder, "init", "--data", data, *options)
    assert done.code == 0, done.err
    (name,) = done.out.splitlines()
    return load(folder / name), (folder / name).read_text(encoding="utf-8")


def kinds(loaded: Loaded) -> dict[str, str]:
    """Return what the config states of each column."""
    return {name: feature.type for name, feature in loaded.spec.data.features.items()}


def trains(folder: Path, loaded: Loaded, epochs: int = 1) -> Path:
    """Train what was written, and return the run."""
    done = in_process(folder, "train", loaded.path, "--quiet", "--set", f"training.epochs={epochs}")
    assert done.code == 0, done.err
    return done.run
