"""A graph model: what is refused and where, and what is built."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from mltrain.config.load import load_text
from mltrain.errors import ConfigError, MisfitError
from mltrain.models.graph import Graph
from mltrain.task import DataInfo, Input, Output
from tests.conftest import in_process

DATA = DataInfo(
    (
        Input("words", (6,), "int32", indices=9),
        Input("photo", (8, 8, 1), "float32"),
        Input("table", (3,), "float32", ("a", "b", "c")),
    ),
    (Output("y", "regression", 1),),
    10,
)
TABLE = DataInfo((Input("table", (3,), "float32", ("a", "b", "c")),), (Output("y", "regression", 1),), 10)


def config(*layers: str, outputs: str = "") -> str:
    listed = "".join(f"    - {layer}\n" for layer in layers)
    more = f"  outputs: {outputs}\n" if outputs else ""
    return f"data: {{source: {{type: sklearn, name: iris}}}}\nmodel:\n  type: graph\n{more}  layers:\n{listed}"


def graph(*layers: str, outputs: str = "") -> Graph:
    return load_text(config(*layers, outputs=outputs).encode(), "config.yaml", Path()).spec.model


def problems(*layers: str, outputs: str = "") -> list[str]:
    with pytest.raises(ConfigError) as error:
        graph(*layers, outputs=outputs)
    return [line for line in str(error.value).splitlines() if "model" in line]


@pytest.mark.parametrize(
    ("layers", "path", "message"),
    [
        (
            ["{name: a, type: Dense, units: 2}", "{name: a, type: Dense, units: 2}"],
            "layers[1].name",
            "has the name 'a'",
        ),
        (["{name: a, from: b, type: Dense, units: 2}", "{name: b, type: ReLU}"], "layers[0].from", "in a circle"),
        (["{name: a, type: Dense, units: 2}", "{from: table, type: ReLU}"], "layers[0]", "leads to no output"),
        (["{type: Add}"], "layers[0]", "Add takes two inputs or more"),
        (["{from: [a, b], type: ReLU}"], "layers[0].from", "takes one input, and 2 are given"),
        (["{from: {query: a, vale: b}, type: Attention}"], "layers[0].from", "not 'vale' (did you mean 'value'?)"),
        (["{from: {query: a}, type: Attention}"], "layers[0].from", "also needs 'value'"),
        (["{from: {x: a}, type: ReLU}"], "layers[0].from", "ReLU has no inputs by name"),
        (["{share: nobody}"], "layers[0].share", "the node 'nobody' does not exist"),
        (["{from: block_input, type: ReLU}"], "layers[0].from", "this node is not in a block"),
        (["{type: Dense, units: 2, share: a}"], "layers[0]", "found type and share"),
        (["{repeat: 0, layers: [ReLU]}"], "layers[0].repeat", "expected a whole number from 1 on"),
        (["{repeat: 2, layers: [{type: Dense}]}"], "layers[0].layers[0].units", "Dense needs 'units'"),
        (["{layers: [ReLU], times: 2}"], "layers[0].times", "unknown key"),
        (["{from: [], type: Add}"], "layers[0].from", "expected the name of a node or input"),
        (["{type: Dens, units: 2}"], "layers[0].type", "unknown layer 'Dens' (did you mean 'Dense'?)"),
    ],
)
def test_what_is_wrong_is_said_at_the_line_of_the_node(layers, path, message):
    (found,) = problems(*layers)
    assert f"model.{path}: " in found
    assert message in found
    assert found.startswith("config.yaml:")


def test_sizes_that_follow_from_the_config_are_compared_before_there_is_data():
    (found,) = problems(
        "{name: a, from: table, type: Dense, units: 32}",
        "{name: b, from: table, type: Dense, units: 64}",
        "{name: c, from: b, type: BatchNormalization}",
        "{type: Add, from: [a, c]}",
    )
    assert "Add needs equal sizes of the last axis, and Dense 'a' with 32 and BatchNormalization 'c' with 64" in found


def test_all_that_is_wrong_comes_at_once():
    found = problems("{name: a, type: Dens}", "{from: {x: a}, type: ReLU, negative: 1}", outputs="nowhere")
    assert len(found) == 2  # the rules over the graph wait for valid nodes


def test_an_output_that_is_no_node_is_refused():
    (found,) = problems("{name: last, type: Dense, units: 2}", outputs="lst")
    assert "model.outputs: no node has the name 'lst' (did you mean 'last'?)" in found


def test_a_written_graph_is_the_same_after_the_way_back():
    given = graph(
        "{name: a, from: table, type: Dense, units: 2}",
        "{repeat: 2, name: twice, layers: [{name: d, type: Dense, units: 2}, {type: Add, from: [block_input, d]}]}",
        "{share: a, from: table, name: b}",
        "{type: Attention, from: {query: twice, value: b}}",
    )
    assert Graph.model_validate(given.model_dump(mode="json")) == given


def test_blocks_are_repeated_with_weights_of_their_own_and_shared_layers_have_the_same():
    model = graph(
        "{name: a, from: table, type: Dense, units: 3}",
        "{repeat: 2, layers: [{name: inner, type: Dense, units: 3}, {type: Add, from: [block_input, inner]}]}",
        "{share: a}",
    ).build(TABLE, None)
    names = [layer.name for layer in model.layers if layer.weights]
    assert names == ["a", "inner_1", "inner_2", "head"]
    kernel, bias, *_ = model.get_weights()
    assert len(model.get_layer("a")._inbound_nodes) == 2
    assert kernel.shape == (3, 3) and bias.shape == (3,)


def test_a_graph_computes_what_the_functional_api_computes():
    keras.utils.set_random_seed(1)
    ours = graph(
        "{name: hidden, type: Dense, units: 4, activation: relu}",
        "{name: skip, from: table, type: Dense, units: 4}",
        "{type: Add, from: [hidden, skip]}",
    ).build(TABLE, None)
    keras.utils.set_random_seed(1)
    table = keras.Input((3,))
    hidden, skip = keras.layers.Dense(4, "relu")(table), keras.layers.Dense(4)(table)
    theirs = keras.Model(table, keras.layers.Dense(1)(keras.layers.add([hidden, skip])))
    rows = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    assert np.array_equal(ours(rows), theirs(rows))


def test_every_shape_that_does_not_fit_is_named_with_the_shapes_that_meet():
    spec = graph(
        "{name: a, from: photo, type: Conv2D, filters: 2, kernel_size: 9}",
        "{name: b, from: words, type: Embedding, input_dim: 9, output_dim: 4}",
        "{name: c, from: [b, table], type: Multiply}",
        "{name: d, from: c, type: Dense, units: 2}",
        "{name: e, from: [a, d], type: Concatenate}",
    )
    with pytest.raises(MisfitError) as error:
        spec.build(DATA, None)
    (first, one), (second, other) = error.value.all
    assert first == ("model", "layers", 0)
    assert one.startswith("Conv2D 'a' does not accept photo (batch, 8, 8, 1): ")
    assert second == ("model", "layers", 2)
    assert other.startswith("Multiply 'c' does not accept b (batch, 6, 4), table (batch, 3): ")


@pytest.mark.parametrize(
    ("layers", "path", "message"),
    [
        (["{type: Dense, units: 2}"], ("layers", 0), "several inputs, words, photo, table: name one in 'from'"),
        (["{from: tabel, type: ReLU}"], ("layers", 0, "from"), "has the name 'tabel' (did you mean 'table'?)"),
        (["{name: photo, from: table, type: ReLU}"], ("layers", 0, "name"), "'photo' is an input of the data"),
        (["{from: table, type: ReLU}"], ("layers",), "no node takes the input 'words', 'photo'"),
    ],
)
def test_inputs_that_do_not_fit_the_data_are_refused(layers, path, message):
    with pytest.raises(MisfitError) as error:
        graph(*layers).build(DATA, None)
    assert error.value.path == ("model", *path)
    assert message in error.value.message


def test_padding_is_left_out_behind_two_blocks_of_attention():
    """Keras takes the mask off a tensor that has passed an attention: the second block would see padding."""
    block = (
        "{name: seen, from: {query: block_input, value: block_input}, type: MultiHeadAttention, num_heads: 2, "
        "key_dim: 2}"
    )
    layers = f"[{block}, {{name: sum, type: Add, from: [block_input, seen]}}, {{type: LayerNormalization, from: sum}}]"
    spec = graph(
        "{name: e, from: words, type: Embedding, input_dim: 9, output_dim: 4, mask_zero: true}",
        f"{{name: blocks, repeat: 2, layers: {layers}}}",
        "{name: mean, type: GlobalAveragePooling1D}",
    )
    short, long = (
        spec.build(DataInfo((Input("words", (steps,), "int32", indices=9),), TABLE.outputs, 10), None)
        for steps in (3, 6)
    )
    long.set_weights(short.get_weights())
    words = np.array([[3, 5, 2]], np.int32)
    padded = np.array([[3, 5, 2, 0, 0, 0]], np.int32)
    assert np.abs(np.asarray(short(words)) - np.asarray(long(padded))).max() < 1e-6


def test_a_mistyped_source_is_named_beside_the_node_that_nothing_takes():
    found = problems(
        "{name: known, from: table, type: Dense, units: 8}", "{from: knwon, type: Dense, units: 4}", "ReLU"
    )
    assert "model.layers[1].from: no node has the name 'knwon' (did you mean 'known'?)" in found[1]
    assert "Dense 'known' leads to no output" in found[0]


def test_a_node_with_the_name_of_what_it_takes_is_refused():
    (found,) = problems("{name: table, from: table, type: ReLU}")
    assert "ReLU 'table' takes itself; a node needs another name than the input that it takes" in found


def test_a_table_of_an_embedding_is_held_against_the_data():
    words = DataInfo((Input("words", (6,), "int32", limits=(0, 42)),), TABLE.outputs, 10)
    with pytest.raises(MisfitError, match="the largest index in the data is 42: expected at least 43, received 5"):
        graph("{type: Embedding, input_dim: 5, output_dim: 2}", "Flatten").build(words, None)
    two = DataInfo((Input("a", (1,), "int32", indices=4), Input("b", (6,), "int32", indices=9)), TABLE.outputs, 10)
    spec = graph(
        "{name: e, from: a, type: Embedding, input_dim: auto, output_dim: 2}",
        "{name: f, share: e, from: b}",
        "{name: g, from: e, type: Flatten}",
        "{name: h, from: f, type: Flatten}",
        "{from: [g, h], type: Concatenate}",
    )
    with pytest.raises(MisfitError, match="the largest index in the data is 8: expected at least 9"):
        spec.build(two, None)


def test_blocks_that_multiply_are_refused_at_once():
    block = "{type: ReLU}"
    for _ in range(6):
        block = f"{{repeat: 1000, layers: [{block}]}}"
    (found,) = problems(block)
    assert "model.layers: the blocks make more than 10,000 layers: repeat them less often" in found


def test_a_graph_of_two_hundred_nodes_is_valid_without_tensorflow(tmp_path):
    nodes = [f"{{name: n{number}, type: Dense, units: 4}}" for number in range(200)]
    (tmp_path / "config.yaml").write_text(config(*nodes))
    assert in_process(tmp_path, "validate", "config.yaml").code == 0
