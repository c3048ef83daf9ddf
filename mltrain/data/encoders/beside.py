"""The encoders of the columns beside the windows of a series, fitted on the rows that the training may see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mltrain.data.encoders.column import Encoder, RawColumn
from mltrain.data.encoders.known import KnownEncoder
from mltrain.data.features import CategoryFeature, Feature
from mltrain.data.features.inference import infer_feature
from mltrain.data.spec import BESIDE_WINDOWS, DataSpec
from mltrain.data.windowed import Windowed
from mltrain.errors import MisfitError
from mltrain.task import Decision
from mltrain.wording import free_name

KNOWN, STATIC = "known", "static"


@dataclass(frozen=True)
class Beside:
    """What is fitted.

    Attributes:
        encoders: of the known columns, then of the static ones.
        groups: the input that each column of a table feeds, by its name.
        decisions: what was not stated.
    """

    encoders: tuple[Encoder, ...]
    groups: dict[str, str]
    decisions: tuple[Decision, ...]


def fit_beside(windowed: Windowed, spec: DataSpec, train: np.ndarray) -> Beside:
    """Return the encoders of the columns beside the windows, fitted on the same rows as the windows: those of each
    series up to its newest training target, each once.

    Args:
        windowed: the data.
        spec: its section.
        train: the numbers of the training rows.

    Raises:
        MisfitError: a column holds what cannot be beside windows.
        DataError: a column cannot be encoded.
    """
    windows = windowed.windows
    seen = windowed.table.take(np.flatnonzero(windowed.seen(train)))
    decisions: list[Decision] = []
    encoders: dict[str, list[Encoder]] = {KNOWN: [], STATIC: []}
    for key, names in ((KNOWN, windows.known), (STATIC, windows.static)):
        for place, name in enumerate(names):
            column, feature = RawColumn.of(seen, name), spec.features.get(name)
            if feature is None:
                feature, decision = _inferred(column, key, place, names_series=name == windows.by)
                decisions.append(decision)
            fitted = feature.fit(column, spec.scale)
            encoders[key].append(fitted.encoder)
            decisions += fitted.decisions
    if windowed.steps is not None:
        known = KnownEncoder(column=windowed.steps, steps=windows.horizon, parts=tuple(encoders[KNOWN]))  # type: ignore[arg-type]
        encoders[KNOWN] = [known]
    every = [*encoders[KNOWN], *encoders[STATIC]]
    taken = {each.input for each in every if not each.names} | {windowed.column}
    groups = {each.column: free_name(key, taken) for key, found in encoders.items() for each in found if each.names}
    return Beside(tuple(every), groups, tuple(decisions))


def _inferred(column: RawColumn, key: str, place: int, names_series: bool) -> tuple[Feature, Decision]:
    """Return what a column is, and why."""
    if names_series:
        return CategoryFeature(), Decision(f"features.{column.name}", "category", "it names the series")
    feature, decision = infer_feature(column)
    if feature.type not in BESIDE_WINDOWS:
        expected = f"{', '.join(BESIDE_WINDOWS[:-1])} or {BESIDE_WINDOWS[-1]}"
        message = f"column '{column.name}' cannot be beside windows as it is: it {decision.reason}"
        raise MisfitError(("data", "windows", key, place), f"{message}; state {expected} for it under data.features")
    return feature, decision
