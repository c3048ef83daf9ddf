"""Times with a time zone and times without one are not mixed up, from training to the last new row."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from pyarrow import parquet

from mltrain.data.preparation import prepare
from mltrain.data.spec import DataSpec
from mltrain.errors import DataError
from tests.csv_files import read_csv

ROWS = 60
TIMES = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=7 * row) for row in range(ROWS)]
LABELS = ["day" if 6 <= time.hour < 18 else "night" for time in TIMES]


def write(path, zoned):
    """Write the times with a zone (an offset of +02:00 in a text), or as the naive times of UTC."""
    if path.suffix == ".parquet":
        kind = pa.timestamp("us", "Europe/Berlin" if zoned else None)
        times = pa.array([time if zoned else time.replace(tzinfo=None) for time in TIMES], kind)
        parquet.write_table(pa.table({"at": times, "x": [1.0, 2.0] * (ROWS // 2), "y": LABELS}), path)
        return path
    texts = [
        (time + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00") if zoned else time.strftime("%Y-%m-%dT%H:%M:%S")
        for time in TIMES
    ]
    rows = list(zip(texts, [1.0, 2.0] * (ROWS // 2), LABELS, strict=True))
    if path.suffix == ".csv":
        path.write_text("at,x,y\n" + "".join(f"{at},{x},{y}\n" for at, x, y in rows))
    else:
        path.write_text("".join(json.dumps({"at": at, "x": x, "y": y}) + "\n" for at, x, y in rows))
    return path


def train(folder, mltrain, source, more=""):
    data = f"source: {{type: {source.suffix[1:]}, path: {source.name}}}, target: y{more}"
    (folder / "c.yaml").write_text(f"name: z\ndata: {{{data}}}\nmodel: {{type: linear}}\ntraining: {{epochs: 1}}\n")
    done = mltrain("train", "c.yaml", "--quiet", "--run-dir", "run")
    assert done.code == 0, done.err


@pytest.mark.parametrize("zoned", [True, False])
def test_new_times_must_have_a_zone_where_the_training_had_one_and_none_where_it_had_none(zoned, tmp_path, mltrain):
    train(tmp_path, mltrain, write(tmp_path / "train.parquet", zoned))
    (encoder,) = [
        each
        for each in json.loads((tmp_path / "run/preprocessing.json").read_text())["columns"]
        if each["column"] == "at"
    ]
    assert encoder["zoned"] is zoned
    said = []
    for form in ("csv", "jsonl", "parquet"):
        same, other = write(tmp_path / f"same.{form}", zoned), write(tmp_path / f"other.{form}", not zoned)
        assert mltrain("predict", "run", same, "--out", f"out.{form}").code == 0
        assert mltrain("evaluate", "run", "--data", same).code == 0
        said += [mltrain("predict", "run", other, "--out", "x." + form), mltrain("evaluate", "run", "--data", other)]
    for done in said:
        assert done.code == 4
        what = "has no time zone, but the times of the training data have one" if zoned else "has a time zone, but"
        assert what in done.err
        assert done.err.count("\n") == 1
    if zoned:  # the advice works: the same instants, written as the message says
        text = (tmp_path / "other.csv").read_text()
        (tmp_path / "advised.csv").write_text(text.replace(",1.0", "+00:00,1.0").replace(",2.0", "+00:00,2.0"))
        assert mltrain("predict", "run", "advised.csv", "--out", "advised.out.csv").code == 0
        first, second = read_csv(tmp_path / "advised.out.csv"), read_csv(tmp_path / "out.csv")
        assert [row["prediction"] for row in first] == [row["prediction"] for row in second]


def test_a_run_that_does_not_say_whether_times_had_a_zone_still_loads():
    from mltrain.data.encoders.column import RawColumn
    from mltrain.data.encoders.datetime import DatetimeEncoder
    from tests.data.tables import table

    part = {"part": "hour", "scaling": {"center": 0, "width": 1, "fill": 0}}
    encoder = DatetimeEncoder.model_validate({"column": "at", "parts": [part], "indicator": False})
    for zone in (None, "UTC"):
        times = pa.array([datetime(2024, 1, 1, 5)], pa.timestamp("us", zone))
        assert encoder.encode(RawColumn.of(table(at=times), "at")).values.tolist() == [[5.0]]


@pytest.mark.parametrize("zoned", [True, False])
def test_files_of_a_split_must_agree(zoned, tmp_path):
    sources = [write(tmp_path / "train.csv", zoned), write(tmp_path / "test.csv", not zoned)]
    source, test = ({"type": "csv", "path": str(path)} for path in sources)
    split = {"type": "files", "validation": 0.2, "test": test}
    with_zone, without = ("train.csv", "test.csv") if zoned else ("test.csv", "train.csv")
    with pytest.raises(
        DataError, match=f"column 'at': the times have a time zone in {with_zone} and none in {without}"
    ):
        prepare(DataSpec.model_validate({"source": source, "target": "y", "split": split}), 1)


def test_a_split_by_time_takes_either(tmp_path):
    for zoned in (True, False):
        source = {"type": "csv", "path": str(write(tmp_path / "t.csv", zoned))}
        spec = {"source": source, "target": "y", "split": {"type": "time", "column": "at"}}
        prepared = prepare(DataSpec.model_validate(spec), 1)
        assert prepared.splits.test.tolist() == list(range(48, 60))


def test_the_time_of_windows_must_agree_too(tmp_path, mltrain):
    lines = [f"{time:%Y-%m-%dT%H:%M:%SZ},{row % 5}.5\n" for row, time in enumerate(TIMES)]
    (tmp_path / "train.csv").write_text("at,v\n" + "".join(lines))
    (tmp_path / "c.yaml").write_text(
        "name: w\ndata:\n  source: {type: csv, path: train.csv}\n  target: v\n  windows: {length: 4}\n"
        "  split: {type: time, column: at}\nmodel: {type: linear}\ntraining: {epochs: 1}\n"
    )
    done = mltrain("train", "c.yaml", "--quiet", "--run-dir", "run")
    assert done.code == 0, done.err
    assert mltrain("predict", "run", "train.csv", "--out", "out.csv").code == 0
    (tmp_path / "naive.csv").write_text((tmp_path / "train.csv").read_text().replace("Z", ""))
    for command in (("predict", "run", "naive.csv", "--out", "n.csv"), ("evaluate", "run", "--data", "naive.csv")):
        done = mltrain(*command)
        assert done.code == 4
        assert "naive.csv:2: column 'at': the time has no time zone" in done.err
