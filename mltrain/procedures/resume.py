"""`resume`: what a run directory says before TensorFlow is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mltrain.config.load import Loaded
from mltrain.config.overrides import place_of_override
from mltrain.config.plugins import Plugins
from mltrain.config.resolved import resolved_yaml
from mltrain.errors import ConfigError, RunError, UsageError
from mltrain.experiment.spec import ExperimentSpec
from mltrain.problems import InvalidConfigError, KeyPath, Problem, path_text
from mltrain.procedures.recorded_config import as_when_recorded, recorded_config, refuse_absent
from mltrain.procedures.resumption import PlannedResumption, config_differences
from mltrain.run.checkpoint_files import numbers
from mltrain.run.rundir import RunDirectory
from mltrain.training.spec import TrainingSpec

_RATE = ("training", "optimizer", "learning_rate")
_SHORT_RATE = ("training", "learning_rate")


@dataclass(frozen=True)
class Finished:
    """A run that has nothing left to do.

    Attributes:
        exit_code: as it was recorded: what was missed stays missed.
        reason: why it ended.
        epochs: that were trained.
    """

    exit_code: int
    reason: str
    epochs: int


def finished(run: RunDirectory, epochs: int | None) -> Finished | None:
    """Return how the run ended, where it did and no more epochs are asked for; None where there is something to do.

    Only reads: a finished run is not touched, not even its lock.
    """
    try:
        status = run.status()
    except RunError:
        return None
    if status.state != "finished" or (epochs is not None and epochs > status.epoch):
        return None
    return Finished(status.exit_code or 0, status.reason, status.epoch)


def asked_epochs(path: Path, loaded: Loaded) -> int | None:
    """Return the epochs of a config that is given again, where they are more than the run's own config says."""
    try:
        before = recorded_config(RunDirectory(path), plugins=loaded.plugins)
    except (RunError, ConfigError):
        return None
    asked, trained = loaded.spec.training.stated_epochs, before.spec.training.stated_epochs
    if asked is None:
        return None
    return asked if trained is None or asked > trained else None


def stated_epochs(run: RunDirectory, overrides: Sequence[str], plugins: Plugins | None = None) -> int | None:
    """Return the epochs that a `--set` states; None where none does.

    Raises:
        ConfigError: an override is wrong.
    """
    if not overrides or not run.has_begun():
        return None
    try:
        before = recorded_config(run, plugins=plugins)
    except (RunError, ConfigError):
        return None  # `prepare_resume` says what is wrong with it
    loaded = recorded_config(run, overrides, plugins)
    if len(loaded.spec.training.stages) != len(before.spec.training.stages):
        return None
    path = _epochs_path(loaded.spec.training)
    stated = loaded.root.existing(path) == path and loaded.root.at(path).place.source.override
    return loaded.spec.training.stated_epochs if stated else None


def _epochs_path(training: TrainingSpec) -> KeyPath:
    """Return the key that says how long a training goes on: with stages it is that of the last."""
    return ("training", "stages", len(training.stages) - 1, "epochs") if training.stages else ("training", "epochs")


def _longer(training: TrainingSpec, epochs: int) -> tuple[str, ...]:
    """Return the overrides that make a training as long as is asked for.

    Raises:
        UsageError: the stages before the last are longer than that.
    """
    if training.stages:
        before, last = training.epochs_before_the_last_stage, len(training.stages) - 1
        if epochs <= before:
            raise UsageError(f"--epochs {epochs}: the stages before the last have {before} epochs: ask for more")
        return (f"training.stages[{last}].epochs={epochs - before}",)
    more = f"training.epochs={epochs}"
    return (more,) if training.budget is None else ("training.budget=null", more)


def refuse_without_effect(run: RunDirectory, overrides: Sequence[str], plugins: Plugins | None = None) -> None:
    """Refuse values that a finished run cannot use, as it does not train any more.

    Raises:
        UsageError: names them all.
    """
    others = [each for each in overrides if stated_epochs(run, (each,), plugins) is None]
    if others:
        verb = "has" if len(others) == 1 else "have"
        raise UsageError(
            f"--set {', '.join(others)} {verb} no effect: the run is finished; use --epochs to train longer"
        )


