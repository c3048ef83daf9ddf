"""From a data file to the config of a first experiment: read, choose the target, look at each column, audit, write."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mltrain.config.load import load_text
from mltrain.data.table import Table
from mltrain.errors import MltrainError
from mltrain.problems import printable
from mltrain.procedures.audit import audit
from mltrain.procedures.drafting.column_looks import Look, look_at
from mltrain.procedures.drafting.draft_text import MODEL_OF_A_TABLE, Content, Hint, draft_text
from mltrain.procedures.drafting.readable import Readable, read_somehow
from mltrain.procedures.drafting.target_choice import Choice, guessed_target, named_target
from mltrain.procedures.drafting.target_look import look_at_target
from mltrain.run.audit import Audit, AuditFinding
from mltrain.wording import counted

_ENDINGS = (".csv", ".tsv", ".parquet", ".jsonl", ".npz", ".txt", ".data", ".dat", ".tab")
_RANDOM = {"type": "random", "validation": 0.2, "test": 0.2}
# What the audit finds of rows, with the share of rows from which on a config mentions it.
_OF_ROWS = {"repeated_rows": 0.01, "contradictory_rows": 0.05}


@dataclass(frozen=True)
class Draft:
    """A config that can be written.

    Attributes:
        text: the YAML.
        notes: what to look at, for the terminal.
    """

    text: str
    notes: tuple[str, ...]


def config_name(data: Path) -> str:
    """Return the name of the config for a data file: `sales.yaml` for `sales.csv.gz`."""
    return f"{_stem(data)}.yaml"


def draft(data: Path, config: Path, target: str | None, schema: str) -> Draft:
    """Return the config for a data file.

    Args:
        data: the file.
        config: where the config will be written; its folder is what the path of the data is relative to.
        target: the column to predict; None guesses it.
        schema: the name of the file that explains the keys to an editor.

    Raises:
        UsageError: there is no such column, or none that looks like a target.
        DataError: the file cannot be read, or nothing can be learned from it.
    """
    readable = read_somehow(data, target)
    choice = guessed_target(readable.table) if target is None else named_target(readable.table, target)
    if target is None and choice.name in readable.features:  # a target is corrected in another way than a feature
        readable = read_somehow(data, choice.name)
    content = _content(readable, choice, data, config, target)
    name = experiment_name(data)

    def text_of(content: Content) -> str:
        return draft_text(content, name, schema)

    del readable  # the audit reads the file again, as a training will
    try:
        loaded = load_text(text_of(content).encode(), str(config), config.absolute().parent)
        content = _with_findings(content, audit(loaded))
        text = text_of(content)
        load_text(text.encode(), str(config), config.absolute().parent)
    except MltrainError as error:
        if not choice.guessed:
            raise
        guess = f"{error} (the target {choice.name!r} was guessed; --target names another one)"
        raise type(error)(guess) from error
    return Draft(text, tuple(_notes(content, choice, data)))


def experiment_name(data: Path) -> str:
    """Return a name that an experiment can have."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", _stem(data)).strip("-._")
    return name[:64] or "experiment"


def _stem(data: Path) -> str:
    name = data.name
    for ending in (".gz", *_ENDINGS):
        if name.lower().endswith(ending) and len(name) > len(ending):
            name = name[: -len(ending)]
    return name


def _content(readable: Readable, choice: Choice, data: Path, config: Path, stated: str | None) -> Content:
    table = readable.table
    looks = [look_at(table, name, readable.features.get(name)) for name in table.columns if name != choice.name]
    looks = [_without_copies(look, table, choice.name) for look in looks]
    if choice.name in readable.features:
        looks = [
            Look(choice.name, *readable.features[choice.name][:1], False, "", "the target: its texts are classes"),
            *looks,
        ]
    series = next((look for look in looks if look.is_series), None)
    split, why = (dict(_RANDOM), "") if series is None else _time_split(series)
    command = ["mltrain", "init", *([config.name] if config.name != config_name(data) else []), "--data", str(data)]
    command += [] if stated is None else ["--target", stated]
    source: dict[str, Any] = {"type": readable.source.type, "path": _path_text(data, config)}
    source |= {key: list(value) if isinstance(value, tuple) else value for key, (value, _) in readable.stated.items()}
    return Content(
        config=config.name,
        command=printable(shlex.join(command)),
        source=source,
        reasons={key: reason for key, (_, reason) in readable.stated.items()},
        rows=len(table),
        target=look_at_target(table, choice),
        looks=looks,
        split=split,
        why_split=why,
        hints=tuple(_hints(looks, series)),
        warnings=(),
        model=_model(looks),
    )


