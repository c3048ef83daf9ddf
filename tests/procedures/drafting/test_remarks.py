"""What the comments say of a table is true, and is there only where it matters."""

import datetime
import random

import pytest

from tests.procedures.drafting.tables import drafted, kinds, shop, trains, write_csv


def visits(rows=300):
    """Return visits of 60 patients, of which a few are ill."""
    draw = random.Random(3)
    ill = [draw.random() < 0.1 for _ in range(rows)]
    return {
        "patient_id": [1000 + draw.randint(0, 59) * 7 for _ in range(rows)],
        "age": [draw.randint(20, 80) for _ in range(rows)],
        "blood": [round(draw.gauss(5 + each, 2), 3) for each in ill],
        "treatment_cost": [round(draw.gauss(900 if each else 20, 5), 2) for each in ill],
        "verdict": ["sick" if each else "healthy" for each in ill],
        "outcome": [int(each) for each in ill],
    }


def test_leaks_groups_and_rare_classes_are_remarked(tmp_path):
    write_csv(tmp_path / "visits.csv", visits())
    loaded, text = drafted(tmp_path, "visits.csv")
    assert kinds(loaded) == {
        "patient_id": "ignore",
        "age": "number",
        "blood": "number",
        "treatment_cost": "number",
        "verdict": "ignore",
    }
    assert "# patient_id has rows that belong together" in text
    assert "# split: {type: group, column: patient_id, validation: 0.2, test: 0.2}" in text
    assert "# WARNING: alone predicts the target almost perfectly (1.0000 of 1 on training rows" in text
    assert "verdict: ignore" in text and "another name for the target" in text
    assert "#   class_weight: balanced" in text and "#   threshold: {aim: f1}" in text
    trains(tmp_path, loaded)


def test_what_is_advised_in_comments_can_be_used(mltrain, tmp_path):
    write_csv(tmp_path / "visits.csv", visits())
    _, text = drafted(tmp_path, "visits.csv")
    text = text.replace("  split: {type: random, validation: 0.2, test: 0.2}\n", "")
    for advised in ("# split: {type: group", "# training:", "#   class_weight", "# evaluation", "#   threshold"):
        assert text.count(advised) == 1
        text = text.replace(advised, advised.replace("#   ", "  ").replace("# ", ""))
    (tmp_path / "changed.yaml").write_text(text, encoding="utf-8")
    done = mltrain("train", "changed.yaml", "--quiet", "--set", "training.epochs=1")
    assert done.code == 0, done.err


def test_there_is_nothing_to_say_of_a_plain_table(mltrain, tmp_path):
    draw = random.Random(9)
    rows = [(draw.random(), draw.random(), draw.choice("ab")) for _ in range(600)]
    names = ("u", "v", "kind")
    write_csv(tmp_path / "plain.csv", dict(zip(names, zip(*rows, strict=True), strict=True)))
    done = mltrain("init", "--data", "plain.csv", "--target", "kind")
    text = (tmp_path / "plain.yaml").read_text(encoding="utf-8")
    assert "WARNING" not in text
    assert text.count("#") == 17, text
    assert len(done.err.splitlines()) == 2


def test_a_series_is_split_by_time(tmp_path):
    first = datetime.date(2020, 1, 31)
    days = [first + datetime.timedelta(days=number) for number in range(200)]
    write_csv(tmp_path / "sales.csv", {"day": days, "sales": [number % 7 * 3.5 + number for number in range(200)]})
    loaded, text = drafted(tmp_path, "sales.csv")
    assert (loaded.spec.data.split.type, loaded.spec.data.split.column) == ("time", "day")
    assert "there is one row for each day, in order" in text
    trains(tmp_path, loaded)


def test_the_forecast_that_is_advised_for_a_series_trains(mltrain, tmp_path):
    days = [datetime.date(2020, 1, 31) + datetime.timedelta(days=number) for number in range(200)]
    write_csv(tmp_path / "sales.csv", {"day": days, "sales": [number % 7 * 3.5 + number for number in range(200)]})
    _, text = drafted(tmp_path, "sales.csv")
    assert "add `windows: {length: 12}` here and set day to ignore" in " ".join(text.replace("#", "").split())
    text = text.replace("day: datetime", "day: ignore").replace("  features:", "  windows: {length: 12}\n  features:")
    (tmp_path / "changed.yaml").write_text(text, encoding="utf-8")
    done = mltrain("train", "changed.yaml", "--quiet", "--set", "training.epochs=1")
    assert done.code == 0, done.err


