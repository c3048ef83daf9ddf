#!/usr/bin/env bash
# Keras: a Normalization layer computes with the mean and variance that its variables had when it was built; weights
# that are put in by `set_weights` or `variable.assign` change nothing until `finalize_state()` is called, and then only
# in what is traced afterwards. EfficientNetB0 to B7 have such a layer: with the weights of ImageNet put in as arrays the
# network normalizes by mean 0 and variance 1, without a word.
# Valid input: three numbers, and the mean and variance of their columns as weights.
# Seen with keras 3.15.1 and tensorflow 2.21.0 (CPU) on Linux:
#   after set_weights:    [2.0, 4.0, 6.0]
#   after finalize_state: [1.0, 1.0, 1.0]
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

layer = keras.layers.Normalization()
model = keras.Sequential([keras.Input((3,)), layer])
layer.set_weights([np.array([1, 2, 3], "float32"), np.array([1, 4, 9], "float32"), np.array(0, "int32")])
row = np.array([[2, 4, 6]], "float32")
before = np.asarray(model(row))[0].tolist()
layer.finalize_state()
after = np.asarray(model(row))[0].tolist()
print(f"after set_weights:    {before}")
print(f"after finalize_state: {after}")
sys.exit(0 if (before, after) == ([2, 4, 6], [1, 1, 1]) else 1)
PYTHON
