"""What the config says of a column, in the words that its feature and its encoder share."""

from __future__ import annotations

from typing import Literal

Scale = Literal["standard", "minmax", "none"]
Part = Literal["year", "month", "day", "weekday", "hour", "minute", "second"]
PARTS: tuple[Part, ...] = ("year", "month", "day", "weekday", "hour", "minute", "second")

# What a column is read as that is needed, but not as a feature, such as the key of a split: a text stays as it is.
AS_WRITTEN = "as written"
# What a column of images is read as: texts in it are the paths of files, and bytes the files themselves.
IMAGES = "image"
# What the texts of a column can be read as. Texts of arrays are read as if nothing had been said, so that the error is
# about what they are.
READ_AS = ("number", "category", "boolean", "datetime", IMAGES, "array", "ignore", AS_WRITTEN)
