"""The files and runs whose weights a training begins with, before anything is read: are they there? No TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltrain.config.load import Loaded, again
from mltrain.config.plugins import Plugins
from mltrain.errors import DataError, PluginError, RunError
from mltrain.first_weights.spec import FirstWeights
from mltrain.models.model import StatedWeights
from mltrain.problems import KeyPath, Problem, path_text, printable

if TYPE_CHECKING:  # `validate` looks for files alone, and needs no NumPy
    from mltrain.procedures.stored_model import StoredModel
    from mltrain.run.rundir import RunDirectory


def with_found_runs(loaded: Loaded, runs_dir: Path) -> Loaded:
    """Return an experiment whose first weights name each run by its path: `latest` is another run tomorrow.

    What is not found stays as it is written, for whoever needs it to say so: a training that continues does not.

    Args:
        loaded: the experiment.
        runs_dir: the folder of runs.
    """
    spec = loaded.spec
    for stated in spec.model.stated_weights():
        if isinstance(stated.source, FirstWeights) and stated.source.run is not None:
            with suppress(RunError):
                found = _found_run(stated.source.run, loaded.path, runs_dir).path.absolute()
                model = _replaced(spec.model, stated.path[1:], FirstWeights(run=str(found)))
                spec = spec.model_copy(update={"model": model})
    return loaded if spec is loaded.spec else replace(loaded, spec=spec)


def stating_found_runs(loaded: Loaded, runs_dir: Path, gates: Sequence[str] = ()) -> Loaded:
    """Return the same as `with_found_runs`, where the paths are overrides: the configs of folds and seeds, which are
    made of the text and the overrides, keep them.

    Args:
        loaded: the experiment.
        runs_dir: the folder of runs.
        gates: of the command line.
    """
    overrides = []
    for stated in loaded.spec.model.stated_weights():
        if isinstance(stated.source, FirstWeights) and stated.source.run is not None:
            with suppress(RunError):
                found = _found_run(stated.source.run, loaded.path, runs_dir).path.absolute()
                overrides.append(f"{path_text((*stated.path, 'run'))}={json.dumps(str(found), ensure_ascii=False)}")
    return again(loaded, overrides, gates) if overrides else loaded


def _found_run(reference: str, config: Path | None, runs_dir: Path) -> RunDirectory:
    """Return a run: by its path beside the config, or as a command would find it."""
    from mltrain.run.opening import open_run

    if config is not None:
        with suppress(RunError, OSError):
            beside = config.absolute().parent / Path(reference)
            if beside.is_dir():
                return open_run(str(beside), runs_dir)
    return open_run(reference, runs_dir)


def _replaced(value: Any, path: KeyPath, new: Any) -> Any:
    """Return a spec, or a mapping inside one, with another value at a path."""
    if not path:
        return new
    if isinstance(value, Mapping):
        return {**value, path[0]: _replaced(value[path[0]], path[1:], new)}
    key = str(path[0])
    return value.model_copy(update={key: _replaced(getattr(value, key), path[1:], new)})


def absent_weight_files(loaded: Loaded) -> tuple[Problem, ...]:
    """Return a problem for each file of first weights that is not there."""
    found = []
    for stated in loaded.spec.model.stated_weights():
        if isinstance(stated.source, FirstWeights) and stated.source.file is not None:
            path = stated.source.file
            if not path.exists():
                found.append(_problem(loaded, stated, "file", f"{printable(str(path))}: no such file"))
    return tuple(found)


def refuse_absent_weights(loaded: Loaded) -> None:
    """Refuse a training whose first weights are not there, before it takes long to find out.

    Raises:
        DataError: names all files that are not there, each at its line.
        RunError: a run is not there, is damaged, or has no weights; at its line.
        PluginError: a run needs a plugin that is not there; at its line.
    """
    if problems := absent_weight_files(loaded):
        raise DataError("\n".join(each.line() for each in problems))
    for stated in loaded.spec.model.stated_weights():
        if isinstance(stated.source, FirstWeights) and stated.source.run is not None:
            try:
                run_with_weights(stated.source.run, loaded.plugins)
            except (RunError, PluginError) as error:
                raise type(error)(_problem(loaded, stated, "run", str(error)).line()) from error


def run_with_weights(path: str, plugins: Plugins | None = None) -> StoredModel:
    """Return the model of a run, whose weights another model shall begin with.

    Args:
        path: of the run.
        plugins: with which its config is read; None takes installed packages alone.

    Raises:
        RunError: it is not there, is damaged, has no weights, or has those of several networks.
        PluginError: the plugin of one of its layers is not there.
    """
    from mltrain.procedures.recorded_parts import refuse_absent_parts
    from mltrain.procedures.stored_model import read_model
    from mltrain.run.opening import open_run

    stored = read_model(open_run(path, Path("runs")), plugins)
    refuse_absent_parts(stored.spec)
    if stored.spec.networks > 1:
        raise RunError(f"{path}: the run is an ensemble of {stored.spec.networks} networks, and one is needed")
    return stored


def _problem(loaded: Loaded, stated: StatedWeights, key: str, message: str) -> Problem:
    path = (*stated.path, key)
    return Problem(path, loaded.root.place_of(path), message)
