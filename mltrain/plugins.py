"""The one place where code of the user's is run: a file that the command line names, or a package that is installed.

A config and a run name components, never where they come from: `from_file` is called for the option `--plugin` alone,
and `installed` looks a name up among those that installed packages offer under an entry-point group. A metric is marked
by `@metric`, a loss or a model that is a function by `@loss` or `@model`; a class that extends one of Keras' bases is a
layer, loss, optimizer, schedule or model by itself.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mltrain.errors import PluginError, UsageError
from mltrain.metric_function import MetricFunction
from mltrain.own_function import OwnFunction
from mltrain.spec import Spec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Kind = Literal["metric", "layer", "loss", "optimizer", "schedule", "model"]
GROUPS: dict[Kind, str] = {
    "metric": "mltrain.metrics",
    "layer": "mltrain.layers",
    "loss": "mltrain.losses",
    "optimizer": "mltrain.optimizers",
    "schedule": "mltrain.schedules",
    "model": "mltrain.models",
}
# What a class extends that is of a kind; a model is a layer too, so models come first.
_BASES: dict[Kind, str] = {
    "model": "Model",
    "layer": "Layer",
    "loss": "losses.Loss",
    "optimizer": "optimizers.Optimizer",
    "schedule": "optimizers.schedules.LearningRateSchedule",
}


class Origin(Spec):
    """Where a component of the user's comes from."""

    plugin: str
    """The name of the file, or of the package."""
    version: str | None = None
    """The version of the package; null for a file."""
    sha256: str | None = None
    """The sha256 sum of its file; null if a package has no such file."""

    @property
    def words(self) -> str:
        """As `costs.py (sha256 0123456789ab)`, `acme-metrics 1.2 (sha256 …)`."""
        version = f" {self.version}" if self.version is not None else ""
        return f"{self.plugin}{version}" + (f" (sha256 {self.sha256[:12]})" if self.sha256 else "")

    @property
    def advice(self) -> str:
        """What brings it back."""
        return f"give it with --plugin {self.plugin}" if self.version is None else f"install {self.plugin}"


@dataclass(frozen=True)
class Offered:
    """A component of the user's, and where it comes from."""

    made: MetricFunction | OwnFunction | type
    origin: Origin

    @property
    def kind(self) -> Kind:
        """What it is."""
        found = kind_of(self.made)
        if found is None:
            raise TypeError(f"{self.made!r} is not a component")
        return found

    @property
    def name(self) -> str:
        """Its `type` in configs."""
        return self.made.__name__ if isinstance(self.made, type) else self.made.name

    @property
    def place(self) -> str:
        """`FILE:LINE` where it is written; empty where it is not written in Python."""
        return place_of(self.made)


def kind_of(made: Any) -> Kind | None:
    """Return which kind of component it is; None for none. A class can extend Keras' only where Keras is imported."""
    if isinstance(made, MetricFunction):
        return "metric"
    if isinstance(made, OwnFunction):
        return made.kind
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(made, type):
        return None
    for kind, base in _BASES.items():
        found: Any = keras
        for part in base.split("."):
            found = getattr(found, part, None)
        if found is not None and issubclass(made, found):
            return kind
    return None


def place_of(made: Any) -> str:
    """Return `FILE:LINE` where a component is written; empty where it is not written in Python."""
    function = made if isinstance(made, type) else made.function
    if not isinstance(function, type):
        code = getattr(function, "__code__", None)
        return f"{code.co_filename}:{code.co_firstlineno}" if code else ""
    # A class does not know its line (3.11); its first method does.
    codes = [each.__code__ for each in vars(function).values() if hasattr(each, "__code__")]
    first = min(codes, key=lambda code: code.co_firstlineno, default=None)
    return f"{first.co_filename}:{first.co_firstlineno}" if first else ""


