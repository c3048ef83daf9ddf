"""What the config says of a column, in the words that its feature and its encoder share."""

from __future__ import annotations

from typing import Literal

Scale = Literal["standard", "minmax", "none"]
Part = Literal["year", "month", "day", "weekday", "hour", "minute", "second"]
PARTS: tuple[Part, ...] = ("year", "month", "day", "weekday", "hour", "minute", "second")
