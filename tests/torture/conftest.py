"""The fork server, and the runs that were never interrupted."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from tests.torture.experiments import LONG, SHORT, TOGETHER, VARIANTS
from tests.torture.forking import ForkServer
from tests.torture.interruptions import Battery


@pytest.fixture(scope="session")
def battery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Battery]:
    """A folder with every experiment's config, and a server that runs commands in it."""
    folder = tmp_path_factory.mktemp("torture")
    drawn = np.random.default_rng(0)
    np.savez(folder / "words.npz", x=drawn.integers(0, 20, (90, 6)), y=drawn.integers(0, 2, 90))
    arrays = {"photo": drawn.integers(0, 255, (90, 6, 6)).astype(np.uint8), "walk": drawn.normal(size=(90, 4, 2))}
    np.savez(folder / "several.npz", **arrays, age=drawn.normal(size=90), y=drawn.integers(0, 2, 90))
    rows = [
        f"{place},{place % 7},{place * 0.1 if place % 6 else ''},{'yn'[place % 2]},{'uvw'[place % 3]}"
        for place in range(90)
    ]
    (folder / "targets.csv").write_text("\n".join(["p,q,a,b,c", *rows, ""]))
    (folder / "texts.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in _texts(drawn)))
    for name, text in {"short": SHORT, "long": LONG, "together": TOGETHER, **VARIANTS}.items():
        (folder / f"{name}.yaml").write_text(text)
    with ForkServer(folder) as server:
        yield Battery(server)


@pytest.fixture(scope="session")
def battery_by_two(battery: Battery) -> Battery:
    """The same, where two workers train each experiment together."""
    return Battery(battery.server, workers=2)


def _texts(drawn: np.random.Generator) -> Iterator[dict[str, object]]:
    """Yield rows with texts of different lengths, of which some are missing and some have words of their own."""
    words = ["sun", "Wolke", "été", "雨", "snow", "[UNK]"]
    for number in range(90):
        said = " ".join(drawn.choice(words, drawn.integers(0, 8)))
        topic = f"{words[number % 4]} {number if number % 9 == 0 else ''}"
        yield {"said": said or None, "topic": topic, "age": number % 7, "y": int(drawn.integers(0, 2))}
