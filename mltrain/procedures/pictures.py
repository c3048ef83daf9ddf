"""The plots of a run. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from mltrain.data.encoders.column import RawColumn, numbers_of
from mltrain.data.encoders.number import NumberEncoder
from mltrain.data.preparation import Prepared
from mltrain.data.table import Table
from mltrain.evaluation.calibration import tempered
from mltrain.evaluation.counts import confusion_matrix, decide
from mltrain.procedures.network import Network
from mltrain.report.plots.confusion import confusion_plot
from mltrain.report.plots.curves import loss_curves, metric_curves
from mltrain.report.plots.learned import learned_plot
from mltrain.report.plots.predicted import predicted_plot
from mltrain.run.decision import DecisionRule
from mltrain.run.history import History
from mltrain.task import SPLITS, SplitName

_CURVE_POINTS = 400


def draw(
    history: History,
    network: Network,
    prepared: Prepared,
    best_epoch: int | None,
    predictions: Mapping[SplitName, np.ndarray],
    rule: DecisionRule,
    formula: str = "",
) -> Iterator[tuple[str, bytes]]:
    """Yield name and PNG of each plot that this run has.

    Args:
        history: of the training.
        network: with the weights of the model of the run.
        prepared: its data.
        best_epoch: to mark, or None where the last epoch was kept.
        predictions: of every split.
        rule: how probabilities become decisions.
        formula: of the learned line, where it is one.
    """
    columns = {name: history.column(name) for name in history.columns}
    yield "loss", loss_curves(columns, best_epoch)
    metrics = metric_curves(columns, best_epoch)
    if metrics is not None:
        yield "metrics", metrics
    split = next(name for name in reversed(SPLITS) if name in predictions)
    truth, info = prepared.examples[split].truth, network.info
    if info.task == "regression":
        yield "predicted", predicted_plot(truth, predictions[split], network.target.column, split)
    else:
        counts = confusion_matrix(truth, decide(info.task, predictions[split], rule.threshold), len(info.classes))
        yield "confusion", confusion_plot(counts, info.classes, split)
    encoder = prepared.preprocessing.columns[0]
    if prepared.table is not None and isinstance(encoder, NumberEncoder) and info.task != "multiclass":
        yield "learned", _learned(network, prepared, prepared.table, encoder, rule, formula)


def _learned(
    network: Network, prepared: Prepared, table: Table, encoder: NumberEncoder, rule: DecisionRule, formula: str
) -> bytes:
    """Return the plot of the one numeric input, its rows and the prediction over its range."""
    points = {}
    for name, rows in prepared.splits.items():
        inputs = numbers_of(RawColumn.of(table.take(rows), encoder.column))
        points[str(name)] = (inputs, prepared.examples[name].truth)
    known = np.concatenate([inputs for inputs, _ in points.values()])
    known = known[~np.isnan(known)]
    grid = np.linspace(known.min(), known.max(), _CURVE_POINTS)
    encoded = encoder.scaling.apply(grid).reshape(-1, 1)
    if encoder.indicator:
        encoded = np.concatenate([encoded, np.zeros_like(encoded)], axis=1)
    predictions = network.predictions(network.model(encoded, training=False).numpy())
    if rule.temperature is not None:
        predictions = tempered(network.info.task, predictions, rule.temperature)
    return learned_plot(
        points,
        (grid, predictions),
        input_name=encoder.column,
        target_name=network.target.column,
        classes=network.info.classes,
        formula=formula,
    )
