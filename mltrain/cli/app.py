"""The beginning and the end of the process: its signals, its streams, and the one place that prints errors."""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from mltrain.cli.streams import ReaderLeftError, prepare_streams
from mltrain.errors import FailedRunError, InterruptedRunError, MltrainError
from mltrain.problems import printable, shortened

# What the process is where it is mltrain, and not a program that calls it.
_PROGRAMS = ("mltrain", "mltrain.__main__", "mltrain.cli.one_of_folder")


def main(run: Callable[[], int] | None = None) -> NoReturn:
    """Run the command line; end the process with the exit code of what happened.

    Args:
        run: what is run instead, by a process that a command has started; returns the exit code.
    """
    # A command that does not handle Ctrl-C ends by it as any program does: Python would print a traceback of whatever
    # it is importing. Typer, 0.1 s of import, therefore comes later.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else a caller wants it to be ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Pydantic would look for plugins of its own in every installed package. Whoever wants one sets this to nothing.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    prepare_streams()
    code = _ended(_run if run is None else run)
    if is_the_process():
        leave(code)
    sys.exit(code)


def is_the_process() -> bool:
    """Return whether the process is the command, `mltrain` or `python -m mltrain`, and not a program that calls it."""
    program = sys.modules["__main__"]
    spec = getattr(program, "__spec__", None)
    return (spec.name if spec else Path(getattr(program, "__file__", "")).stem) in _PROGRAMS


def leave(code: int) -> NoReturn:
    """End the process with this exit code, whatever its libraries still do.

    An interpreter that shuts down ends each thread that asks for its lock. A thread of pyarrow that still reads a file
    asks for it in the middle of C++, where that aborts the process: exit code 134 in place of ours.
    """
    with suppress(Exception):
        atexit._run_exitfuncs()  # temporary files, and what measures coverage
    try:
        sys.stdout.flush()
    except MltrainError as error:  # also a reader that has left
        code = code or error.exit_code
    with suppress(Exception):
        sys.stderr.flush()
    os._exit(code)


def _ended(run: Callable[[], int]) -> int:
    """Run the command, print its error if it ends with one, and return the exit code."""
    try:
        return run()
    except ReaderLeftError as error:
        return error.exit_code
    except MltrainError as error:
        _say(error)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 (the one place that turns any bug into one line and a file)
        from mltrain.procedures.failures import machine_failure

        failure = machine_failure(error)  # no memory or no disk is not a bug
        if failure is None:
            _say_bug(error)
            return 1
        _say(failure)
        return failure.exit_code


def _run() -> int:
    from typer import TyperException

    from mltrain.cli.commands import program

    try:
        # Not standalone: Typer, left alone, turns a reader that leaves into exit code 1, and knows no --json.
        return program(sys.argv[1] if len(sys.argv) > 1 else None)(standalone_mode=False) or 0
    except TyperException as error:
        error.show()  # type: ignore[attr-defined]  # each that a command line can cause has it
        _say_json({"exit_code": error.exit_code, "message": error.format_message(), "problems": []})
        return error.exit_code


def _say(error: MltrainError) -> None:
    # A message may quote any name or value: here is the last place where it can be kept from driving the terminal.
    message = "\n".join(map(printable, str(error).split("\n")))
    plain = "\n" in message or isinstance(error, InterruptedRunError)  # a user who stopped a run made no error
    if isinstance(error, FailedRunError) and error.traceback is not None:
        _say_bug_line(message, error.traceback)
        return
    print(message if plain else f"error: {message}", file=sys.stderr)
    problems = [problem.as_json() for problem in getattr(error, "problems", ())]
    if isinstance(error, FailedRunError):
        problems = [*error.described]
    _say_json({"exit_code": error.exit_code, "message": str(error), "problems": problems})


def _say_bug(error: Exception) -> None:
    import tempfile
    import traceback

    from mltrain import __version__

    with tempfile.NamedTemporaryFile("w", prefix="mltrain-bug-", suffix=".txt", delete=False, encoding="utf-8") as file:
        file.write(f"mltrain {__version__}, Python {sys.version}\ncommand: {sys.argv}\n\n")
        traceback.print_exception(error, file=file)
    _say_bug_line(f"{type(error).__name__}: {shortened(' '.join(str(error).split()), 200)}", file.name)


def _say_bug_line(what: str, traceback: str) -> None:
    print(f"bug in mltrain: {what} (the traceback is in {traceback})", file=sys.stderr)
    _say_json({"exit_code": 1, "message": what, "traceback": traceback})


def _say_json(error: dict[str, object]) -> None:
    if "--json" in sys.argv:
        with suppress(MltrainError):  # standard output cannot be written: the process ends with an error anyway
            print(json.dumps({"error": error}))
