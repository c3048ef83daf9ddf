"""The loop on `tabular` against `model.fit`: `python -m benchmarks.tabular`, a minute.

`fit` trains a `keras.Model` whose `train_step` has the same loss of each member; both begin with the same weights, and
see the same rows in the same order, one epoch of each in turns. As in `training_loop`, the first epochs are not
counted, nor is the time to bring the rows into the order of the epoch for `fit`. The losses must agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases import SEED
from benchmarks.loop_beside_fit import loop_beside_fit
from benchmarks.ratios import Row, quick, show
from mltrain.tensorflow_start import start_tensorflow

ROUNDS, QUICK_ROUNDS = 7, 2
COLUMNS, CLASSES = 12, 3
# What fit shall take, as a multiple of ours, by the rows; the batch is that of the usual training.
CASES = {600: 2.5, 4_800: 2.5, 20_000: None}
QUICK_CASES = {600: 2.5}


def main() -> None:
    """Measure, and print the table."""
    short = quick(__doc__)
    start_tensorflow()
    show(measured(rows, bound, short) for rows, bound in (QUICK_CASES if short else CASES).items())


def measured(rows: int, bound: float | None, short: bool) -> Row:
    """Return the row of one table.

    Raises:
        SystemExit: the two trainings differ by more than rounding.
    """
    from mltrain.models.tabular import Tabular
    from mltrain.training.acceleration import Acceleration
    from mltrain.training.feed import ResidentFeed
    from mltrain.training.loop import CompiledSteps

    info = _info(rows)
    # Without dropout, whose random numbers are others in each compiled program.
    spec = Tabular(dropout=0.0)
    batch = spec.usual_training(info).batch_size
    x, y = _data(rows)
    ours, theirs = (_model(spec, info, x, own_step) for own_step in (False, True))
    acceleration = Acceleration(xla=True, unroll=False)
    loop = CompiledSteps(ours, ResidentFeed((x, y)), batch, acceleration, ours.steps)
    found, agreement = loop_beside_fit(loop, theirs, x, y, QUICK_ROUNDS if short else ROUNDS)
    what = f"tabular of {COLUMNS} columns, {rows:,} rows, batch {batch}"
    return Row(what, "`model.fit`", bound, found, agreement)


def _info(rows: int) -> Any:
    from mltrain.task import DataInfo, Input, Output

    names = tuple(map(str, range(COLUMNS)))
    given = Input("table", (COLUMNS,), "float32", names, numbers=tuple(range(COLUMNS)))
    return DataInfo((given,), (Output("y", "multiclass", CLASSES, tuple(map(str, range(CLASSES)))),), rows)


def _model(spec: Any, info: Any, x: np.ndarray, own_step: bool) -> Any:
    """Return the compiled model; with `own_step` as a class whose `train_step` is that of its members, for `fit`."""
    import keras

    from mltrain.models.members import MEMBERS
    from mltrain.models.walk import head_of
    from mltrain.training.member_steps import MemberSteps

    class Members(keras.Model):
        def train_step(self, data: Any) -> Any:
            self.steps(data)
            return self.get_metrics_result()

    keras.utils.set_random_seed(SEED)
    model = spec.build(info, None)
    spec.initialise(model, info, {"table": x}, {})
    if own_step:
        model = Members(model.input, model.output)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    batch = keras.KerasTensor((2, COLUMNS), dtype="float32"), keras.KerasTensor((2,), dtype="int32")
    model._symbolic_build(data_batch=batch)
    model.steps = MemberSteps(model, model.get_layer(MEMBERS), head_of(model))
    return model


def _data(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers, and classes that some of them tell."""
    draw = np.random.default_rng(SEED)
    x = draw.normal(size=(rows, COLUMNS)).astype(np.float32)
    y = np.digitize(x[:, 0] + x[:, 1] ** 2, (0.5, 1.5)).astype(np.int32)
    return x, y


if __name__ == "__main__":
    main()
