"""Linear regression on 80 rows, all of them in every step: `python -m benchmarks.linear_regression`, two minutes.

Nothing is left to compute here, so this is what an epoch costs beside its step. Each way trains 200 epochs, keeps a
history, and is asked at the end of every epoch whether to stop and whether to lower the learning rate: mltrain by its
own two callbacks, `fit` by those of Keras with the same names. The script is the one of an introduction to gradient
descent: it has the history and no callbacks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ratios import Row, in_turns, quick, ratio, show
from mltrain.tensorflow_start import start_tensorflow

ROWS, EPOCHS, ROUNDS = 80, 200, 9
QUICK_EPOCHS, QUICK_ROUNDS = 20, 2
LEARNING_RATE, PATIENCE = 0.1, 1_000
# Slope and intercept of all three; the script sums its gradients in another order.
TOLERANCE = 1e-5


def main() -> None:
    short = quick(__doc__)
    start_tensorflow()
    show(measured(QUICK_EPOCHS, QUICK_ROUNDS) if short else measured(EPOCHS, ROUNDS))


def measured(epochs: int, rounds: int) -> Iterator[Row]:
    """Yield the rows of the table.

    Raises:
        SystemExit: the lines that were found differ.
    """
    random = np.random.default_rng(42)
    x = random.random((ROWS, 1), dtype=np.float32)
    y = (2 * x + 1 + random.normal(0, 0.1, (ROWS, 1))).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        ways = {
            "mltrain": _mltrain(x, y, epochs, Path(name)),
            "script": _script(x, y, epochs),
            "fit": _fit(x, y, epochs, Path(name)),
        }
        lines: dict[str, np.ndarray] = {}

        def keep(way: str) -> None:
            lines[way] = ways[way]()

        seconds = in_turns({way: lambda way=way: keep(way) for way in ways}, rounds)
    apart = max(float(np.abs(lines["mltrain"] - line).max()) for line in lines.values())
    if apart > TOLERANCE:
        raise SystemExit(f"slopes and intercepts differ by {apart:.3g}: {lines}")
    results = f"slope and intercept within {apart:.0e}" if apart else "slope and intercept equal bit for bit"
    work = f"linear regression, {ROWS} rows in one step, {epochs} epochs, callbacks, history"
    yield Row(work, "GradientTape script", 2, ratio(seconds["script"], seconds["mltrain"]), results)
    yield Row(work, "`model.fit`", 25, ratio(seconds["fit"], seconds["mltrain"]), results)


def _model() -> Any:
    import keras

    from mltrain.keras_api.components import make
    from mltrain.task import DataInfo, Input, Output
    from mltrain.training.compilation import compile_model
    from mltrain.training.spec import TrainingSpec

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    spec = TrainingSpec(optimizer=make("optimizer", "SGD", learning_rate=LEARNING_RATE), metrics=())
    info = DataInfo((Input("x", (1,), "float32"),), (Output("y", "regression", 1),), ROWS)
    compile_model(model, spec, info, scaled=False)
    return model


def _start_again(model: Any) -> None:
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])


def _line(model: Any) -> np.ndarray:
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


def _mltrain(x: np.ndarray, y: np.ndarray, epochs: int, directory: Path) -> Callable[[], np.ndarray]:
    from mltrain.run.history import HistoryFile
    from mltrain.task import Objective
    from mltrain.training.callback import EpochRules
    from mltrain.training.early_stopping import EarlyStopping
    from mltrain.training.feed import ResidentFeed
    from mltrain.training.leading import ALONE
    from mltrain.training.loop import CompiledSteps
    from mltrain.training.reduce_learning_rate import ReduceLROnPlateau
    from mltrain.training.shared_epochs import SharedEpochs
    from mltrain.training.signals import Interruption
    from mltrain.training.spec import TrainingSpec
    from mltrain.training.stage import Stage, Steps
    from mltrain.training.training import Training

    model = _model()
    loop, objective = CompiledSteps(model, ResidentFeed((x, y)), ROWS), Objective("train.loss", "min")
    shared, path = SharedEpochs.of(loop), directory / "mltrain.csv"

    class OneStage:
        """The whole training."""

        count, steps_of_epoch, feed, leading = 1, loop.steps, loop.feed, ALONE

        def __init__(self) -> None:
            self.model = model

        def begin(self, number: int, before: Stage | None) -> Stage:
            callbacks = [each(patience=PATIENCE).build(objective) for each in (EarlyStopping, ReduceLROnPlateau)]
            return Stage(epochs, EpochRules(objective, callbacks=callbacks))

        def steps(self, number: int) -> Steps:
            return Steps(loop, seed=42, shared=shared)

    def run() -> np.ndarray:
        _start_again(model)
        path.unlink(missing_ok=True)
        history = HistoryFile(path)
        training = Training(TrainingSpec(epochs=epochs), OneStage(), Interruption())
        for record in training.epochs(lambda epoch, done, steps, loss: None):
            history.append({"epoch": record.epoch, **record.measured, "learning_rate": record.learning_rate})
        return _line(model)

    return run


def _script(x: np.ndarray, y: np.ndarray, epochs: int) -> Callable[[], np.ndarray]:
    import tensorflow as tf

    examples, targets = tf.constant(x[:, 0]), tf.constant(y[:, 0])

    def run() -> np.ndarray:
        slope, intercept = tf.Variable(0.0), tf.Variable(0.0)
        history = []
        for epoch in range(epochs):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(slope * examples + intercept - targets))
            slope_gradient, intercept_gradient = tape.gradient(loss, [slope, intercept])
            slope.assign_sub(LEARNING_RATE * slope_gradient)
            intercept.assign_sub(LEARNING_RATE * intercept_gradient)
            history.append((epoch, float(loss), float(slope), float(intercept)))
        return np.array([slope.numpy(), intercept.numpy()])

    return run


def _fit(x: np.ndarray, y: np.ndarray, epochs: int, directory: Path) -> Callable[[], np.ndarray]:
    import keras

    model = _model()

    def run() -> np.ndarray:
        _start_again(model)
        callbacks = [
            keras.callbacks.EarlyStopping(monitor="loss", patience=PATIENCE),
            keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=PATIENCE),
            keras.callbacks.CSVLogger(directory / "fit.csv"),
        ]
        model.fit(x, y, batch_size=ROWS, epochs=epochs, callbacks=callbacks, verbose=0)
        return _line(model)

    return run


if __name__ == "__main__":
    main()
