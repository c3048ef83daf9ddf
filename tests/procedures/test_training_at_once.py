"""Several runs of a folder at once, through the real command: the same bits as one after another, and what happens when
something goes wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from mltrain.config.load import load_text
from mltrain.procedures.folder_training import FolderRequest
from mltrain.procedures.training_at_once import _Runs
from mltrain.report.terminal import Terminal
from mltrain.run.run_folder import SEEDS, RunFolder
from mltrain.run.rundir import RunDirectory
from tests.conftest import in_process
from tests.procedures.test_launching import WITHIN, alive, children
from tests.procedures.test_workers import command

pytestmark = pytest.mark.long

CONFIG = """\
name: blobs
threads: 1
data:
  source: {type: synthetic, kind: blobs, rows: 240}
  split: {type: random, validation: 0.2, test: 0.2}
model: {type: mlp, units: [16, 8], dropout: 0.3}
training: {epochs: 4, batch_size: 16, checkpoint: {every: 7 steps}}
evaluation: {metrics: [accuracy, log_loss]}
"""
FOLDS = ("cross-validate", "config.yaml", "--folds", 3)
ENDLESS = ("--set", "training.epochs=1000000", "--set", "training.checkpoint.every=2s")
PARALLEL = ("--parallel", 2)
# What holds times: the seconds of an epoch, dates, process numbers.
TIMES = {
    "report.html",
    "report.md",
    "record.json",
    "status.json",
    "log.txt",
    "model.keras",
    ".lock",
    "test_looks.jsonl",
}


def write(folder, text=CONFIG):
    (folder / "config.yaml").write_text(text)


def files(folder):
    """Return each file of a folder of runs but its logs, by its path inside it."""
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return {name: path for name, path in found.items() if not name.startswith("logs/")}


def without_seconds(path):
    rows = [line.split(",") for line in path.read_text().splitlines()]
    place = rows[0].index("seconds")
    return [row[:place] + row[place + 1 :] for row in rows]


def assert_same(one, other):
    """Assert that two folders have the same files, and the same bytes in them but for times."""
    mine, theirs = files(one), files(other)
    assert mine.keys() == theirs.keys()
    for name, path in mine.items():
        if path.name == "history.csv":
            assert without_seconds(path) == without_seconds(theirs[name]), name
        elif path.name not in TIMES and "/state-" not in name:  # but for the seconds of each epoch, see `history.csv`
            assert path.read_bytes() == theirs[name].read_bytes(), name


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three folds, one after another in `one`, and two at once in `two`; what the second has said is in `said.txt`."""
    folder = tmp_path_factory.mktemp("at-once")
    write(folder)
    # In a process of its own: in that of the tests TensorFlow computes with all its threads already.
    done = command(folder, *FOLDS, "--run-dir", "one", "--quiet")
    assert done.returncode == 0, done.stderr
    done = in_process(folder, *FOLDS, "--run-dir", "two", *PARALLEL)
    assert done.code == 0, done.err
    assert done.out == f"{folder / 'two'}\n"
    (folder / "said.txt").write_text(done.err)
    return folder


def test_every_byte_is_that_of_one_after_another(folder):
    assert_same(folder / "one", folder / "two")
    assert any("arrays.npz" in name for name in files(folder / "two"))


def test_the_terminal_has_a_line_for_each_run_that_begins_and_ends(folder):
    said = (folder / "said.txt").read_text().split("\n\n")[0].splitlines()
    lines = [
        re.sub(r"test\.log_loss 0\.\d+, in [\d.]+ s, 1 warning in (two/logs/fold-\d.txt)$", r"RESULT, \1", line)
        for line in said
    ]
    begun = [f"fold {number} of 3: two/fold-{number}" for number in (1, 2, 3)]
    assert [line for line in lines if line in begun] == begun
    ended = [f"fold {number} of 3: RESULT, two/logs/fold-{number}.txt" for number in (1, 2, 3)]
    assert sorted(lines) == sorted(begun + ended)
    assert lines.index(begun[2]) > min(map(lines.index, ended[:2]))  # the third one begins where another one has ended
    for number in (1, 2, 3):
        log = (folder / "two" / "logs" / f"fold-{number}.txt").read_text()
        assert "epoch 4/4" in log
        assert "validation" in log


