"""Several inputs in one network: an encoder for each, joined, and a trunk on top."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field

from mltrain.errors import MisfitError
from mltrain.first_weights.spec import FirstWeights
from mltrain.keras_api.components import KerasComponent, keras_component, make
from mltrain.models.cnn import Cnn
from mltrain.models.head import Head, added_head
from mltrain.models.indices import IndexSize, refuse_small
from mltrain.models.input_encoder import KINDS_IN_WORDS, InputEncoder, not_an_encoder
from mltrain.models.mlp import Mlp, hidden_layers
from mltrain.models.model import Backbone, ModelSpec, StatedWeights
from mltrain.models.pooled import Pooled
from mltrain.models.pretrained import Pretrained
from mltrain.models.rnn import Rnn
from mltrain.models.transformer import Transformer
from mltrain.problems import KeyPath
from mltrain.spec import Many, OneOf, suggest
from mltrain.task import DataInfo, Decision, Input, InputKind
from mltrain.wording import listed

ENCODERS = OneOf("encoder", Mlp, Cnn, Rnn, Transformer, Pooled, Pretrained, why_not=not_an_encoder)
Encoder = Annotated[Mlp | Cnn | Rnn | Transformer | Pooled | Pretrained, ENCODERS]
_DEFAULTS: dict[InputKind, InputEncoder] = {
    "table": Mlp(units=(64,)),
    "vector": Mlp(units=(64,)),
    "image": Cnn(),
    "text": Pooled(),
    "series": Cnn(),
}


class Fusion(ModelSpec):
    """A network for any inputs together. Each passes through an encoder of its own; what they give is joined, and
    hidden layers lead to the head."""

    type: Literal["fusion"] = "fusion"
    inputs: dict[str, Encoder] = Field(default_factory=dict)
    """An encoder for an input, by its name, such as `{photo: {type: cnn, filters: [16, 32]}, table: mlp}`. Others take
    the one that fits their kind: `mlp` for tables, `cnn` for images and series, `pooled` for texts."""
    join: Literal["concatenate", "sum", "gate", "attention"] = "concatenate"
    """How the encoded inputs are joined: beside each other; or as vectors of one `width`: their sum, their sum with a
    learned gate for each number, or their mean with learned weights for each row."""
    width: Annotated[int, Field(ge=1)] = 64
    """The length of the vectors for `sum`, `gate` and `attention`."""
    units: Many[Annotated[int, Field(ge=1)]] = (64,)
    """Units of each hidden layer behind the join."""
    activation: Annotated[KerasComponent, keras_component("activation")] = make("activation", "relu")
    """The activation of the hidden layers."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of each hidden layer's outputs that is dropped while training."""
    weights: FirstWeights | None = None
    """Weights that were learned before, `{file: w.h5}` or `{run: RUN}`: layers with an equal name and equal shapes
    begin with them, all others at random. Only a training reads them, before its first step."""

    @property
    def text_encoding(self) -> Literal["tokens", "tf_idf"]:
        """Tokens."""
        return "tokens"

    def index_sizes(self, info: DataInfo) -> tuple[IndexSize, ...]:
        """Return those of all inputs."""
        found = (self._encoder(each).size_of(each, self._path(each)) for each in info.inputs)
        return tuple(size for sizes in found for size in sizes)

    def takes_text(self, column: str) -> bool:
        """Yes: it has an encoder for texts."""
        return True

    def inputs_problem(self, inputs: Sequence[Input]) -> str | None:
        """Return None: it takes any inputs."""
        return None

    def choices(self, info: DataInfo) -> tuple[Decision, ...]:
        """Return those of the encoders that the config states."""
        found = (self.inputs[each.name].choices_for(each) for each in info.inputs if each.name in self.inputs)
        return tuple(decision for decisions in found for decision in decisions)

    def backbones(self, info: DataInfo) -> tuple[Backbone, ...]:
        """Return those of the encoders that the config states."""
        stated = [each for each in info.inputs if each.name in self.inputs]
        return tuple(found for each in stated for found in self.inputs[each.name].backbone_of(each, self._path(each)))

    def stated_weights(self, path: KeyPath = ("model",)) -> tuple[StatedWeights, ...]:
        """Return those of the model, and of the backbones among the encoders."""
        found = super().stated_weights(path)
        for name, encoder in self.inputs.items():
            of_encoder = encoder.stated_weights((*path, "inputs", name))
            found += tuple(replace(each, input=name) for each in of_encoder if each.backbone is not None)
        return found

    def problems(self) -> Iterator[tuple[KeyPath, str]]:
        """Yield `(path below model, message)` for encoders that state first weights of their own."""
        for name, encoder in self.inputs.items():
            if any(each.backbone is None for each in encoder.stated_weights()):
                message = (
                    "an encoder in a fusion has no first weights of its own, unless it is a backbone of type "
                    "pretrained: state model.weights, which is for the whole model"
                )
                yield ("inputs", name, "weights"), message

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model: a layer that `build` adds."""
        return added_head(info, loss, f"a fusion ends in the layer that {info.task} needs")

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model`: one tensor for each input in, in their order, `(batch, units)` out.

        Raises:
            MisfitError: encoders do not fit their inputs, or are for inputs that the data does not have; has them all.
        """
        from mltrain.models.branches import applied, joined, network

        encoders, problems = self._fitting_encoders(info)

        def body(tensors: Sequence[Any]) -> Any:
            parts = []
            for tensor, given in zip(tensors, info.inputs, strict=True):
                try:
                    if given.name in encoders:
                        parts.append(encoders[given.name].encoded(tensor, given, self._path(given)))
                except MisfitError as error:
                    problems.extend(error.all)
            if problems:
                raise MisfitError.of(problems)
            trunk = hidden_layers(self.units, self.activation, self.dropout)
            return applied(trunk, joined(parts, self.join, self.width))

        return network(info, body)

    def _fitting_encoders(self, info: DataInfo) -> tuple[dict[str, InputEncoder], list[tuple[KeyPath, str]]]:
        """Return the encoders that fit their inputs, by the name of the input, and what is wrong with all others."""
        names = [each.name for each in info.inputs]
        problems: list[tuple[KeyPath, str]] = []
        for name in self.inputs:
            if name not in names:
                message = f"the data has no input '{name}'{suggest(name, names)} (inputs: {listed(names)})"
                problems.append((("model", "inputs", name), message))
        encoders: dict[str, InputEncoder] = {}
        for given in info.inputs:
            try:
                encoder = self._encoder(given)
                refuse_small(encoder.size_of(given, self._path(given)), info)
                encoders[given.name] = encoder
            except MisfitError as error:
                problems += error.all
        return encoders, problems

    def _path(self, given: Input) -> KeyPath:
        return ("model", "inputs", given.name) if given.name in self.inputs else ("model",)

    def _encoder(self, given: Input) -> InputEncoder:
        """Return the encoder of an input: that of the config, or that of its kind.

        Raises:
            MisfitError: it is for inputs of another kind; or none is for this kind.
        """
        stated = self.inputs.get(given.name)
        if stated is not None:
            stated.check_input(given, self._path(given))
            stated.refuse_stated_size(given, self._path(given))
            return stated
        if given.kind == "category":
            return Pooled(width=given.width or 1)
        if given.kind not in _DEFAULTS:
            message = f"the input '{given.name}' has {KINDS_IN_WORDS[given.kind]}: state an encoder for it"
            raise MisfitError(
                ("model", "inputs"), f"{message}, such as {{{given.name}: {{type: pooled, indices: 1000}}}}"
            )
        return _DEFAULTS[given.kind]
