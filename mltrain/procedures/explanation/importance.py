"""The permutation importance of every column of a table, and of every text, image and array as one. Imports
TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from mltrain.data.examples import Examples
from mltrain.data.preprocessing import Preprocessing
from mltrain.evaluation.catalogue import canonical_name
from mltrain.evaluation.importance import importance, importance_metric
from mltrain.evaluation.metric import Metric
from mltrain.evaluation.metrics import measure
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.evaluation.several import SeveralRows, rows_of
from mltrain.evaluation.split_results import draw_seed
from mltrain.procedures.network import Network
from mltrain.run.decision import DecisionRule
from mltrain.run.explanation import ColumnImportance, Importances, Whole
from mltrain.task import DataInfo, InputKind

# Of each column; the interval contains the chance that is left in them.
PERMUTATIONS = 10
# With 5,000 rows the interval is narrow enough, and 50 columns of them are 2.5 million predictions.
MOST_ROWS = 5_000


def measure_importance(
    network: Network,
    preprocessing: Preprocessing,
    rule: DecisionRule,
    split: str,
    examples: Examples,
    between_columns: Callable[[], None],
) -> Importances | None:
    """Return how much the metric of a run depends on each raw column; None where the predictions are not finite.

    All encoded columns of a raw column are shuffled together, among the rows of the split only; so are whole arrays.

    Args:
        network: with the weights of the model of the run.
        preprocessing: of the run.
        rule: how probabilities become decisions.
        split: its name, by which the permutations are drawn.
        examples: of the split.
        between_columns: called after each; it may raise, to stop.
    """
    spec, task = network.spec, network.info.task
    generator = np.random.default_rng(draw_seed(spec.seed, f"importance {split}"))
    inputs, truth, groups, weights = examples.inputs, examples.truth, examples.groups, examples.weights
    forecasts = examples.forecasts
    count = len(truth)
    if count > MOST_ROWS:
        chosen = np.sort(generator.choice(count, MOST_ROWS, replace=False))
        inputs = {name: x[chosen] for name, x in inputs.items()}
        count, truth, groups = MOST_ROWS, truth[chosen], None if groups is None else groups[chosen]
        weights = None if weights is None else weights[chosen]
        forecasts = None if forecasts is None else forecasts.take(chosen)

    def predicted(encoded: Mapping[str, np.ndarray]) -> Rows | SeveralRows:
        values = network.predictions(network.outputs(encoded), rule)
        classes = network.info.output.classes
        return rows_of(task, truth, values, classes, rule.threshold, forecasts, weights)

    def permuted(name: str, columns: slice) -> Iterator[tuple[np.ndarray, Rows | SeveralRows]]:
        x = inputs[name]
        changed = x.copy()
        for _ in range(PERMUTATIONS):
            giver = generator.permutation(count)
            changed[:, columns] = x[giver, columns]
            yield giver, predicted({**inputs, name: changed})

    # In the same blocks as the permuted rows: a column that the model ignores then changes no bit.
    rows = predicted(inputs)
    metric = importance_metric(spec.evaluation.metrics_for(task), _objective(network), rows)
    if metric is None:
        return None
    found, first, wholes = [], dict.fromkeys(inputs, 0), _wholes(network.info, preprocessing)
    for encoder in preprocessing.columns:
        name = preprocessing.input_of(encoder)
        last = first[name] + len(encoder.names) if encoder.names else None
        measured = _column(encoder.column, metric, rows, permuted(name, slice(first[name], last)), groups)
        found.append(measured.model_copy(update={"whole": wholes.get(encoder.column, "")}))
        first[name] = last or 0
        between_columns()
    return Importances(
        metric=metric.name,
        value=measure([metric], rows)[0][metric.name],
        rows=count,
        permutations=PERMUTATIONS,
        columns=tuple(sorted(found, key=lambda each: -np.inf if each.value is None else -each.value)),
    )


def _wholes(info: DataInfo, preprocessing: Preprocessing) -> dict[str, Whole]:
    """Return what the columns hold that are shuffled as one, by the name of the column."""
    words: dict[InputKind, Whole] = {"text": "text", "image": "image"}
    kinds = {each.name: each.kind for each in info.inputs}
    alone = (each for each in preprocessing.columns if not each.names and kinds[each.input] != "category")
    found: dict[str, Whole] = {each.column: words.get(kinds[each.input], "array") for each in alone}
    return found | dict.fromkeys(preprocessing.token_rules, "text")


def _column(
    name: str,
    metric: Metric,
    rows: Rows | SeveralRows,
    permuted: Iterator[tuple[np.ndarray, Rows | SeveralRows]],
    groups: np.ndarray | None,
) -> ColumnImportance:
    try:
        found = importance(metric, rows, permuted, groups)
    except UndefinedError:
        return ColumnImportance(column=name, value=None)
    if found.interval is None:
        return ColumnImportance(column=name, value=found.value)
    return ColumnImportance(column=name, value=found.value, low=found.interval.low, high=found.interval.high)


def _objective(network: Network) -> str:
    """Return the name of the metric by which the best epoch is found, without its split."""
    return canonical_name((network.spec.objective.metric or "").partition(".")[2])
