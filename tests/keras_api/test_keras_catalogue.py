from __future__ import annotations

import pytest

from mltrain.keras_api import catalogue
from mltrain.keras_api.catalogue import Entry
from tests.keras_api.keras_samples import every_entry, samples


def test_the_kinds() -> None:
    assert catalogue.kinds() == [
        "activation",
        "backbone",
        "callback",
        "cell",
        "constraint",
        "initializer",
        "layer",
        "loss",
        "metric",
        "optimizer",
        "regularizer",
        "schedule",
    ]


@pytest.mark.parametrize(
    ("kind", "name", "canonical"),
    [
        ("layer", "dense", "Dense"),
        ("layer", "max_pooling_2d", "MaxPooling2D"),
        ("layer", "MaxPool2D", "MaxPooling2D"),
        ("optimizer", "ADAM", "Adam"),
        ("optimizer", "rms-prop", "RMSprop"),
        ("loss", "mse", "MeanSquaredError"),
        ("loss", "sparse_categorical_crossentropy", "SparseCategoricalCrossentropy"),
        ("metric", "acc", "accuracy"),
        ("metric", "Accuracy", "accuracy"),
        ("regularizer", "l1_l2", "L1L2"),
        ("initializer", "he_normal", "HeNormal"),
        ("initializer", "zero", "Zeros"),
        ("activation", "swish", "silu"),
        ("layer", "Lambda", None),
        ("layer", "", None),
        ("loss", "Dense", None),
    ],
)
def test_a_name_in_any_spelling(kind: str, name: str, canonical: str | None) -> None:
    assert catalogue.find(kind, name) == canonical


def test_no_spelling_means_two_components() -> None:
    for kind in catalogue.kinds():
        for entry in catalogue.entries(kind):
            for spelling in (entry.name, *entry.aliases):
                assert catalogue.find(kind, spelling) == entry.name


def test_what_is_left_out_has_a_reason_that_reads_as_a_sentence() -> None:
    assert catalogue.reason_left_out("layer", "lambda") == "it needs Python code"
    assert catalogue.reason_left_out("layer", "Dense") is None


@every_entry
def test_every_entry_is_documented_and_its_types_can_be_read(entry: Entry) -> None:
    assert entry.doc.endswith(".")
    for argument in entry.arguments:
        assert argument.doc.endswith("."), argument.name
        assert "\n" not in argument.doc
        assert list(samples(argument.type)), argument.name


def test_layers_on_several_tensors_are_marked() -> None:
    assert catalogue.entry("layer", "Concatenate").inputs == "many"
    assert catalogue.entry("layer", "MultiHeadAttention").inputs == "many"
    assert catalogue.entry("layer", "Dense").inputs == "one"


def test_describe_lists_arguments_with_defaults() -> None:
    dropout = next(row for row in catalogue.describe("layer") if row.name == "Dropout")

    assert [argument[:3] for argument in dropout.arguments[:2]] == [
        ("rate", "number >= 0 < 1", "required"),
        ("noise_shape", "[integer >= 1 | null] | null", "null"),
    ]
    assert dropout.aliases == ("dropout",)
