"""A fusion of a table, texts and images against `model.fit`: `python -m benchmarks.several_inputs`, some minutes.

Both train the same Keras model from the same weights on the same rows in the same order, one epoch of each in turns. As
in `training_loop`, the first epochs are not counted, nor is the time to bring the rows into the order of the epoch for
`fit`. Weights and losses must agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases import SEED
from benchmarks.loop_beside_fit import loop_beside_fit
from benchmarks.ratios import Row, quick, show
from mltrain.tensorflow_start import start_tensorflow

ROUNDS, QUICK_ROUNDS = 5, 2
ROWS, QUICK_ROWS = 6_400, 640
TOKENS, VOCABULARY, COLUMNS, CLASSES = 64, 5_000, 20, 10
# What fit shall take, as a multiple of ours, by the convolutions of the image.
CASES = {(16, 32): 2.5, (32, 64, 128): None}
BATCH = 32


def main() -> None:
    """Measure, and print the table."""
    short = quick(__doc__)
    start_tensorflow()
    show(measured(filters, bound, QUICK_ROWS if short else ROWS, short) for filters, bound in CASES.items())


def measured(filters: tuple[int, ...], bound: float | None, rows: int, short: bool) -> Row:
    """Return the row of one fusion.

    Raises:
        SystemExit: the two trainings differ by more than rounding.
    """
    from mltrain.training.feed import ResidentFeed
    from mltrain.training.loop import CompiledSteps

    arrays, y = _data(rows)
    ours, theirs = _model(filters, rows), _model(filters, rows)
    loop = CompiledSteps(ours, ResidentFeed((arrays, y)), BATCH)
    found, agreement = loop_beside_fit(loop, theirs, arrays, y, QUICK_ROUNDS if short else ROUNDS)
    what = f"fusion of {COLUMNS} columns, {TOKENS} tokens and 28×28 images {filters}, batch {BATCH}"
    return Row(what, "`model.fit`", bound, found, agreement)


def _model(filters: tuple[int, ...], rows: int) -> Any:
    import keras

    from mltrain.models.cnn import Cnn
    from mltrain.models.fusion import Fusion
    from mltrain.task import DataInfo, Input, Output

    keras.utils.set_random_seed(SEED)
    inputs = (
        Input("table", (COLUMNS,), "float32", tuple(map(str, range(COLUMNS)))),
        Input("text", (TOKENS,), "int32", indices=VOCABULARY),
        Input("image", (28, 28, 1), "float32"),
    )
    output = Output("y", "multiclass", CLASSES, tuple(map(str, range(CLASSES))))
    model = Fusion(inputs={"image": Cnn(filters=filters)}).build(DataInfo(inputs, (output,), rows), None)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    batch = [keras.KerasTensor((2, *each.shape), dtype=each.dtype) for each in inputs]
    model._symbolic_build(data_batch=(batch, keras.KerasTensor((2,), dtype="int32")))
    return model


def _data(rows: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the inputs, and classes that each of them tells a little of."""
    draw = np.random.default_rng(SEED)
    y = draw.integers(0, CLASSES, rows).astype(np.int32)
    table = draw.normal(size=(rows, COLUMNS)).astype(np.float32)
    table[:, 0] += y
    text = draw.integers(1, VOCABULARY, (rows, TOKENS)).astype(np.int32)
    text[:, 0] = y + 1
    image = draw.normal(size=(rows, 28, 28, 1)).astype(np.float32)
    image[:, :4, :4, 0] += y[:, None, None] / CLASSES
    return [table, text, image], y


if __name__ == "__main__":
    main()
