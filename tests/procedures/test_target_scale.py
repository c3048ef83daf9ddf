"""`data.target.scale: auto` standardises the target of a regression, unless the config needs its own units."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

CONFIG = """\
version: 1
name: scaled
{top}data: {{source: {{type: csv, path: d.csv}}, target: {target}}}
model: {{type: mlp, units: [8]}}
training: {{epochs: 3, batch_size: 16{training}}}
"""


@pytest.fixture
def trained(mltrain, tmp_path):
    generator = np.random.default_rng(3)
    x = generator.normal(size=(200, 2))
    price = 13_000 + 5_000 * x[:, 0] + 100 * generator.normal(size=200)
    rows = [["a", "b", "price", "size"], *np.column_stack([x, price, price / 1000]).tolist()]
    with (tmp_path / "d.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)

    def train(target="price", training="", top=""):
        text = CONFIG.format(target=target, training=training, top=top)
        (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
        found = mltrain("train", "c.yaml", "--runs-dir", "runs")
        assert found.code == 0, found.err
        return found

    return train


def scale_of(run):
    record = json.loads((run / "record.json").read_text())
    return [(each["value"], each["reason"]) for each in record["decisions"] if each["what"] == "target.scale"]


def target_of(run):
    return json.loads((run / "preprocessing.json").read_text())["target"]


def test_auto_standardises_and_says_so(trained, mltrain):
    found = trained()
    ((value, reason),) = scale_of(found.run)
    target = target_of(found.run)
    assert value == "standard" and f"mean {target['center']:.4g}, deviation {target['width']:.4g}" in reason
    assert "target.scale" in found.err
    assert 4_000 < target["width"] < 6_000
    metrics = json.loads((found.run / "metrics.json").read_text())["splits"]["test"]["metrics"]
    assert metrics["loss"]["value"] < 10 and metrics["mae"]["value"] > 20  # the loss is scaled, the metric is not
    assert mltrain("predict", found.run, "d.csv", "--out", "out.csv").code == 0
    again = json.loads(mltrain("evaluate", found.run, "--split", "test", "--json").out)
    assert again["splits"]["test"]["metrics"]["mae"] == metrics["mae"]


def test_several_targets_are_standardised_each(trained):
    target = target_of(trained(target="[price, size]").run)
    assert [part["width"] > 1 for part in target["parts"]] == [True, True]
    assert target["parts"][0]["width"] == pytest.approx(1000 * target["parts"][1]["width"])


@pytest.mark.parametrize(
    ("training", "top", "why"),
    [
        (", loss: mean_squared_logarithmic_error", "", "MeanSquaredLogarithmicError"),
        (", loss: mape", "", "MeanAbsolutePercentageError"),
        (", metrics: [mape]", "", "MeanAbsolutePercentageError"),
        (", loss: {type: Huber, delta: 100.0}", "", "Huber"),
        (", stop_when: 'validation.loss <= 100'", "", "stop_when"),
        (", callbacks: [{type: EarlyStopping, baseline: 1e6}]", "", "EarlyStopping"),
        ("", "objective: train.mae\n", "train.mae"),
        ("", "evaluation: {gates: ['test.loss <= 1e12']}\n", "test.loss"),
    ],
)
def test_what_needs_the_units_of_the_target_keeps_them(trained, training, top, why):
    run = trained(training=training, top=top).run
    ((value, reason),) = scale_of(run)
    assert value == "none" and (why in reason or "units of the target" in reason)
    assert (target_of(run)["center"], target_of(run)["width"]) == (0, 1)


def test_none_is_kept(trained):
    assert target_of(trained(target="{column: price, scale: none}").run)["width"] == 1


def test_classes_have_no_scale(mltrain, config):
    found = mltrain("train", config(), "--runs-dir", "runs")
    assert found.code == 0 and scale_of(found.run) == []


@pytest.mark.parametrize("loss", ["mape", "mean_squared_logarithmic_error"])
def test_standard_is_refused_where_the_loss_needs_the_units(mltrain, tmp_path, loss):
    text = CONFIG.format(
        target="{column: price, scale: standard}", training=f", loss: {loss}", top="task: regression\n"
    )
    (tmp_path / "c.yaml").write_text(text)
    found = mltrain("validate", "c.yaml")
    assert found.code == 3 and "set data.target.scale to none or auto" in found.err


def test_a_run_of_an_older_version_keeps_the_scale_that_it_had(mltrain, tmp_path):
    """Its record does not know auto, and the target that the source knows was not scaled."""
    text = """\
version: 1
name: old
data: {source: {type: sklearn, name: diabetes}}
model: {type: linear}
training: {epochs: 1, callbacks: [{type: EarlyStopping, baseline: 1e9}]}
"""
    (tmp_path / "c.yaml").write_text(text)
    run = mltrain("train", "c.yaml", "-q", "--runs-dir", "runs").run
    assert target_of(run)["width"] == 1
    before = json.loads((run / "metrics.json").read_text())["splits"]["test"]["metrics"]
    record = json.loads((run / "record.json").read_text())
    del record["defaults"]
    (run / "record.json").write_text(json.dumps(record))
    resolved = (run / "config.resolved.yaml").read_text()
    lines = [line for line in resolved.splitlines() if "baseline" not in line]
    assert len(lines) < len(resolved.splitlines()), resolved
    (run / "config.resolved.yaml").write_text("\n".join(lines) + "\n")
    again = mltrain("evaluate", run, "--split", "test", "--json")
    assert json.loads(again.out)["splits"]["test"]["metrics"] == before
