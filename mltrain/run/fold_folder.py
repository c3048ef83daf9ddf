"""The folder of a cross-validation: a run directory for each fold, and what they say together."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mltrain.errors import RunExistsError
from mltrain.run import durable
from mltrain.run.json_text import to_json
from mltrain.run.layout import FOLDS, FOLDS_CARD
from mltrain.run.opening import new_directory
from mltrain.run.references import FOLDS_PREFIX

if TYPE_CHECKING:  # `show` of a run asks only whether there are folds
    from mltrain.run.folds_form import CrossValidation

_PART = re.compile(rf"fold-[1-9][0-9]*|{re.escape(FOLDS)}|{re.escape(FOLDS_CARD)}|{re.escape(durable.TEMPORARY)}.*")


class FoldFolder:
    """A folder of folds."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, fold: int) -> Path:
        """Return the run directory of a fold, counted from 1, which may not be there yet."""
        return self.path / f"fold-{fold}"

    def has_results(self) -> bool:
        """Return whether all folds were finished once."""
        return os.path.lexists(self.path / FOLDS)

    def results(self) -> CrossValidation:
        """Return what its runs say together; a RunError where that is not there, or damaged."""
        from mltrain.run.folds_form import read_folds

        return read_folds(self.path)

    def write_results(self, found: CrossValidation, markdown: bytes) -> None:
        """Keep what its runs say together. No times belong here: equal runs give equal bytes."""
        content = to_json(found.model_dump(mode="json"), exact=True)
        durable.write_files(self.path, {FOLDS_CARD: markdown, FOLDS: content})


def fold_folder(runs_dir: Path, name: str, path: Path | None, *, go_on: bool) -> FoldFolder:
    """Make the folder of a cross-validation, or take one up.

    Args:
        runs_dir: the folder of runs; it becomes `runs_dir/name/folds-<UTC time>-<4 hex>`.
        name: of the experiment.
        path: exactly this folder instead.
        go_on: whether there may be folds in it already.

    Raises:
        RunExistsError: `path` is no folder, or holds something that may not be there.
        ConfigError: `name` cannot be part of a path.
        WriteError: it cannot be made.
    """
    if path is None:
        return FoldFolder(new_directory(runs_dir, name, FOLDS_PREFIX))
    path = durable.without_links(path)
    if path.exists() and not path.is_dir():
        raise RunExistsError(f"{path}: exists and is not a directory; choose another --run-dir")
    durable.make_directories(path)
    names = sorted(entry.name for entry in path.iterdir())
    foreign = [name for name in names if not _PART.fullmatch(name)]
    if foreign:
        raise RunExistsError(
            f"{path}: already exists and contains {foreign[0]!r}, which is not part of a cross-validation"
        )
    if names and not go_on:
        raise RunExistsError(f"{path}: already exists and is not empty; choose another --run-dir, or use --resume")
    durable.remove_leftovers(path)
    return FoldFolder(path)
