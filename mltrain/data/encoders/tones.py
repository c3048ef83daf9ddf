"""What is black and what is white in images, so that a network that was made for pixels from 0 to 255 can have such."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mltrain.spec import Spec
from mltrain.task import Pixels

# Height, width and channels.
IMAGE_AXES = 3
_WHITE = 255.0
# Values above half of it are those of 8 bits, also where no image of the training rows is quite white.
_HALF = 127.0


class Tones(Spec):
    """The raw values that are black and white."""

    black: float
    """Black."""
    white: float
    """White."""
    known_by: Literal["type", "values"]
    """What says so: the type of the pixels, or the values of the training rows."""

    def pixels(self, center: tuple[float, ...], width: tuple[float, ...]) -> Pixels:
        """Return how (raw - center) / width becomes a pixel from 0 to 255."""
        step = _WHITE / (self.white - self.black)
        length = max(len(center), len(width))
        # One number stands for all channels.
        centers, widths = center * (length // len(center)), width * (length // len(width))
        assumed = f"{self.black:g} is black and {self.white:g} white" if self.known_by == "values" else ""
        return Pixels(
            factors=tuple(each * step for each in widths),
            offsets=tuple((each - self.black) * step for each in centers),
            assumed=assumed,
        )


def tones_of(raw: np.ndarray) -> Tones | None:
    """Return what is black and white in the images of the training rows; None where their values do not say it."""
    if raw.dtype in (np.uint8, np.uint16):
        return Tones(black=0.0, white=float(np.iinfo(raw.dtype).max), known_by="type")
    if not raw.size:
        return None
    low, high = float(raw.min()), float(raw.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        return None
    if low < 0:
        return Tones(black=-1.0, white=1.0, known_by="values") if low >= -1 and high <= 1 else None
    white = 1.0 if high <= 1 else _WHITE if _HALF < high <= _WHITE else high
    return Tones(black=0.0, white=white, known_by="values")
