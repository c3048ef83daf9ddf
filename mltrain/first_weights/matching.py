"""Which kept weights belong to which layers of a model: by names, by kinds, or by their order. No TensorFlow.

Keras itself loads a `.weights.h5` file by kind and number, and an `.h5` file by the order of its layers; both give
wrong weights in silence where two layers of one kind and shape have changed places. So names decide wherever both
sides have some, and the others are tried only where names lead nowhere.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mltrain.first_weights.stored import Kept, Names, StoredWeight, StoredWeights
from mltrain.problems import printable


@dataclass(frozen=True)
class ModelWeight:
    """One weight of a layer of the model.

    Attributes:
        names: inside the layer, the last its own.
        keys: the same as a `.weights.h5` file has it.
        shape: its shape.
        variable: the `keras.Variable`.
        trainable: whether it is among those that an `.h5` file has first.
    """

    names: Names
    keys: Names
    shape: tuple[int, ...]
    variable: Any
    trainable: bool = True


@dataclass(frozen=True)
class ModelLayer:
    """A layer of the model that has weights.

    Attributes:
        path: the names of the models that it is in, and its own.
        kinds: the same as kinds and numbers.
        automatic: its name without the number, where Keras made it; else empty.
        weights: in Keras' order.
        layer: the `keras.Layer`.
    """

    path: Names
    kinds: Names
    automatic: str
    weights: tuple[ModelWeight, ...]
    layer: Any

    @property
    def name(self) -> str:
        """Its own name, safe to print."""
        return printable(self.path[-1])


@dataclass(frozen=True)
class Pair:
    """A weight of the model, and the numbers that are kept for it."""

    weight: ModelWeight
    kept: Kept


@dataclass
class Match:
    """What fits a model.

    Attributes:
        stored: what it was taken from.
        how: how layers were found, as messages say it.
        taken: the weights of each layer that was found and fits.
        used_by: the layers of the other side that it took, by the path of the layer.
        absent: the layers that were not found.
        misfits: why layers that were found do not fit, a sentence each.
    """

    stored: StoredWeights
    how: str
    taken: dict[Names, tuple[ModelLayer, list[Pair]]] = field(default_factory=dict)
    used_by: dict[Names, set[Names]] = field(default_factory=dict)
    absent: list[ModelLayer] = field(default_factory=list)
    misfits: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every layer was found and fits."""
        return not self.absent and not self.misfits

    def add(self, layer: ModelLayer, found: Sequence[tuple[Names, StoredWeight]], *, numbered: bool) -> None:
        """Take the weights of a layer, where they fit."""
        pairs = _pairs(layer, found, numbered, self.stored.where)
        if isinstance(pairs, str):
            self.misfits.append(f"{layer.name} {pairs}")
            return
        self.taken[layer.path] = (layer, pairs)
        self.used_by[layer.path] = {weight.layer for _, weight in found}

    @property
    def used(self) -> set[Names]:
        """The layers of the other side that were taken."""
        return set().union(*self.used_by.values())


def complete_match(layers: Sequence[ModelLayer], stored: Sequence[StoredWeights], *, ordered: bool = False) -> Match:
    """Return the match of a model whose every layer shall get weights, or the best that there is.

    Args:
        layers: of the model.
        stored: the same weights, read in one way or more.
        ordered: whether the file was written for this very model, so that its order comes before names.
    """
    found: list[Match] = []
    for weights in stored:
        by_order = [_by_order(layers, weights)] if weights.listed else []
        by_name = [_by_place(layers, weights)]
        for match in (*by_order, *by_name) if ordered else (*by_name, *by_order):
            if match.complete:
                return match
            found.append(match)
    return max(found, key=lambda match: len(match.taken))


