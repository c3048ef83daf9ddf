"""The whole `data` section, from the source to arrays."""

from __future__ import annotations

import numpy as np
import pytest

from mltrain.data.examples import encode_examples
from mltrain.data.features import NumberFeature
from mltrain.data.preparation import Prepared, prepare
from mltrain.data.reading import read_rows
from mltrain.data.spec import DataSpec
from mltrain.errors import DataError
from tests.data.tables import only_input, table


def inline(seed=0, rows=40, **columns):
    rng = np.random.default_rng(seed)
    made = {
        "age": rng.normal(40, 12, rows).round(1).tolist(),
        "island": rng.choice(["Biscoe", "Dream"], rows).tolist(),
        "part": ["train", "train", "train", "validation", "test"] * (rows // 5),
        "species": ["Adelie", "Gentoo"] * (rows // 2),
        **columns,
    }
    return {"type": "inline", "rows": [dict(zip(made, row, strict=True)) for row in zip(*made.values(), strict=True)]}


def data(**changes) -> DataSpec:
    return DataSpec.model_validate({"source": inline(), "target": "species", **changes})


def run(task="auto", seed=7, **changes) -> Prepared:
    return prepare(data(**changes), seed, task)


def test_arrays_of_every_split_in_the_order_of_its_rows():
    prepared = run(split={"type": "random", "validation": 0.2, "test": 0.1})
    assert {name: len(examples.y) for name, examples in prepared.examples.items()} == {
        "train": 28,
        "validation": 8,
        "test": 4,
    }
    whole = only_input(prepared.preprocessing, read_rows(data(), 7, "auto"))
    for name, rows in prepared.splits.items():
        examples = prepared.examples[name]
        assert np.array_equal(examples.x, whole[rows])
        assert np.array_equal(examples.truth, np.array([0, 1] * 20)[rows])
        assert np.array_equal(examples.y, examples.truth.astype(np.float32))


def test_what_a_model_may_know():
    info = run(split="none").info
    assert (info.task, info.output.units, info.output.classes) == ("binary", 1, ("Adelie", "Gentoo"))
    assert info.input.columns == ("age", "island=Biscoe", "island=Dream", "part=test", "part=train", "part=validation")
    assert (info.input.shape, info.input.dtype, info.train_rows) == ((6,), "float32", 40)


def test_the_task_is_said_first_and_what_is_stated_is_not_said():
    decisions = run(features={"age": "number"}).decisions
    assert decisions[0].what == "task"
    assert not [decision for decision in decisions if "age" in decision.value]


def test_a_split_column_is_no_feature():
    prepared = run(split={"type": "column", "column": "part"})
    assert not [name for name in prepared.info.input.columns if name.startswith("part")]
    assert prepared.splits.test.tolist() == list(range(4, 40, 5))


def test_nothing_but_training_rows_is_measured():
    """Other values in the rows of the other splits change nothing that was fitted, and no training array."""
    split = {"type": "column", "column": "part"}
    source = inline()
    changed = inline()
    for row in changed["rows"]:
        if row["part"] != "train":
            row["age"], row["island"] = -1e6, "Atlantis"
    first, second = run(source=source, split=split), run(source=changed, split=split)
    assert first.preprocessing == second.preprocessing
    assert first.examples["train"].x.tobytes() == second.examples["train"].x.tobytes()
    assert second.examples["test"].unknown == {"island": 8}


def test_a_scaled_regression_target_is_scaled_by_the_training_rows():
    prices = np.arange(40) * 10.0 + 0.5
    prepared = run(source=inline(price=prices.tolist()), target={"column": "price", "scale": "standard"})
    train = prepared.examples["train"]
    assert (prepared.info.task, prepared.info.output.classes) == ("regression", ())
    assert train.y.mean() == pytest.approx(0, abs=1e-6)
    assert np.array_equal(train.truth, prices[prepared.splits.train])
    assert prepared.examples["test"].y.mean() != pytest.approx(0, abs=1e-6)


def test_the_same_experiment_twice_gives_the_same_bytes_and_another_seed_others():
    first, second, other = run(), run(), run(seed=8)
    assert first.examples["train"].x.tobytes() == second.examples["train"].x.tobytes()
    assert first.decisions == second.decisions
    assert first.examples["train"].x.tobytes() != other.examples["train"].x.tobytes()


def test_later_rows_are_encoded_by_what_was_fitted():
    prepared = run(split={"type": "column", "column": "part"})
    examples = encode_examples(
        prepared.preprocessing, table(age=[40.0, None], island=["Dream", "Mars"], species=["Gentoo", "Adelie"])
    )
    assert examples.truth.tolist() == [1, 0]
    assert (dict(examples.missing), dict(examples.unknown)) == ({"age": 1}, {"island": 1})
    with pytest.raises(DataError, match="no column 'age'"):
        encode_examples(prepared.preprocessing, table(island=["Dream"], species=["Gentoo"]))


def test_inputs_and_outputs_have_names_and_examples_know_their_rows():
    prepared = run(split={"type": "random"})
    assert [each.name for each in prepared.info.inputs] == ["table"]
    assert [(each.name, each.task, each.columns) for each in prepared.info.outputs] == [("species", "binary", ())]
    assert [name for name, _ in prepared.splits.items()] == list(prepared.examples)
    for name, examples in prepared.examples.items():
        assert np.array_equal(examples.rows, getattr(prepared.splits, name))
        assert (set(examples.inputs), set(examples.targets), set(examples.truths)) == (
            {"table"},
            {"species"},
            {"species"},
        )
    whole, train = prepared.preprocessing, prepared.examples["train"]
    again = encode_examples(whole, read_rows(data(split={"type": "random"}), 7, "auto").take(train.rows), train.rows)
    assert again.x.tobytes() == train.x.tobytes()
    assert np.array_equal(again.rows, train.rows)


def test_source_knows_its_target_task_and_classes():
    prepared = run(source={"type": "sklearn", "name": "breast_cancer"}, target=None)
    assert prepared.info.output.classes == ("malignant", "benign")
    assert prepared.info.task == "binary"
    assert len(prepared.info.input.columns) == 30


def test_the_source_is_told_what_the_columns_are(tmp_path):
    path = tmp_path / "houses.csv"
    path.write_text("zip,size,price\n8001,10,1\n8002,12,2\n8003,11,x\n8001,14,4\n", encoding="utf-8")
    spec = {"source": {"type": "csv", "path": str(path)}, "target": "price", "split": "none"}
    with pytest.raises(DataError, match=r"houses.csv:4: column 'price'.*'x'"):
        prepare(DataSpec.model_validate({**spec, "features": {"zip": "category"}}), 0, "regression")
    ignoring = {**spec, "features": {"zip": "category", "price": "ignore"}}
    path.write_text("zip,size,price\n8001,10,1.5\n8002,12,2.5\n", encoding="utf-8")
    assert prepare(DataSpec.model_validate(ignoring), 0).info.task == "regression"  # ignored as a feature only
    path.write_text("zip,size,price\n8001,10,x\n8002,12,y\n8003,11,3\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"houses.csv:2: column 'price': 'x' is not a number"):
        prepare(DataSpec.model_validate(spec), 0, "regression")
    path.write_text("zip,size,label\n8001,10,1\n8002,12,2\n8003,11,1\n8001,14,2b\n", encoding="utf-8")
    features = {"zip": "category", "label": "category"}
    prepared = prepare(DataSpec.model_validate({**spec, "target": "label", "features": features}), 0)
    assert prepared.info.input.columns == ("zip=8001", "zip=8002", "zip=8003", "size")
    assert prepared.info.output.classes == ("1", "2", "2b")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"target": None},
            r"rows: data.target is not stated: which column should be predicted\? \(columns: age, is",
        ),
        ({"target": "specis"}, r"no column 'specis' \(did you mean 'species'\?\)"),
        ({"features": {"agee": "number"}}, r"data.features.agee: no such column \(did you mean 'age'\?\)"),
        ({"features": {"island": "number"}}, r"rows\[0\].*column 'island'"),
        ({"source": inline(species=["Adelie"] * 40)}, "every row has the class 'Adelie'"),
        ({"source": inline(species=["A"] * 39 + [None])}, r"rows\[39\]: column 'species': the target is missing"),
        (
            {
                "source": inline(species=(["A", "B", "A", "C", "B"] * 8)),
                "split": {"type": "column", "column": "part"},
            },
            r"rows\[3\]: .*the class 'C' does not occur in training rows, only in 8 rows of other splits",
        ),
    ],
)
def test_errors_say_where(changes, message):
    with pytest.raises(DataError, match=message):
        run(**changes)


