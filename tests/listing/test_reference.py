from __future__ import annotations

import importlib
import pkgutil
from typing import Annotated, Literal

import pytest
from pydantic import Field

import mltrain
from mltrain.keras_api.components import KerasComponent, keras_component, make
from mltrain.listing.reference import describe, field_documentation
from mltrain.spec import InputPath, Many, OneOf, Spec

SPEC_MODULES = [
    module.name
    for module in pkgutil.walk_packages(mltrain.__path__, "mltrain.")
    if module.name.split(".")[1] in ("data", "evaluation", "experiment", "models", "training")
]


class Small(Spec):
    """A small one."""

    type: Literal["small"] = "small"


class Base(Spec):
    """What others build on."""

    seed: Annotated[int, Field(ge=0, le=9)] = 3
    """Words of the
    base."""
    name: str
    """Words that are replaced."""


class Derived(Base):
    """One of each."""

    name: str = "it's"
    """A name."""
    size: Annotated[int, Field(ge=1)] | Literal["full"] = 32
    """A size."""
    share: Annotated[float, Field(gt=0, lt=1)] | None = None
    """A share."""
    rows: Annotated[int, Field(ge=2)] | Annotated[float, Field(gt=0, lt=1)] = 2
    """A share or a number."""
    path: InputPath
    """A path."""
    part: Annotated[Small, OneOf("part", Small)] = Small()
    """A part."""
    parts: Many[Annotated[Small, OneOf("part", Small)]] = ()
    """Parts."""
    optimizer: Annotated[KerasComponent, keras_component("optimizer")] = make("optimizer", "Adam")
    """An optimizer."""
    momentum: Annotated[KerasComponent, keras_component("optimizer")] = make("optimizer", "SGD", momentum=0.9)
    """Another."""
    weights: dict[str, float] = Field(default_factory=dict)
    """By name."""
    exact: bool = False
    undocumented: int = 1


def test_documentation_is_the_string_under_the_field_inherited_ones_included() -> None:
    found = field_documentation(Derived)
    assert found["seed"] == "Words of the base."
    assert found["name"] == "A name."
    assert "exact" not in found


@pytest.mark.parametrize(
    ("name", "type_text", "default"),
    [
        ("seed", "an integer from 0 to 9", "3"),
        ("name", "text", '"it\'s"'),
        ("size", "an integer of at least 1 or 'full'", "32"),
        ("share", "a number greater than 0 and less than 1 or null", "null"),
        ("rows", "an integer of at least 2 or a number greater than 0 and less than 1", "2"),
        ("path", "a path", None),
        ("part", "a part", "{type: small}"),
        ("parts", "a list (each a part)", "[]"),
        ("optimizer", "an optimizer", "Adam"),
        ("momentum", "an optimizer", "{type: SGD, momentum: 0.9}"),
        ("weights", "a mapping (each value a number)", "{}"),
        ("exact", "true or false", "false"),
    ],
)
def test_types_and_defaults_are_in_words(name: str, type_text: str, default: str | None) -> None:
    (row,) = (row for row in describe(Derived) if row.name == name)
    assert (row.type, row.default) == (type_text, default)


def test_the_type_of_a_component_is_no_field() -> None:
    assert describe(Small) == ()


def all_specs(spec: type[Spec] = Spec) -> set[type[Spec]]:
    return {inner for each in spec.__subclasses__() for inner in {each, *all_specs(each)}}


def test_every_field_of_every_spec_is_documented() -> None:
    for name in SPEC_MODULES:
        importlib.import_module(name)
    specs = {spec for spec in all_specs() if spec.__module__.startswith("mltrain.")}
    assert len(specs) > 20
    silent = [
        f"{spec.__name__}.{row.name}" for spec in specs for row in describe(spec) if len(row.doc) < 5 or "\n" in row.doc
    ]
    assert silent == []
