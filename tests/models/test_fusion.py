"""A fusion: an encoder for each input, by its kind or as the config says, and joined in each way."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from mltrain.errors import MisfitError
from mltrain.models.cnn import Cnn
from mltrain.models.fusion import Fusion
from mltrain.models.mlp import Mlp
from mltrain.models.pooled import Pooled
from mltrain.models.rnn import Rnn
from mltrain.models.transformer import Transformer
from mltrain.task import DataInfo, Input, Output

TABLE = Input("table", (3,), "float32", ("a", "b", "c"))
PHOTO = Input("photo", (8, 8, 1), "float32")
WORDS = Input("words", (6,), "int32", indices=9)
WALK = Input("walk", (5, 2), "float32")
OUTPUTS = (Output("y", "multiclass", 3, ("r", "s", "t")),)
ALL = DataInfo((WORDS, PHOTO, TABLE, WALK), OUTPUTS, 10)


def rows(count: int = 4) -> list[np.ndarray]:
    draw = np.random.default_rng(0)
    return [
        draw.integers(0, 9, (count, 6)).astype(np.int32),
        draw.normal(size=(count, 8, 8, 1)).astype(np.float32),
        draw.normal(size=(count, 3)).astype(np.float32),
        draw.normal(size=(count, 5, 2)).astype(np.float32),
    ]


@pytest.mark.parametrize("join", ["concatenate", "sum", "gate", "attention"])
def test_every_join_learns_from_every_input(join):
    model = Fusion(join=join, width=4, units=(4,)).build(ALL, None)
    given = rows()
    before = np.asarray(model(given))
    assert before.shape == (4, 3)
    for place in range(4):
        changed = [values.copy() for values in given]
        changed[place] = np.flip(changed[place], axis=0)
        assert not np.allclose(np.asarray(model(changed)), before), place


def test_an_encoder_follows_from_the_kind_of_input():
    kinds = [type(layer).__name__ for layer in Fusion().build(ALL, None).layers]
    assert {"Embedding", "Conv2D", "Conv1D", "Dense"} <= set(kinds)


def test_a_stated_encoder_is_taken():
    kinds = [
        type(layer).__name__ for layer in Fusion(inputs={"walk": Rnn(cell="GRU", units=(2,))}).build(ALL, None).layers
    ]
    assert "GRU" in kinds
    assert "Conv1D" not in kinds


@pytest.mark.parametrize(
    ("inputs", "path", "message"),
    [
        ({"wrods": Pooled()}, "wrods", "no input 'wrods' (did you mean 'words'?) (inputs: words, photo, table, walk)"),
        ({"table": Cnn()}, "table", "cnn takes "),
        ({"words": Pooled(indices=9)}, "words", "has texts, with 9 known index numbers: remove it"),
        ({"photo": Pooled()}, "photo", "and the input 'photo' has images"),
        (
            {"walk": Cnn(filters=(4, 4, 4, 4, 4))},
            "walk",
            "it does not fit the input 'walk', of shape (5, 2) for each row",
        ),
    ],
)
def test_an_encoder_that_does_not_fit_is_refused_at_its_key(inputs, path, message):
    with pytest.raises(MisfitError) as error:
        Fusion(inputs=inputs).build(ALL, None)
    assert error.value.path[:3] == ("model", "inputs", path)
    assert message in error.value.message


@pytest.mark.parametrize(("name", "said"), [("LSTM", "use {type: rnn, cell: LSTM}"), ("conv2d", "use {type: cnn}")])
def test_the_name_of_a_layer_leads_to_its_encoder(name, said):
    with pytest.raises(ValidationError, match=re.escape(f"{name!r} is a layer, not an encoder: {said}")):
        Fusion(inputs={"words": name})


def test_arrays_of_index_numbers_need_their_number():
    indices = Input("x", (6,), "int32")
    with pytest.raises(MisfitError, match="state an encoder for it"):
        Fusion().build(DataInfo((indices, TABLE), OUTPUTS, 10), None)
    with pytest.raises(MisfitError, match="state `indices`"):
        Fusion(inputs={"x": Pooled()}).build(DataInfo((indices, TABLE), OUTPUTS, 10), None)
    Fusion(inputs={"x": Pooled(indices=9)}).build(DataInfo((indices, TABLE), OUTPUTS, 10), None)
    known = DataInfo((Input("x", (6,), "int32", limits=(0, 42)), TABLE), OUTPUTS, 10)
    with pytest.raises(MisfitError, match="the largest index in the data is 42: expected at least 43, received 9"):
        Fusion(inputs={"x": Pooled(indices=9)}).build(known, None)
    with pytest.raises(MisfitError, match="expected at least 43, received 9"):
        Pooled(indices=9).build(DataInfo(known.inputs[:1], OUTPUTS, 10), None)


@pytest.mark.parametrize("encoder", [Pooled(), Pooled(pooling="both"), Rnn(units=(3,)), Cnn(), Transformer(width=8)])
def test_padding_changes_nothing_and_an_empty_text_is_finite(encoder):
    """Equal weights, texts of 3 words padded to 6: what is seen must not depend on the padding."""
    short, long = (
        encoder.build(DataInfo((Input("words", (steps,), "int32", indices=9),), OUTPUTS, 10), None) for steps in (3, 6)
    )
    for ours, theirs in zip(long.weights, short.weights, strict=True):
        if ours.shape == theirs.shape:
            ours.assign(theirs)
        else:  # learned positions: there are more
            ours.assign(np.concatenate([np.asarray(theirs), np.ones((3, theirs.shape[1]))]))
    words = np.array([[3, 5, 2]], np.int32)
    padded = np.concatenate([words, np.zeros((1, 3), np.int32)], axis=1)
    if isinstance(encoder, Cnn):  # a filter sees as far as it reaches
        padded_twice = np.concatenate([padded, padded * 0], axis=1)
        longer = encoder.build(DataInfo((Input("words", (12,), "int32", indices=9),), OUTPUTS, 10), None)
        longer.set_weights(long.get_weights())
        assert np.abs(np.asarray(long(padded)) - np.asarray(longer(padded_twice))).max() < 1e-6
    else:
        assert np.abs(np.asarray(short(words)) - np.asarray(long(padded))).max() < 1e-6
    assert np.isfinite(np.asarray(long(np.zeros((2, 6), np.int32)))).all()


@pytest.mark.parametrize(
    ("model", "given"), [(Cnn(), PHOTO), (Cnn(), WALK), (Rnn(bidirectional=True), WALK), (Transformer(), WALK)]
)
def test_short_forms_for_one_input(model, given):
    built = model.build(DataInfo((given,), OUTPUTS, 10), None)
    assert built(np.zeros((2, *given.shape), np.float32)).shape == (2, 3)


def test_first_weights_follow_from_the_seed():
    def weights():
        keras.utils.set_random_seed(3)
        return [values.tobytes() for values in Fusion().build(ALL, None).get_weights()]

    assert weights() == weights()


def test_a_table_alone_is_as_an_mlp():
    kinds = [type(layer).__name__ for layer in Fusion().build(DataInfo((TABLE,), OUTPUTS, 10), None).layers]
    assert kinds == ["InputLayer", "Dense", "Dense", "Dense"]
    assert [layer.units for layer in Mlp().build(DataInfo((TABLE,), OUTPUTS, 10), None).layers] == [64, 64, 3]
