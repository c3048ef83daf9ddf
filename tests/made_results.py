"""Results as a run has them, made without training."""

from mltrain.run.results import Results
from mltrain.run.split_result import SplitResult

PARTS = {
    "task": "regression",
    "objective": {"metric": "validation.loss", "direction": "min", "best": 0.0712},
    "model": {"weights": "best", "epoch": 37, "epochs": 47, "stopped": "no improvement for 10 epochs"},
    "splits": {},
}


def made_results(**parts) -> Results:
    """Return results with these parts, in the form of metrics.json."""
    return Results.model_validate(PARTS | parts)


def made_splits(**splits) -> dict[str, SplitResult]:
    """Return the results of these splits, in the form of metrics.json."""
    return dict(made_results(splits=splits).splits)
