"""What a column can be: one file a kind. The list below is registration, validation and documentation in one."""

from __future__ import annotations

from typing import Annotated, get_args

from mltrain.data.features.array import ArrayFeature
from mltrain.data.features.boolean import BooleanFeature
from mltrain.data.features.category import CategoryFeature
from mltrain.data.features.datetime import DatetimeFeature
from mltrain.data.features.ignore import IgnoreFeature
from mltrain.data.features.image import ImageFeature
from mltrain.data.features.number import NumberFeature
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
