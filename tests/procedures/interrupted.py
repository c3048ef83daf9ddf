"""A training that a signal ends, and that is resumed: it must end as one that was never interrupted."""

from __future__ import annotations

import signal

from mltrain.errors import InterruptedRunError
from mltrain.run.checkpoint_files import newest
from mltrain.training.signals import Interruption


def assert_same_after_an_interruption(folder, mltrain, monkeypatch, checkpoints=("last",), look=8, options=()):
    """Train `config.yaml` into `other`, which a signal ends at a `look` for one; resume it, and compare it with
    `run`. Return what the resumption has said. Both commands get the options."""
    looks = 0

    def raise_if_received(self):
        nonlocal looks
        looks += 1
        if looks == look:
            raise InterruptedRunError("stopped by SIGTERM", signal.SIGTERM)

    monkeypatch.setattr(Interruption, "raise_if_received", raise_if_received)
    assert mltrain("train", "config.yaml", "--run-dir", "other", *options).code == 143
    monkeypatch.undo()
    done = mltrain("resume", "other", *options)
    assert done.code == 0, done.err
    for name in ("metrics.json", "preprocessing.json"):
        assert (folder / "other" / name).read_bytes() == (folder / "run" / name).read_bytes()
    for kind in checkpoints:
        mine, theirs = (newest(folder / run / "checkpoints", kind) / "arrays.npz" for run in ("other", "run"))
        assert mine.read_bytes() == theirs.read_bytes()
    return done
