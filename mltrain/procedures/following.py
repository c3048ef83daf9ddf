"""A worker that is not the first: it reads the data, builds the network, and then does what the first one says."""

from __future__ import annotations

from pathlib import Path

from mltrain.config.load import Loaded
from mltrain.procedures.failures import placed_failures
from mltrain.procedures.phases import Phases
from mltrain.run.record import start_record
from mltrain.stopwatch import NO_STOPWATCH
from mltrain.tensorflow_start import start_tensorflow
from mltrain.training.signals import Interruption
from mltrain.workers.team import Team


def follow(loaded: Loaded, team: Team, interruption: Interruption) -> None:
    """Train with the others until the first worker leaves.

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
    with interruption.deferred(), placed_failures(loaded):
        start_tensorflow()
        from mltrain.procedures.follower import Follower
        from mltrain.procedures.leading import BEGIN, READY, fingerprint
        from mltrain.procedures.setup import set_up
        from mltrain.workers.words import Words

        words = team.listen(between=between)
        if words.what != BEGIN:
            return  # the first worker has left before the training
        values = words.values
        setup = set_up(loaded.spec, context, values["determinism"], values["epochs"], values["rate"])
        record = start_record((), loaded.path.absolute().parent if loaded.path else Path.cwd())
        team.say(Words(READY, fingerprint(setup, record)))
        Follower(setup, context).follow(between)
