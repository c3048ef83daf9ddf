"""`evaluation.slices`: which rows are in which slice, and that train and evaluate measure the same of them."""

import json
import re

import numpy as np
import pytest

from mltrain.data.preparation import prepare
from mltrain.data.spec import DataSpec
from mltrain.errors import MisfitError
from mltrain.experiment.evaluation_section import EvaluationSpec
from mltrain.procedures.slices import fit_slices, slice_columns

AGES = [None if number == 3 else float(number) for number in range(40)]
SEXES = ["f", "m", "f", None] * 10


def slices(*stated, split=None):
    rows = [
        {
            "age": age,
            "sex": sex,
            "sold": "2026-01-02",
            "number": f"{position:03}",
            "weight": position / 7,
            "y": position % 2,
        }
        for position, (age, sex) in enumerate(zip(AGES, SEXES, strict=True))
    ]
    spec = DataSpec.model_validate(
        {
            "source": {"type": "inline", "rows": rows},
            "target": "y",
            "split": split or {"type": "random", "validation": 0.25, "test": 0.25},
            "features": {"sex": "ignore", "number": "ignore"},
        }
    )
    specs = EvaluationSpec.model_validate({"slices": list(stated)}).slices
    prepared = prepare(spec, 3, keep=slice_columns(specs))
    return fit_slices(specs, prepared), prepared


def test_each_value_is_a_slice_also_of_a_column_that_is_no_feature():
    found, prepared = slices("sex")
    assert list(found.held_out) == ["validation", "test"]
    for name, ids in prepared.splits.items()[1:]:
        in_slice = {each.name: [SEXES[row] for row in ids[each.rows]] for each in found.held_out[name]}
        values = [SEXES[row] for row in ids]
        expected = {"sex=f": "f", "sex=m": "m", "sex is missing": None}
        # A value that no row of the split has is no slice.
        assert in_slice == {key: [each] * values.count(each) for key, each in expected.items() if each in values}
    assert found.edges == {}


def test_bins_hold_as_many_training_rows_each():
    found, prepared = slices({"column": "age", "bins": 4}, split={"type": "random", "validation": 0, "test": 0.2})
    edges = found.edges["age"]
    ages = np.array([np.nan if age is None else age for age in AGES])
    train = ages[prepared.splits.train]
    counts = np.histogram(train[~np.isnan(train)], [-np.inf, *edges, np.inf])[0]
    assert counts.max() - counts.min() <= 1
    low, middle, high = (f"{edge:g}" for edge in edges)
    expected = [f"age<{low}", f"{low}<=age<{middle}", f"{middle}<=age<{high}", f"age>={high}", "age is missing"]
    names = [each.name for each in found.held_out["test"]]
    assert names == [name for name in expected if name in names]  # in order; a slice without rows is none
    tested = ages[prepared.splits.test]
    for each in found.held_out["test"]:
        values = tested[each.rows]
        if each.name == "age is missing":
            assert np.isnan(values).all()
        else:
            below, above = re.match(r"(?:(\S+)<=)?age(?:(?:<(\S+))|(?:>=(\S+)))", each.name).group(1, 2)
            assert below is None or (values >= float(below)).all()
            assert above is None or (values < float(above)).all()


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("sx", r"no column 'sx' \(did you mean 'sex'\?\)"),
        ("weight", "column 'weight': slices without bins need a .* most 30 different values, but it has 40; set bins"),
        ("number", "but it has 40; use another column"),
        ({"column": "number", "bins": 3}, "expected a number, found '000'"),
    ],
)
def test_what_cannot_be_cut_is_placed_in_the_config(stated, message, monkeypatch):
    monkeypatch.setattr("mltrain.procedures.slices.MOST_VALUES", 30)
    with pytest.raises(MisfitError, match=message) as caught:
        slices("sex", stated)
    assert caught.value.path == ("evaluation", "slices", 1)


CONFIG = """\
name: sliced
data:
  source: {type: csv, path: data.csv}
  target: large
  features: {sex: ignore}
model: {type: mlp, units: [4]}
training: {epochs: 2, batch_size: 16}
evaluation:
  slices:
    - sex
    - {column: size, bins: 3}
"""


