"""What the config says of a column, in the words that its feature and its encoder share."""

from __future__ import annotations

from typing import Literal

Scale = Literal["standard", "minmax", "none"]
Part = Literal["year", "month", "day", "weekday", "hour", "minute", "second"]
PARTS: tuple[Part, ...] = ("year", "month", "day", "weekday", "hour", "minute", "second")

# What a column is read as that is needed, but not as a feature, such as the key of a split: a text stays as it is.
AS_WRITTEN = "as written"
# What the texts of a column can be read as. Texts of images and arrays are read as if nothing had been said, so that
# the error is about what they are.
READ_AS = ("number", "category", "boolean", "datetime", "image", "array", "ignore", AS_WRITTEN)
