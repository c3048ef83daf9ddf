"""What every model answers for itself, so that no other room asks which model it is. No TensorFlow here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mltrain.first_weights.spec import FirstWeights
from mltrain.keras_api.components import KerasComponent, make
from mltrain.models.head import Head
from mltrain.models.indices import IndexSize, IndexTable
from mltrain.problems import KeyPath
from mltrain.spec import Spec
from mltrain.task import DataInfo, Decision, Input
from mltrain.wording import listed

if TYPE_CHECKING:
    import numpy as np

# The subject of decisions on where the first weights are from.
FIRST_WEIGHTS = "first weights"


@dataclass(frozen=True)
class UsualTraining:
    """How a model is trained where the config does not say it.

    Attributes:
        epochs: at most.
        batch_size: rows in one update.
        optimizer: with its learning rate.
        schedule: the fields of `training.schedule` that goes with the learning rate; None where it stays as it is.
        patience: the share of the epochs without an improvement after which training ends; None trains all of them.
        reason: why `epochs` and `batch_size` are what they are, where they follow from the rows; else empty.
        of_model: why the others are what they are.
    """

    epochs: int = 100
    batch_size: int = 32
    optimizer: KerasComponent = field(default_factory=lambda: make("optimizer", "Adam"))
    schedule: Mapping[str, Any] | None = None
    patience: float | None = None
    reason: str = ""
    of_model: str = ""


@dataclass(frozen=True)
class Backbone:
    """A network that is nested in the model as one layer, and whose first weights can be those of another task.

    Attributes:
        name: of the layer.
        network: which it is, such as `VGG16`.
        path: of its encoder in the config.
        normalizes_by_batch: whether its BatchNormalization uses the mean and variance of each batch while training.
    """

    name: str
    network: str
    path: KeyPath
    normalizes_by_batch: bool


@dataclass(frozen=True)
class StatedWeights:
    """Where first weights are from, for a whole model or for a backbone in it.

    Attributes:
        path: of the key in the config.
        source: a file or a run; or `imagenet`.
        backbone: which network they are for, with its arguments; None for the whole model.
        size: height and width of the images of the backbone, where the config says it.
        input: the name of the input that the backbone is for, in a fusion.
    """

    path: KeyPath
    source: FirstWeights | Literal["imagenet"]
    backbone: KerasComponent | None = None
    size: tuple[int, int] | None = None
    input: str | None = None


class ModelSpec(Spec):
    """A network, as the config says it."""

    def for_data(self, info: DataInfo) -> ModelSpec:
        """Return the model itself; `auto` returns the one that fits the data."""
        return self

    def choices(self, info: DataInfo) -> tuple[Decision, ...]:
        """Return what follows from the data where the config leaves it open, to be said and recorded."""
        return ()

    def usual_training(self, info: DataInfo) -> UsualTraining:
        """Return how it is trained where the config does not say it."""
        return UsualTraining()

    @property
    def usual_epochs(self) -> int | None:
        """The epochs of the usual training; None where they follow from the data."""
        return UsualTraining().epochs

    @property
    def worth_xla(self) -> int | None:
        """Of how many updates on its training is faster when XLA compiles it; None where the layers tell."""
        return None

    @property
    def member_count(self) -> int:
        """How many networks are in it, whose mean is the prediction: each has a loss of its own while training."""
        return 1

    @property
    def has_own_step(self) -> bool:
        """Whether it updates its weights by code of the user's."""
        return False

    @property
    def written_layers(self) -> tuple[KerasComponent, ...]:
        """The layers that the config lists under `model.layers`, from the input on."""
        return ()

    @property
    def index_table(self) -> IndexTable | None:
        """The layer that looks up index numbers in the data; None if there is none."""
        return None

    @property
    def text_encoding(self) -> Literal["tokens", "tf_idf"]:
        """How free text is encoded where that is not stated: as tokens, or as the columns of a table."""
        return "tf_idf"

    @property
    def output_names(self) -> tuple[str, ...]:
        """The targets of different kinds for which the config names a part of the model each."""
        return ()

    def index_sizes(self, info: DataInfo) -> tuple[IndexSize, ...]:
        """Return how many index numbers each input may have that holds such numbers: other rows than those of the
        training are held against it."""
        table = self.index_table
        if table is None or table.size == "auto":
            return ()
        return (IndexSize(info.input.name, ("model", "layers", table.layer, table.argument), table.size),)

    def takes_text(self, column: str) -> bool:
        """Return whether free text in a column, or the images that it names, are an input beside others, where the kind
        of the column is not stated."""
        return False

    def backbones(self, info: DataInfo) -> tuple[Backbone, ...]:
        """Return the networks that are nested in the model."""
        return ()

    def stated_weights(self, path: KeyPath = ("model",)) -> tuple[StatedWeights, ...]:
        """Return where the first weights of the model and of its backbones are from, where the config says it."""
        weights = getattr(self, "weights", None)
        return (StatedWeights((*path, "weights"), weights),) if isinstance(weights, FirstWeights) else ()

    @property
    def begins_at_random(self) -> bool:
        """Whether nothing in it has learned before."""
        return not self.stated_weights()

    @property
    def may_end_in_logits(self) -> bool:
        """Whether the config can leave out the activation of the head."""
        return False

    @property
    def is_linear(self) -> bool:
        """Whether each output is a weighted sum of the inputs, so that the weights are coefficients."""
        return False

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield `(path below model, message)` for all that is wrong whatever the data are."""
        yield from ()

    def inputs_problem(self, inputs: Sequence[Input]) -> str | None:
        """Return why the network cannot have these inputs, or None: it has one, unless the model says otherwise."""
        if len(inputs) == 1:
            return None
        names = listed([each.name for each in inputs])
        return (
            f"a model of type {getattr(self, 'type', '')} takes one input, and the data has several: {names}; use "
            "`type: fusion` or `type: graph`, or set columns to ignore under data.features"
        )

    @abstractmethod
    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model.

        Raises:
            MisfitError: the loss expects logits, and the model does not end in them.
        """

    @abstractmethod
    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model` with random weights: `(batch, *shape)` of the input in, `(batch, units)` out.

        It reads no file: `evaluate`, `predict` and `resume` build the model too, and have its weights.

        Raises:
            MisfitError: the layers do not fit on each other or on the data.
        """

    def initialise(
        self, model: Any, info: DataInfo, inputs: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray]
    ) -> tuple[Decision, ...]:
        """Give a model its first weights, where they are not those that `build` has drawn: from a file, or from the
        training rows.

        Only a training calls it, and only before its first step: all other commands work without what it reads.

        Args:
            model: the compiled `keras.Model`, as `build` has made it.
            info: what is known of the data.
            inputs: the encoded training rows, by the name of the input: (rows, …).
            targets: of the same rows, by the name of the output: (rows,) or (rows, targets).

        Returns:
            Where the weights are from, each with `FIRST_WEIGHTS` as its subject; the run keeps them.

        Raises:
            MisfitError: there are no such weights, or they do not fit the model.
        """
        return ()
