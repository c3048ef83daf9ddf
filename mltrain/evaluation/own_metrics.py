"""Which metrics a config may name: those of the catalogue, those of plugins, and what stands for those of a run whose
plugin is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self, cast, get_args

from pydantic import create_model

from mltrain import plugins
from mltrain.errors import PluginError
from mltrain.evaluation.catalogue import CATALOGUE, NAMES
from mltrain.evaluation.metric import Direction, Metric, OwnMetric
from mltrain.metric_function import MetricFunction
from mltrain.plugins import Offered, Origin
from mltrain.spec import OneOf, normalise
from mltrain.task import Task

# What a split of the results has under such a name already.
_TAKEN = ("loss",)


class OwnMetrics:
    """The metrics that a config may name in addition to those of mltrain: of `--plugin` files, and by name those of
    installed packages. They are a part of the validation context, so that each config has its own."""

    def __init__(self, offered: Iterable[Offered] = ()) -> None:
        """Take the metrics of `--plugin` files.

        Raises:
            PluginError: two have one name, or it is that of a metric of the catalogue.
        """
        self._registered: dict[str, type[OwnMetric]] = {}
        self._absent: Mapping[str, type[OwnMetric]] = {}
        for each in offered:
            self._add(each)

    @classmethod
    def of_metrics(cls, metrics: Iterable[Metric]) -> Self:
        """Return those of a config that was validated before."""
        found = cls()
        found._registered = {metric.type: type(metric) for metric in metrics if isinstance(metric, OwnMetric)}
        return found

    def with_recorded(self, recorded: Mapping[str, tuple[Direction, Origin]]) -> OwnMetrics:
        """Return these, and what a run measured, so that it can be named although its plugin is not there; it cannot
        be measured.

        Args:
            recorded: the direction and the origin of the run's own metrics, by name.
        """
        found = type(self)()
        found._registered = self._registered
        found._absent = {
            name: _class(name, get_args(Task), direction, None, origin)
            for name, (direction, origin) in recorded.items()
        }
        return found

    def _add(self, offered: Offered) -> None:
        function, plugin = cast(MetricFunction, offered.made), offered.origin.plugin
        name = function.name
        said = f"{plugin}: metric {name} ({function.place})"
        if name in _TAKEN or normalise(name) in NAMES:
            ours = NAMES.get(normalise(name), name)
            raise PluginError(f"{said} has the name of mltrain's own metric {ours}: rename it")
        other = self._found(name)
        if other is not None:
            before = self._registered[other].function
            place = before.place if before else ""
            raise PluginError(f"{said} has the name of {other} ({place}): rename one of them")
        self._registered[name] = _class(name, function.tasks, function.direction, function, offered.origin)

    def registered(self) -> list[type[OwnMetric]]:
        """Return those of `--plugin`, and those of packages that were named so far."""
        return list(self._registered.values())

    def names(self) -> list[str]:
        """Return the names of all that could be named; imports nothing."""
        return list(dict.fromkeys([*self._registered, *plugins.installed_names("metric")]))

    def find(self, name: str) -> str | None:
        """Return the name that `name` means in any spelling, or None; the package that offers it is imported.

        Raises:
            PluginError: that fails.
        """
        found = self._found(name)
        if found is None and (offered := plugins.installed("metric", name)) is not None:
            self._add(offered)
            found = name
        return found if found is not None or name not in self._absent else name

    def _found(self, name: str) -> str | None:
        return next((each for each in self._registered if normalise(each) == normalise(name)), None)

    def check(self, name: str, arguments: Mapping[str, Any], context: Any) -> OwnMetric:
        """Return the metric; it takes no arguments."""
        kind = self._registered.get(name) or self._absent[name]
        return kind.model_validate({**arguments, "type": name}, context=context)

    def is_component(self, value: Any) -> bool:
        """Return whether `value` is such a metric."""
        return isinstance(value, OwnMetric)

    def json_schema(self) -> dict[str, Any] | None:
        """Return the JSON Schema of all that could be named; None where there is none."""
        if not (names := self.names()):
            return None
        named = {"type": "object", "properties": {"type": {"enum": names}}, "required": ["type"]}
        return {"anyOf": [{"enum": names}, {**named, "additionalProperties": False}]}


def metrics_in(context: Any) -> OwnMetrics:
    """Return the metrics of plugins of a validation context; where it has none, those of installed packages alone."""
    found = context.get("plugins") if context else None
    return OwnMetrics() if found is None else found.metrics


def _class(
    name: str, tasks: tuple[Task, ...], direction: Direction, function: MetricFunction | None, origin: Origin
) -> type[OwnMetric]:
    doc = (function.function.__doc__ if function else None) or f"A metric of {origin.plugin}."
    made = create_model("OwnMetric", __base__=OwnMetric, __doc__=doc, type=(Literal[name], name))  # type: ignore[arg-type]
    made.tasks, made.direction, made.function, made.origin = tasks, direction, function, origin
    return made


METRICS = OneOf(
    "metric", *CATALOGUE, more=metrics_in, aliases=NAMES, hint="one of your own comes with --plugin FILE.py"
)
AnyMetric = Annotated[Metric, METRICS]
