from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from mltrain.errors import ConfigError, MltrainError, RunError, RunExistsError, WriteError
from mltrain.run import locked_run
from mltrain.run.architecture import Architecture, RecordedLayer
from mltrain.run.examples import Example, WorstExamples
from mltrain.run.learned import LearnedCurve, Points
from mltrain.run.lock import Lock
from mltrain.run.locked_run import LockedRun
from mltrain.run.opening import create_run, open_run
from mltrain.run.record import start_record
from mltrain.run.rundir import RunDirectory
from mltrain.run.status import status
from tests.made_results import made_results


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


LAYER = RecordedLayer(name="head", kind="Dense", output=(None, 1), parameters=5, trainable=4)
CURVE = LearnedCurve(
    input="x",
    target="y",
    formula="",
    grid=(0.1, 2.0),
    predictions=(1.0, 0.3),
    points=(Points(split="train", input=(0.5,), target=(1.5,)),),
)
WORST = WorstExamples(columns=("size",), examples=(Example(row=3, values=("2.5",)), Example(row=0, picture="iVBO")))


def fill(run: LockedRun) -> LockedRun:
    run.write_config(b"version: 1  # as given\r\n")
    run.write_resolved(b"version: 1\n")
    run.write_record(start_record(["mltrain", "train"], run.path))
    run.write_status(status("running", "training", epoch=1, step=10))
    run.write_splits({"train": np.array([2, 0]), "test": np.array([1])})
    run.write_preprocessing({"version": 1, "mean": 0.1})
    run.history_file.append({"epoch": 1, "train.loss": 0.5})
    run.write_results(made_results(splits={"test": {"n": 1, "metrics": {"roc_auc": {"value": float("nan")}}}}))
    run.write_plot("loss", b"png")
    run.write_drawings({"roc": b"<svg/>"})
    run.write_report(b"<html>", b"# card")
    run.write_architecture(Architecture(input=(4,), layers=(LAYER,)))
    run.write_learned(CURVE)
    run.write_examples(WORST)
    run.write_model(b"keras")
    run.log("read 3 rows")
    return run


def test_every_part_comes_back(runs: Path) -> None:
    with create_run(runs, "breast-cancer") as made:
        fill(made)
    run = open_run("latest", runs)
    assert run.path == made.path
    assert run.config() == b"version: 1  # as given\r\n"
    assert run.resolved() == b"version: 1\n"
    assert run.record().command == ("mltrain", "train")
    assert run.status().state == "running"
    assert (run.status().epoch, run.status().step, run.status().pid) == (1, 10, os.getpid())
    splits = run.splits()
    assert {name: rows.tolist() for name, rows in splits.items()} == {"train": [2, 0], "test": [1]}
    assert list(splits) == ["train", "test"]
    assert {rows.dtype for rows in splits.values()} == {np.dtype(np.int64)}
    assert run.preprocessing() == {"version": 1, "mean": 0.1}
    assert run.history().column("train.loss") == (0.5,)
    assert run.results().as_json()["splits"] == {"test": {"n": 1, "metrics": {"roc_auc": {"value": None}}}}
    assert [path.name for path in run.plots()] == ["loss.png"]
    assert (run.path / "plots" / "roc.svg").read_bytes() == b"<svg/>"
    assert run.page.read_bytes() == b"<html>"
    assert run.architecture() == Architecture(input=(4,), layers=(LAYER,))
    assert run.learned() == CURVE
    assert run.examples() == WORST
    assert run.model.read_bytes() == b"keras"
    assert sorted(entry.name for entry in run.path.iterdir()) == [
        ".lock",
        "config.resolved.yaml",
        "config.yaml",
        "examples.json",
        "history.csv",
        "learned.json",
        "log.txt",
        "metrics.json",
        "model.json",
        "model.keras",
        "plots",
        "preprocessing.json",
        "record.json",
        "report.html",
        "report.md",
        "splits",
        "status.json",
    ]


