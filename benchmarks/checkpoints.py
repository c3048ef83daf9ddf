"""What checkpoints cost: `python -m benchmarks.checkpoints`, four minutes, up to 1 GB below the working directory.

Three questions, each with the limit that mltrain promises:

- Of the time of a training at the default cadence, how much is spent in checkpoints? At most 2 %. Training waits while
  one is written, so the time inside them is what they cost: it is summed in the very run whose time it is divided by.
  The difference between a run with and one without would be smaller than the noise of either.
- How long does one take, by the size of the model? At most 100 ms per million parameters. The optimizer is Adam: three
  arrays of the model's size. In turns with a plain write and flush of as many bytes, which is what the disk takes.
- Does the memory of the process stay where it is over 500 of them?
"""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.ratios import Ratio, in_turns, machine, quick, ratio
from mltrain.config.load import load_text
from mltrain.errors import InterruptedRunError
from mltrain.run.opening import create_run
from mltrain.task import DataInfo, Input, Objective, Output
from mltrain.tensorflow_start import start_tensorflow
from mltrain.training.signals import Interruption
from mltrain.training.spec import CheckpointSpec, TrainingSpec

CONFIGS = Path(__file__).parent.parent / "configs"
ROUNDS, QUICK_ROUNDS = 7, 2
INPUTS, CLASSES = 784, 10
# Units of two layers between 784 inputs and 10 classes, and the million parameters that they make.
SIZES = ((110, 0.1), (679, 1.0), (1873, 5.0), (4092, 20.0))
# Longer than the 60 seconds of the default cadence, so that it writes in the middle, too.
LONG = """\
version: 1
name: long
data:
  source: {type: synthetic, kind: blobs, rows: 20000}
model: {type: mlp, units: [512, 512, 512]}
training:
  epochs: 1000000
  batch_size: 32
"""
LONG_SECONDS = 80
CHECKPOINTS, QUICK_CHECKPOINTS, FIRST_LOOK = 500, 60, 50


