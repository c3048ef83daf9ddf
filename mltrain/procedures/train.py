"""`train` and `resume`: from a loaded experiment to a finished run directory, read from top to bottom.

TensorFlow is imported inside, once the run directory is made: a config that is wrong, or a place that is taken, is
said at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mltrain.config.load import Loaded
from mltrain.config.resolved import resolved_yaml
from mltrain.errors import VerdictError
from mltrain.experiment.spec import ExperimentSpec
from mltrain.experiment.target_scale import own_units
from mltrain.procedures.architecture import architecture_of
from mltrain.procedures.course import Course
from mltrain.procedures.going_on import GoingOn, resumed_sentence
from mltrain.procedures.plan import make_plan
from mltrain.procedures.recorded_config import own_metrics_record
from mltrain.procedures.told_in_status import told_in_status
from mltrain.report.terminal import Terminal
from mltrain.run.locked_run import LockedRun
from mltrain.run.profile import profile_of
from mltrain.run.proof import decision_fingerprint, json_fingerprint
from mltrain.run.record import Data, Device, Record, Threads, changes_sentence, row_fingerprint, start_record
from mltrain.run.status import Status, now, status
from mltrain.stopwatch import NO_STOPWATCH, NoStopwatch
from mltrain.task import Decision
from mltrain.tensorflow_start import start_tensorflow
from mltrain.training.signals import Interruption

if TYPE_CHECKING:
    from mltrain.data.preparation import Prepared
    from mltrain.procedures.fitting import Fitted, Ready
    from mltrain.procedures.network import Network
    from mltrain.run.results import Results
    from mltrain.training.acceleration import Precision


def train(
    loaded: Loaded,
    run: LockedRun,
    terminal: Terminal,
    interruption: Interruption,
    command: tuple[str, ...],
    stopwatch: NoStopwatch = NO_STOPWATCH,
    verify_export: bool = False,
) -> Results:
    """Train an experiment into an empty, locked run directory, and return its results.

    Whatever happens, status.json says how it ended. With `verify_export`, model.keras is opened as its user will.

    Raises:
        MltrainError: as the error says; what was trained so far is kept.
    """
    stopwatch.turn_to("run files")
    course = Course(run, interruption, stopwatch, resumed=False)
    # A signal waits for the next phase or chunk of steps: an exception in the middle of an import, or of Keras, would
    # land in a try of somebody else's.
    with told_in_status(loaded, run), interruption.deferred():
        run.write_config(loaded.text)
        run.write_resolved(resolved_yaml(loaded).encode())
        record = start_record(command, loaded.path.absolute().parent if loaded.path else run.path)
        record = record.with_values(own_metrics=own_metrics_record(loaded.spec.evaluation.metrics))
        if loaded.written is not None:  # the config of an older run, which is reproduced
            record = record.with_values(defaults=1)
        run.write_record(record)
        return _train(loaded.spec, run, terminal, course, interruption, stopwatch, record, None, verify_export)


def resume(
    loaded: Loaded,
    run: LockedRun,
    terminal: Terminal,
    interruption: Interruption,
    going_on: GoingOn,
    stopwatch: NoStopwatch = NO_STOPWATCH,
    verify_export: bool = False,
) -> Results:
    """Resume a run from its newest valid checkpoint; returns as `train`.

    Everything is read before the first byte is written. When it ends with an error, the run is what it was before, but
    for a training that diverged, a signal, and a run that was not finished and has come further.

    Args:
        loaded: the run's own resolved config, with what may change.
        run: locked.
        terminal: where to say what happens.
        interruption: of this process.
        going_on: what the run was so far, and whether differences are allowed.
        stopwatch: notes where the time goes.
        verify_export: whether to open model.keras as its user will.

    Raises:
        MltrainError: as `train`; a RunError where something differs that changes the result, or where there are
            checkpoints and none is valid.
    """
    stopwatch.turn_to("run files")
    before = going_on.before
    course = Course(run, interruption, stopwatch, resumed=True)
    try:
        with told_in_status(loaded, run, lambda: course.writes), interruption.deferred():
            record = start_record(going_on.command, run.path).with_values(
                started=before.started,
                command=before.command,
                git=before.git,
                defaults=before.defaults,
                own_metrics=own_metrics_record(loaded.spec.evaluation.metrics),
            )
            results = _train(
                loaded.spec, run, terminal, course, interruption, stopwatch, record, going_on, verify_export
            )
    except BaseException as error:
        course.ended(error)
        raise
    course.ended()
    return results


def _train(  # noqa: PLR0915 (the main path, one step after the other)
    spec: ExperimentSpec,
    run: LockedRun,
    terminal: Terminal,
    course: Course,
    interruption: Interruption,
    stopwatch: NoStopwatch,
    record: Record,
    going_on: GoingOn | None,
    verify_export: bool,
) -> Results:
    course.begin("importing TensorFlow")
    printed = start_tensorflow()
    from mltrain.data.preparation import prepare
    from mltrain.procedures.changed_settings import former_training, refused_changes
    from mltrain.procedures.checkpoints import newest_valid
    from mltrain.procedures.fitting import fit, get_ready
    from mltrain.procedures.forecast_dates import kept_columns
    from mltrain.procedures.network import build_network
    from mltrain.procedures.pixel_range import with_pixel_findings
    from mltrain.procedures.results import write_results
    from mltrain.procedures.slices import fit_slices
    from mltrain.training.acceleration import accelerate, choose_precision
    from mltrain.training.class_weights import class_weight_decision
    from mltrain.training.devices import choose_device

    device = choose_device(spec.device, spec.threads)

    course.begin("reading the data")
    prepared = prepare(spec.data, spec.seed, spec.task, kept_columns(spec), own_units(spec), stopwatch)
    prepared = with_pixel_findings(prepared, spec)
    slices = fit_slices(spec.evaluation.slices, prepared)
    plan = make_plan(spec, prepared.info, set(prepared.examples), slices.names)

    course.begin("building the model")
    precision, precision_decisions = choose_precision(spec.precision, spec.model.written_layers, device)
    network = build_network(spec, prepared.info, prepared.preprocessing.target, precision)
    before = going_on.before.determinism if going_on is not None else {}
    acceleration = accelerate(network.model, network.updates, device, spec.training, before)
    decisions = (
        Decision("device", f"{device.kind} ({device.name})", device.reason),
        *prepared.decisions,
        network.head.decision,
        *plan.decisions,
        *class_weight_decision(spec.training, prepared.examples["train"].y, prepared.info),
        *precision_decisions,
        *acceleration.decisions,
        network.evaluation_block[1],
    )
    stopwatch.turn_to("run files")
    record = record.with_values(
        device=Device(value=device.kind, reason=device.reason),
        threads=Threads(intra_op=device.intra_op_threads, inter_op=device.inter_op_threads),
        determinism={"op_determinism": False, "precision": precision, **acceleration.determinism},
        seeds={"experiment": spec.seed, "split": _split_seed(spec)},
        slices=slices.edges,
        decisions=decisions,
        **_fingerprints(prepared),
    )
    saved, former = None, None
    if going_on is not None:
        saved = newest_valid(run)
        former = former_training(going_on, network, prepared, plan, run, saved)
        refused = refused_changes(going_on, former, record, network, plan, saved)
        record = going_on.checked(record, saved, tuple(refused), former.differences)
    ready = get_ready(network, prepared, plan, acceleration, run, interruption, stopwatch, saved, former)
    course.write_from_now_on()
    run.log(printed)
    if going_on is not None:
        _write_resumption(run, terminal, going_on, resumed_sentence(saved, run), ready)
    _write_data(run, prepared)
    run.write_architecture(architecture_of(network.model))
    run.write_record(record)
    ready.write_first_files(run)
    course.first_files_are_written()
    terminal.decisions(decisions)
    terminal.audit(prepared.audited.audit)
    stopwatch.turn_to("other")
    course.turn_to("training", ready.checkpoints.last_epoch, ready.checkpoints.step)
    fitted = fit(ready, network, plan, run, terminal, interruption, stopwatch)

    stopwatch.turn_to("measuring the splits")
    course.turn_to("evaluating", fitted.last_epoch, fitted.steps)
    results = write_results(run, network, prepared, plan, fitted, slices.held_out, terminal, interruption, stopwatch)
    record = _with_decision(record, run)
    _prove(run, network, prepared, precision, terminal, interruption, stopwatch, verify_export)
    stopwatch.turn_to("run files")
    _finish(spec, run, terminal, stopwatch, record.with_values(finished=now()), _finished(fitted, results))
    return results


def _write_resumption(run: LockedRun, terminal: Terminal, going_on: GoingOn, sentence: str, ready: Ready) -> None:
    if going_on.resolved is not None:
        run.write_resolved(going_on.resolved)
    for each in (sentence, *ready.notes):
        terminal.note(each)


def _write_data(run: LockedRun, prepared: Prepared) -> None:
    """Keep what is known of the data."""
    if not run.has_splits():
        run.write_splits(dict(prepared.splits.items()))
    run.write_preprocessing(prepared.preprocessing.to_json())
    run.write_reference(prepared.reference.model_dump(mode="json"))
    run.write_audit(prepared.audited.audit)


def _finished(fitted: Fitted, results: Results) -> Status:
    code = 0 if all(gate.passed for gate in results.gates) else VerdictError.exit_code
    return status("finished", fitted.stopped, epoch=fitted.last_epoch, step=fitted.steps, exit_code=code)


def _prove(
    run: LockedRun,
    network: Network,
    prepared: Prepared,
    precision: Precision,
    terminal: Terminal,
    interruption: Interruption,
    stopwatch: NoStopwatch,
    verify_export: bool,
) -> None:
    """Fail where the run does not reproduce its own numbers."""
    from mltrain.procedures.self_check import check_itself

    stopwatch.turn_to("self-check")
    check_itself(run, network, prepared, precision, interruption.raise_if_received)
    if verify_export:
        from mltrain.procedures.verify_export import verify_export as verify

        stopwatch.turn_to("verifying model.keras")
        terminal.note(verify(run.model, network, prepared, precision, run.decision()))


def _finish(
    spec: ExperimentSpec, run: LockedRun, terminal: Terminal, stopwatch: NoStopwatch, record: Record, ended: Status
) -> None:
    """Write what is known at the end, status.json last: when it says "finished", all is there."""
    from mltrain.procedures.report import facts_of, report_of, write_report

    run.write_record(record)
    stopwatch.turn_to("report")
    laps = stopwatch.laps()  # the page cannot hold how long it took itself
    write_report(run, report_of(facts_of(run, spec.name, ended, record, profile_of(laps) if laps else None)))
    changes = changes_sentence(record.resumed)
    if changes is not None:
        terminal.note(changes)
    terminal.note(f"report {run.page}")
    stopwatch.turn_to("run files")
    _write_profile(stopwatch, run, terminal)
    run.write_status(ended)


def _write_profile(stopwatch: NoStopwatch, run: LockedRun, terminal: Terminal) -> None:
    laps = stopwatch.laps()
    if laps:
        profile = profile_of(laps)
        run.write_profile(profile)
        terminal.profile(profile)


def _fingerprints(prepared: Prepared) -> dict[str, Any]:
    """Return what the record says of the data, by its names: enough to prove later that it is the same."""
    return {
        "data": Data(source=prepared.source, rows=prepared.rows, sha256=prepared.sha256),
        "preprocessing": json_fingerprint(prepared.preprocessing.to_json()),
        "splits": {name: row_fingerprint(rows) for name, rows in prepared.splits.items()},
    }


def _with_decision(record: Record, run: LockedRun) -> Record:
    """Return the record with what proves decision.json, and write it: whoever reads the run again asks for it."""
    if not run.has_decision():
        return record
    record = record.with_values(decision=decision_fingerprint(run.decision()))
    run.write_record(record)
    return record


def _split_seed(spec: ExperimentSpec) -> int:
    stated: int | None = getattr(spec.data.split, "seed", None)  # only splits that draw have one
    return spec.seed if stated is None else stated
