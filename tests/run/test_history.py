from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrain.errors import RunError, WriteError
from mltrain.run import durable
from mltrain.run.history import History, HistoryFile


def read(path: Path) -> History:
    return History.from_csv(path.read_bytes(), path.name)


def test_the_file_is_what_a_spreadsheet_expects(tmp_path: Path) -> None:
    history = HistoryFile(tmp_path / "history.csv")
    history.append({"epoch": 1, "train.loss": 0.5, "validation.loss": math.nan, "learning_rate": 1e-3, "seconds": 0.25})
    history.append(
        {"epoch": 2, "seconds": -1, "train.loss": np.float32(0.1), "validation.loss": math.inf, "learning_rate": 0}
    )
    assert (tmp_path / "history.csv").read_text() == (
        "epoch,train.loss,validation.loss,learning_rate,seconds\n1,0.5,nan,0.001,0.25\n2,0.10000000149011612,inf,0,-1\n"
    )
    found = read(tmp_path / "history.csv")
    assert found.column("epoch") == (1, 2)
    assert np.float32(found.column("train.loss")[1]) == np.float32(0.1)
    assert math.isnan(found.column("validation.loss")[0])
    with pytest.raises(KeyError, match="accuracy"):
        found.column("accuracy")


@given(st.lists(st.lists(st.floats(), min_size=2, max_size=2), min_size=1, max_size=5))
def test_the_same_numbers_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]]) -> None:
    path = tmp_path_factory.mktemp("run") / "history.csv"
    history = HistoryFile(path)
    for row in rows:
        history.append({"a": row[0], "b": row[1]})
    assert [list(map(repr, map(float, row))) for row in read(path).rows] == [list(map(repr, row)) for row in rows]


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "-1", "+x", "@SUM", "\tx", "'quoted", 'a,"b"', "a\nb", "é"])
def test_headers_cannot_be_formulas_and_come_back(tmp_path: Path, name: str) -> None:
    HistoryFile(tmp_path / "history.csv").append({name: 1})
    assert (tmp_path / "history.csv").read_text(encoding="utf-8")[0] not in "=+-@\t"
    assert read(tmp_path / "history.csv").columns == (name,)


def test_other_columns_than_those_of_the_first_epoch_are_refused(tmp_path: Path) -> None:
    history = HistoryFile(tmp_path / "history.csv")
    history.append({"epoch": 1, "train.loss": 1.0})
    with pytest.raises(RunError, match="its columns are"):
        history.append({"epoch": 2, "train.accuracy": 1.0})
    assert len(read(tmp_path / "history.csv").rows) == 1


def test_after_a_failed_first_row_the_header_is_still_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = HistoryFile(tmp_path / "history.csv")
    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(WriteError):
            history.append({"epoch": 1})
    history.append({"epoch": 1})
    assert (tmp_path / "history.csv").read_text() == "epoch\n1\n"


def test_a_row_that_was_cut_off_does_not_count() -> None:
    assert History.from_csv(b"epoch,a\n1,2.0\n2,3.", "history.csv").rows == ((1, 2.0),)
    assert History.from_csv(b"epo", "history.csv") == History((), ())
    assert History.from_csv(b"", "history.csv") == History((), ())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"epoch,a\n1,2\n2\n", "history.csv:3: expected 2 cells, found 1"),
        (b"epoch,a\n1,=cmd\n", "history.csv:2: expected numbers"),
        (b"epoch,a\n1,\xff\n", "history.csv: not a readable history"),
        (b'epoch,a\n1,"2\n', "history.csv: not a readable history"),
    ],
)
def test_damage_is_said_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(RunError) as caught:
        History.from_csv(data, "history.csv")
    assert message in str(caught.value)