def test_specs_and_made_features_are_the_same():
    assert run(features={"age": NumberFeature(scale="minmax")}).preprocessing == (
        run(features={"age": {"type": "number", "scale": "minmax"}}).preprocessing
    )


@pytest.mark.parametrize(
    ("values", "scale", "dtype"),
    [(np.arange(40), "none", "int32"), (np.arange(40.0), "none", "float32"), (np.arange(40), "minmax", "float32")],
)
def test_the_range_of_inputs_that_may_be_indices_is_that_of_all_rows(tmp_path, values, scale, dtype):
    np.savez(tmp_path / "data.npz", x=values.reshape(20, 2), y=np.linspace(0, 1, 20))
    spec = {
        "source": {"type": "npz", "path": str(tmp_path / "data.npz")},
        "target": "y",
        "features": {"x": {"type": "array", "scale": scale}},
    }
    prepared = prepare(DataSpec.model_validate(spec), 7, "regression")
    everything = np.concatenate([examples.x for examples in prepared.examples.values()])
    assert prepared.info.input.dtype == dtype
    assert prepared.info.input.limits == (everything.min(), everything.max())
    assert len(everything) > len(prepared.examples["train"].x)


def test_the_range_of_images_is_not_looked_for(tmp_path):
    np.savez(tmp_path / "data.npz", x=np.zeros((20, 4, 4), np.uint8), y=np.linspace(0, 1, 20))
    spec = {
        "source": {"type": "npz", "path": str(tmp_path / "data.npz")},
        "target": "y",
        "features": {"x": {"type": "image"}},
    }
    info = prepare(DataSpec.model_validate(spec), 7, "regression").info
    assert info.input.limits is None
    assert info.input.name == "x"
