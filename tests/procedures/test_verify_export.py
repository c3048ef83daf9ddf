"""`--verify-export`: model.keras is opened by a process that knows nothing of mltrain, and must predict what was
measured."""

import json

import pytest

from mltrain.run.locked_run import LockedRun

pytestmark = pytest.mark.long

TABLE = """\
name: table
data:
  source: {type: csv, path: data.csv}
  target: kind
  features: {level: {type: category, order: [low, mid, high]}}
model: {type: mlp, units: [4]}
training: {epochs: 1, batch_size: 8}
"""


@pytest.fixture
def table(tmp_path):
    kinds = ("Bär", "Fisch", "ärger, größer")
    rows = "\n".join(
        f"{n / 7},{'' if n % 11 == 0 else ('low', 'mid', 'high')[n % 3]},{('rot', 'grün', '')[n % 3]},{kinds[n % 3]!r}"
        for n in range(60)
    )
    text = rows.replace("'", '"')
    (tmp_path / "data.csv").write_text(f"size/cm,level,file,kind\n{text}\n", encoding="utf-8")
    (tmp_path / "table.yaml").write_text(TABLE)
    return "table.yaml"


def test_texts_missing_values_and_awkward_names(mltrain, table):
    done = mltrain("train", table, "--run-dir", "run", "--verify-export", "--profile")
    assert done.code == 0, done.err
    assert "model.keras, opened in another process, predicts the same for 12 raw test rows" in done.err
    assert "verifying model.keras" in done.err


def test_an_augmented_model_predicts_without_augmentation(mltrain, config):
    images = (
        "data.source={type: synthetic, kind: shapes, rows: 60}",
        "model={type: sequential, layers: [{type: RandomTranslation, height_factor: 0.4, width_factor: 0.4}, Flatten]}",
    )
    overrides = [part for image in images for part in ("--set", image)]
    done = mltrain("train", config(), "--run-dir", "run", "--verify-export", *overrides)
    assert done.code == 0, done.err


@pytest.mark.parametrize("command", ["train", "resume"])
def test_other_predictions_fail_the_run(mltrain, config, request, monkeypatch, command, tmp_path):
    from mltrain.data import raw_model
    from mltrain.procedures import results

    if command == "resume":
        request.getfixturevalue("small_run")

    def shifted(preprocessing, core):
        first = preprocessing.columns[0]
        moved = first.model_copy(update={"scaling": first.scaling.model_copy(update={"center": 1e-3})})
        columns = (moved, *preprocessing.columns[1:])
        return raw_model.raw_model(preprocessing.model_copy(update={"columns": columns}), core)

    monkeypatch.setattr(results, "raw_model", shifted)
    start = ("train", config(), "--run-dir", "run") if command == "train" else ("resume", "run", "--epochs", "3")
    done = mltrain(*start, "--verify-export", "--quiet")
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert "model.keras differs from what was measured by " in line
    # A finished run that could not be trained for longer is what it was: two epochs, and finished.
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert (status["state"], status["epoch"]) == (("failed", 2) if command == "train" else ("finished", 2))


def test_an_archive_that_does_not_open_fails_the_run(mltrain, config, monkeypatch):
    monkeypatch.setattr(LockedRun, "write_model", lambda run, archive: run.model.write_bytes(archive[:500]))
    done = mltrain("train", config(), "--run-dir", "run", "--verify-export", "--quiet")
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert "model.keras cannot be opened with Keras: " in line
