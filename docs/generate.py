"""Writes configuration.md, the reference of every key of the YAML: `python docs/generate.py`.

Everything in it comes from the specs and the strings under their fields; `tests/test_documentation.py` fails when the
page is not what this makes. No TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from mltrain.config.expected import is_spec, opened
from mltrain.data.sources.synthetic import ARGUMENTS, SyntheticSource
from mltrain.evaluation.own_metrics import METRICS
from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api import catalogue
from mltrain.listing.components import KINDS, Component, components
from mltrain.listing.reference import describe
from mltrain.spec import OneOf, Spec, keys_of

PAGE = Path(__file__).with_name("configuration.md")

INTRODUCTION = """\
<!-- Written by `python docs/generate.py` from the specs in mltrain/. Edit the strings under the fields, not this. -->

# Configuration

One YAML file is one experiment. This page has every key, in the order of the file, and every component of mltrain.
Keras' components are listed by name; `mltrain list` explains each with its arguments. Guides: [data](data.md),
[training](training.md), [run directory](run_directory.md).

**Components.** The `type` of a component says which one it is: `{type: Adam, learning_rate: 1e-3}`. The name alone is
the component without arguments: `optimizer: adam`. Case, underscores and dashes do not matter in the name of a
component: `EarlyStopping` and `early_stopping` are the same. Keys must be written as on this page. An unknown key is
always an error.

**Values.** Values follow YAML 1.2: `1e-3` is a number, `no` is a text, and `012` is an error, because two versions of
YAML read it differently. A key that is listed twice is an error. Anchors, aliases and `<<` work. `.nan` and `.inf`
are not allowed. A file can have at most 1 MiB and 32 levels.

**Paths** are relative to the YAML file; in `--set`, to the working directory.

**Overrides.** `mltrain train config.yaml --set training.epochs=3` sets one value, which is YAML too; an item of a list
is `training.callbacks[0].patience`. A component that the file leaves out is set as a whole:
`--set 'data.split={type: random, test: 0.1}'`. The run's `config.resolved.yaml` shows where each value was set.

**Required** keys are marked; all others have a default.
"""


def page() -> str:
    """Return the text of configuration.md."""
    parts = [INTRODUCTION, "## The file\n", _fields(ExperimentSpec, "")]
    for name, field in ExperimentSpec.model_fields.items():
        for path, part in _inside(field, name):
            parts += _section(path, part)
    parts.append("## Arguments that are components\n")
    for kind, place in _places().items():
        if " " in place:  # "an argument of layers" is no path
            parts += [f"### {kind.capitalize()}\n", *_kind(kind)]
    return "\n".join(parts)


def _section(path: str, part: Any) -> Iterator[str]:
    """Yield the text on a place of the YAML: a mapping with fixed keys, or a component."""
    yield f"{'#' * min(path.count('.') + 2, 3)} `{path}`\n"
    if isinstance(part, OneOf):
        for kind, place in _places().items():
            if place == path:
                yield from _kind(kind)
            elif place.startswith(f"{path}."):  # model.layers, training.optimizer.learning_rate
                yield f"### `{place}`\n"
                yield from _kind(kind)
        return
    yield f"{_plain(part.__doc__)}\n"
    yield _fields(part, f"{path}.")
    for name, field in keys_of(part).items():
        for inner_path, inner in _inside(field, f"{path}.{name}"):
            yield from _section(inner_path, inner)


def _inside(annotation: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield what of a field's type has a section of its own, with its path: specs, and components as `OneOf`."""
    for each in opened(annotation):
        if is_spec(each) or isinstance(each, OneOf):
            yield path, each
        elif get_origin(each) is dict:  # data.features: a component for each column
            yield from _inside(get_args(each)[1], f"{path}.<column>")
        elif get_origin(each) in (tuple, list):
            yield from _inside(get_args(each)[0], path)


def _places() -> dict[str, str]:
    """Return where each kind of component stands: "source" in "data.source"."""
    return {kind: text.rpartition(": ")[2] for kind, text in KINDS.items()}


