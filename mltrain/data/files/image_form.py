"""What image files are made to be, and how many had to be changed for it."""

from __future__ import annotations

from dataclasses import dataclass

from mltrain.task import Decision
from mltrain.wording import counted


@dataclass(frozen=True)
class ImageForm:
    """What every image is made to be.

    Attributes:
        height, width: in pixels.
        gray: whether it has one channel, or red, green and blue.
        setting: the part of a config that has the size, for messages.
    """

    height: int
    width: int
    gray: bool
    setting: str = "data.source"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image: (height, width), or (height, width, 3)."""
        return (self.height, self.width) if self.gray else (self.height, self.width, 3)

    @property
    def size(self) -> str:
        """In words."""
        return f"{self.height} x {self.width}"


@dataclass(frozen=True)
class Conversions:
    """How many images had to be changed to fit.

    Attributes:
        resized: had another size.
        recolored: were gray where colours are needed, or the reverse.
        flattened: had transparent parts.
        cut: had 16 bits for each value, of which the upper 8 are kept.
        paged: had several pages, of which the first is taken.
    """

    resized: int = 0
    recolored: int = 0
    flattened: int = 0
    cut: int = 0
    paged: int = 0

    def __add__(self, other: Conversions) -> Conversions:
        return Conversions(
            self.resized + other.resized,
            self.recolored + other.recolored,
            self.flattened + other.flattened,
            self.cut + other.cut,
            self.paged + other.paged,
        )

    def decisions(self, form: ImageForm, images: int, of: str = "source") -> tuple[Decision, ...]:
        """Return what was done to how many of `images`; `of` is what was decided on."""
        color = ("in colour", "gray") if form.gray else ("gray", "colour")
        made = (
            ("size", form.size, self.resized, "had another size and {were} stretched to " + f"{form.size} (bilinear)"),
            (
                "channels",
                "grayscale" if form.gray else "rgb",
                self.recolored,
                f"{{were}} {color[0]} and {{were}} converted to {color[1]}",
            ),
            ("transparency", "on white", self.flattened, "had transparent parts, which became white"),
            ("bits", "8", self.cut, "had 16 bits for each value, of which the upper 8 are kept (256 becomes 1)"),
            ("pages", "first", self.paged, "had several pages or frames, of which the first is taken"),
        )
        return tuple(
            Decision(f"{of}.{what}", value, f"{_of(count, images)} {done.format(were='was' if count == 1 else 'were')}")
            for what, value, count, done in made
            if count
        )


def _of(count: int, images: int) -> str:
    return counted(count, "image") if count == images else f"{count:,} of {counted(images, 'image')}"
