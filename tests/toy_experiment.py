"""A small experiment that the tests of the loader share: its classes have one of each thing that a spec can have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mltrain.config.load import Loaded, load_text
from mltrain.rules import Form, Rule, RuleProblem
from mltrain.spec import InputPath, Many, OneOf, Spec, fail, problem

CONFIGS = sorted((Path(__file__).parent.parent / "configs").glob("*.yaml"))


class Constant(Spec):
    type: Literal["constant"] = "constant"
    rate: Annotated[float, Field(gt=0, le=1)] = 0.1


class Cosine(Spec):
    type: Literal["cosine_decay"] = "cosine_decay"
    steps: Annotated[int, Field(ge=1)]


class Target(Spec):
    column: str
    scale: Literal["none", "standard"] = "none"

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


class Data(Spec):
    path: InputPath
    target: Target
    share: Annotated[float, Field(ge=0, le=1)] = 0.2
    features: dict[str, Literal["number", "text"]] = Field(default_factory=dict)
    low: int = 0
    high: int = 1

    @model_validator(mode="after")
    def _ordered(self) -> Data:
        if self.low >= self.high:
            raise fail("data", [problem("order", "expected less than high", ("low",), self.low)])
        return self


class Training(Spec):
    epochs: Annotated[int, Field(ge=1)] = 10
    batch_size: Annotated[int, Field(ge=1)] | Literal["full"] = 32
    rate: float | Annotated[Constant | Cosine, OneOf("schedule", Constant, Cosine)] = 0.1
    units: Many[Annotated[int, Field(ge=1)]] = ()
    callbacks: Many[Annotated[Constant | Cosine, OneOf("schedule", Constant, Cosine)]] = ()


class Toy(Spec):
    name: Annotated[str, Field(min_length=1)] = "toy"
    data: Data
    training: Training = Training()
    final: bool = False


def _share_needs_epochs(toy: Toy) -> Iterator[RuleProblem]:
    if toy.data.share == 0.5 and toy.training.epochs == 10:
        yield RuleProblem(("data", "share"), "0.5 does not go with 10 epochs")


TOY = Form(Toy, (Rule(("data.share", "training.epochs"), _share_needs_epochs),))

GOOD = """\
name: x
data:
  path: data.csv
  target: price
training:
  epochs: 3
"""


def toy(text: str, *overrides: str) -> Loaded:
    return load_text(text.encode(), "c.yaml", Path("/configs"), overrides, form=TOY)
