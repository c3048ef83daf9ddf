"""The text of a first config: YAML with comments on what was seen in the data. It is read back before it is written."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mltrain.config.yaml_text import scalar_text, value_text
from mltrain.problems import printable, shortened
from mltrain.procedures.drafting.column_looks import Look
from mltrain.procedures.drafting.target_look import TargetLook
from mltrain.wording import counted, listed

# The model of a first experiment on a table, and how it is trained: stated here alone.
MODEL_OF_A_TABLE = "tabular"
TRAINING_OF_A_TABLE = """\
# training:                          # epochs, batch size and learning rate follow from the number of rows
#   budget: {seconds: 60}            # or say how long it may take
"""
TRAINING = """\
training:
  epochs: 100                        # at most
  callbacks:
    - {type: EarlyStopping, patience: 10}   # ends when 10 epochs in a row were not better
"""

# A config with a line for each of many columns is no longer read.
_MOST_LINES = 100
_WIDTH = 110
_NAMED = 6
# YAML looks for the colon behind a key in 1024 characters. What a longer one is, is found in a training.
_LONGEST_KEY = 500
# With fewer rows, those of the test measure coarsely.
_FEW_ROWS = 500


@dataclass(frozen=True)
class Hint:
    """A split that may be right, as a comment.

    Attributes:
        sentences: why.
        split: what to write for it.
    """

    sentences: str
    split: Mapping[str, Any]


@dataclass(frozen=True)
class Content:
    """What a config says, and what was seen.

    Attributes:
        config: the name of the file.
        command: how it was made.
        source: the keys of `data.source`.
        reasons: why a key of the source is stated, by key.
        rows: how many there are.
        target: what is predicted.
        looks: the other columns.
        split: the keys of `data.split`.
        why_split: of it; empty for a random one.
        hints: other splits.
        warnings: what the audit found of the rows.
        model: its type.
    """

    config: str
    command: str
    source: Mapping[str, Any]
    reasons: Mapping[str, str]
    rows: int
    target: TargetLook | None
    looks: Sequence[Look]
    split: Mapping[str, Any]
    why_split: str
    hints: Sequence[Hint]
    warnings: Sequence[str]
    model: str


def draft_text(content: Content, name: str, schema: str) -> str:
    """Return the YAML; `name` is that of the experiment, `schema` of the file for the editor."""
    return "\n".join([*_head(content, name, schema), *_data(content), "", *_model_and_training(content), ""])


def _head(content: Content, name: str, schema: str) -> Iterator[str]:
    config = printable(content.config)
    yield f"# yaml-language-server: $schema={schema}"
    yield "#"
    yield f"# Written by `{content.command}`. It runs as it is:"
    yield "#"
    yield f"#   mltrain train {shlex.quote(config)}"
    yield "#"
    yield from _comment("The comments say what was seen in the file. Your editor explains each key.", "")
    yield ""
    yield "version: 1"
    yield _beside(f"name: {name}", f"runs go to runs/{name}/")
    yield _beside("seed: 42", "all random numbers follow from it")
    if content.target is not None and content.target.may_be_numbers:
        yield _beside("# task: regression", content.target.may_be_numbers)
    yield ""


def _data(content: Content) -> Iterator[str]:
    yield "data:"
    yield from _source(content)
    target = content.target
    if target is not None:
        for sentence in target.sentences:
            yield from _comment(sentence, "  ")
        if target.may_be_numbers:
            yield from _comment("the classes are numbers: for a rating or a count, see `task: regression` above", "  ")
        stated = {"column": target.name, "missing": "skip"} if target.lacking else target.name
        yield f"  target: {value_text(stated)}"
    yield from _splits(content)
    yield from _features(content)


def _source(content: Content) -> Iterator[str]:
    line = f"  source: {value_text(dict(content.source))}"
    if not any(content.reasons.values()) and len(line) <= _WIDTH:
        yield line
        return
    yield "  source:"
    for key, value in content.source.items():
        text, reason = f"    {key}: {value_text(value)}", content.reasons.get(key, "")
        if reason and len(text) + len(reason) > _WIDTH:
            yield from _comment(reason, "    ")
            reason = ""
        yield _beside(text, reason)


def _splits(content: Content) -> Iterator[str]:
    for warning in content.warnings:
        yield from _comment(f"WARNING: {warning}", "  ")
    if content.why_split:
        yield from _comment(content.why_split, "  ")
    if content.rows < _FEW_ROWS and not content.why_split:
        few = (
            f"{counted(content.rows, 'row')} are few: the test rows measure coarsely. `mltrain cross-validate "
            f"{shlex.quote(printable(content.config))} --folds 5` uses each row for the test once"
        )
        yield from _comment(few, "  ")
    yield f"  split: {value_text(dict(content.split))}"
    for hint in content.hints:
        yield from _comment(f"{hint.sentences}:", "  ")
        yield f"  # split: {value_text(dict(hint.split))}"


def _features(content: Content) -> Iterator[str]:
    looks = content.looks
    wide = len(looks) > _MOST_LINES
    if wide:
        same, others = "every row has ", [each for each in looks if each.inferred and not each.remark]
        looks = [each for each in looks if each not in others and not each.holds.startswith(same)]
        constant = [each.name for each in content.looks if each.holds.startswith(same)]
        for kind in dict.fromkeys(each.kind for each in others if each.name not in constant):
            names = [each.name for each in others if each.kind == kind and each.name not in constant]
            yield from _comment(f"{counted(len(names), 'column')} of the kind {kind}: {_listed(names)}", "  ")
        if constant:
            have = f"the same value in every row: {_listed(constant)}"
            yield from _comment(f"{counted(len(constant), 'column')} with {have}", "  ")
    if not looks:
        return
    if all(each.kind == "ignore" for each in content.looks):  # what there is to learn from is found in a training
        yield from _comment(
            "no column is a number, a category or a date; what is learned from is decided in training", "  "
        )
        return
    yield _beside("  features:", "the kind of each column; `ignore` leaves it out")
    lines = [(each, f"    {scalar_text(each.name)}: {each.kind}") for each in looks if len(each.name) < _LONGEST_KEY]
    indent = min(max((len(line) for _, line in lines), default=0) + 2, 40)
    for look, line in lines:
        holds = "" if look.kind == "ignore" and look.remark else look.holds
        words = "; ".join(filter(None, (holds, look.remark)))
        if max(len(line) + 2, indent) + len(words) + 2 > _WIDTH or look.remark.startswith("WARNING"):
            yield from _comment(look.remark or words, "    ")
            words = holds if look.remark else ""
        yield f"{line.ljust(indent - 1)} # {_plain(words)}" if words else line


def _model_and_training(content: Content) -> Iterator[str]:
    yield f"model: {{type: {content.model}}}"
    yield ""
    of_table = content.model == MODEL_OF_A_TABLE
    yield (TRAINING_OF_A_TABLE if of_table else TRAINING).rstrip()
    rare = "" if content.target is None else content.target.rare
    if rare:
        key = "#   class_weight: balanced" if of_table else "  # class_weight: balanced"
        yield _beside(key, f"{rare}: its rows would count more in the loss")
        if content.target is not None and content.target.task == "binary":
            yield ""
            yield "# evaluation:"
            yield _beside("#   threshold: {aim: f1}", "chosen on the validation rows, in place of 0.5")


def _beside(line: str, comment: str) -> str:
    return f"{line.ljust(36)} # {_plain(comment)}" if comment else line


def _comment(text: str, indent: str) -> Iterator[str]:
    """Yield a text as lines of a comment."""
    mark = f"{indent}# "
    lines = textwrap.wrap(_plain(text), _WIDTH - len(mark), break_long_words=False, break_on_hyphens=False)
    yield from (f"{mark}{line}" for line in lines)


def _plain(text: str) -> str:
    """Return a text in one line without characters that YAML or a terminal would obey."""
    return re.sub(r"\s+", " ", printable(text)).strip()


def _listed(names: Sequence[str]) -> str:
    return listed([shortened(name, 40) for name in names], _NAMED)
