"""What goes wrong in code of the user's while a network is built, trained or saved: said in one line, with the line of
that code and the place of the component in the YAML. No TensorFlow here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mltrain.config.named_parts import named_parts
from mltrain.errors import MisfitError, MltrainError, PluginError
from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api.components import KerasComponent
from mltrain.keras_api.messages import reason
from mltrain.keras_api.own_parts import OwnPart
from mltrain.problems import KeyPath, path_text, printable

Named = list[tuple[KeyPath, KerasComponent]]


@contextmanager
def own_faults(spec: ExperimentSpec) -> Iterator[None]:
    """Say what goes wrong inside in code of the user's, of a run that is read again.

    Raises:
        PluginError: in place of whatever that code has raised.
    """
    try:
        yield
    except MltrainError as error:
        found = own_fault(error, spec)
        if found is None:
            raise
        raise found from error
    except Exception as error:
        found = own_fault(error, spec)
        if found is None:
            raise
        raise found from error


def own_fault(
    error: Exception, spec: ExperimentSpec, place: Callable[[KeyPath], object] = lambda path: ""
) -> PluginError | None:
    """Return what went wrong in code of the user's; None where the error is from elsewhere.

    Args:
        error: what was raised, or what was made of it.
        spec: the experiment, which names that code.
        place: returns where the value of a path is written.
    """
    named = list(named_parts(spec))
    if isinstance(error, PluginError):
        of = [path for path, each in named if (each.kind, each.type) == error.part]
        return PluginError(_placed(place, of[0], str(error))) if of else None
    files = {each.own.file for _, each in named if each.own is not None and each.own.file}
    raised: BaseException | None = error.__cause__ if isinstance(error, MltrainError) else error
    found = None
    while files and raised is not None and (found := _line_of(raised, files)) is None:
        raised = raised.__cause__
    if raised is None or found is None:
        return None
    file, line, function = found
    of_class = _named_by(named, file, function)
    paths = [path for path, _ in of_class]
    near = error.path if isinstance(error, MisfitError) else ()
    path = next((each for each in paths if near and each[: len(near)] == near), paths[0])
    component = of_class[0][1]
    said = f"{component.kind} {component.type}: {file}:{line}: {type(raised).__name__}: {_said(raised)}"
    return PluginError(_placed(place, path, said))


def _placed(place: Callable[[KeyPath], object], path: KeyPath, said: str) -> str:
    return printable(": ".join(filter(None, [str(place(path)), path_text(path), said])))


def _said(error: BaseException) -> str:
    text = reason(error) if isinstance(error, Exception) else str(error)
    return " ".join(text.split())[:500]


def _line_of(error: BaseException, files: set[str]) -> tuple[str, int, str] | None:
    """Return file, line and function of the last line of the user's that was run; None where none was."""
    found = None
    trace: Any = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename in files:
            found = (code.co_filename, trace.tb_lineno, code.co_qualname)
        trace = trace.tb_next
    if found is not None:
        return found
    # What a graph meets when it is run has no traceback of the code that made it; TensorFlow writes it into the text.
    written = re.findall(r'File "([^"]+)", line (\d+), in (\w+)', str(error))
    lines = [(file, int(line), function) for file, line, function in written if file in files]
    return lines[-1] if lines else None


def _named_by(named: Named, file: str, function: str) -> Named:
    """Return the components that a function belongs to, else all of its file."""
    of_file = [(path, each) for path, each in named if each.own is not None and each.own.file == file]
    return [(path, each) for path, each in of_file if _is_of(each.own, function)] or of_file


def _is_of(part: OwnPart | None, function: str) -> bool:
    made = getattr(part.made, "function", part.made) if part is not None else None
    name = getattr(made, "__qualname__", "")
    return bool(name) and (function == name or function.startswith(f"{name}."))
