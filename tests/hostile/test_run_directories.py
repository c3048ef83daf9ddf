"""A run directory from a stranger: whatever is in it, nothing is run, written outside of it, or waited for."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mltrain.data.training_columns import TrainingColumns
from mltrain.errors import RunError
from mltrain.run.arrays import to_npy
from mltrain.run.checkpoint_files import read_checkpoint, write_checkpoint
from mltrain.run.proof import json_fingerprint
from mltrain.run.rundir import RunDirectory
from tests.conftest import in_process
from tests.hostile.conftest import Canary, snapshot
from tests.hostile.test_configs import LAUGHS

pytestmark = pytest.mark.long

CANARY = "canary-5b1c2e"

CONFIG = """\
name: csv
data: {source: {type: csv, path: data.csv}, target: large}
model: {type: mlp, units: [4]}
training: {epochs: 2, batch_size: 16}
evaluation: {threshold: 0.4}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, and beside it what it must not touch; each test works on a copy."""
    folder = tmp_path_factory.mktemp("hostile") / "work"
    folder.mkdir()
    draw = np.random.default_rng(0)
    rows = [f"{a:.3f},{'red' if a + b > 0 else 'blue'},{int(a > 0)}" for a, b in draw.normal(size=(60, 2))]
    (folder / "data.csv").write_text("size,color,large\n" + "\n".join(rows) + "\n")
    (folder / "config.yaml").write_text(CONFIG)
    # A process sets it when TensorFlow starts; all commands here share one process, and a run records what was set.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--quiet")
    assert done.code == 0, done.err
    (folder / "outside").mkdir()
    (folder / "outside" / "secret.txt").write_text(CANARY)
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "work", symlinks=True)


@pytest.fixture
def run(folder, finished):
    # The config names the data by its absolute path: that of the copy, here.
    resolved = folder / "run" / "config.resolved.yaml"
    resolved.write_text(resolved.read_text().replace(str(finished), str(folder)))
    return folder / "run"


def changed(before, after):
    """Return the names of what is new, gone, or no more what it was."""
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.fixture
def call(folder, run):
    """Run one command on the run; outside of it nothing may change, and nobody's secret may be said."""

    def command(name, *arguments, code):
        outside = snapshot(folder, run)
        inside = snapshot(run)
        done = in_process(folder, name, "run", *arguments)
        said = done.out + done.err
        assert done.code == code, said
        assert CANARY not in said
        assert "Traceback" not in said
        assert "bug in mltrain" not in said
        assert snapshot(folder, run) == outside
        if name != "resume":
            assert changed(inside, snapshot(run)) <= ({"test_looks.jsonl"} if name == "evaluate" else set())
        if code:
            assert len(done.err.splitlines()) == 1, done.err
        return done.err

    return command


def plant(path: Path, what: str, outside: Path) -> None:
    """Put something that is no plain file where the file `path` was."""
    size = path.stat().st_size
    path.unlink()
    if what == "link":
        path.symlink_to(outside / "secret.txt")
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "sparse":
        path.touch()
        os.truncate(path, max(1 << 40, size))


READ_BY = {
    "show": ("record.json", "status.json", "metrics.json", "history.csv"),
    "evaluate": (
        "config.resolved.yaml",
        "record.json",
        "preprocessing.json",
        "decision.json",
        "splits/test.npy",
        "splits/train.npy",
    ),
    "report": ("audit.json",),
    "predict": ("reference.json",),
}
ALSO = {"predict": ("data.csv",)}


@pytest.mark.parametrize("what", ["link", "fifo", "folder", "sparse"])
@pytest.mark.parametrize(("command", "name"), [(command, name) for command, names in READ_BY.items() for name in names])
def test_what_is_no_plain_file_is_not_read(call, run, folder, command, name, what):
    plant(run / name, what, folder / "outside")
    assert name in call(command, *ALSO.get(command, ()), code=5)


@pytest.mark.parametrize("what", ["link", "fifo", "folder", "sparse"])
@pytest.mark.parametrize("name", ["arrays.npz", "state.json", "MANIFEST.json"])
def test_a_checkpoint_holds_plain_files(call, run, folder, name, what):
    (best,) = (run / "checkpoints").glob("best-*")
    plant(best / name, what, folder / "outside")
    assert name in call("evaluate", code=5)


@pytest.mark.parametrize("name", ["checkpoints", "splits"])
def test_directories_that_are_links_are_not_followed(call, run, folder, name):
    (run / name).rename(folder / "outside" / name)
    (run / name).symlink_to(folder / "outside" / name)
    assert "symbolic link" in call("evaluate", code=5)


