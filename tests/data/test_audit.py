"""The audit of the data: each finding on data made for it, and silence on honest data."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pytest

from mltrain.config.load import load
from mltrain.data.audit import audit_data
from mltrain.data.audit.hashes import row_hashes
from mltrain.data.features import TextFeature
from mltrain.data.preparation import prepare
from mltrain.data.preprocessing_fit import fit_preprocessing
from mltrain.data.splits.rows import Splits
from mltrain.data.table import FileImages, Origin, Table
from mltrain.data.target import TargetEncoder
from mltrain.data.training_columns import TrainingColumns
from tests.conftest import CONFIGS
from tests.data.tables import mixed_table, table

ROWS = 500


def honest(rows=ROWS, seed=0):
    """Columns of every kind that tell a little of the target each."""
    draw = np.random.default_rng(seed)
    size = draw.normal(size=rows)
    return {
        "size": size,
        "age": draw.integers(18, 90, rows),
        "color": draw.choice(["red", "green", "blue"], rows),
        "noise": np.where(draw.random(rows) < 0.1, np.nan, draw.normal(size=rows)),
        "y": (size + draw.normal(size=rows) > 0).astype(np.int64),
    }


def audit(columns, splits=None, regression=False, features=MappingProxyType({}), images=MappingProxyType({})):
    """Return the findings on `columns` by name and split; without `splits`, of 300, 100 and 100 rows of 500."""
    columns = {
        name: values if isinstance(values, np.ndarray) and values.ndim > 1 else pa.array(values, from_pandas=True)
        for name, values in columns.items()
    }
    rows = Table(columns, Origin("made.csv"), sha256="0" * 64, images=images)
    each = np.arange(len(rows))
    splits = splits or Splits(each[: ROWS * 3 // 5], each[ROWS * 3 // 5 : ROWS * 4 // 5], each[ROWS * 4 // 5 :])
    truth = np.asarray(rows.columns["y"])
    classes = () if regression else tuple(map(str, range(int(truth.max()) + 1)))
    task = "regression" if regression else "binary" if len(classes) == 2 else "multiclass"
    target = TargetEncoder(column="y", task=task, labels=classes, classes=classes)
    train = rows.take(splits.train)
    preprocessing, _ = fit_preprocessing(train, target, features, "standard")
    found = audit_data(rows, splits, truth, preprocessing, TrainingColumns.of(preprocessing, train)).audit.findings
    return {f"{each.finding} {each.split}".strip(): each for each in found}


def texts(rows=ROWS, seed=0):
    """Return sentences of words of which each is often used, and labels."""
    draw = np.random.default_rng(seed)
    words = np.array(
        ["sun", "moon", "red", "tree", "old", "house", "runs", "sees", "a", "the", "of", "in", "on", "small"]
    )
    said = np.array([" ".join(draw.choice(words, draw.integers(9, 25))) for _ in range(rows)], object)
    return {"said": said, "y": draw.integers(0, 2, rows)}


def by_chance(found):
    """Return whether rows are equal, and that is only a note."""
    return set(found) == {"equal_by_chance validation", "equal_by_chance test"}


def copied(columns, rows, places):
    """Return columns in which the rows at `places` are those at `rows`."""
    return {name: _with(values, places, values[rows]) for name, values in columns.items()}


def _with(values, places, others):
    values = values.copy()
    values[places] = others
    return values


def test_honest_data_of_every_kind():
    for seed in range(20):
        assert audit(honest(seed=seed)) == {}
        assert audit({**honest(seed=seed), "y": honest(seed=seed)["size"] + np.arange(ROWS) % 7}, regression=True) == {}


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_no_shipped_config_gives_a_warning(name):
    spec = load(str(CONFIGS / f"{name}.yaml"), ()).spec
    audit = prepare(spec.data, spec.seed, spec.task).audited.audit
    assert audit.warnings == ()
    few = {"few_rows"} if audit.rows["train"] < 30 else set()
    assert {each.finding for each in audit.findings} <= {"constant_column"} | few  # pixels at the border of digits


class TestRowsThatRepeat:
    def test_across_splits(self):
        found = audit(copied(honest(), np.arange(7), np.arange(493, 500)))
        assert set(found) == {"repeated_rows test"}
        sentence = found["repeated_rows test"].sentence
        assert sentence.startswith("7 of 100 test rows are training rows too, with equal features and target")
        assert "made.csv[493] is made.csv[0], made.csv[494] is made.csv[1], …" in sentence
        assert (found["repeated_rows test"].level, found["repeated_rows test"].key) == ("warning", "data.split")

    def test_of_validation(self):
        found = audit(copied(honest(), [5], [350]))
        assert "1 of 100 validation rows is a training row too" in found["repeated_rows validation"].sentence

    @pytest.mark.parametrize("seed", range(3))
    def test_in_any_order_of_the_rows(self, seed):
        """What is found follows from which rows are in which split, not from where they stand."""
        columns = copied(honest(), np.arange(7), np.arange(493, 500))
        order = np.random.default_rng(seed).permutation(ROWS)
        places = np.argsort(order)
        splits = Splits(places[:300], places[300:400], places[400:])
        found = audit({name: values[order] for name, values in columns.items()}, splits)
        assert set(found) == {"repeated_rows test"}
        assert found["repeated_rows test"].sentence.startswith("7 of 100 test rows")

    def test_that_were_given_numbers_of_their_own(self):
        columns = copied(honest(), np.arange(7), np.arange(493, 500))
        numbers = np.random.default_rng(1).permutation(ROWS)
        assert set(audit({"row": numbers, **columns})) == {"repeated_rows test", "identifier"}

    def test_with_another_target(self):
        columns = copied(honest(), np.arange(7), np.arange(493, 500))
        columns["y"][493:] = 1 - columns["y"][493:]
        found = audit(columns)
        assert found["repeated_rows test"].sentence.startswith("7 of 100 test rows have all features of a training row")
        assert found["contradictory_rows"].sentence.startswith(
            "14 of 500 rows have the same features as a row of another"
        )
        numbers = {**columns, "y": np.arange(ROWS) / 7}
        assert set(audit(numbers, regression=True)) >= {"repeated_rows test"}
        assert "contradictory_rows" not in audit(numbers, regression=True)

    def test_inside_a_split(self):
        found = audit(copied(honest(), np.arange(7), np.arange(100, 107)))
        assert set(found) == {"rows_twice train"}
        assert found["rows_twice train"].sentence.startswith("7 of 300 train rows repeat another train row")
        assert found["rows_twice train"].level == "note"
        assert audit(copied(honest(), [1], [100])) == {}  # one of 300 changes nothing

    def test_of_few_values_are_no_copies(self):
        draw = np.random.default_rng(0)
        columns = {name: draw.integers(0, 3, ROWS) for name in "abc"}
        found = audit({**columns, "y": draw.integers(0, 2, ROWS)})
        assert set(found) == {"equal_by_chance validation", "equal_by_chance test"}
        assert found["equal_by_chance test"].level == "note"
        assert found["equal_by_chance test"].sentence.startswith("100 of 100 test rows have all features of a training")

    def test_of_few_values_beside_each_other_belong_together(self):
        """Five rows of each of many persons, one after the other: chance would make rows equal, but not neighbours."""
        draw = np.random.default_rng(0)
        columns = {name: np.repeat(draw.integers(0, 4, ROWS // 5), 5) for name in "abc"}
        order = draw.permutation(ROWS)
        splits = Splits(np.sort(order[:300]), np.sort(order[300:400]), np.sort(order[400:]))
        found = audit({**columns, "y": draw.integers(0, 2, ROWS)}, splits)
        assert {"repeated_rows validation", "repeated_rows test"} <= set(found)
        said = found["repeated_rows test"].sentence
        assert "of 100 test rows have all features of the training row next to them in the data" in said
        assert "data.split: {type: group" in said

    def test_many_equal_rows_are_many_pairs(self):
        """More rows of the same share of copies stay a finding: chance makes pairs, and pairs are what is counted."""
        columns = honest(rows=20 * ROWS)
        kinds = np.arange(20 * ROWS) % 40  # each of 40 rows is there 250 times
        columns = {name: values[kinds] for name, values in columns.items()}
        order = np.random.default_rng(0).permutation(20 * ROWS)
        splits = Splits(np.sort(order[:6000]), np.sort(order[6000:8000]), np.sort(order[8000:]))
        assert audit(columns, splits)["repeated_rows test"].sentence.startswith("2000 of 2000 test rows are training")

    @pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64])
    def test_of_images(self, dtype):
        draw = np.random.default_rng(0)
        images = draw.integers(0, 255, (ROWS, 5, 5, 1)).astype(dtype)
        labels = draw.integers(0, 2, ROWS)
        assert audit({"image": images, "y": labels}) == {}
        images[499], labels[499] = images[3], labels[3]
        (found,) = audit({"image": images, "y": labels}).values()
        assert "made.csv[499] is made.csv[3]" in found.sentence

    @pytest.mark.parametrize("feature", [TextFeature(), TextFeature(by="characters"), TextFeature(encoding="tf_idf")])
    def test_of_texts_alone(self, feature):
        columns = texts()
        assert audit(columns, features={"said": feature}) == {}
        columns = copied(columns, np.arange(3), np.arange(497, 500))
        found = audit(columns, features={"said": feature})
        assert set(found) == {"repeated_rows test"}
        assert "3 of 100 test rows are training rows too, with equal features" in found["repeated_rows test"].sentence
        columns["y"] = np.where(np.arange(ROWS) >= 497, 1 - columns["y"], columns["y"])
        found = audit(columns, features={"said": feature})
        assert (
            "3 of 100 test rows have all features of a training row but another" in found["repeated_rows test"].sentence
        )

    def test_of_texts_of_which_each_has_a_copy(self):
        columns = copied(texts(), np.arange(250), np.arange(250, 500))
        found = audit(columns, features={"said": TextFeature()})
        assert "100 of 100 test rows are training rows too" in found["repeated_rows test"].sentence

    def test_of_few_or_short_texts_are_no_copies(self):
        draw = np.random.default_rng(1)
        sentences = np.array(["I like it very much indeed", "this is not what I had in mind", "never again, I fear"])
        labels = draw.integers(0, 2, ROWS)
        assert by_chance(audit({"said": draw.choice(sentences, ROWS), "y": labels}, features={"said": TextFeature()}))
        many = np.array([f"number {number} of the catalogue" for number in range(200)])
        assert by_chance(audit({"said": draw.choice(many, ROWS), "y": labels}, features={"said": TextFeature()}))
        # Two words of a few hundred: some pairs come twice by chance, though most come once.
        pairs = np.array([f"w{one} v{two}" for one, two in draw.integers(0, 90, (ROWS, 2))])
        assert len(set(pairs.tolist())) < ROWS
        assert by_chance(audit({"said": pairs, "y": labels}, features={"said": TextFeature(min_count=1)}))

    def test_of_texts_or_images_that_are_missing_are_no_copies(self):
        columns = texts()
        columns["said"] = np.where(np.arange(ROWS) % 4 == 0, None, columns["said"])
        assert set(audit(columns, features={"said": TextFeature()})) <= {"mostly_missing"}
        columns = copied(columns, [1], [499])
        assert "repeated_rows test" in audit(columns, features={"said": TextFeature()})

        draw = np.random.default_rng(0)
        images, blank = draw.integers(0, 255, (ROWS, 5, 5, 1)).astype(np.uint8), np.arange(ROWS) % 4 == 0
        images[blank] = 0
        labels = draw.integers(0, 2, ROWS)
        known = {"image": FileImages(blank, "blank")}
        assert "rows_twice test" in audit({"image": images, "y": labels})
        assert audit({"image": images, "y": labels}, images=known) == {}

    def test_of_images_of_few_pixels_are_no_copies(self):
        draw = np.random.default_rng(0)
        images = draw.integers(0, 2, (ROWS, 3, 3, 1)).astype(np.uint8)
        assert by_chance(audit({"image": images, "y": draw.integers(0, 2, ROWS)}))


class TestHashes:
    def test_equal_rows_have_equal_ones_and_others_do_not(self):
        rows = mixed_table(3_000, seed=1)
        names = [name for name in rows.columns if name != "y"]
        texts = list(zip(*(map(str, rows.columns[name].to_pylist()) for name in names), strict=True))
        found = row_hashes(rows, names, np.zeros(3_000)).inputs
        assert len(set(texts)) == len(set(found.tolist()))
        few = ["island", "cast", "where", "open", "zip"]  # there are equal rows of these, and missing values
        texts = list(zip(*(map(str, rows.columns[name].to_pylist()) for name in few), strict=True))
        hashed = row_hashes(rows, few, np.zeros(3_000)).inputs.tolist()
        assert len(set(texts)) < 3_000
        assert len(set(texts)) == len(set(hashed)) == len(set(zip(texts, hashed, strict=True)))

    def test_whole_numbers_that_differ_in_one_bit(self):
        """Floats of small whole numbers differ in their highest bits only: a hash must not lose them."""
        one, other = np.meshgrid(np.arange(300.0), np.arange(300.0))
        rows = table(a=one.ravel(), b=other.ravel())
        found = row_hashes(rows, ["a", "b"], np.zeros(90_000))
        assert len(np.unique(found.inputs)) == 90_000
        assert len(np.unique(row_hashes(rows, ["a"], other.ravel()).examples)) == 90_000
        assert found.agreement == pytest.approx(300**-2, rel=0.3)

    def test_zeros_of_both_signs_are_equal_and_missing_is_no_zero(self):
        found = row_hashes(table(a=[0.0, -0.0, None]), ["a"], np.zeros(3)).inputs.tolist()
        assert found[0] == found[1] != found[2]
        found = row_hashes(table(a=[0, 0, None]), ["a"], np.zeros(3)).inputs.tolist()
        assert found[0] == found[1] != found[2]

    def test_columns_are_not_exchangeable(self):
        found = row_hashes(table(a=[1, 2], b=[2, 1]), ["a", "b"], np.zeros(2)).inputs
        assert found[0] != found[1]


class TestColumns:
    def test_one_that_holds_the_answer(self):
        columns = honest()
        found = audit({**columns, "paid": np.where(columns["y"] == 1, "yes", "no")})
        (leak,) = found.values()
        assert (leak.finding, leak.key, leak.level) == ("leaked_feature", "data.features.paid", "warning")
        assert "1.0000 on validation rows; each of its values means one class" in leak.sentence
        exact = audit({**columns, "score": columns["y"] + np.random.default_rng(1).normal(size=ROWS) / 20})
        assert set(exact) == {"leaked_feature train"}
        cents = audit({**columns, "y": columns["size"] * 3, "cents": columns["age"] / 7}, regression=True)
        assert cents["leaked_feature train"].key == "data.features.size"

    def test_what_holds_for_training_rows_only_is_no_answer(self):
        columns = honest()
        score = columns["y"] + np.random.default_rng(1).normal(size=ROWS) / 20
        score[300:] = np.random.default_rng(2).permutation(score[300:])
        assert audit({**columns, "score": score}) == {}

    def test_the_only_one_is_there_to_tell(self):
        columns = honest()
        assert audit({"size": columns["size"], "y": columns["size"] * 3}, regression=True) == {}

    @pytest.mark.parametrize(
        "numbers",
        [np.arange(ROWS) + 1000, np.random.default_rng(0).permutation(ROWS), np.cumsum(np.arange(ROWS) + 1)],
        ids=["counting", "in any order", "ascending"],
    )
    def test_one_that_numbers_the_rows(self, numbers):
        found = audit({"id": numbers, **honest()})
        assert set(found) - {"shifted_columns validation", "shifted_columns test"} == {"identifier"}
        assert found["identifier"].key == "data.features.id"

    def test_amounts_that_happen_to_differ_are_no_identifier(self):
        amounts = np.random.default_rng(0).choice(100_000, ROWS, replace=False)
        assert audit({"amount": amounts, **honest()}) == {}
        assert audit({"id": np.arange(ROWS), "y": np.arange(ROWS) * 1.5 % 7}, regression=True).keys() <= {
            "shifted_columns validation",
            "shifted_columns test",
        }

    def test_those_that_say_nothing(self):
        some = np.where(np.arange(ROWS) % 3 == 0, np.random.default_rng(0).normal(size=ROWS), np.nan)
        found = audit({**honest(), "same": np.ones(ROWS), "word": np.full(ROWS, "a"), "some": some})
        assert set(found) == {"constant_column", "mostly_missing"}
        assert "2 columns ('same', 'word') have the same value" in found["constant_column"].sentence
        assert "column 'some' is missing in more than half" in found["mostly_missing"].sentence
        assert {each.level for each in found.values()} == {"note"}


class TestSplits:
    def test_of_another_time(self):
        columns = honest()
        columns["size"][400:] += 2
        found = audit(columns)
        assert set(found) == {"shifted_columns test"}
        assert found["shifted_columns test"].sentence.startswith(
            "test rows differ from the training rows in 'size' (PSI "
        )
        assert found["shifted_columns test"].level == "warning"

    def test_with_other_values_missing(self):
        columns = honest()
        columns["noise"][300:400] = np.nan
        assert "'noise'" in audit(columns)["shifted_columns validation"].sentence

    def test_with_another_target(self):
        columns = honest()
        columns["y"][400:] = np.arange(100) < 95
        assert "the target 'y'" in audit(columns)["shifted_columns test"].sentence
        numbers = {**columns, "y": np.random.default_rng(0).normal(size=ROWS)}
        numbers["y"][400:] += 3
        assert "the target 'y'" in audit(numbers, regression=True)["shifted_columns test"].sentence

    def test_without_a_class_or_with_few_rows_of_it(self):
        columns = honest()
        columns["y"] = columns["y"].copy()
        columns["y"][:30], columns["y"][300:302] = 2, 2
        found = audit(columns)
        assert found["absent_class test"].sentence.startswith("test has no rows of '2'")
        assert found["rare_class validation"].sentence.startswith("validation has fewer than 5 rows of '2' (2)")
        assert [each.level for each in found.values()] == sorted((each.level for each in found.values()), reverse=True)
