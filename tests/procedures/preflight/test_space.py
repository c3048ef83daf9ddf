"""The size of a run, estimated before and measured after."""

import json

import pytest

CONFIG = """\
version: 1
data:
  source: {{type: synthetic, kind: noise, rows: 400, features: 20, classes: 3}}
  split: {{type: random, validation: 0.2, test: 0.2}}
model: {{type: mlp, units: {units}}}
training:
  optimizer: {optimizer}
  epochs: 4
  batch_size: 64
  checkpoint: {{every: {every}, keep: {keep}}}
  callbacks: {callbacks}
"""


@pytest.mark.parametrize(
    ("units", "optimizer", "every", "keep", "callbacks"),
    [
        ("[8]", "sgd", "60s", 2, "[]"),
        ("[800, 800]", "adam", "60s", 2, "[]"),
        ("[800, 800]", "sgd", "1 epoch", 4, "[{type: ModelCheckpoint, every: 1}]"),
        ("[800, 800]", "{type: SGD, momentum: 0.9}", "7 steps", 3, "[{type: StochasticWeightAveraging, start: 2}]"),
    ],
    ids=["small", "adam", "every epoch", "averaged"],
)
def test_the_disk_of_a_run_is_close_to_the_estimate(mltrain, tmp_path, units, optimizer, every, keep, callbacks):
    text = CONFIG.format(units=units, optimizer=optimizer, every=every, keep=keep, callbacks=callbacks)
    (tmp_path / "config.yaml").write_text(text)
    found = json.loads(mltrain("check", "config.yaml", "--json").out)
    done = mltrain("train", "config.yaml", "--run-dir", "run", "--quiet")
    assert done.code == 0, done.err
    size = sum(each.stat().st_size for each in (tmp_path / "run").rglob("*") if each.is_file())
    assert size / 1.3 <= found["estimate"]["disk"] <= 1.3 * size


def test_a_disk_and_a_memory_that_are_too_small_are_a_warning(mltrain, config, monkeypatch):
    from mltrain.procedures.preflight import estimating

    monkeypatch.setattr(estimating, "free_disk", lambda path: 1000)
    monkeypatch.setattr(estimating, "available_memory", lambda: 1000)
    done = mltrain("check", config(), "--runs-dir", "elsewhere")
    assert done.code == 0
    disk, memory = ([line for line in done.out.splitlines() if line.split()[1] == name] for name in ("disk", "memory"))
    assert disk[0].startswith("warning")
    assert "1.0 KiB are free in elsewhere" in disk[0]
    assert memory[0].startswith("warning")
    assert "use fewer rows" in memory[0]