def test_no_forecast_of_classes_is_advised(mltrain, tmp_path):
    """Windows forecast numbers: asked for all the same, they are refused at their line."""
    days = [datetime.date(2020, 1, 31) + datetime.timedelta(days=number) for number in range(200)]
    write_csv(tmp_path / "sky.csv", {"day": days, "sky": ["sun", "rain", "rain", "sun", "fog"] * 40})
    _, text = drafted(tmp_path, "sky.csv", "--target", "sky")
    assert "there is one row for each day, in order" in text
    assert "windows" not in text
    text = text.replace("day: datetime", "day: ignore").replace("  features:", "  windows: {length: 12}\n  features:")
    (tmp_path / "changed.yaml").write_text(text, encoding="utf-8")
    done = mltrain("train", "changed.yaml", "--quiet")
    assert done.code == 3
    assert "data.windows: windows forecast numbers, and the target 'sky' holds none: remove windows" in done.err


def test_printed_commands_name_files_as_a_shell_reads_them(mltrain, tmp_path):
    write_csv(tmp_path / "my shop (1).csv", {name: column[:30] for name, column in shop().items()})
    done = mltrain("init", "--data", "my shop (1).csv", "--target", "price")
    assert done.code == 0, done.err
    assert "next: mltrain train 'my shop (1).yaml'" in done.err
    text = (tmp_path / "my shop (1).yaml").read_text(encoding="utf-8")
    assert "#   mltrain train 'my shop (1).yaml'" in text
    assert "`mltrain cross-validate 'my shop (1).yaml'" in " ".join(text.replace("#", "").split())


def test_copied_rows_are_remarked(tmp_path):
    columns = {name: column[:60] * 2 for name, column in shop().items() if name not in ("id", "note")}
    write_csv(tmp_path / "shop.csv", columns)
    _, text = drafted(tmp_path, "shop.csv")
    assert "# WARNING: " in text and "rows are training rows too, with equal features and target" in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("user_id", "ignore"),
        ("userId", "ignore"),
        ("customerid", "ignore"),
        ("patient", "ignore"),
        ("area_id", "category"),
        ("paid", "number"),
        ("family", "number"),
        ("cd_player", "number"),
        ("zip_code", "number"),
    ],
)
def test_numbers_that_are_names_are_recognised_by_their_name(tmp_path, name, expected):
    draw = random.Random(1)
    most = 4 if name == "family" else 40
    columns = {name: [draw.randint(1, most) for _ in range(200)], "a": [draw.random() for _ in range(200)]}
    write_csv(tmp_path / "x.csv", {**columns, "b": [draw.random() for _ in range(200)]})
    loaded, _ = drafted(tmp_path, "x.csv", "--target", "b")
    assert kinds(loaded)[name] == expected


def test_ratings_are_classes_with_the_other_task_beside_them(tmp_path):
    draw = random.Random(1)
    columns = {"a": [draw.random() for _ in range(200)], "rating": [draw.randint(1, 5) for _ in range(200)]}
    write_csv(tmp_path / "x.csv", columns)
    loaded, text = drafted(tmp_path, "x.csv")
    assert "# task: regression " in text
    assert loaded.spec.task == "auto"
    (tmp_path / "x.yaml").write_text(text.replace("# task: regression", "task: regression"), encoding="utf-8")
    trains(tmp_path, loaded)


def test_a_wide_table_has_no_line_for_each_column(tmp_path):
    draw = random.Random(1)
    columns = {f"p{number}": [draw.random() for _ in range(60)] for number in range(150)}
    columns |= {"same": [1] * 60, "number": list(range(60)), "y": [draw.random() for _ in range(60)]}
    write_csv(tmp_path / "x.csv", columns)
    loaded, text = drafted(tmp_path, "x.csv")
    assert kinds(loaded) == {"number": "ignore"}
    assert "# 150 columns of the kind number: p0, p1, p2, p3, p4, p5 and 144 more" in text
    assert "# 1 column with the same value in every row: same" in text
    trains(tmp_path, loaded)


def test_texts_alone_are_left_to_the_training(tmp_path):
    reviews = [f"this is {number} of some good and long reviews" for number in range(60)]
    write_csv(tmp_path / "x.csv", {"review": reviews, "stars": ["good", "bad"] * 30})
    loaded, text = drafted(tmp_path, "x.csv")
    assert not kinds(loaded)
    assert "what is learned from is decided in training" in text
    trains(tmp_path, loaded)
