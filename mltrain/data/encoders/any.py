"""The encoders as a type that is read back from JSON: this list is what `preprocessing.json` may hold."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mltrain.data.encoders.array import ArrayEncoder, ImageFileEncoder
from mltrain.data.encoders.category import CategoryEncoder, EmbeddedEncoder, IndexEncoder
from mltrain.data.encoders.datetime import DatetimeEncoder
from mltrain.data.encoders.known import KnownEncoder
from mltrain.data.encoders.number import NumberEncoder
from mltrain.data.encoders.ordinal import OrdinalEncoder
from mltrain.data.encoders.text import TokensEncoder
from mltrain.data.encoders.text_columns import TextColumnsEncoder
from mltrain.data.encoders.window import WindowEncoder

AnyEncoder = Annotated[
    NumberEncoder
    | CategoryEncoder
    | EmbeddedEncoder
    | IndexEncoder
    | OrdinalEncoder
    | DatetimeEncoder
    | TokensEncoder
    | TextColumnsEncoder
    | ArrayEncoder
    | ImageFileEncoder
    | WindowEncoder
    | KnownEncoder,
    Field(discriminator="type"),
]
