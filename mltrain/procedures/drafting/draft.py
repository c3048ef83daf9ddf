"""From a data file to the config of a first experiment: read, choose the target, look at each column, audit, write."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mltrain.config.load import load_text
from mltrain.data.files.opening import refuse_folder_of_parts
from mltrain.data.table import Table
from mltrain.errors import DataError, UsageError
from mltrain.outputs import KINDS
from mltrain.problems import InvalidConfigError, printable
from mltrain.procedures.audit import audit
from mltrain.procedures.drafting.column_looks import Look, look_at
from mltrain.procedures.drafting.draft_text import MODEL_OF_A_TABLE, Content, Hint, draft_text
from mltrain.procedures.drafting.names import config_name, experiment_name
from mltrain.procedures.drafting.readable import Readable, read_somehow
from mltrain.procedures.drafting.target_choice import Choice, guessed_target, named_target
from mltrain.procedures.drafting.target_look import TargetLook, look_at_target
from mltrain.run.audit import Audit, AuditFinding
from mltrain.spec import normalise
from mltrain.wording import counted

_RANDOM: Mapping[str, Any] = {"type": "random", "validation": 0.2, "test": 0.2}
_IMAGE_SIZE = (64, 64)
_NAMES_OF_CLASSES = ("label", "labels", "class", "classes", "category", "type", "kind")
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
    if data.is_dir():
        return _draft_of_images(data, config, target, schema)
    readable = read_somehow(data, target)
    choice = guessed_target(readable.table) if target is None else named_target(readable.table, target)
    if target is None and choice.name in readable.features:  # a target is corrected in another way than a feature
        readable = read_somehow(data, choice.name)
    content = _content(readable, choice, data, config, target)
    del readable  # the audit reads the file again, as a training will
    try:
        content, text = _audited(content, data, config, schema)
    except DataError as error:
        if not choice.guessed:
            raise
        raise DataError(f"{error} (the target {choice.name!r} was guessed; --target names another one)") from error
    return Draft(text, tuple(_notes(content, choice, data)))


def _audited(content: Content, data: Path, config: Path, schema: str) -> tuple[Content, str]:
    """Return the content with what the audit found, and its text, which can be read.

    Raises:
        DataError: nothing can be learned from the data.
    """
    name, folder = experiment_name(data), config.absolute().parent
    try:
        loaded = load_text(draft_text(content, name, schema).encode(), str(config), folder)
        content = _with_findings(content, audit(loaded))
        text = draft_text(content, name, schema)
        load_text(text.encode(), str(config), folder)
    except InvalidConfigError as error:
        # The lines that it names are of a file that will not be written.
        found = "; ".join(each.message for each in error.problems)
        raise DataError(f"{printable(data.name)}: no config can be made for it: {found}") from error
    return content, text


def _draft_of_images(folder: Path, config: Path, target: str | None, schema: str) -> Draft:
    """Return the config for a folder with a folder of images for each class."""
    refuse_folder_of_parts(folder)
    if target is not None:
        raise UsageError("--target is for tables: in a folder of images each folder in it is a class (remove it)")
    source = {"type": "image_folder", "path": _path_text(folder, config), "size": list(_IMAGE_SIZE)}
    reasons = {"size": "height and width; images of another size are stretched to it"}
    content = Content(
        config=config.name,
        command=_command(folder, config, None),
        source=source,
        reasons=reasons,
        rows=0,
        target=None,
        looks=(),
        split=_RANDOM,
        why_split="",
        hints=(),
        warnings=(),
        model="cnn",
    )
    content, text = _audited(content, folder, config, schema)
    return Draft(text, (f"{printable(folder.name)}: {counted(content.rows, 'image')}; each folder in it is a class",))


def _content(readable: Readable, choice: Choice, data: Path, config: Path, stated: str | None) -> Content:
    table = readable.table
    looks = [look_at(table, name, readable.features.get(name)) for name in table.columns if name != choice.name]
    looks = [_without_copies(look, table, choice.name) for look in looks]
    if choice.name in readable.features:
        looks = [
            Look(choice.name, *readable.features[choice.name][:1], False, "", "the target: its texts are classes"),
            *looks,
        ]
    seen = look_at_target(table, choice)
    if normalise(choice.name) in _NAMES_OF_CLASSES or not any(look.of_table for look in looks):
        seen = replace(seen, may_be_numbers="")
    series = next((look for look in looks if look.is_series), None)
    split, why = (_RANDOM, "") if series is None else _time_split(series, seen)
    if readable.test_arrays:
        test = {"type": "npz", "path": _path_text(data, config), "arrays": readable.test_arrays}
        split, why = {"type": "files", "validation": 0.2, "test": test}, "the file has test rows of its own"
    source: dict[str, Any] = {"type": readable.source.type, "path": _path_text(data, config)}
    source |= {key: list(value) if isinstance(value, tuple) else value for key, (value, _) in readable.stated.items()}
    return Content(
        config=config.name,
        command=_command(data, config, stated),
        source=source,
        reasons={key: reason for key, (_, reason) in readable.stated.items()},
        rows=len(table),
        target=seen,
        looks=looks,
        split=split,
        why_split=why,
        hints=tuple(_hints(looks, series)),
        warnings=(),
        model=_model(looks),
    )


def _command(data: Path, config: Path, target: str | None) -> str:
    command = ["mltrain", "init", *([config.name] if config.name != config_name(data) else []), "--data", str(data)]
    return printable(shlex.join([*command, *([] if target is None else ["--target", target])]))


def _path_text(data: Path, config: Path) -> str:
    folder = config.absolute().parent
    path = os.path.relpath(data.absolute(), folder)
    # A path that begins with ~ is one in the home of a user.
    return f"../{folder.name}/{path}" if path.startswith("~") else path


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
    return MODEL_OF_A_TABLE if arrays[0].kind == "array" else "cnn"


def _time_split(series: Look, target: TargetLook) -> tuple[Mapping[str, Any], str]:
    split = {"type": "time", "column": series.name, "validation": 0.2, "test": 0.2}
    why = (
        f"there is one row for each {series.name}, in order: the newest rows are the test, as neighbours in both would "
        "make the score too good"
    )
    if target.task is not None and KINDS[target.task].of_numbers:  # windows forecast numbers only
        why += f". To forecast from earlier rows, add `windows: {{length: 12}}` here and set {series.name} to ignore"
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
    content = replace(content, rows=content.rows or sum(found.rows.values()))
    leaks = {
        each.key.removeprefix("data.features."): each for each in found.findings if each.finding == "leaked_feature"
    }
    looks = [_with_leak(look, leaks[look.name]) if look.name in leaks else look for look in content.looks]
    if looks and all(look.kind == "ignore" for look in looks):
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
    if content.warnings:
        notes.append("some rows are there more than once: see the comment at data.split")
    if content.hints:
        other = " or ".join(
            f"by {hint.split['type']} ({printable(str(hint.split['column']))})" for hint in content.hints
        )
        notes.append(f"another split may be right, {other}: see the comment at data.split")
    ignored = [printable(look.name) for look in content.looks if look.kind == "ignore"]
    if ignored and len(ignored) < len(content.looks):
        some = ", ".join(ignored[:6]) + (f" and {len(ignored) - 6} more" if len(ignored) > 6 else "")
        notes.append(f"ignored: {some}")
    return notes
