from __future__ import annotations

import io
import itertools
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mltrain.report.terminal import Terminal
from mltrain.run.architecture import Architecture, RecordedLayer, RecordedPart
from mltrain.run.audit import Audit
from mltrain.task import Decision
from tests.made_results import made_results

ROW = {
    "epoch": 1,
    "train.loss": 0.4123,
    "train.accuracy": 0.9,
    "validation.loss": 0.44,
    "validation.accuracy": 0.98,
    "validation.roc_auc": 0.99,
    "learning_rate": 0.001,
    "seconds": 1.23,
}
RESULTS = made_results(splits={"test": {"n": 4, "metrics": {"accuracy": {"value": 0.75}}}})
PROGRAM = """
from tests.made_results import made_results
from mltrain.report.terminal import Terminal
from mltrain.run.architecture import Architecture, RecordedLayer, RecordedPart
from mltrain.task import Decision
from pathlib import Path
terminal = Terminal()
terminal.decisions([Decision("features.[red]x\\x1b[2J", "category", "word " * 30)])
terminal.warning("[bold]careful")
with terminal.training(3, 10):
    for epoch in (1, 2, 3):
        terminal.steps(epoch, 10, 10, 0.5)
        terminal.epoch_ended(epoch, {"train.loss": 0.5, "validation.loss": 0.25, "validation.accuracy": 0.98,
            "validation.roc_auc": 0.9, "seconds": 0.1}, epoch == 2)
terminal.results(made_results(splits={"test": {"n": 4, "metrics": {"accuracy": {"value": 0.75}}}}), Path("runs/a/b"))
"""
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def train(terminal, epochs, notes=(), best=(1,)):
    with terminal.training(epochs, 5):
        for epoch in range(1, epochs + 1):
            terminal.steps(epoch, 5, 5, 0.5)
            terminal.epoch_ended(epoch, ROW, epoch in best, notes)


def clock(seconds):
    """Return a clock that is so many seconds further each time that it is read."""
    times = itertools.count()
    return lambda: next(times) * seconds


def epochs_of(stream):
    return [int(line.split("/")[0].removeprefix("epoch")) for line in stream.getvalue().splitlines()]


def on_a_terminal(columns=80, **environment):
    """Run PROGRAM with a terminal as its stderr; return what came out."""
    ours, theirs = pty.openpty()
    variables = {"COLUMNS": str(columns), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stderr=theirs, env={"PATH": os.environ["PATH"], **variables, **environment}
    )
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says EIO when the other side is closed.
            part = b""
        if not part:
            break
        parts.append(part)
    os.close(ours)
    assert process.wait() == 0
    return b"".join(parts).decode()


def test_one_plain_line_per_epoch_in_a_pipe():
    stream = io.StringIO()
    train(Terminal(stream=stream, clock=clock(1)), 10)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == (
        "epoch  1/10  train.loss 0.4123  validation.loss 0.4400  validation.accuracy 0.9800  1.2 s  (best)"
    )
    assert lines[9] == "epoch 10/10  train.loss 0.4123  validation.loss 0.4400  validation.accuracy 0.9800  1.2 s"


def test_progress_every_so_many_epochs_and_for_the_last():
    stream = io.StringIO()
    train(Terminal(progress_every=4, stream=stream, clock=clock(1)), 10, best=(4,))
    assert epochs_of(stream) == [4, 8, 10]


@pytest.mark.parametrize(
    ("best", "said"),
    [
        ((1,), [1, 11, 21, 31, 35]),
        ((1, 5), [1, 5, 21, 31, 35]),  # the best of a second has its line
        ((1, *range(2, 34)), [1, 11, 21, 31, 33, 35]),  # and the best of all, however late
        (tuple(range(1, 36)), [1, 11, 21, 31, 35]),
    ],
)
def test_at_most_one_line_per_second_in_a_pipe(best, said):
    stream = io.StringIO()
    train(Terminal(stream=stream, clock=clock(0.1000001)), 35, best=best)
    assert epochs_of(stream) == said


@pytest.mark.parametrize(
    ("seconds", "best", "said"),
    [
        (10, (1, 5), [1, 4, 5, 8, 10]),  # slow epochs: the best since comes with the next n-th epoch
        (10, (1, 5, 6, 7), [1, 4, 7, 8, 10]),  # of several, the best of them
        (0.3, (1, 5, 9), [1, 4, 5, 9, 10]),  # fast ones: it takes the place of the n-th epoch, or comes at the end
    ],
)
def test_the_best_epoch_has_a_line_between_n_epochs_too(seconds, best, said):
    stream = io.StringIO()
    train(Terminal(progress_every=4, stream=stream, clock=clock(seconds)), 10, best=best)
    assert epochs_of(stream) == said


