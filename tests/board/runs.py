"""Runs as mltrain writes them, made without training: what the board reads of a run, and no more."""

from pathlib import Path

from mltrain.run.locked_run import LockedRun
from mltrain.run.record import start_record
from mltrain.run.results import Results
from mltrain.run.status import status

CONFIG = b"""\
name: blobs
seed: 7
data: {}
model: {}
training: {epochs: 15}
objective: {metric: validation.accuracy}
evaluation: {metrics: [accuracy]}
"""
PNG = b"\x89PNG\r\n\x1a\n"
REPORT = b"<!doctype html><title>report</title><h1>Report</h1>"
STARTED, FINISHED = "2026-11-20T20:15:00Z", "2026-11-20T20:16:30Z"


def made_run(folder: Path, name: str = "blobs", identifier: str = "20261120T201500Z-0001", **given) -> Path:
    """Make a run; its lock stays as if the process, which is this one, had let it go.

    Args:
        folder: of runs.
        name: of the experiment.
        identifier: of the run.
        given: `state`, `reason`, `accuracy` (of each epoch), `metrics` (to change what is in metrics.json).
    """
    state, accuracy = given.get("state", "finished"), given.get("accuracy", (0.5, 0.75, 0.875))
    path = folder / name / identifier
    path.mkdir(parents=True)
    with LockedRun(path) as run:
        run.write_config(CONFIG)
        run.write_resolved(CONFIG)
        run.write_record(start_record(["mltrain", "train"], folder).with_values(started=STARTED, finished=FINISHED))
        # While a run trains, its status.json stays as it was when the training began.
        epoch, step = (0, 0) if state == "running" else (len(accuracy), 9)
        run.write_status(status(state, given.get("reason", "all epochs are done"), epoch=epoch, step=step))
        rows = [f"{epoch},{1 / epoch},{value}" for epoch, value in enumerate(accuracy, start=1)]
        (path / "history.csv").write_text("\n".join(["epoch,train.loss,validation.accuracy", *rows, ""]))
        if state == "finished":
            run.write_results(Results.model_validate(metrics(accuracy[-1]) | given.get("metrics", {})))
            run.write_report(REPORT, b"# Report\n")
            run.write_plot("loss", PNG)
    return path


def metrics(value: float) -> dict:
    """Return what is in metrics.json of a finished run."""
    measured = {"loss": {"value": 0.25}, "accuracy": {"value": value, "low": value - 0.125, "high": 1.0}}
    return {
        "task": "binary",
        "classes": ["no", "yes"],
        "model": {"weights": "best", "epoch": 3, "epochs": 3, "stopped": "all epochs are done"},
        "objective": {"metric": "validation.accuracy", "best": value},
        "splits": {"validation": {"n": 40, "metrics": measured}, "test": {"n": 40, "metrics": measured}},
    }
