#!/usr/bin/env bash
# Keras: GlobalAveragePooling1D gives NaN for a row of which every step is masked, such as an empty text that is all
# padding; the row's loss, and with it the whole batch, is NaN. An LSTM behind the same mask gives zeros for that row.
# Valid input: index numbers of two texts, padded with 0; the second text has no word.
# Seen with keras 3.15.1 and tensorflow 2.21.0 (CPU) on Linux:
#   GlobalAveragePooling1D: [True, False] rows finite
#   LSTM:                   [True, True] rows finite
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

words = np.array([[1, 2, 0], [0, 0, 0]], "int32")
found = {}
for behind in (keras.layers.GlobalAveragePooling1D(), keras.layers.LSTM(2)):
    embedding = keras.layers.Embedding(5, 2, mask_zero=True)
    model = keras.Sequential([keras.Input((3,), dtype="int32"), embedding, behind])
    name = type(behind).__name__
    found[name] = np.isfinite(np.asarray(model(words))).all(axis=1).tolist()
    print(f"{name + ':':<24}{found[name]} rows finite")
sys.exit(0 if found == {"GlobalAveragePooling1D": [True, False], "LSTM": [True, True]} else 1)
PYTHON
