"""How the learning rate changes over a whole training, as the config states it. No TensorFlow here."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import core_schema

from mltrain.spec import Spec

ScheduleName = Literal["cosine", "flat_cosine", "linear", "cycles"]


class Schedule(Spec):
    """The learning rate of the optimizer is multiplied by a factor that depends on how much of the training is done.

    Its name alone is enough: `schedule: cosine`.
    """

    type: ScheduleName
    """`cosine` falls from 1 to 0 in half a wave. `flat_cosine` is 1 in the first half of the training, and falls like
    that in the second. `linear` falls from 1 to 0 in a line. `cycles` rises from 0 to 1 and falls back in each of
    several waves, each about twice as long as the one before (coslog4 of Holzmüller et al., Better by default,
    2024)."""
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the training in which the factor also rises from 0 to 1 in a line."""
    cycles: Annotated[int, Field(ge=1, le=16)] = 4
    """The number of waves of `cycles`."""

    @property
    def words(self) -> str:
        """It in a decision."""
        name = f"{self.cycles} cycles" if self.type == "cycles" else self.type
        return f"{name}, warm-up {self.warm_up:g} of the training" if self.warm_up else name

    @model_validator(mode="before")
    @classmethod
    def _from_bare_name(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(get_args(ScheduleName))}, handler.resolve_ref_schema(handler(schema))]}
