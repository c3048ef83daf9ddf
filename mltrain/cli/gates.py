"""The options by which a command judges a run, and how it prints the outcome: exit code 10 where a gate is missed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from mltrain.config.load import Loaded
    from mltrain.gates.gate import Gate
    from mltrain.problems import Place
    from mltrain.run.results import Judgement
    from mltrain.run.rundir import RunDirectory

# A terminal shows this many gates; the others are counted.
_MOST_LINES = 3

GateOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--gate",
        metavar="GATE",
        help="A condition, such as 'test.f1.low >= 0.8'; exit code 10 if it fails. Can be repeated.",
    ),
]
Against = Annotated[
    str | None, typer.Option("--against", metavar="RUN", help="Exit code 10 if the run is worse than this one.")
]
Tolerance = Annotated[
    float,
    typer.Option(
        "--tolerance", min=0, help="With --against: how much worse the run may be, in the unit of the metric."
    ),
]
AgainstMetric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="METRIC",
        help="With --against: the metric to compare. Default: the one closest to the objective.",
    ),
]
JUnit = Annotated[Path | None, typer.Option("--junit", metavar="FILE", help="Also write the gates as JUnit XML.")]


def check_options(
    against: str | None, tolerance: float, metric: str | None, junit: Path | None, gates: Sequence[Any] | None
) -> None:
    """Refuse options that have no effect without another one.

    Raises:
        UsageError: --tolerance or --metric without --against, or --junit without a gate.
    """
    from mltrain.errors import UsageError

    if against is None and (tolerance or metric is not None):
        raise UsageError("--tolerance and --metric need --against RUN")
    if junit is not None and against is None and not gates:
        raise UsageError("--junit needs a gate; add --gate, --against or evaluation.gates")


def of_one_run(gate: Gate) -> bool:
    """Return whether one run can answer a gate."""
    return gate.of_run


def gate_places(loaded: Loaded, which: Callable[[Gate], bool] = of_one_run) -> list[Place | None]:
    """Return where each of some gates of an experiment is written; None for those of the command line."""
    gates = enumerate(loaded.spec.evaluation.gates)
    places = [loaded.root.place_of(("evaluation", "gates", n)) for n, gate in gates if which(gate)]
    return [place if place.source.override is None and loaded.path is not None else None for place in places]


def skipped_gates(loaded: Loaded, *, folds: bool, seeds: bool) -> tuple[str, ...]:
    """Return a sentence for each kind of gates that a command cannot judge and leaves to another one.

    Args:
        loaded: the experiment.
        folds: whether the command judges those of folds.
        seeds: whether it judges those of several seeds.
    """
    gates = loaded.spec.evaluation.gates
    kinds = {
        "mltrain cross-validate": [] if folds else [str(gate) for gate in gates if gate.of_folds],
        "mltrain train --seeds": [] if seeds else [str(gate) for gate in gates if gate.of_seeds],
    }
    return tuple(
        f"these gates apply to `{command}` only and were skipped: {'; '.join(left)}"
        for command, left in kinds.items()
        if left
    )


def lines_of_gates(gates: int) -> int:
    """Return how many lines of a terminal `conclude` prints at most, without the error where one is missed."""
    return min(gates, _MOST_LINES + 1) + 2 if gates else 0


def conclude(
    judged: Sequence[Judgement],
    run: RunDirectory,
    places: Sequence[Place | None] = (),
    *,
    junit: Path | None,
    json: bool,
    quiet: bool = False,
) -> None:
    """Print the results of the gates on stderr, and write them where they were asked for; nothing without gates.

    Args:
        judged: the gates.
        run: whose they are.
        places: where the first of them are written; None for those that are in no file.
        junit: the file for JUnit XML.
        json: whether the result was printed as JSON, with the gates in it.
        quiet: say only what was missed.

    Raises:
        VerdictError: one was missed.
        WriteError: a file cannot be written.
    """
    from mltrain.cli.output_file import append_output, write_output
    from mltrain.errors import VerdictError
    from mltrain.report.gates import annotation, gates_table, junit_xml, missed_sentence, step_summary

    name = str(run.path)
    if judged and not quiet:
        typer.echo(f"\ngates\n{gates_table(judged, most=_MOST_LINES)}", err=True)
    if junit is not None:
        write_output(junit, junit_xml(judged, name), "--junit")
    if not judged:
        return
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        append_output(Path(summary), step_summary(judged, name).encode())
    missed = [(each, place) for each, place in zip(judged, _as_many(places, judged), strict=True) if not each.passed]
    if os.environ.get("GITHUB_ACTIONS") == "true":
        workspace = os.environ.get("GITHUB_WORKSPACE")
        for each, place in missed:
            typer.echo(annotation(each, place, Path(workspace) if workspace else None), err=True)
    if missed and json:
        # The one object on stdout has the gates in it: the error that main() would print is not a second one.
        typer.echo(f"error: {missed_sentence(judged)}", err=True)
        raise typer.Exit(VerdictError.exit_code)
    if missed:
        raise VerdictError(missed_sentence(judged))


def _as_many(places: Sequence[Place | None], judged: Sequence[Any]) -> list[Place | None]:
    return [*places, *[None] * (len(judged) - len(places))]
