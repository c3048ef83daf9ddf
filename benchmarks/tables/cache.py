"""What was measured, one JSON object a line, written as soon as it is known: an interrupted benchmark continues."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """One method on one split of one set.

    Attributes:
        set: its name.
        split: from 0 to 4.
        method: the name it is kept under.
        task: of the set.
        rows: for training, validation and the test.
        scores: of the test rows; of a method that failed, that of the trivial prediction.
        seconds: of the whole command.
        threads: of its process.
        alone: whether the machine did nothing else, as far as the command line says; only such seconds are compared.
        load: of the machine when it began.
        failed: why there are no predictions; empty where there are.
        options: of mltrain, where they are not the default.
    """

    set: str
    split: int
    method: str
    task: str
    rows: tuple[int, int, int]
    scores: dict[str, float]
    seconds: float
    threads: int
    alone: bool = True
    load: float = 0.0
    failed: str = ""
    options: list[str] = field(default_factory=list)

    @property
    def cell(self) -> tuple[str, int, str]:
        return self.set, self.split, self.method


def read(path: Path) -> dict[tuple[str, int, str], Result]:
    """Return the newest result of each cell; a last line that was cut off is left out."""
    found: dict[tuple[str, int, str], Result] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                values = json.loads(line)
            except json.JSONDecodeError:
                continue
            result = Result(**{**values, "rows": tuple(values["rows"])})
            found[result.cell] = result
    return found


def add(path: Path, result: Result) -> None:
    """Append a result, in one write, so that two benchmarks may share a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(result)) + "\n")
