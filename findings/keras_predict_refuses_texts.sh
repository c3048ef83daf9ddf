#!/usr/bin/env bash
# Keras: `model.predict` refuses a NumPy array of texts, also one of objects, which `model(...)` takes; a tensor of
# strings works in both. Documentation and answers that advise an array of objects for `predict` do not hold here.
# Valid input: one text for a StringLookup.
# Seen with keras 3.15.1 and tensorflow 2.21.0 (CPU) on Linux:
#   predict, array of objects: ValueError: Invalid dtype: object
#   call, array of objects:    [[1]]
#   predict, tensor:           [[1]]
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
import tensorflow as tf

text = keras.Input((1,), dtype="string")
model = keras.Model(text, keras.layers.StringLookup(vocabulary=["a", "b"])(text))


def tried(call, given):
    try:
        return np.asarray(call(given)).tolist()
    except ValueError as error:
        return f"ValueError: {str(error).splitlines()[0]}"


def predict(given):
    return model.predict(given, verbose=0)


objects = np.array([["a"]], object)
found = {
    "predict, array of objects": tried(predict, objects),
    "call, array of objects": tried(model, objects),
    "predict, tensor": tried(predict, tf.constant([["a"]])),
}
for name, result in found.items():
    print(f"{name + ':':<27}{result}")
sys.exit(0 if list(found.values()) == ["ValueError: Invalid dtype: object", [[1]], [[1]]] else 1)
PYTHON
