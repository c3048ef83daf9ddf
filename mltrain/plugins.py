"""The one place where code of the user's is run: a file that the command line names, or a package that is installed.

A config and a run name components, never where they come from: `from_file` is called for the option `--plugin` alone,
and `installed` looks a name up among those that installed packages offer under an entry-point group. Metrics are the
first kind of component that comes this way; another one is another class to look for, and another group.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltrain.errors import PluginError, UsageError
from mltrain.metric_function import MetricFunction
from mltrain.spec import Spec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "mltrain.metrics"


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
    """A metric, and where it comes from."""

    function: MetricFunction
    origin: Origin


def from_file(path: Path) -> tuple[Offered, ...]:
    """Run a Python file, and return the metrics that it makes.

    Raises:
        UsageError: the file is not there, or cannot be read.
        PluginError: it fails, or makes no metric.
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--plugin {path}: cannot be read: {error.strerror}") from None
    made = vars(_run(path, source)).values()
    origin = Origin(plugin=path.name, sha256=hashlib.sha256(source).hexdigest())
    found = tuple({id(each): Offered(each, origin) for each in made if isinstance(each, MetricFunction)}.values())
    if not found:
        raise PluginError(
            f"--plugin {path}: it does not define a metric; write `from mltrain import metric` and put @metric(...) "
            "above a function"
        )
    return found


def installed_names() -> list[str]:
    """Return the names of the metrics that installed packages offer; imports none of them."""
    from importlib.metadata import entry_points

    return sorted({each.name for each in entry_points(group=GROUP)})


def installed(name: str) -> Offered | None:
    """Import the metric of that name from the installed package that offers it; None where none does.

    Raises:
        PluginError: several do, or the import fails, or it is no metric.
    """
    from importlib.metadata import entry_points

    found = list(entry_points(group=GROUP, name=name))
    if not found:
        return None
    if len(found) > 1:
        packages = " and ".join(sorted(each.dist.name if each.dist else each.value for each in found))
        raise PluginError(f"metric {name} is offered by several packages ({packages}); uninstall all but one")
    return _imported(found[0])


def _imported(entry: EntryPoint) -> Offered:
    package, version = (entry.dist.name, entry.dist.version) if entry.dist else (entry.module, "")
    place = f"metric {entry.name} of the package {package}"
    with _faults(f"{place} ({entry.value})", None):
        found = entry.load()
    if not isinstance(found, MetricFunction) or found.name != entry.name:
        what = f"the metric {found.name}" if isinstance(found, MetricFunction) else f"a {type(found).__name__}"
        raise PluginError(f"{place}: {entry.value} is {what}; expected a function with @metric and this name")
    code = getattr(found.function, "__code__", None)
    file = Path(code.co_filename) if code else None
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest() if file and file.is_file() else None
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
