"""Every component that a config can name, ours and Keras', for `mltrain list` and the reference. No TensorFlow."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mltrain.config.plugins import Plugins
from mltrain.data.features import FEATURES
from mltrain.data.sources import SOURCES
from mltrain.data.splits import SPLIT_SPECS
from mltrain.evaluation.own_metrics import METRICS
from mltrain.keras_api import catalogue
from mltrain.listing.reference import describe
from mltrain.models import MODELS
from mltrain.plugins import GROUPS
from mltrain.spec import Spec, with_article
from mltrain.training.spec import OWN_CALLBACKS

# What each kind is and where a config names it.
KINDS = {
    "source": "where the rows come from: data.source",
    "split": "which rows are for training, validation and test: data.split",
    "feature": "what a column is: data.features.<column>",
    "model": "the network: model",
    "backbone": "networks of keras.applications: backbone, in a model or an encoder of type pretrained",
    "layer": "Keras layers: model.layers",
    "optimizer": "Keras optimizers: training.optimizer",
    "schedule": "Keras learning-rate schedules: training.optimizer.learning_rate",
    "loss": "Keras losses: training.loss",
    "metric": "exact metrics, computed from all predictions of a split: evaluation.metrics",
    "keras_metric": "Keras metrics, running averages inside the loop: training.metrics",
    "callback": "callbacks: training.callbacks",
    "activation": "Keras activations: an argument of layers",
    "initializer": "Keras initializers: an argument of layers",
    "regularizer": "Keras regularizers: an argument of layers",
    "constraint": "Keras constraints: an argument of layers",
}
_OWN: dict[str, tuple[type[Spec], ...]] = {
    "source": SOURCES,
    "split": SPLIT_SPECS,
    "feature": FEATURES,
    "model": tuple(MODELS.specs.values()),
    "metric": tuple(METRICS.specs.values()),
    "callback": OWN_CALLBACKS,
}
_FROM_KERAS = {
    "backbone": "backbone",
    "layer": "layer",
    "optimizer": "optimizer",
    "schedule": "schedule",
    "loss": "loss",
    "keras_metric": "metric",
    "callback": "callback",
    "activation": "activation",
    "initializer": "initializer",
    "regularizer": "regularizer",
    "constraint": "constraint",
}


@dataclass(frozen=True)
class ComponentArgument:
    """One argument.

    Attributes:
        name: its key in the YAML.
        type: what it accepts, in words.
        default: as YAML writes it; None where it is required.
        doc: what it means.
    """

    name: str
    type: str
    default: str | None
    doc: str


@dataclass(frozen=True)
class Component:
    """One component.

    Attributes:
        name: its `type` in the YAML.
        doc: what it is.
        aliases: other names.
        arguments: in order.
    """

    name: str
    doc: str
    aliases: tuple[str, ...]
    arguments: tuple[ComponentArgument, ...]

    def as_json(self) -> dict[str, Any]:
        """Return this for programs."""
        return asdict(self)


def components(kind: str, plugins: Plugins | None = None) -> list[Component]:
    """Return every component of a kind, our own first.

    Args:
        kind: one of `KINDS`.
        plugins: whose components are listed, too; None takes those of installed packages alone.
    """
    own, plugins = [_own(spec) for spec in _OWN.get(kind, ())], plugins or Plugins()
    if kind == "metric":
        own += _of_plugins(kind, [_own(spec) for spec in plugins.metrics.registered()], plugins.metrics.names())
    elif kind in GROUPS:
        parts = [_of_keras(catalogue.row(each.entry)) for each in plugins.parts.registered(kind)]
        own = _of_plugins(kind, parts, plugins.parts.names(kind)) + own
    names = {component.name for component in own}
    if kind not in _FROM_KERAS:
        return own
    return own + [each for each in map(_of_keras, catalogue.describe(_FROM_KERAS[kind])) if each.name not in names]


def _own(spec: type[Spec]) -> Component:
    arguments = tuple(ComponentArgument(row.name, row.type, row.default, row.doc) for row in describe(spec))
    doc = " ".join((inspect.getdoc(spec) or "").split())
    return Component(str(spec.model_fields["type"].default), doc, tuple(getattr(spec, "aliases", ())), arguments)


def _of_plugins(kind: str, known: list[Component], names: Sequence[str]) -> list[Component]:
    """Return the components of `--plugin`, and the names of those of installed packages, which are not imported."""
    found = {component.name: component for component in known}
    doc = f"{with_article(kind).capitalize()} of an installed package. It is imported when a config names it."
    return [found.get(name) or Component(name, doc, (), ()) for name in names]


def _of_keras(row: catalogue.Row) -> Component:
    arguments = tuple(
        ComponentArgument(name, type_text, None if default == "required" else default, doc)
        for name, type_text, default, doc in row.arguments
    )
    return Component(row.name, row.doc, row.aliases, arguments)