def from_file(path: Path) -> tuple[Offered, ...]:
    """Run a Python file, and return the components that it makes. Keras is started first where it imports it.

    Raises:
        UsageError: the file is not there, or cannot be read.
        PluginError: it fails, or makes no component.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--plugin {path}: cannot be read: {error.strerror}") from None
    if _imports_keras(source):
        from mltrain.tensorflow_start import start_tensorflow

        start_tensorflow()
    module = _run(path, source)
    origin = Origin(plugin=path.name, sha256=hashlib.sha256(source).hexdigest())
    found = {id(each): Offered(each, origin) for each in vars(module).values() if _is_of(module, each)}
    if not found:
        raise PluginError(
            f"--plugin {path}: it defines no component; write a class that extends keras.layers.Layer, "
            "keras.losses.Loss, keras.optimizers.Optimizer, keras.optimizers.schedules.LearningRateSchedule or "
            "keras.Model, or a function under @metric, @loss or @model of mltrain"
        )
    return tuple(found.values())


def _is_of(module: Any, made: Any) -> bool:
    """Return whether a plugin offers this: a class that it only imports, or hides by a `_`, it does not."""
    if isinstance(made, type):
        hidden = made.__name__.startswith("_") or made.__module__ != module.__name__
        return not hidden and kind_of(made) is not None
    return isinstance(made, MetricFunction | OwnFunction)


def _imports_keras(source: bytes) -> bool:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # running it says what is wrong
        return False
    names = [
        name
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    return any(name.partition(".")[0] in ("keras", "tensorflow") for name in names)


def installed_names(kind: Kind) -> list[str]:
    """Return the names of the components of a kind that installed packages offer; imports none of them."""
    from importlib.metadata import entry_points

    return sorted({each.name for each in entry_points(group=GROUPS[kind])})


def installed(kind: Kind, name: str) -> Offered | None:
    """Import the component of that name from the installed package that offers it; None where none does.

    Raises:
        PluginError: several do, or the import fails, or it is another thing.
    """
    from importlib.metadata import entry_points

    found = list(entry_points(group=GROUPS[kind], name=name))
    if not found:
        return None
    if len(found) > 1:
        packages = " and ".join(sorted(each.dist.name if each.dist else each.value for each in found))
        raise PluginError(f"{kind} {name} is offered by several packages ({packages}); uninstall all but one")
    return _imported(kind, found[0])


def _imported(kind: Kind, entry: EntryPoint) -> Offered:
    package, version = (entry.dist.name, entry.dist.version) if entry.dist else (entry.module, "")
    place = f"{kind} {entry.name} of the package {package}"
    if kind != "metric":
        from mltrain.tensorflow_start import start_tensorflow

        start_tensorflow()
    with _faults(f"{place} ({entry.value})", None):
        found = entry.load()
    made = kind_of(found)
    if made != kind or Offered(found, Origin(plugin=package)).name != entry.name:
        what = f"the {made} {Offered(found, Origin(plugin=package)).name}" if made else f"a {type(found).__name__}"
        expected = "a function with @metric" if kind == "metric" else f"a {kind}"
        raise PluginError(f"{place}: {entry.value} is {what}; expected {expected} and this name")
    file = Path(place_of(found).rpartition(":")[0] or "-")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
    return Offered(found, Origin(plugin=package, version=version, sha256=sha256))


def _run(path: Path, source: bytes) -> Any:
    from importlib.abc import SourceLoader
    from importlib.util import module_from_spec, spec_from_loader

    class TheseBytes(SourceLoader):
        """Runs what was hashed: not the file as it is a moment later, nor what Python keeps of it in __pycache__."""

        def get_filename(self, fullname: str) -> str:
            return str(path)

        def get_data(self, path: str | bytes) -> bytes:
            return source

    name = f"mltrain_plugin_{hashlib.sha256(bytes(path.absolute())).hexdigest()[:12]}"
    spec = spec_from_loader(name, TheseBytes(), origin=str(path))
    if spec is None or spec.loader is None:
        raise PluginError(f"--plugin {path}: Python cannot load this file; is it a .py file?")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    with _faults(f"--plugin {path}", str(path)):
        spec.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _faults(what: str, file: str | None) -> Iterator[None]:
    """Turn whatever goes wrong inside into one line; what is printed goes to stderr, as stdout is for results."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except (MemoryError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit() in a plugin is no way to end mltrain either
        raise PluginError(f"{what}: {fault(error, file)}") from error


def fault(error: BaseException, file: str | None = None) -> str:
    """Return what went wrong in code of the user's, as `costs.py:7: KeyError: 'x'`.

    Args:
        error: with its traceback.
        file: whose last line that was run is named; None, or where it has none, takes the line that raised.
    """
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        frames.append((error.filename or "", error.lineno))
    name, line = ([each for each in frames if each[0] == file] or frames)[-1]
    said = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    return f"{name}:{line}: {type(error).__name__}" + (f": {said}" if said else "")