def partial_match(layers: Sequence[ModelLayer], stored: StoredWeights) -> Match:
    """Return the match of the layers that have a name on the other side, and the same shapes: by all their names, or by
    their own name where there is one such layer there.

    Args:
        layers: of the model.
        stored: the weights.
    """
    found = Match(stored, "by kind and place" if stored.by_kind else "by name")
    inside = _contents(stored)
    owners: dict[str, list[Names]] = defaultdict(list)
    for models, names in inside.items():
        for name in names:
            owners[name].append(models)
    for layer in layers:
        path = layer.kinds if stored.by_kind else layer.path
        exact = inside.get(path[:-1], {}).get(path[-1])
        if exact is None and len(owners[path[-1]]) == 1:
            exact = inside[owners[path[-1]][0]][path[-1]]
        if exact is None:
            found.absent.append(layer)
        else:
            found.add(layer, exact, numbered=stored.numbered)
    return found


def narrowed(match: Match, layers: Sequence[ModelLayer]) -> Match:
    """Return the match of a model that is a part of the one that was matched, and has the same names."""
    found = Match(match.stored, match.how)
    for layer in layers:
        _, pairs = match.taken[layer.path]
        found.taken[layer.path] = (
            layer,
            [Pair(mine, other.kept) for mine, other in zip(layer.weights, pairs, strict=True)],
        )
        found.used_by[layer.path] = match.used_by[layer.path]
    return found


Contents = Mapping[Names, Mapping[str, list[tuple[Names, StoredWeight]]]]


def _contents(stored: StoredWeights) -> Contents:
    """Return what is in each model or layer: its layers by name, each with its weights and their names inside it.

    A name on the way to a weight may be that of a model, of a layer, or of a layer in a layer: each is tried.
    """
    found: dict[Names, dict[str, list[tuple[Names, StoredWeight]]]] = defaultdict(lambda: defaultdict(list))
    for weight in stored.weights:
        path = (*weight.layer, *weight.nested)
        for at in range(len(path) - 1):
            found[path[:at]][path[at]].append((path[at + 1 :], weight))
    return found


def _by_place(layers: Sequence[ModelLayer], stored: StoredWeights) -> Match:
    """Return the match by names, or by kinds and numbers, in the model of the file that has most of the layers."""
    match = Match(stored, "by kind and place" if stored.by_kind else "by name")
    inside = _contents(stored)
    best: dict[Names, list[tuple[Names, StoredWeight]] | None] = {}
    count = -1
    for models in sorted(inside, key=lambda names: (len(names), names)):
        here = {layer.path: _found(layer, layers, inside, models, stored.by_kind) for layer in layers}
        there = sum(each is not None for each in here.values())
        if there > count:
            best, count = here, there
    for layer in layers:
        weights = best.get(layer.path)
        if weights is None:
            match.absent.append(layer)
        else:
            match.add(layer, weights, numbered=stored.numbered)
    return match


def _found(
    layer: ModelLayer, layers: Sequence[ModelLayer], inside: Contents, models: Names, by_kind: bool
) -> list[tuple[Names, StoredWeight]] | None:
    path = layer.kinds if by_kind else layer.path
    there = inside.get((*models, *path[:-1]), {})
    if by_kind or not layer.automatic:
        return there.get(path[-1]) or (None if by_kind else _behind_scopes(inside, models, path[-1]))
    # conv2d_7 is the eighth Conv2D of a process, not of a model: what counts is how many came before it in the model.
    mine = _numbers((each.path[-1] for each in layers if each.path[:-1] == path[:-1]), layer.automatic)
    theirs = _numbers(there, layer.automatic)
    if not theirs:
        return None
    number = mine[path[-1]] - min(mine.values()) + min(theirs.values())
    return there.get(f"{layer.automatic}_{number}" if number else layer.automatic)


def _behind_scopes(inside: Contents, models: Names, name: str) -> list[tuple[Names, StoredWeight]] | None:
    """Return the weights of a layer where names that are no layers stand before its own, as in NASNet."""
    places = [place for place, names in inside.items() if place[: len(models)] == models and name in names]
    return inside[places[0]][name] if len(places) == 1 else None


