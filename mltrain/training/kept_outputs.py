"""The outputs of a part of a model that is not trained, computed once for all rows. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf

from mltrain.training.evaluation_loop import in_full_vectors

# From shape and dtype to an array without values.
Allocate = Callable[[tuple[int, ...], str], np.ndarray]


@dataclass(frozen=True)
class LowerPart:
    """A part of a model that gives the same for the same rows in every step.

    Attributes:
        run: from the inputs of the model to what the part gives, as a list of tensors.
        outputs: shape, without the batch, and dtype of each.
        block: rows in one call.
    """

    run: Callable[[Sequence[Any]], Sequence[Any]]
    outputs: tuple[tuple[tuple[int, ...], str], ...]
    block: int

    @cached_property
    def _of_block(self) -> Any:
        def of_block(*block: Any) -> list[Any]:
            return in_full_vectors(lambda some: list(self.run(some)), list(block))

        return tf.function(of_block, autograph=False)

    def bytes_of(self, rows: int) -> int:
        """Return the bytes of what it gives for so many rows."""
        return sum(rows * int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in self.outputs)

    def of_rows(self, inputs: Sequence[Any], allocate: Allocate, between: Callable[[], None]) -> list[np.ndarray]:
        """Return what it gives for all rows.

        Args:
            inputs: tensors with rows on their first axis.
            allocate: makes the arrays.
            between: called after each block; it may raise, to stop.
        """
        rows = len(inputs[0])
        found = [allocate((rows, *shape), dtype) for shape, dtype in self.outputs]
        # Of any number of rows: tracing a deep network takes seconds, and the last block of each split is smaller.
        of_block = self._of_block.get_concrete_function(
            *(tf.TensorSpec((None, *each.shape[1:]), each.dtype) for each in inputs)
        )
        for first in range(0, rows, self.block):
            given = of_block(*(each[first : first + self.block] for each in inputs))
            for array, values in zip(found, given, strict=True):
                array[first : first + self.block] = values.numpy()
            between()
        return found
