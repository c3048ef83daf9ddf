"""The calls of a graph: what one is, their order, and which of them lead nowhere. No TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mltrain.keras_api.components import KerasComponent
from mltrain.problems import KeyPath
from mltrain.spec import suggest
from mltrain.wording import listed

# What is wrong: `(path below model, message)`.
Wrong: TypeAlias = tuple[KeyPath, str]
# The only output, or that of all targets.
THE_OUTPUT = ""
# The only input of the data, which has a name that the graph need not know.
THE_INPUT = ""


@dataclass(frozen=True)
class Step:
    """One call of a layer.

    Attributes:
        key: by which other steps refer to it: unlike a name it is there always, and once.
        path: of its node, below `model`.
        name: of its layer; None where the config gives none.
        sources: keys of steps, or names of inputs, that it takes.
        arguments: as of `Node`.
        layer: that is called.
        shared: the key of the step whose layer it is; None where it is its own.
    """

    key: str
    path: KeyPath
    name: str | None
    sources: tuple[str, ...]
    arguments: tuple[str, ...]
    layer: KerasComponent
    shared: str | None = None

    @property
    def words(self) -> str:
        """How it is called in messages."""
        return f"{self.layer.type} '{self.name}'" if self.name else self.layer.type


@dataclass(frozen=True)
class Steps:
    """All calls of a graph.

    Attributes:
        steps: each behind those that it takes.
        outputs: the key of the step that each output is made of, by the name of its target; `THE_OUTPUT` is the name of
            the only one, or of all. Empty where the config names a node that is not there.
        inputs: names in the graph that are no nodes: inputs of the data; `THE_INPUT` for the only one. Each with the
            paths that name it.
        problems: what is wrong whatever the data are.
    """

    steps: tuple[Step, ...]
    outputs: Mapping[str, str]
    inputs: Mapping[str, Sequence[KeyPath]]
    problems: tuple[Wrong, ...]


def in_order(steps: Sequence[Step], problems: list[Wrong]) -> list[Step]:
    """Return the steps, each behind those that it takes; a circle becomes a problem."""
    by_key = {step.key: step for step in steps}
    ordered: dict[str, Step] = {}
    for first in steps:
        way: list[tuple[Step, Iterator[str]]] = [(first, iter(first.sources))]
        while way:
            step, rest = way[-1]
            if step.key in ordered:
                way.pop()
                continue
            following = next((by_key[key] for key in rest if key in by_key and key not in ordered), None)
            if following is None:
                ordered[step.key] = step
                way.pop()
                continue
            on_way = [each.key for each, _ in way]
            if following.key in on_way:
                circle = [each.words for each, _ in way[on_way.index(following.key) :]]
                message = f"these nodes take each other in a circle: {' ← '.join([*circle, circle[0]])}"
                if len(circle) == 1:
                    message = f"{circle[0]} takes itself; a node needs another name than the input that it takes"
                problems.append(((*following.path, "from"), message))
                return list(steps)
            way.append((following, iter(following.sources)))
    return list(ordered.values())


def mistyped(inputs: Mapping[str, Sequence[KeyPath]], names: Mapping[str, str]) -> list[Wrong]:
    """Return a problem for each name that is not a node and is like that of one."""
    return [
        (path, f"no node has the name '{name}'{near}")
        for name, paths in inputs.items()
        if (near := suggest(name, names)) and name != THE_INPUT
        for path in paths
    ]


def unused_steps(steps: Sequence[Step], outputs: Sequence[str]) -> list[Wrong]:
    """Return a problem for each node that does not lead to an output."""
    needed = {*outputs}
    for step in reversed(steps):
        if step.key in needed:
            needed |= {*step.sources, *([step.shared] if step.shared else [])}
    ends = listed([step.words for step in steps if step.key in outputs])
    are = "the output is" if len({*outputs}) == 1 else "the outputs are"
    message = f"leads to no output ({are} {ends}): use it in a 'from', or remove it"
    found = {step.path: f"{step.words} {message}" for step in steps if step.key not in needed}
    return list(found.items())
