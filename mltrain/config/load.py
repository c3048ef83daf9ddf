"""A YAML file, or standard input, to an `ExperimentSpec`: or every problem at once, each with its place."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from mltrain.config.overrides import apply_override, with_gates
from mltrain.config.plugins import Plugins
from mltrain.config.repair import check
from mltrain.config.yaml_document import MOST_BYTES, decode, parse
from mltrain.config.yaml_node import Node
from mltrain.errors import ConfigError, UsageError
from mltrain.experiment.section_rules import EXPERIMENT
from mltrain.experiment.spec import ExperimentSpec
from mltrain.problems import InvalidConfigError, KeyPath, Problem
from mltrain.rules import Form
from mltrain.spec import Spec, suggest


@dataclass(frozen=True)
class Loaded:
    """A valid experiment and what it was read from.

    Attributes:
        spec: the experiment.
        root: the YAML with the overrides in it; it knows where each value is written.
        text: the YAML, byte for byte.
        path: of the YAML; None for standard input.
        overrides: as they were given.
        plugins: whose metrics it may name.
        written: the experiment without the defaults of older versions, which the config of an older run has in `spec`;
            None where it is the same.
    """

    spec: ExperimentSpec
    root: Node
    text: bytes
    path: Path | None
    overrides: tuple[str, ...]
    plugins: Plugins
    written: ExperimentSpec | None = None

    def error(self, *problems: tuple[KeyPath, str]) -> ConfigError:
        """Return the error for values that turn out to be wrong only later, as when the data has been read.

        Args:
            problems: the path of each value, as `("objective", "metric")`, and what is wrong, what was expected, what
                to do.
        """
        return InvalidConfigError([Problem(path, self.root.place_of(path), message) for path, message in problems])


def load(
    path: str | Path, overrides: Sequence[str] = (), gates: Sequence[str] = (), plugins: Plugins | None = None
) -> Loaded:
    """Read an experiment.

    Args:
        path: of a YAML file, or `-` for standard input.
        overrides: as `training.epochs=3`, each with a YAML value; the later wins.
        gates: of the command line, as `test.f1 >= 0.8`: they come after those of the YAML.
        plugins: whose metrics it may name; None takes those of installed packages alone.

    Raises:
        UsageError: there is no such file.
        ConfigError: all that is wrong with the YAML and the overrides.
    """
    if str(path) == "-":
        return load_text(sys.stdin.buffer.read(MOST_BYTES + 1), "stdin", Path.cwd(), overrides, gates, plugins=plugins)
    path = Path(path)
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(f"config file not found: {path}{_near(path)}") from None
    except OSError as error:
        raise UsageError(f"cannot read the config {path}: {error.strerror}") from None
    return replace(load_text(text, str(path), path.absolute().parent, overrides, gates, plugins=plugins), path=path)


def load_text(
    text: bytes,
    name: str,
    directory: Path,
    overrides: Sequence[str] = (),
    gates: Sequence[str] = (),
    *,
    form: Form = EXPERIMENT,
    plugins: Plugins | None = None,
) -> Loaded:
    """Read an experiment from the bytes of a YAML file.

    Args:
        text: the YAML.
        name: what messages call it.
        directory: what its paths are relative to.
        overrides: as for `load`.
        gates: as for `load`.
        form: what the whole must be.
        plugins: as for `load`.

    Raises:
        ConfigError: all that is wrong.
    """
    root, problems = _merged(text, name, overrides, form.spec)
    root = with_gates(root, gates)
    plugins = Plugins() if plugins is None else plugins
    experiment = check(root, problems, form, {"directory": directory, "plugins": plugins})
    return Loaded(cast(ExperimentSpec, experiment), root, text, None, tuple(overrides), plugins)


def again(loaded: Loaded, overrides: Sequence[str], gates: Sequence[str] = ()) -> Loaded:
    """Return an experiment as it is with more overrides, which win; arguments as for `load`."""
    name = "stdin" if loaded.path is None else str(loaded.path)
    directory = Path.cwd() if loaded.path is None else loaded.path.absolute().parent
    found = load_text(loaded.text, name, directory, (*loaded.overrides, *overrides), gates, plugins=loaded.plugins)
    return replace(found, path=loaded.path)


def _merged(text: bytes, name: str, overrides: Sequence[str], spec: type[Spec]) -> tuple[Node, list[Problem]]:
    """Return the YAML with the overrides in it, and the problems that did not stop the reading."""
    content, source = decode(text, name)
    document = parse(content, source)
    root, problems = document.root, list(document.problems)
    if not isinstance(root.value, Mapping):
        message = "expected a mapping with keys such as 'data' and 'model'" if root.value else "the config is empty"
        raise InvalidConfigError([*problems, Problem((), root.place, f"{message} (`mltrain init` writes one)")])
    if "$schema" in root.value:  # the key by which an editor may find the JSON Schema
        root = root.changed(("$schema",), None)
    for number, override in enumerate(overrides, start=1):
        try:
            root, more = apply_override(root, override, number, spec)
        except InvalidConfigError as error:
            more = error.problems
        problems += more
    return root, problems


def _near(path: Path) -> str:
    """Return a suggestion of a config beside a path that does not exist."""
    try:
        names = [each.name for each in path.parent.iterdir() if each.suffix in (".yaml", ".yml")]
    except OSError:
        return f" (there is no folder {path.parent})"
    return suggest(path.name, names)
