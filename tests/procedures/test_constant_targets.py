"""A target of numbers that never changes is refused, as a class that is the only one."""

import numpy as np
import pytest

CONFIG = """\
name: constant
data: {{source: {{type: csv, path: d.csv}}, {data}}}
model: {{type: mlp, units: [4]}}
training: {{epochs: 1}}
"""


@pytest.fixture
def train(mltrain, tmp_path):
    def run(data, last=5.5, command="train", **columns):
        x = np.random.default_rng(0).normal(size=40).round(3)
        columns = {"x": x, "y": x + 1, "p": [5.5] * 39 + [last], **columns}
        lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
        (tmp_path / "d.csv").write_text("\n".join(lines) + "\n")
        (tmp_path / "c.yaml").write_text(CONFIG.format(data=data))
        return mltrain(command, "c.yaml", "-q", "--runs-dir", "runs")

    return run


@pytest.mark.parametrize(
    "data",
    [
        "target: p",
        "target: p, split: none",
        "target: {column: p, scale: none}",
        "target: [y, p]",
        "target: p, split: {type: time}, windows: {length: 3}",
        "target: p, split: kfold",
    ],
)
def test_a_constant_is_refused_with_the_name_of_its_column(train, data):
    refused = train(data)
    assert refused.code == 4, refused.err
    assert "d.csv: column 'p': every training row has 5.5 (" in refused.err
    assert "choose another data.target" in refused.err


def test_all_constant_targets_are_named(train):
    refused = train("target: [p, q, y]", q=[2.5] * 40)
    assert refused.code == 4
    assert "column 'p': every training row has 5.5" in refused.err and "(also constant: 'q')" in refused.err


def test_training_rows_alone_that_are_constant_are_refused_and_the_others_named(train):
    refused = train("target: p, split: {type: time}", last=6.5)
    assert refused.code == 4
    assert (
        "every training row has 5.5 (" in refused.err and "other rows differ: choose another data.split" in refused.err
    )


def test_held_out_rows_alone_may_be_constant(train):
    assert train("target: p, split: {type: time}", p=[1.5, 2.5] * 10 + [5.5] * 20).code == 0


@pytest.mark.long
def test_a_fold_whose_training_rows_are_constant_is_measured(train):
    assert train("target: p, split: {type: kfold, folds: 4}", last=6.5, command="cross-validate").code == 0


@pytest.mark.long
def test_numbers_of_an_array_may_be_constant_beside_others(mltrain, tmp_path):
    """An autoencoder gives back images whose corners are always dark."""
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    x[:, 1] = 0
    np.savez(tmp_path / "d.npz", x=x, y=x)
    config = CONFIG.format(data="target: y").replace("csv, path: d.csv", "npz, path: d.npz")
    (tmp_path / "c.yaml").write_text(config.replace("name: constant", "name: constant\ntask: multiregression"))
    trained = mltrain("train", "c.yaml", "--run-dir", "run", "--verify-export")
    assert trained.code == 0, trained.err
    assert "target.y: 1 of 3 numbers never change in the training rows (y[1])" in trained.err
    assert mltrain("evaluate", "run").code == 0
    np.savez(tmp_path / "d.npz", x=x, y=np.zeros_like(x))
    refused = mltrain("train", "c.yaml", "--run-dir", "all")
    assert refused.code == 4
    assert "column 'y[0]': every training row has 0" in refused.err
