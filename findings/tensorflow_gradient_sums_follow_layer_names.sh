#!/usr/bin/env bash
# TensorFlow: where three layers take one tensor, the sum of their gradients is computed in an order that follows the
# names of the layers. Two models that differ in nothing but names end with weights of other last digits, on one CPU,
# with the same seed, rows and order. Keras counts the names that it gives (dense_9, dense_10) over a whole process, so a
# model can end with other bits when another was built before it.
# Seen with keras 3.15.1 and tensorflow 2.21.0 (CPU) on Linux:
#   same names:  0 of 32 weights differ
#   other names: 1 of 32 weights differs
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check tensorflow-cpu==2.21.0 keras==3.15.1 2>/dev/null ||
    "$folder/venv/bin/python" -m pip install -q --disable-pip-version-check tensorflow==2.21.0 keras==3.15.1
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" - <<'PYTHON'
import sys

import keras
import numpy as np


def trained(names):
    keras.utils.set_random_seed(5)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(8, activation="relu", name="hidden")(inputs)
    heads = [keras.layers.Dense(1, name=name)(hidden) for name in names]
    model = keras.Model(inputs, keras.layers.Concatenate(name="all")(heads))
    model.compile("adam", "mse", jit_compile=False)
    draw = np.random.default_rng(0)
    x, y = (draw.normal(size=(96, width)).astype("float32") for width in (4, 3))
    model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0)
    return model.get_weights()[0]


first, again = trained(["head_1", "head_2", "head_3"]), trained(["head_1", "head_2", "head_3"])
other = trained(["head_9", "head_10", "head_11"])
same, differ = int((first != again).sum()), int((first != other).sum())
print(f"same names:  {same} of {first.size} weights differ")
print(f"other names: {differ} of {first.size} weights differ (at most by {abs(first - other).max():.1g})")
sys.exit(0 if same == 0 and differ > 0 else 1)
PYTHON
