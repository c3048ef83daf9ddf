"""`mltrain explain`: what the predictions of a run depend on."""

from __future__ import annotations

import json as json_format
import sys

import typer

from mltrain.cli.arguments import Json, PluginFiles, Quiet, RunReference, RunsDirectory, plugins_of, runs_directory


def explain(
    run: RunReference,
    plugins: PluginFiles = None,
    runs_dir: RunsDirectory = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure what the predictions depend on: the importance of each column, or the saliency of images. Also
    writes report.html and report.md again. The use of the test rows is counted."""
    from mltrain.problems import printable
    from mltrain.procedures.explanation.explain import explain as explain_run
    from mltrain.procedures.recorded_config import other_parts_of
    from mltrain.procedures.report import report, write_report
    from mltrain.report.explanation import explanation_lines
    from mltrain.run.locked_run import LockedRun
    from mltrain.run.looks import looks_sentence
    from mltrain.run.opening import open_run
    from mltrain.training.signals import Interruption

    known = plugins_of(plugins)
    found = open_run(run, runs_directory(runs_dir))
    with Interruption().handled() as interruption, LockedRun(found.path) as locked:
        explanation = explain_run(locked, interruption, tuple(sys.argv), known)
        write_report(locked, report(locked))
        looks = [looks_sentence(len(locked.looks()))] if explanation.split == "test" else []
    if json:
        typer.echo(json_format.dumps(explanation.model_dump(mode="json"), indent=2))
    else:
        typer.echo("\n".join(explanation_lines(explanation)))
    for line in (*other_parts_of(found, known), *looks, f"report {found.page}") if not quiet else ():
        typer.echo(printable(line), err=True)
