"""The end of a run: it proves that it reproduces its own numbers, and says that it is finished. Imports TensorFlow."""

from __future__ import annotations

from mltrain.errors import VerdictError
from mltrain.procedures.fitting import Fitted
from mltrain.procedures.report import facts_of, report_of, write_report
from mltrain.procedures.run_context import RunContext
from mltrain.procedures.self_check import check_itself
from mltrain.procedures.setup import Setup
from mltrain.procedures.verify_export import verify_export as verify
from mltrain.run.profile import profile_of
from mltrain.run.proof import decision_fingerprint
from mltrain.run.record import Record, changes_sentence
from mltrain.run.results import Results
from mltrain.run.status import Status, now, status


def prove(setup: Setup, record: Record, context: RunContext, verify_export: bool) -> Record:
    """Fail where the run does not reproduce its own numbers; return the record with what proves decision.json."""
    run, stopwatch = context.run, context.stopwatch
    if run.has_decision():  # whoever reads the run again asks for it
        record = record.with_values(decision=decision_fingerprint(run.decision()))
        run.write_record(record)
    stopwatch.turn_to("self-check")
    check_itself(run, setup.network, setup.prepared, setup.precision, context.raise_if_interrupted)
    if verify_export:
        stopwatch.turn_to("verifying model.keras")
        context.terminal.note(verify(run.model, setup.network, setup.prepared, setup.precision, run.decision()))
    return record


def finish(setup: Setup, fitted: Fitted, results: Results, record: Record, context: RunContext) -> None:
    """Write what is known at the end, status.json last: when it says "finished", all is there."""
    run, terminal, stopwatch = context.run, context.terminal, context.stopwatch
    stopwatch.turn_to("run files")
    ended, record = _ended(fitted, results), record.with_values(finished=now())
    run.write_record(record)
    stopwatch.turn_to("report")
    laps = stopwatch.laps()  # the page cannot hold how long it took itself
    write_report(run, report_of(facts_of(run, setup.spec.name, ended, record, profile_of(laps) if laps else None)))
    changes = changes_sentence(record.resumed)
    if changes is not None:
        terminal.note(changes)
    terminal.note(f"report {run.page}")
    stopwatch.turn_to("run files")
    if laps:
        profile = profile_of(stopwatch.laps())
        run.write_profile(profile)
        terminal.profile(profile)
    run.write_status(ended)


def _ended(fitted: Fitted, results: Results) -> Status:
    passed = all(gate.passed for gate in results.gates)
    code = 0 if passed else VerdictError.exit_code
    return status("finished", fitted.stopped, epoch=fitted.last_epoch, step=fitted.steps, exit_code=code)
