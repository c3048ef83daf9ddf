"""What of the user's own a config may name: metrics, layers, losses, optimizers, schedules and models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from mltrain import plugins
from mltrain.config.named_parts import named_parts
from mltrain.errors import PluginError
from mltrain.evaluation.metric import Direction
from mltrain.evaluation.own_metrics import OwnMetrics
from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api.own_parts import OwnPart, OwnParts
from mltrain.models import MODELS
from mltrain.plugins import Offered, Origin
from mltrain.spec import normalise


class Plugins:
    """The components of `--plugin` files and, by name, those of installed packages. They are a part of the validation
    context, so that each config has its own.

    Attributes:
        metrics: those of them that are metrics.
        parts: those of them that networks and trainings are made of.
    """

    def __init__(
        self, offered: Iterable[Offered] = (), metrics: OwnMetrics | None = None, parts: OwnParts | None = None
    ) -> None:
        """Take what `--plugin` files define, or what was taken before.

        Raises:
            PluginError: two have one name, or mltrain or Keras has it; or an argument has no type.
        """
        given = tuple(offered)
        for each in given:
            _refuse_name_of_ours(each)
        self.metrics = OwnMetrics(each for each in given if each.kind == "metric") if metrics is None else metrics
        self.parts = OwnParts(each for each in given if each.kind != "metric") if parts is None else parts

    @classmethod
    def of_files(cls, paths: Iterable[Path]) -> Self:
        """Run Python files, and return what they define.

        Raises:
            UsageError, PluginError: as `plugins.from_file`.
        """
        return cls(offered for path in paths for offered in plugins.from_file(path))

    @classmethod
    def of_spec(cls, spec: ExperimentSpec) -> Self:
        """Return those that an experiment names, which was validated before."""
        stated, parts = spec.evaluation.stated_metrics, named_parts(spec)
        return cls(metrics=OwnMetrics.of_metrics(stated), parts=OwnParts.of(each.own for _, each in parts if each.own))

    def with_recorded(self, metrics: Mapping[str, tuple[Direction, Origin]], parts: Iterable[OwnPart] = ()) -> Plugins:
        """Return these, and what a run has named, so that it can be named although its plugin is not there; it can
        neither be measured nor built.

        Args:
            metrics: the direction and the origin of the run's own metrics, by name.
            parts: the others.
        """
        return Plugins(metrics=self.metrics.with_recorded(metrics), parts=self.parts.with_recorded(parts))


def _refuse_name_of_ours(offered: Offered) -> None:
    if offered.kind != "model":
        return
    ours = next((name for name in MODELS.specs if normalise(name) == normalise(offered.name)), None)
    if ours is not None:
        said = f"{offered.origin.plugin}: model {offered.name} ({offered.place})"
        raise PluginError(f"{said} has the name of mltrain's own model {ours}: rename it, as in my_{ours}")
