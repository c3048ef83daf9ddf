"""From an experiment to a finished run directory, read from top to bottom: `run_experiment` is the whole way.

`train` is what commands call: it starts a run or resumes one. TensorFlow is imported once the run directory is there: a
config that is wrong, or a place that is taken, is said at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mltrain.config.load import Loaded
from mltrain.config.plugins import Plugins
from mltrain.config.resolved import resolved_yaml
from mltrain.gates.judging import judge
from mltrain.procedures.failures import recorded_failures
from mltrain.procedures.recorded_config import own_metrics_record
from mltrain.procedures.recorded_parts import own_parts_record
from mltrain.procedures.resume import Finished, asked_epochs, finished, prepare_resume, refuse_without_effect
from mltrain.procedures.resumption import PlannedResumption
from mltrain.procedures.run_context import RunContext
from mltrain.procedures.weight_sources import refuse_absent_weights
from mltrain.procedures.word_vectors import refuse_absent_files
from mltrain.report.terminal import Terminal
from mltrain.run.locked_run import LockedRun
from mltrain.run.opening import create_run, lock_run, start_or_resume
from mltrain.run.record import Record, start_record
from mltrain.run.results import Judgement, Results
from mltrain.run.rundir import RunDirectory
from mltrain.stopwatch import NO_STOPWATCH, NoStopwatch
from mltrain.tensorflow_start import start_tensorflow
from mltrain.training.signals import Interruption

if TYPE_CHECKING:
    from mltrain.comparison.against import ReferenceRun
    from mltrain.workers.team import Team

# What is done with the directory of a run before anything else: the second is the experiment of a new run.
Announce = Callable[[LockedRun, Loaded | None], object]


@dataclass(frozen=True)
class Place:
    """Where a run is written.

    Attributes:
        runs_dir: the folder of runs, in which a new one is made.
        run_dir: exactly this directory instead.
        name: the folder of a new run in `runs_dir`; None takes the name of the experiment.
        resume: whether there may be a run in `run_dir`, which is resumed.
    """

    runs_dir: Path
    run_dir: Path | None = None
    name: str | None = None
    resume: bool = False


@dataclass(frozen=True)
class TrainRequest:
    """What a command asks for.

    Attributes:
        loaded: the experiment; None where the run in `place` is resumed with the config that it has.
        place: where the run is, or shall be.
        command: the command line, for the record.
        overrides: of the config that the run has.
        epochs: to train to, where the run is resumed with its own config; None leaves the number.
        allow_inexact: whether to resume although something differs, and mark the run.
        verify_export: whether to open model.keras as its user will.
        against: a run that this one must not be worse than.
        quiet: say nothing on stderr.
        notes: what to say first, a sentence each.
        lines_of_gates: how many lines the command prints after the end of a run with so many gates.
        plugins: with which the config that the run has is read; None takes installed packages alone.
        team: of workers that train together, of which this one is the first; None where it trains alone.
    """

    loaded: Loaded | None
    place: Place
    command: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    epochs: int | None = None
    allow_inexact: bool = False
    verify_export: bool = False
    against: ReferenceRun | None = None
    quiet: bool = False
    notes: tuple[str, ...] = ()
    lines_of_gates: Callable[[int], int] = lambda gates: 0
    plugins: Plugins | None = None
    team: Team | None = None

    def asked_epochs(self) -> int | None:
        """Return the epochs that are asked for, where they are more than the run's own config says."""
        if self.loaded is None or self.place.run_dir is None:
            return self.epochs
        return asked_epochs(self.place.run_dir, self.loaded)


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        run: the finished run.
        results: of the run.
        judged: the gates of the config, and the comparison with another run.
        finished: how the run had ended before, where nothing was left to do.
    """

    run: RunDirectory
    results: Results
    judged: tuple[Judgement, ...]
    finished: Finished | None = None


def train(
    request: TrainRequest,
    interruption: Interruption,
    stopwatch: NoStopwatch = NO_STOPWATCH,
    announce: Announce = lambda run, loaded: None,
) -> Outcome:
    """Start a run, or resume one, and train it to its end. Whatever happens, status.json says how it ended.

    When a resumption ends with an error, the run is what it was before, but for a training that diverged, a signal, and
    a run that was not finished and has come further.

    Args:
        request: what is asked for.
        interruption: of this process.
        stopwatch: notes where the time goes.
        announce: is given the directory of the run, before anything else is done with it.

    Raises:
        MltrainError: as the error says; what was trained so far is kept. A RunError where a resumption differs from
            what the run was in something that changes the result, or where no checkpoint is valid.
    """
    place, loaded = request.place, request.loaded
    # A signal waits for the next phase or chunk of steps: an exception in the middle of an import, or of Keras, would
    # land in a try of somebody else's; and a run without its first files could not be resumed.
    with interruption.deferred():
        epochs = None
        if place.run_dir is not None and place.resume:
            epochs = request.asked_epochs()
            ended = finished(RunDirectory(place.run_dir), epochs)
            if ended is not None:
                return _as_it_is(request, RunDirectory(place.run_dir), ended)
        run, begun = _opened(place, loaded)
        with run:
            announce(run, None if begun else loaded)
            planned = None
            if begun or loaded is None:
                loaded, planned = prepare_resume(
                    run,
                    loaded,
                    request.overrides,
                    epochs,
                    request.allow_inexact,
                    request.command,
                    request.plugins,
                )
            context = _context(request, loaded, run, interruption, stopwatch, planned)
            with recorded_failures(loaded, context):
                record = _first_record(request, loaded, context, planned)
                if planned is None:
                    refuse_absent_files(loaded)
                    refuse_absent_weights(loaded)
                results = run_experiment(loaded, context, record, planned, request.verify_export)
            against = () if request.against is None else (request.against.judge(run),)
            return Outcome(run, results, results.gates + against)


def run_experiment(
    loaded: Loaded,
    context: RunContext,
    record: Record,
    planned: PlannedResumption | None = None,
    verify_export: bool = False,
) -> Results:
    """Train an experiment into the run of `context`, and return its results.

    Args:
        loaded: the experiment.
        context: of the run: locked, and empty or resumed.
        record: of this process, as far as it is known without the data.
        planned: how the run is resumed; None for a new one.
        verify_export: whether to open model.keras as its user will.
    """
    context.begin("importing TensorFlow")
    printed = start_tensorflow()
    from mltrain.procedures.boosting import boosting_beside
    from mltrain.procedures.budget import within_budget
    from mltrain.procedures.finish import finish, prove
    from mltrain.procedures.first_weights import fetch_imagenet
    from mltrain.procedures.fitting import get_ready, train_network, write_first_files
    from mltrain.procedures.leading import prepare_others
    from mltrain.procedures.rate_test import with_found_rate
    from mltrain.procedures.results import write_results
    from mltrain.procedures.setup import set_up

    if planned is None:  # a training that continues has its weights
        fetch_imagenet(loaded.spec, context.download)
    determinism = planned.before.determinism if planned is not None else {}
    epochs, rate = (planned.before.epochs, planned.before.learning_rate) if planned is not None else (None, None)
    setup = set_up(loaded.spec, context, determinism, epochs, rate)
    setup = with_found_rate(loaded.spec, setup, context, determinism)
    setup = within_budget(loaded.spec, setup, context, determinism)
    boosting = boosting_beside(setup.spec.evaluation, setup.prepared, setup.spec.seed)

    context.stopwatch.turn_to("run files")
    ready = get_ready(setup, record, context, planned)
    if context.team is not None:
        devices = prepare_others(loaded, ready.setup, ready.record, context, context.team)
        ready = ready.with_devices(devices)
    context.write_from_now_on()
    context.run.log(printed)
    write_first_files(ready, context, planned)
    context.run.become_latest()

    context.stopwatch.turn_to("other")
    context.turn_to("training", ready.checkpoints.last_epoch, ready.checkpoints.step)
    fitted = train_network(ready, context)
    if context.team is not None:
        context.team.leave()  # what follows is done by one

    context.stopwatch.turn_to("measuring the splits")
    context.turn_to("evaluating", fitted.last_epoch, fitted.steps)
    results = write_results(setup, fitted, context, boosting)

    record = prove(setup, ready.record, context, verify_export)
    finish(setup, fitted, results, record, context)
    return results


def _opened(place: Place, loaded: Loaded | None) -> tuple[LockedRun, bool]:
    """Return the run, locked, and whether it has begun.

    Raises:
        ValueError: there is neither an experiment to start nor a run to resume.
    """
    if place.resume and place.run_dir is not None:
        return (lock_run(place.run_dir), True) if loaded is None else start_or_resume(place.run_dir)
    if loaded is None:
        raise ValueError("a run without an experiment can only be resumed, in a directory that is named")
    return create_run(place.runs_dir, place.name or loaded.spec.name, place.run_dir), False


def _as_it_is(request: TrainRequest, run: RunDirectory, ended: Finished) -> Outcome:
    """Return what there is of a run that has nothing left to do.

    The gates may differ from those of the training: they are judged by what was measured then.

    Raises:
        UsageError: values are given that it cannot use, as it does not train any more.
    """
    refuse_without_effect(run, request.overrides, request.plugins)
    results, loaded = run.results(), request.loaded
    gates = results.gates if loaded is None else judge(loaded.spec.evaluation.gates, results.splits)
    against = () if request.against is None else (request.against.judge(run),)
    return Outcome(run, results, gates + against, ended)


def _context(
    request: TrainRequest,
    loaded: Loaded,
    run: LockedRun,
    interruption: Interruption,
    stopwatch: NoStopwatch,
    planned: PlannedResumption | None,
) -> RunContext:
    """Return the context of a run, whose terminal has said the first notes."""
    inexact = planned is not None and planned.may_be_inexact
    gates = sum(gate.of_run for gate in loaded.spec.evaluation.gates) + (request.against is not None)
    # Also the note of --verify-export, the sentence on what was resumed with changes, and the error of --against.
    below = request.lines_of_gates(gates) + 2 * (request.verify_export + inexact + (request.against is not None))
    terminal = Terminal(quiet=request.quiet, progress_every=loaded.spec.training.progress_every, below=below)
    for note in request.notes:
        terminal.note(note)
    stopwatch.turn_to("run files")
    context = RunContext(run, terminal, interruption, stopwatch, resumed=planned is not None, team=request.team)
    context.plugins = loaded.plugins
    return context


def _first_record(
    request: TrainRequest, loaded: Loaded, context: RunContext, planned: PlannedResumption | None
) -> Record:
    """Return what is recorded of this process before TensorFlow is there; a new run gets its first files."""
    run, own_metrics = context.run, own_metrics_record(loaded.spec.evaluation.stated_metrics)
    own_parts = own_parts_record(loaded.spec)
    if planned is not None:
        return start_record(request.command, run.path).with_values(
            started=planned.before.started,
            command=planned.before.command,
            git=planned.before.git,
            defaults=planned.before.defaults,
            own_metrics=own_metrics,
            own_parts=own_parts,
        )
    run.write_config(loaded.text)
    run.write_resolved(resolved_yaml(loaded).encode())
    record = start_record(request.command, loaded.path.absolute().parent if loaded.path else run.path)
    record = record.with_values(own_metrics=own_metrics, own_parts=own_parts, workers=context.workers)
    if loaded.written is not None:  # the config of an older run, which is reproduced
        record = record.with_values(defaults=1)
    run.write_record(record)
    return record
