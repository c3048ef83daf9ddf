"""Whatever ends a training with an error: status.json says so, an error of the config is placed in the YAML, and a
failure of the machine that comes in the exception class of somebody else is named. No TensorFlow here."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from mltrain.config.load import Loaded
from mltrain.errors import (
    DataError,
    DataFileError,
    DeviceError,
    InterruptedRunError,
    MisfitError,
    MltrainError,
    OutOfMemoryError,
    PluginError,
    WriteError,
)
from mltrain.problems import KeyPath, Problem
from mltrain.procedures.own_faults import own_fault
from mltrain.procedures.run_context import RunContext
from mltrain.run.locked_run import LockedRun
from mltrain.run.status import State, status

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG}
# TensorFlow reports a full disk in the class that it has for memory: "disk quota exceeded [Op:SaveV2]".
_DISK_WORDS = ("no space left", "disk quota", "disk full", "savev2")


@contextmanager
def recorded_failures(loaded: Loaded, context: RunContext) -> Iterator[None]:
    """Write into status.json how what happens inside ends, when it ends in an error, and place errors in the YAML.

    A resumed run becomes what it was before, unless it has come further. One of which nothing has been written yet
    stays as it is.
    """
    try:
        with _in_status(context), placed_failures(loaded):
            yield
    except BaseException as error:
        context.ended(error)
        raise
    context.ended()


@contextmanager
def placed_failures(loaded: Loaded) -> Iterator[None]:
    """Place errors of what is done inside in the YAML, and name failures of the machine, and of code of the user's."""

    def place(path: KeyPath) -> object:
        return loaded.root.place_of(path)

    try:
        yield
    except MisfitError as error:
        raise (own_fault(error, loaded.spec, place) or loaded.error(*error.all)) from error
    except DataFileError as error:
        raise DataError(Problem(error.path, loaded.root.place_of(error.path), error.message).line()) from error
    except DeviceError as error:
        if not error.path:
            raise
        place_of_device = loaded.root.place_of(error.path)
        raise DeviceError(Problem(error.path, place_of_device, error.message).line()) from error
    except PluginError as error:
        placed = own_fault(error, loaded.spec, place)
        if placed is None:
            raise
        raise placed from error
    except MltrainError:
        raise
    except Exception as error:
        failure = machine_failure(error) or own_fault(error, loaded.spec, place)
        if failure is None:
            raise
        raise failure from error


@contextmanager
def _in_status(context: RunContext) -> Iterator[None]:
    run = context.run

    def end(state: State, error: BaseException, exit_code: int) -> None:
        if context.writes:
            _end(run, state, error, exit_code)

    try:
        yield
    except InterruptedRunError as error:
        end("interrupted", error, error.exit_code)
        raise
    except KeyboardInterrupt as error:
        end("interrupted", error, 130)
        raise
    except MltrainError as error:
        end("failed", error, error.exit_code)
        raise
    except Exception as error:
        if context.writes:
            run.log("".join(traceback.format_exception(error)))
        end("failed", error, 1)
        raise


def _end(run: LockedRun, state: State, error: BaseException, exit_code: int) -> None:
    # The run may be what is broken, or cannot be written to: then the error itself is what the user must see.
    with suppress(MltrainError):
        before = run.status() if run.has_status() else None  # none before its first phase
        epoch, step = (before.epoch, before.step) if before else (0, 0)
        reason = str(error) or type(error).__name__
        run.write_status(status(state, reason, epoch=epoch, step=step, exit_code=exit_code))


def machine_failure(error: Exception) -> MltrainError | None:
    """Return what `error` means for the user where the machine is the cause: no memory, no disk; else None."""
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.errno in _DISK:
        return WriteError(f"{error.filename or 'a file'}: cannot write: {error.strerror}")
    if type(error).__name__ == "ResourceExhaustedError" and any(word in text.lower() for word in _DISK_WORDS):
        return WriteError(f"cannot write: {text[:200]}")
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        advice = (
            "use fewer rows, a smaller training.batch_size, a smaller model, or, for image files, a smaller "
            "data.source.size"
        )
        return OutOfMemoryError(f"out of memory: {text[:200] or 'the machine has no memory left'}; {advice}")
    return None
