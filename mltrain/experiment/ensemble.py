"""The `ensemble` of an experiment: several networks in one, whose mean is the prediction. No TensorFlow here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import core_schema

from mltrain.spec import Spec


class Ensemble(Spec):
    """Several networks of the same kind that are trained together, in one program, and whose mean is the prediction.

    Their number alone is enough: `ensemble: 5`.
    """

    members: Annotated[int, Field(ge=2, le=50)]
    """How many networks there are. They differ in their first weights and in dropout, and share the order of the rows.
    The memory and the time of a step grow with their number."""
    by: Literal["seed", "fold"] = "seed"
    """What each network learns from. `seed`: all training rows. `fold`: the training rows are in as many folds as there
    are networks, and each network learns from all folds but one. What it predicts for that one is measured as the split
    `out_of_fold`: so every training row gets a prediction of a network that has not learned from it."""

    @model_validator(mode="before")
    @classmethod
    def _from_bare_number(cls, value: Any) -> Any:
        if isinstance(value, str | float):
            raise ValueError("expected the number of networks, such as 5, or {members: 5, by: fold}")
        return {"members": value} if isinstance(value, int) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"type": "integer", "minimum": 2}, handler.resolve_ref_schema(handler(schema))]}
