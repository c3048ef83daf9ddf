"""Fits the preprocessing on the training rows: what each column is, and the numbers that its encoder needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from mltrain.data.column_settings import Scale
from mltrain.data.encoders.column import Encoder, RawColumn
from mltrain.data.features import Feature, IgnoreFeature, TextFeature
from mltrain.data.features.inference import infer_feature
from mltrain.data.features.unusable import nothing_to_learn_from, used_text
from mltrain.data.preprocessing import Preprocessing
from mltrain.data.several_targets import Target
from mltrain.data.table import Table
from mltrain.errors import DataError, MisfitError
from mltrain.spec import suggest
from mltrain.task import Decision
from mltrain.wording import listed


@dataclass(frozen=True)
class TextUse:
    """What a model does with free text whose kind is not stated.

    Attributes:
        model: its type.
        encoding: of text that is all there is to learn from.
        beside: whether the text of a column, by its name, is an input beside others, and so are images that it names.
    """

    model: str
    encoding: Literal["tokens", "tf_idf"]
    beside: Callable[[str], bool]


AS_COLUMNS = TextUse("", "tf_idf", lambda column: False)


def fit_preprocessing(
    train: Table,
    target: Target,
    features: Mapping[str, Feature],
    scale: Scale,
    leave_out: Collection[str] = (),
    inputs: Mapping[str, Sequence[str]] = MappingProxyType({}),
    texts: TextUse = AS_COLUMNS,
) -> tuple[Preprocessing, tuple[Decision, ...]]:
    """Return what is fitted on the training rows. Only they are given: nothing can leak from other rows.

    Args:
        train: the training rows.
        target: the fitted encoder of the target.
        features: what columns are, where it was stated, by name.
        scale: of number columns that do not say it themselves.
        leave_out: columns that are no features for other reasons, as the one that says the split.
        inputs: the columns of inputs that are made of the table, by the name of the input.
        texts: what the model does with free text.

    Raises:
        MisfitError: columns of `inputs` are not columns of the table; has all of them.
        DataError: a stated column is not there, a column does not fit its kind, or nothing is left to learn from.
    """
    for name in features:
        if name not in train.columns:
            raise DataError(f"{train.origin.name}: data.features.{name}: no such column{suggest(name, train.columns)}")
    encoders: list[Encoder] = []
    decisions: list[Decision] = []
    for name in train.columns:
        if name in target.columns or name in leave_out:
            continue
        column = RawColumn.of(train, name)
        feature = features.get(name)
        if feature is None:
            feature, decision = infer_feature(column)
            if isinstance(feature, IgnoreFeature) and texts.beside(name) and used_text(train, [name], features):
                feature, why = TextFeature(), f"holds free text, and a model of type {texts.model} takes its tokens"
                decision = Decision(decision.what, "text", why)
            decisions.append(decision)
        if isinstance(feature, IgnoreFeature):
            continue
        fitted = feature.fit(column, scale)
        encoders.append(fitted.encoder)
        decisions += fitted.decisions
    if not encoders:
        names = [name for name in train.columns if name not in {*leave_out, *target.columns}]
        text = used_text(train, names, features)
        if text is None:
            raise nothing_to_learn_from(train, names, features)
        fitted = TextFeature(encoding=texts.encoding).fit(RawColumn.of(train, text), scale)
        encoders.append(fitted.encoder)
        what = f"features.{text}"
        why = f"holds free text, and is all there is to learn from; the model takes {texts.encoding}"
        decisions = [*(each for each in decisions if each.what != what), Decision(what, "text", why)]
        decisions += fitted.decisions
    groups = _groups(train, encoders, inputs)
    preprocessing = Preprocessing(columns=tuple(encoders), target=target, groups=groups)  # type: ignore[arg-type]
    return preprocessing, _together(decisions)


def _together(decisions: Sequence[Decision]) -> tuple[Decision, ...]:
    """Return the decisions with one for all columns of which the same is said: a table may have a thousand columns."""
    groups: dict[tuple[str, str], list[str]] = {}
    for decision in decisions:
        groups.setdefault((decision.value, decision.reason), []).append(decision.what)
    return tuple(
        Decision(names[0], value, reason)
        if len(names) == 1
        else Decision("features", f"{value}: {listed([name.removeprefix('features.') for name in names])}", reason)
        for (value, reason), names in groups.items()
    )


def _groups(train: Table, encoders: Sequence[Encoder], inputs: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the input that `data.inputs` gives to each column of the table.

    Raises:
        MisfitError: a column is not there, is ignored, or is an input of its own; or an input has the name of one. It
            has all that is wrong.
    """
    of_table = {encoder.column for encoder in encoders if encoder.names}
    own = {encoder.input for encoder in encoders if not encoder.names}
    problems: list[tuple[tuple[str | int, ...], str]] = []
    for name, columns in inputs.items():
        if name in own:
            problems.append((("data", "inputs", name), f"column '{name}' is an input with this name; take another one"))
        for place, column in enumerate(columns):
            path = ("data", "inputs", name, place)
            if column not in train.columns:
                problems.append((path, f"{train.origin.name}: no such column{suggest(column, train.columns)}"))
            elif column not in of_table:
                why = "is an input of its own" if column in own else "is not a feature (ignored, or used otherwise)"
                problems.append((path, f"column '{column}' {why}, so it cannot be a part of this input"))
    if problems:
        raise MisfitError.of(problems)
    return {column: name for name, columns in inputs.items() for column in columns}
