"""A folder of runs: each is trained as `train` trains it, unless it is finished, and resumed where it is not.

TensorFlow is imported by the first run that is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mltrain.config.load import Loaded
from mltrain.errors import InterruptedRunError, RunError
from mltrain.procedures.recorded_config import recorded_config
from mltrain.procedures.resume import asked_epochs, finished
from mltrain.procedures.resumption import FREE_OF_FINISHED, config_differences
from mltrain.procedures.train import Place, TrainRequest, train
from mltrain.report.terminal import Terminal
from mltrain.run.run_folder import RunFolder
from mltrain.run.rundir import RunDirectory
from mltrain.stopwatch import NO_STOPWATCH, Stopwatch
from mltrain.training.signals import Interruption
from mltrain.wording import counted


@dataclass(frozen=True)
class FolderRequest:
    """What a command asks for.

    Attributes:
        configs: of each run, by the number of its fold or its seed.
        folder: where they are, or will be.
        command: the command line, for the record.
        again: the command that continues, without --run-dir and --resume.
        allow_inexact: whether to continue a run although something differs, and mark it.
        verify_export: whether to open each model.keras as its user will.
        profile: whether to note where the time of each run goes.
        quiet: say nothing on stderr.
    """

    configs: Mapping[int, Loaded]
    folder: RunFolder
    command: tuple[str, ...]
    again: str
    allow_inexact: bool = False
    verify_export: bool = False
    profile: bool = False
    quiet: bool = False


def train_runs(request: FolderRequest, interruption: Interruption) -> None:
    """Train every run of a folder that is not finished.

    Raises:
        MltrainError: as `train`; the runs that are finished are kept. A RunError where one of them has another config
            or other data, or is not one of those that are asked for.
    """
    folder, part, count = request.folder, request.folder.kind.part, len(request.configs)
    _refuse_others(request)
    first = next(iter(request.configs))
    for place, (number, loaded) in enumerate(request.configs.items(), start=1):
        path = folder.run(number)
        which = f"{part} {number} of {count}" if part == "fold" else f"{part} {number} ({place} of {count})"
        terminal = Terminal(quiet=request.quiet, progress_every=loaded.spec.training.progress_every)
        if _is_finished(path, loaded):
            terminal.note(f"{which} is finished: {path}")
            continue
        terminal.note(f"{which}: {path}")
        try:
            interruption.raise_if_received()
            train(_of_run(request, path, loaded), interruption, Stopwatch() if request.profile else NO_STOPWATCH)
        except InterruptedRunError as error:
            kept = f"{place - 1} of {counted(count, part)} are finished"
            advice = f"continue with `{request.again} --run-dir {folder.path} --resume`"
            raise InterruptedRunError(f"{error}; {kept}; {advice}", error.exit_code - 128) from error
        _refuse_other_data(folder, first, number)


def _of_run(request: FolderRequest, path: Path, loaded: Loaded) -> TrainRequest:
    return TrainRequest(
        loaded,
        Place(request.folder.path, path, resume=True),
        request.command,
        allow_inexact=request.allow_inexact,
        verify_export=request.verify_export,
        quiet=request.quiet,
    )


def _refuse_others(request: FolderRequest) -> None:
    """Refuse to write results of some of the runs beside others, which would look like a part of them."""
    others = sorted(request.folder.numbers() - request.configs.keys())
    if others:
        part, path = request.folder.kind.part, request.folder.run(others[0])
        raise RunError(f"{path}: this {part} is not one of those that are asked for; choose another --run-dir")


def _is_finished(path: Path, loaded: Loaded) -> bool:
    """Return whether there is nothing left to do for a run.

    Raises:
        RunError: its config was another one, which changes the result.
    """
    run = RunDirectory(path)
    if finished(run, asked_epochs(path, loaded)) is None:
        return False
    before = recorded_config(run, plugins=loaded.plugins).spec
    differences = config_differences(before, loaded.spec, FREE_OF_FINISHED)
    if differences:
        raise RunError(f"{path}: is finished, with another config: {'; '.join(differences)}; choose another --run-dir")
    return True


def _refuse_other_data(folder: RunFolder, first: int, number: int) -> None:
    """Refuse to go on where the data has changed since the first run, before the others are trained in vain."""
    one, other = (RunDirectory(folder.run(each)).record().data for each in (first, number))
    if one is None or other is None or one.sha256 != other.sha256:
        changed = f"the data has changed since {folder.kind.part} {first} was trained"
        raise RunError(f"{folder.run(number)}: {changed}; choose another --run-dir")
