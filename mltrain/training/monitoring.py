"""What callbacks have in common that watch one measured quantity."""

from __future__ import annotations

from typing import Literal

from mltrain.expression import MetricName
from mltrain.spec import Spec
from mltrain.task import Objective
from mltrain.training.consequence import EpochCallback


class Monitoring(Spec):
    """A callback that watches one measured quantity."""

    monitor: MetricName | None = None
    """The measured quantity, such as `validation.loss` or Keras' `val_loss`; null takes the objective."""
    mode: Literal["auto", "min", "max"] = "auto"
    """Whether smaller or larger is better; auto takes it from the metric."""

    def build(self, objective: Objective) -> EpochCallback:
        """Return the running state machine that watches `objective.metric`."""
        raise NotImplementedError
