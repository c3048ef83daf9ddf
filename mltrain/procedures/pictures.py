"""The plots of a run. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from mltrain.data.preparation import Prepared
from mltrain.evaluation.counts import confusion_matrix
from mltrain.outputs import KINDS
from mltrain.procedures.learned import Learned
from mltrain.procedures.network import Network
from mltrain.report.plots.confusion import confusion_plot
from mltrain.report.plots.curves import loss_curves, metric_curves
from mltrain.report.plots.learned import learned_plot
from mltrain.report.plots.predicted import predicted_plot
from mltrain.run.decision import DecisionRule
from mltrain.run.history import History
from mltrain.task import SPLITS, SplitName


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
    truth, info = prepared.examples[split].truth, network.info
    kind = KINDS[info.task]
    if kind.of_numbers and not kind.several:
        yield "predicted", predicted_plot(truth, predictions[split], network.target.column, split)
    elif kind.of_classes:
        counts = confusion_matrix(truth, kind.decide(predictions[split], rule.threshold), len(info.output.classes))
        yield "confusion", confusion_plot(counts, info.output.classes, split)
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