def test_a_new_run_has_its_own_directory_and_latest_points_to_it_once_it_begins(runs: Path) -> None:
    first = create_run(runs, "breast-cancer")
    assert not (runs / "breast-cancer" / "latest").exists()
    first.become_latest()
    second = create_run(runs, "breast-cancer")
    assert os.readlink(runs / "breast-cancer" / "latest") == first.path.name  # noqa: PTH115
    second.become_latest()
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{4}", first.path.name)
    assert first.path.parent == second.path.parent == runs / "breast-cancer"
    assert first.path != second.path
    assert os.readlink(runs / "breast-cancer" / "latest") == second.path.name  # noqa: PTH115
    assert (runs / ".gitignore").read_text() == "*\n!.gitignore\n"


def test_a_folder_that_was_there_gets_no_gitignore(runs: Path) -> None:
    runs.mkdir()
    create_run(runs, "a").close()
    assert not (runs / ".gitignore").exists()


def test_four_digits_that_are_taken_are_drawn_again(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draws = iter([b"\0\0", b"\0\0", b"\0\0", b"\0\1"])
    real = os.urandom
    monkeypatch.setattr(os, "urandom", lambda count: next(draws) if count == 2 else real(count))
    ids = [create_run(runs, "a").path.name for _ in range(2)]
    assert [name[-4:] for name in ids] in (["0000", "0001"], ["0000", "0000"])  # the second may turn between them
    assert len(set(ids)) == 2


def test_a_folder_of_runs_may_be_a_link_and_a_relative_path_stays_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "runs").symlink_to("scratch")
    assert create_run(tmp_path / "runs", "a").path.parent == tmp_path / "scratch" / "a"
    monkeypatch.chdir(tmp_path)
    assert create_run(Path("mine"), "a").path.parent == Path("mine/a")


