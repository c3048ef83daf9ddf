"""A process that trains one run of a folder, beside others: `--parallel N`. It is

    python -m mltrain.cli.one_of_folder RUN --json

which reads a `RunJob` from its standard input, says on standard error what `train` says, and describes its error on
standard output as every command does with --json.
"""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from mltrain.cli.app import main


def train_one() -> int:
    """Train the run that standard input describes, and return the exit code."""
    from mltrain.config.load import load_text
    from mltrain.config.plugins import Plugins
    from mltrain.procedures.end_of_command import stop_when_the_command_is_gone
    from mltrain.procedures.run_job import RunJob
    from mltrain.procedures.train import Place, TrainRequest, train
    from mltrain.stopwatch import NO_STOPWATCH, Stopwatch
    from mltrain.training.signals import Interruption

    job = RunJob.of_text(sys.stdin.read())
    # What code of the user's prints is for people.
    with Interruption().handled() as interruption, redirect_stdout(sys.stderr):
        stop_when_the_command_is_gone(job.launcher, interruption, at_the_second=True)
        with interruption.deferred():
            plugins = Plugins.of_files(map(Path, job.plugins))
            directory = Path.cwd() if job.path is None else Path(job.path).absolute().parent
            loaded = load_text(job.config, job.path or "stdin", directory, job.overrides, job.gates, plugins=plugins)
            loaded = replace(loaded, path=None if job.path is None else Path(job.path))
            request = TrainRequest(
                loaded,
                Place(Path(job.folder), Path(job.run), resume=True),
                job.command,
                allow_inexact=job.allow_inexact,
                verify_export=job.verify_export,
            )
            train(request, interruption, Stopwatch() if job.profile else NO_STOPWATCH)
    return 0


if __name__ == "__main__":
    main(train_one)
