from __future__ import annotations

import os
from pathlib import Path

import pytest

from mltrain.errors import RunError
from mltrain.run.reading import read_file


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "run" / "splits").mkdir(parents=True)
    (tmp_path / "run" / "splits" / "train.npy").write_text("rows")
    return tmp_path / "run"


def test_a_file_below_is_read(run: Path) -> None:
    assert read_file(run, "splits/train.npy", limit=4) == b"rows"


def test_what_leads_out_of_the_run_is_not_followed(run: Path) -> None:
    (run / "config.yaml").symlink_to(run.parent / "secret")
    (run / "plots").symlink_to(run.parent)
    for name in ("config.yaml", "plots/secret"):
        with pytest.raises(RunError, match="a symbolic link"):
            read_file(run, name, limit=100)


def test_a_run_that_is_reached_through_a_link_is_fine(run: Path) -> None:
    (run.parent / "latest").symlink_to("run")
    assert read_file(run.parent / "latest", "splits/train.npy", limit=4) == b"rows"


def test_nothing_but_a_regular_file_is_read_or_waited_for(run: Path) -> None:
    os.mkfifo(run / "status.json")
    (run / "zero").symlink_to("/dev/zero")
    for name in ("status.json", "splits", "zero"):
        with pytest.raises(RunError, match=r"not a regular file|symbolic link"):
            read_file(run, name, limit=100)


def test_a_file_that_is_too_large_is_not_read(run: Path) -> None:
    with (run / "metrics.json").open("wb") as file:
        file.truncate(1 << 40)  # a sparse file: a terabyte that takes no space
    with pytest.raises(RunError, match=r"metrics\.json: 1,099,511,627,776 bytes, more than the 100 "):
        read_file(run, "metrics.json", limit=100)


def test_a_missing_file_is_named(run: Path) -> None:
    with pytest.raises(RunError, match=r"run/metrics\.json: not there") as caught:
        read_file(run, "metrics.json", limit=100)
    assert caught.value.exit_code == 5