@pytest.mark.parametrize(
    ("name", "code", "stays"),
    [
        *((name, 7, True) for name in ("plots", ".lock", "log.txt")),
        ("checkpoints", 5, True),
        *((name, 0, False) for name in ("metrics.json", "history.csv", "model.keras")),
        ("splits", 1, True),
        ("record.json", 5, True),
    ],
)
def test_resume_writes_through_no_link(call, run, folder, name, code, stays):
    """What is replaced takes the place of the link; what is added to, or lies behind a link, is refused."""
    path, target = run / name, folder / "outside" / name
    path.rename(target)
    path.symlink_to(target)
    call("resume", "--epochs", 3, "--quiet", code=code)
    assert path.is_symlink() == stays


def test_leftovers_that_are_links_are_removed_not_followed(call, run, folder):
    (run / ".tmp-0").symlink_to(folder / "outside")
    (run / "checkpoints" / ".tmp-1").mkdir()
    (run / "checkpoints" / ".tmp-1" / "deep").symlink_to(folder / "outside")
    call("resume", "--epochs", 3, "--quiet", code=0)
    assert not list(run.rglob(".tmp-*"))


def test_the_model_for_users_of_keras_is_never_read(call, run, folder):
    canary = folder.parent / "canary"
    payload = pickle.dumps(Canary(canary))
    run.joinpath("model.keras").unlink()
    with zipfile.ZipFile(run / "model.keras", "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", json.dumps({"class_name": "Lambda", "config": {"function": "os.system"}}))
        archive.writestr("model.weights.h5", payload)
        archive.writestr("../../../escaped.txt", CANARY)
    call("show", code=0)
    call("evaluate", code=0)
    assert not canary.exists()


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.pkl", "saved_model", "model.joblib"])
def test_models_of_others_are_not_loaded(folder, name):
    """An archive of Keras, a pickle, a SavedModel: neither a run nor data."""
    canary, model = folder.parent / "canary", folder / name
    if name == "saved_model":
        model.mkdir()
        (model / "saved_model.pb").write_bytes(b"\x08\x01")
        (model / "config.json").write_text('{"class_name": "Lambda"}')
    else:
        model.write_bytes(pickle.dumps(Canary(canary)))
    (folder / "other.yaml").write_text(CONFIG.replace("data.csv", name))
    before = snapshot(folder, folder / "new")
    for arguments, code in {
        ("show", name): 5,
        ("evaluate", name): 5,
        ("resume", name): 5,
        ("evaluate", "run", "--data", name): 4,
        ("train", "other.yaml", "--run-dir", "new", "--quiet"): 4,
    }.items():
        done = in_process(folder, *arguments)
        assert done.code == code, done.err
        assert "Traceback" not in done.err
    assert not canary.exists()
    assert snapshot(folder, folder / "new") == before


def test_a_pickle_in_place_of_arrays_is_not_run(call, run, folder):
    canary = folder.parent / "canary"
    objects = np.array([Canary(canary)], dtype=object)
    (best,) = (run / "checkpoints").glob("best-*")
    with (best / "arrays.npz").open("wb") as file:
        np.savez(file, weights=objects)
    prove(best)
    assert "arrays.npz" in call("evaluate", code=5)
    with (run / "splits" / "test.npy").open("wb") as file:
        np.save(file, objects)
    assert "test.npy" in call("evaluate", code=5)
    (run / "splits" / "test.npy").write_bytes(pickle.dumps(objects))
    assert "test.npy" in call("evaluate", code=5)
    assert not canary.exists()


def prove(checkpoint):
    """Write the manifest that fits, as a stranger can."""
    files = {name: (checkpoint / name).read_bytes() for name in ("arrays.npz", "state.json")}
    sums = {name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()}
    manifest = checkpoint / "MANIFEST.json"
    manifest.write_text(json.dumps({"format": 1, "files": sums}, indent=2) + "\n")


@pytest.mark.parametrize("name", ["/etc/passwd", "../../record.json", "..", "", "state.json/../../record.json", "a\0b"])
def test_a_manifest_names_no_other_files(call, run, name):
    (best,) = (run / "checkpoints").glob("best-*")
    manifest = json.loads((best / "MANIFEST.json").read_text())
    for changed in ({name: manifest["files"]["state.json"]}, {**manifest["files"], name: {"size": 1, "sha256": ""}}):
        (best / "MANIFEST.json").write_text(json.dumps({**manifest, "files": changed}, indent=2) + "\n")
        assert "MANIFEST.json" in call("evaluate", code=5)


