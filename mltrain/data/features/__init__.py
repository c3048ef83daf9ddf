"""What a column can be; kinds that are encoded alike share a file. The list below is registration, validation and
documentation in one."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from mltrain.data.features.array import ArrayFeature, ImageFeature
from mltrain.data.features.category import CategoryFeature
from mltrain.data.features.feature_spec import FeatureSpec
from mltrain.data.features.number import BooleanFeature, DatetimeFeature, NumberFeature
from mltrain.data.features.text import TextFeature
from mltrain.spec import OneOf, Spec

__all__ = [
    "FEATURES",
    "ArrayFeature",
    "BooleanFeature",
    "CategoryFeature",
    "DatetimeFeature",
    "Feature",
    "IgnoreFeature",
    "ImageFeature",
    "NumberFeature",
    "TextFeature",
]


class IgnoreFeature(FeatureSpec):
    """A column that is not used and not read, such as an identifier, a remark or a column that contains the answer."""

    type: Literal["ignore"] = "ignore"


AnyFeature = (
    NumberFeature
    | CategoryFeature
    | BooleanFeature
    | DatetimeFeature
    | TextFeature
    | ImageFeature
    | ArrayFeature
    | IgnoreFeature
)
FEATURES: tuple[type[Spec], ...] = get_args(AnyFeature)
Feature = Annotated[AnyFeature, OneOf("feature", *FEATURES)]
