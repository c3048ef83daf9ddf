"""The `training` and `objective` sections of the YAML. No TensorFlow here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import core_schema

from mltrain.expression import Comparison, MetricName
from mltrain.keras_api.components import KerasComponent, keras_component
from mltrain.spec import Many, Spec
from mltrain.training.budget import Budget
from mltrain.training.early_stopping import EarlyStopping
from mltrain.training.mix import Mix
from mltrain.training.model_checkpoint import ModelCheckpoint
from mltrain.training.patience import Patience
from mltrain.training.rate_search import RateSearch
from mltrain.training.reduce_learning_rate import ReduceLROnPlateau
from mltrain.training.schedule import Schedule
from mltrain.training.stages import StageSpec
from mltrain.training.stated_rate import StatesRate
from mltrain.training.stochastic_weight_averaging import StochasticWeightAveraging

Optimizer = Annotated[KerasComponent, keras_component("optimizer")]
RateSchedule = Annotated[KerasComponent, keras_component("schedule")]
Loss = Annotated[KerasComponent, keras_component("loss")]
KerasMetric = Annotated[KerasComponent, keras_component("metric")]

# Ours first: they replace Keras' callbacks of the same names. Every other callback is Keras' own.
OWN_CALLBACKS = (EarlyStopping, ReduceLROnPlateau, ModelCheckpoint, StochasticWeightAveraging)
CALLBACKS = keras_component("callback", *OWN_CALLBACKS)
Callback = Annotated[
    EarlyStopping | ReduceLROnPlateau | ModelCheckpoint | StochasticWeightAveraging | KerasComponent, CALLBACKS
]


def _comparison(text: str) -> str:
    return str(Comparison.parse(text))


def _cadence(text: str) -> str:
    Cadence.parse(text)
    return text


class Cadence(Spec):
    """How often something happens.

    Attributes are exactly one of the three; the others are None.
    """

    seconds: float | None = None
    """Seconds of wall time."""
    steps: int | None = None
    """Updates of the weights."""
    epochs: int | None = None
    """Passes over the training rows."""

    @classmethod
    def parse(cls, text: str) -> Cadence:
        """Read `60s`, `10m`, `500 steps` or `1 epoch`.

        Raises:
            ValueError: `text` has another form.
        """
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|seconds?|m|minutes?|h|hours?|steps?|epochs?)\s*", text)
        if match is None or float(match[1]) <= 0:
            raise ValueError(f"expected a cadence such as '60s', '10m', '500 steps' or '1 epoch', received {text!r}")
        amount, unit = float(match[1]), match[2]
        if unit.startswith(("step", "epoch")):
            if amount != int(amount):
                raise ValueError(f"expected a whole number of {unit}, received {text!r}")
            return cls(steps=int(amount)) if unit.startswith("step") else cls(epochs=int(amount))
        return cls(seconds=amount * {"s": 1, "m": 60, "h": 3600}[unit[0]])


class CheckpointSpec(Spec):
    """Checkpoints: an interrupted training continues from them bit for bit. The best and the last weights are always
    kept."""

    every: Annotated[str, AfterValidator(_cadence)] = "60s"
    """The cadence: `60s`, `10m`, `500 steps` or `1 epoch`."""
    keep: Annotated[int, Field(ge=2, le=10_000)] = 2
    """How many checkpoints are kept; older ones are deleted. At least two, in case one is damaged."""


class OnDivergence(Spec):
    """What happens when the loss, a metric or a weight becomes NaN or infinite."""

    retry: Annotated[int, Field(ge=0, le=100)] = 0
    """How often training goes back to the last good checkpoint instead of ending."""
    learning_rate_factor: Annotated[float, Field(gt=0, le=1)] = 0.5
    """The learning rate is multiplied by this at each retry."""


ClassWeight = Literal["balanced"] | dict[str, Annotated[float, Field(ge=0)]] | None


class OutputTraining(Spec):
    """How one of several targets of different kinds is trained."""

    loss: Loss | None = None
    """A Keras loss; null uses the usual one of the kind of the target."""
    weight: Annotated[float, Field(ge=0)] = 1.0
    """How much its loss counts in the sum of all."""
    class_weight: ClassWeight = None
    """Weight of each of its classes in its loss; see `training.class_weight`, which is for a single target."""


class TrainingSpec(StatesRate):
    """How the model is trained."""

    opened_as: ClassVar[Mapping[str, str]] = {"optimizer": "Adam"}

    optimizer: Optimizer | None = None
    """A Keras optimizer; its `learning_rate` is a number or a schedule. null uses the usual one of the model: Adam with
    Keras' defaults, or for `tabular` with another learning rate."""
    learning_rate: Annotated[float, Field(gt=0)] | RateSchedule | RateSearch | None = None
    """The learning rate of the optimizer, stated or usual: a number, a schedule of Keras, or `{find: {}}`, which looks
    for one before the first step. null leaves it to `optimizer`, which then may state one."""
    schedule: Schedule | Literal["auto", "none"] = "auto"
    """How the learning rate changes over the training, whatever its length; `none` leaves it as it is. auto uses the
    usual one of the model: none, or for `tabular` a schedule, unless the optimizer, `ReduceLROnPlateau` or a retry
    after a divergence is stated."""
    weight_decay_on: Literal["weights", "all"] = "weights"
    """What the `weight_decay` of the optimizer pulls towards 0. `weights`: kernels and vectors of embeddings. `all`:
    also biases and the parameters of normalization, as Keras does it."""
    loss: Loss | None = None
    """A Keras loss; null uses the usual one of the task: binary or sparse categorical cross-entropy, mean squared
    error, Poisson for counts."""
    metrics: Many[KerasMetric] | None = None
    """Keras metrics, which are running averages over an epoch; null uses accuracy for classes and mae for
    numbers."""
    epochs: Annotated[int, Field(ge=1, le=10_000_000)] | Literal["auto"] = "auto"
    """The largest number of passes over the training rows; a callback may stop earlier. auto is 100, or for `tabular`
    follows from the number of rows."""
    stages: Many[StageSpec] = ()
    """Parts of the training that follow each other, each with its own layers, learning rate and epochs, such as
    `[{train: head, epochs: 5}, {train: {last: 30 layers}, epochs: 20, learning_rate: 1e-5}]`. They say how long to
    train; EarlyStopping, ReduceLROnPlateau and the schedule start again in each."""
    budget: Budget | None = None
    """What the training may take, instead of `epochs`: `{seconds: 60}` or `{rows_seen: 1_000_000}`."""
    patience: Patience | Literal["auto", "none"] = "auto"
    """Epochs without an improvement of the objective after which training ends, such as `20` or `500 steps`; `none`
    trains all epochs. It is an EarlyStopping with nothing more stated. auto trains all epochs, or for `tabular` ends
    after a share of them, where they are auto and nothing else that may end the training is stated."""
    batch_size: Annotated[int, Field(ge=1)] | Literal["full", "auto"] = "auto"
    """Rows in one update, or with `accumulate` in each of the batches of one; `full` takes all training rows at once.
    auto is 32, or for `tabular` follows from the number of rows."""
    accumulate: Annotated[int, Field(ge=1, le=10_000)] = 1
    """How many batches make one update of the weights, as if they were one batch; they need the memory of one. The
    last update of an epoch may have fewer. Steps and schedules count updates."""
    mix: Mix | None = None
    """Training rows that are mixed with each other, for classes: `mixup`, or `cutmix` for images."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of each target that is moved to all classes alike, such as 0.1, in the loss of the training alone: that
    of validation and test rows stays what it is."""
    shuffle: bool = True
    """Whether every epoch has a new order of the rows, which depends only on the seed and the epoch; false keeps the
    order of the split."""
    class_weight: ClassWeight = None
    """Weight of each class in the loss, by name; `balanced` is rows / (classes × rows of the class)."""
    outputs: dict[str, OutputTraining] = Field(default_factory=dict)
    """For targets of different kinds: the loss of each, its weight and its class weights, by the name of the target,
    such as `{price: {loss: Huber, weight: 0.5}}`."""
    callbacks: Many[Callback] = ()
    """What acts on each finished epoch, such as early stopping; `mltrain list callback` shows all."""
    stop_when: Annotated[str, AfterValidator(_comparison)] | None = None
    """Stop as soon as this holds at the end of an epoch, such as `validation.accuracy >= 0.98`."""
    xla: Literal["auto"] | bool = "auto"
    """Whether XLA compiles the steps; auto does it for dense nets on a CPU that train for 100,000 steps or more."""
    fuse: Literal["auto"] | bool = "auto"
    """Whether LSTM and GRU layers are a few operations each while training; auto does it on a CPU for 500 updates of
    the weights or more, if the layers are as Keras has them by default, without masks."""
    unroll: Literal["auto"] | bool = "auto"
    """Whether recurrent layers are unrolled while training; auto does it for up to 64 time steps on a CPU
    and 2,000 updates of the weights or more."""
    final: Literal["auto", "best", "last"] = "auto"
    """Which weights become the model of the run: those of the best epoch by the objective, or the last ones; auto is
    best if there is a validation split. With StochasticWeightAveraging it is the averaged ones."""
    checkpoint: CheckpointSpec = CheckpointSpec()
    """How often a checkpoint is written, with everything that a resumed training needs."""
    on_divergence: OnDivergence = OnDivergence()
    """What happens when the loss, a metric or a weight becomes NaN or infinite."""
    progress_every: Annotated[int, Field(ge=1)] = 1
    """A line of progress is printed after every n-th epoch. The best epoch since then and the last one are printed in
    any case. In a pipe there is at most one line per second; a best epoch in between is printed at the next one."""

    @property
    def decays(self) -> bool:
        """Whether the optimizer is stated to pull weights towards 0."""
        arguments = {} if self.optimizer is None else dict(self.optimizer.arguments)
        return any(arguments.get(name) for name in ("weight_decay", "adam_weight_decay"))

    @property
    def accumulates_as_keras(self) -> bool:
        """Whether the optimizer is stated to accumulate gradients in its own way."""
        return self.optimizer is not None and bool(
            dict(self.optimizer.arguments).get("gradient_accumulation_steps"),
        )

    @property
    def most_epochs(self) -> int:
        """The number of epochs of a settled training.

        Raises:
            ValueError: it is not settled: the rows are not known yet.
        """
        if self.epochs == "auto":
            raise ValueError("the epochs follow from the rows, which are not known")
        return self.epochs

    @property
    def epochs_before_the_last_stage(self) -> int:
        """At most so many epochs come before its last stage."""
        return sum(stage.epochs for stage in self.stages[:-1])

    @property
    def stated_epochs(self) -> int | None:
        """The number of epochs that the config states; None where it states none."""
        if self.stages:
            return self.epochs_before_the_last_stage + self.stages[-1].epochs
        return None if self.epochs == "auto" else self.epochs

    @property
    def parts(self) -> int:
        """How many stages it has; without stages it is one part."""
        return max(1, len(self.stages))

    def path_of_schedule(self, number: int) -> tuple[str | int, ...]:
        """Return where the schedule of a stage is stated."""
        own = self.stages and self.stages[number].schedule is not None
        return ("training", "stages", number, "schedule") if own else ("training", "schedule")

    def path_of_rate(self, number: int) -> tuple[str | int, ...]:
        """Return where the learning rate of a stage is stated, or would be."""
        stage = self.stages[number] if self.stages else None
        if stage is not None and stage.learning_rate is not None:
            return ("training", "stages", number, "learning_rate")
        own = stage is not None and stage.optimizer is not None
        return (*(("training", "stages", number) if own else ("training",)), "optimizer", "learning_rate")

    def path_of_epochs(self, number: int) -> tuple[str | int, ...]:
        """Return where the number of epochs of a stage is stated, or would be."""
        return ("training", "stages", number, "epochs") if self.stages else ("training", "epochs")

    def of_stage(self, number: int) -> TrainingSpec:
        """Return a settled training as if one of its stages, counted from 0, were all of it; itself where it has
        none."""
        if not self.stages:
            return self
        stage = self.stages[number]
        optimizer, rate = stage.optimizer or self.optimizer, stage.learning_rate or self.learning_rate
        if optimizer is not None and stage.learning_rate is not None:
            optimizer, rate = optimizer.with_argument("learning_rate", stage.learning_rate), None
        found: dict[str, Any] = {
            "stages": (),
            "epochs": stage.epochs,
            "optimizer": optimizer,
            "learning_rate": None if stage.optimizer is not None else rate,
        }
        if stage.schedule is not None:
            found["schedule"] = stage.schedule
        if stage.patience is not None:
            others = tuple(each for each in self.callbacks if not isinstance(each, EarlyStopping))
            ends = () if stage.patience == "none" else (EarlyStopping(patience=stage.patience),)
            found["callbacks"] = (*others, *ends)
        return self.model_copy(update=found)

    def rows_of_batch(self, rows: int) -> int:
        """Return the rows that are computed at once in a settled training on so many rows."""
        return rows if isinstance(self.batch_size, str) else self.batch_size

    def updates(self, rows: int) -> int:
        """Return the updates of the weights when all epochs of a settled training are trained on so many rows."""
        return self.most_epochs * self.steps_of_epoch(rows)

    def rows_of_update(self, rows: int) -> int:
        """Return the rows in one update of a settled training on so many rows."""
        return self.rows_of_batch(rows) * self.accumulate

    def steps_of_epoch(self, rows: int) -> int:
        """Return the updates of the weights in an epoch of a settled training on so many rows."""
        return -(-rows // self.rows_of_update(rows))

    def of_output(self, name: str) -> OutputTraining:
        """Return how one of several targets is trained."""
        return self.outputs.get(name, OutputTraining())

    def for_output(self, name: str) -> TrainingSpec:
        """Return this as it would be if one of several targets were learned alone."""
        stated = self.of_output(name)
        return self.model_copy(
            update={"loss": stated.loss, "class_weight": stated.class_weight, "metrics": (), "outputs": {}}
        )


class ObjectiveSpec(Spec):
    """What counts as better: the best checkpoint, early stopping and comparisons use it.

    The name of the metric alone is enough: `objective: validation.accuracy`.
    """

    metric: MetricName | None = None
    """A measured quantity, such as `validation.loss`. The default is `validation.loss`, or `train.loss` without
    validation rows."""
    direction: Literal["auto", "min", "max"] = "auto"
    """Whether smaller or larger is better; auto takes it from the metric."""

    @model_validator(mode="before")
    @classmethod
    def _from_bare_metric(cls, value: Any) -> Any:
        return {"metric": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler.resolve_ref_schema(handler(schema))]}