def _kind(kind: str) -> Iterator[str]:
    what, _, place = KINDS[kind].rpartition(": ")
    what = f"{what}: {place}" if " " in place else what
    yield f"{what[:1].upper()}{what[1:]}.\n"
    if kind == "metric":
        yield from _metrics()
        return
    own = [component for component in components(kind) if component.name not in _keras_names(kind)]
    for component in own:
        yield f"#### {component.name}\n"
        yield f"{component.doc}{_other_names(component)}\n"
        if component.arguments:
            yield _table(component.arguments)
        if component.name == SyntheticSource.model_fields["type"].default:
            yield _synthetic()
    yield from _keras(kind)


def _keras(kind: str) -> Iterator[str]:
    names = _keras_names(kind)
    if names:
        listed = ", ".join(f"`{name}`" for name in names)
        yield f"From Keras (`mltrain list {kind}` shows all, `mltrain list {kind} {names[0]}` one): {listed}\n"


def _keras_names(kind: str) -> list[str]:
    """Return the names of a kind's components that come from Keras; `metric` is ours, `keras_metric` Keras'."""
    keras_kind = kind.removeprefix("keras_")
    if kind == "metric" or keras_kind not in catalogue.kinds():
        return []
    # A layer of several inputs, as Add, is an error in a sequential model, and no other takes layers.
    return [entry.name for entry in catalogue.entries(keras_kind) if entry.inputs != "many"]


def _metrics() -> Iterator[str]:
    """Yield a table: a metric is a name, a direction and the tasks that it is for; few have keys."""
    rows = ["| metric | better | for | meaning | other names |", "|---|---|---|---|---|"]
    known = {component.name: component for component in components("metric")}
    for name, spec in METRICS.specs.items():
        direction, tasks = spec.direction, ", ".join(spec.tasks)  # type: ignore[attr-defined]
        other = ", ".join(f"`{alias}`" for alias in known[name].aliases)
        rows.append(f"| `{name}` | {direction} | {tasks} | {known[name].doc} | {other} |")
    yield "\n".join(rows) + "\n"
    for arguments in dict.fromkeys(component.arguments for component in known.values() if component.arguments):
        names = [f"`{name}`" for name, component in known.items() if component.arguments == arguments]
        yield f"Keys of {', '.join(names)}:\n"
        yield _table(arguments)


def _synthetic() -> str:
    keys = list(dict.fromkeys(key for defaults in ARGUMENTS.values() for key in defaults))
    rows = [f"| kind | {' | '.join(f'`{key}`' for key in keys)} |", "|---" * (len(keys) + 1) + "|"]
    for kind, defaults in ARGUMENTS.items():
        rows.append(f"| `{kind}` | {' | '.join(str(defaults.get(key, '')) for key in keys)} |")
    return "What each kind takes, with the value that null stands for:\n\n" + "\n".join(rows) + "\n"


def _fields(spec: type[Spec], prefix: str) -> str:
    """Return the table of a spec's fields, those with a section of their own as links."""
    linked = {name: list(_inside(field, f"{prefix}{name}")) for name, field in keys_of(spec).items()}
    return _table(describe(spec), {name: found[0] for name, found in linked.items() if found})


def _table(rows: Any, linked: dict[str, tuple[str, Any]] | None = None) -> str:
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for row in rows:
        name, default = f"`{row.name}`", "required" if row.default is None else f"`{row.default}`"
        if linked and row.name in linked:
            path, part = linked[row.name]
            name = f"[{name}](#{_anchor(path)})"
            # The default of a whole section is that of its keys, which have a table of their own.
            whole = row.default is not None and row.default.startswith("{")
            default = "its defaults" if whole and is_spec(part) else default
        kind = row.type.replace("'", "`")
        lines.append(f"| {name} | {_escaped(kind)} | {_escaped(default)} | {_escaped(row.doc)} |")
    return "\n".join(lines) + "\n"


def _other_names(component: Component) -> str:
    return f" Also: {', '.join(component.aliases)}." if component.aliases else ""


def _anchor(path: str) -> str:
    """Return the anchor that GitHub gives the heading of a path."""
    return "".join(char for char in path if char.isalnum() or char in "_-").lower()


def _plain(text: str | None) -> str:
    return " ".join((text or "").split())


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