def resumed_experiment(
    run: RunDirectory, overrides: Sequence[str], epochs: int | None, plugins: Plugins | None
) -> ExperimentSpec | None:
    """Return the experiment that a run would be resumed with; None where nothing is left to do. Arguments and errors as
    for `prepare_resume`."""
    if not run.has_begun() or finished(run, epochs) is not None:
        return None
    more = () if epochs is None else _longer(recorded_config(run, plugins=plugins).spec.training, epochs)
    return recorded_config(run, (*overrides, *more), plugins).spec


def prepare_resume(
    run: RunDirectory,
    asked: Loaded | None,
    overrides: Sequence[str],
    epochs: int | None,
    allow_inexact: bool,
    command: tuple[str, ...],
    plugins: Plugins | None = None,
) -> tuple[Loaded, PlannedResumption]:
    """Return the config with which a run continues, and what it was so far.

    Args:
        run: that did not finish, or shall be trained for longer.
        asked: a config that was given again; None takes the run's own.
        overrides: of the command line.
        epochs: as many in all; None leaves the number.
        allow_inexact: whether to go on where something differs.
        command: the command line.
        plugins: as for `load`; those of `asked`, where that is given.

    Raises:
        RunError: the run ended before there was anything to go on with.
        ConfigError: an override is wrong.
        UsageError: fewer epochs are asked for than the stages before the last have.
        PluginError: the plugin of one of its components is not there.
    """
    if not run.has_begun():
        raise RunError(
            f"{run.path}: the run ended before all of its first files were written, so there is nothing to resume; "
            f"`mltrain train --resume CONFIG --run-dir {run.path}` starts it again"
        )
    plugins = asked.plugins if asked is not None else plugins
    try:
        before = recorded_config(run, plugins=plugins)
    except ConfigError as error:
        raise RunError(f"{run.path}: config.resolved.yaml is damaged, or of another version: {error}") from error
    more = () if epochs is None else _longer(before.spec.training, epochs)
    if asked is None:
        try:
            loaded = recorded_config(run, (*overrides, *more), plugins)
        except InvalidConfigError as error:
            raise InvalidConfigError([*_first_weights_stay(run, before, overrides), *error.problems]) from error
    else:
        loaded = as_when_recorded(asked, run.record())
    refuse_absent(loaded.spec)
    differences = config_differences(before.spec, loaded.spec)
    longer = epochs is not None and run.has_status() and epochs > run.status().epoch
    resolved = None if loaded.spec == before.spec else resolved_yaml(loaded, again=asked is None).encode()
    return loaded, PlannedResumption(
        run.record(), before.spec, _states_rate(loaded, asked), differences, allow_inexact, longer, resolved, command
    )


def _first_weights_stay(run: RunDirectory, before: Loaded, overrides: Sequence[str]) -> Iterator[Problem]:
    """Yield that it is too late for other first weights. Where the config is valid with them, `refused_changes` says
    so."""
    if not numbers(run.checkpoints, "state"):
        return
    for number, text in enumerate(overrides, start=1):
        key = text.partition("=")[0]
        for stated in before.spec.model.stated_weights():
            name = path_text(stated.path)
            if key == name or key.startswith(f"{name}."):
                message = (
                    "a training that has begun cannot change its first weights: train a new run, or leave this out"
                )
                yield Problem(stated.path, place_of_override(text, number), message)


def _states_rate(loaded: Loaded, asked: Loaded | None) -> bool:
    """Return whether the command line states a learning rate that is a number."""
    training = loaded.spec.training
    of_optimizer = None if training.optimizer is None else training.optimizer.argument("learning_rate")
    for path, rate in ((_RATE, of_optimizer), (_SHORT_RATE, training.learning_rate)):
        stated = loaded.root.existing(path) == path and loaded.root.at(path).place.source.override
        if asked is None and stated and isinstance(rate, float):
            return True
    return False
