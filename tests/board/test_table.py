"""The table: a line a run, whatever state it is in; filtered, sorted, read once."""

import os
import re
import socket

import pytest

from mltrain.board.folder import Folder
from mltrain.board.sparkline import sparkline
from mltrain.run import rundir
from mltrain.run.locked_run import LockedRun
from tests.board.runs import made_run

NASTY = '"><script>alert(1)</script>\x1b[31m&'


def identifiers(reply):
    """Return the runs of a table, from above."""
    return re.findall(r'name="run" value="([^"]*)"', reply.text)


def state(reply):
    (found,) = re.findall(r'class="state ([a-z]+)"', reply.text)
    return found


def test_a_line_says_what_there_is_to_say(folder, ask):
    gates = [{"gate": "test.accuracy >= 0.9", "value": 0.875, "passed": False}, {"gate": "test.n > 1", "passed": True}]
    made_run(folder, metrics={"gates": gates})
    reply = ask()
    assert reply.code == 200
    assert state(reply) == "finished"
    for shown in ("2026-11-20 20:15:00", "0.8750", "0.7500 to 1.0000", "1 of 2 missed", "1 run in"):
        assert shown in reply.text
    assert 'aria-label="validation.accuracy over 3 epochs, from 0.5000 to 0.8750"' in reply.text
    assert "<script" not in reply.text


def test_an_empty_folder_says_what_makes_a_run(ask):
    assert "mltrain train" in ask().text


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["c/3", "b/2", "a/1"]),
        ("?sort=newest", ["c/3", "b/2", "a/1"]),
        ("?sort=oldest", ["a/1", "b/2", "c/3"]),
        ("?sort=name", ["a/1", "b/2", "c/3"]),
        ("?sort=epochs", ["b/2", "c/3", "a/1"]),
        ("?sort=largest", ["a/1", "b/2", "c/3"]),
        ("?sort=smallest", ["b/2", "a/1", "c/3"]),
        ("?sort=nonsense", ["c/3", "b/2", "a/1"]),
        ("?name=B", ["b/2"]),
        ("?status=failed", ["c/3"]),
        ("?name=a&status=failed", []),
    ],
)
def test_it_is_filtered_and_sorted(folder, ask, query, expected):
    made_run(folder, "a", "1", accuracy=(0.875,))
    made_run(folder, "b", "2", accuracy=(0.5, 0.5, 0.75))
    made_run(folder, "c", "3", accuracy=(0.5, 0.5), state="failed")
    for age, name in enumerate(("c/3", "b/2", "a/1")):
        os.utime(folder / name / "config.yaml", (1e9 - age * 60, 1e9 - age * 60))
    assert identifiers(ask(f"/{query}")) == expected


