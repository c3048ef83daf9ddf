"""Any graph of Keras layers: the functional API in YAML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field

from mltrain.errors import MisfitError
from mltrain.first_weights.spec import FirstWeights
from mltrain.keras_api.components import KerasComponent
from mltrain.models.graph_nodes import Node, NodeType
from mltrain.models.graph_reading import steps_of
from mltrain.models.graph_steps import THE_INPUT, THE_OUTPUT, Steps
from mltrain.models.graph_widths import width_problems
from mltrain.models.head import Head, find_head
from mltrain.models.indices import INDEX_ARGUMENTS, IndexSize, refuse_small
from mltrain.models.model import ModelSpec
from mltrain.spec import Many
from mltrain.task import DataInfo, Input
from mltrain.wording import listed

GraphNode = Annotated[Node, NodeType()]


class Graph(ModelSpec):
    """A graph of Keras layers. Each takes the node above it, or what its `from` names: nodes, and inputs of the data.
    The head for the task is added unless the graph ends in one."""

    type: Literal["graph"] = "graph"
    layers: Annotated[Many[GraphNode], Field(min_length=1)]
    """The nodes, such as `{name: both, from: [seen, table], type: Concatenate}`. A node `{share: name}` uses the layer
    of another one again; `{repeat: 3, layers: […]}` is a block, whose layers know what it is given as `block_input`."""
    outputs: str | dict[str, str] | None = None
    """The node that the head is put on; null is the last one. For targets of different kinds also the node of each, by
    the name of the target, such as `{price: house, sold: market}`."""
    weights: FirstWeights | None = None
    """Weights that were learned before, `{file: w.h5}` or `{run: RUN}`: layers with an equal name and equal shapes
    begin with them, all others at random. Only a training reads them, before its first step."""

    @cached_property
    def steps(self) -> Steps:
        """The calls of its layers, in their order."""
        return steps_of(self.layers, self.outputs)

    @property
    def written_layers(self) -> tuple[KerasComponent, ...]:
        """The layers, each as often as it is called."""
        return tuple(step.layer for step in self.steps.steps)

    @property
    def may_end_in_logits(self) -> bool:
        """Whether the last layer can be without its activation: it is the config's own."""
        return True

    def problems(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield `(path below model, message)` for what is wrong whatever the data are: unknown and doubled names,
        circles, nodes that lead nowhere, sizes that are known and do not fit."""
        yield from self.steps.problems
        if not self.steps.problems:
            yield from width_problems(self.steps.steps)

    @property
    def text_encoding(self) -> Literal["tokens", "tf_idf"]:
        """Tokens."""
        return "tokens"

    def index_sizes(self, info: DataInfo) -> tuple[IndexSize, ...]:
        """Return those of the layers that look up the index numbers of an input."""
        names = {each.name: each.name for each in info.inputs} | {THE_INPUT: info.inputs[0].name}
        paths = {step.key: step.path for step in self.steps.steps}
        found = []
        for step in self.steps.steps:
            argument = INDEX_ARGUMENTS.get(step.layer.type)
            if argument is None or step.sources[0] not in names:
                continue
            size, name = step.layer.argument(argument), names[step.sources[0]]
            if size == "auto":
                owner = next((each for each in self.steps.steps if each.key == step.shared), step)
                known = {each.name: each.indices for each in info.inputs}
                size = known.get(names.get(owner.sources[0], "")) or 0
            path = ("model", *paths[step.shared or step.key], argument)
            found += [IndexSize(name, path, size)] if size else []
        return tuple(found)

    def takes_text(self, column: str) -> bool:
        """Whether a node takes the column."""
        return column in self.steps.inputs

    def inputs_problem(self, inputs: Sequence[Input]) -> str | None:
        """Return None: it takes any inputs."""
        return None

    @property
    def output_names(self) -> tuple[str, ...]:
        """The targets that have a node each."""
        return tuple(self.outputs) if isinstance(self.outputs, dict) else ()

    def head(self, info: DataInfo, loss: KerasComponent | None) -> Head:
        """Return what ends the model: its own last layer, or one that `build` adds."""
        return find_head(self._chain_to_output(), info, loss)

    def build(self, info: DataInfo, loss: KerasComponent | None) -> Any:
        """Return the `keras.Model`: one tensor for each input of the data in, `(batch, units)` out.

        Raises:
            MisfitError: inputs or shapes do not fit; has all that do not.
        """
        from mltrain.models.graph_building import built_graph

        refuse_small(self.index_sizes(info), info)
        self._refuse_other_outputs(info)
        return built_graph(self.steps, info, head_is_added=self.head(info, loss).added)

    def _refuse_other_outputs(self, info: DataInfo) -> None:
        """Refuse nodes of outputs that are not those of the targets."""
        if not isinstance(self.outputs, dict):
            return
        targets = [part.name for part in info.output.parts]
        if not targets:
            message = f"they are for targets of different kinds, and the task is {info.task}: name one node"
            raise MisfitError(("model", "outputs"), message)
        missing = [name for name in targets if name not in self.outputs]
        if missing:
            message = f"the target {listed([repr(name) for name in missing])} has no node: name one for each target"
            raise MisfitError(("model", "outputs"), message)

    def _chain_to_output(self) -> tuple[KerasComponent, ...]:
        """Return the layer of the output, behind the one that it takes where it takes one; none of several outputs."""
        by_key = {step.key: step for step in self.steps.steps}
        if THE_OUTPUT not in self.steps.outputs:
            return ()
        last = by_key[self.steps.outputs[THE_OUTPUT]]
        before = by_key.get(last.sources[0]) if len(last.sources) == 1 else None
        return (last.layer,) if before is None else (before.layer, last.layer)
