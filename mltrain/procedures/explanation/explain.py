"""`explain`: what the predictions of a finished run depend on, from its directory and its data, read as
`evaluate` reads them."""

from __future__ import annotations

from dataclasses import replace

from mltrain.config.plugins import Plugins
from mltrain.data.examples import encode_examples
from mltrain.data.splits.keys import group_numbers, several
from mltrain.errors import UsageError
from mltrain.procedures.evaluate import recorded_rows, weights_in_metrics
from mltrain.procedures.own_faults import own_faults
from mltrain.procedures.recorded_parts import refuse_absent_parts
from mltrain.procedures.stored_model import StoredModel, read_model
from mltrain.run.explanation import Explanation
from mltrain.run.locked_run import LockedRun
from mltrain.task import SPLITS
from mltrain.tensorflow_start import start_tensorflow
from mltrain.training.signals import Interruption


def explain(
    run: LockedRun, interruption: Interruption, command: tuple[str, ...], plugins: Plugins | None = None
) -> Explanation:
    """Find what the predictions depend on, and write it into the run.

    It is measured on the rows that judge the model: test, else validation, else train. The use of test rows is counted
    before anything is shown.

    Args:
        run: what is explained.
        interruption: of this process.
        command: the command line, to be kept where looks at the test rows are counted.
        plugins: with which its network is built; None takes installed packages alone.

    Raises:
        UsageError: a prediction is not finite.
        PluginError: the plugin of a part of the network is not there, or fails.
        RunError: the run is damaged or unfinished, or its data has changed since.
        DataError: the data does not exist, or is not valid.
        WriteError: the run cannot be written.
    """
    stored = read_model(run, plugins)
    refuse_absent_parts(stored.spec)
    with own_faults(stored.spec):
        return _explained(run, stored, interruption, command)


def _explained(
    run: LockedRun, stored: StoredModel, interruption: Interruption, command: tuple[str, ...]
) -> Explanation:
    split = next(name for name in reversed(SPLITS) if name in stored.splits)
    with interruption.deferred():
        start_tensorflow()
        from mltrain.procedures.explanation.explaining import Explained, explain_split, unexplained
        from mltrain.procedures.measurement import predict_split

        network = stored.network()
    interruption.raise_if_received()
    rows = stored.splits[split]
    table = recorded_rows(stored, rows)
    groups = several(group_numbers(table, stored.spec.data.split.key_columns))
    weights = weights_in_metrics(stored.spec, table, split)
    examples = replace(encode_examples(stored.preprocessing, table, rows), groups=groups, weights=weights)
    stored.refuse_indices(table, examples.inputs)
    predictions = predict_split(network, examples).tempered(network, stored.rule).values
    reason = unexplained(network.info.task, predictions)
    if reason is not None:
        raise UsageError(f"{run.path}: {reason}")
    if split == "test":
        run.count_look(command)
    explained = Explained(split, examples, predictions)
    found = explain_split(
        network, stored.preprocessing, stored.rule, explained, stored.epoch, interruption.raise_if_received
    )
    run.write_explanation(found)
    return found
