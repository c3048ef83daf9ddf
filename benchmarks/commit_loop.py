"""Print the seconds of an epoch of the loop, the median of five: what compare_commits.py runs with each commit.

It stands alone and uses the least of mltrain that can be, so that it runs with commits of long ago.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from mltrain.tensorflow_start import start_tensorflow

ROWS, BATCH, EPOCHS = 20_000, 32, 5


def main() -> None:
    start_tensorflow()
    import keras

    try:
        from mltrain.training.feed import ResidentFeed
        from mltrain.training.loop import CompiledSteps
        from mltrain.training.progress import Chunks, epoch_order
    except ImportError:  # a commit before the loop had a feed
        from mltrain.training.chunks import Chunks
        from mltrain.training.order import epoch_order

        from mltrain.training.loop import TrainingLoop as CompiledSteps

        ResidentFeed = tuple  # type: ignore[misc,assignment] # noqa: N806 (there it took the arrays themselves)

    keras.utils.set_random_seed(42)
    random = np.random.default_rng(42)
    x, y = random.random((ROWS, 784), dtype=np.float32), random.integers(0, 10, ROWS).astype(np.int32)
    layers = [keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10, activation="softmax")]
    model = keras.Sequential([keras.Input((784,)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    batch = keras.KerasTensor((2, 784), dtype="float32"), keras.KerasTensor((2,), dtype="int32")
    model._symbolic_build(data_batch=batch)
    loop, chunks, seconds = CompiledSteps(model, ResidentFeed((x, y)), BATCH), Chunks(), []
    for epoch in range(1, EPOCHS + 2):  # the first one traces
        started = time.perf_counter()
        for _ in loop.epoch(epoch_order(ROWS, 42, epoch), chunks):
            loop.metrics()
        seconds.append(time.perf_counter() - started)
    print(statistics.median(seconds[1:]))


if __name__ == "__main__":
    main()
