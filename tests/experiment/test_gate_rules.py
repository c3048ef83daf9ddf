"""Gates that cannot be answered are errors at their line, before anything is trained."""

from pathlib import Path

import pytest

from mltrain.config.load import load_text
from mltrain.config.resolved import resolved_yaml
from mltrain.experiment.evaluation_section import EvaluationSpec
from mltrain.gates.gate import Gate, Quantity
from mltrain.listing.reference import describe
from mltrain.problems import InvalidConfigError
from mltrain.spec import as_plain

HEAD = "data: {source: {type: synthetic, kind: blobs}, split: {type: random, validation: 0, test: 0.2}}\n"


def text(*gates, more="", metrics="[accuracy, f1]"):
    lines = "".join(f"    - '{gate}'\n" for gate in gates)
    return f"{HEAD}model: {{type: mlp}}\n{more}evaluation:\n  metrics: {metrics}\n  gates:\n{lines}".encode()


def problems(data, gates=()):
    with pytest.raises(InvalidConfigError) as error:
        load_text(data, "c.yaml", Path.cwd(), gates=gates)
    return error.value.problems


@pytest.mark.parametrize(
    ("gate", "said"),
    [
        ("test.acuracy > 0", "'acuracy' will not be measured (did you mean 'accuracy'?)"),
        ("test.r2 > 0", "'r2' will not be measured (measured are accuracy, f1, loss"),
        ("validation.f1 > 0", "validation is not measured here (measured: train, test)"),
        ("data.f1 > 0", "'data' means the rows of `mltrain evaluate --data`"),
        ("test.loss.low > 0", "'loss' has a plain value only"),
        ("test.loss - majority > 0", "'loss' has a plain value only"),
        ("train.f1.low > 0", "training rows have plain values only"),
        ("test.f1 - majorty > 0", "unknown baseline 'majorty' (did you mean 'majority'?)"),
        ("test.accuracy(a) > 0", "'accuracy' is not measured for a single class: expected precision, recall, f1"),
        ("test[sex=f].f1 > 0", "no slices are measured: list their columns in evaluation.slices"),
        ("folds.r2.mean > 0", "'r2' will not be measured"),
        ("folds.loss.low - majority > 0", "unknown quantity"),
        ("test.f1 >= x", "expected 'split.metric >= number'"),
    ],
)
def test_it_is_said_at_its_line(gate, said):
    (found,) = problems(text("test.f1 > 0", gate))
    assert (found.place.line, found.path) == (7, ("evaluation", "gates", 1))
    assert said in found.message


def test_folds_of_a_split_that_has_none():
    data = text("folds.f1.mean > 0").replace(b"{type: random, validation: 0, test: 0.2}", b"{type: hash, columns: [a]}")
    (found,) = problems(data)
    assert "gates on folds need `mltrain cross-validate`, with a split of type kfold, random or group" in found.message


def test_a_slice_by_another_column():
    data = text("test[sex=f].f1 > 0").replace(b"  gates", b"  slices: [age]\n  gates")
    (found,) = problems(data)
    assert "'sex=f' is not a slice of evaluation.slices; expected a slice by age" in found.message


def test_classes_of_a_regression():
    data = text("test.mae < 1", "test.recall(a) > 0", more="task: regression\n", metrics="[mae]")
    assert "a regression has no classes" in problems(data)[-1].message


@pytest.mark.parametrize(
    "gate",
    [
        "folds.loss.min < 1",
        "folds.f1.low > 0",
        "test.f1 > 0",
        "train.loss < 1",
        "test.acc.low > 0",
        "test.recall(x) > 0",
        "(test.f1 - majority).low > 0",
    ],
)
def test_what_will_be_measured_is_fine(gate):
    assert load_text(text(gate), "c.yaml", Path.cwd()).spec.evaluation.gates == (Gate.parse(gate),)


def test_a_gate_of_the_command_line_comes_last_and_is_named():
    (found,) = problems(text("test.f1 > 0"), ["test.f1 > 0.5", "test.f3 > 0"])
    assert str(found.place) == "--gate #2"
    assert found.path == ("evaluation", "gates", 2)


@pytest.mark.parametrize("section", ["", "evaluation:\n", "evaluation: {batch_size: 8}\n", "evaluation: {gates: []}\n"])
def test_a_gate_of_the_command_line_needs_no_section(section):
    data = f"{HEAD}model: {{type: mlp}}\n{section}".encode()
    loaded = load_text(data, "c.yaml", Path.cwd(), gates=["test.accuracy>=0.5"])
    (gate,) = loaded.spec.evaluation.gates
    assert str(gate) == "test.accuracy >= 0.5"
    assert 'gates: ["test.accuracy >= 0.5"]  # --gate #1' in resolved_yaml(loaded)


def test_the_resolved_config_has_them_and_makes_an_equal_experiment():
    loaded = load_text(text("test.f1 >= 0.50"), "c.yaml", Path.cwd(), gates=["test.f1.low > 0"])
    again = load_text(resolved_yaml(loaded).encode(), "again.yaml", Path.cwd())
    assert again.spec == loaded.spec


def test_a_gate_is_read_once():
    """As an object of the config: made again from it, or given as one, it is the same object."""
    section = EvaluationSpec.model_validate({"gates": ["test.f1>=.50"]})
    assert section.gates == (Gate(Quantity("test", "f1"), ">=", 0.5),)
    assert EvaluationSpec.model_validate({"gates": section.gates}).gates[0] is section.gates[0]
    assert as_plain(section)["gates"] == section.model_dump(mode="json")["gates"] == ["test.f1 >= 0.5"]
    assert EvaluationSpec.model_json_schema()["properties"]["gates"]["items"] == {"type": "string"}
    assert next(row.type for row in describe(EvaluationSpec) if row.name == "gates") == "a list (each text)"


def test_a_number_as_a_gate():
    assert problems(text("test.f1 > 0").replace(b"'test.f1 > 0'", b"3"))[0].message.endswith("received '3'")


def test_what_is_no_list_of_gates_is_its_own_error():
    data = text("test.f1 > 0").replace(b"gates:\n    - 'test.f1 > 0'", b"gates: test.f1 > 0")
    (found,) = problems(data, ["test.f1 > 0"])
    assert "expected a list" in found.message
