"""A training with parts of the user's that a signal ends goes on bit for bit: also what a layer counts and draws."""

import pytest

from mltrain.run.checkpoint_files import newest
from tests.own_parts import CONFIG, DATA, NETS
from tests.procedures.interrupted import assert_same_after_an_interruption

PLUGIN = ("--plugin", "nets.py")
STEP = f"""\
{DATA}model: {{type: PenaltyNet, width: 5}}
training: {{epochs: 4, batch_size: 8, checkpoint: {{every: 3 steps}}}}
"""


@pytest.mark.parametrize("config", [CONFIG, STEP], ids=["a layer, a loss and an optimizer", "a step"])
def test_it_ends_as_if_it_had_not_been_interrupted(config, mltrain, tmp_path, monkeypatch):
    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "config.yaml").write_text(config)
    done = mltrain("train", "config.yaml", "--run-dir", "run", *PLUGIN)
    assert done.code == 0, done.err
    assert_same_after_an_interruption(tmp_path, mltrain, monkeypatch, options=PLUGIN)
    weights = newest(tmp_path / "run" / "checkpoints", "last") / "arrays.npz"
    assert weights.is_file()


def test_what_a_layer_counts_is_trained_and_kept(mltrain, tmp_path):
    """The number of calls, and where its random numbers are, are in the checkpoint: without them the test above would
    hold for a layer without either."""
    import numpy as np

    (tmp_path / "nets.py").write_text(NETS)
    (tmp_path / "config.yaml").write_text(CONFIG)
    assert mltrain("train", "config.yaml", "--run-dir", "run", *PLUGIN, "--quiet").code == 0
    with np.load(newest(tmp_path / "run" / "checkpoints", "state") / "arrays.npz", allow_pickle=False) as arrays:
        values = [arrays[name] for name in arrays.files]
    steps = 6 * -(-54 // 8)
    assert any(each.shape == () and each == steps for each in values)
    assert any(each.dtype == np.int64 and each.shape == (2,) for each in values)
