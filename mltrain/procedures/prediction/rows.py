"""The rows that are predicted: read as the columns of the training were, encoded, and held against them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from mltrain.data.gap_filling import Filled
from mltrain.data.gaps import Gaps
from mltrain.data.joined_tables import stacked
from mltrain.data.reading import declared_kinds
from mltrain.data.several_targets import Target
from mltrain.data.streams.arrays import ArraysStream
from mltrain.data.streams.block import Block, RowStream
from mltrain.data.streams.images import ImagesStream
from mltrain.data.streams.json_lines import JsonLinesStream
from mltrain.data.streams.row_images import ImagesOfBlocks
from mltrain.data.training_columns import Comparison, TrainingColumns
from mltrain.data.window_use import Ahead
from mltrain.errors import DataError
from mltrain.procedures.prediction.findings import Findings, Missing
from mltrain.procedures.stored_model import StoredModel

_WHOLE = re.compile(r"0|-?[1-9]\d*")


class PredictedRows:
    """Encodes the rows, and notes how they differ from those of the training."""

    def __init__(self, stored: StoredModel, name: str, folder: Path, skip_bad: bool = False) -> None:
        self.name = name
        rules = stored.preprocessing.image_rules
        self.images = ImagesOfBlocks(folder, rules, skip_bad=skip_bad) if rules else None
        self._stored, self._preprocessing = stored, stored.preprocessing
        self._without_history = 0
        self._stream: RowStream | None = None
        self._gaps: Gaps | None = None
        self._ahead: Ahead | None = None
        self._filled: Filled | None = None
        self._rows, self._missing, self._unknown = 0, Counter[str](), Counter[str]()
        reference = stored.run.reference()
        self._comparison = None
        if reference is not None:
            known = TrainingColumns.from_json(reference, stored.run.path / "reference.json")
            self._comparison = Comparison(known, stored.preprocessing)

    def blocks(self, stream: RowStream) -> Iterator[Block]:
        """Yield the rows of a stream; of series, in one block, those that get a forecast, with the windows: the last
        rows of windows, or with known columns the rows that are forecast.

        Raises:
            DataError: as the stream and `with_windows`; or the rows are arrays, of which none can be left out.
        """
        self._stream = stream
        if self.images is not None and not isinstance(stream, ImagesStream):
            yield from self.images.opened(stream.blocks())
            return
        if not self._preprocessing.of_windows:
            yield from stream.blocks()
            return
        if isinstance(stream, ArraysStream):
            raise DataError(f"{self.name}: forecasts are written beside rows: save them as CSV, Parquet or JSON Lines")
        blocks = list(stream.blocks())  # a window may begin many blocks before
        windowed = self._preprocessing.windowed(stacked([block.table for block in blocks]), predicting=True)
        self._without_history = windowed.without_history
        self._gaps, self._ahead, self._filled = windowed.gaps, windowed.ahead, windowed.filled
        kept = pa.concat_tables([block.kept for block in blocks])
        yield Block(windowed.table.take(windowed.examples), kept.take(pa.array(windowed.examples)))

    def encode(self, block: Block) -> tuple[pa.Table, dict[str, np.ndarray]]:
        """Return the rows as they came, and as the model takes them: by the name of the input."""
        encoded = self._preprocessing.encode(block.table)
        self._stored.refuse_indices(block.table, encoded.inputs)
        self._rows += len(block.table)
        self._missing.update(encoded.missing)
        self._unknown.update(encoded.unknown)
        if self._comparison is not None:
            self._comparison.add(block.table)
        return block.kept, encoded.inputs

    def findings(self) -> Findings:
        """Return what was noted."""
        expected = {encoder.column: encoder.expects_missing for encoder in self._preprocessing.columns}
        return Findings(
            self.name,
            self._rows,
            {name: Missing(count, expected[name]) for name, count in self._missing.items()},
            dict(self._unknown),
            self._comparison.findings() if self._comparison is not None else None,
            self._without_history,
            gaps=self._gaps,
            ahead=self._ahead,
            filled=self._filled,
            absent=self._stream.absent if isinstance(self._stream, JsonLinesStream) else {},
        )


def kinds_of_targets(target: Target) -> dict[str, str]:
    """Return the kind of each target whose classes are codes such as 001: in a few rows they could be numbers."""
    return {part.column: "category" for part in target.parts if part.labels and not _are_read_alike(part.labels)}


def _are_read_alike(labels: Sequence[str]) -> bool:
    """Return whether a column of any of these classes is read as texts or as numbers alike, whatever rows it has."""
    return not any(label[:1].isdigit() for label in labels) or all(map(_WHOLE.fullmatch, labels))


def kinds_of(stored: StoredModel) -> dict[str, str | None]:
    """Return what the texts of each column are read as: in a block of few rows, nothing could be told from them."""
    declared = declared_kinds(stored.spec.data, stored.preprocessing.target.task)
    return stored.preprocessing.file_kinds(declared)
