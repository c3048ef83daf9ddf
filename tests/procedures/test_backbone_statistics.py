"""Whether BatchNormalization in a backbone learns its statistics from the rows, through a training."""

import keras
import numpy as np
import pytest

from mltrain.run.checkpoint_files import newest

CONFIG = """\
data:
  source: {type: synthetic, kind: shapes, size: 32, rows: 40}
model: {type: pretrained, backbone: {type: MobileNetV2, alpha: 0.35}, weights: WEIGHTS, include: block_1_expand_BN KEYS}
training: {epochs: 1, batch_size: 16, final: last}
evaluation: {baselines: false}
"""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "mobilenet.weights.h5"
    network = keras.applications.MobileNetV2(include_top=False, alpha=0.35, weights=None, input_shape=(32, 32, 3))
    for number, layer in enumerate(network.layers):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(np.full(layer.moving_mean.shape, number / 100))
    network.save_weights(path)
    return path


@pytest.mark.parametrize(
    ("first", "keys", "learned"),
    [
        ("file", "", False),
        ("file", ", batch_normalization: training", True),
        ("none", "", True),
        ("none", ", batch_normalization: inference", False),
    ],
)
def test_statistics_of_a_backbone(mltrain, tmp_path, weights, first, keys, learned):
    stated = f"{{file: {weights}}}" if first == "file" else "none"
    (tmp_path / "config.yaml").write_text(CONFIG.replace("WEIGHTS", stated).replace(" KEYS", keys))
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err

    def arrays(kind):
        with np.load(newest(tmp_path / "run" / "checkpoints", kind) / "arrays.npz") as found:
            return [found[name] for name in sorted(found)]

    # A layer of BatchNormalization has four arrays of one length: gamma, beta, mean, variance.
    last = arrays("last")
    means = [
        one
        for one, two, three, four in zip(last[2:], last[:-2], last[1:], last[3:], strict=False)
        if one.ndim == 1 and one.shape == two.shape == three.shape == four.shape
    ]
    assert means
    begun = {round(float(each[0]), 6) for each in means if np.ptp(each) == 0}
    assert bool(begun) is not learned
