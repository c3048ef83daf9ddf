"""A folder of runs: each is trained as `train` trains it, unless it is finished, and resumed where it is not.

TensorFlow is imported by the first run that is trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mltrain.config.load import Loaded, again
from mltrain.errors import ConfigError, InterruptedRunError, RunError
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
        gates: of the command line.
        plugins: the files of `--plugin`.
        parallel: how many runs are trained at once, each in a process of its own; 1 trains here, one after another.
    """

    configs: Mapping[int, Loaded]
    folder: RunFolder
    command: tuple[str, ...]
    again: str
    allow_inexact: bool = False
    verify_export: bool = False
    profile: bool = False
    quiet: bool = False
    gates: tuple[str, ...] = ()
    plugins: tuple[Path, ...] = ()
    parallel: int = 1

    def which(self, number: int) -> str:
        """Return which run it is, in words."""
        part, count = self.folder.kind.part, len(self.configs)
        place = list(self.configs).index(number) + 1
        return f"{part} {number} of {count}" if part == "fold" else f"{part} {number} ({place} of {count})"

    def stopped(self, error: InterruptedRunError, finished: int) -> InterruptedRunError:
        """Return the error of a signal, with how many runs are finished, and how to continue."""
        kept = f"{finished} of {counted(len(self.configs), self.folder.kind.part)} are finished"
        return InterruptedRunError(f"{error}; {kept}; {self.advice}", error.exit_code - 128)

    @property
    def advice(self) -> str:
        """How to continue, in words."""
        return f"continue with `{self.again} --run-dir {self.folder.path} --resume`"


def train_runs(request: FolderRequest, interruption: Interruption) -> None:
    """Train every run of a folder that is not finished.

    Raises:
        MltrainError: as `train`; the runs that are finished are kept. A RunError where one of them has another config
            or other data, or is not one of those that are asked for.
    """
    refuse_others(request)
    trained: list[int] = []
    for number, config in request.configs.items():
        path, which = request.folder.run(number), request.which(number)
        loaded = with_threads(config, path, request.gates)
        terminal = Terminal(quiet=request.quiet, progress_every=loaded.spec.training.progress_every)
        if is_finished(path, loaded):
            terminal.note(f"{which} is finished: {path}")
            trained.append(number)
            continue
        terminal.note(f"{which}: {path}")
        try:
            interruption.raise_if_received()
            train(_of_run(request, path, loaded), interruption, Stopwatch() if request.profile else NO_STOPWATCH)
        except InterruptedRunError as error:
            raise request.stopped(error, len(trained)) from error
        trained.append(number)
        refuse_other_data(request.folder, trained[0], number)


def with_threads(loaded: Loaded, path: Path, gates: Sequence[str], share: int | Literal["auto"] = "auto") -> Loaded:
    """Return the config of a run with a number of threads: that with which it has begun, so that it continues exactly.

    Args:
        loaded: the config; a number that it states stays.
        path: of the run.
        gates: of the command line.
        share: what a run that has not begun gets.
    """
    if loaded.spec.threads != "auto":
        return loaded
    with suppress(RunError, ConfigError):
        share = recorded_config(RunDirectory(path), plugins=loaded.plugins).spec.threads
    return loaded if share == "auto" else again(loaded, [f"threads={share}"], gates)


def _of_run(request: FolderRequest, path: Path, loaded: Loaded) -> TrainRequest:
    return TrainRequest(
        loaded,
        Place(request.folder.path, path, resume=True),
        request.command,
        allow_inexact=request.allow_inexact,
        verify_export=request.verify_export,
        quiet=request.quiet,
    )


def refuse_others(request: FolderRequest) -> None:
    """Refuse to write results of some of the runs beside others, which would look like a part of them."""
    others = sorted(request.folder.numbers() - request.configs.keys())
    if others:
        part, path = request.folder.kind.part, request.folder.run(others[0])
        raise RunError(f"{path}: this {part} is not one of those that are asked for; choose another --run-dir")


def is_finished(path: Path, loaded: Loaded) -> bool:
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


def refuse_other_data(folder: RunFolder, first: int, number: int) -> None:
    """Refuse to go on where the data has changed since the first run, before the others are trained in vain."""
    one, other = (RunDirectory(folder.run(each)).record().data for each in (first, number))
    if one is None or other is None or one.sha256 != other.sha256:
        changed = f"the data has changed since {folder.kind.part} {first} was trained"
        raise RunError(f"{folder.run(number)}: {changed}; choose another --run-dir")
