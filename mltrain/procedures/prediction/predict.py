"""`predict`: the rows of a file with the predictions of the model of a run, block by block; read from top to bottom.

TensorFlow is imported once the run and the first block are in order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from mltrain.config.plugins import Plugins
from mltrain.data.outputs import Output
from mltrain.data.streams import open_rows
from mltrain.data.streams.block import RowStream, Wanted
from mltrain.data.streams.images import ImagesStream, images_stream
from mltrain.errors import DataError, UsageError
from mltrain.procedures.explanation.attributed import explained_columns, mean_row
from mltrain.procedures.own_faults import own_faults
from mltrain.procedures.prediction.columns import added_names, beside, free_names, predicted_columns, spread_names
from mltrain.procedures.prediction.findings import Findings
from mltrain.procedures.prediction.rows import PredictedRows, kinds_of
from mltrain.procedures.recorded_parts import other_parts, refuse_absent_parts
from mltrain.procedures.stored_model import StoredModel, read_model
from mltrain.procedures.unfinished import unfinished_sentence
from mltrain.run.rundir import RunDirectory
from mltrain.task import the_only
from mltrain.tensorflow_start import start_tensorflow
from mltrain.training.signals import Interruption

if TYPE_CHECKING:
    from mltrain.procedures.explanation.attribution import Attribution
    from mltrain.procedures.network import Network
    from mltrain.procedures.prediction.spread import Spread

OpenOutput = Callable[[RowStream], AbstractContextManager[Output]]


@dataclass(frozen=True)
class PredictRequest:
    """What is predicted, and how it is said.

    Attributes:
        run: where the model comes from.
        data: the file; None for the CSV on standard input. The target need not be in it.
        images: image files, and folders of such, which are the rows instead of those of a file.
        probabilities: whether the probability of each class is added.
        strict: refuse rows that are not like the training rows.
        explain: whether it is added what each column adds to the score of a row.
        prefix: what the names of all columns that are added begin with.
        options: how the file is written, by the names of the keys of its source.
        skip_bad: whether images that cannot be used are left out and counted, with their rows, instead of refused.
        epoch: whose kept weights predict; None for the model of the run.
        plugins: with which its network is built; None takes installed packages alone.
    """

    run: RunDirectory
    data: Path | None
    images: Sequence[Path] = ()
    probabilities: bool = False
    strict: bool = False
    explain: bool = False
    prefix: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    skip_bad: bool = False
    epoch: int | None = None
    plugins: Plugins | None = None


def predict(request: PredictRequest, open_output: OpenOutput, interruption: Interruption) -> Findings:
    """Predict every row of a file.

    Args:
        request: what is predicted.
        open_output: where the rows go, with their predictions; nothing stays of it when this raises.
        interruption: of this process.

    Raises:
        UsageError: probabilities were asked for, or an explanation, and the model has none; or the weights of that
            epoch are not kept.
        RunError: the run is damaged or unfinished.
        PluginError: the plugin of a part of the network is not there, or fails.
        DataError: the data is not there or not valid, or `strict` refuses it.
    """
    stored = read_model(request.run, request.plugins, request.epoch)
    refuse_absent_parts(stored.spec)
    with own_faults(stored.spec):
        return _predicted(request, stored, open_output, interruption)


def _predicted(
    request: PredictRequest, stored: StoredModel, open_output: OpenOutput, interruption: Interruption
) -> Findings:
    run, data, images, explain, prefix = request.run, request.data, request.images, request.explain, request.prefix
    unfinished = unfinished_sentence(run, stored.kind, stored.epoch)
    target = stored.preprocessing.target
    added, parts = added_names(target, request.probabilities), explained_columns(stored) if explain else ()
    spread_over = spread_names(target) if stored.spec.networks > 1 else ()
    baseline = mean_row(stored) if explain else None
    wanted = Wanted(kinds_of(stored), target.columns)
    source = stored.spec.data.source
    if request.skip_bad and not images and not stored.preprocessing.image_rules:
        named = "stdin" if data is None else str(data)
        raise UsageError(f"{named}: --skip-bad leaves out images, and these are rows without images")
    opened = nullcontext(images_stream(images, stored.preprocessing, source, request.skip_bad)) if images else None
    with opened or open_rows(data, wanted, source, request.options) as stream:
        name = stream.name if isinstance(stream, ImagesStream) else data.name if data else "stdin"
        rows = PredictedRows(stored, name, data.parent if data else Path.cwd(), request.skip_bad)
        encoded = (rows.encode(block) for block in rows.blocks(stream))
        head = next(encoded)
        names = free_names((*added, *spread_over, *parts), stream.names, prefix, rows.name)
        stream.reserved = frozenset(names)
        with interruption.deferred():
            start_tensorflow()
            network = stored.network()
            attribution = _attribution(stored, network, baseline)
            spread = _spread(stored, network)
        interruption.raise_if_received()
        with open_output(stream) as output:
            done = 0
            for kept, inputs in regrouped(itertools.chain([head], encoded), network.evaluation_block[0]):
                predictions = network.predictions(network.outputs(inputs), stored.rule)
                _refuse_not_finite(rows.name, predictions, done)
                columns = predicted_columns(network, predictions, stored.rule, names[: len(added)])
                if spread is not None:
                    columns = beside(columns, spread.of(inputs), names[len(added) :][: len(spread_over)])
                if attribution is not None:
                    explained = attribution.columns(the_only(inputs), predictions)
                    columns = beside(columns, explained, names[len(added) + len(spread_over) :])
                output.write(kept, columns)
                done += _count(inputs)
            findings = replace(
                rows.findings(),
                images=stream if isinstance(stream, ImagesStream) else rows.images,
                explained=attribution.said() if attribution is not None else None,
                added=names,
                renamed=not prefix and names != (*added, *spread_over, *parts),
                unfinished=unfinished,
                other_weights=stored.other_weights,
                other_parts=tuple(other_parts(stored.record, stored.spec)),
            )
            if request.strict:
                findings.refuse_surprises()
    return findings


# Rows as they came, and by the name of the input as the model takes them.
Part: TypeAlias = tuple[pa.Table, Mapping[str, np.ndarray]]


def regrouped(parts: Iterable[Part], rows: int) -> Iterator[Part]:
    """Yield the same rows in parts of whole multiples of `rows`, and what is left at the end.

    An evaluation takes blocks of so many rows from the first row on. Another cut could change the last bits.
    """
    rest: Part | None = None
    for part in parts:
        kept, inputs = part
        if rest is not None:
            kept = pa.concat_tables([rest[0], kept])
            inputs = {name: np.concatenate([rest[1][name], x]) for name, x in inputs.items()}
        count = _count(inputs)
        whole = count // rows * rows
        if whole:
            yield kept.slice(0, whole), {name: x[:whole] for name, x in inputs.items()}
        rest = (kept.slice(whole), {name: x[whole:] for name, x in inputs.items()}) if whole < count else None
    if rest is not None:
        yield rest


def _count(inputs: Mapping[str, np.ndarray]) -> int:
    """Return the number of rows; those that came may have no column, as in an archive of arrays."""
    return len(next(iter(inputs.values())))


def _attribution(stored: StoredModel, network: Network, baseline: np.ndarray | None) -> Attribution | None:
    if baseline is None:
        return None
    from mltrain.procedures.explanation.attribution import Attribution

    return Attribution(network, stored.preprocessing, baseline, stored.rule)


def _spread(stored: StoredModel, network: Network) -> Spread | None:
    if stored.spec.networks == 1:
        return None
    from mltrain.procedures.prediction.spread import Spread

    return Spread(network, stored.rule)


def _refuse_not_finite(name: str, predictions: np.ndarray, done: int) -> None:
    finite = np.isfinite(predictions.reshape(len(predictions), -1)).all(axis=1)
    if not finite.all():
        row = done + int(np.argmin(finite)) + 1
        raise DataError(f"{name}: the prediction for row {row} is NaN or infinite; are its values in range?")
