"""`show`: what is in a run directory, as one object. No TensorFlow."""

from __future__ import annotations

from typing import Any

from mltrain.errors import RunError
from mltrain.run.record import changes_sentence
from mltrain.run.results import Results
from mltrain.run.rundir import RunDirectory


def summary(run: RunDirectory) -> tuple[dict[str, Any], Results | None]:
    """Return status, record, epochs and metrics of a run, and its results once more as such; what an unfinished one
    does not have is None."""
    status, record, profile = run.status(), run.record(), run.profile()
    history, audit, model = run.history(), run.audit(), run.architecture()
    results = _results(run)
    found = {
        "run": str(run.path),
        "status": status.model_dump(mode="json"),
        "killed": run.is_killed(),
        "changes": changes_sentence(record.resumed),
        "started": record.started,
        "finished": record.finished,
        "versions": dict(record.versions),
        "device": record.device.model_dump(mode="json") if record.device else None,
        "data": record.data.model_dump(mode="json") if record.data else None,
        "decisions": [
            {"what": decision.what, "value": decision.value, "reason": decision.reason} for decision in record.decisions
        ],
        "audit": audit.model_dump(mode="json") if audit else None,
        "model": model.as_json() if model else None,
        "epochs": len(history.rows),
        "kept_epochs": list(run.kept_epochs()),
        "metrics": results.as_json() if results else None,
        "test_looks": len(run.looks()),
        "plots": [str(path) for path in run.plots()],
        "profile": profile.model_dump(mode="json") if profile else None,
    }
    return found, results


def _results(run: RunDirectory) -> Results | None:
    try:
        return run.results()
    except RunError:
        if run.status().state == "finished":
            raise
        return None
