#!/usr/bin/env bash
# Keras: the first object of a subclass of keras.Model that is made from inputs and outputs changes the class itself:
# Functional becomes one of its bases. From then on a class that extends it, and has layers of its own in __init__ and
# call, cannot be made any more, though it could before.
# Valid use: a class with a train_step, of which one object wraps a network, and which another class extends.
# Seen with keras 3.15.1 and tensorflow 2.21.0 (CPU) on Linux:
#   before: made
#   after:  TypeError
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check tensorflow-cpu==2.21.0 keras==3.15.1 2>/dev/null ||
    "$folder/venv/bin/python" -m pip install -q --disable-pip-version-check tensorflow==2.21.0 keras==3.15.1
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PYTHON'
import sys

import keras


class Step(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


class Net(Step):
    def __init__(self, width=4, **kwargs):
        super().__init__(**kwargs)
        self.hidden = keras.layers.Dense(width)

    def call(self, x):
        return self.hidden(x)


def made():
    try:
        Net()
    except TypeError:
        return "TypeError"
    return "made"


before = made()
inputs = keras.Input((2,))
Step(inputs, keras.layers.Dense(1)(inputs))
after = made()
print(f"before: {before}\nafter:  {after}")
sys.exit(0 if (before, after) == ("made", "TypeError") else 1)
PYTHON
