"""What the installed Keras says of each network of `keras.applications`. Only the generator asks it; all others
read the catalogue, without TensorFlow."""

from __future__ import annotations

import inspect
import re
from typing import Any

import keras
import numpy as np

# Their types, and a sentence on each. An alpha below the smallest makes layers without a filter in MobileNet.
_ARGUMENTS = {
    "alpha": (
        "number >= 0.05 <= 4",
        "The width of the network: its layers have this many times the usual number of filters.",
    ),
    "depth_multiplier": (
        "integer >= 1 <= 8",
        "How many filters a depthwise convolution has for each channel.",
    ),
    "minimalistic": (
        "boolean",
        "Whether it is the plain form, without squeeze-and-excitation, hard-swish and 5 x 5 convolutions.",
    ),
}
_MODES = ("caffe", "tf", "torch")


def backbones() -> dict[str, Any]:
    """Return an entry for each network, by its name."""
    functions = {name: getattr(keras.applications, name) for name in dir(keras.applications)}
    return {name: _entry(function) for name, function in functions.items() if inspect.isfunction(function)}


def _entry(function: Any) -> dict[str, Any]:
    smallest = _smallest(function)
    parameters = inspect.signature(function).parameters
    title = re.search(r"- \[([^\]]+)\]\(", inspect.getdoc(function) or "")
    paper = f"; {' '.join(title[1].split())}" if title else ""
    return {
        "doc": f"Images of at least {smallest} x {smallest} pixels{paper}.",
        "smallest": smallest,
        "preprocessing": _preprocessing(function),
        "arguments": {
            name: {"type": kind, "default": parameters[name].default, "doc": doc}
            for name, (kind, doc) in _ARGUMENTS.items()
            if name in parameters
        },
    }


def _smallest(function: Any) -> int:
    """Return the height and width below which Keras refuses images, as it says it itself."""
    try:
        function(weights=None, include_top=False, input_shape=(1, 1, 3))
    except ValueError as error:
        found = re.search(r"must be at least (\d+)x\1", str(error))
        if found is not None:
            return int(found[1])
    raise ValueError(f"{function.__name__}: Keras does not say its smallest size any more")


def _preprocessing(function: Any) -> str:
    """Return what its `preprocess_input` does: one of `imagenet_utils`, or nothing, as the network has it inside."""
    own = vars(inspect.getmodule(function))["preprocess_input"]
    pixels = np.array([[[[0.0, 100.0, 255.0], [7.0, 30.0, 90.0]]]])
    done = own(pixels.copy())
    if np.array_equal(done, pixels):
        return "inside"
    for mode in _MODES:
        if np.array_equal(done, keras.applications.imagenet_utils.preprocess_input(pixels.copy(), mode=mode)):
            return mode
    raise ValueError(f"{function.__name__}: its preprocessing is none of {', '.join(_MODES)}")
