"""Models: one file each. `MODELS` is the list of all of them."""

from __future__ import annotations

from typing import Annotated, Any

from mltrain.keras_api.own_parts import parts_in
from mltrain.keras_api.pretrained import not_pretrained
from mltrain.models.auto import Auto
from mltrain.models.cnn import Cnn
from mltrain.models.fusion import Fusion
from mltrain.models.graph import Graph
from mltrain.models.input_encoder import not_a_model
from mltrain.models.linear import Linear
from mltrain.models.mlp import Mlp
from mltrain.models.own_alternatives import OwnModels
from mltrain.models.own_model import OwnModel
from mltrain.models.pooled import Pooled
from mltrain.models.pretrained import Pretrained
from mltrain.models.rnn import Rnn
from mltrain.models.sequential import Sequential
from mltrain.models.tabular import Tabular
from mltrain.models.transformer import Transformer
from mltrain.spec import OneOf


def _own(context: Any) -> OwnModels:
    return OwnModels(parts_in(context), MODELS.check)


MODELS = OneOf(
    "model",
    Sequential,
    Tabular,
    Mlp,
    Linear,
    Fusion,
    Graph,
    Cnn,
    Rnn,
    Transformer,
    Pooled,
    Pretrained,
    Auto,
    more=_own,
    hint="one of your own comes with --plugin FILE.py",
    why_not=lambda name: not_pretrained(name) or not_a_model(name),
)
Model = Annotated[
    Sequential
    | Tabular
    | Mlp
    | Linear
    | Fusion
    | Graph
    | Cnn
    | Rnn
    | Transformer
    | Pooled
    | Pretrained
    | Auto
    | OwnModel,
    MODELS,
]
