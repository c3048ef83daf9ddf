"""How the learning rate changes over a whole training, as the config states it. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator
from pydantic_core import core_schema

from mltrain.spec import Many, Spec, fail, problem
from mltrain.training.length import Length, amount, in_words, share_of
from mltrain.wording import counted

ScheduleName = Literal[
    "cosine",
    "flat_cosine",
    "linear",
    "cycles",
    "one_cycle",
    "polynomial",
    "piecewise",
    "exponential",
    "cosine_restarts",
]
# What each of them has besides `warm_up`.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "cosine": ("length", "end"),
    "flat_cosine": ("end",),
    "linear": ("length", "end"),
    "cycles": ("cycles",),
    "one_cycle": ("rise", "start", "end"),
    "polynomial": ("length", "end", "power"),
    "piecewise": ("boundaries", "factor", "factors"),
    "exponential": ("length", "factor"),
    "cosine_restarts": ("length", "end", "growth", "factor"),
}
_SMALLEST_GROWTH = 1.01


class Schedule(Spec):
    """The learning rate of the optimizer is multiplied by a factor that depends on how much of the training is done.

    Its name alone is enough: `schedule: cosine`. A length is a share of the training (`0.1`), a number of epochs
    (`3 epochs`), or of updates of the weights (`500 steps`).
    """

    type: ScheduleName
    """`cosine` falls from 1 to 0 in half a wave. `flat_cosine` is 1 in the first half of the training, and falls like
    that in the second. `linear` falls from 1 to 0 in a line. `cycles` rises from 0 to 1 and falls back in each of
    several waves, each about twice as long as the one before (coslog4 of Holzmüller et al., Better by default,
    2024). `one_cycle` rises to 1 and falls to 0, in half a wave each (Smith and Topin, Super-convergence, 2018).
    `polynomial` is a power of the share that is left. `piecewise` falls at each of the `boundaries`. `exponential` is
    multiplied by `factor` in each `length`. `cosine_restarts` begins a new cosine after each `length` (SGDR of
    Loshchilov and Hutter, 2017)."""
    warm_up: Length = 0.0
    """The length, from the first step, in which the factor also rises from 0 to 1 in a line."""
    length: Length | None = None
    """For `cosine`, `linear` and `polynomial`: the length of the fall, after which the factor stays. For `exponential`:
    in which it is multiplied by `factor`. For `cosine_restarts`: of the first cosine, which must be stated. null is
    the whole training."""
    end: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The factor at the end of a fall, instead of 0."""
    power: Annotated[float, Field(gt=0, le=100)] = 1.0
    """For `polynomial`: the power; 1 is a line, and 2 falls faster at first."""
    factor: Annotated[float, Field(gt=0, le=1)] | None = None
    """For `exponential` and `piecewise`: what the learning rate is multiplied by in each `length`, or at each boundary;
    null is 0.1. For `cosine_restarts`: what the top of each cosine is multiplied by; null is 1."""
    boundaries: Many[Length] = ()
    """For `piecewise`: where the factor changes, each later than the one before, such as `[0.5, 0.75]` or
    `[30 epochs, 60 epochs]`."""
    factors: Many[Annotated[float, Field(ge=0, le=1000)]] = ()
    """For `piecewise`: the factor before, between and after the boundaries, one more than there are boundaries, instead
    of powers of `factor`."""
    growth: Annotated[float, Field(ge=1, le=100)] = 1.0
    """For `cosine_restarts`: how many times as long each cosine is as the one before; 1, or at least 1.01."""
    rise: Length = 0.3
    """For `one_cycle`: the length of the rise."""
    start: Annotated[float, Field(ge=0, le=1)] = 0.04
    """For `one_cycle`: the factor in the first step."""
    cycles: Annotated[int, Field(ge=1, le=16)] = 4
    """The number of waves of `cycles`."""

    @property
    def words(self) -> str:
        """It in a decision."""
        name = f"{self.cycles} cycles" if self.type == "cycles" else self.type
        return f"{name}, warm-up {in_words(self.warm_up)}" if self.warm_up else name

    @property
    def by(self) -> float:
        """The `factor`, where it is not stated the usual one."""
        return self.factor or (1.0 if self.type == "cosine_restarts" else 0.1)

    def misfits(self, epochs: int, steps_of_epoch: int | None) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """Yield which lengths do not fit a training, and why.

        Args:
            epochs: of the training.
            steps_of_epoch: updates of the weights in each; None where that is not known yet.
        """
        whole = counted(epochs, "epoch")
        if steps_of_epoch is not None:
            whole += f" ({counted(epochs * steps_of_epoch, 'step')})"
        for key in ("warm_up", "rise"):
            length = getattr(self, key)
            share = share_of(length, epochs, steps_of_epoch)
            if share is not None and share >= 1 and (key != "rise" or self.type == "one_cycle"):
                yield (key,), f"{in_words(length)} is not less than the whole training, which is {whole}"
        share = None if self.length is None else share_of(self.length, epochs, steps_of_epoch)
        if share is not None and share > 1 and self.type != "exponential":
            yield ("length",), f"{self.length} is more than the whole training, which is {whole}"
        before = 0.0
        for number, boundary in enumerate(self.boundaries):
            share = share_of(boundary, epochs, steps_of_epoch)
            if share is None:
                continue
            if share >= 1:
                yield ("boundaries", number), f"{in_words(boundary)} is not before the end of the training: {whole}"
            elif share <= before:
                earlier = "the one before it" if before else "the first step"
                yield ("boundaries", number), f"{in_words(boundary)} is not later than {earlier}"
            before = share

    @model_validator(mode="before")
    @classmethod
    def _from_bare_name(cls, value: Any) -> Any:
        return {"type": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _keys_of_the_type(self) -> Schedule:
        problems = []
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name not in ("type", "warm_up", *_KEYS[self.type]) and value != field.default:
                has = ", ".join(("warm_up", *_KEYS[self.type]))
                problems.append(problem("unused", f"{self.type} has no '{name}' (it has: {has})", (name,), value))
        if self.warm_up == 1:
            problems.append(problem("warm_up", "expected less than the whole training", ("warm_up",), self.warm_up))
        if self.type == "one_cycle" and self.rise in (0, 1):
            problems.append(problem("rise", "expected more than 0 and less than 1", ("rise",), self.rise))
        if self.type == "cosine_restarts" and self.length is None:
            problems.append(problem("missing", "cosine_restarts needs 'length', such as '10 epochs'", ("length",)))
        if self.length == 0:
            problems.append(problem("length", "expected more than 0", ("length",), self.length))
        if 1 < self.growth < _SMALLEST_GROWTH:
            problems.append(problem("growth", f"expected 1, or at least {_SMALLEST_GROWTH}", ("growth",), self.growth))
        if self.type == "piecewise":
            problems += self._piecewise_problems()
        if problems:
            raise fail("schedule", problems)
        return self

    def _piecewise_problems(self) -> Iterator[Any]:
        count = len(self.boundaries)
        if not count:
            yield problem("missing", "piecewise needs 'boundaries', such as [0.5, 0.75]", ("boundaries",))
        if self.factors and self.factor is not None:
            yield problem("factor", "'factors' already says it: remove one of the two", ("factor",), self.factor)
        if count and self.factors and len(self.factors) != count + 1:
            message = f"expected {count + 1} factors for {counted(count, 'boundary')}"
            yield problem("factors", f"{message}, received {len(self.factors)}", ("factors",), self.factors)
        # Of one unit they can be compared without the length of the training; others are, once that is known.
        for number, (before, after) in enumerate(zip(self.boundaries, self.boundaries[1:], strict=False), start=1):
            (first, unit), (second, other) = amount(before), amount(after)
            if unit == other and second <= first:
                message = f"{in_words(after)} is not later than the one before it"
                yield problem("boundaries", message, ("boundaries", number), after)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: Any) -> dict[str, Any]:
        # Those that need nothing more are written by their name alone.
        bare = [name for name in get_args(ScheduleName) if name not in ("piecewise", "cosine_restarts")]
        return {"anyOf": [{"enum": bare}, handler.resolve_ref_schema(handler(schema))]}
