"""`check`, read from top to bottom: the way of `run_experiment` up to the first steps, with a look at each part, and
without a run. TensorFlow is imported once the config is known to be valid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mltrain.config.load import Loaded
from mltrain.procedures.failures import placed_failures
from mltrain.procedures.phases import Phases
from mltrain.procedures.weight_sources import refuse_absent_weights
from mltrain.procedures.word_vectors import refuse_absent_files
from mltrain.report.preflight import CheckLine, Preflight
from mltrain.stopwatch import Stopwatch
from mltrain.tensorflow_start import start_tensorflow
from mltrain.training.signals import Interruption

Say = Callable[[CheckLine], None]


@dataclass(frozen=True)
class CheckRequest:
    """What a command asks for.

    Attributes:
        loaded: the experiment.
        runs_dir: where a run would be written.
        say: is given each line as soon as it is known.
    """

    loaded: Loaded
    runs_dir: Path
    say: Say


def check(request: CheckRequest, interruption: Interruption) -> Preflight:
    """Look at an experiment as `train` would begin it. Nothing is written.

    Raises:
        MltrainError: as `train` would end: ConfigError where something does not fit the data, DataError, DivergedError,
            OutOfMemoryError, DeviceError.
    """
    with interruption.deferred(), placed_failures(request.loaded):
        refuse_absent_files(request.loaded)
        refuse_absent_weights(request.loaded)
        return _checked(request, interruption, Stopwatch())


def _checked(request: CheckRequest, interruption: Interruption, stopwatch: Stopwatch) -> Preflight:
    context = Phases(interruption, stopwatch)
    context.plugins = request.loaded.plugins
    context.begin("importing TensorFlow")
    start_tensorflow()
    from mltrain.procedures.budget import within_budget
    from mltrain.procedures.first_weights import fetch_imagenet
    from mltrain.procedures.fitting import training_of
    from mltrain.procedures.pace import Deadline, measure_pace
    from mltrain.procedures.preflight.beginning import look_at_beginning
    from mltrain.procedures.preflight.estimating import estimate_lines, estimate_of
    from mltrain.procedures.preflight.learning import batch_line, gradients_line
    from mltrain.procedures.preflight.one_batch import learn_one_batch
    from mltrain.procedures.preflight.seen import Seen
    from mltrain.procedures.rate_test import with_found_rate
    from mltrain.procedures.setup import set_up
    from mltrain.training.devices import gpus_for

    lines: list[CheckLine] = []

    def say(*found: CheckLine) -> None:
        for line in found:
            lines.append(line)
            request.say(line)
        context.raise_if_interrupted()

    spec = request.loaded.spec
    gpus_for(spec.device)  # also those that the training uses beside the first
    fetch_imagenet(spec, context.download)
    setup = with_found_rate(spec, set_up(spec, context, {}), context, {})
    setup = within_budget(spec, setup, context, {}).with_first_weights(context)
    seen = Seen.of(setup, stopwatch)
    say(*seen.lines(request.loaded))

    deadline = Deadline(interruption)
    training = training_of(setup, Phases(deadline, stopwatch))
    stopwatch.turn_to("other")
    beginning = look_at_beginning(setup)
    say(beginning.line)
    learned = learn_one_batch(setup, context.raise_if_interrupted)
    say(gradients_line(learned), batch_line(setup, learned))
    pace = measure_pace(training, deadline, stopwatch)
    estimate = estimate_of(setup, pace, beginning, stopwatch, request.runs_dir)
    say(*estimate_lines(setup, estimate, request.runs_dir))
    return Preflight(
        config=str(request.loaded.path or "stdin"),
        checks=tuple(lines),
        data=seen.data,
        decisions=seen.decisions,
        model=seen.model,
        first_loss=beginning.first,
        one_batch=learned.batch,
        estimate=estimate,
        seconds=sum(lap.seconds for lap in stopwatch.laps().values()),
    )