def test_an_interrupted_run_whose_history_was_forged(call, run):
    """Nothing is left to train, as the checkpoint says; the pictures show what the stranger wrote."""
    *_, newest = sorted((run / "checkpoints").glob("state-*"))
    arrays, state = read_checkpoint(newest)
    training = {**state["training"], "position": {**state["training"]["position"], "stopped": "early"}}
    shutil.rmtree(newest)
    write_checkpoint(
        newest.parent, newest.name, arrays, {**state, "training": training, "history": "epoch,b\n1,1\n2,2\n"}
    )
    edit(run / "status.json", lambda status: status.update(state="interrupted", exit_code=130))
    call("resume", "--quiet", code=0)


@pytest.mark.parametrize("state", [{}, {"epoch": "x"}, {"epoch": [1]}])
def test_weights_of_no_epoch(call, run, state):
    (best,) = (run / "checkpoints").glob("best-*")
    arrays, _ = read_checkpoint(best)
    shutil.rmtree(best)
    write_checkpoint(best.parent, best.name, arrays, state)
    assert "of which epoch" in call("evaluate", code=5)


def test_the_checkpoint_of_another_model_does_not_fit(call, run, folder):
    (folder / "other.yaml").write_text(CONFIG.replace("[4]", "[5]"))
    done = in_process(folder, "train", "other.yaml", "--run-dir", "other", "--quiet")
    assert done.code == 0, done.err
    shutil.rmtree(run / "checkpoints")
    shutil.copytree(folder / "other" / "checkpoints", run / "checkpoints")
    call("evaluate", code=5)
    call("resume", "--epochs", 3, "--quiet", code=5)


def edit(path, change):
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    return values


EDITS = {
    "data hash": ("record.json", lambda record: record["data"].update(sha256="0" * 64)),
    "no data": ("record.json", lambda record: record.update(data=None)),
    "row hash": ("record.json", lambda record: record["splits"]["test"].update(sha256="0" * 64)),
    "no splits": ("record.json", lambda record: record.update(splits={})),
    "another type": ("record.json", lambda record: record.update(data=[1])),
    "another format": ("record.json", lambda record: record.update(format=2)),
    "an unknown key": ("record.json", lambda record: record.update(plugin="os.system")),
    "the scale": ("preprocessing.json", lambda values: values.update(columns=[])),
    "a key": ("preprocessing.json", lambda values: values.update(x=1)),
}


@pytest.mark.parametrize(("name", "change"), EDITS.values(), ids=EDITS)
def test_edited_files_are_noticed(call, run, name, change):
    edit(run / name, change)
    assert str(run) in str(run / call("evaluate", code=5))


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b"{" * 10,
        b"NaN",
        b'"\xed\xa0\x80"',
        b'{"format": 1, "x": 1e999}',
        b'{"format": ' + b"9" * 10_000 + b"}",
        b'{"format": 1, "x": ' + b"[" * 900 + b"]" * 900 + b"}",
    ],
    ids=["brackets", "braces", "NaN", "half a pair", "infinity", "digits", "nested"],
)
@pytest.mark.parametrize(("name", "command"), [("record.json", "show"), ("preprocessing.json", "evaluate")])
def test_json_that_is_none(call, run, name, command, data):
    (run / name).write_bytes(data)
    call(command, code=5)


def every_change(values):
    """Yield `values` with each part of it, in turn, replaced by what does not belong there."""
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, inner in items:
        for other in (None, [1], {}, "x\x1b[2J", 10**400):
            yield {**values, key: other} if isinstance(values, dict) else [*values[:key], other, *values[key + 1 :]]
        for changed in every_change(inner):
            yield {**values, key: changed} if isinstance(values, dict) else [*values[:key], changed, *values[key + 1 :]]
    if isinstance(values, dict):
        yield from ({name: inner for name, inner in values.items() if name != key} for key in values)


@pytest.mark.parametrize("name", ["metrics.json", "status.json", "record.json"])
def test_whatever_stands_in_a_file_is_shown_or_refused(run, name):
    genuine = json.loads((run / name).read_text())
    codes = set()
    for values in every_change(genuine):
        (run / name).write_text(json.dumps(values))
        done = in_process(run.parent, "show", "run")
        codes.add(done.code)
        assert done.code in (0, 5), (values, done.err)
        assert all(character.isprintable() or character == "\n" for character in done.out + done.err), values
        assert len(done.err.splitlines()) == bool(done.code), done.err
    assert codes == {0, 5}


