"""From the calls of a graph to the Keras model. Imports TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
from keras import ops

from mltrain.errors import ConfigError, MisfitError
from mltrain.keras_api.build import REFUSALS, build
from mltrain.keras_api.components import KerasComponent
from mltrain.keras_api.messages import reason
from mltrain.models.branches import network
from mltrain.models.graph_nodes import CALL_ARGUMENTS
from mltrain.models.graph_steps import THE_INPUT, THE_OUTPUT, Step, Steps, Wrong
from mltrain.models.walk import shape_text
from mltrain.spec import suggest
from mltrain.task import DataInfo
from mltrain.wording import listed


def built_graph(graph: Steps, info: DataInfo, head_is_added: bool) -> keras.Model:
    """Return the model of a graph.

    Args:
        graph: its calls.
        info: what is known of the data.
        head_is_added: whether the graph does not end in a head.

    Raises:
        MisfitError: has everything that does not fit.
    """
    _refuse_other_inputs(graph, info)
    building = _Building(info)

    def body(tensors: list[Any]) -> Any:
        building.made = {THE_INPUT: tensors[0], **dict(zip((each.name for each in info.inputs), tensors, strict=True))}
        for step in graph.steps:
            building.call(step, in_float32=step.key == graph.outputs.get(THE_OUTPUT) and not head_is_added)
        if building.problems:
            raise MisfitError.of([(("model", *path), message) for path, message in building.problems])
        made = {target: building.made[key] for target, key in graph.outputs.items()}
        return made.get(THE_OUTPUT, made)

    taken = {str(dict(step.layer.arguments).get("name")) for step in graph.steps}
    return network(info, body, head_is_added, taken)


def _refuse_other_inputs(graph: Steps, info: DataInfo) -> None:
    """Refuse names of neither nodes nor inputs, inputs that nothing takes, and nodes with the name of an input."""
    names = [each.name for each in info.inputs]
    problems: list[Wrong] = []
    for name, paths in graph.inputs.items():
        if name == THE_INPUT and len(names) > 1:
            problems += [(path, f"the data has several inputs, {listed(names)}: name one in 'from'") for path in paths]
        elif name != THE_INPUT and name not in names:
            near = suggest(name, [*(step.name for step in graph.steps if step.name), *names])
            message = f"neither a node nor an input has the name '{name}'{near} (inputs: {listed(names)})"
            problems += [(path, message) for path in paths]
    for step in graph.steps:
        if step.name in names:
            problems.append(((*step.path, "name"), f"'{step.name}' is an input of the data: take another name"))
    unused = [repr(name) for name in names if name not in graph.inputs]
    if unused and not problems and (len(names) > 1 or THE_INPUT not in graph.inputs):
        advice = "name it in a 'from', or set its columns to ignore"
        problems.append((("layers",), f"no node takes the input {listed(unused)}: {advice}"))
    if problems:
        raise MisfitError.of([(("model", *path), message) for path, message in problems])


# Layers that are told in their call which steps are padding.
_RECURRENT = ("RNN", "LSTM", "GRU", "SimpleRNN", "Bidirectional")
_TAKE_MASKS = (*_RECURRENT, "TimeDistributed", "GlobalAveragePooling1D")
_KEEP_MASKS = frozenset(
    (
        *("Activation", "ActivityRegularization", "AlphaDropout", "BatchNormalization", "Dense", "Dropout", "ELU"),
        *("GaussianDropout", "GaussianNoise", "GroupNormalization", "Identity", "LayerNormalization", "LeakyReLU"),
        *("PReLU", "ReLU", "RMSNormalization", "SpatialDropout1D", "UnitNormalization", "TimeDistributed"),
        *_RECURRENT,
        *CALL_ARGUMENTS,
        *("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract", "Concatenate"),
    )
)
_WITH_HEADS = ("MultiHeadAttention", "GroupQueryAttention")


class _Building:
    """Calls the layers one after the other, and continues behind one that does not fit, to find all that do not.

    Which steps are padding is passed to each layer that can know it, as a tensor of its own: the mask that Keras keeps
    with a tensor is lost behind an attention, and in a sum with a tensor that has none (3.15).
    """

    def __init__(self, info: DataInfo) -> None:
        self.info = info
        self.made: dict[str, Any] = {}
        self.problems: list[Wrong] = []
        self._layers: dict[str, Any] = {}
        self._masks: dict[str, Any] = {}

    def call(self, step: Step, in_float32: bool) -> None:
        """Call the layer of a step; `in_float32` for the last of a graph, whose probabilities need all digits."""
        tensors = [self.made[source] for source in step.sources if source in self.made]
        if len(tensors) < len(step.sources):
            return  # behind one that does not fit
        policy = keras.config.dtype_policy()
        try:
            keras.config.set_dtype_policy("float32" if in_float32 else policy)
            if step.shared is None:
                self._layers[step.key] = build(self._sized(step))
            elif step.shared not in self._layers:
                return
            layer = self._layers[step.shared or step.key]
            self.made[step.key] = self._called(layer, step, tensors)
        except (*REFUSALS, ConfigError) as error:
            meeting = ", ".join(
                f"{source or 'the input'} {shape_text(tensor.shape[1:])}"
                for source, tensor in zip(step.sources, tensors, strict=True)
            )
            message = f"{step.words} does not accept {meeting}: {reason(error)}"
            if step.layer.own is not None:  # the error knows the line of its code
                raise MisfitError(("model", *step.path), message) from error
            self.problems.append((step.path, message))
        finally:
            keras.config.set_dtype_policy(policy)

    def _sized(self, step: Step) -> KerasComponent:
        """Return the layer of a step, with the number of index numbers of its input in place of `auto`."""
        arguments = dict(step.layer.arguments)
        if arguments.get("input_dim") != "auto":
            return step.layer
        named = {each.name: each.indices for each in self.info.inputs} | {THE_INPUT: self.info.inputs[0].indices}
        size = named.get(step.sources[0])
        if size is None:
            raise ValueError("input_dim: auto is for texts and embedded categories: state the largest index + 1")
        return replace(step.layer, arguments=tuple({**arguments, "input_dim": size}.items()))

    def _called(self, layer: Any, step: Step, tensors: list[Any]) -> Any:
        kind = step.layer.type
        masks = [self._masks.get(source) for source in step.sources]
        more: dict[str, Any] = {}
        if kind in CALL_ARGUMENTS:
            names = step.arguments or CALL_ARGUMENTS[kind]
            given, seen = (dict(zip(names, each, strict=False)) for each in (tensors, masks))
            of_query, of_value = seen.get("query"), seen.get("value", seen.get("query"))
            given.setdefault("value", given["query"])
            if kind in _WITH_HEADS:
                more = {"attention_mask": ops.expand_dims(of_value, 1)} if of_value is not None else {}
                made = layer(given.pop("query"), given.pop("value"), **given, **more)
            else:
                more = {"mask": [of_query, of_value]} if of_query is not None or of_value is not None else {}
                made = layer([given[name] for name in CALL_ARGUMENTS[kind] if name in given], **more)
            masks = [of_query]
        elif step.layer.entry.inputs == "many" or len(tensors) > 1:
            made = layer(tensors)
        else:
            if kind in _TAKE_MASKS and masks[0] is not None:
                more["mask"] = masks[0]
            made = layer(tensors[0], **more)
        self._note_mask(step, layer, tensors, [mask for mask in masks if mask is not None], made)
        return made

    def _note_mask(self, step: Step, layer: Any, tensors: list[Any], masks: list[Any], made: Any) -> None:
        if step.layer.type in ("Embedding", "Masking"):
            mask = layer.compute_mask(tensors[0])
            if mask is not None:
                self._masks[step.key] = mask
        elif masks and step.layer.type in _KEEP_MASKS and len(made.shape) > 2 and made.shape[1] == masks[0].shape[1]:
            together = masks[0]
            for mask in masks[1:]:
                together = ops.logical_and(together, mask)
            self._masks[step.key] = together
