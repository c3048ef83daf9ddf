#!/usr/bin/env bash
# Keras: `backbone(inputs, training=False)` in a functional model does not keep the backbone in inference mode. While
# `fit` trains the model, Keras tells every layer of the graph that it is training, also those that were called with
# `training=False`. Keras' guide to transfer learning relies on that argument for the stage in which the backbone is
# trained too: "it will run in inference mode"; the statistics of its BatchNormalization move all the same.
# Valid input: a small network with BatchNormalization inside another one, trained for a step on random numbers.
# Seen with keras 3.15.1 and tensorflow 2.21.0 (CPU) on Linux:
#   the moving mean of the layer that was called with training=False: moved by fit
#   the same with backbone.trainable = False:                         not moved
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check tensorflow-cpu==2.21.0 keras==3.15.1 2>/dev/null ||
    "$folder/venv/bin/python" -m pip install -q --disable-pip-version-check tensorflow==2.21.0 keras==3.15.1
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PYTHON'
import sys

import keras
import numpy as np

x = np.random.default_rng(0).normal(3, 2, (32, 4)).astype("float32")


def moved(trainable):
    normalization = keras.layers.BatchNormalization()
    backbone = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), normalization])
    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(1)(backbone(inputs, training=False)))
    backbone.trainable = trainable
    model.compile("sgd", "mse")
    model.fit(x, np.zeros((32, 1)), verbose=0)
    return bool(np.any(normalization.moving_mean.numpy() != 0))


found = {"trainable": moved(True), "not trainable": moved(False)}
for name, each in found.items():
    print(f"backbone {name + ', called with training=False:':<43}{'moved' if each else 'not moved'} by fit")
sys.exit(0 if found == {"trainable": True, "not trainable": False} else 1)
PYTHON
