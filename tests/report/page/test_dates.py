"""The chart of forecasts has dates below it, where the rows have dates."""

import re
from datetime import UTC, date, datetime

import numpy as np
import pytest

from mltrain.report.page.charts.dates import DateScale
from tests.report.page.reading import read

CONFIG = """\
name: months
data:
  source: {type: csv, path: months.csv}
  target: y
  windows: {length: 3}
  split: {type: time, column: month, validation: 0.2, test: 0.3}
model: {type: linear}
training: {epochs: 1}
"""


def seconds(*parts):
    return (datetime(*parts, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        ((2024, 1, 1), (2024, 1, 4), ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]),
        ((2023, 12, 20), (2024, 4, 10), ["2024-01", "2024-02", "2024-03", "2024-04"]),
        ((1949, 3, 1), (1960, 12, 1), ["1950", "1955", "1960"]),
        ((2024, 2, 28, 22), (2024, 2, 29, 1), ["02-28 22:00", "02-28 23:00", "02-29 00:00", "02-29 01:00"]),
        ((2024, 1, 1, 0, 0, 0), (2024, 1, 1, 0, 0, 3), ["00:00:00", "00:00:01", "00:00:02", "00:00:03"]),
        ((10, 1, 1), (9900, 1, 1), ["2000", "4000", "6000", "8000"]),
    ],
)
def test_dates_along_an_axis_are_round(low, high, expected):
    scale = DateScale(seconds(*low), seconds(*high))
    ticks = scale.ticks()
    assert [*map(str.strip, scale.texts(ticks))] == expected
    assert all(0 <= scale.share(tick) <= 1 for tick in ticks)


def month(number):
    return date(2015 + number // 12, number % 12 + 1, 1)


def trained(mltrain, folder, name, time):
    rows = "".join(f"{time(number)},{100 + 10 * (number % 12) + number}\n" for number in range(60))
    (folder / "months.csv").write_text(f"month,y\n{rows}")
    (folder / "config.yaml").write_text(CONFIG)
    done = mltrain("train", "config.yaml", "--run-dir", name, "--quiet")
    assert done.code == 0, done.err
    return folder / name


def chart_of(run):
    svg = (run / "plots" / "forecast.svg").read_text()
    return [each.text for each in read(svg.partition("\n")[2].encode()).all("text")]


def test_forecasts_of_rows_with_dates_have_dates_below(mltrain, tmp_path):
    run = trained(mltrain, tmp_path, "dated", month)
    rows = np.load(run / "predictions" / "test.rows.npy")
    dates = np.load(run / "predictions" / "test.dates.npy")
    expected = [(month(row) - date(1970, 1, 1)).days * 86_400_000_000 for row in rows.tolist()]
    assert dates.tolist() == expected
    texts = chart_of(run)
    assert "time of the test rows (UTC)" in texts
    shown = [each for each in texts if re.fullmatch(r"20\d\d-\d\d", each)]
    assert shown == ["2018-07", "2019-01", "2019-07"]
    (table,) = [
        each for each in read((run / "report.html").read_bytes()).all("table") if "worst" in each.one("caption").text
    ]
    assert [each.text for each in table.one("thead").all("th")][:2] == ["row", "time (UTC)"]
    for line in table.one("tbody").all("tr"):
        assert line.all("td")[0].text == month(int(line.one("th").text)).isoformat()
    np.save(run / "predictions" / "test.dates.npy", dates[:-1])
    assert mltrain("report", run).code == 5


def test_rows_without_dates_are_numbered(mltrain, tmp_path):
    run = trained(mltrain, tmp_path, "numbered", int)
    assert not (run / "predictions" / "test.dates.npy").exists()
    assert "test rows, in the order of time" in chart_of(run)
