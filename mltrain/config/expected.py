"""What the specs expect at a path of the YAML, read from their annotations: for suggestions, bounds and stand-ins."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from mltrain.problems import KeyPath
from mltrain.spec import OneOf, Spec, keys_of, normalise

_BOUNDS = {"ge": "of at least", "gt": "greater than", "lt": "less than", "le": "of at most"}


def is_spec(annotation: Any) -> bool:
    """Return whether the annotation is a spec class."""
    return isinstance(annotation, type) and issubclass(annotation, Spec)


def expected_at(spec: type[Spec], path: KeyPath, data: Any) -> list[Any]:
    """Return the annotations of what may stand at `path`.

    Args:
        spec: of the whole YAML.
        path: of the place.
        data: the YAML as plain data; the `type` of each component in it tells which spec is meant.
    """
    current: list[Any] = [spec]
    for part in path:
        current = [inner for annotation in current for inner in _below(annotation, part, data)]
        try:
            data = data[part]
        except (LookupError, TypeError):
            data = None
    return current


def specs_of(annotations: list[Any], data: Any) -> list[type[Spec]]:
    """Return the spec classes among the alternatives; of a component the one that `data` names, or all of them."""
    found: list[type[Spec]] = []
    for each in (each for annotation in annotations for each in opened(annotation)):
        if is_spec(each):
            found.append(each)
        elif isinstance(each, OneOf):
            found += _meant(each, data)
    return found


def constraints(annotation: Any, kind: type) -> Iterator[Any]:
    """Yield the constraints of an int or a float at a place, as `Ge(ge=1)`; of a union, those of that branch."""
    if isinstance(annotation, FieldInfo):
        inner, metadata = annotation.annotation, annotation.metadata
    elif get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
    elif get_origin(annotation) in (Union, types.UnionType):
        for branch in get_args(annotation):
            yield from constraints(branch, kind)
        return
    else:
        return
    if kind in opened(inner):
        for each in metadata:
            yield from each.metadata if isinstance(each, FieldInfo) else (each,)
    yield from constraints(inner, kind)


def opened(annotation: Any, metadata: tuple[Any, ...] = ()) -> Iterator[Any]:
    """Yield the alternatives of an annotation; a component is its `OneOf`, everything else itself without metadata."""
    if isinstance(annotation, FieldInfo):
        yield from opened(annotation.annotation, tuple(annotation.metadata))
    elif components := [each for each in metadata if isinstance(each, OneOf)]:
        yield from components
    elif get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from opened(inner, tuple(more))
    elif get_origin(annotation) in (Union, types.UnionType):
        for inner in get_args(annotation):
            yield from opened(inner)
    else:
        yield annotation


def number_text(kind: type, annotation: Any, bounds: Mapping[str, Any] | None = None) -> str:
    """Return a number in words with all of its bounds: "an integer of at least 1", "a number from 0 to 1".

    Args:
        kind: int or float.
        annotation: of the place.
        bounds: what is known already, as `{"ge": 1}`.
    """
    word = "an integer" if kind is int else "a number"
    known = dict(bounds or {})
    for constraint in constraints(annotation, kind):
        known |= {name: getattr(constraint, name) for name in _BOUNDS if hasattr(constraint, name)}
    if "ge" in known and "le" in known:
        return f"{word} from {known['ge']} to {known['le']}"
    limits = " and ".join(f"{text} {known[name]}" for name, text in _BOUNDS.items() if name in known)
    return f"{word} {limits}".strip()


def choices(annotations: list[Any]) -> list[str]:
    """Return the texts that may be chosen from, as the items of a Literal."""
    return [
        choice
        for annotation in annotations
        for each in opened(annotation)
        if get_origin(each) is Literal
        for choice in get_args(each)
        if isinstance(choice, str)
    ]


def _below(annotation: Any, part: str | int, data: Any) -> Iterator[Any]:
    for each in opened(annotation):
        arguments = get_args(each)
        if is_spec(each) or isinstance(each, OneOf):
            for spec in specs_of([each], data):
                if part in (keys := keys_of(spec)):
                    yield keys[str(part)]
        elif get_origin(each) is dict:
            yield arguments[1]
        elif get_origin(each) in (tuple, list):
            yield arguments[0]


def _meant(component: OneOf, data: Any) -> list[type[Spec]]:
    name = data.get("type") if isinstance(data, dict) else data
    if not isinstance(name, str):
        return list(component.specs.values())
    return [spec for known, spec in component.specs.items() if normalise(known) == normalise(name)]
