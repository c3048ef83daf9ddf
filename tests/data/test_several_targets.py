"""Several targets: what is inferred of them, what is refused, and columns of arrays."""

import json

import numpy as np
import pytest

from mltrain.data.examples import encode_examples
from mltrain.data.preparation import prepare
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.several_targets import SeveralTargets, fit_several, unfolded
from mltrain.data.spec import DataSpec
from mltrain.data.target_spec import TargetSpec
from mltrain.errors import DataError, MisfitError
from tests.data.tables import column, table

NO_YES, ZERO_ONE, TRUTHS = ["no", "yes", "no", "yes"] * 3, [1, 0, 0, 1] * 3, [True, False, True, True] * 3
NUMBERS, COUNTS = [0.5 * number for number in range(12)], list(range(12))


def fitted(*columns, **arguments):
    names = "abcdef"[: len(columns)]
    spec = TargetSpec(columns=tuple(names), scale=arguments.pop("scale", "none"))
    return fit_several([column(each, name) for each, name in zip(columns, names, strict=True)], spec, **arguments)


def test_columns_of_two_values_are_labels():
    target, decisions = fitted(NO_YES, ZERO_ONE, TRUTHS)
    assert (target.task, target.classes, target.outputs) == ("multilabel", ("a", "b", "c"), 3)
    assert [part.classes for part in target.parts] == [("no", "yes"), ("0", "1"), ("false", "true")]
    assert [(one.what, one.value) for one in decisions] == [
        ("task", "multilabel"),
        ("target.positive", "a=yes, b=1, c=true"),
    ]


def test_columns_of_numbers_are_numbers():
    target, _ = fitted(NUMBERS, COUNTS)
    assert (target.task, target.classes, target.outputs) == ("multiregression", (), 2)