def test_what_was_asked_stands_in_the_form_again(folder, ask):
    made_run(folder)
    text = ask("/?name=%22%3Eblo&status=finished&sort=name").text
    assert 'value="&quot;&gt;blo"' in text
    assert '<option value="finished" selected="">' in text
    assert '<option value="name" selected="">' in text


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("status.json", "{"),
        ("status.json", '{"format": 2}'),
        ("record.json", "[]"),
        ("history.csv", "epoch,train.loss\n1\n"),
        ("history.csv", "\udcff\n".encode("utf-8", "surrogateescape")),
        ("metrics.json", '{"splits": 3}'),
        ("metrics.json", "{" * 100_000),
    ],
)
def test_a_damaged_run_is_one_line_that_names_the_file(folder, ask, file, content):
    path = made_run(folder)
    (path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    reply = ask()
    assert (reply.code, state(reply)) == (200, "damaged")
    assert f'class="range">{file}' in reply.text
    page = ask("/run/blobs/20261120T201500Z-0001")
    assert page.code == 200
    assert f'class="note">{file}' in page.text


def test_a_run_that_has_only_begun(folder, ask):
    path = made_run(folder, state="running")
    for name in ("status.json", "history.csv"):
        (path / name).unlink()
    assert state(ask()) == "begun"
    assert "No epoch was completed" in ask("/run/blobs/20261120T201500Z-0001").text


def test_a_history_without_epochs_is_no_curve(folder, ask):
    path = made_run(folder)
    for content in ("train.loss\n1.5\n", "epoch,train.loss\nnan,1\n", "epoch,train.loss\n1e999,1\n"):
        (path / "history.csv").write_text(content)
        page = ask("/run/blobs/20261120T201500Z-0001")
        assert (page.code, "does not number its epochs" in page.text) == (200, True)
        assert ask().code == 200


@pytest.mark.parametrize("value", ["nan", "inf", "-1e308", "1e308", "0"])
def test_any_number_can_be_drawn(folder, ask, value):
    made_run(folder, accuracy=(0.5, float(value), 0.5), metrics={"splits": {}})
    assert ask().code == ask("/run/blobs/20261120T201500Z-0001").code == 200


def test_a_process_that_is_gone_is_told_from_one_that_runs(folder, ask):
    path = made_run(folder, state="running")
    assert state(ask()) == "running"
    gone = 2**22 + 1  # above the largest number that Linux gives
    for content, expected in (
        (f"process {gone} on {socket.gethostname()}\n", "killed"),
        (f"process {gone} on another-machine\n", "running"),
        (f"process -1 on {socket.gethostname()}\n", "running"),
        ("nonsense", "running"),
    ):
        (path / ".lock").write_text(content)
        assert state(ask()) == expected


def test_names_are_text(folder, ask):
    made_run(folder, "a b%2F..#", "ü\udcff&", reason=NASTY, state="failed")
    reply = ask()
    assert "<script" not in reply.text
    assert "\x1b" not in reply.text
    (place,) = re.findall(r'href="(/run/[^"]*)"', reply.text)
    assert place == "/run/a%20b%252F..%23/%C3%BC%FF%26"
    page = ask(place)
    assert page.code == 200
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert identifiers(reply) == [place.removeprefix("/run/")]


def test_what_is_to_be_copied_into_a_shell_is_quoted(folder, ask):
    made_run(folder, "x; rm -rf ~", "1", state="interrupted")
    page = ask("/run/x%3B%20rm%20-rf%20~/1").text
    assert f"mltrain resume &#x27;{folder}/x; rm -rf ~/1&#x27;" in page


def test_names_in_results_are_text(folder, ask):
    split = {"n": 1, "metrics": {NASTY: {"value": 1.0}}}
    gates = [{"gate": NASTY, "passed": False, "reason": NASTY}]
    path = made_run(folder, metrics={"splits": {"test": split}, "gates": gates})
    (path / "history.csv").write_text('epoch,"train.<script>"\n1,2\n')
    for place in ("/", "/run/blobs/20261120T201500Z-0001"):
        reply = ask(place)
        assert reply.code == 200
        assert "<script" not in reply.text


def test_files_are_read_again_only_when_they_have_changed(folder, monkeypatch):
    path = made_run(folder)
    reads = []
    read = rundir.read_file
    monkeypatch.setattr(rundir, "read_file", lambda *a, **k: reads.append(a) or read(*a, **k))
    found = Folder(folder)
    assert next(iter(found.overviews().values())).epochs == 3
    assert reads
    reads.clear()
    assert next(iter(found.overviews().values())).epochs == 3
    assert reads == []
    with (path / "history.csv").open("a") as history:
        history.write("4,0.25,0.9\n")
    assert next(iter(found.overviews().values())).epochs == 4


def test_the_epochs_of_a_running_run_are_those_of_its_history(folder, ask):
    with LockedRun(made_run(folder, "live", "1", state="running", accuracy=(0.1, 0.2, 0.3, 0.4))):
        page = ask("/run/live/1").text
    assert "<dt>Epochs</dt><dd>4</dd>" in page
    assert "<dt>Steps</dt>" not in page


def test_a_sparkline_ends_in_a_dot_and_leaves_gaps():
    drawn = sparkline("x", (1.0, float("nan"), 3.0, 2.0))
    assert drawn.count("M") == 2
    assert 'cx="117" cy="14"' in drawn
    assert "<path" not in sparkline("x", (float("nan"),))
    assert sparkline("x", tuple(range(10_000))).count("L") < 70
