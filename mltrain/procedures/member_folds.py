"""Which network of an ensemble learns from which training rows, where each leaves out a fold of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mltrain.data.examples import Examples
from mltrain.data.splits.fold_choice import fold_of_each
from mltrain.errors import MisfitError
from mltrain.experiment.spec import ExperimentSpec
from mltrain.outputs import KINDS
from mltrain.task import DataInfo, Decision
from mltrain.wording import counted


@dataclass(frozen=True)
class MemberFolds:
    """The fold of each training row. They follow from the rows, their classes and groups, and the seed.

    Attributes:
        networks: how many there are, and folds.
        of_rows: int64 (training rows,), the number of the network that leaves out the row, from 0.
        decision: what was decided, to be said and recorded.
    """

    networks: int
    of_rows: np.ndarray
    decision: Decision

    @classmethod
    def of(cls, spec: ExperimentSpec, info: DataInfo, train: Examples) -> MemberFolds | None:
        """Return the folds; None where every network learns from all rows.

        Args:
            spec: the experiment.
            info: what is known of the data.
            train: the training rows, with their groups.

        Raises:
            MisfitError: there are more networks than rows, or than groups.
        """
        if not spec.splits_of_folds:
            return None
        count = len(train.rows)
        groups = None if train.groups is None else np.unique(train.groups, return_inverse=True)[1]
        units = count if groups is None else int(groups.max()) + 1
        if units < spec.networks:
            unit = "row" if groups is None else "group"
            message = (
                f"{spec.networks} networks leave out {spec.networks} folds, and training has {counted(units, unit)}"
            )
            raise MisfitError(("ensemble", "members"), message)
        kind = KINDS[info.task]
        one_class = kind.of_classes and not kind.several and not kind.mixed
        labels = train.truth.astype(np.int64) if one_class else None
        found, even = fold_of_each(spec.networks, count, labels, groups, spec.seed)
        said = ["each network learns from the training rows without one fold"]
        if groups is not None:
            said.append("the rows of a group are in one fold")
        if even:
            said.append("each class is in every fold alike")
        if spec.data.split.type == "time":
            said.append("a fold is drawn at random, also before later rows, so out_of_fold can be too good")
        return cls(spec.networks, found, Decision("ensemble.by", f"{spec.networks} folds", "; ".join(said)))

    def weights(self, own: np.ndarray | None) -> np.ndarray:
        """Return how much each row counts for each network, float32 (rows, networks): 0 in the fold that it
        leaves out. The others count a little more, so that the loss is a mean over the rows that it learns from.

        Args:
            own: the weight of each row (rows,); None where all count the same.
        """
        more = np.float32(self.networks / (self.networks - 1))
        learned = (self.of_rows[:, np.newaxis] != np.arange(self.networks)) * more
        return learned if own is None else learned * own[:, np.newaxis].astype(np.float32)

    def learned(self, number: int, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the rows that a network learns from, of each of some arrays with the training rows."""
        return {name: array[self.of_rows != number] for name, array in arrays.items()}

    def out_of_fold(self, of_networks: np.ndarray) -> np.ndarray:
        """Return for each row what the network says that has left it out.

        Args:
            of_networks: what each says (networks, rows, …).
        """
        return of_networks[self.of_rows, np.arange(len(self.of_rows))]
