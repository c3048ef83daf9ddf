"""`predict`: the rows of a file with what the model of a run says of them, block by block, read from top to bottom.

TensorFlow is imported once the run and the first block are in order.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from mltrain.data.encoders.array import ArrayEncoder
from mltrain.data.encoders.category import CategoryEncoder, IndexEncoder
from mltrain.data.encoders.column import Encoder
from mltrain.data.encoders.datetime import DatetimeEncoder
from mltrain.data.encoders.number import NumberEncoder
from mltrain.data.outputs import Output
from mltrain.data.preparation import declared_kinds
from mltrain.data.several_targets import SeveralTargets, Target
from mltrain.data.streams import open_rows
from mltrain.data.streams.arrays import ArraysStream
from mltrain.data.streams.block import Block, RowStream, Wanted
from mltrain.data.streams.images import ImagesStream, images_stream
from mltrain.data.table import stacked
from mltrain.data.training_columns import ColumnFindings, Comparison, TrainingColumns
from mltrain.errors import DataError, UsageError
from mltrain.evaluation.calibration import tempered
from mltrain.evaluation.counts import decide
from mltrain.procedures.attributed import Attributed, explained_columns, mean_row
from mltrain.procedures.stored_model import StoredModel, read_model
from mltrain.run.rundir import RunDirectory
from mltrain.task import OF_NUMBERS
from mltrain.tensorflow_start import start_tensorflow
from mltrain.training.signals import Interruption

if TYPE_CHECKING:
    from mltrain.procedures.attribution import Attribution
    from mltrain.procedures.network import Network

PREDICTION, PROBABILITY = "prediction", "probability_"

_WHOLE_NUMBER = re.compile(r"0|-?[1-9]\d{0,17}")
_TRUTHS = {"false", "true"}

OpenOutput = Callable[[RowStream], AbstractContextManager[Output]]


@dataclass(frozen=True)
class Missing:
    """Missing values of a column.

    Attributes:
        count: how many.
        expected: whether training rows miss some, too.
    """

    count: int
    expected: bool


@dataclass(frozen=True)
class Findings:
    """What there is to say of the rows that were predicted.

    Attributes:
        data: their name.
        rows: how many.
        missing: missing values, by column; only columns that have some.
        unknown: categories that no training row has, by column; likewise.
        columns: each held against the training rows; None where the run did not keep what they looked like.
        without_history: rows of series that are not predicted, as too few rows are before them.
        images: what was done to image files; None where the rows are not such.
        explained: what the columns `explain.<column>` are; None where nobody asked.
    """

    data: str
    rows: int
    missing: dict[str, Missing]
    unknown: dict[str, int]
    columns: tuple[ColumnFindings, ...] | None
    without_history: int = 0
    images: ImagesStream | None = None
    explained: Attributed | None = None

    @property
    def outside(self) -> dict[str, ColumnFindings]:
        """Columns with values that no training row reaches."""
        return {column.column: column for column in self.columns or () if column.outside}

    def as_json(self) -> dict[str, Any]:
        """Return the same for JSON."""
        return {
            "format": 1,
            "data": self.data,
            "rows": self.rows,
            **({"without_history": self.without_history} if self.without_history else {}),
            "missing": {name: {"n": each.count, "in_training": each.expected} for name, each in self.missing.items()},
            "unknown": self.unknown,
            "outside": {
                name: {"n": each.outside, "low": each.low, "high": each.high} for name, each in self.outside.items()
            },
            "drift": None
            if self.columns is None
            else {
                each.column: {
                    "psi": each.stability.value,
                    "chance": each.stability.chance,
                    "drift": each.stability.drift,
                }
                for each in self.columns
            },
            **({} if self.images is None else {"images": self.images.as_json()}),
            **({} if self.explained is None else {"explanation": self.explained.as_json()}),
        }


def predict(
    run: RunDirectory,
    data: Path | None,
    open_output: OpenOutput,
    interruption: Interruption,
    *,
    images: Sequence[Path] = (),
    probabilities: bool = False,
    strict: bool = False,
    explain: bool = False,
) -> Findings:
    """Predict every row of a file.

    Args:
        run: where the model comes from.
        data: the file; None for the CSV on standard input. The target need not be in it.
        open_output: where the rows go, with their predictions; nothing stays of it when this raises.
        interruption: of this process.
        images: image files, and folders of such, which are the rows instead of those of a file.
        probabilities: whether the probability of each class is added.
        strict: refuse rows that are not like the training rows.
        explain: whether it is added what each column adds to the score of a row.

    Raises:
        UsageError: probabilities were asked for, or an explanation, and the model has none.
        RunError: the run is damaged or unfinished.
        DataError: the data is not there or not valid, or `strict` refuses it.
    """
    stored = read_model(run)
    target = stored.preprocessing.target
    added, parts = _added(target, probabilities), explained_columns(stored) if explain else ()
    baseline = mean_row(stored) if explain else None
    wanted = Wanted(_kinds(stored), (*added, *parts))
    source = stored.spec.data.source
    opened = nullcontext(images_stream(images, stored.preprocessing, source)) if images else None
    with opened or open_rows(data, wanted, source) as stream:
        rows = _Rows(stored, stream.name if isinstance(stream, ImagesStream) else data.name if data else "stdin")
        encoded = (rows.encode(block) for block in rows.blocks(stream))
        head = next(encoded)
        with interruption.deferred():
            start_tensorflow()
            network = stored.network()
            attribution = _attribution(stored, network, baseline)
        interruption.raise_if_received()
        with open_output(stream) as output:
            done = 0
            for kept, x in regrouped(itertools.chain([head], encoded), network.evaluation_block[0]):
                predictions = network.predictions(network.outputs(x))
                if stored.rule.temperature is not None:
                    predictions = tempered(network.info.task, predictions, stored.rule.temperature)
                _refuse_not_finite(rows.name, predictions, done)
                columns = _columns(network, predictions, stored.rule.threshold, added)
                if attribution is not None:
                    columns = _beside(columns, attribution.columns(x, predictions), parts)
                output.write(kept, columns)
                done += len(x)
            findings = replace(
                rows.findings(),
                images=stream if isinstance(stream, ImagesStream) else None,
                explained=attribution.said() if attribution is not None else None,
            )
            if strict:
                _refuse(findings)
    return findings


class _Rows:
    """Encodes the rows, and notes how they differ from those of the training."""

    def __init__(self, stored: StoredModel, name: str) -> None:
        self.name = name
        self._stored, self._preprocessing = stored, stored.preprocessing
        self._without_history = 0
        self._rows, self._missing, self._unknown = 0, Counter[str](), Counter[str]()
        reference = stored.run.reference()
        self._comparison = None
        if reference is not None:
            known = TrainingColumns.from_json(reference, stored.run.path / "reference.json")
            self._comparison = Comparison(known, stored.preprocessing)

    def blocks(self, stream: RowStream) -> Iterator[Block]:
        """Yield the rows of a stream; of series, in one block, those that are the last of a window, with the windows.

        Raises:
            DataError: as the stream and `with_windows`; or the rows are arrays, of which none can be left out.
        """
        windows = self._preprocessing.windows
        if windows is None:
            yield from stream.blocks()
            return
        if isinstance(stream, ArraysStream):
            raise DataError(f"{self.name}: forecasts are written beside rows: save them as CSV, Parquet or JSON Lines")
        blocks = list(stream.blocks())  # a window may begin many blocks before
        windowed = windows.made_of(stacked([block.table for block in blocks]), lag=0)
        self._without_history = len(windowed.table) - len(windowed.examples)
        kept = pa.concat_tables([block.kept for block in blocks])
        yield Block(windowed.table.take(windowed.examples), kept.take(pa.array(windowed.examples)))

    def encode(self, block: Block) -> tuple[pa.Table, np.ndarray]:
        """Return the rows as they came, and as the model takes them."""
        encoded = self._preprocessing.encode(block.table)
        self._stored.refuse_indices(block.table, encoded.values)
        self._rows += len(encoded.values)
        self._missing.update(encoded.missing)
        self._unknown.update(encoded.unknown)
        if self._comparison is not None:
            self._comparison.add(block.table)
        return block.kept, encoded.values

    def findings(self) -> Findings:
        """Return what was noted."""
        expected = {encoder.column: _expects_missing(encoder) for encoder in self._preprocessing.columns}
        return Findings(
            self.name,
            self._rows,
            {name: Missing(count, expected[name]) for name, count in self._missing.items()},
            dict(self._unknown),
            self._comparison.findings() if self._comparison is not None else None,
            self._without_history,
        )


def regrouped(parts: Iterable[tuple[pa.Table, np.ndarray]], rows: int) -> Iterator[tuple[pa.Table, np.ndarray]]:
    """Yield the same rows in parts of whole multiples of `rows`, and what is left at the end.

    An evaluation takes blocks of so many rows from the first row on. Another cut could change the last bits.
    """
    rest: tuple[pa.Table, np.ndarray] | None = None
    for part in parts:
        kept, x = part
        if rest is not None:
            kept, x = pa.concat_tables([rest[0], kept]), np.concatenate([rest[1], x])
        whole = len(x) // rows * rows
        if whole:
            yield kept.slice(0, whole), x[:whole]
        rest = (kept.slice(whole), x[whole:]) if whole < len(x) else None
    if rest is not None:
        yield rest


def class_values(classes: Sequence[str]) -> pa.Array:
    """Return the classes as a column holds them: whole numbers or truth values where all are such, else texts."""
    if set(classes) == _TRUTHS:
        return pa.array([name == "true" for name in classes])
    if all(map(_WHOLE_NUMBER.fullmatch, classes)):
        return pa.array([int(name) for name in classes], pa.int64())
    return pa.array([*classes], pa.string())


def _kinds(stored: StoredModel) -> dict[str, str | None]:
    """Return what the texts of each column are read as: in a block of few rows, nothing could be told from them."""
    preprocessing, windows = stored.preprocessing, stored.preprocessing.windows
    if windows is not None:
        declared = declared_kinds(stored.spec.data, "regression")
        kinds: dict[str, str | None] = {name: declared.get(name) for name in windows.features}
        if windows.windows.by is not None:
            kinds.setdefault(windows.windows.by, None)
        if windows.time is not None:
            kinds.setdefault(windows.time, "datetime" if windows.dates else "number")
        return kinds
    return {encoder.column: _kind(encoder) for encoder in preprocessing.columns}


def _kind(encoder: Encoder) -> str | None:
    if isinstance(encoder, NumberEncoder):
        return "boolean" if encoder.truth else "number"
    if isinstance(encoder, DatetimeEncoder):
        return "datetime"
    return None if isinstance(encoder, ArrayEncoder) else "category"


def _expects_missing(encoder: Encoder) -> bool:
    if isinstance(encoder, CategoryEncoder | IndexEncoder):
        return "" in encoder.categories
    return getattr(encoder, "indicator", False)


def _added(target: Target, probabilities: bool) -> tuple[str, ...]:
    """Return the names of the columns that are added."""
    several = isinstance(target, SeveralTargets)
    names = tuple(f"{PREDICTION}_{name}" for name in target.columns) if several else (PREDICTION,)
    if not probabilities:
        return names
    if target.task in OF_NUMBERS:
        raise UsageError("--proba: this run predicts a number, which has no probabilities; leave it out")
    return (*names, *(f"{PROBABILITY}{name}" for name in target.classes))


def _columns(network: Network, predictions: np.ndarray, threshold: float, names: Sequence[str]) -> pa.Table:
    """Return the columns that are added, from predictions as `Network.predictions` describes them."""
    task, target = network.info.task, network.target
    if task == "multiregression":
        return pa.table([pa.array(column) for column in predictions.T], [*names])
    if task == "multilabel":
        decided = decide(task, predictions).T
        pairs = zip(target.parts, decided, strict=True)
        labels = [class_values(part.classes).take(pa.array(each)) for part, each in pairs]
        return pa.table([*labels, *map(pa.array, predictions.T)][: len(names)], [*names])
    if task == "regression":
        return pa.table([pa.array(predictions)], [*names])
    chosen = class_values(network.info.classes).take(pa.array(decide(task, predictions, threshold)))
    shares = [1 - predictions, predictions] if task == "binary" else [*predictions.T]
    return pa.table([chosen, *map(pa.array, shares[: len(names) - 1])], [*names])


def _attribution(stored: StoredModel, network: Network, baseline: np.ndarray | None) -> Attribution | None:
    if baseline is None:
        return None
    from mltrain.procedures.attribution import Attribution

    return Attribution(network, stored.preprocessing, baseline, stored.rule)


def _beside(columns: pa.Table, parts: np.ndarray, names: Sequence[str]) -> pa.Table:
    """Return the columns with `parts` (rows, names) behind them."""
    for name, values in zip(names, parts.T, strict=True):
        columns = columns.append_column(name, pa.array(np.ascontiguousarray(values)))
    return columns


def _refuse_not_finite(name: str, predictions: np.ndarray, done: int) -> None:
    finite = np.isfinite(predictions.reshape(len(predictions), -1)).all(axis=1)
    if not finite.all():
        row = done + int(np.argmin(finite)) + 1
        raise DataError(f"{name}: what the model says of row {row} is no finite number; are its values in range?")


def _refuse(findings: Findings) -> None:
    """Raise the error of `strict`, if there is one."""
    surprising = {name: each.count for name, each in findings.missing.items() if not each.expected}
    outside = {name: each.outside for name, each in findings.outside.items()}
    reasons = [
        f"{what} ({', '.join(f'{name}: {count}' for name, count in counts.items())})"
        for what, counts in (
            ("categories that no training row has", findings.unknown),
            ("values outside the range of the training rows", outside),
            ("missing values where no training row misses one", surprising),
        )
        if counts
    ]
    if findings.images is not None:
        reasons += findings.images.surprises()
    if reasons:
        raise DataError(f"{findings.data}: --strict: {'; '.join(reasons)}; nothing was written")
