"""The metrics of plugins: which there are in this process, and what stands for those of a run that are not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import create_model

from mltrain import plugins
from mltrain.errors import PluginError
from mltrain.metric_function import MetricFunction
from mltrain.plugins import Offered, Origin
from mltrain.spec import normalise
from mltrain.task import Task

if TYPE_CHECKING:
    from mltrain.evaluation.metric import OwnMetric

# What a split of the results has under such a name already.
_TAKEN = ("loss",)
_NONE: Mapping[str, Any] = MappingProxyType({})


class OwnMetrics:
    """Metrics in addition to those of mltrain: of `--plugin` files and, by name, of installed packages."""

    def __init__(self, base: type[OwnMetric], known: Mapping[str, str]) -> None:
        """Take the class that each becomes a subclass of, and the metrics of the catalogue by every spelling."""
        self._base, self._known = base, known
        self._registered: dict[str, type[OwnMetric]] = {}
        self._standing_in: ContextVar[Mapping[str, type[OwnMetric]]] = ContextVar("standing_in", default=_NONE)

    def register(self, offered: Iterable[Offered]) -> None:
        """Make these the metrics of plugins in this process, instead of all from before.

        Raises:
            PluginError: two have one name, or it is that of a metric of the catalogue.
        """
        self._registered = {}
        for each in offered:
            self._add(each)

    def _add(self, offered: Offered) -> None:
        function, plugin = offered.function, offered.origin.plugin
        name = function.name
        said = f"{plugin}: metric {name} ({function.place})"
        if name in _TAKEN or normalise(name) in self._known:
            ours = self._known.get(normalise(name), name)
            raise PluginError(f"{said} has the name of mltrain's own metric {ours}: rename it")
        other = self._found(name)
        if other is not None:
            before = self._registered[other].function
            place = before.place if before else ""
            raise PluginError(f"{said} has the name of {other} ({place}): rename one of them")
        self._registered[name] = self._class(name, function.tasks, function.direction, function, offered.origin)

    @contextmanager
    def standing_in(self, recorded: Mapping[str, tuple[Literal["min", "max"], Origin]]) -> Iterator[None]:
        """Inside, let what a run measured be named although its plugin is not there; it cannot be measured.

        Args:
            recorded: the direction and the origin of the run's own metrics, by name.
        """
        made = {
            name: self._class(name, get_args(Task), direction, None, origin)
            for name, (direction, origin) in recorded.items()
        }
        token = self._standing_in.set(made)
        try:
            yield
        finally:
            self._standing_in.reset(token)

    def registered(self) -> list[type[OwnMetric]]:
        """Return those of `--plugin`, and those of packages that were named so far."""
        return list(self._registered.values())

    def names(self) -> list[str]:
        """Return the names of all that could be named; imports nothing."""
        return list(dict.fromkeys([*self._registered, *plugins.installed_names()]))

    def find(self, name: str) -> str | None:
        """Return the name that `name` means in any spelling, or None; the package that offers it is imported.

        Raises:
            PluginError: that fails.
        """
        found = self._found(name)
        if found is None and (offered := plugins.installed(name)) is not None:
            self._add(offered)
            found = name
        return found if found is not None or name not in self._standing_in.get() else name

    def _found(self, name: str) -> str | None:
        return next((each for each in self._registered if normalise(each) == normalise(name)), None)

    def check(self, name: str, arguments: Mapping[str, Any], context: Any) -> OwnMetric:
        """Return the metric; it takes no arguments."""
        kind = self._registered.get(name) or self._standing_in.get()[name]
        return kind.model_validate({**arguments, "type": name}, context=context)

    def is_component(self, value: Any) -> bool:
        """Return whether `value` is such a metric."""
        return isinstance(value, self._base)

    def json_schema(self) -> dict[str, Any] | None:
        """Return the JSON Schema of all that could be named; None where there is none."""
        if not (names := self.names()):
            return None
        named = {"type": "object", "properties": {"type": {"enum": names}}, "required": ["type"]}
        return {"anyOf": [{"enum": names}, {**named, "additionalProperties": False}]}

    def _class(
        self,
        name: str,
        tasks: tuple[Task, ...],
        direction: Literal["min", "max"],
        function: MetricFunction | None,
        origin: Origin,
    ) -> type[OwnMetric]:
        doc = (function.function.__doc__ if function else None) or f"A metric of {origin.plugin}."
        made = create_model("OwnMetric", __base__=self._base, __doc__=doc, type=(Literal[name], name))  # type: ignore[arg-type]
        made.tasks, made.direction, made.function, made.origin = tasks, direction, function, origin
        return made
