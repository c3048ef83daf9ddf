"""How a training is computed: what depends on the model and the processor, and changes speed and the last bits only.

Each choice is a rule over things that are the same whenever the config is run: the layers, their shapes, the number of
steps, the kind of processor. A stopwatch would choose better now and then, and two runs of one config could differ
because the machine was busy. Imports TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import keras

from mltrain.keras_api.components import KerasComponent
from mltrain.task import Decision
from mltrain.training.devices import DeviceChoice
from mltrain.training.fused_recurrences import fusible
from mltrain.training.spec import TrainingSpec
from mltrain.wording import counted

Precision = Literal["float32", "mixed_bfloat16", "mixed_float16"]
PRECISIONS: tuple[Precision, ...] = ("float32", "mixed_bfloat16", "mixed_float16")

# Layers that XLA compiles on a CPU into something faster than the loop without it, with the same history but for the
# last digits. Convolutions become 10 to 40 times slower there, recurrences compile for 15 s, some random image layers
# do not compile, and Dropout draws other numbers: another training, if as good a one.
_DENSE = (
    keras.layers.InputLayer,
    keras.layers.Dense,
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ELU,
    keras.layers.Softmax,
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Rescaling,
    keras.layers.ActivityRegularization,
)
# Compiling takes about a second, and a step saves about 70 µs: 15,000 steps pay for it. Many trainings stop early, and
# one that is not worth seconds had better be equal to `model.fit` bit for bit.
_STEPS_WORTH_XLA = 100_000

# An unrolled recurrence is traced step by step, which takes about 25 ms for each, and saves up to a quarter of each
# update.
_LONGEST_UNROLLED = 64
_UPDATES_WORTH_UNROLLING = 2_000
# A fused layer halves an update. A training of a second had better be equal to `model.fit` bit for bit.
_UPDATES_WORTH_FUSING = 500

# Rows in a block of an evaluation: more make no dense net faster. The largest layer's outputs are to stay below 64 MB
# in float32: convolutions are fastest with 256 to 1,024 rows.
_LARGEST_BLOCK, _SMALLEST_BLOCK, _LARGEST_OUTPUTS = 8_192, 32, 1 << 24


@dataclass(frozen=True)
class Acceleration:
    """How the training loop is compiled.

    Attributes:
        xla: whether XLA compiles it.
        unroll: whether its recurrences are written out step by step.
        fuse: whether its LSTM and GRU layers are a few operations each.
        decisions: the same, with reasons.
    """

    xla: bool
    unroll: bool
    fuse: bool = False
    decisions: tuple[Decision, ...] = ()

    @property
    def determinism(self) -> dict[str, bool | str]:
        """What the record keeps of it, for a run that goes on."""
        return {"xla": self.xla, "unrolled": self.unroll, "fused": self.fuse}


UNACCELERATED = Acceleration(xla=False, unroll=False)


def choose_precision(
    asked: Literal["auto"] | Precision, layers: Iterable[KerasComponent], device: DeviceChoice
) -> tuple[Precision, tuple[Decision, ...]]:
    """Return what the layers compute in, and why, where that was not stated."""
    if asked != "auto":
        return asked, ()
    convolution = next((layer.type for layer in layers if "Conv" in layer.type), None)
    if convolution is None:
        reason = "auto takes less for convolutions that the config writes out"
        return "float32", (Decision("precision", "float32", reason),)
    if not device.computes_bfloat16:
        reason = f"{device.name} has no instructions for bfloat16"
        return "float32", (Decision("precision", "float32", reason),)
    return "mixed_bfloat16", (Decision("precision", "mixed_bfloat16", f"{convolution} is faster with it here"),)


def accelerate(
    model: keras.Model,
    updates: int,
    device: DeviceChoice,
    training: TrainingSpec,
    before: Mapping[str, bool | str],
    worth_xla: int | None = None,
    workers: int = 1,
) -> Acceleration:
    """Return how to compile the training of `model`.

    Args:
        model: built.
        updates: of its weights, at most.
        device: where it is trained.
        training: what is stated of it.
        before: `determinism` of the record where a run goes on; empty for a new one.
        worth_xla: of how many updates on XLA pays for the model, if it knows that; None goes by its layers.
        workers: that train it together.
    """
    xla, decision = _chosen("xla", training.xla, before.get("xla"), lambda: _xla(model, updates, device, worth_xla))
    if training.mix is not None:
        xla, decision = False, Decision("training.xla", "off", "XLA cannot draw what training.mix draws")
    if workers > 1:
        xla, decision = False, Decision("training.xla", "off", f"{workers} workers add their gradients in each step")
    if not recurrences(model):
        return Acceleration(xla, unroll=False, decisions=(decision,))
    began_fused = before.get("fused", False) if before else None  # a record from before there was the choice
    fuse, fusing = _chosen("fuse", training.fuse, began_fused, lambda: _fuse(model, updates, device, xla))
    unroll, unrolling = _chosen(
        "unroll", training.unroll, before.get("unrolled"), lambda: _unroll(model, updates, device, xla, fuse)
    )
    return Acceleration(xla, unroll, fuse, (decision, fusing, unrolling))


def _chosen(
    key: str, stated: Literal["auto"] | bool, before: bool | str | None, rule: Callable[[], tuple[bool, str]]
) -> tuple[bool, Decision]:
    """Return what is stated, else what the run began with, else what the rule says; and why."""
    if stated != "auto":
        chosen, why = stated, "stated"
    elif before is not None:
        chosen, why = bool(before), "the same as at the start of the run"
    else:
        chosen, why = rule()
    return chosen, Decision(f"training.{key}", "on" if chosen else "off", why)


def _xla(model: keras.Model, updates: int, device: DeviceChoice, worth: int | None) -> tuple[bool, str]:
    other = None
    if worth is None:
        other = next((layer for layer in _layers(model) if not isinstance(layer, (*_DENSE, keras.Model))), None)
    if device.kind != "cpu":
        return False, "a GPU has fast kernels of its own"
    if other is not None:
        return False, f"{type(other).__name__} would be slower, or draw other random numbers"
    if updates < (_STEPS_WORTH_XLA if worth is None else worth):
        return False, f"compiling takes longer than it saves in {counted(updates, 'step')}"
    return True, f"dense layers, up to {counted(updates, 'step')}; the last digits differ from those without it"


def _fuse(model: keras.Model, updates: int, device: DeviceChoice, xla: bool) -> tuple[bool, str]:
    other = next((layer for layer in recurrences(model) if not fusible(layer)), None)
    if device.kind != "cpu":
        return False, "a GPU has its own kernel"
    if xla:
        return False, "XLA does not know the operations"
    if other is not None:
        return False, f"{type(other).__name__} with these arguments has no such operations"
    if any(isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False) for layer in _layers(model)):
        return False, "the operations take no masks"
    if _most_time_steps(model) == math.inf:
        return False, "the number of time steps is not known"
    if updates < _UPDATES_WORTH_FUSING:
        return False, f"{counted(updates, 'step')} are too few: it would change the last digits for little gain"
    steps = counted(updates, "step")
    kinds = " and ".join(sorted({type(layer).__name__ for layer in recurrences(model)}))
    return True, f"{kinds} in few operations, up to {steps}; the last digits differ from those without it"


def _unroll(model: keras.Model, updates: int, device: DeviceChoice, xla: bool, fuse: bool) -> tuple[bool, str]:
    longest = _most_time_steps(model)
    if device.kind != "cpu":
        return False, "a GPU has a kernel for all time steps"
    if xla:
        return False, "XLA would take minutes to compile unrolled ones"
    if fuse and all(fusible(layer) for layer in recurrences(model)):
        return False, "fused layers have no steps to unroll"
    if longest > _LONGEST_UNROLLED:
        return False, f"{longest} time steps are more than {_LONGEST_UNROLLED}"
    if updates < _UPDATES_WORTH_UNROLLING:
        return False, f"tracing it takes longer than it saves in {counted(updates, 'step')}"
    return True, f"{longest} time steps, up to {counted(updates, 'step')}"


def _most_time_steps(model: keras.Model) -> float:
    """Return how many time steps the recurrences of a model go through; infinite where the number is not known."""
    # An inner layer, as of Bidirectional, does not know its input.
    outer = (layer for layer in model.layers if recurrences(layer))
    # Behind a Masking layer the mask is an input, too.
    return max(keras.tree.flatten(layer.input)[0].shape[1] or math.inf for layer in outer)


def evaluation_block(model: keras.Model, asked: Literal["auto"] | int) -> tuple[int, Decision]:
    """Return how many rows one step of an evaluation takes, and why: a power of two, by the largest outputs of a
    layer."""
    if asked != "auto":
        return asked, Decision("evaluation.batch_size", str(asked), "stated")
    largest = max(_size(layer) for layer in _layers(model))
    fitting = max(_LARGEST_OUTPUTS // max(largest, 1), 1)
    block = max(_SMALLEST_BLOCK, min(_LARGEST_BLOCK, 1 << fitting.bit_length() - 1))
    return block, Decision("evaluation.batch_size", str(block), f"a layer outputs {counted(largest, 'number')} per row")


def recurrences(layer: keras.layers.Layer) -> list[keras.layers.RNN]:
    """Return the layers in a layer or model, and itself, that go through time steps."""
    return [each for each in _layers(layer) if isinstance(each, keras.layers.RNN)]


@contextmanager
def unrolled(recurrent: list[keras.layers.RNN]) -> Iterator[None]:
    """Trace what is called inside with recurrences written out step by step."""
    before = [layer.unroll for layer in recurrent]
    for layer in recurrent:
        layer.unroll = True
    try:
        yield
    finally:
        for layer, unroll in zip(recurrent, before, strict=True):
            layer.unroll = unroll


def _layers(layer: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """Yield a layer or model, and every layer inside of it and of wrappers."""
    return layer._flatten_layers()


def _size(layer: keras.layers.Layer) -> int:
    """Return how many numbers a layer gives for one example; 0 where it does not know."""
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError):  # of a layer inside another one
        return 0
    return math.prod(size or 1 for size in shape[1:])
