"""What of two runs must be equal, to the last bit, and what a run's checkpoints say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mltrain.run.checkpoint_files import newest, numbers, read_checkpoint


def compare(whole: Path, resumed: Path) -> None:
    """Assert that a run which was interrupted is the one that was not: all that is not a time or a process."""
    mine, theirs = content(resumed), content(whole)
    assert mine.keys() == theirs.keys()
    different = [name for name in theirs if mine[name] != theirs[name]]
    assert not different, f"{resumed.name} differs from {whole.name} in {', '.join(different)}"


def content(run: Path) -> dict[str, Any]:
    """Return what equal runs have equal, by name."""
    files = ["metrics.json", "preprocessing.json"]
    files += [f"{folder}/{path.name}" for folder in ("splits", "predictions") for path in (run / folder).iterdir()]
    found: dict[str, Any] = {name: (run / name).read_bytes() for name in sorted(files)}
    found["history.csv"] = without_seconds((run / "history.csv").read_text())
    for kind in ("best", "last", "state"):
        checkpoint = newest(run / "checkpoints", kind)
        _, state = read_checkpoint(checkpoint)
        found[f"{kind}/arrays.npz"] = (checkpoint / "arrays.npz").read_bytes()
        if kind == "state":
            state["history"] = without_seconds(state["history"])
            del state["training"]["position"]["seconds"]
        found[f"{kind}/state.json"] = state
    for checkpoint in (*(run / "checkpoints").glob("kept-*"), *(run / "checkpoints").glob("average-*")):
        found[checkpoint.name] = (checkpoint / "arrays.npz").read_bytes(), read_checkpoint(checkpoint)[1]
    status = json.loads((run / "status.json").read_text())
    found["status.json"] = {name: status[name] for name in ("state", "reason", "epoch", "step", "exit_code")}
    found["left behind"] = [path.name for path in run.rglob(".tmp-*")]
    return found


def without_seconds(history: str) -> list[str]:
    """Return the lines of a history without the last column."""
    lines = [line.rpartition(",") for line in history.splitlines()]
    assert {lines[0][2]} == {"seconds"}
    return [line[0] for line in lines]


def step_on_disk(run: Path) -> int:
    """Return the step of the newest state checkpoint, which is whole: a kill never leaves another; 0 for none."""
    found = numbers(run / "checkpoints", "state")
    return read_checkpoint(newest(run / "checkpoints", "state"))[1]["step"] if found else 0


def resumptions(run: Path) -> list[dict[str, Any]]:
    """Return what the run's record says of each time that it was taken up."""
    record: dict[str, Any] = json.loads((run / "record.json").read_text())
    return list(record["resumed"])
