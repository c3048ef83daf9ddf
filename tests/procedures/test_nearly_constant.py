"""A column whose values differ by rounding alone is constant, where scikit-learn says so: in tables, arrays, windows
and targets."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, StandardScaler

ROUNDED = (0.3, 0.1 + 0.2)
SCALERS = {"standard": StandardScaler, "minmax": MinMaxScaler}
CONFIG = """\
version: 1
name: nearly
data: {data}
model: {{type: mlp, units: [4]}}
training: {{epochs: 2}}
"""


def columns(rows=60):
    generator = np.random.default_rng(2)
    rate = np.array([ROUNDED[number % 2] for number in range(rows)])
    return generator.normal(size=rows), rate, generator.normal(size=rows)


def write_csv(path, names, values):
    lines = [",".join(repr(float(each)) for each in row) for row in zip(*values, strict=True)]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")


def trained(mltrain, tmp_path, data):
    (tmp_path / "c.yaml").write_text(CONFIG.format(data=data))
    found = mltrain("train", "c.yaml", "-q", "--runs-dir", "runs")
    assert found.code == 0, found.err
    return found.run


@pytest.mark.parametrize("scale", SCALERS)
def test_a_column_of_a_table(mltrain, tmp_path, scale):
    x, rate, y = columns()
    write_csv(tmp_path / "d.csv", ("x", "rate", "y"), (x, rate, y))
    run = trained(mltrain, tmp_path, f"{{source: {{type: csv, path: d.csv}}, target: y, scale: {scale}}}")
    (found,) = [
        each for each in json.loads((run / "preprocessing.json").read_text())["columns"] if each["column"] == "rate"
    ]
    assert found["scaling"]["width"] == SCALERS[scale]().fit(rate[:, None]).scale_[0] == 1
    write_csv(tmp_path / "new.csv", ("x", "rate"), ([0.0], [0.31]))
    assert mltrain("predict", run, "new.csv", "--out", "out.csv").code == 0
    assert abs(float((tmp_path / "out.csv").read_text().splitlines()[1].split(",")[-1])) < 10
    record = json.loads((run / "record.json").read_text())
    assert ["features.rate", "constant"] in [[each["what"], each["value"]] for each in record["decisions"]]


@pytest.mark.parametrize("scale", SCALERS)
def test_an_array(mltrain, tmp_path, scale):
    x, rate, y = columns()
    np.savez(tmp_path / "d.npz", x=np.stack([x, rate], axis=1), y=y)
    run = trained(mltrain, tmp_path, f"{{source: {{type: npz, path: d.npz}}, target: y, scale: {scale}}}")
    (found,) = json.loads((run / "preprocessing.json").read_text())["columns"]
    assert found["width"][1] == SCALERS[scale]().fit(rate[:, None]).scale_[0] == 1
    np.savez(tmp_path / "new.npz", x=np.array([[0.0, 0.31]]))
    assert mltrain("predict", run, "new.npz", "--out", "out.npz").code == 0
    with np.load(tmp_path / "out.npz") as out:
        assert np.abs(out["prediction"]).max() < 10


@pytest.mark.parametrize("scale", SCALERS)
def test_windows(mltrain, tmp_path, scale):
    x, rate, y = columns()
    write_csv(tmp_path / "d.csv", ("x", "rate", "y"), (x, rate, y))
    rest = f"windows: {{length: 4}}, scale: {scale}, split: {{type: time}}"
    data = f"{{source: {{type: csv, path: d.csv}}, target: y, {rest}}}"
    (found,) = json.loads((trained(mltrain, tmp_path, data) / "preprocessing.json").read_text())["columns"]
    assert found["width"][found["features"].index("rate")] == 1


def test_a_target(mltrain, tmp_path):
    x, rate, _ = columns()
    write_csv(tmp_path / "d.csv", ("x", "y"), (x, rate))
    run = trained(mltrain, tmp_path, "{source: {type: csv, path: d.csv}, target: y}")
    target = json.loads((run / "preprocessing.json").read_text())["target"]
    assert (target["center"], target["width"]) == (pytest.approx(0.3), 1)


@pytest.mark.parametrize(
    "values",
    [
        np.full(1000, 0.1),
        np.array([1e8, 1e8 + 1e-6] * 30),
        np.array([1e-9, 2e-9] * 30),
        np.array([1.0, 1.0 + 1e-12] * 30),
        np.array([1.0, 1.0 + 1e-14] * 500),
    ],
    ids=["equal", "large", "small", "close", "closer"],
)
def test_the_width_is_that_of_scikit_learn(values):
    from mltrain.data.encoders.scaling import center_and_width

    for scale, scaler in SCALERS.items():
        fitted = scaler().fit(values[:, None])
        theirs = fitted.scale_[0] if scale == "standard" else 1 / fitted.scale_[0]
        assert center_and_width(values, scale)[1] == pytest.approx(theirs, rel=1e-6)