def _numbers(names: Iterable[str], automatic: str) -> dict[str, int]:
    """Return the numbers of the automatic names among these: 0 for `conv2d`, 7 for `conv2d_7`."""
    found = {name: re.fullmatch(rf"{re.escape(automatic)}(?:_(\d{{1,9}}))?", name) for name in names}
    return {name: int(each[1] or 0) for name, each in found.items() if each}


def _by_order(layers: Sequence[ModelLayer], stored: StoredWeights) -> Match:
    """Return the match by the order of layers, as Keras does it: where there are as many, and all fit."""
    match = Match(stored, "by the order of layers")
    groups: dict[str, list[tuple[Names, StoredWeight]]] = defaultdict(list)
    for weight in stored.weights:
        groups[weight.layer[0]].append(((*weight.layer[1:], *weight.nested), weight))
    parts: dict[str, list[ModelLayer]] = defaultdict(list)
    for layer in layers:
        parts[layer.path[0]].append(layer)
    if [len(found) for found in groups.values()] != [
        sum(len(each.weights) for each in part) for part in parts.values()
    ]:
        match.absent += layers
        return match
    for part, weights in zip(parts.values(), groups.values(), strict=True):
        for layer, found in _shared_out(part, weights):
            match.add(layer, found, numbered=False)
    return match


def _shared_out(
    part: Sequence[ModelLayer], found: Sequence[tuple[Names, StoredWeight]]
) -> Iterator[tuple[ModelLayer, list[tuple[Names, StoredWeight]]]]:
    """Yield each layer of a model inside the model with its weights: first are those of all layers that are trained."""
    owners = [
        layer for trained in (True, False) for layer in part for each in layer.weights if each.trainable is trained
    ]
    for layer in part:
        yield layer, [weight for owner, weight in zip(owners, found, strict=True) if owner is layer]


def _pairs(
    layer: ModelLayer, found: Sequence[tuple[Names, StoredWeight]], numbered: bool, where: str
) -> list[Pair] | str:
    """Return the weights of a layer with what they shall be, or what does not fit; `where` is the other side."""
    if len(found) != len(layer.weights):
        return f"has {len(layer.weights)} weights in the model and {len(found)} in {where}"
    if numbered:
        by_key = {names: weight.kept for names, weight in found}
        if by_key.keys() != {each.keys for each in layer.weights}:
            return f"has other parts in {where}"
        pairs = [Pair(each, by_key[each.keys]) for each in layer.weights]
    else:
        pairs = list(_named_pairs(layer, found))
        if len(pairs) != len(layer.weights):
            theirs = ", ".join(printable("/".join(names)) for names, _ in found)
            mine = ", ".join("/".join(each.names) for each in layer.weights)
            return f"has the weights {mine} in the model and {theirs} in {where}"
    wrong = next((each for each in pairs if each.weight.shape != each.kept.shape), None)
    if wrong is not None:
        name, shapes = "/".join(wrong.weight.names), (wrong.weight.shape, wrong.kept.shape)
        return f"has {name} of shape {shapes[0]} in the model and {shapes[1]} in {where}"
    return pairs


def _named_pairs(layer: ModelLayer, found: Sequence[tuple[Names, StoredWeight]]) -> Iterator[Pair]:
    """Yield the weights of a layer by their names; by their order where the file has names that say nothing."""
    by_names = {names: weight.kept for names, weight in found}
    if by_names.keys() == {each.names for each in layer.weights}:
        yield from (Pair(each, by_names[each.names]) for each in layer.weights)
        return
    mine, theirs = [each.names[-1] for each in layer.weights], [names[-1] for names, _ in found]
    if sorted(mine) == sorted(theirs) and len(set(mine)) == len(mine):
        by_last = {names[-1]: weight.kept for names, weight in found}
        yield from (Pair(each, by_last[each.names[-1]]) for each in layer.weights)
    elif mine == theirs or not set(mine) & set(theirs):  # Keras 1 called them conv1_W_1 and conv1_b_1
        yield from (Pair(each, weight.kept) for each, (_, weight) in zip(layer.weights, found, strict=True))
