"""A model of the user's: a function or a class of a plugin, with arguments from its signature. No TensorFlow here.

It is one of three things. A function returns a tensor for a tensor. A class of `keras.Model` with a `call` is one layer
of the network. And a class without one takes `inputs` and `outputs`, as in Keras' guide on custom training steps: it is
the training step of any other model, which the config names as its `network`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from mltrain.errors import MisfitError
from mltrain.keras_api.components import KerasComponent
from mltrain.keras_api.own_parts import OwnPart
from mltrain.models.head import Head, added_head
from mltrain.models.indices import IndexSize
from mltrain.models.model import Backbone, ModelSpec, StatedWeights, UsualTraining
from mltrain.problems import KeyPath
from mltrain.spec import as_plain
from mltrain.task import DataInfo, Decision, Input

if TYPE_CHECKING:
    import numpy as np

Path = tuple[str | int, ...]


class OwnModel(ModelSpec):
    """A model of the user's."""

    type: str
    """Its name."""
    part: Any
    """The component, with its arguments."""
    network: Any = None
    """The model whose training step it is; null where it is a network itself."""

    @property
    def component(self) -> KerasComponent:
        """Its name, its arguments, and what it is made of."""
        found: KerasComponent = self.part
        return found

    @property
    def own(self) -> OwnPart:
        """What it is made of.

        Raises:
            TypeError: the component is Keras' own.
        """
        if self.component.own is None:
            raise TypeError(f"{self.type} is not a model of a plugin")
        return self.component.own

    @property
    def begins_at_random(self) -> bool:
        """No: what its code puts into it is not known."""
        return False

    def plain(self) -> dict[str, Any]:
        """Return what YAML can hold; loaded again, it makes an equal model."""
        network = {} if self.network is None else {"network": as_plain(self.network)}
        return self.component.plain() | network

    @property
    def has_own_step(self) -> bool:
        """Whether its class has a `train_step`."""
        made = self.own.made
        classes = made.__mro__ if isinstance(made, type) else ()
        return any("train_step" in vars(each) for each in classes if each.__module__.partition(".")[0] != "keras")

    @property
    def takes_head(self) -> bool:
        """Whether it ends in the head for the task itself, of which it is given the size."""
        return "head_units" in self.own.signature.takes

    def for_data(self, info: DataInfo) -> ModelSpec:
        """Return it with the network that fits the data."""
        network = None if self.network is None else self.network.for_data(info)
        return self if network is self.network else self.model_copy(update={"network": network})

    def choices(self, info: DataInfo) -> tuple[Decision, ...]:
        """Return those of its network."""
        found: tuple[Decision, ...] = () if self.network is None else self.network.choices(info)
        return found

    def usual_training(self, info: DataInfo) -> UsualTraining:
        """Return that of its network."""
        return UsualTraining() if self.network is None else self.network.usual_training(info)

    @property
    def usual_epochs(self) -> int | None:
        """Those of its network."""
        return UsualTraining().epochs if self.network is None else self.network.usual_epochs

    @property
    def text_encoding(self) -> Literal["tokens", "tf_idf"]:
        """That of its network."""
        return "tf_idf" if self.network is None else self.network.text_encoding

    @property
    def may_end_in_logits(self) -> bool:
        """Whether its network may."""
        return self.network is not None and self.network.may_end_in_logits

    @property
    def is_linear(self) -> bool:
        """Whether its network is."""
        return self.network is not None and self.network.is_linear

    @property
    def output_names(self) -> tuple[str, ...]:
        """Those of its network."""
        return () if self.network is None else self.network.output_names

    def backbones(self, info: DataInfo) -> tuple[Backbone, ...]:
        """Return those of its network."""
        found = () if self.network is None else self.network.backbones(info)
        return tuple(replace(each, path=_below(each.path)) for each in found)

    def stated_weights(self, path: KeyPath = ("model",)) -> tuple[StatedWeights, ...]:
        """Return those of its network."""
        found: tuple[StatedWeights, ...] = ()
        return found if self.network is None else self.network.stated_weights((*path, "network"))

    def index_sizes(self, info: DataInfo) -> tuple[IndexSize, ...]:
        """Return those of its network."""
        sizes = () if self.network is None else self.network.index_sizes(info)
        return tuple(replace(each, path=_below(each.path)) for each in sizes)

    def takes_text(self, column: str) -> bool:
        """Return whether its network does."""
        return self.network is not None and self.network.takes_text(column)

    def problems(self) -> Iterator[tuple[Path, str]]:
        """Yield what is wrong with its network, and what does not go with a training step of its own."""
        if self.network is None:
            if self.has_own_step and not self.takes_head:
                message = (
                    "its train_step needs the whole network: give its __init__ the parameters head_units and "
                    "head_activation, which mltrain fills in, and end call() in a Dense layer with them"
                )
                yield ("type",), message
            return
        for path, message in self.network.problems():
            yield ("network", *path), message
        if self.network.member_count > 1:
            yield ("network",), "its members have a loss each, which another training step does not know"

    def inputs_problem(self, inputs: Sequence[Input]) -> str | None:
        """Return why its network cannot have these inputs; its own code may have any."""
        return None if self.network is None else self.network.inputs_problem(inputs)

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the network."""
        if self.network is not None:
            found: Head = self.network.head(info, loss)
            return found
        if self.takes_head:
            found = added_head(info, loss, f"{self.type} makes it, of head_units")
            return replace(found, added=False)
        return added_head(info, loss, f"{self.type} ends in the layer that {info.task} needs")

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model`.

        Raises:
            MisfitError: it does not fit the data.
            PluginError: its plugin is not there.
        """
        from mltrain.models.own_building import own_network, own_step_of

        if self.network is None:
            return own_network(self.component, info, own_step=self.has_own_step)
        try:
            network = self.network.build(info, loss)
        except MisfitError as error:
            problems = [(_below(path), message) for path, message in error.all]
            raise MisfitError.of(problems) from (error.__cause__ or error)
        return own_step_of(self.component, network)

    def initialise(
        self, model: Any, info: DataInfo, inputs: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray]
    ) -> tuple[Decision, ...]:
        """Give its network the first weights."""
        return () if self.network is None else self.network.initialise(model, info, inputs, targets)


def _below(path: Path) -> Path:
    """Return a path below `model` as one below `model.network`."""
    return ("model", "network", *path[1:]) if path[:1] == ("model",) else path
