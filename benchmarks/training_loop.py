"""An epoch of mltrain's compiled loop against one of `model.fit`: `python benchmarks/training_loop.py`, a minute.

Both train the same model from the same weights on the same rows in the same order, an epoch of one and an epoch of the
other in turns. The first epochs, in which both trace their functions, are not counted, and neither is the time to bring
the rows into the order of the epoch for `fit`, which the loop does inside. At the end the weights and the losses must
agree: to the last bit for dense nets, to 1e-5 where the sums of a convolution or a recurrence may run in another order.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from ratios import machine, ratio

from mltrain.task import DataInfo, Objective, Task
from mltrain.tensorflow_start import start_tensorflow

SEED = 42


@dataclass(frozen=True)
class Case:
    """One model on one set of random rows.

    Attributes:
        name: in the table.
        task: multiclass with 10 classes, or regression.
        rows: of the data.
        shape: of one example.
        batch_size: rows in a step.
        layers: makes the layers before the head.
        epochs: that are measured.
        tolerance: how far weights and losses may be apart; 0 is bit for bit.
    """

    name: str
    task: Task
    rows: int
    shape: tuple[int, ...]
    batch_size: int
    layers: Callable[[Any], list[Any]]
    epochs: int = 21
    tolerance: float = 0.0


CASES = (
    Case(
        "dense 784-64-10, batch 32",
        "multiclass",
        20_000,
        (784,),
        32,
        lambda layers: [layers.Dense(64, activation="relu")],
    ),
    Case(
        "table 20-128-128-1, batch 256",
        "regression",
        20_000,
        (20,),
        256,
        lambda layers: [layers.Dense(128, activation="relu"), layers.Dense(128, activation="relu")],
    ),
    Case("linear regression, 100 rows in one step", "regression", 100, (1,), 100, lambda layers: [], epochs=99),
    Case(
        "CNN 3×3×16, 3×3×32 on 16×16, batch 32",
        "multiclass",
        2_000,
        (16, 16, 1),
        32,
        lambda layers: [
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Flatten(),
        ],
        tolerance=1e-5,
    ),
    Case(
        "LSTM of 32 units on 32 steps, batch 32",
        "multiclass",
        1_500,
        (32, 1),
        32,
        lambda layers: [layers.LSTM(32)],
        tolerance=1e-5,
    ),
)


def main() -> None:
    start_tensorflow()
    print(f"{machine()}; medians over the epochs (lowest to highest)\n")
    print("| model | `model.fit` / loop, an epoch | weights and losses |\n|---|---|---|")
    for case in CASES:
        ours, theirs, difference = _measured(case)
        if difference > case.tolerance:
            raise SystemExit(f"{case.name}: weights or losses differ by {difference:.3g}")
        agree = "equal bit for bit" if difference == 0 else f"differ by {difference:.0e} at most"
        print(f"| {case.name} | {ratio(theirs, ours)} | {agree} |", flush=True)


def _measured(case: Case) -> tuple[list[float], list[float], float]:
    """Return the seconds of our epochs and of those of fit, and how far the results are apart."""
    from mltrain.training.order import epoch_order

    random = np.random.default_rng(SEED)
    x = random.random((case.rows, *case.shape), dtype=np.float32)
    y = random.integers(0, 10, case.rows) if case.task == "multiclass" else random.random(case.rows)
    y = y.astype(np.int32) if case.task == "multiclass" else y.astype(np.float32).reshape(-1, 1)
    looped, fitted = _model(case), _model(case)
    fitted.set_weights(looped.get_weights())

    epochs = _epochs(case, looped, x, y)
    ours, theirs, apart = [], [], []
    for epoch in range(1, case.epochs + 2):
        started = time.perf_counter()
        loss = next(epochs)
        ours.append(time.perf_counter() - started)

        order = epoch_order(case.rows, SEED, epoch)
        x_ordered, y_ordered = x[order], y[order]
        started = time.perf_counter()
        history = fitted.fit(x_ordered, y_ordered, batch_size=case.batch_size, shuffle=False, verbose=0).history
        theirs.append(time.perf_counter() - started)
        apart.append(abs(loss - history["loss"][0]))
    pairs = zip(looped.get_weights(), fitted.get_weights(), strict=True)
    apart += [float(np.abs(mine - their).max()) for mine, their in pairs]
    return ours[1:], theirs[1:], max(apart)


def _model(case: Case) -> Any:
    """Return the model, compiled as mltrain does it."""
    import keras

    from mltrain.training.compilation import compile_model
    from mltrain.training.spec import TrainingSpec

    keras.utils.set_random_seed(SEED)
    outputs = 10 if case.task == "multiclass" else 1
    head = keras.layers.Dense(outputs, activation="softmax" if case.task == "multiclass" else None)
    model = keras.Sequential([keras.Input(case.shape), *case.layers(keras.layers), head])
    classes = tuple(map(str, range(10))) if case.task == "multiclass" else ()
    info = DataInfo(case.task, case.shape, "float32", outputs, classes, (), case.rows)
    compile_model(model, TrainingSpec(), info, scaled=False)
    return model


def _epochs(case: Case, model: Any, x: np.ndarray, y: np.ndarray) -> Iterator[float]:
    """Yield the loss of each epoch, trained by mltrain."""
    from mltrain.training.fit import Training
    from mltrain.training.loop import TrainingLoop
    from mltrain.training.signals import Interruption
    from mltrain.training.spec import TrainingSpec

    training = Training(
        spec=TrainingSpec(epochs=case.epochs + 1),
        model=model,
        loop=TrainingLoop(model, (x, y), case.batch_size),
        validation=None,
        measure=lambda outputs: {},
        objective=Objective("train.loss", "min"),
        callbacks=(),
        stop_when=None,
        seed=SEED,
        interruption=Interruption(),
    )
    for record in training.epochs(lambda epoch, done, steps, loss: None):
        yield record.measured["train.loss"]


if __name__ == "__main__":
    main()