def _path_text(data: Path, config: Path) -> str:
    path = os.path.relpath(data.absolute(), config.absolute().parent)
    return f"./{path}" if path.startswith("~") else path


def _without_copies(look: Look, table: Table, target: str) -> Look:
    """Return the look of a column, which is ignored where it is the target under another name."""
    mine, other = table.columns[look.name], table.columns[target]
    if look.kind == "ignore" or type(mine) is not type(other) or not hasattr(mine, "equals") or not mine.equals(other):
        return look
    return replace(look, kind="ignore", inferred=False, remark="a copy of the target")


def _model(looks: Sequence[Look]) -> str:
    """Return the type of the model: that for tables, where there is nothing but a table."""
    arrays = [look for look in looks if not look.of_table]
    rest = [look for look in looks if look.of_table and look.kind != "ignore"]
    if not arrays:
        return MODEL_OF_A_TABLE
    if rest or len(arrays) > 1:
        return "fusion"
    return "mlp" if arrays[0].kind == "array" else "cnn"


def _time_split(series: Look) -> tuple[dict[str, Any], str]:
    split = {"type": "time", "column": series.name, "validation": 0.2, "test": 0.2}
    why = (
        f"there is one row for each {series.name}, in order: the newest rows are the test, as neighbours in both would "
        "make the score too good. To forecast from earlier rows, add `windows: {length: 12}` here and set "
        f"{series.name} to ignore"
    )
    return split, why


def _hints(looks: Sequence[Look], series: Look | None) -> list[Hint]:
    hints = []
    group = next((look for look in looks if look.is_group), None)
    if group is not None:
        sentences = (
            f"{group.name} has rows that belong together: to predict for new ones, keep the rows of each in one split"
            + ("" if group.kind == "ignore" else f" (and write ignore at {group.name})")
        )
        hints.append(Hint(sentences, {"type": "group", "column": group.name, "validation": 0.2, "test": 0.2}))
    date = next((look for look in looks if look.kind == "datetime" and "missing" not in look.holds), None)
    if date is not None and series is None:
        sentences = f"{date.name} holds dates: to predict later rows from earlier ones, split by time"
        hints.append(Hint(sentences, {"type": "time", "column": date.name, "validation": 0.2, "test": 0.2}))
    return hints


def _with_findings(content: Content, found: Audit) -> Content:
    """Return the content with what the audit says of its rows and columns."""
    leaks = {
        each.key.removeprefix("data.features."): each for each in found.findings if each.finding == "leaked_feature"
    }
    looks = [_with_leak(look, leaks[look.name]) if look.name in leaks else look for look in content.looks]
    if all(look.kind == "ignore" for look in looks):
        looks = list(content.looks)  # what is left to learn from is for a person to decide
    by_kind = {each.finding: each.sentence for each in reversed(found.findings) if _is_much(each)}
    warnings = tuple(by_kind[kind] for kind in _OF_ROWS if kind in by_kind)
    return replace(content, looks=looks, warnings=warnings)


def _is_much(finding: AuditFinding) -> bool:
    """Return whether a finding is about a share of the rows that changes a score."""
    count = re.match(r"(\d+) of (\d+) ", finding.sentence)
    return count is not None and int(count[1]) >= _OF_ROWS.get(finding.finding, 2) * int(count[2])


def _with_leak(look: Look, leak: AuditFinding) -> Look:
    sentence = leak.sentence.removeprefix(f"column '{look.name}' ")
    if "each of its values means one class" in sentence:
        return replace(
            look, kind="ignore", inferred=False, remark="another name for the target: each value means one class"
        )
    return replace(look, inferred=False, remark=f"WARNING: {sentence}")


def _notes(content: Content, choice: Choice, data: Path) -> list[str]:
    """Return what to look at, in a few lines."""
    target = content.target
    size = f"{printable(data.name)}: {counted(content.rows, 'row')} and {counted(len(content.looks) + 1, 'column')}"
    task = f", task {target.task}" if target is not None and target.task is not None else ""
    notes = [f"{size}; target '{printable(choice.name)}'{task}"]
    if choice.guessed:
        notes.append(
            f"the target was guessed ({printable(choice.guessed)}); for another one delete {printable(content.config)} "
            f"and run: mltrain init --data {printable(shlex.quote(str(data)))} --target COLUMN"
        )
    for look in content.looks:
        if look.remark.startswith("WARNING"):
            notes.append(printable(f"column '{look.name}' may give the answer away: see its line"))
    ignored = [printable(look.name) for look in content.looks if look.kind == "ignore"]
    if ignored and len(ignored) < len(content.looks):
        some = ", ".join(ignored[:6]) + (f" and {len(ignored) - 6} more" if len(ignored) > 6 else "")
        notes.append(f"ignored: {some}")
    return notes