def test_no_two_lines_within_a_second_before_the_end():
    times, stream = itertools.count(), io.StringIO()
    moments = []

    class Noted(io.StringIO):
        def write(self, text):
            moments.append(now[0])
            return stream.write(text)

    now = [0.0]
    terminal = Terminal(stream=Noted(), clock=lambda: now[0])
    with terminal.training(400, 1):
        for epoch in range(1, 401):
            now[0] = next(times) * 0.07
            terminal.epoch_ended(epoch, ROW, epoch % 3 == 0)
        before_the_end = list(moments)
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(before_the_end))
    assert len(before_the_end) >= 0.07 * 400 / 1.1 - 1
    assert epochs_of(stream)[-2:] == [399, 400]  # the best of all and the last


def test_a_terminal_shows_the_best_between_n_epochs(monkeypatch):
    class Wide(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    stream = Wide()
    train(Terminal(progress_every=4, stream=stream), 10, best=(1, 5))
    lines = ANSI.sub("", stream.getvalue()).replace("\r", "\n").splitlines()
    said = [line.split("/")[0].strip() for line in lines if re.match(r" *\d+/10  ", line)]
    assert said == ["1", "4", "5", "8", "10"]


def test_the_head_is_at_most_a_screen():
    stream = io.StringIO()
    terminal = Terminal(stream=stream)
    terminal.decisions([Decision(f"choice {n}", "yes", f"because of {n}") for n in range(100)])
    assert stream.getvalue().splitlines() == [
        *(f"choice {n}: yes (because of {n})" for n in range(16)),
        "record.json has all 100 decisions and their reasons",
    ]


def test_many_warnings_about_the_data_are_counted():
    stream = io.StringIO()
    findings = [
        {"finding": "x", "level": "warning", "sentence": f"column {n} " + "is odd " * 20, "key": "data"}
        for n in range(30)
    ]
    Terminal(stream=stream).audit(Audit.model_validate({"columns": 1, "rows": {"train": 5}, "findings": findings}))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("warning: column 0 is odd")
    assert lines[-1] == "… and 26 more warnings about the data: audit.json and the report have all"


def test_the_last_epoch_is_said_when_training_breaks_off():
    stream = io.StringIO()
    terminal = Terminal(progress_every=4, stream=stream)
    with pytest.raises(ZeroDivisionError), terminal.training(100, 5):
        terminal.epoch_ended(1, ROW, True)
        raise ZeroDivisionError
    assert stream.getvalue().startswith("epoch   1/100  ")


def test_what_callbacks_did_is_never_left_out():
    stream = io.StringIO()
    train(Terminal(progress_every=100, stream=stream), 2, notes=("learning rate 0.01",))
    assert stream.getvalue().splitlines()[:2] == ["  learning rate 0.01"] * 2


def test_training_without_validation():
    stream = io.StringIO()
    terminal = Terminal(stream=stream)
    with terminal.training(1, 1):
        terminal.epoch_ended(1, {"train.loss": 0.5, "train.accuracy": 0.9, "learning_rate": 0.1, "seconds": 0.5}, False)
    assert stream.getvalue() == "epoch 1/1  train.loss 0.5000  train.accuracy 0.9000  500 ms\n"


def test_the_bar_is_where_the_rows_are():
    text = on_a_terminal()
    # Epochs end faster than the bar is drawn by itself: still, below each row it says the epoch of that row.
    parts = re.split(r"\n +(\d)/3 ", ANSI.sub("", text).replace("\r", ""))
    for epoch, below in zip(parts[1::2], parts[2::2], strict=True):
        assert f"epoch {epoch}/3" in below
        assert "step 10/10" in below


def backbone(kind):
    """Return a model of one backbone."""
    part = RecordedPart(name="block1", first="conv", layers=1, parameters=5, trainable=5)
    layer = RecordedLayer(name="backbone", kind=kind, output=(3,), parameters=5, trainable=5, parts=(part,))
    return Architecture(input=(8, 8, 3), layers=(layer,))


def test_quiet_says_nothing():
    stream = io.StringIO()
    terminal = Terminal(quiet=True, stream=stream)
    terminal.decisions([Decision("task", "binary", "two classes")])
    terminal.note("note")
    terminal.warning("warning")
    terminal.model(backbone("VGG16"))
    train(terminal, 3, notes=("note",))
    terminal.results(RESULTS, Path("run"))
    assert stream.getvalue() == ""


def test_decisions_results_and_paths_in_a_pipe():
    stream = io.StringIO()
    terminal = Terminal(stream=stream)
    terminal.decisions([Decision("task", "binary", "why " * 40)])
    terminal.results(RESULTS, Path("runs/a"))
    assert stream.getvalue().splitlines() == [
        f"task: binary ({'why ' * 40})",
        "",
        "            test",
        "n              4",
        "accuracy  0.7500",
        "",
        "the model is from epoch 37 of 47, the best by validation.loss (0.0712); training ended: no improvement for 10 "
        "epochs",
        "run    runs/a",
    ]


def test_text_of_the_user_is_escaped():
    stream = io.StringIO()
    terminal = Terminal(stream=stream)
    terminal.decisions([Decision("features.\x1b[2J", "[red]\r", "\x07")])
    terminal.note("a\nb")
    terminal.warning("\x9b31m")
    terminal.model(backbone("one\n\x1btwo"))
    terminal.results(RESULTS, Path("run\n\x1b"))
    text = stream.getvalue()
    assert text.isascii()
    assert all(character.isprintable() or character == "\n" for character in text)
    assert text.splitlines()[:4] == [
        "features.\\x1b[2J: [red]\\r (\\x07)",
        "a\\nb",
        "warning: \\x9b31m",
        "backbone: one\\n\\x1btwo, 5 parameters, all trained (block1 5)",
    ]


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("error", [BrokenPipeError, OSError])
def test_a_reader_who_leaves_does_not_end_the_training(terminal, error, monkeypatch):
    class Broken(io.StringIO):
        lines = 0

        def isatty(self):
            return terminal

        def write(self, text):
            self.lines += 1
            if self.lines > 3:
                raise error
            return len(text)

    monkeypatch.setenv("TERM", "xterm")
    stream = Broken()
    train(Terminal(stream=stream, clock=clock(1)), 10)
    assert stream.lines == 4


def test_a_long_path_can_be_copied_from_a_terminal(monkeypatch):
    class Narrow(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "20")
    stream = Narrow()
    Terminal(stream=stream).results(RESULTS, Path("runs/" + "a" * 50))
    assert "runs/" + "a" * 50 in stream.getvalue()


def test_a_closed_stderr_is_silence():
    command = f'{sys.executable} -c "$PROGRAM" 2>&-'
    assert subprocess.run(["/bin/sh", "-c", command], env=os.environ | {"PROGRAM": PROGRAM}).returncode == 0


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_lines_fit_a_terminal(columns):
    text = ANSI.sub("", on_a_terminal(columns))
    lines = [line for part in text.split("\n") for line in part.split("\r")]
    assert max(map(len, lines)) <= columns
    header = next(line for line in lines if line.startswith("epoch  "))
    assert ("validation.accuracy" in header) == (columns >= 80)
    assert ("validation.roc_auc" in header) == (columns >= 120)
    assert any(line.startswith("  2/3") and line.endswith("best") for line in lines)
    assert any("epoch 1/3" in line and "step 10/10" in line for line in lines)


def test_a_terminal_shows_text_of_the_user_as_it_is():
    text = on_a_terminal()
    assert "\x1b[2J" not in text
    plain = ANSI.sub("", text)
    assert "features.[red]x\\x1b[2J: category (word word" in plain
    assert "warning: [bold]careful" in plain


def test_no_color():
    colors = re.compile(r"\x1b\[(?:\d+;)*(?:3\d|4\d|9\d)(?:;\d+)*m")
    assert colors.search(on_a_terminal())
    assert not colors.search(on_a_terminal(NO_COLOR="1"))


def test_a_dumb_terminal_gets_plain_lines():
    text = on_a_terminal(TERM="dumb")
    assert "\x1b" not in text
    assert "epoch 3/3  train.loss 0.5000" in text


def test_rich_is_imported_on_a_terminal_only():
    code = (
        "import sys, mltrain.report.terminal as t; t.Terminal(); sys.exit(bool({'rich', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE).returncode == 0


def test_the_objective_is_shown_however_many_metrics_there_are(capsys):
    terminal = Terminal()
    metrics = {f"validation.metric_{number}": 0.25 for number in range(20)}
    with terminal.training(1, 1, "validation.mae(price)"):
        row = {"train.loss": 0.5, "validation.loss": 0.75, **metrics, "validation.mae(price)": 0.125, "seconds": 1.0}
        terminal.epoch_ended(1, row, improved=True)
    assert "validation.loss 0.7500  validation.mae(price) 0.1250" in capsys.readouterr().err
