"""The arguments of components of the user's, from their signatures."""

import inspect
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import keras
import pytest

from mltrain import loss, model
from mltrain.errors import PluginError
from mltrain.keras_api.annotations import type_of_value, type_text, wants_list
from mltrain.keras_api.components import KerasAlternatives
from mltrain.keras_api.own_build import build_own
from mltrain.keras_api.own_parts import OwnParts
from mltrain.keras_api.own_signature import signature_of
from mltrain.plugins import Offered, Origin, kind_of, place_of

ORIGIN = Origin(plugin="nets.py", sha256="0" * 64)


def arguments(made):
    entry = signature_of(Offered(made, ORIGIN)).entry
    return {each.name: (each.type_text, None if each.required else each.default) for each in entry.arguments}


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "integer"),
        (float, "number"),
        (bool, "boolean"),
        (str, "text"),
        (int | None, "integer | null"),
        (None | str | int, "text | integer | null"),
        (Literal["a", "b"], "'a' | 'b'"),
        (list[int], "[integer]"),
        (Sequence[float | None], "[number | null]"),
        (tuple[int, ...], "[integer]"),
        (tuple[float, float], "[number; 2]"),
        (list[tuple[int, int]], "[[integer; 2]]"),
        (Annotated[int, "more"], "integer"),
        (keras.layers.Layer, "layer"),
        (keras.initializers.Initializer | None, "initializer | null"),
        (keras.optimizers.schedules.LearningRateSchedule | float, "schedule | number"),
        (list[keras.layers.Layer], "[layer]"),
        (list, None),
        (dict[str, int], None),
        (Any, None),
        (tuple[int, str], None),
        (Literal[1, 2], None),
        (Literal["it's"], None),
        (keras.layers.Dense, None),
    ],
)
def test_an_annotation_is_a_type(annotation, text):
    assert type_text(annotation) == text


def test_a_default_shows_a_type():
    values = (True, 1, 1.5, "a", (1, 2), [1, 2.5], None, (), ("a", 1), object())
    words = ("boolean", "integer", "number", "text", "[integer]", "[number]", None, None, None, None)
    assert tuple(map(type_of_value, values)) == words
    assert wants_list(list[int] | None)
    assert not wants_list(tuple[int, ...])


class Wide(keras.layers.Dense):
    """A wider dense layer.

    It has more.

    Args:
        width: How much wider. It is a factor.
    """

    def __init__(self, units, width=2.0, use=True, kernel_initializer="he_normal", my_activation=None, **kwargs):
        super().__init__(units, kernel_initializer=kernel_initializer, **kwargs)


class Plain(keras.layers.Layer):
    pass


class Strange(keras.layers.Layer):
    def __init__(self, units: int, helper=lambda x: x):
        super().__init__()


def test_what_extends_a_class_of_keras_takes_its_arguments():
    found = arguments(Wide)
    assert found["units"] == ("integer >= 1", None)
    assert found["width"] == ("number", 2.0)
    assert found["kernel_initializer"] == ("initializer", "he_normal")
    assert found["my_activation"] == ("activation | null", None)
    assert found["use_bias"] == ("boolean", True)
    assert {"name", "trainable", "bias_regularizer"} <= set(found)
    entry = signature_of(Offered(Wide, ORIGIN)).entry
    assert entry.doc == "A wider dense layer."
    assert {each.name: each.doc for each in entry.arguments}["width"] == "How much wider."
    assert list(arguments(Plain)) == ["activity_regularizer", "trainable", "dtype", "name"]


def test_a_default_that_yaml_cannot_hold_leaves_the_argument_out_and_says_why():
    parts = OwnParts([Offered(Strange, ORIGIN)])
    alternatives = KerasAlternatives("layer", parts)
    assert [name for name, _ in alternatives.check("Strange", {"units": 3}).arguments] == ["units"]
    with pytest.raises(ValueError, match="cannot be stated: it has no type, and its default is a function"):
        alternatives.check("Strange", {"units": 3, "helper": "x"})


def test_a_marked_function_has_the_arguments_behind_its_tensors():
    @loss(name="mine")
    def first(truth, guess, tau: float = 0.5, *, steps: list[int] = (1, 2)):
        return truth

    @model
    def second(x, head_units, width: int = 3):
        return x

    assert arguments(first) == {"tau": ("number", 0.5), "steps": ("[integer]", [1, 2])}
    assert arguments(second) == {"width": ("integer", 3)}
    assert signature_of(Offered(second, ORIGIN)).takes == ("head_units",)
    assert (kind_of(first), first.name, first(1, 2)) == ("loss", "mine", 1)
    assert place_of(first).startswith(f"{__file__}:")


def test_lists_are_lists_and_tuples_are_tuples_and_defaults_are_not_passed():
    seen = {}

    class Holds(keras.layers.Layer):
        def __init__(self, a: list[list[int]] = (), b: tuple[int, ...] = (), c: int = 5, **kwargs):
            super().__init__(**kwargs)
            seen.update(a=a, b=b, c=c)

        def get_config(self):
            return {**super().get_config(), **seen}

    alternatives = KerasAlternatives("layer", OwnParts([Offered(Holds, ORIGIN)]))
    build_own(alternatives.check("holds", {"a": [[1], [2]], "b": [3]}), lambda value: value)
    assert seen == {"a": [[1], [2]], "b": (3,), "c": 5}


class NoRate(keras.optimizers.Optimizer):
    def __init__(self):
        super().__init__(learning_rate=0.1)


class Untyped(keras.layers.Layer):
    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)


@pytest.mark.parametrize(
    ("made", "said"),
    [(NoRate, "its __init__ has no 'learning_rate'"), (Untyped, "argument size has no type; expected int")],
)
def test_what_has_no_type_is_refused_in_a_sentence(made, said):
    with pytest.raises(PluginError, match=said) as caught:
        OwnParts([Offered(made, ORIGIN)])
    assert f"nets.py: {kind_of(made)} {made.__name__} ({inspect.getfile(made)}:" in str(caught.value)


def test_a_learning_rate_is_a_number_or_a_schedule_whatever_it_is_annotated_with():
    class Mine(keras.optimizers.Optimizer):
        def __init__(self, learning_rate: float = 0.2, **kwargs):
            super().__init__(learning_rate, **kwargs)

    found = arguments(Mine)
    assert found["learning_rate"] == ("number >= 0 | schedule", 0.2)
    assert {"clipnorm", "weight_decay", "use_ema"} <= set(found)
