"""What callbacks of Keras are told, and how often. Imports TensorFlow."""

from __future__ import annotations

import keras


def keras_logs(measured: dict[str, float]) -> dict[str, float]:
    """Return `measured` under the names that Keras callbacks know: `loss`, `val_loss`."""
    return {
        name.removeprefix("train.") if name.startswith("train.") else name.replace("validation.", "val_", 1): value
        for name, value in measured.items()
    }


def hooks_into_steps(callback: keras.callbacks.Callback) -> bool:
    """Return whether a callback wants to be called before or after each step."""
    names = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    return any(getattr(type(callback), name) is not getattr(keras.callbacks.Callback, name) for name in names)
