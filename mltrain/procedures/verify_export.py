"""`--verify-export`: model.keras as its user will have it. Imports TensorFlow.

Only Keras can say what Keras makes of the archive, and opening one can run code that stands in it. So it is opened by
another process, which knows nothing of mltrain, but gets the plugins whose layers are in the model; and only at the end
of the training that has just written it:
`evaluate` is given runs by others, and opens none.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from mltrain.data.mixed_targets import MixedTargets
from mltrain.data.preparation import Prepared
from mltrain.data.raw_model import output_names
from mltrain.errors import SelfCheckError
from mltrain.procedures.measurement import predict_split
from mltrain.procedures.network import Network
from mltrain.procedures.own_layers import OwnLayer, own_layers
from mltrain.run.arrays import from_npy
from mltrain.run.decision import DecisionRule
from mltrain.task import SPLITS
from mltrain.training.acceleration import Precision
from mltrain.wording import listed

# The largest difference, in parts of the largest prediction, or of 1. A product of bfloat16 has 8 bits, and that of a
# GPU may have 11; the process that verifies computes on the CPU.
_TOLERANCE: dict[Precision, float] = {"float32": 1e-6, "mixed_bfloat16": 2**-7, "mixed_float16": 2**-10}
_TOLERANCE_OF_GPU = 2**-10

_SECONDS = 600

# Raw columns come in on standard input as an npz, by number; predictions go out as an npy. What Keras and TensorFlow
# print goes to standard error.
_USER = """
import importlib, importlib.util, io, json, os, sys
answer = os.dup(1)
os.dup2(2, 1)
import keras
import numpy as np
import tensorflow as tf
own = {}
for file, module, name in json.loads(sys.argv[4]):
    if file and module not in sys.modules:
        spec = importlib.util.spec_from_file_location(module, file)
        sys.modules[module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[module])
    own[name] = getattr(importlib.import_module(module), name)
model = keras.saving.load_model(sys.argv[1], custom_objects=own)
names = json.loads(sys.argv[2])
with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as file:
    raw = [tf.constant(file[str(number)]) for number in range(len(names))]
predictions = model(dict(zip(names, raw)) if isinstance(model.input, dict) else raw[0])
if isinstance(predictions, dict):
    predictions = np.concatenate([predictions[name] for name in json.loads(sys.argv[3])], axis=1)
packed = io.BytesIO()
np.save(packed, np.asarray(predictions, np.float32))
with os.fdopen(answer, "wb") as out:
    out.write(packed.getvalue())
"""


def verify_export(archive: Path, network: Network, prepared: Prepared, precision: Precision, rule: DecisionRule) -> str:
    """Open an archive in another process, and compare what it predicts for raw rows with what was measured.

    Args:
        archive: that this process has written.
        network: with the weights of the model of the run.
        prepared: its data.
        precision: of its layers.
        rule: of the run; its temperature is in the archive.

    Returns:
        What was found, in a sentence.

    Raises:
        SelfCheckError: it cannot be opened, or predicts something else.
    """
    split = next(name for name in reversed(SPLITS) if name in prepared.examples)
    raw = prepared.preprocessing.raw(prepared.sample)
    rows = len(prepared.sample)
    expected = predict_split(network, prepared.examples[split]).tempered(network, rule).values[:rows].reshape(rows, -1)
    target = prepared.preprocessing.target
    needed = own_layers(network.model, network.spec)
    found = _as_a_user(archive, raw, output_names(target) if isinstance(target, MixedTargets) else (), needed)
    if found.shape != expected.shape:
        raise _failure(f"{archive} predicts an array of shape {found.shape}, expected {expected.shape}")
    tolerance = _TOLERANCE[precision]
    if tf.config.get_visible_devices("GPU"):
        tolerance = max(tolerance, _TOLERANCE_OF_GPU)
    difference = float(np.abs(found - expected).max()) / max(1.0, float(np.abs(expected).max()))
    if not difference <= tolerance:  # NaN too
        raise _failure(f"{archive} differs from what was measured by {difference:.2g} on {rows} raw {split} rows")
    plugins = listed(list(dict.fromkeys(each.origin for each in needed)))
    code = f" with {plugins}" if plugins else ""
    same = f"model.keras, opened in another process{code}, predicts the same for {rows} raw {split} rows"
    return f"{same} (largest difference {difference:.1g})"


def _as_a_user(
    archive: Path, raw: dict[str, np.ndarray], outputs: Sequence[str], needed: Sequence[OwnLayer]
) -> np.ndarray:
    packed = io.BytesIO()
    columns: dict[str, Any] = {str(number): _plain(column) for number, column in enumerate(raw.values())}
    np.savez(packed, **columns)
    # Of a plugin the file that the command line named, of a package its module.
    own = [(str(Path(each.file).absolute()) if each.file else "", each.module, each.name) for each in needed]
    arguments = [str(archive.absolute()), *map(json.dumps, (list(raw), outputs, own))]
    try:
        done = subprocess.run(  # noqa: S603 (the program is written above, the path is that of the run)
            # -P: a file of the user's that is called keras.py is not Keras.
            [sys.executable, "-P", "-c", _USER, *arguments],
            input=packed.getvalue(),
            capture_output=True,
            timeout=_SECONDS,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
            start_new_session=True,  # Ctrl-C is for this process, and is noticed here
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _failure(f"{archive} was not opened and called within {_SECONDS} s") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise _failure(f"{archive} cannot be opened with Keras: {said[-1] if said else f'exit {done.returncode}'}")
    return from_npy(done.stdout)


def _plain(column: np.ndarray) -> np.ndarray:
    """Return texts, which are objects, as bytes, which need no pickle."""
    if column.dtype.kind != "O":
        return column
    return np.array([text.encode() for text in column.ravel()]).reshape(column.shape)


def _failure(message: str) -> SelfCheckError:
    return SelfCheckError(f"{message}. Do not rely on it: mltrain or Keras has a bug")
