"""A learning rate that a config states once: beside an optimizer, or in it. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ModelWrapValidatorHandler, model_validator

from mltrain.spec import Spec, fail, problem


class StatesRate(Spec):
    """A section with an `optimizer`, which may state its learning rate, and with `learning_rate`, which may too."""

    @model_validator(mode="wrap")
    @classmethod
    def _one_learning_rate(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        made = handler(value)
        # Only what was written tells: the component has a learning rate in any case.
        optimizer = value.get("optimizer") if isinstance(value, Mapping) else None
        stated = getattr(made, "learning_rate", None) is not None
        if stated and isinstance(optimizer, Mapping) and "learning_rate" in optimizer:
            message = "`learning_rate` beside the optimizer already says it: remove one of the two"
            found = problem("twice", message, ("optimizer", "learning_rate"), optimizer["learning_rate"])
            raise fail("training", [found])
        return made

    def as_written(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Return this as a config states it: a learning rate is there once."""
        if plain.get("learning_rate") is not None and plain.get("optimizer") is not None:
            plain["optimizer"] = {key: each for key, each in plain["optimizer"].items() if key != "learning_rate"}
        return plain
