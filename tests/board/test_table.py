"""The table: a line a run, whatever state it is in; filtered, sorted, read once."""

import json
import os
import re
import socket

import pytest

from mltrain.board.folder import Folder
from mltrain.board.table_page import sparkline
from mltrain.run import rundir
from mltrain.run.locked_run import LockedRun
from tests.board.runs import made_run
from tests.report.page.reading import read

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


def test_an_interrupted_run_shows_its_command_once_and_its_real_duration(folder, ask):
    reason = "stopped by SIGINT: kept up to step 9; `mltrain resume runs/a/1` continues from there"
    path = made_run(folder, "a", "1", state="interrupted", reason=reason)
    (path / "record.json").write_text(
        (path / "record.json").read_text().replace('"finished": "2026-11-20T20:16:30Z"', '"finished": null')
    )
    status = json.loads((path / "status.json").read_text()) | {"updated": "2026-11-20T20:15:10Z"}
    (path / "status.json").write_text(json.dumps(status))
    table, page = ask(), ask("/run/a/1").text
    assert page.count("mltrain resume") == 1
    assert "kept up to step 9." in page
    assert "`" not in page
    assert "`" not in table.text
    assert cells(table, "duration") == ["10 s"]


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
    assert "<dt>Epochs</dt><dd>4 of 15</dd>" in page
    assert "<dt>Steps</dt>" not in page


def cells(reply, column):
    """Return the texts of a column, from above."""
    page = read(reply.body)
    return [cell.text for cell in page.all("td") if cell.attributes.get("data-column") == column]


def test_a_running_run_says_how_far_it_is(folder, ask):
    path = made_run(folder, "live", "1", state="running", accuracy=(0.1, 0.2, 0.3))
    rows = ["1,0.5,0.1,60", "2,0.5,0.2,10", "3,0.5,0.3,10"]
    (path / "history.csv").write_text("\n".join(["epoch,train.loss,validation.accuracy,seconds", *rows, ""]))
    with LockedRun(path):
        table, page = ask(), ask("/run/live/1").text
    # 12 epochs are left, and the middle one of the last takes 10 s.
    assert cells(table, "epochs") == ["3 of 152 min 0 s left"]
    assert cells(table, "metric") == ["0.3000now: validation.accuracy"]
    for shown in ("3 of 15", "2 min 0 s left", "0.3000"):
        assert shown in page
    assert '<meta http-equiv="refresh" content="5">' in table.text


def test_the_table_is_loaded_again_only_while_a_run_trains(folder, ask):
    made_run(folder)
    assert "http-equiv" not in ask().text
    with LockedRun(made_run(folder, "live", "1", state="running")):
        assert "Reloads every 5 s while a run trains; this clears the ticks. " in ask().text
        assert '<a href="/?name=liv&amp;still">' in ask("/?name=liv").text
        assert "http-equiv" not in ask("/?name=liv&still").text
        assert '<a href="/?name=liv">' in ask("/?name=liv&still").text


def test_a_killed_run_has_no_steps_of_an_older_time(folder, ask):
    path = made_run(folder, state="running", accuracy=(0.5, 0.75))
    (path / ".lock").write_text(f"process {2**22 + 1} on {socket.gethostname()}\n")
    page = ask("/run/blobs/20261120T201500Z-0001").text
    assert "The process of this run is gone." in page
    assert "<code>mltrain resume</code> continues the run." in page
    assert "<dt>Epochs</dt><dd>2 of 15</dd>" in page
    assert "<dt>Steps</dt>" not in page
    assert cells(ask(), "metric") == ["0.7500last: validation.accuracy"]


def test_seed_duration_and_what_changed_are_columns(folder, ask):
    first = made_run(folder, identifier="1")
    second = made_run(folder, identifier="2")
    third = made_run(folder, identifier="3")
    other = made_run(folder, "others", "4")
    text = (second / "config.resolved.yaml").read_text()
    (second / "config.resolved.yaml").write_text(text.replace("epochs: 15", "epochs: 20").replace("seed: 7", "seed: 8"))
    for age, path in enumerate((first, second, third, other)):
        os.utime(path / "config.yaml", (1e9 + age * 60, 1e9 + age * 60))
    reply = ask("/?sort=oldest")
    back = "seed: 8 → 7training.epochs: 20 → 15"
    assert cells(reply, "changed") == ["–", "seed: 7 → 8training.epochs: 15 → 20", back, "–"]
    assert cells(reply, "seed") == ["7", "8", "7", "7"]
    assert cells(reply, "duration") == ["1 min 30 s"] * 4


def test_two_changes_are_shown_and_all_are_in_the_title(folder, ask):
    for number, config in enumerate(
        (b"a: {of_the_first_layers: 1}\nc: 1\nd: 1\n", b"a: {of_the_first_layers: 2}\nc: 2\nd: 2\n")
    ):
        path = made_run(folder, identifier=f"{number}")
        (path / "config.resolved.yaml").write_bytes(config)
        os.utime(path / "config.yaml", (1e9 + number, 1e9 + number))
    reply = ask()
    assert cells(reply, "changed") == ["a.of_the_first_layers: 1 → 2c: 1 → 2 …", "–"]
    assert 'title="a.of_the_first_layers: 1 → 2\nc: 1 → 2\nd: 1 → 2"' in reply.text
    assert "a.<wbr>of_the_first_layers: 1 → 2" in reply.text


def test_runs_of_the_same_config_say_so(folder, ask):
    for number in (1, 2):
        path = made_run(folder, identifier=f"{number}")
        os.utime(path / "config.yaml", (1e9 + number, 1e9 + number))
    assert cells(ask(), "changed") == ["nothing", "–"]
    (folder / "blobs" / "2" / "config.resolved.yaml").write_text("a: [")
    assert cells(ask(), "changed") == ["nothing", "–"]  # the files that tell of a change are the same


def test_the_page_of_a_run_begins_with_the_verdict_and_the_numbers(folder, ask):
    page = read(ask(f"/run/blobs/{made_run(folder).name}").body)
    header = page.one("header")
    assert header.text.index("0.8750") < header.text.index("On 40 test rows the accuracy is 0.8750")
    names = [each.text for each in header.all("span") if each.attributes.get("class") == "tile-name"]
    assert names == ["accuracy", "epochs", "duration", "seed"]


def test_values_are_shown_on_hover(folder, ask):
    made_run(folder)
    page = read(ask("/run/blobs/20261120T201500Z-0001").body)
    hints = [each.one("title").text for each in page.all("rect") if each.attributes.get("class") == "hint"]
    assert hints == [
        *("epoch 1: train 1.0000", "epoch 2: train 0.5000", "epoch 3: train 0.3333"),
        *("epoch 1: validation 0.5000", "epoch 2: validation 0.7500", "epoch 3: validation 0.8750"),
    ]
    (spark,) = [each for each in read(ask().body).all("svg") if "spark" in each.attributes["class"]]
    assert spark.one("title").text == spark.attributes["aria-label"]


def test_a_sparkline_ends_in_a_dot_and_leaves_gaps():
    drawn = sparkline("x", (1.0, float("nan"), 3.0, 2.0))
    assert drawn.count("M") == 2
    assert 'cx="117" cy="14"' in drawn
    assert "<path" not in sparkline("x", (float("nan"),))
    assert sparkline("x", tuple(range(10_000))).count("L") < 70
