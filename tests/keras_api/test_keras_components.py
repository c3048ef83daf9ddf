from __future__ import annotations

import subprocess
import sys
from typing import Annotated, Any, Literal

import pytest
from pydantic import ValidationError

from mltrain.keras_api.catalogue import Entry
from mltrain.keras_api.components import KerasAlternatives, KerasComponent, keras_component, make
from mltrain.spec import Many, Spec, as_plain
from tests.keras_api.keras_samples import every_entry, minimal, sample


class EarlyStopping(Spec):
    """Our own, under Keras' name."""

    type: Literal["EarlyStopping"] = "EarlyStopping"
    patience: int = 0
    """How long."""


class Model(Spec):
    """A model."""

    layers: Many[Annotated[Any, keras_component("layer")]] = ()
    """Its layers."""
    callbacks: Many[Annotated[Any, keras_component("callback", EarlyStopping)]] = ()
    """Callbacks."""


def problems(kind: str, component: str, /, **arguments: Any) -> list[tuple[tuple[int | str, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        make(kind, component, **arguments)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def test_a_component_has_every_argument() -> None:
    dense = make("layer", "dense", units=64, activation="relu", kernel_regularizer={"type": "l2", "l2": 1})

    assert (dense.kind, dense.type) == ("layer", "Dense")
    assert dense.argument("units") == 64
    assert dense.argument("use_bias") is True
    assert dense.argument("activation") == make("activation", "relu")
    assert dense.argument("kernel_regularizer").argument("l2") == 1.0
    assert dense.changed().keys() == {"units", "activation", "kernel_regularizer"}
    assert hash(dense) == hash(
        make("layer", "Dense", units=64, activation="relu", kernel_regularizer=make("regularizer", "L2", l2=1))
    )
    with pytest.raises(KeyError):
        dense.argument("unit")


def test_plain_shows_what_was_asked_in_full_and_defaults_by_name() -> None:
    plain = make("layer", "Dense", units=3, activation="RELU", kernel_regularizer="l2").plain()

    assert plain["type"] == "Dense"
    assert plain["units"] == 3
    assert plain["activation"] == "relu"
    assert plain["kernel_initializer"] == "GlorotUniform"
    assert plain["kernel_regularizer"] == {"type": "L2", "l2": 0.01}
    assert plain["bias_regularizer"] is None


@every_entry
def test_plain_makes_an_equal_component(entry: Entry) -> None:
    given = minimal(entry)
    everything = given | {argument.name: sample(entry, argument) for argument in entry.arguments}
    for arguments in (given, everything):
        try:
            component = make(entry.kind, entry.name, **arguments)
        except ValidationError:  # samples that contradict each other, as clipnorm and clipvalue
            continue
        plain = component.plain()
        assert as_plain(plain) == plain
        assert plain.keys() == {"type", *(argument.name for argument in entry.arguments)}
        name = plain.pop("type")
        assert make(entry.kind, name, **plain) == component


@every_entry
def test_every_required_argument_is_missed(entry: Entry) -> None:
    if entry.required:
        found = problems(entry.kind, entry.name)
        assert [loc for loc, _ in found] == [(argument.name,) for argument in entry.required]
        assert all(f"{entry.name} needs" in message for _, message in found)


@every_entry
def test_no_argument_takes_anything(entry: Entry) -> None:
    for argument in entry.arguments:
        for wrong in (object(), float("nan"), [[[["deep"]]]], {"type": "nothing like it"}):
            found = problems(entry.kind, entry.name, **{**minimal(entry), argument.name: wrong})
            assert found
            assert all(loc[0] == argument.name for loc, _ in found)


def test_every_problem_is_reported_at_once_with_its_place() -> None:
    found = problems(
        "layer",
        "Conv2D",
        filter=3,
        kernel_size=[3, "x"],
        padding="sam",
        strides=[1, 2, 3],
        use_bias=1,
        activation="rellu",
        kernel_initializer={"type": "HeNormal", "sed": 1},
        kernel_regularizer={"type": "L2", "l2": -1},
    )

    assert dict(found) == {
        ("filter",): "unknown key (did you mean 'filters'?)",
        ("kernel_size", 1): "expected an integer of at least 1, received text 'x'",
        ("strides",): "expected a list of 2 items, each an integer of at least 1, received 3 items",
        ("padding",): "expected 'valid' or 'same', received text 'sam' (did you mean 'same'?)",
        ("activation",): "unknown activation 'rellu' (did you mean 'relu'?)",
        ("use_bias",): "expected true or false, received 1",
        ("kernel_initializer", "sed"): "unknown key (did you mean 'seed'?)",
        ("kernel_regularizer", "l2"): "expected a number of at least 0, received -1",
    }


@pytest.mark.parametrize("wrong", ["64", "64x", True, 64.0, 0, -1, None, 10**30, float("inf"), [64], {}])
def test_an_integer_is_strict(wrong: Any) -> None:
    assert [loc for loc, _ in problems("layer", "Dense", units=wrong)] == [("units",)]


@pytest.mark.parametrize("wrong", ["0.1", True, -0.1, float("nan"), float("inf"), None, [0.1], 10**400])
def test_a_number_is_strict(wrong: Any) -> None:
    assert [loc for loc, _ in problems("optimizer", "Adam", learning_rate=wrong)] == [("learning_rate",)]


def test_an_integer_is_a_fine_number() -> None:
    assert make("optimizer", "SGD", momentum=1).argument("momentum") == 1.0
    assert isinstance(make("optimizer", "SGD", momentum=1).argument("momentum"), float)


def test_a_text_where_a_number_or_a_component_is_expected() -> None:
    assert problems("optimizer", "Adam", learning_rate="0,001") == [
        (("learning_rate",), "expected a number of at least 0 or a schedule, received text '0,001'")
    ]
    assert problems("optimizer", "Adam", learning_rate="cosine_decy") == [
        (("learning_rate",), "unknown schedule 'cosine_decy' (did you mean 'CosineDecay'?)")
    ]
    assert [loc for loc, _ in problems("optimizer", "Adam", learning_rate="CosineDecay")] == [
        ("learning_rate", "initial_learning_rate"),
        ("learning_rate", "decay_steps"),
    ]


def test_nested_lists_keep_their_place() -> None:
    found = problems("layer", "RNN", cell=[{"type": "LSTMCell", "units": 0}, 3])

    assert found == [
        (("cell", 0, "units"), "expected an integer of at least 1, received 0"),
        (("cell", 1), "expected a cell, received 3"),
    ]


def test_a_layer_that_is_not_offered_says_why() -> None:
    assert problems("layer", "TimeDistributed", layer="Lambda") == [
        (("layer",), "Keras' layer 'Lambda' is not offered: it needs Python code")
    ]


RECURRENT = {"type": "GRU", "units": 1}
HEADS = {"head_dim": 2, "num_query_heads": 3, "num_key_value_heads": 2}
CROP_AND_PAD = {"height": 2, "width": 2, "crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}


@pytest.mark.parametrize(
    ("kind", "component", "arguments", "place"),
    [
        ("layer", "Conv2D", {"filters": 2, "kernel_size": 3, "strides": 2, "dilation_rate": [1, 2]}, "dilation_rate"),
        ("layer", "Conv2D", {"filters": 3, "kernel_size": 3, "groups": 2}, "groups"),
        ("layer", "Conv2DTranspose", {"filters": 3, "kernel_size": 3, "output_padding": [0, 1]}, "output_padding"),
        ("layer", "Bidirectional", {"layer": {"type": "Dense", "units": 1}}, "layer"),
        ("layer", "Bidirectional", {"layer": RECURRENT, "backward_layer": "Flatten"}, "backward_layer"),
        ("layer", "GroupQueryAttention", HEADS, "num_query_heads"),
        ("layer", "Normalization", {"mean": [0, 1], "variance": 1}, "variance"),
        ("layer", "Permute", {"dims": [1, 3]}, "dims"),
        ("layer", "RandomGaussianBlur", {"kernel_size": [3, 4]}, "kernel_size"),
        ("layer", "Reshape", {"target_shape": [-1, -1]}, "target_shape"),
        ("layer", "Resizing", CROP_AND_PAD, "pad_to_aspect_ratio"),
        ("layer", "STFTSpectrogram", {"frame_step": 300}, "frame_step"),
        ("layer", "STFTSpectrogram", {"fft_length": 200}, "fft_length"),
        ("metric", "AUC", {"num_labels": 2}, "num_labels"),
        ("metric", "IoU", {"num_classes": 2, "target_class_ids": [2]}, "target_class_ids"),
        ("metric", "BinaryIoU", {"target_class_ids": [2]}, "target_class_ids"),
        ("optimizer", "Adam", {"clipnorm": 1, "clipvalue": 1}, "clipnorm"),
        ("schedule", "PiecewiseConstantDecay", {"boundaries": [1], "values": [1]}, "values"),
    ],
)
def test_arguments_that_do_not_go_together(kind: str, component: str, arguments: dict[str, Any], place: str) -> None:
    assert [loc for loc, _ in problems(kind, component, **arguments)] == [(place,)]


def test_in_a_spec() -> None:
    model = Model.model_validate(
        {"layers": ["flatten", {"type": "dense", "units": 2}], "callbacks": ["early_stopping", "TerminateOnNaN"]}
    )

    assert [layer.type for layer in model.layers] == ["Flatten", "Dense"]
    assert isinstance(model.callbacks[0], EarlyStopping)
    assert isinstance(model.callbacks[1], KerasComponent)
    assert Model.model_validate(as_plain(model)) == model
    assert Model(layers=[make("layer", "Flatten")]).layers[0].type == "Flatten"


def test_problems_in_a_spec_keep_their_place() -> None:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"layers": ["dense", {"type": "Dropout", "rat": 0.1}, "Lambda", "Densee"]})

    assert [(error["loc"], error["msg"]) for error in caught.value.errors()] == [
        (("layers", 0, "units"), "Dense needs 'units': an integer of at least 1"),
        (("layers", 1, "rat"), "unknown key (did you mean 'rate'?)"),
        (("layers", 2, "type"), "Keras' layer 'Lambda' is not offered: it needs Python code"),
        (("layers", 3, "type"), "unknown layer 'Densee' (did you mean 'Dense'?)"),
    ]


def test_a_component_of_another_kind_is_none_of_ours() -> None:
    assert not KerasAlternatives("layer").is_component(make("loss", "mse"))
    assert not KerasAlternatives("layer").is_component("Dense")


def test_checking_imports_no_tensorflow() -> None:
    program = """
import sys
from mltrain.keras_api import catalogue
from mltrain.keras_api.components import make
make("layer", "Dense", units=1)
catalogue.definitions()
[catalogue.describe(kind) for kind in catalogue.kinds()]
print([name for name in ("tensorflow", "keras", "numpy") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
