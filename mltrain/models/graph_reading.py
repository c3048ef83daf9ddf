"""Nodes as they are written, and blocks as often as they are repeated, as the calls of their layers. No TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from mltrain.keras_api.components import KerasComponent
from mltrain.models.graph_nodes import BLOCK_INPUT, CALL_ARGUMENTS, Node
from mltrain.models.graph_steps import THE_INPUT, THE_OUTPUT, Step, Steps, Wrong, in_order, mistyped, unused_steps
from mltrain.problems import KeyPath, path_text
from mltrain.spec import suggest
from mltrain.wording import listed

# A graph of more calls is a mistake, or was written to fill the memory: blocks in blocks multiply.
MOST_CALLS = 10_000


def steps_of(nodes: Sequence[Node], outputs: str | Mapping[str, str] | None) -> Steps:
    """Return the calls of a graph.

    Args:
        nodes: of the config.
        outputs: the node of the output, or of each by the name of its target; None for the last.
    """
    reading = _Reading()
    last = reading.block(nodes, ("layers",), {}, THE_INPUT, "")
    scope, made = reading.names, {} if outputs is not None else {THE_OUTPUT: last}
    for target, node in {THE_OUTPUT: outputs}.items() if isinstance(outputs, str) else (outputs or {}).items():
        if node in scope:
            made[target] = scope[node]
            continue
        path: KeyPath = ("outputs", target) if target != THE_OUTPUT else ("outputs",)
        reading.problems.append((path, f"no node has the name '{node}'{suggest(node, scope)}"))
    if len(reading.steps) > MOST_CALLS:
        reading.problems = [(("layers",), f"the blocks make more than {MOST_CALLS:,} layers: repeat them less often")]
        return Steps((), {}, {}, tuple(reading.problems))
    taken = {step.name for step in reading.steps if step.name is not None}
    numbers: dict[str, int] = {}
    steps = [
        replace(step, layer=_named(step.layer, taken, numbers), sources=tuple(map(reading.end, step.sources)))
        for step in reading.steps
    ]
    made = {target: reading.end(key) for target, key in made.items()}
    ordered = in_order(steps, reading.problems)
    if not reading.problems:
        unused = unused_steps(ordered, list(made.values()))
        if unused:  # most often because a name elsewhere is mistyped; only the data knows whether it is an input
            reading.problems += mistyped(reading.inputs, scope)
        reading.problems += unused
    return Steps(tuple(ordered), made, reading.inputs, tuple(reading.problems))


class _Reading:
    """Reads nodes, and blocks as often as they are repeated."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.problems: list[Wrong] = []
        self.inputs: dict[str, list[KeyPath]] = {}
        self.names: dict[str, str] = {}
        self._paths: dict[str, KeyPath] = {}
        self._ends: dict[str, str] = {}

    def end(self, key: str) -> str:
        """Return the key of a step: of a block, that of its last."""
        while key in self._ends:
            key = self._ends[key]
        return key

    def block(self, nodes: Sequence[Node], path: KeyPath, outside: Mapping[str, str], given: str, suffix: str) -> str:
        """Read the nodes of a block, or of the whole graph; return the key of the last.

        Args:
            nodes: of the block.
            path: of their list, below `model`.
            outside: keys by name of what surrounds the block.
            given: the key of what the first node takes where it does not say it.
            suffix: what the names of layers in this repetition end with.
        """
        keys = {node.name: f"{node.name}{suffix}" for node in nodes if node.name is not None}
        scope = {**outside, **keys}
        if not outside:
            self.names = scope
        above = given
        for place, node in enumerate(nodes):
            here = (*path, place)
            self._named(node, here, suffix)
            sources = (above,) if node.sources is None else self._sources(node, here, scope)
            if node.sources is None and above == THE_INPUT:
                self.inputs.setdefault(THE_INPUT, []).append(here)
            if node.layers:
                above = self._repeated(node, here, scope, sources, suffix)
                continue
            key = f"{node.name}{suffix}" if node.name is not None else f"{'.'.join(map(str, here))}{suffix}"
            self._call(node, here, key, sources, scope, suffix)
            above = key
        return above

    def _named(self, node: Node, path: KeyPath, suffix: str) -> None:
        if node.name is None:
            return
        if node.name == BLOCK_INPUT:
            self.problems.append(((*path, "name"), f"'{BLOCK_INPUT}' is what a block is given; take another name"))
        before = self._paths.setdefault(f"{node.name}{suffix}", path)
        if before != path:
            message = f"{path_text(before)} has the name '{node.name}' already: each node needs one of its own"
            self.problems.append(((*path, "name"), message))

    def _sources(self, node: Node, path: KeyPath, scope: Mapping[str, str]) -> tuple[str, ...]:
        found = []
        for place, name in enumerate(node.sources or ()):
            if name not in scope and name != BLOCK_INPUT:
                one = len(node.sources or ()) == 1 and not node.arguments
                part: KeyPath = () if one else ((node.arguments[place] if node.arguments else place),)
                self.inputs.setdefault(name, []).append((*path, "from", *part))
            elif name == BLOCK_INPUT and BLOCK_INPUT not in scope:
                message = f"'{BLOCK_INPUT}' is what a block is given, but this node is not in a block"
                self.problems.append(((*path, "from"), message))
            found.append(scope.get(name, name))
        return tuple(found)

    def _repeated(
        self, node: Node, path: KeyPath, scope: Mapping[str, str], sources: tuple[str, ...], suffix: str
    ) -> str:
        if len(sources) != 1 or node.arguments:
            self.problems.append(((*path, "from"), f"a block takes one tensor, and {len(sources)} are given"))
        last = sources[0] if sources else THE_INPUT
        for time in range(1, node.repeat + 1):
            if len(self.steps) > MOST_CALLS:
                break
            more = f"{suffix}_{time}" if node.repeat > 1 else suffix
            last = self.block(node.layers, (*path, "layers"), {**scope, BLOCK_INPUT: last}, last, more)
        if node.name is not None:
            self._ends[f"{node.name}{suffix}"] = last
        return last

    def _call(
        self, node: Node, path: KeyPath, key: str, sources: tuple[str, ...], scope: Mapping[str, str], suffix: str
    ) -> None:
        layer, shared = node.layer, None
        if node.share is not None:
            shared = scope.get(node.share)
            owner = next((step for step in self.steps if step.key == shared), None)
            if owner is None or owner.shared is not None:
                what = "uses another layer itself" if owner is not None else "comes later: list it above"
                if shared is None:
                    what = f"does not exist{suggest(node.share, scope)}"
                self.problems.append(((*path, "share"), f"the node '{node.share}' {what}"))
                return
            layer = owner.layer
        if layer is None:
            raise TypeError("a node that is no block has a layer, or shares one")
        message = _misfit(layer, sources, node.arguments)
        if message:
            where = (*path, "from") if node.sources is not None else path
            self.problems.append((where, message))
        name = f"{node.name}{suffix}" if node.name is not None else None
        if name is not None and shared is None:
            layer = _renamed(layer, name)
        self.steps.append(Step(key, path, name, sources, node.arguments, layer, shared))


