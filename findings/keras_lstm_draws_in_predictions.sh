#!/usr/bin/env bash
# Keras: an LSTM (or GRU) with dropout draws a mask in every call, also in a prediction, where it is not used: the state of its
# seed generator moves on. So a validation between two epochs changes what the next epoch drops, and two processes that
# train the same, of which one validates, part ways. Dropout as a layer draws while training only.
# Valid input: ones; the layers are called with training=False.
# Seen with keras 3.15.1 and tensorflow 2.21.0 (CPU) on Linux:
#   LSTM:    the state is [1, 1] before a prediction and [1, 2] after it
#   Dropout: the state is [1, 0] before a prediction and [1, 0] after it
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

x = np.ones((2, 3, 5), "float32")
moved = {}
for layer, generator in (
    (lstm := keras.layers.LSTM(4, dropout=0.5, seed=1), lambda: lstm.cell.seed_generator),
    (dropout := keras.layers.Dropout(0.5, seed=1), lambda: dropout.seed_generator),
):
    name = type(layer).__name__
    layer(x, training=False)
    before = generator().state.numpy().tolist()
    layer(x, training=False)
    after = generator().state.numpy().tolist()
    moved[name] = before != after
    print(f"{name}: the state is {before} before a prediction and {after} after it")
sys.exit(0 if moved == {"LSTM": True, "Dropout": False} else 1)
PYTHON
