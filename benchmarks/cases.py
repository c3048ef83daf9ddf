"""The models that training is measured with, each with random rows that it can learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mltrain.task import DataInfo, Input, Output, Task

SEED = 42
CLASSES = 10
# Of the patterns, below noise of 1: no class is certain.
STRENGTH = 0.15
TOKENS, VOCABULARY = 64, 1_000


@dataclass(frozen=True)
class Case:
    """One model on one set of rows.

    Attributes:
        name: in the table.
        task: multiclass with 10 classes, or regression.
        rows: of the data.
        shape: of one example; int32 tokens where it is `(TOKENS,)`.
        batch_size: rows in a step.
        body: makes what is between the input and the head.
        tolerance: how far weights and losses may be from those of `fit`; 0 is bit for bit.
    """

    name: str
    task: Task
    rows: int
    shape: tuple[int, ...]
    batch_size: int
    body: Callable[[Any, Any], Any]
    tolerance: float = 0.0

    @property
    def tokens(self) -> bool:
        """Whether the examples are tokens."""
        return self.shape == (TOKENS,)

    @property
    def info(self) -> DataInfo:
        """What mltrain knows of the data."""
        classes = tuple(map(str, range(CLASSES))) if self.task == "multiclass" else ()
        given = Input("x", self.shape, "int32" if self.tokens else "float32")
        return DataInfo((given,), (Output("y", self.task, len(classes) or 1, classes),), self.rows)


def _dense(keras: Any, x: Any) -> Any:
    return keras.layers.Dense(64, activation="relu")(x)


def _table(keras: Any, x: Any) -> Any:
    return keras.layers.Dense(128, activation="relu")(keras.layers.Dense(128, activation="relu")(x))


def _convolutions(keras: Any, x: Any) -> Any:
    x = keras.layers.MaxPooling2D()(keras.layers.Conv2D(32, 3, activation="relu")(x))
    x = keras.layers.MaxPooling2D()(keras.layers.Conv2D(64, 3, activation="relu")(x))
    return keras.layers.Flatten()(x)


def _lstm(keras: Any, x: Any) -> Any:
    return keras.layers.LSTM(64)(x)


def _wide_lstm(keras: Any, x: Any) -> Any:
    return keras.layers.LSTM(128)(x)


def _gru(keras: Any, x: Any) -> Any:
    return keras.layers.GRU(64)(x)


def _transformer(keras: Any, x: Any) -> Any:
    layers = keras.layers
    x = layers.Embedding(VOCABULARY, 64)(x)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 16)(x, x))
    x = layers.LayerNormalization()(x + layers.Dense(64)(layers.Dense(128, activation="relu")(x)))
    return layers.GlobalAveragePooling1D()(x)


# 59,990 rows are no multiple of the batch: the last step of an epoch is a smaller one.
DENSE = Case("dense 784-64-10, batch 32", "multiclass", 59_990, (784,), 32, _dense)
TABLE = Case("table 20-128-128-1, batch 256", "regression", 70_000, (20,), 256, _table)
CNN = Case("CNN 28×28 (32-64), batch 64", "multiclass", 12_800, (28, 28, 1), 64, _convolutions, tolerance=1e-5)
LSTM = Case("LSTM 64 over 50 steps, batch 64", "multiclass", 6_400, (50, 16), 64, _lstm, tolerance=1e-5)
GRU = Case("GRU 64 over 50 steps, batch 64", "multiclass", 6_400, (50, 16), 64, _gru, tolerance=1e-5)
WIDE_LSTM = Case("LSTM 128 over 50 steps, batch 128", "multiclass", 6_400, (50, 16), 128, _wide_lstm, tolerance=1e-5)
TRANSFORMER = Case(
    f"embedding + transformer block, {TOKENS} tokens, batch 64",
    "multiclass",
    3_200,
    (TOKENS,),
    64,
    _transformer,
    tolerance=1e-3,
)
CASES = (DENSE, TABLE, CNN, LSTM, WIDE_LSTM, GRU, TRANSFORMER)


def named(name: str, rows: int) -> Case:
    """Return a case with as many rows."""
    return replace(next(case for case in CASES if case.name == name), rows=rows)


def data(case: Case, rows: int | None = None, seed: int = SEED) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y: classes are patterns below noise, a value is a function of its columns.

    The patterns are the same for every `seed`, so that another one gives rows that were not trained on.
    """
    rows = rows or case.rows
    patterns, random = np.random.default_rng(0), np.random.default_rng(seed)
    if case.task == "regression":
        x = random.normal(size=(rows, *case.shape)).astype(np.float32)
        return x, (x[:, 0] * x[:, 1] + np.sin(x[:, 2])).astype(np.float32).reshape(-1, 1)
    y = random.integers(0, CLASSES, rows).astype(np.int32)
    if case.tokens:
        # Each class prefers a tenth of the words for a quarter of its tokens.
        x = random.integers(0, VOCABULARY, (rows, *case.shape))
        words = VOCABULARY // CLASSES
        preferred = y[:, None] * words + x % words
        return np.where(random.random(x.shape) < 0.25, preferred, x).astype(np.int32), y
    x = random.normal(size=(rows, *case.shape)).astype(np.float32)
    # Patches of 4 × 4 (or of 4 steps) rather than single numbers: a convolution or a recurrence has to see them.
    coarse = patterns.normal(size=(CLASSES, *(-(-size // 4) if size > 1 else 1 for size in case.shape)))
    for axis, size in enumerate(case.shape, start=1):
        coarse = coarse.repeat(4, axis).take(range(size), axis)
    return x + (STRENGTH * coarse).astype(np.float32)[y], y


def build(case: Case, precision: str = "float32") -> Any:
    """Return the model, compiled as mltrain does it, with the same first weights every time."""
    import keras

    from mltrain.training.compilation import compile_model
    from mltrain.training.spec import TrainingSpec

    keras.config.set_dtype_policy(precision)
    try:
        model = bare_model(case, keras)
    finally:
        keras.config.set_dtype_policy("float32")
    compile_model(model, TrainingSpec(), case.info, scaled=False)
    return model


def bare_model(case: Case, keras: Any) -> Any:
    """Return the model as Keras alone makes it; its head computes in float32, as mltrain's do."""
    keras.utils.set_random_seed(SEED)
    info = case.info
    inputs = keras.Input(case.shape, dtype=info.input.dtype)
    activation = "softmax" if case.task == "multiclass" else None
    return keras.Model(
        inputs, keras.layers.Dense(info.output.units, activation=activation, dtype="float32")(case.body(keras, inputs))
    )
