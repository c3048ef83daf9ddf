"""Blocks of rows that name image files, or hold images: opened block by block, in the form of the training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltrain.data.files.bad_images import BadImage, BadImagesError, named_lines
from mltrain.data.files.image_form import Conversions
from mltrain.data.files.row_images import ImageRule, RowImages, open_images
from mltrain.data.streams.block import Block

_BLOCK_BYTES, _FEWEST_ROWS, _MOST_ROWS = 16 * 2**20, 16, 4096


class ImagesOfBlocks:
    """Opens the images of blocks, and notes what was done.

    Args:
        folder: that of the file with the rows.
        rules: how the images of each column are read.
        skip_bad: whether rows whose images cannot be used are left out, instead of refused.
    """

    def __init__(self, folder: Path, rules: Mapping[str, ImageRule], *, skip_bad: bool = False) -> None:
        self._folder, self._rules, self._skip_bad = folder, rules, skip_bad
        size = sum(math.prod(rule.form.shape) for rule in rules.values())
        self._rows = max(_FEWEST_ROWS, min(_MOST_ROWS, _BLOCK_BYTES // size))
        self._looked_at = 0
        self._bad: list[BadImage] = []
        self._read = dict.fromkeys(rules, 0)
        self._conversions = dict.fromkeys(rules, Conversions())

    def opened(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Yield the rows of blocks with arrays in the place of their images.

        Raises:
            BadImagesError: images cannot be used, all of them named, also those of later rows. Where their rows are to
                be skipped: not one row is left.
            DataError: a column holds something else than paths or bytes.
        """
        kept = 0
        for part in self._parts(blocks):
            opened = self._open(part)
            if self._bad and not self._skip_bad:
                continue  # the error names all of them
            if len(opened.rows):
                kept += len(opened.rows)
                yield Block(opened.table, part.kept if not opened.bad else part.kept.take(pa.array(opened.rows)))
        if self._bad and not (self._skip_bad and kept):
            advice = "" if self._skip_bad else "; --skip-bad predicts the others"
            raise BadImagesError(self._bad, self._looked_at, advice, "row")

    def _parts(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """Yield blocks of fewer rows: an image is more than its path."""
        for block in blocks:
            rows = len(block.kept)
            for first in range(0, rows, self._rows):
                last = min(first + self._rows, rows)
                whole = last - first == rows
                table = block.table if whole else block.table.take(np.arange(first, last))
                yield Block(table, block.kept.slice(first, last - first))

    def _open(self, part: Block) -> RowImages:
        opened = open_images(part.table, self._folder, self._rules, skip_bad=True)
        self._looked_at += len(part.kept)
        self._bad += opened.bad
        for name, done in opened.conversions.items():
            self._conversions[name] += done
            self._read[name] += opened.read[name]
        return opened

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was left out, and done to images so far."""
        skipped = f"skipped {len(self._bad):,} of {self._looked_at:,} rows, whose images cannot be used:"
        return (*((skipped, *named_lines(self._bad, "row")) if self._bad else ()), *self._done)

    def as_json(self) -> dict[str, Any]:
        """Return the same for JSON, by the name of the column; what was skipped is beside them."""
        columns = {
            name: {
                "size": [rule.form.height, rule.form.width],
                "channels": "grayscale" if rule.form.gray else "rgb",
                **asdict(self._conversions[name]),
            }
            for name, rule in self._rules.items()
        }
        skipped = {"skipped": len(self._bad), "skipped_rows": [each.as_json() for each in self._bad]}
        return {"columns": columns, **(skipped if self._bad else {})}

    def surprises(self) -> list[str]:
        """Return nothing: training images may have needed conversions, too."""
        return []

    @property
    def _done(self) -> list[str]:
        """What was done to the images of each column."""
        return [
            f"{name}: {decision.reason}"
            for name, rule in self._rules.items()
            for decision in self._conversions[name].decisions(rule.form, self._read[name])
        ]