@pytest.mark.parametrize(
    "name", ["../x", "/abs", "a/b", "a\0b", ".", "..", "", "-x", "a" * 65, "\u202egnp", "a\n", " a"]
)
def test_names_cannot_lead_elsewhere(runs: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the name of a directory"):
        create_run(runs, name)
    run = create_run(runs, "a")
    with pytest.raises(ValueError, match="cannot be a file name"):
        run.write_plot(name, b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs"]


def test_exactly_the_directory_that_was_asked_for(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for name in ("there", "new", "deep/er"):
        with create_run(runs, "a", tmp_path / name) as run:
            assert run.path == tmp_path / name
            run.write_config(b"")
        with pytest.raises(RunExistsError, match="not empty") as caught:
            create_run(runs, "a", tmp_path / name)
        assert caught.value.exit_code == 6
    assert not runs.exists()


def test_a_start_that_died_at_once_does_not_occupy_its_directory(runs: Path, tmp_path: Path) -> None:
    create_run(runs, "a", tmp_path / "run").close()
    (tmp_path / "run" / ".tmp-0123456789abcdef").write_text("half")
    create_run(runs, "a", tmp_path / "run").close()


def test_nothing_is_put_into_a_directory_of_someone_else(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(RunExistsError, match="not empty"):
        create_run(runs, "a", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_directory_that_fills_before_it_is_locked_is_refused(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(path: Path) -> Lock:
        path.with_name("config.yaml").write_text("of a run that was faster and has ended")
        return Lock(path)

    monkeypatch.setattr(locked_run, "Lock", slow)
    for _ in range(2):  # twice: the refused one gives its lock back
        with pytest.raises(RunExistsError, match="not empty"):
            create_run(runs, "a", tmp_path / "run")
    Lock(tmp_path / "run" / ".lock").release()


def test_a_run_that_is_held_is_refused(runs: Path) -> None:
    run = create_run(runs, "a")
    with pytest.raises(RunExistsError, match="in use by process"):
        LockedRun(run.path)
    with pytest.raises(RunExistsError, match="in use by process"):
        create_run(runs, "a", run.path)


def test_a_link_or_a_file_is_no_run_directory(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "file").write_text("")
    for name, message in (("link", "symbolic link"), ("dangling", "symbolic link"), ("file", "is not a directory")):
        with pytest.raises(RunExistsError, match=message):
            create_run(runs, "a", tmp_path / name)
    assert not list((tmp_path / "elsewhere").iterdir())
    assert not (tmp_path / "nowhere").exists()


def test_planted_links_in_the_folder_of_runs_lead_nowhere(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    runs.mkdir()
    (runs / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="symbolic link"):
        create_run(runs, "a")
    run = create_run(runs, "b")
    (run.path / "plots").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="symbolic link"):
        run.write_plot("loss", b"")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_run_that_has_only_begun_says_what_is_missing(runs: Path) -> None:
    run = RunDirectory(create_run(runs, "a").path)
    for read in (run.config, run.resolved, run.record, run.status, run.splits, run.preprocessing, run.results):
        with pytest.raises(RunError, match="there") as caught:
            read()
        assert str(run.path) in str(caught.value)
    assert run.history().rows == ()
    assert run.plots() == ()


def test_reading_changes_nothing(runs: Path) -> None:
    made = fill(create_run(runs, "a"))
    before = {path: path.lstat() for path in runs.rglob("*")}
    run = open_run("latest", runs)  # also while another process holds it
    for read in (run.config, run.resolved, run.record, run.status, run.splits, run.preprocessing, run.results):
        read()
    after = {path: path.lstat() for path in runs.rglob("*")}
    assert {path: (stat.st_mtime_ns, stat.st_size) for path, stat in after.items()} == {
        path: (stat.st_mtime_ns, stat.st_size) for path, stat in before.items()
    }
    made.close()


@pytest.mark.parametrize("name", ["record.json", "status.json"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format 2; this version of mltrain reads format 1"),
        ({"format": None}, "format None"),
        ({"state": "asleep", "started": 3}, r"(state|started): Input should be"),
        ({"what": 1}, "what: Extra inputs"),
    ],
)
def test_files_of_another_form_are_refused(runs: Path, name: str, change: dict[str, object], message: str) -> None:
    run = fill(create_run(runs, "a"))
    values = json.loads((run.path / name).read_text())
    (run.path / name).write_text(json.dumps({**values, **change}))
    with pytest.raises(RunError, match=message) as caught:
        run.record() if name == "record.json" else run.status()
    assert f"{name}: " in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY\x02\x00", b"no array"])
def test_damaged_splits_are_refused(runs: Path, data: bytes) -> None:
    run = fill(create_run(runs, "a"))
    (run.path / "splits" / "train.npy").write_bytes(data)
    with pytest.raises(RunError, match=r"splits/train\.npy: not row ids"):
        run.splits()
    np.save(run.path / "splits" / "train.npy", np.zeros((2, 2)))
    with pytest.raises(RunError, match=r"expected a list of int64, found float64 \(2, 2\)"):
        run.splits()


def test_dangling_links_are_damage_not_absence(runs: Path) -> None:
    run = create_run(runs, "a")
    (run.path / "history.csv").symlink_to("nowhere")
    with pytest.raises(RunError, match="symbolic link"):
        run.history()


def test_splits_are_written_once(runs: Path) -> None:
    run = fill(create_run(runs, "a"))
    with pytest.raises(FileExistsError):
        run.write_splits({"train": np.array([0])})
    assert run.splits()["train"].tolist() == [2, 0]


def test_what_was_fitted_cannot_hold_nan(runs: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        create_run(runs, "a").write_preprocessing({"mean": float("nan")})


def test_the_log_cannot_drive_a_terminal(runs: Path) -> None:
    run = create_run(runs, "a")
    run.log("class \x1b[2J\r\u202e é\n  second line\n")
    run.log("next")
    assert (run.path / "log.txt").read_text(encoding="utf-8") == ("class \\x1b[2J\\r\\u202e é\n  second line\nnext\n")


def test_a_full_disk_at_any_moment_of_a_run_is_exit_7(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    run = fill(create_run(runs, "a"))
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    monkeypatch.setattr(os, "write", refuse)
    for write in (
        lambda: run.write_status(status("finished", "all epochs are done")),
        lambda: run.write_results(made_results()),
        lambda: run.write_model(b"x"),
        lambda: run.write_plot("loss", b"x"),
        lambda: run.history_file.append({"epoch": 2, "train.loss": 0.4}),
        lambda: run.log("x"),
        lambda: create_run(runs, "b").write_config(b"x"),
    ):
        with pytest.raises(MltrainError, match="the disk is full") as caught:
            write()
        assert caught.value.exit_code == 7
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before
