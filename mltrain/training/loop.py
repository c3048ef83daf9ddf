"""The compiled loop: Keras' own `train_step`, looped inside one `tf.function` over the tensors of a feed.

It runs the same operations in the same order as `model.fit(shuffle=False)` on the permuted rows, so weights and
history are the same bit for bit for dense nets; what it leaves out is the Python and input pipeline work of every
step, which is most of the time on everything but large nets. The traces are static in the shape of a batch: a last
partial batch has its own. Imports TensorFlow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mltrain.training.acceleration import UNACCELERATED, Acceleration, recurrences, unrolled
from mltrain.training.feed import Feed, Window, gathered
from mltrain.training.fused_recurrences import fused
from mltrain.training.held_layers import as_in_predictions
from mltrain.training.own_code import refuse_without_loss
from mltrain.training.progress import Chunks
from mltrain.training.training_step import TrainingStep


class Calls:
    """Follows the calls of a loop. By itself it does nothing: no other worker runs the same."""

    def begins(self, step: int, count: int) -> None:
        """Look at a call that begins, of so many steps of an epoch."""

    def failing_plainly(self) -> AbstractContextManager[None]:
        """While inside, what goes wrong with another worker is said plainly."""
        return nullcontext()


NO_OTHERS = Calls()


class CompiledSteps:
    """Runs steps of one epoch.

    Args:
        model: compiled and built, see `mltrain.training.compilation`.
        feed: of the training rows.
        batch_size: rows in one step; a larger one than there are rows means one step an epoch.
        acceleration: how it is compiled.
        step: updates the weights by `x`, `y` and perhaps `sample_weight`; None for Keras' own `train_step`.
        held: layers that do in a step what they do in a prediction.
        calls: follows each call of the loop, where other workers run the same.
    """

    def __init__(
        self,
        model: keras.Model,
        feed: Feed,
        batch_size: int,
        acceleration: Acceleration = UNACCELERATED,
        step: Callable[[Any], object] | None = None,
        held: Sequence[keras.Layer] = (),
        calls: Calls = NO_OTHERS,
    ) -> None:
        self.model = model
        self._held = held
        self._calls = calls
        self._step = step or model.train_step
        self._rows_of = step.rows_of if isinstance(step, TrainingStep) else gathered
        self.feed = feed
        self.rows = feed.rows
        self.batch_size = batch_size
        self.xla = acceleration.xla
        self._full_batches = self.rows // batch_size
        self._partial_rows = self.rows % batch_size
        self._unrolled = recurrences(model) if acceleration.unroll else []
        self._fuse = acceleration.fuse
        # With `jit_compile=False` TensorFlow would refuse to call what a layer wants compiled.
        self._run_full = tf.function(self._full_steps, autograph=False, jit_compile=acceleration.xla or None)
        self._read = tf.function(self._results, autograph=False)
        self._own_step = step is None and type(model).train_step is not keras.Model.train_step
        self._logs: dict[str, float] | None = None

    @property
    def steps(self) -> int:
        """Steps in one epoch."""
        return self._full_batches + bool(self._partial_rows)

    def epoch(self, order: np.ndarray, chunks: Chunks, first_step: int = 0, every: int | None = None) -> Iterator[int]:
        """Run one epoch in chunks of steps; yield after each chunk how many steps of the epoch are done.

        Args:
            order: `(rows,)` int32, this epoch's permutation.
            chunks: decides how many steps one call runs.
            first_step: steps of this epoch that are done already.
            every: end a chunk at each multiple of so many steps of the whole training.
        """
        window: Window | None = None
        step, self._logs = first_step, None
        while step < self._full_batches:
            if window is None or step >= window.end:
                window = self.feed.window(order, step, self.steps - step)
            count = chunks.next(min(window.end, self._full_batches) - step)
            if every is not None:
                count = min(count, every - int(self.model.optimizer.iterations.numpy()) % every)
            started = time.perf_counter()
            self._run(window, step, count)
            step += count
            chunks.took(count, time.perf_counter() - started)
            yield step
        if self._partial_rows and step == self._full_batches:
            if window is None or step >= window.end:
                window = self.feed.window(order, step, 1)
            self._run(window, step, 1)
            yield step + 1

    def run(self, order: np.ndarray, step: int, count: int) -> None:
        """Run some steps of an epoch, as another worker runs them in a call of `epoch`.

        Args:
            order: `(rows,)` int32, the permutation of the epoch.
            step: the first of them.
            count: how many; the last step of an epoch, where it has fewer rows, comes alone.
        """
        self._run(self.feed.window(order, step, count), step, count)

    def _run(self, window: Window, step: int, count: int) -> None:
        self._calls.begins(step, count)
        with self._calls.failing_plainly():
            if step < self._full_batches:
                place = tf.constant(step - window.first), tf.constant(count), tf.constant(step == 0)
                self._keep(self._full(*window.tensors, window.places, *place))
            else:
                self._keep(self._partial(*window.tensors, window.places, tf.constant(step - window.first)))

    def step_alone(self, order: np.ndarray, step: int) -> dict[str, float]:
        """Run one step of an epoch as if it were the first, and return the loss and the Keras metrics of its rows."""
        window = self.feed.window(order, step, 1)
        place = tf.constant(step - window.first)
        if step < self._full_batches:
            self._keep(self._full(*window.tensors, window.places, place, tf.constant(1), tf.constant(True)))
        else:
            self._keep(self._partial(*window.tensors, window.places, place))
        return dict(self._logs or {})

    def trace(self) -> None:
        """Compile the loop without running a step, so that the first chunk's time is not that of tracing."""
        if self._full_batches:
            # Not as the first step of an epoch, which resets the running averages: those of a resumed run, too.
            window = self.feed.window(np.arange(self.rows, dtype=np.int32), 0, self.steps)
            self._full(*window.tensors, window.places, tf.constant(0), tf.constant(0), tf.constant(False))

    @cached_property
    def _full(self) -> Callable[..., dict[str, tf.Tensor]]:
        # A concrete function: a tf.function looks at the types of its arguments in each call, which takes 0.2 ms.
        number, truth = tf.TensorSpec((), "int32"), tf.TensorSpec((), "bool")
        return self._run_full.get_concrete_function(*self.feed.signature, number, number, truth)

    @cached_property
    def _partial(self) -> Callable[..., dict[str, tf.Tensor]]:
        run = tf.function(self._partial_step, autograph=False)
        return run.get_concrete_function(*self.feed.signature, tf.TensorSpec((), "int32"))

    def _keep(self, logs: dict[str, tf.Tensor]) -> None:
        # A device runs asynchronously: reading waits for it, so that the time is the steps' own.
        self._logs = {name: float(value) for name, value in logs.items()}
        if self._own_step:
            refuse_without_loss(self.model)

    def metrics(self) -> dict[str, float]:
        """Return the running averages of the loss and the Keras metrics after the last step of `epoch`."""
        if self._logs is None:  # no step has been run since a checkpoint was restored
            self._keep(self._read())
        return dict(self._logs or {})

    def _results(self) -> dict[str, tf.Tensor]:
        return self.model.get_metrics_result()

    def train_on(self, tensors: Sequence[Any], rows: tf.Tensor) -> None:
        """Run one step on some rows of tensors, int32 numbers of them; called while a graph is traced."""
        # This is Python, which runs only while it is traced.
        with unrolled(self._unrolled), fused(self._fuse), as_in_predictions(self._held):
            self._step(self._rows_of(tuple(tensors), rows))

    def _full_steps(self, *arguments: Any) -> dict[str, tf.Tensor]:
        """Run the steps of a window, from one of it on; `begins` says that an epoch begins with them."""
        *tensors, places, first, count, begins = arguments

        def body(step: tf.Tensor) -> tuple[tf.Tensor]:
            # tf.slice with a static size: `places[a:b]` under XLA pads a short slice with row 0 without a word.
            self.train_on(tensors, tf.slice(places, [step * self.batch_size], [self.batch_size]))
            return (step + 1,)

        reset_metrics(self.model, when=begins)
        tf.while_loop(lambda step: step < first + count, body, (first,), parallel_iterations=1)
        return self._results()  # in the same call: each call takes 0.1 to 0.4 ms, an epoch of a small net 1 ms

    def _partial_step(self, *arguments: Any) -> dict[str, tf.Tensor]:
        *tensors, places, step = arguments
        reset_metrics(self.model, when=tf.constant(self._full_batches == 0))
        self.train_on(tensors, tf.slice(places, [step * self.batch_size], [self._partial_rows]))
        return self._results()


def reset_metrics(model: keras.Model, when: tf.Tensor) -> None:
    """Begin the running averages of a model anew where `when` is true; called while a graph is traced."""

    def reset() -> tf.Tensor:
        model.reset_metrics()
        return tf.constant(True)

    tf.cond(when, reset, lambda: tf.constant(False))
