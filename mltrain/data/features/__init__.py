"""What a column can be: one file a kind. The list below is registration, validation and documentation in one."""

from __future__ import annotations

from typing import Annotated

from mltrain.data.features.array import ArrayFeature
from mltrain.data.features.boolean import BooleanFeature
from mltrain.data.features.category import CategoryFeature
from mltrain.data.features.datetime import DatetimeFeature
from mltrain.data.features.ignore import IgnoreFeature
from mltrain.data.features.image import ImageFeature
from mltrain.data.features.number import NumberFeature
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
]

FEATURES: tuple[type[Spec], ...] = (
    NumberFeature,
    CategoryFeature,
    BooleanFeature,
    DatetimeFeature,
    ImageFeature,
    ArrayFeature,
    IgnoreFeature,
)

UsedFeature = NumberFeature | CategoryFeature | BooleanFeature | DatetimeFeature | ImageFeature | ArrayFeature
Feature = Annotated[UsedFeature | IgnoreFeature, OneOf("feature", *FEATURES)]
