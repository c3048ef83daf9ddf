"""Finished runs on the same rows, made without training: what compare reads of a run, and no more."""

import json
import shutil
from pathlib import Path

import numpy as np

from mltrain.run.predictions import StoredPredictions, prediction_files


def finished_run(folder: Path, name: str, source: Path, *, flipped: int = 0, **metrics: float) -> Path:
    """Copy a run that was trained, with the predictions of some test rows turned around and other test metrics."""
    run = folder / name
    shutil.copytree(source, run, ignore=shutil.ignore_patterns("checkpoints", "plots", "model.keras", ".lock"))
    if flipped:
        change_predictions(run, lambda values: np.where(np.arange(len(values)) < flipped, 1 - values, values))
    values = {metric: {"value": value} for metric, value in metrics.items()}
    change(run / "metrics.json", lambda found: found["splits"]["test"]["metrics"].update(values))
    return run


def change(path, edit):
    """Change a JSON file."""
    found = json.loads(path.read_text())
    edit(found)
    path.write_text(json.dumps(found))


def change_predictions(run, edit, part="values", split="test"):
    """Change what a run keeps of the predictions of a split."""
    kept = {part: np.load(run / "predictions" / f"{split}.{name}.npy", allow_pickle=False) for part, name in NAMES}
    kept[part] = edit(kept[part])
    for name, data in prediction_files({split: StoredPredictions(**kept)}).items():
        (run / "predictions" / name).write_bytes(data)


NAMES = (("rows", "rows"), ("target", "target"), ("values", "predictions"))
