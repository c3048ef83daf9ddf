"""Convolutions in bfloat16: what is stored is float32, what is measured can be measured again."""

import json

import pytest

from mltrain.training import devices

IMAGES = """\
name: images
data:
  source: {type: synthetic, kind: shapes, rows: 60, size: 8}
model: {type: sequential, layers: [{type: Conv2D, filters: 4, kernel_size: 3, activation: relu}, Flatten]}
training: {epochs: 2}
"""


@pytest.fixture
def trained(mltrain, tmp_path, monkeypatch):
    def run(*arguments, able=True):
        monkeypatch.setattr(devices, "_cpu_computes_bfloat16", lambda: able)
        (tmp_path / "images.yaml").write_text(IMAGES)
        done = mltrain(
            "train", tmp_path / "images.yaml", "--run-dir", tmp_path / "run", "--set", "device=cpu", *arguments
        )
        assert done.code == 0, done.err
        return tmp_path / "run", json.loads((tmp_path / "run" / "record.json").read_text())["determinism"]

    return run


def test_auto_takes_it_where_the_processor_can(mltrain, trained):
    run, determinism = trained("--set", "precision=auto")
    assert determinism["precision"] == "mixed_bfloat16"
    done = mltrain("evaluate", run, "--json")
    assert done.code == 0, done.err
    measured = json.loads(done.out)["splits"]["test"]
    recorded = json.loads((run / "metrics.json").read_text())["splits"]["test"]
    recorded.pop("baselines")  # which are fitted by a training only
    assert measured == recorded


def test_auto_stays_in_float32_where_it_cannot(trained):
    assert trained("--set", "precision=auto", able=False)[1]["precision"] == "float32"


def test_the_default_is_float32(trained):
    assert trained()[1]["precision"] == "float32"


def test_a_precision_that_nobody_has_is_damage(mltrain, trained):
    run, _ = trained()
    record = json.loads((run / "record.json").read_text())
    record["determinism"]["precision"] = "os.system"
    (run / "record.json").write_text(json.dumps(record))
    done = mltrain("evaluate", run)
    assert done.code == 5
    assert "precision" in done.err
