#!/usr/bin/env bash
# TensorFlow: `BlockLSTMV2` computes all time steps of an LSTM in one operation, and takes its gates in the order input,
# forget, cell, output, which is that of Keras. Its gradient is registered, and takes the gates in the order of the older
# `BlockLSTM`: input, cell, forget, output. So a training with it runs without a word, in another direction than downhill.
# The gradient of `BlockLSTM` is right. Here the slope of a loss along one direction, by the gradient and by a small step.
# Seen with tensorflow 2.21.0 (CPU) on Linux:
#   BlockLSTM:   by gradient -0.407, by difference -0.406
#   BlockLSTMV2: by gradient -0.895, by difference -1.413
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check tensorflow-cpu==2.21.0 2>/dev/null ||
    "$folder/venv/bin/python" -m pip install -q --disable-pip-version-check tensorflow==2.21.0
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import tensorflow as tf

draw = np.random.default_rng(0)
steps, batch, features, units = 4, 2, 3, 5
x, hidden, cell, bias = (
    tf.constant(draw.normal(size=shape), tf.float32)
    for shape in ((steps, batch, features), (batch, units), (batch, units), (4 * units,))
)
weights = tf.constant(draw.normal(size=(features + units, 4 * units)) / 2, tf.float32)
direction = tf.constant(draw.normal(size=weights.shape), tf.float32)
none = tf.zeros((units,))


def loss(version, w):
    more = {"forget_bias": 0.0} if version == "BlockLSTM" else {}  # what V2 does not have
    found = getattr(tf.raw_ops, version)(
        seq_len_max=tf.constant(steps, tf.int64), x=x, cs_prev=cell, h_prev=hidden, w=w, b=bias,
        wci=none, wcf=none, wco=none, cell_clip=-1.0, **more,
    )
    return tf.reduce_sum(found.h)


def slopes(version, step=1e-2):
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = loss(version, weights)
    by_gradient = tf.reduce_sum(tape.gradient(value, weights) * direction)
    by_difference = (loss(version, weights + step * direction) - loss(version, weights - step * direction)) / (2 * step)
    return float(by_gradient), float(by_difference)


found = {version: slopes(version) for version in ("BlockLSTM", "BlockLSTMV2")}
for version, (by_gradient, by_difference) in found.items():
    print(f"{version + ':':12} by gradient {by_gradient:.3f}, by difference {by_difference:.3f}")
right = {version: abs(one - other) < 0.01 * abs(other) for version, (one, other) in found.items()}
sys.exit(0 if right == {"BlockLSTM": True, "BlockLSTMV2": False} else 1)
PYTHON
