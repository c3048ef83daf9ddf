"""What a model of one input answers, so that it can also be for one of several inputs in a fusion. No TensorFlow."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar, Literal

from mltrain.errors import ConfigError, MisfitError
from mltrain.keras_api.components import KerasComponent
from mltrain.models.head import Head, added_head
from mltrain.models.indices import IndexSize, refuse_small
from mltrain.models.model import Backbone, ModelSpec
from mltrain.problems import KeyPath
from mltrain.task import DataInfo, Decision, Input, InputKind
from mltrain.wording import listed

# How each kind is called in messages.
KINDS_IN_WORDS: dict[InputKind, str] = {
    "table": "columns of a table",
    "category": "a category",
    "text": "texts",
    "indices": "arrays of index numbers",
    "vector": "arrays (features)",
    "series": "arrays (steps, features)",
    "image": "images",
    "array": "arrays of four or more axes",
}


# The encoders that begin with a layer, by the normal form of its name: many know the layer, and not the encoder.
_WITH_LAYER = {
    "lstm": "{type: rnn, cell: LSTM}",
    "gru": "{type: rnn, cell: GRU}",
    "simplernn": "{type: rnn}",
    "bidirectional": "{type: rnn, bidirectional: true}",
    **dict.fromkeys(("conv1d", "conv2d", "conv"), "{type: cnn}"),
    "dense": "{type: mlp}",
    **dict.fromkeys(("embedding", "globalaveragepooling1d"), "{type: pooled}"),
    **dict.fromkeys(("attention", "multiheadattention"), "{type: transformer}"),
}


def not_an_encoder(normal_form: str) -> str:
    """Return which encoder has a layer of this name; empty where none has."""
    encoder = _WITH_LAYER.get(normal_form)
    return f"is a layer, not an encoder: use {encoder}" if encoder else ""


def not_a_model(normal_form: str) -> str:
    """Return which model has a layer of this name; empty where none has."""
    model = _WITH_LAYER.get(normal_form)
    return f"is a layer, not a model: use {model}, or list layers in a model of type sequential" if model else ""


class InputEncoder(ModelSpec):
    """A network for one input: alone it is a model, and in a fusion it is what one of the inputs passes through."""

    suits: ClassVar[frozenset[InputKind]]
    """The kinds of inputs that it takes."""

    @property
    def text_encoding(self) -> Literal["tokens", "tf_idf"]:
        """Tokens where it takes them."""
        return "tokens" if "text" in self.suits else "tf_idf"

    def size_of(self, given: Input, path: KeyPath) -> tuple[IndexSize, ...]:
        """Return how many index numbers the input may have, where the config says it; `path` is that of the encoder."""
        size = getattr(self, "indices", None)
        return (IndexSize(given.name, (*path, "indices"), size),) if given.kind == "indices" and size else ()

    def index_sizes(self, info: DataInfo) -> tuple[IndexSize, ...]:
        """Return that of its input."""
        return self.size_of(info.input, ("model",)) if len(info.inputs) == 1 else ()

    def choices_for(self, given: Input) -> tuple[Decision, ...]:
        """Return what follows from an input where the config leaves it open, to be said and recorded."""
        return ()

    def choices(self, info: DataInfo) -> tuple[Decision, ...]:
        """Return those for its input."""
        return self.choices_for(info.input) if len(info.inputs) == 1 else ()

    def backbone_of(self, given: Input, path: KeyPath) -> tuple[Backbone, ...]:
        """Return the network that is nested in what `encoded` makes for an input; `path` is that of the encoder."""
        return ()

    def backbones(self, info: DataInfo) -> tuple[Backbone, ...]:
        """Return that for its input."""
        return self.backbone_of(info.input, ("model",)) if len(info.inputs) == 1 else ()

    @abstractmethod
    def encode(self, tensor: Any, given: Input) -> Any:
        """Return `(batch, width)` for a Keras tensor `(batch, *shape)` of an input.

        Args:
            tensor: of the input.
            given: what is known of it.

        Raises:
            ValueError: its shape does not fit, in words.
        """

    def encode_at(self, tensor: Any, given: Input, path: KeyPath) -> Any:
        """Return what `encode` does; for an encoder that must know its path in the config."""
        return self.encode(tensor, given)

    def encoded(self, tensor: Any, given: Input, path: KeyPath) -> Any:
        """Return what `encode` does.

        Raises:
            MisfitError: the input does not fit; the path is that of the encoder in the config.
        """
        from mltrain.keras_api.build import REFUSALS
        from mltrain.keras_api.messages import reason

        try:
            return self.encode_at(tensor, given, path)
        except MisfitError:  # it knows its place
            raise
        except (*REFUSALS, ConfigError) as error:
            shape = "(" + ", ".join(map(str, given.shape)) + ")"
            message = f"it does not fit the input '{given.name}', of shape {shape} for each row: {reason(error)}"
            raise MisfitError(path, message) from error

    def check_input(self, given: Input, path: KeyPath) -> None:
        """Refuse an input of another kind.

        Raises:
            MisfitError: says which kinds fit.
        """
        if given.kind not in self.suits:
            fitting = listed([words for kind, words in KINDS_IN_WORDS.items() if kind in self.suits])
            found = f"the input '{given.name}' has {KINDS_IN_WORDS[given.kind]}"
            raise MisfitError(path, f"{getattr(self, 'type', '')} takes {fitting}, and {found}")

    def refuse_stated_size(self, given: Input, path: KeyPath) -> None:
        """Refuse `indices` beside an input that knows how many index numbers it has: they would change nothing.

        Raises:
            MisfitError: says the number.
        """
        if given.indices is not None and getattr(self, "indices", None) is not None:
            found = f"the input '{given.name}' has {KINDS_IN_WORDS[given.kind]}"
            raise MisfitError((*path, "indices"), f"{found}, with {given.indices:,} known index numbers: remove it")

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model: a layer that `build` adds."""
        return added_head(info, loss, f"{getattr(self, 'type', '')} ends in the layer that {info.task} needs")

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model`: `(batch, *shape)` in, `(batch, units)` out."""
        from mltrain.models.branches import network

        self.check_input(info.input, ("model", "type"))
        self.refuse_stated_size(info.input, ("model",))
        refuse_small(self.index_sizes(info), info)
        return network(info, lambda tensors: self.encoded(tensors[0], info.input, ("model",)))