READERS = {
    "audit.json": lambda run: run.audit(),
    "reference.json": lambda run: TrainingColumns.from_json(run.reference(), run.path / "reference.json"),
    "decision.json": lambda run: run.decision(),
}


@pytest.mark.parametrize("name", READERS)
def test_whatever_stands_in_them_is_read_or_refused(run, name):
    """Where the commands that read them would train or predict for each change, their readers are asked instead."""
    genuine = json.loads((run / name).read_text())
    refused = 0
    for values in every_change(genuine):
        (run / name).write_text(json.dumps(values))
        try:
            READERS[name](RunDirectory(run))
        except RunError as error:
            assert name in str(error), values
            refused += 1
    assert refused


def forge_splits(run, name, rows):
    """Replace the rows of a split, and what the record says of them, as a stranger can."""
    from mltrain.run.record import row_fingerprint

    (run / "splits" / f"{name}.npy").write_bytes(to_npy(np.asarray(rows, np.int64)))
    fingerprint = row_fingerprint(rows).model_dump()
    edit(run / "record.json", lambda record: record["splits"].update({name: fingerprint}))


@pytest.mark.parametrize("rows", [[10**12], [-1], [60], []], ids=["far away", "negative", "one too far", "none"])
@pytest.mark.parametrize("name", ["train", "test"])
def test_rows_that_are_not_there(call, run, name, rows):
    forge_splits(run, name, rows)
    assert "splits/" in call("evaluate", "--split", name, code=5)


def test_splits_without_training_rows(call, run):
    (run / "splits" / "train.npy").unlink()
    edit(run / "record.json", lambda record: record["splits"].pop("train"))
    assert "train" in call("evaluate", code=5)


def test_a_forged_preprocessing_is_checked_too(call, run):
    genuine = json.loads((run / "preprocessing.json").read_text())
    for column in range(len(genuine["columns"])):
        for key in genuine["columns"][column]:
            for value in (None, [], {}, "x", -1, 10**400, {"x": [1]}):
                forged = json.loads(json.dumps(genuine))
                if forged["columns"][column][key] == value:
                    continue
                forged["columns"][column][key] = value
                (run / "preprocessing.json").write_text(json.dumps(forged))
                edit(
                    run / "record.json",
                    lambda record, values=forged: record.update(preprocessing=json_fingerprint(values)),
                )
                done = in_process(run.parent, "evaluate", "run")
                assert done.code in (0, 4, 5), (key, value, done.err)
                assert "Traceback" not in done.err


def test_the_config_of_a_run_names_its_data(call, run, folder):
    """Data that the config of a run names is read, wherever it is; it must be what the run was made of."""
    resolved = run / "config.resolved.yaml"
    text = resolved.read_text()
    lines = (folder / "data.csv").read_text().splitlines(keepends=True)
    (folder / "outside" / "other.csv").write_text("".join([lines[0], *reversed(lines[1:])]))
    resolved.write_text(text.replace(str(folder / "data.csv"), str(folder / "outside" / "other.csv")))
    assert "changed since the run" in call("evaluate", code=5)
    os.mkfifo(folder / "outside" / "pipe.csv")
    for path in (folder / "outside" / "pipe.csv", Path("/dev/zero"), Path("/dev/tty")):
        resolved.write_text(text.replace(str(folder / "data.csv"), str(path)))
        assert "expected a regular file" in call("evaluate", code=4)
    resolved.write_text(text.replace(str(folder / "data.csv"), str(folder / "outside")))
    assert "one file is expected" in call("evaluate", code=4)


@pytest.mark.parametrize(
    "text",
    [
        "x: !!python/object/apply:os.system [touch canary]",
        "x: &x [*x]",
        LAUGHS,
        "[" * 1000,
        "model: {type: os.system}",
        "",
    ],
)
def test_the_config_of_a_run_is_read_as_any_other(folder, run, text):
    (run / "config.resolved.yaml").write_text(text)
    for command in ("evaluate", "resume"):
        done = in_process(folder, command, "run", *(["--epochs", 3] if command == "resume" else []))
        assert done.code == 5, done.err
        assert "config.resolved.yaml" in done.err
        assert "Traceback" not in done.err
    assert not (folder / "canary").exists()


def forged_training(**values):
    return lambda arrays, state: (arrays, {**state, "training": {**state["training"], **values}})