@pytest.mark.parametrize(
    ("columns", "arguments", "message"),
    [
        ((NO_YES, [None, *NO_YES[1:]]), {}, r"made.csv\[0\]: column 'b': .*missing"),
        ((NUMBERS, NUMBERS), {"stated": "multilabel"}, "column 'a': 0.5 is not a class"),
        ((NO_YES, NO_YES), {"stated": "multiregression"}, "column 'a': .*number"),
        ((NO_YES, NO_YES), {"stated": "binary"}, "the task is binary, but there are 2 targets"),
        ((NO_YES, ["no"] * 12), {}, "column 'b': every row has the class 'no'"),
        ((NO_YES, NO_YES), {"scale": "standard"}, "scale is for numbers, but the task is multilabel"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_a_line(columns, arguments, message):
    with pytest.raises(DataError, match=message) as error:
        fitted(*columns, **arguments)
    assert "\n" not in str(error.value)


def test_labels_and_a_number_are_learned_as_numbers_where_that_is_stated():
    assert fitted(ZERO_ONE, NUMBERS, stated="multiregression")[0].task == "multiregression"


def rows(number=40):
    generator = np.random.default_rng(1)
    x = generator.normal(size=number)
    return [
        {"x": float(each), "rain": "yes" if each > 0 else "no", "wind": int(place % 3 == 0), "y": 3.0 * each, "z": each}
        for place, each in enumerate(x.tolist())
    ]


def spec(**more):
    return DataSpec.model_validate({"source": {"type": "inline", "rows": rows()}, **more})


def test_targets_stand_beside_each_other_and_are_no_features():
    prepared = prepare(spec(target=["rain", "wind"], features={"y": "ignore", "z": "ignore"}), 1)
    train = prepared.examples["train"]
    ids = prepared.splits.train
    expected = np.array([[each["rain"] == "yes", each["wind"]] for each in rows()], np.int64)[ids]
    assert np.array_equal(train.truth, expected) and train.truth.dtype == np.int64
    assert np.array_equal(train.y, expected) and train.y.dtype == np.float32
    assert prepared.info.input.columns == ("x",)
    assert (prepared.info.output.columns, prepared.info.output.units) == (("rain", "wind"), 2)
    assert ("split.stratify", "false") in [(one.what, one.value) for one in prepared.decisions]
    again = Preprocessing.from_json(json.loads(json.dumps(prepared.preprocessing.to_json())))
    assert again == prepared.preprocessing


def test_each_number_is_scaled_by_itself():
    prepared = prepare(spec(target={"columns": ["y", "z"], "scale": "standard"}, features={"rain": "ignore"}), 1)
    train = prepared.examples["train"]
    assert train.y.mean(axis=0) == pytest.approx([0, 0], abs=1e-6) and train.y.std(axis=0) == pytest.approx([1, 1])
    assert prepared.preprocessing.target.restore(train.y) == pytest.approx(train.truth, rel=1e-5, abs=1e-6)


def test_labels_cannot_be_stratified():
    with pytest.raises(MisfitError, match="a row has 2 labels") as error:
        prepare(spec(target=["rain", "wind"], split={"type": "random", "stratify": True}), 1)
    assert error.value.path == ("data", "split", "stratify")


def test_a_label_that_no_training_row_has_is_refused():
    given = [{**each, "part": "test" if each["wind"] else "train"} for each in rows()]
    source = {"source": {"type": "inline", "rows": given}, "split": {"type": "column", "column": "part"}}
    with pytest.raises(DataError, match="column 'wind': the class '1' does not occur in training rows"):
        prepare(DataSpec.model_validate({**source, "target": ["rain", "wind"]}), 1)


def test_the_columns_of_an_array_are_targets():
    values = np.array([[0, 1], [1, 1], [1, 0]])
    unfold = unfolded(table(x=[1.0, 2.0, 3.0], y=values), "y")
    assert list(unfold.columns) == ["x", "y[0]", "y[1]"]
    assert unfold.column("y[1]").to_pylist() == [1, 1, 0]
    one = table(y=values[:, :1])
    assert unfolded(one, "y") is one


def test_an_array_of_targets_is_found_in_other_rows_too(tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    np.savez(tmp_path / "a.npz", x=x, y=(x[:, :2] > 0).astype(np.int64))
    described = {"source": {"type": "npz", "path": str(tmp_path / "a.npz")}, "target": "y"}
    prepared = prepare(DataSpec.model_validate(described, context={}), 1)
    target = prepared.preprocessing.target
    assert isinstance(target, SeveralTargets) and (target.array, target.columns) == ("y", ("y[0]", "y[1]"))
    examples = encode_examples(prepared.preprocessing, table(x=x[:5], y=(x[:5, :2] > 0).astype(np.int64)))
    assert np.array_equal(examples.truth, x[:5, :2] > 0)


def audited(given, target, tmp_path):
    """Return the audit of rows in parts of 300, 100 and 100."""
    lines = [[*given, "part"]] + [
        [*values, part]
        for *values, part in zip(*given.values(), ["train"] * 300 + ["validation"] * 100 + ["test"] * 100, strict=True)
    ]
    path = tmp_path / "rows.csv"
    path.write_text("".join(",".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")
    described = {"source": {"type": "csv", "path": str(path)}, "split": {"type": "column", "column": "part"}}
    return prepare(DataSpec.model_validate({**described, "target": target}, context={}), 1).audited


def test_the_audit_asks_each_target_and_takes_all_of_them_for_the_truth_of_a_row(tmp_path):
    draw = np.random.default_rng(0)
    x, z = draw.normal(size=(2, 500)).round(4)
    rain, wind = (x + draw.normal(size=500) > 0).astype(int), (draw.random(500) < 0.3).astype(int)
    fine = audited({"x": x, "z": z, "rain": rain, "wind": wind}, ["rain", "wind"], tmp_path)
    assert fine.audit.findings == () and fine.strengths == {}
    assert fine.audit.classes["test"] == {
        "rain=0": 100 - rain[400:].sum(),
        "rain=1": rain[400:].sum(),
        "wind=0": 100 - wind[400:].sum(),
        "wind=1": wind[400:].sum(),
    }

    def finding(name, target=("rain", "wind"), **changed):
        given = {"x": x, "z": z, "rain": rain, "wind": wind, **changed}
        return {each.finding: each.sentence for each in audited(given, [*target], tmp_path).audit.findings}[name]

    assert "'leak' alone predicts the target 'wind' almost perfectly" in finding("leaked_feature", leak=wind * 7.0)
    assert "'leak' alone predicts the target 'z'" in finding("leaked_feature", ("x", "z"), leak=2 * z)
    calm = np.where(np.arange(500) < 400, wind, 0)
    assert finding("absent_class", wind=calm).startswith("test has no rows of 'wind=1'")
    assert "the target 'wind' (PSI" in finding("shifted_columns", wind=np.where(np.arange(500) < 400, wind, 1 - wind))
    copies = {"x": x.copy(), "z": z.copy(), "rain": rain.copy(), "wind": wind.copy()}
    for each in copies.values():
        each[400:410] = each[:10]
    copies["wind"][405:410] = 1 - copies["wind"][405:410]
    said = finding("repeated_rows", **copies)
    assert (
        said.startswith("5 of 100 test rows are")
        and "5 more have the features of a training row but another target" in said
    )
    assert "the same features as a row of other labels" in finding("contradictory_rows", **copies)
