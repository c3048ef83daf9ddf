"""A loss or a model of the user's that is a function: `from mltrain import loss, model` marks one. A layer, an
optimizer, a schedule, and each of these that is a class, needs no mark.

This is what plugins import: the standard library, and no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True)
class OwnFunction:
    """A function of the user's that is a component. It can be called as the function itself.

    Attributes:
        kind: what it is.
        name: its `type` in configs.
        function: of the targets and the predictions, or of the inputs; its other parameters are its arguments.
    """

    kind: Literal["loss", "model"]
    name: str
    function: Callable[..., Any]

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            message = f"{self.name!r} is not a valid name of a {self.kind}; expected up to 64 letters, digits and _"
            raise ValueError(f"{message}, a letter first")

    def __call__(self, *given: Any, **arguments: Any) -> Any:
        """Return what the function returns."""
        return self.function(*given, **arguments)


def loss(function: Callable[..., Any] | None = None, *, name: str | None = None) -> Any:
    """Make a loss of the function below: `@loss`, or `@loss(name="pinball")`.

    The function gets `y_true` and `y_pred` as tensors of one shape `(batch, outputs)`, and returns the loss of each row
    `(batch,)`. Its further parameters, each with a type and perhaps a default, are arguments in the YAML.

    Args:
        function: it.
        name: in configs; None takes that of the function.
    """
    return _marked("loss", function, name)


def model(function: Callable[..., Any] | None = None, *, name: str | None = None) -> Any:
    """Make a model of the function below: `@model`, or `@model(name="tiny")`.

    The function gets a Keras tensor `(batch, …)` of the encoded inputs, or a dict of them by name where the data have
    several, and returns a tensor `(batch, features)`, behind which mltrain puts the head for the task. A function with
    the parameters `head_units` and `head_activation` is given these, and ends in the head itself.

    Args:
        function: it.
        name: in configs; None takes that of the function.
    """
    return _marked("model", function, name)


def _marked(kind: Literal["loss", "model"], function: Callable[..., Any] | None, name: str | None) -> Any:
    def made(function: Callable[..., Any]) -> OwnFunction:
        if not callable(function) or isinstance(function, type):
            what = f"the class {function.__name__}" if isinstance(function, type) else f"a {type(function).__name__}"
            raise TypeError(f"@{kind} is for functions, and this is {what}; a class needs no @{kind}")
        return OwnFunction(kind, getattr(function, "__name__", "") if name is None else name, function)

    return made if function is None else made(function)