def _renamed(layer: KerasComponent, name: str) -> KerasComponent:
    arguments = tuple((key, name if key == "name" else value) for key, value in layer.arguments)
    return replace(layer, arguments=arguments)


def _named(layer: KerasComponent, taken: set[str], numbers: dict[str, int]) -> KerasComponent:
    """Return a layer with a name, which no other of the graph has: those that Keras gives count all of a process.

    Args:
        layer: with its name, or without one.
        taken: names; that of the layer is added.
        numbers: the last number that was given, by the word before it.
    """
    if dict(layer.arguments).get("name") is not None:
        return layer
    word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", layer.type).lower()
    while True:
        numbers[word] = numbers.get(word, 0) + 1
        name = f"{word}_{numbers[word]}"
        if name not in taken:
            taken.add(name)
            return _renamed(layer, name)


def _misfit(layer: KerasComponent, sources: Sequence[str], arguments: Sequence[str]) -> str | None:
    """Return what is wrong with what a layer is given, as far as it is known without shapes."""
    known = CALL_ARGUMENTS.get(layer.type)
    if known is None:
        if arguments:
            return f"{layer.type} has no inputs by name: write a name, or a list of names"
        if layer.entry.inputs == "one" and len(sources) > 1:
            return f"{layer.type} takes one input, and {len(sources)} are given; join them first, as with Concatenate"
        if layer.entry.inputs == "many" and len(sources) < 2:
            return f"{layer.type} takes two inputs or more: list their names in 'from'"
        return None
    if arguments:
        unknown = [name for name in arguments if name not in known]
        missing = [name for name in known[:2] if name not in arguments]
        if unknown:
            return f"{layer.type} takes {listed(list(known))}, not '{unknown[0]}'{suggest(unknown[0], known)}"
        return f"{layer.type} also needs '{missing[0]}'" if missing else None
    if len(sources) > len(known):
        return f"{layer.type} takes {listed(list(known))}, and {len(sources)} inputs are given"
    return None