class Deadline(Interruption):
    """Stops a training after a time, as a signal does."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._end = time.monotonic() + seconds

    def raise_if_received(self) -> None:
        if time.monotonic() > self._end:
            raise InterruptedRunError("enough", signal.SIGTERM)


def main() -> None:
    short = quick(__doc__)
    rounds = QUICK_ROUNDS if short else ROUNDS
    count = QUICK_CHECKPOINTS if short else CHECKPOINTS
    start_tensorflow()
    # Below the working directory: the system's directory for temporary files is often memory, where a flush is nothing.
    with tempfile.TemporaryDirectory(dir=".", prefix="checkpoints-") as name:
        directory = Path(name).resolve()
        print(f"{machine()}; medians of {rounds} rounds (lowest to highest)\n")
        # First: growth would hide in what the others have freed.
        first, last = _memory(directory, count)
        print(
            f"resident after {FIRST_LOOK} checkpoints: {first:.1f} MiB; after {count}: {last:.1f} MiB\n",
            flush=True,
        )
        print("| training | seconds | checkpoints | share of the time, % |\n|---|---|---|---|")
        for config in ("breast_cancer", "digits_cnn"):
            text = (CONFIGS / f"{config}.yaml").read_text("utf-8")
            print(_share(config, text, directory, rounds, Interruption), flush=True)
        title = f"0.5 million parameters, stopped after {LONG_SECONDS} s"
        if not short:
            print(_share(title, LONG, directory, 1, lambda: Deadline(LONG_SECONDS)), flush=True)
        print("\n| million parameters | ms | ms per million | × a plain write and flush |\n|---|---|---|---|")
        for line in _sizes(directory, SIZES[:2] if short else SIZES, rounds):
            print(line, flush=True)


def _share(title: str, text: str, directory: Path, rounds: int, interruption: Callable[[], Interruption]) -> str:
    """Return the row of a training at the default cadence."""
    measured = [_train(text, directory / f"{title}-{number}", interruption()) for number in range(rounds)]
    seconds = statistics.median(training for training, _, _ in measured)
    shares = [100 * inside / training for training, inside, _ in measured]
    share = Ratio(statistics.median(shares), min(shares), max(shares))
    return f"| {title} | {seconds:.1f} | {measured[0][2]} | {share} |"


def _train(text: str, path: Path, interruption: Interruption) -> tuple[float, float, int]:
    """Train; return the seconds from before the first step to after the last checkpoint, those inside checkpoints, and
    how many directories were written."""
    from mltrain.procedures import checkpoints, fitting
    from mltrain.procedures.train import Place, TrainRequest, train

    inside, whole, written = [0.0], [0.0], [0]
    depth = [0]

    @contextmanager
    def clock(total: list[float]) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            total[0] += time.perf_counter() - started

    class Timed(checkpoints.Checkpoints):
        """Adds up the time of what training calls, once where one calls the other."""

        def __getattribute__(self, name: str) -> Any:
            found = super().__getattribute__(name)
            if name not in ("write", "chunk_ended", "epoch_ended", "finish") or depth[0]:
                return found

            def timed(*arguments: Any) -> Any:
                depth[0] += 1
                try:
                    with clock(inside):
                        return found(*arguments)
                finally:
                    depth[0] -= 1

            return timed

    real_fit, real_write = fitting.train_network, checkpoints.write_checkpoint

    def fit(*arguments: Any, **options: Any) -> Any:
        with clock(whole):
            return real_fit(*arguments, **options)

    def write(*arguments: Any) -> Path:
        written[0] += 1
        return real_write(*arguments)

    with (
        mock.patch.object(fitting, "Checkpoints", Timed),
        mock.patch.object(fitting, "train_network", fit),
        mock.patch.object(checkpoints, "write_checkpoint", write),
        suppress(InterruptedRunError),
    ):
        loaded = load_text(text.encode(), "config.yaml", path.parent)
        train(TrainRequest(loaded, Place(path.parent, path), (), quiet=True), interruption)
    return whole[0], inside[0], written[0]


def _sizes(directory: Path, sizes: Sequence[tuple[int, float]], rounds: int) -> Iterator[str]:
    """Yield a row for each size of a model."""
    for units, million in sizes:
        checkpoints, training = _checkpoints(units, directory / f"size-{units}")
        count = training.model.count_params() / 1e6
        state = b"\x5a" * int(12e6 * count)
        place = directory / "plain"

        def plain(place: Path = place, state: bytes = state) -> None:
            with place.open("wb") as file:
                file.write(state)
                file.flush()
                os.fsync(file.fileno())
            place.unlink()

        seconds = in_turns({"checkpoint": checkpoints.write, "plain": plain}, rounds)
        took = statistics.median(seconds["checkpoint"]) * 1000
        compared = ratio(seconds["checkpoint"], seconds["plain"])
        yield f"| {million:g} | {took:.1f} | {took / count:.1f} | {compared} |"


def _memory(directory: Path, count: int) -> tuple[float, float]:
    """Return the resident MiB after the first checkpoints, and after all of them, each with a step of training before
    it."""
    checkpoints, training = _checkpoints(SIZES[1][0], directory / "memory", epochs=count)
    resident = {}
    for record in training.epochs(lambda epoch, done, steps, loss: None):
        checkpoints.epoch_ended(record)
        checkpoints.write()
        resident[record.epoch] = _resident()
    return resident[FIRST_LOOK], resident[count]


def _checkpoints(units: int, path: Path, epochs: int = 1) -> tuple[Any, Any]:
    """Return a writer of checkpoints, and the training that it belongs to: of one step an epoch."""
    import keras

    from mltrain.procedures.checkpoints import Checkpoints
    from mltrain.training.callback import EpochRules
    from mltrain.training.compilation import compile_model
    from mltrain.training.feed import ResidentFeed
    from mltrain.training.loop import CompiledSteps
    from mltrain.training.training import Steps, Training

    layers = [keras.layers.Dense(units, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((INPUTS,)), *layers, keras.layers.Dense(CLASSES, activation="softmax")])
    random = np.random.default_rng(42)
    x, y = random.random((32, INPUTS), dtype=np.float32), random.integers(0, CLASSES, 32).astype(np.int32)
    spec = TrainingSpec(epochs=epochs)
    output = Output("y", "multiclass", CLASSES, tuple(map(str, range(CLASSES))))
    info = DataInfo((Input("x", (INPUTS,), "float32"),), (output,), len(x))
    compile_model(model, spec, info, scaled=False)
    training = Training(
        spec=spec,
        steps=Steps(CompiledSteps(model, ResidentFeed((x, y)), len(x)), seed=42),
        rules=EpochRules(Objective("train.loss", "min")),
        validation=None,
        interruption=Interruption(),
    )
    return Checkpoints(create_run(path.parent, "unused", path), CheckpointSpec(), training), training


def _resident() -> float:
    """Return the MiB of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