def write_rows(path, seed, rows=120):
    draw = np.random.default_rng(seed)
    lines = [
        f"{size:.3f},{other:.3f},{sex},{'yes' if size > 0 else 'no'}"
        for (size, other), sex in zip(draw.normal(size=(rows, 2)), draw.choice(["f", "m", "m", "m"], rows), strict=True)
    ]
    path.write_text("size,other,sex,large\n" + "\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    from tests.conftest import in_process

    folder = tmp_path_factory.mktemp("sliced")
    write_rows(folder / "data.csv", 0)
    write_rows(folder / "other.csv", 1)
    (folder / "config.yaml").write_text(CONFIG)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    return folder, done


def test_slices_are_in_the_results_with_their_intervals(finished, mltrain):
    folder, done = finished
    splits = json.loads((folder / "run/metrics.json").read_text())["splits"]
    assert not {"slices", "classes"} & set(splits["train"])
    assert set(splits["train"]["metrics"]["accuracy"]) == {"value"}
    for split in ("validation", "test"):
        of_sex = [each for each in splits[split]["slices"] if each["slice"].startswith("sex")]
        assert sum(each["n"] for each in of_sex) == splits[split]["n"] == 24
        of_size = [each for each in splits[split]["slices"] if "size" in each["slice"]]
        assert sum(each["n"] for each in of_size) == 24
        for each in splits[split]["slices"]:
            accuracy = each["metrics"]["accuracy"]
            assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]
            assert ("few_rows" in each) == (each["n"] < 20)
    assert "slices of test" in done.err
    assert "test: slices with too few rows for a conclusion: sex=f (" in mltrain("show", folder / "run").out


def test_evaluate_measures_the_same_slices(finished, mltrain):
    folder, _ = finished
    recorded = json.loads((folder / "run/metrics.json").read_text())["splits"]
    for split in ("train", "validation", "test"):
        done = mltrain("evaluate", folder / "run", "--split", split, "--json")
        recorded[split].pop("baselines", None)  # which are fitted by a training only
        assert json.loads(done.out)["splits"] == {split: recorded[split]}


def test_other_rows_are_cut_at_the_same_edges(finished, mltrain):
    folder, _ = finished
    done = mltrain("evaluate", folder / "run", "--data", folder / "other.csv", "--json")
    result = json.loads(done.out)["splits"]["other.csv"]
    names = [each["slice"] for each in result["slices"]]
    recorded = json.loads((folder / "run/metrics.json").read_text())["splits"]["test"]["slices"]
    assert names == [each["slice"] for each in recorded]
    assert sum(each["n"] for each in result["slices"]) == 2 * result["n"] == 240
    table = mltrain("evaluate", folder / "run", "--data", folder / "other.csv").out
    assert "slices of other.csv" in table


def test_other_rows_without_the_column_are_refused(finished, mltrain, tmp_path):
    folder, _ = finished
    rows = [line.split(",") for line in (folder / "other.csv").read_text().splitlines()]
    (tmp_path / "less.csv").write_text("\n".join(",".join((row[0], row[1], row[3])) for row in rows) + "\n")
    done = mltrain("evaluate", folder / "run", "--data", tmp_path / "less.csv")
    assert done.code == 4
    assert "no column 'sex'" in done.err


def test_edges_that_are_not_recorded_are_said_to_be(finished, mltrain, tmp_path):
    import shutil

    folder, _ = finished
    run = shutil.copytree(folder / "run", tmp_path / "run")
    record = json.loads((run / "record.json").read_text())
    assert len(record["slices"]["size"]) == 2
    for edges in ([], record["slices"]["size"][::-1]):
        record["slices"]["size"] = edges
        (run / "record.json").write_text(json.dumps(record))
        done = mltrain("evaluate", run)
        assert done.code == 5
        assert "record.json does not hold the edges of the bins of 'size'" in done.err


def test_an_unknown_column_is_an_error_at_its_line_before_training(finished, mltrain, tmp_path):
    folder, _ = finished
    path = folder / "wrong.yaml"
    path.write_text(CONFIG.replace("- sex", "- sx"))
    done = mltrain("train", path, "--run-dir", tmp_path / "run")
    assert done.code == 3
    assert "wrong.yaml:10:7" in done.err
    assert "no column 'sx' (did you mean 'sex'?)" in done.err
    assert not (tmp_path / "run" / "history.csv").exists()


def test_a_column_stands_there_once():
    from pydantic import ValidationError

    with pytest.raises(ValidationError, match="'sex' is listed twice"):
        EvaluationSpec.model_validate({"slices": ["sex", {"column": "sex"}]})
