"""The end of every training: the run is read again from its directory, as `evaluate` reads it, and must give the
numbers that it has written. Imports TensorFlow.

What is read back: the experiment from config.resolved.yaml, the row numbers from splits/, the preprocessing from
preprocessing.json, the precision from record.json, the weights from the checkpoint, the numbers from metrics.json.
Experiment, rows, preprocessing and precision must be what the training had in memory, the preprocessing also by what it
makes of some raw rows; the weights go back into the network, which measures the held-out splits again.

The model is not built and traced a second time, which would take longer than all the rest (0.3 to 2 s): it is made from
the experiment, the precision and what is known of the data alone, and these are compared. The rows for training are not
measured again, where there are others: there may be many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from mltrain.config.plugins import Plugins
from mltrain.data.examples import Examples
from mltrain.data.preparation import Prepared
from mltrain.errors import PluginError, RunError, SelfCheckError
from mltrain.evaluation.counts import confusion_matrix
from mltrain.evaluation.metric import Metric, OwnMetric
from mltrain.experiment.settled import settled
from mltrain.outputs import KINDS
from mltrain.procedures.measurement import exact_values, predict_out_of_fold, predict_split
from mltrain.procedures.member_folds import MemberFolds
from mltrain.procedures.network import Network
from mltrain.procedures.stored_model import StoredModel, read_model
from mltrain.run.decision import DecisionRule
from mltrain.run.rundir import RunDirectory
from mltrain.run.split_result import SplitResult
from mltrain.task import OUT_OF_FOLD, SPLITS, split_target
from mltrain.training.acceleration import Precision
from mltrain.training.weights import put_weights

# A GPU adds up in an order of its own, another one each time.
_TOLERANCE_OF_GPU = 1e-5


def check_itself(
    run: RunDirectory, network: Network, prepared: Prepared, precision: Precision, between_chunks: Callable[[], None]
) -> None:
    """Compare a run with what its directory gives again. The network then has the weights that were read.

    Args:
        run: with everything written that `evaluate` needs, and metrics.json.
        between_chunks: as for `EvaluationLoop.run`.

    Raises:
        SelfCheckError: something is not the same; says what.
    """
    try:
        stored = read_model(run, Plugins.of_spec(network.spec))
        recorded = run.results()
        put_weights(network.model, stored.weights, str(run.checkpoints))
    except RunError as error:
        raise _failure(f"it cannot be read again: {error}") from error
    for difference in (
        *_other_parts(stored, network, prepared, precision),
        *_other_groups(run, prepared),
        *_other_numbers(recorded.splits, stored.rule, network, prepared, between_chunks),
    ):
        raise _failure(difference)


def _other_parts(stored: StoredModel, network: Network, prepared: Prepared, precision: Precision) -> Iterator[str]:
    if settled(stored.spec, stored.info, stored.record.epochs, stored.record.learning_rate) != network.spec:
        yield "config.resolved.yaml is another experiment than the one that was trained"
    if stored.precision != precision:
        yield f"record.json names the precision {stored.precision}, and it was {precision}"
    if stored.preprocessing != prepared.preprocessing:
        yield "preprocessing.json is not what was fitted"
    rows = {str(name): rows for name, rows in prepared.splits.items()}
    if rows.keys() != stored.splits.keys() or any(not np.array_equal(rows[name], stored.splits[name]) for name in rows):
        yield "splits/ has other rows"
    last = next(name for name in reversed(SPLITS) if name in prepared.examples)
    encoded = stored.preprocessing.encode(prepared.sample).inputs
    kept = {name: values[: len(prepared.sample)] for name, values in prepared.examples[last].inputs.items()}
    if {name: x.tobytes() for name, x in encoded.items()} != {name: x.tobytes() for name, x in kept.items()}:
        yield f"preprocessing.json encodes the first {last} rows in another way"
    # Without the limits, which only refuse, and build nothing.
    known = replace(network.info, inputs=tuple(replace(each, limits=None) for each in network.info.inputs))
    if stored.info != known:
        yield f"what is known of the data is {stored.info}, and it was {known}"


def _other_groups(run: RunDirectory, prepared: Prepared) -> Iterator[str]:
    for split, examples in prepared.examples.items():
        kept = run.predictions(split)
        if kept is not None and not np.array_equal(_or_none(kept.groups), _or_none(examples.groups)):
            yield f"predictions/ has other groups of the {split} rows"
        if kept is not None and not np.array_equal(_or_none(kept.weights), _or_none(examples.weights)):
            yield f"predictions/ has other weights of the {split} rows"


def _or_none(groups: np.ndarray | None) -> np.ndarray:
    return np.zeros(0, np.int64) if groups is None else groups


def _other_numbers(
    recorded: Mapping[str, SplitResult],
    rule: DecisionRule,
    network: Network,
    prepared: Prepared,
    between_chunks: Callable[[], None],
) -> Iterator[str]:
    metrics = network.spec.evaluation.stated_metrics
    exact = not tf.config.get_visible_devices("GPU")
    train = prepared.examples["train"]
    held_out: dict[str, Examples] = {str(name): each for name, each in prepared.examples.items() if name != "train"}
    folds = MemberFolds.of(network.spec, network.info, train)
    checked: dict[str, Examples] = held_out or {"train": train}
    if folds is not None:
        checked[OUT_OF_FOLD] = train
    for split, examples in checked.items():
        if folds is not None and split == OUT_OF_FOLD:
            predicted = predict_out_of_fold(network, folds, train, between_chunks)
        else:
            predicted = predict_split(network, examples, between_chunks)
        predicted = predicted.tempered(network, rule)
        values = {**predicted.logs, **exact_values(network, examples, predicted.values, rule)}
        for name, value in values.items():
            now = float(value) if math.isfinite(value) else None
            kept = recorded[split].metrics.get(name)
            before = kept.value if kept else None
            if not _same(now, before, exact):
                _refuse_changeable(metrics, name, now, before)
                yield f"{split}.{name} is {now}, and metrics.json says {before}"
        counted = _counted(network, examples, predicted.values, rule)
        if exact and counted != [list(row) for row in recorded[split].confusion_matrix]:
            yield f"{split}: the confusion matrix is not that of metrics.json"


def _counted(network: Network, examples: Examples, values: np.ndarray, rule: DecisionRule) -> list[list[int]]:
    """Return the confusion matrix of a split, where one target of classes is learned."""
    kind, classes = KINDS[network.info.task], network.info.output.classes
    if not kind.of_classes:
        return []
    return confusion_matrix(examples.truth, kind.decide(values, rule.threshold), len(classes)).tolist()


def _refuse_changeable(metrics: Sequence[Metric], name: str, now: float | None, before: float | None) -> None:
    """Tell a metric of a plugin that gives another value for the same rows from a fault of mltrain's."""
    for metric in metrics:
        if isinstance(metric, OwnMetric) and metric.name == split_target(name)[0]:
            raise PluginError(
                f"metric {name} ({metric.given().place}) gave {before} and then {now} for the same rows: it must "
                "follow from its arguments alone"
            )


def _same(now: float | None, before: float | None, exact: bool) -> bool:
    if exact or now is None or before is None:
        return now == before
    return math.isclose(now, before, rel_tol=_TOLERANCE_OF_GPU, abs_tol=_TOLERANCE_OF_GPU)


def _failure(difference: str) -> SelfCheckError:
    return SelfCheckError(
        f"the run does not reproduce its own numbers: {difference}. Do not rely on it: mltrain has a bug, the "
        "machine is faulty, or the run was changed; `mltrain resume` measures and checks it again"
    )