def forged_position(**values):
    return lambda arrays, state: forged_training(position={**state["training"]["position"], **values})(arrays, state)


FORGED = {
    "no arrays": lambda arrays, state: ({}, state),
    "an array less": lambda arrays, state: (dict(list(arrays.items())[1:]), state),
    "other shapes": lambda arrays, state: ({name: np.zeros(3, array.dtype) for name, array in arrays.items()}, state),
    "other types": lambda arrays, state: ({name: array.astype(bool) for name, array in arrays.items()}, state),
    "no state": lambda arrays, state: (arrays, {}),
    "more than a state": lambda arrays, state: (arrays, {**state, "plugin": "os.system"}),
    "no training": lambda arrays, state: (arrays, {**state, "training": {}}),
    "no position": forged_training(position={}),
    "an epoch of words": forged_position(epoch="x"),
    "an epoch far away": forged_position(epoch=10**9),
    "a step before the first": forged_position(step=-1),
    "seconds of words": forged_position(seconds="x"),
    "logs of words": forged_position(logs={"loss": "x"}),
    "a best value of words": forged_training(best="x"),
    "callbacks that the config does not have": forged_training(callbacks=[{"wait": 0, "best": None}]),
    "callbacks of words": forged_training(callbacks=["x"]),
    "a history of words": lambda arrays, state: (arrays, {**state, "history": "epoch,b\n1,x\n"}),
    "a history of other columns": lambda arrays, state: (arrays, {**state, "history": "epoch,b\n1,1\n2,2\n"}),
    "a shorter history": lambda arrays, state: (arrays, {**state, "history": "epoch,b\n1,1\n"}),
    "no history": lambda arrays, state: (arrays, {**state, "history": None}),
    "half a pair in the history": lambda arrays, state: (arrays, {**state, "history": "\ud800\n1\n2\n"}),
    "best of an epoch that is not there": lambda arrays, state: (arrays, {**state, "best_epoch": 10**9}),
    "best elsewhere": lambda arrays, state: (arrays, {**state, "best_epoch": "../../outside"}),
    "best of a list": lambda arrays, state: (arrays, {**state, "best_epoch": [1]}),
    "a step of words": lambda arrays, state: (arrays, {**state, "step": "x"}),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_checkpoint_that_a_stranger_forged_is_refused_not_a_bug(call, run, forge):
    """Sums that fit prove nothing of who wrote it: form and fit of what is inside are checked, too."""
    *older, newest = sorted((run / "checkpoints").glob("state-*"))
    arrays, state = read_checkpoint(newest)
    for checkpoint in (*older, newest):
        shutil.rmtree(checkpoint)
    write_checkpoint(newest.parent, newest.name, *forge(arrays, state))
    call("resume", "--epochs", 3, "--quiet", code=5)


@pytest.mark.parametrize(
    "name", ["run\x1b[2J", "..", "a\0b", "x" * 300, "/dev/null", "~nobody-at-all/run", "\u202etxt", "a\nb"], ids=ascii
)
def test_names_of_runs(folder, name):
    before = snapshot(folder)
    done = in_process(folder, "show", name)
    assert done.code == 5, done.err
    assert "Traceback" not in done.err
    assert all(character.isprintable() or character == "\n" for character in done.err)
    assert snapshot(folder) == before


def test_a_run_that_names_a_plugin_runs_nothing(folder, run):
    (folder / "evil.py").write_text("from pathlib import Path\nPath('canary').touch()\n")
    record = json.loads((run / "record.json").read_text())
    for plugin in ("evil.py", str(folder / "evil.py"), "../evil.py", "evil"):
        origin = {"plugin": plugin, "version": None, "sha256": None}
        record["own_metrics"] = {"cost": {"direction": "min", "origin": origin}}
        (run / "record.json").write_text(json.dumps(record))
        resolved = run / "config.resolved.yaml"
        resolved.write_text(re.sub(r"(?<=\nevaluation:\n)  metrics:.*", "  metrics: [cost]", resolved.read_text()))
        for command in (["evaluate", run], ["resume", run, "--epochs", "3"], ["reproduce", run]):
            done = in_process(folder, *command)
            assert done.code == 12, (done.out, done.err)
            assert done.err.startswith(f"error: metric cost is one of {plugin}: ")
        for command in (["show", run], ["report", run], ["compare", run, run], ["predict", run, "data.csv"]):
            in_process(folder, *command)
    assert not (folder / "canary").exists()
