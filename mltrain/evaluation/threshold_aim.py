"""What the threshold of a binary classifier is chosen for. No NumPy here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mltrain.spec import Spec, fail, problem

# What each aim needs besides its name.
_CONDITIONS: dict[str, tuple[str, ...]] = {
    "recall": ("at_precision",),
    "precision": ("at_recall",),
    "cost": ("false_positive", "false_negative"),
}


class ThresholdAim(Spec):
    """How the threshold is chosen on the validation rows. All thresholds that give different decisions are compared;
    of equally good ones, the nearest to 0.5 is chosen."""

    aim: Literal["f1", "balanced_accuracy", "recall", "precision", "cost"]
    """f1: the highest f1 of the positive class. balanced_accuracy: the highest balanced accuracy (Youden's J). recall:
    the highest recall with a precision of at least `at_precision`. precision: the highest precision with a recall of
    at least `at_recall`. cost: the lowest mean cost."""
    at_precision: Annotated[float, Field(gt=0, le=1)] | None = None
    """For recall: the lowest precision that is accepted."""
    at_recall: Annotated[float, Field(gt=0, le=1)] | None = None
    """For precision: the lowest recall that is accepted."""
    false_positive: Annotated[float, Field(gt=0)] | None = None
    """For cost: the cost of a row that is wrongly predicted as the positive class."""
    false_negative: Annotated[float, Field(gt=0)] | None = None
    """For cost: the cost of a row of the positive class that is predicted as the other class."""

    @model_validator(mode="after")
    def _what_the_aim_needs(self) -> ThresholdAim:
        needed = _CONDITIONS.get(self.aim, ())
        problems = [
            problem("missing_condition", f"the aim {self.aim} needs {name}", ("aim",), self.aim)
            for name in needed
            if getattr(self, name) is None
        ]
        for aim, names in _CONDITIONS.items():
            for name in names if aim != self.aim else ():
                if getattr(self, name) is not None:
                    said = f"it is for the aim {aim}, but the aim is {self.aim}"
                    problems.append(problem("foreign_condition", said, (name,), getattr(self, name)))
        if problems:
            raise fail("threshold", problems)
        return self

    @property
    def words(self) -> str:
        """The aim with its condition, as "recall at a precision of at least 0.9"."""
        if self.aim == "recall":
            return f"recall at a precision of at least {self.at_precision:g}"
        if self.aim == "precision":
            return f"precision at a recall of at least {self.at_recall:g}"
        if self.aim == "cost":
            return f"mean cost (a false positive {self.false_positive:g}, a false negative {self.false_negative:g})"
        return self.aim
