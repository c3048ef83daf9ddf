"""Parts of a training that follow each other, each with its own layers, learning rate and optimizer. No TensorFlow."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mltrain.keras_api.components import KerasComponent, keras_component
from mltrain.trained import Trained, TrainedType
from mltrain.training.patience import Patience
from mltrain.training.schedule import Schedule
from mltrain.training.stated_rate import StatesRate


class StageSpec(StatesRate):
    """A part of a training. It begins with a new optimizer; what it does not state is as `training` says it."""

    train: Annotated[Trained, TrainedType()] = Trained(part="all")
    """Which layers are trained: `head` is all that comes after the backbone, or in a model without a backbone its last
    layer with weights; `{last: 30 layers}` and `{from: NAME}` are the upper layers of the backbone, and the head; `all`
    is every layer. The layers before them keep their weights, and compute the same as in a prediction."""
    epochs: Annotated[int, Field(ge=1, le=10_000_000)]
    """The largest number of epochs of this stage."""
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    """The learning rate of this stage; null takes that of its optimizer."""
    optimizer: Annotated[KerasComponent, keras_component("optimizer")] | None = None
    """A Keras optimizer; null takes that of `training`."""
    schedule: Schedule | Literal["none"] | None = None
    """How the learning rate changes over this stage; null takes that of `training`, over this stage."""
    patience: Patience | Literal["none"] | None = None
    """Epochs without an improvement of the objective after which this stage ends and the next one begins; null takes
    what `training` says."""
    begin_with: Literal["auto", "best", "last"] = "auto"
    """The weights with which this stage begins: those of the best epoch so far, or of the last. auto takes the best if
    the best are the model of the run."""
