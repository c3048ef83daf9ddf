from __future__ import annotations

import pytest

from mltrain.keras_api.argument_types import ArgumentType, Choice, ComponentOf, ListOf, Scalar, parse


def test_every_form_of_a_type_is_read() -> None:
    parsed = parse("integer >= 1 <= 8 | [[number > -0.5; 2]; 3] | 'a' | 'b' | null | schedule")

    assert parsed == ArgumentType(
        (
            Choice(("a", "b")),
            Scalar("integer", ((">=", 1), ("<=", 8))),
            ListOf(ArgumentType((ListOf(ArgumentType((Scalar("number", ((">", -0.5),)),)), 2),)), 3),
            Scalar("null"),
            ComponentOf("schedule"),
        )
    )


@pytest.mark.parametrize("text", ["integer >=", "[integer", "'open", "integer integer", "integer | ", "", "INTEGER"])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a type"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("integer >= 1", "an integer of at least 1"),
        ("number >= 0 < 1", "a number of at least 0 and below 1"),
        ("'same' | 'valid'", "'same' or 'valid'"),
        ("boolean | null", "true or false or null"),
        ("integer | [integer; 2]", "an integer or a list of 2 items, each an integer"),
        ("number >= 0 | schedule", "a number of at least 0 or a schedule"),
        ("initializer", "an initializer"),
    ],
)
def test_a_type_in_words(text: str, words: str) -> None:
    assert parse(text).expected() == words


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("integer >= 1", {"type": "integer", "minimum": 1}),
        ("number > 0 <= 1", {"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
        ("'same' | 'valid'", {"enum": ["same", "valid"]}),
        ("text | null", {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ("[integer; 2]", {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}),
        ("layer", {"$ref": "#/definitions/keras_layer"}),
    ],
)
def test_a_type_as_json_schema(text: str, schema: dict[str, object]) -> None:
    assert parse(text).schema() == schema
