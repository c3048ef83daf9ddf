"""Models: one file each. `MODELS` is the list of all of them."""

from __future__ import annotations

from typing import Annotated

from mltrain.keras_api.pretrained import not_pretrained
from mltrain.models.linear import Linear
from mltrain.models.mlp import Mlp
from mltrain.models.sequential import Sequential
from mltrain.spec import OneOf

MODELS = OneOf("model", Sequential, Mlp, Linear, why_not=not_pretrained)
Model = Annotated[Sequential | Mlp | Linear, MODELS]
