from __future__ import annotations

import os
from pathlib import Path

import pytest

from mltrain.errors import RunError
from mltrain.run.references import find_run, list_runs

MARKER = "config.yaml"
FIRST = "20261120T201500Z-3f9a"
SECOND = "20261120T201501Z-0001"
OTHER = "20261121T000000Z-aaaa"


def make(path: Path, second: int = 0) -> Path:
    path.mkdir(parents=True)
    (path / MARKER).write_text("")
    os.utime(path / MARKER, (second, second))
    return path


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, run in (("a", FIRST), ("a", SECOND), ("b", OTHER)):
        make(tmp_path / "runs" / name / run)
    (tmp_path / "runs" / "a" / "latest").symlink_to(SECOND)
    (tmp_path / "runs" / "a" / "20261231T000000Z-dead").mkdir()  # died before it wrote its config
    return Path("runs")


def find(reference: str, runs: Path) -> str:
    return find_run(reference, runs, marker=MARKER).name


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("latest", OTHER),
        ("a/latest", SECOND),
        ("b/latest", OTHER),
        ("20261121", OTHER),
        ("20261120T201500", FIRST),
        ("a/20261120T201501Z", SECOND),
        ("b/2026", OTHER),
        (SECOND, SECOND),
        (f"runs/a/{FIRST}", FIRST),
        (f"runs/a/{FIRST}/", FIRST),
        (f"./runs/a/../a/{FIRST}", FIRST),
        ("runs/a/latest", SECOND),
    ],
)
def test_what_is_written_means_one_run(runs: Path, reference: str, expected: str) -> None:
    assert find(reference, runs) == expected


def test_latest_is_the_newest_run_that_began_to_train_or_the_newest_where_none_did(runs: Path) -> None:
    def find(reference: str) -> str:
        return find_run(reference, runs, marker=MARKER, begun="splits").name

    assert (find("latest"), find("a/latest")) == (OTHER, SECOND)
    (runs / "a" / FIRST / "splits").mkdir()
    assert (find("latest"), find("a/latest"), find("b/latest")) == (FIRST, FIRST, OTHER)
    (runs / "b" / OTHER / "splits").mkdir()
    assert (find("latest"), find("a/latest")) == (OTHER, FIRST)


def test_an_absolute_path_needs_no_folder_of_runs(runs: Path) -> None:
    assert find(str((runs / "a" / FIRST).absolute()), Path("elsewhere")) == FIRST


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("2026112", rf"^2026112: 3 runs begin with this: a/{FIRST}, a/{SECOND}, b/{OTHER}; write more of the id"),
        ("a/2026", "2 runs begin with this"),
        ("20261120T201502Z", rf"no such run.*did you mean '{SECOND}'"),
        ("b/latset", "did you mean 'b/latest'"),
        ("c/latest", "found no run of 'c' in runs"),
        ("xyz", rf"no such run, neither a path nor in runs \(the newest: b/{OTHER}\)"),
        ("", "no such run|no config.yaml in it"),
        (
            "runs/a",
            rf"is a folder of runs, and one run is needed: name one of its 2 runs, such as runs/a/{FIRST}",
        ),
        ("runs", r"it has no config\.yaml, so it is not a run"),
        ("runs/a/20261231T000000Z-dead", "or the run died before it began"),
        ("a\0b", "no such run"),
        ("x" * 5000, "no such run"),
        ("../../etc/passwd", "no such run"),
    ],
)
def test_anything_else_is_said_with_what_is_near(runs: Path, reference: str, message: str) -> None:
    with pytest.raises(RunError, match=message) as caught:
        find(reference, runs)
    assert caught.value.exit_code == 5


def test_no_runs_at_all(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"found no run in .*`mltrain train` makes one"):
        find("latest", tmp_path / "runs")
    with pytest.raises(RunError, match=r"has no runs; .*`mltrain train` makes one"):
        find("2026", tmp_path / "runs")


def test_runs_of_one_second_are_ordered_by_when_they_were_made(tmp_path: Path) -> None:
    make(tmp_path / "a" / "20261120T201500Z-ffff", second=100)
    make(tmp_path / "b" / "20261120T201500Z-0000", second=101)
    assert find("latest", tmp_path) == "20261120T201500Z-0000"


def test_runs_with_names_of_their_own_count_by_when_they_were_made(tmp_path: Path) -> None:
    make(tmp_path / "a" / "20261120T201500Z-ffff")
    make(tmp_path / "mine", second=2_000_000_000)
    make(tmp_path / "a" / "old", second=1_000_000_000)
    assert [run.name for run in list_runs(tmp_path, marker=MARKER)] == ["old", "20261120T201500Z-ffff", "mine"]


def test_links_and_hidden_directories_are_no_runs(tmp_path: Path) -> None:
    run = make(tmp_path / "runs" / "a" / FIRST)
    make(tmp_path / "elsewhere" / "x")
    (tmp_path / "runs" / "a" / "latest").symlink_to(FIRST)
    (tmp_path / "runs" / "planted").symlink_to(tmp_path / "elsewhere")
    make(tmp_path / "runs" / "a" / ".tmp-0123456789abcdef")
    assert list_runs(tmp_path / "runs", marker=MARKER) == [run]


def test_where_there_are_no_links_latest_is_a_text_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make(tmp_path / "runs" / "a" / FIRST)
    (run.parent / "latest").write_text(f"{FIRST}\n")
    assert find_run(str(run.parent / "latest"), Path("elsewhere"), marker=MARKER) == run
    (run.parent / "latest").write_text("../../../etc\n")
    with pytest.raises(RunError):
        find_run(str(run.parent / "latest"), Path("elsewhere"), marker=MARKER)
