"""What the rules are told, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mltrain.task import SplitName, Task

# Counts: row = true class, column = predicted class.
Confusion = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, or likely to be.

    Attributes:
        finding: its name, as "overfitting".
        sentence: what was seen, with numbers, and what to do.
        key: of the YAML, to turn.
    """

    finding: str
    sentence: str
    key: str


@dataclass(frozen=True)
class Curves:
    """A training by its epochs.

    Attributes:
        columns: the values of history.csv by name, an epoch each.
        epochs: as many were asked for.
        exhausted: whether all of them were trained, and nothing has ended the training before.
        chance_loss: what a model that knows nothing has at the start: ln C for a cross-entropy of C classes; None where
            the loss is another one, has weights, or penalties in it.
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
        layer: which it is, as "layer 1 (Dense)".
        dead: how many they are.
        units: of the layer.
    """

    layer: str
    dead: int
    units: int


@dataclass(frozen=True)
class Facts:
    """A finished training.

    Attributes:
        task: what was learned.
        classes: their names; empty for regression.
        curves: by its epochs.
        rows: of train and validation, as far as they are there.
        confusions: of train and validation; empty for regression.
        skill: the share of a constant answer's loss that the model of the run saves, of train and validation:
            cross-entropy against the shares of the classes, or R²; 0 is no better, and less is worse.
        sampled: training rows that were looked at for `dead` and `strengths`.
        dead: layers of ReLU with units that never fire.
        strengths: how well each raw column of a table alone tells the target, from 0 to 1; see `column_strengths`.
        repeated: what the audit of the data says of validation rows that are training rows too; "" where it is silent.
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

    @property
    def seen(self) -> SplitName:
        """The rows by which a choice may be made: validation where there is one, else train."""
        return "validation" if "validation" in self.rows else "train"


def accuracy(confusion: Confusion) -> float:
    """Return the share of the diagonal."""
    return sum(row[place] for place, row in enumerate(confusion)) / max(1, sum(map(sum, confusion)))
