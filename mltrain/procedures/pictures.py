"""The plots of a run. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from mltrain.data.preparation import Prepared
from mltrain.evaluation.counts import confusion_matrix
from mltrain.outputs import KINDS
from mltrain.outputs.each_output import each_output
from mltrain.procedures.learned import Learned
from mltrain.procedures.network import Network
from mltrain.report.plots.confusion import confusion_plot
from mltrain.report.plots.curves import loss_curves, metric_curves
from mltrain.report.plots.learned import learned_plot
from mltrain.report.plots.predicted import predicted_plot
from mltrain.run.decision import DecisionRule
from mltrain.run.history import History
from mltrain.task import SPLITS, Output, SplitName


def _predictions(
    output: Output, truth: np.ndarray, values: np.ndarray, threshold: float, split: SplitName
) -> Iterator[tuple[str, bytes]]:
    """Yield the plot of the predictions for one target."""
    kind = KINDS[output.task]
    if not len(truth):
        return
    if kind.of_numbers and not kind.several:
        yield "predicted", predicted_plot(truth, values, output.name, split)
    elif kind.of_classes:
        counts = confusion_matrix(truth, kind.decide(values, threshold), len(output.classes))
        yield "confusion", confusion_plot(counts, output.classes, split)


def draw(
    history: History,
    network: Network,
    prepared: Prepared,
    best_epoch: int | None,
    predictions: Mapping[SplitName, np.ndarray],
    rule: DecisionRule,
    learned: Learned | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield name and PNG of each plot that this run has.

    Args:
        history: of the training.
        network: with the weights of the model of the run.
        prepared: its data.
        best_epoch: the epoch to mark; None if the last epoch was kept.
        predictions: of every split.
        rule: how probabilities become decisions.
        learned: of the one numeric input, where there is one.
    """
    columns = {name: history.column(name) for name in history.columns}
    yield "loss", loss_curves(columns, best_epoch)
    metrics = metric_curves(columns, best_epoch)
    if metrics is not None:
        yield "metrics", metrics
    split = next(name for name in reversed(SPLITS) if name in predictions)
    truth, output = prepared.examples[split].truth, network.info.output
    if KINDS[output.task].mixed:
        for each in each_output(output, truth, predictions[split]):
            threshold, number = rule.of_output(each.output.name).threshold, each.number + 1
            for name, picture in _predictions(each.output, each.truth, each.values, threshold, split):
                yield f"{name}_{number}", picture
    else:
        yield from _predictions(output, truth, predictions[split], rule.threshold, split)
    if learned is not None:
        yield (
            "learned",
            learned_plot(
                learned.points,
                learned.curve,
                input_name=learned.input_name,
                target_name=learned.target_name,
                classes=learned.classes,
                formula=learned.formula,
            ),
        )
