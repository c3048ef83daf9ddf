"""The results of a run, which are metrics.json: one definition, by which the file is written and read.

Keys of other versions are ignored, and what a run does not have keeps the default of its field. No sum covers the file:
whoever gave us the run may have written it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import ValidationError, WrapValidator, model_validator

from mltrain.outputs import KINDS
from mltrain.run.reading import wrong_form
from mltrain.run.split_result import Part, SplitResult
from mltrain.spec import Many
from mltrain.task import Task, about_target, split_target

FORMAT = 1

# A text that may hold a name of the file system, whose bytes need not be UTF-8: pydantic alone refuses surrogates.
AnyText = Annotated[str, WrapValidator(lambda value, check: value if isinstance(value, str) else check(value))]


class BaselineFit(Part):
    """How a baseline was made."""

    rows: int | None = None
    """The number of training rows it was fitted on."""
    of: int | None = None
    """The number of all training rows."""
    converged: bool = True
    """Whether the fit converged."""
    left_out: str | None = None
    """Why it was not measured; None where it was."""


class TrainedModel(Part):
    """Which model it is."""

    weights: str
    """Best, last or average."""
    averaged: int | None = None
    """The number of epochs whose weights are averaged; null where they are those of one epoch."""
    epoch: int
    """Whose weights it has."""
    epochs: int
    """That were trained."""
    stopped: str
    """Why training ended."""


class ObjectiveResult(Part):
    """What "best" was."""

    metric: str
    """Its name."""
    direction: str | None = None
    """Whether the smallest value was the best (`min`), or the largest (`max`)."""
    best: float | None
    """Its best value."""


class Threshold(Part):
    """From which probability on a row is taken for the positive class."""

    value: float
    """The probability."""
    aim: str = ""
    """What it was chosen for."""
    split: str = "validation"
    """On whose rows."""
    reached: bool = True
    """Whether a threshold fulfils the aim there."""


class ChanceResult(Part):
    """Whether the model is better than guessing."""

    split: str = "test"
    """Whose rows were predicted."""
    correct: int | None = None
    """How many were predicted correctly."""
    expected: float | None = None
    """How many would be by chance."""
    p_value: float | None = None
    """The probability of this number, or a larger one, by chance."""
    better: bool | None = None
    """Whether it is better."""
    sentence: str
    """In words."""


class FindingResult(Part):
    """Something that is wrong with the training."""

    finding: str = ""
    """In a word."""
    sentence: str
    """In words."""
    key: str
    """The key of the YAML to change."""


class Judgement(Part):
    """What became of a gate."""

    gate: AnyText
    """In words."""
    value: float | None = None
    """That was found; null where there is none."""
    passed: bool
    """Whether it is fulfilled."""
    reason: AnyText = ""
    """Why there is no value, or what the judgement is based on; empty where the value says it all."""


class Results(Part):
    """The whole file."""

    format: int = FORMAT
    """The version of this file."""
    task: Task
    """What is learned."""
    classes: Many[str] = ()
    """Names, in the order of the confusion matrix."""
    objective: ObjectiveResult
    """What "best" was."""
    model: TrainedModel
    """Which model it is."""
    splits: Mapping[str, SplitResult]
    """By name."""
    decision_sentences: Many[str] = ()
    """What was chosen on the validation rows."""
    temperature: float | None = None
    """By which the logits are divided."""
    threshold: Threshold | None = None
    """The decision of a binary classification."""
    chance: ChanceResult | None = None
    """The comparison with chance, for classifications with held-out rows."""
    baselines: Mapping[str, BaselineFit] = {}
    """How each baseline was made, or why it was not measured, by name."""
    baseline_sentences: Many[str] = ()
    """Whether the model beats the baselines."""
    coefficients: Mapping[str, float] = {}
    """The coefficients of a linear regression."""
    diagnosis: Many[FindingResult] = ()
    """What is wrong with the training."""
    gates: Many[Judgement] = ()
    """What became of evaluation.gates."""

    # As it was read: with the keys of other versions, and every number as it is written.
    _content: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, content: Mapping[str, Any], place: object) -> Self:
        """Return the results that are in metrics.json.

        Args:
            content: of the file.
            place: where it is from, for the message.

        Raises:
            RunError: says what is wrong with it.
        """
        try:
            found = cls.model_validate(content)
        except ValidationError as error:
            raise wrong_form(place, error) from None
        found._content = content
        return found

    def of_output(self, name: str) -> Results:
        """Return the results of one of several targets of different kinds, as if it were the only one; without what is
        said of the whole run."""
        about = about_target(name)
        found = [each.outputs[name] for each in self.splits.values() if name in each.outputs]
        fits = [(split_target(key), fit) for key, fit in self.baselines.items()]
        more: dict[str, Any] = {} if found[0].threshold is None else {"threshold": Threshold(value=found[0].threshold)}
        return Results(
            task=found[0].task or self.task,
            classes=found[0].names,
            objective=self.objective,
            model=self.model,
            baselines={baseline: fit for (baseline, target), fit in fits if target == name},
            baseline_sentences=tuple(
                each.removeprefix(about) for each in self.baseline_sentences if each.startswith(about)
            ),
            splits={split: each.of_output(name) for split, each in self.splits.items() if name in each.outputs},
            **more,
        )

    def as_json(self) -> dict[str, Any]:
        """Return what is in metrics.json, or will be."""
        return super().as_json() if self._content is None else dict(self._content)

    @model_validator(mode="after")
    def _each_target(self) -> Self:
        targets = [tuple(split.outputs) for split in self.splits.values()] if KINDS[self.task].several else []
        expected = self.classes if self.task == "multilabel" else max(targets, key=len, default=())
        for name, found in zip(self.splits, targets, strict=False):
            if len(found) < 2 or found != expected:
                raise ValueError(f"splits.{name}.outputs does not have the results of each target")
        return self

    @model_validator(mode="after")
    def _square(self) -> Self:
        expected = [len(self.classes)] * len(self.classes)
        for name, split in self.splits.items():
            if split.confusion_matrix and [len(row) for row in split.confusion_matrix] != expected:
                raise ValueError(f"splits.{name}.confusion_matrix is not {len(expected)} by {len(expected)}")
            for label, output in split.outputs.items():
                size = len(output.names) if output.task is not None else 2
                if output.confusion_matrix and [len(row) for row in output.confusion_matrix] != [size] * size:
                    raise ValueError(f"splits.{name}.outputs.{label}.confusion_matrix is not {size} by {size}")
        return self
