"""`cross-validate`: a run for each fold, made as `train` makes it, then what they say together.

TensorFlow is imported by the first run that is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mltrain.config.load import Loaded
from mltrain.errors import InterruptedRunError, RunError
from mltrain.procedures.folds.results import fold_results
from mltrain.procedures.recorded_config import recorded_config
from mltrain.procedures.resume import asked_epochs, finished
from mltrain.procedures.resumption import config_differences
from mltrain.procedures.train import Place, TrainRequest, train
from mltrain.report.folds import folds_markdown
from mltrain.report.terminal import Terminal
from mltrain.run.fold_folder import FoldFolder
from mltrain.run.folds_form import CrossValidation
from mltrain.run.rundir import RunDirectory
from mltrain.training.signals import Interruption


def cross_validate(
    configs: Sequence[Loaded],
    folder: FoldFolder,
    interruption: Interruption,
    command: tuple[str, ...],
    *,
    quiet: bool = False,
    allow_inexact: bool = False,
) -> CrossValidation:
    """Train every fold that is not finished in the folder, and return what all of them say together.

    Args:
        allow_inexact: whether to go on with a run although something differs, and mark it.

    Raises:
        MltrainError: as `train`; the folds that are finished are kept. A RunError where one of them has another config
            or other data.
    """
    for fold, loaded in enumerate(configs, start=1):
        path = folder.run(fold)
        terminal = Terminal(quiet=quiet, progress_every=loaded.spec.training.progress_every)
        if _is_finished(path, loaded):
            terminal.note(f"fold {fold} of {len(configs)} is finished: {path}")
            continue
        terminal.note(f"fold {fold} of {len(configs)}: {path}")
        try:
            interruption.raise_if_received()
            request = TrainRequest(
                loaded, Place(folder.path, path, resume=True), command, allow_inexact=allow_inexact, quiet=quiet
            )
            train(request, interruption)
        except InterruptedRunError as error:
            kept = f"{fold - 1} of {len(configs)} folds are finished"
            advice = f"continue with `mltrain cross-validate … --run-dir {folder.path} --resume`"
            raise InterruptedRunError(f"{error}; {kept}; {advice}", error.exit_code - 128) from error
        _refuse_other_data(folder, fold)
    found = fold_results(folder, len(configs), configs[0].spec.evaluation.gates, configs[0].plugins)
    folder.write_results(found, folds_markdown(found, configs[0].spec.name))
    return found


def _is_finished(path: Path, loaded: Loaded) -> bool:
    """Return whether there is nothing left to do for a fold.

    Raises:
        RunError: its config was another one, which changes the result.
    """
    run = RunDirectory(path)
    if finished(run, asked_epochs(path, loaded)) is None:
        return False
    before = recorded_config(run, plugins=loaded.plugins).spec
    differences = list(config_differences(before, loaded.spec))
    if before.training.epochs != loaded.spec.training.epochs:
        differences.append(f"training.epochs: {before.training.epochs} became {loaded.spec.training.epochs}")
    if differences:
        raise RunError(f"{path}: is finished, with another config: {'; '.join(differences)}; choose another --run-dir")
    return True


def _refuse_other_data(folder: FoldFolder, fold: int) -> None:
    """Refuse to go on where the data has changed since the first fold, before the others are trained in vain."""
    first, data = (RunDirectory(folder.run(each)).record().data for each in (1, fold))
    if first is None or data is None or first.sha256 != data.sha256:
        raise RunError(f"{folder.run(fold)}: the data has changed since fold 1 was trained; choose another --run-dir")
