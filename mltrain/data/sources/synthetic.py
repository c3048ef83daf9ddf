"""Data that is made, to try a model on something whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from mltrain.spec import Spec, fail, problem

if TYPE_CHECKING:
    from mltrain.data.table import Table

# What each kind takes besides rows and seed, with its defaults.
ARGUMENTS: dict[str, dict[str, int | float]] = {
    "linear": {"slope": 2.0, "intercept": 1.0, "noise": 0.1},
    "moons": {"noise": 0.1},
    "blobs": {"classes": 3, "features": 2, "noise": 1.0},
    "shapes": {"size": 16, "noise": 0.1},
    "sequences": {"classes": 3, "steps": 32, "features": 1, "noise": 0.1},
    "noise": {"classes": 10, "features": 784},
    "seasonal": {"season": 12, "noise": 1.0},
    "stores": {"noise": 1.0},
    "labels": {"labels": 3, "features": 8, "noise": 0.1},
}


class SyntheticSource(Spec):
    """Rows drawn from a known rule. A key that does not apply to the kind is null."""

    type: Literal["synthetic"] = "synthetic"
    kind: Literal["linear", "moons", "blobs", "shapes", "sequences", "noise", "seasonal", "stores", "labels"]
    """linear: y = slope · x + intercept + noise, with x in [0, 1). moons: two half circles. blobs: round clouds, one
    per class. shapes: gray images of a circle, a square or a triangle. sequences: waves whose frequency is the
    class. noise: random numbers with random labels, from which nothing can be learned. seasonal: a series to forecast.
    stores: daily sales and returns of four stores, with promotions and the size of each store, to forecast. labels:
    label1, label2, … with the values 0 and 1. Each label says on which side of its own plane a point is."""
    rows: int = Field(default=100, ge=1)
    """How many examples."""
    seed: int | None = Field(default=None, ge=0, le=2**32 - 1)
    """Seed of the random numbers; null uses the seed of the experiment."""
    noise: float | None = Field(default=None, ge=0)
    """Standard deviation of the noise that is added (linear, moons, blobs, shapes, sequences, seasonal, stores,
    labels)."""
    slope: float | None = None
    """Slope of the line (linear)."""
    intercept: float | None = None
    """Value of the line at x = 0 (linear)."""
    classes: int | None = Field(default=None, ge=2)
    """How many classes (blobs, sequences, noise)."""
    features: int | None = Field(default=None, ge=1)
    """How many numbers an example or a step of a sequence has (blobs, sequences, noise, labels)."""
    labels: int | None = Field(default=None, ge=2)
    """How many labels (labels)."""
    size: int | None = Field(default=None, ge=8)
    """Height and width of an image in pixels (shapes)."""
    steps: int | None = Field(default=None, ge=8)
    """Length of a sequence (sequences)."""
    season: int | None = Field(default=None, ge=2)
    """How many steps a season has (seasonal)."""

    @model_validator(mode="before")
    @classmethod
    def _arguments_of_the_kind(cls, value: Any) -> Any:
        """Fill in the defaults of the kind, and refuse what it does not take."""
        kind = value.get("kind") if isinstance(value, Mapping) else None
        if not isinstance(kind, str) or kind not in ARGUMENTS:
            return value
        takes = ARGUMENTS[kind]
        others = {name for arguments in ARGUMENTS.values() for name in arguments} - set(takes)
        problems = [
            problem(
                "argument",
                f"this key does not apply to {kind}; expected rows, seed, {', '.join(takes)}",
                (name,),
                value[name],
            )
            for name in sorted(others & set(value))
            if value[name] is not None
        ]
        if problems:
            raise fail("synthetic", problems)
        return {**value, **{name: default for name, default in takes.items() if value.get(name) is None}}

    @model_validator(mode="after")
    def _classes_can_be_told_apart(self) -> SyntheticSource:
        # Class k has k + 1 periods, and a period needs four steps to look like a wave.
        if self.steps is not None and self.classes is not None and self.classes * 4 > self.steps:
            message = f"{self.classes} classes need at least {4 * self.classes} steps"
            raise fail("synthetic", [problem("steps", message, ("steps",), self.steps)])
        return self

    def read(self, seed: int, declared: Mapping[str, str] | None = None) -> Table:
        """Return the rows; without a `seed` of its own the source takes `seed`. `declared` is not used."""
        from mltrain.data import synthetic as made  # NumPy and pyarrow cost 0.15 s at import

        draw = getattr(made, self.kind)
        arguments = {name: getattr(self, name) for name in ARGUMENTS[self.kind]}
        arrays = draw(self.seed if self.seed is not None else seed, self.rows, **arguments)
        of_kind: dict[str, int | tuple[str, ...]] = {
            "linear": 0,
            "seasonal": 0,
            "stores": 0,
            "moons": 2,
            "shapes": made.SHAPES,
        }
        classes = of_kind.get(self.kind, self.classes or 0)
        target = {"linear": "y", "seasonal": "y", "stores": "sold", "labels": None}.get(self.kind, "label")
        return made.made_table(self.kind, arrays, target, classes)
