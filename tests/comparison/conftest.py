"""One trained run; each test works on copies of it."""

import pytest

from tests.conftest import in_process

CONFIG = """\
name: pair
data:
  source: {type: synthetic, kind: moons, rows: 400, noise: 0.3}
  split: {type: random, validation: 0.2, test: 0.3}
model: {type: mlp, units: [4]}
training:
  optimizer: {type: Adam, learning_rate: 0.05}
  epochs: 6
objective: {metric: validation.accuracy}
evaluation: {metrics: [accuracy, f1, roc_auc]}
"""


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    (folder / "config.yaml").write_text(CONFIG)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--quiet")
    assert done.code == 0, done.err
    return folder / "run"
