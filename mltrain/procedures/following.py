"""A worker that is not the first: it reads the data, builds the network, and then does what the first one says."""

from __future__ import annotations

from pathlib import Path

from mltrain.config.load import Loaded, load_text
from mltrain.config.plugins import Plugins
from mltrain.procedures.failures import placed_failures
from mltrain.procedures.phases import Phases
from mltrain.run.record import start_record
from mltrain.stopwatch import NO_STOPWATCH
from mltrain.tensorflow_start import start_tensorflow
from mltrain.training.signals import Interruption
from mltrain.workers.team import Team


def follow(loaded: Loaded | None, plugins: Plugins, team: Team, interruption: Interruption) -> None:
    """Train with the others until the first worker leaves.

    Args:
        loaded: the experiment; None takes that of the first worker, which resumes a run.
        plugins: with which it is read.
        team: of this worker.
        interruption: of this process.

    Raises:
        MltrainError: the data or the model cannot be read or built, or a worker is lost.
    """
    told = False

    def between() -> None:
        """Tell the first worker of a signal, once: it decides where all stop."""
        nonlocal told
        if interruption.received is not None and not told:
            told = True
            team.tell_signal(interruption.received)

    context = Phases(interruption, NO_STOPWATCH)
    context.team = team
    with interruption.deferred():
        start_tensorflow()
        from mltrain.procedures.follower import Follower
        from mltrain.procedures.leading import BEGIN, readiness
        from mltrain.procedures.setup import set_up

        words = team.listen(between=between)
        if words.what != BEGIN:
            return  # the first worker has left before the training
        values = words.values
        if loaded is None:
            text, folder = values["config"].encode(), Path(values["folder"])
            loaded = load_text(text, "config.resolved.yaml", folder, plugins=plugins)
        with placed_failures(loaded):
            setup = set_up(loaded.spec, context, values["determinism"], values["epochs"], values["rate"])
            record = start_record((), loaded.path.absolute().parent if loaded.path else Path.cwd())
            team.say(readiness(setup, record, team.cluster))
            Follower(setup, context).follow(between)
