"""Training rows that are mixed with each other, as the config states it. No TensorFlow here."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import core_schema

from mltrain.spec import Spec

MixName = Literal["mixup", "cutmix"]
_ALPHA = {"mixup": 0.2, "cutmix": 1.0}


class Mix(Spec):
    """Each training row is mixed with another row of its batch, and is learned as both classes, by their shares. The
    name alone is enough: `mix: mixup`."""

    type: MixName
    """`mixup`: the mean of two rows by their shares (Zhang et al., mixup, 2018). `cutmix`, for images: a box of one
    image is replaced by that of another (Yun et al., CutMix, 2019)."""
    alpha: Annotated[float, Field(gt=0, le=100)] | None = None
    """The share of a batch is drawn from Beta(alpha, alpha): near 0 or 1 for a small alpha. null is 0.2 for `mixup`,
    and 1 for `cutmix`, as in the papers."""

    @property
    def usual_alpha(self) -> float:
        """The `alpha`, where it is not stated the usual one."""
        return self.alpha or _ALPHA[self.type]

    @model_validator(mode="before")
    @classmethod
    def _from_bare_name(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        return {"anyOf": [{"enum": list(get_args(MixName))}, handler.resolve_ref_schema(handler(schema))]}