def test_a_run_is_one_as_any_other(folder, tmp_path):
    run = folder / "two" / "fold-2"
    record = RunDirectory(run).record()
    assert record.command[1:4] == ("cross-validate", "config.yaml", "--folds")
    assert "--parallel" in record.command
    assert record.resumed == ()
    assert record.threads.intra_op == 1
    assert not (run / "workers").exists()
    for line in (["evaluate", run], ["show", run], ["reproduce", run], ["resume", run, "--epochs", "6"]):
        before = files(folder / "two").keys()
        if line[0] == "resume":
            line[1] = tmp_path / "run"
            subprocess.run(["cp", "-r", str(run), str(line[1])], check=True)
        done = command(tmp_path, *line)
        assert done.returncode == 0, done.stderr
        assert {name for name in files(folder / "two") if "looks" not in name} == {
            name for name in before if "looks" not in name
        }
    done = in_process(folder, "compare", "one/fold-2", "two/fold-2")
    assert done.code == 0, done.err
    assert in_process(folder, "show", "two").out == in_process(folder, "show", "one").out


def test_the_same_command_finds_nothing_left_to_do(folder):
    before = {name: path.read_bytes() for name, path in files(folder / "two").items()}
    done = in_process(folder, *FOLDS, "--run-dir", "two", "--resume", *PARALLEL)
    assert done.code == 0, done.err
    assert done.err.startswith("fold 1 of 3 is finished: two/fold-1\nfold 2 of 3 is finished")
    assert {name: path.read_bytes() for name, path in files(folder / "two").items()} == before


