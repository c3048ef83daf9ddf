"""The facts that the rules get, and the findings that they return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mltrain.task import SplitName, Task

# Counts: row = true class, column = predicted class.
Confusion = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or likely to be.

    Attributes:
        finding: its name, such as "overfitting".
        sentence: what was seen, with numbers, and what to do.
        key: the setting in the YAML to change.
    """

    finding: str
    sentence: str
    key: str


@dataclass(frozen=True)
class Curves:
    """A training by its epochs.

    Attributes:
        columns: the values of history.csv by name, one per epoch.
        epochs: how many were asked for.
        exhausted: whether all of them were trained, and nothing ended the training before.
        chance_loss: the loss of a model that guesses: ln C for a cross-entropy of C classes; None where the loss is
            another one, or contains weights or penalties.
    """

    columns: Mapping[str, Sequence[float]]
    epochs: int
    exhausted: bool = False
    chance_loss: float | None = None

    @property
    def train(self) -> Sequence[float]:
        """The training loss; empty where the history of a run was changed by others."""
        return self.columns.get("train.loss", ())

    @property
    def validation(self) -> Sequence[float]:
        """The validation loss; empty without validation rows."""
        return self.columns.get("validation.loss", ())


@dataclass(frozen=True)
class DeadUnits:
    """A layer with units that give 0 for every row of a sample.

    Attributes:
        layer: which it is, such as "layer 1 (Dense)".
        dead: how many units give 0.
        units: how many the layer has.
    """

    layer: str
    dead: int
    units: int


@dataclass(frozen=True)
class Extreme:
    """Rows with inputs that are far from those of the training rows.

    Attributes:
        column: the raw column of the largest one.
        deviations: how many standard deviations that is from the mean of the training rows.
        rows: how many there are among those that are seen.
        skill: of the others.
    """

    column: str
    deviations: float
    rows: int
    skill: float


@dataclass(frozen=True)
class Facts:
    """A finished training.

    Attributes:
        task: what was learned.
        classes: their names; empty for regression.
        curves: by its epochs.
        rows: of train and validation, where there are any.
        confusions: of train and validation; empty for regression.
        skill: how much lower the loss is than that of a constant answer, as a share of it, for train and validation:
            cross-entropy against the shares of the classes, or R²; 0 is not better, and less is worse. Empty where
            targets are of different kinds: each has facts of its own.
        sampled: training rows that were used for `dead` and `strengths`.
        dead: layers of ReLU with units that never fire.
        strengths: how well each raw column of a table alone predicts the target, from 0 to 1; see `column_strengths`.
        repeated: the sentence of the data audit on validation rows that are training rows too; "" where there are none.
        weighted: whether the classes have weights already.
        alike: the ROC AUC against the others of each class (by its number) that is never predicted, on the rows that
            are seen, where it does not differ from 0.5.
        unscaled: the mean and the deviation of a target in words, where they are large and it was not scaled.
        extreme: rows that are seen and whose inputs are far from all others; None where there are none.
        slowest_momentum: the largest momentum of the layers of batch normalization that learn from batches; 0 where
            there are none.
        steps: updates of the weights.
    """

    task: Task
    classes: Sequence[str]
    curves: Curves
    rows: Mapping[SplitName, int]
    confusions: Mapping[SplitName, Confusion]
    skill: Mapping[SplitName, float]
    sampled: int = 0
    dead: Sequence[DeadUnits] = ()
    strengths: Mapping[str, float] | None = None
    repeated: str = ""
    weighted: bool = False
    alike: Mapping[int, float] = field(default_factory=dict)
    unscaled: str = ""
    extreme: Extreme | None = None
    slowest_momentum: float = 0.0
    steps: int = 0

    @property
    def seen(self) -> SplitName:
        """The rows that may be used for a choice: validation where there is one, else train."""
        return "validation" if "validation" in self.rows else "train"


def accuracy(confusion: Confusion) -> float:
    """Return the share of the diagonal."""
    return sum(row[place] for place, row in enumerate(confusion)) / max(1, sum(map(sum, confusion)))