def test_threads_are_divided_and_stay_those_of_the_run(tmp_path):
    write(tmp_path, CONFIG.replace("threads: 1\n", ""))
    done = in_process(tmp_path, "train", "config.yaml", "--seeds", 2, "--run-dir", "runs", *PARALLEL, "--quiet")
    assert done.code == 0, done.err
    share = max(1, len(os.sched_getaffinity(0)) // 2)
    for seed in (42, 43):
        run = tmp_path / "runs" / f"seed-{seed}"
        assert f"threads: {share}  # --set" in (run / "config.resolved.yaml").read_text()
        assert RunDirectory(run).record().threads.intra_op == share
    stated = ("seed=43", "data.split.seed=42", "data.source.seed=42", f"threads={share}")
    options = ("--quiet", *(part for each in stated for part in ("--set", each)))
    assert command(tmp_path, "train", "config.yaml", "--run-dir", "alone", *options).returncode == 0
    for name in ("metrics.json", "model.json", "predictions/test.predictions.npy"):
        assert (tmp_path / "alone" / name).read_bytes() == (tmp_path / "runs" / "seed-43" / name).read_bytes(), name
    # Without --parallel the runs would have another number of threads: they keep theirs.
    write(tmp_path, CONFIG.replace("threads: 1\n", "").replace("epochs: 4", "epochs: 6"))
    again = ("train", "config.yaml", "--seeds", 3, "--run-dir", "runs", "--resume", "--quiet")
    done = command(tmp_path, *again)
    assert done.returncode == 0, done.stderr
    threads = [RunDirectory(tmp_path / "runs" / f"seed-{seed}").record().threads.intra_op for seed in (42, 43, 44)]
    assert threads[:2] == [share, share]
    assert "threads: auto" in (tmp_path / "runs" / "seed-44" / "config.resolved.yaml").read_text()
    assert in_process(tmp_path, *again, *PARALLEL).code == 0


OWN = """\
import numpy as np
from mltrain import metric


@metric("multiclass", direction="max", takes="classes")
def hits(truth, predicted):
    print("this goes to the log")
    return float(np.mean(truth == predicted))
"""


def test_a_config_from_standard_input_and_a_plugin(shell, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    write(tmp_path, CONFIG.replace("[accuracy, log_loss]", "[accuracy, hits]"))
    line = "mltrain train - --seeds 2 --parallel 2 --plugin own.py --run-dir runs --gate 'test.hits >= 0' --json"
    done = shell(f"{line} < config.yaml")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert [each["passed"] for each in found["gates"]] == [True]
    assert "this goes to the log" in (tmp_path / "runs" / "logs" / "seed-42.txt").read_text()
    assert (tmp_path / "runs" / "seed-43" / "config.yaml").read_bytes() == (tmp_path / "config.yaml").read_bytes()


def test_a_process_that_ends_by_itself_is_lost(tmp_path):
    leaving = OWN.replace('print("this goes to the log")', 'print("good bye", flush=True), os._exit(3)')
    (tmp_path / "own.py").write_text(f"import os\n{leaving}")
    write(tmp_path, CONFIG.replace("[accuracy, log_loss]", "[accuracy, hits]"))
    done = in_process(tmp_path, *FOLDS, "--run-dir", "runs", "--plugin", "own.py", *PARALLEL, "--quiet")
    assert done.code == 13
    assert re.match(r"error: fold [12] of 3 \(runs/fold-[12]\) ended with exit code 3; its last 3 lines: ", done.err)
    assert "| good bye; continue with `mltrain cross-validate … --run-dir runs --resume`" in done.err


def test_one_alone_downloads_weights(tmp_path):
    source, weights = "{type: image_folder, path: ., size: [32, 32]}", "backbone: MobileNetV2, weights: imagenet"
    text = f"data: {{source: {source}}}\nmodel: {{type: pretrained, {weights}}}\n"
    configs = {seed: load_text(text.encode(), "config.yaml", tmp_path) for seed in (1, 2)}
    request = FolderRequest(configs, RunFolder(tmp_path, SEEDS), ("mltrain",), "mltrain train", parallel=2)
    runs = _Runs(request, Terminal(quiet=True), 0, 1)
    runs._running = [SimpleNamespace(path=tmp_path)]
    assert runs._most(2) == 1
    (tmp_path / "splits").mkdir()
    assert runs._most(2) == 2


# What a user's own sitecustomize could do to a training.
BUG = """\
import mltrain.config.resolved
def broken(*arguments, **options):
    raise KeyError("a bug")
mltrain.config.resolved.resolved_yaml = broken
"""
WRONG = {
    "a column that is not there": (
        CONFIG.replace("{type: synthetic, kind: blobs, rows: 240}", "{type: csv, path: rows.csv}\n  target: size"),
        4,
    ),
    "a loss that is NaN": (CONFIG.replace("epochs: 4,", "epochs: 4, optimizer: {type: SGD, learning_rate: 1e30},"), 8),
    "a metric that does not fit": (CONFIG.replace("[accuracy, log_loss]", "[accuracy, mae]"), 3),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_error_is_that_of_one_after_another(tmp_path, name):
    text, code = WRONG[name]
    write(tmp_path, text)
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{row},{row % 2}\n" for row in range(60)))
    one = command(tmp_path, *FOLDS, "--run-dir", "one", "--json", "--quiet")
    two = in_process(tmp_path, *FOLDS, "--run-dir", "two", "--json", *PARALLEL, "--quiet")
    assert (one.returncode, two.code) == (code, code), (one.stderr, two.err)
    step = r"step \d+"  # of several runs, another one may be the first that fails
    assert re.sub(step, "", two.err) == re.sub(step, "", one.stderr.replace("one/", "two/"))
    assert json.loads(re.sub(step, "", two.out)) == json.loads(re.sub(step, "", one.stdout.replace("one/", "two/")))
    said = in_process(tmp_path, *FOLDS, "--run-dir", "three", *PARALLEL).err
    assert re.search(r"^fold \d of 3: failed after ", said, re.MULTILINE)
    assert not (tmp_path / "three" / "fold-3").exists()


def test_a_bug_is_said_as_by_one_after_another(shell, tmp_path):
    write(tmp_path)
    (tmp_path / "sitecustomize.py").write_text(BUG)
    said = []
    for options in ("", "--parallel 2"):
        line = f"mltrain train config.yaml --seeds 2 --run-dir 'runs{options}' --json --quiet {options}"
        done = shell(line, PYTHONPATH=str(tmp_path), TMPDIR=str(tmp_path))
        assert done.code == 1
        assert set(json.loads(done.out)["error"]) == {"exit_code", "message", "traceback"}
        said.append(re.sub(r"mltrain-bug-\w+", "", done.err))
    assert said[0] == said[1]
    assert said[0].startswith("bug in mltrain: KeyError: 'a bug' (the traceback is in ")


def test_a_link_in_the_place_of_the_logs_leads_nowhere(tmp_path):
    write(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "runs" / "logs").symlink_to(tmp_path / "other")
    done = in_process(tmp_path, *FOLDS, "--run-dir", "runs", "--resume", *PARALLEL)
    assert done.code == 7
    assert done.err.startswith("error: runs/logs/fold-1.txt: ")
    assert list((tmp_path / "other").iterdir()) == []


def begun(folder, *arguments):
    """Return a command with two runs that have trained some epochs, and the processes of these."""
    write(folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "mltrain", *map(str, FOLDS), "--run-dir", "runs", "--parallel", "2", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    histories, deadline = [folder / "runs" / f"fold-{number}" / "history.csv" for number in (1, 2)], time.monotonic()
    while not all(path.exists() and path.read_text().count("\n") > 3 for path in histories):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline + 120
        time.sleep(0.05)
    return process, children(process)


def ended(process, runs):
    """Return exit code and errors of a command that ends by itself, with all of its processes."""
    _, err = process.communicate(timeout=WITHIN)
    assert not any(map(alive, runs))
    assert "Traceback" not in err
    return process.returncode, err


def states(folder):
    runs = [folder / "runs" / f"fold-{number}" / "status.json" for number in (1, 2)]
    return [json.loads(path.read_text())["state"] for path in runs]


CONTINUE = "continue with `mltrain cross-validate … --run-dir runs --resume`"


@pytest.mark.parametrize(("whom", "number"), [("command", signal.SIGINT), ("run", signal.SIGTERM)])
def test_a_signal_keeps_what_was_trained(tmp_path, whom, number):
    process, runs = begun(tmp_path, *ENDLESS)
    os.kill(process.pid if whom == "command" else runs[1], number)
    code, err = ended(process, runs)
    assert code == 128 + number
    assert err.splitlines()[-1].startswith(f"stopped by {number.name}")
    assert err.splitlines()[-1].endswith(f"0 of 3 folds are finished; {CONTINUE}")
    assert re.search(r"^fold 1 of 3: stopped by SIG(INT|TERM): kept up to step \d+", err, re.MULTILINE)
    assert states(tmp_path) == ["interrupted", "interrupted"]


def test_runs_without_their_command_stop(tmp_path):
    process, runs = begun(tmp_path, *ENDLESS, "--quiet")
    process.kill()
    process.communicate(timeout=WITHIN)
    deadline = time.monotonic() + WITHIN
    while any(map(alive, runs)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert states(tmp_path) == ["interrupted", "interrupted"]


def test_a_second_signal_ends_all_at_once(tmp_path):
    process, runs = begun(tmp_path, *ENDLESS, "--quiet")
    os.kill(runs[0], signal.SIGSTOP)  # it cannot write its checkpoint
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WITHIN)
    assert process.returncode == 130
    os.kill(runs[0], signal.SIGCONT)
    deadline = time.monotonic() + WITHIN
    while any(map(alive, runs)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_killed_run_is_named_and_the_same_command_continues(tmp_path):
    process, runs = begun(tmp_path, "--set", "training.epochs=60")
    os.kill(runs[0], signal.SIGKILL)
    code, err = ended(process, runs)
    assert code == 13
    last = err.splitlines()[-1]
    assert last.startswith("error: fold 1 of 3 (runs/fold-1) was ended by SIGKILL, as the system does it where memory")
    assert "; its last 3 lines: " in last
    assert "epoch " in last
    assert last.endswith(f"; {CONTINUE}")
    asked = ("--set", "training.epochs=60", "--quiet")
    done = in_process(tmp_path, *FOLDS, "--run-dir", "runs", "--resume", *PARALLEL, *asked)
    assert done.code == 0, done.err
    done = command(tmp_path, *FOLDS, "--run-dir", "whole", *asked)
    assert done.returncode == 0, done.stderr
    for name in ("folds.json", *(f"fold-{number}/metrics.json" for number in (1, 2, 3))):
        assert (tmp_path / "runs" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
