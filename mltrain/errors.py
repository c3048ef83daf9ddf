"""Every expected failure, each a class with its exit code.

A failure that a user can cause or mend is one of these: it is printed as one line, without a traceback, and the process
ends with the code of its class. Anything else that is raised is a bug of ours (exit code 1).
The codes are a contract; the table in README.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class MltrainError(Exception):
    """What is wrong, where, what was expected and what to do, in one line.

    Attributes:
        exit_code: the exit status of the process that ends with this error.
    """

    exit_code = 1


class SelfCheckError(MltrainError):
    """A run that is read again from its directory gives other numbers: a bug of mltrain, or broken hardware."""


class UsageError(MltrainError):
    """The command line is wrong, or the config file does not exist."""

    exit_code = 2


class ConfigError(MltrainError):
    """The config is invalid. The message may hold several lines: one problem each, with its place in the YAML."""

    exit_code = 3


class DataError(MltrainError):
    """The data is invalid, or a data file does not exist."""

    exit_code = 4


class DataFileError(DataError):
    """A file that a key of the config names is damaged, or not what it should be.

    Whoever knows where the key is written says so, as for a `MisfitError`.

    Args:
        path: the keys and list indices that lead to the value.
        message: what is wrong with the file, what was expected, what to do.
    """

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(f"{'.'.join(map(str, path))}: {message}")
        self.path = path
        self.message = message


class RunError(MltrainError):
    """A run directory or a checkpoint is missing, damaged or does not fit."""

    exit_code = 5


class RunExistsError(MltrainError):
    """The run directory exists, or another process uses it."""

    exit_code = 6


class WriteError(MltrainError):
    """A file cannot be written: the disk is full, read-only, or a quota is used up."""

    exit_code = 7


class DivergedError(MltrainError):
    """The loss, a metric, a prediction or a weight became NaN or infinite."""

    exit_code = 8


class OutOfMemoryError(MltrainError):
    """The device or the machine has no memory left for this batch, model or data."""

    exit_code = 9


class VerdictError(MltrainError):
    """A check has failed: a run cannot be reproduced, or a gate is not passed."""

    exit_code = 10


class DeviceError(MltrainError):
    """A device or an optional package that was asked for is missing.

    Args:
        message: what is missing, what was expected, what to do.
        path: the key of the config that asks for it; whoever knows where it is written says so, as for a `MisfitError`.
    """

    exit_code = 12

    def __init__(self, message: str, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(": ".join(filter(None, [".".join(map(str, path)), message])))
        self.path = path
        self.message = message


class DownloadError(MltrainError):
    """A file that was asked for is missing and cannot be downloaded."""

    exit_code = 12


class PluginError(MltrainError):
    """Code of the user, such as that of `--plugin`, is missing, cannot be loaded, or fails.

    Args:
        message: what is missing, or went wrong.
        part: the kind and the name of the component whose place in the YAML is to be said; None where it is not known.
    """

    exit_code = 12

    def __init__(self, message: str, part: tuple[str, str] | None = None) -> None:
        super().__init__(message)
        self.part = part


class WorkerError(MltrainError):
    """One of several workers is lost, or does not come; what was trained up to the last checkpoint is kept."""

    exit_code = 13


class WorkersDifferError(WorkerError):
    """The workers have read other data or another config, or are of other versions: another try does not help."""

    exit_code = 5


class InterruptedRunError(MltrainError):
    """A signal ended the run; what was trained so far is kept.

    Args:
        message: what was kept, and where.
        signal_number: 2 (SIGINT) or 15 (SIGTERM); the exit code is 128 more, as in a shell.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


class FailedRunError(MltrainError):
    """A run that was trained in a process of its own has ended with an error; it is said as that process has said it.

    Args:
        message: of the error.
        exit_code: of the process.
        problems: each as `--json` prints it.
        traceback: the file with the traceback of a bug; None where it is an expected failure.
    """

    def __init__(
        self, message: str, exit_code: int, problems: Sequence[Mapping[str, Any]] = (), traceback: str | None = None
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.described = problems
        self.traceback = traceback


class MisfitError(ConfigError):
    """A value of the config turns out to be wrong only when the data or the model is there; what can be seen without
    them is a `RuleProblem`.

    Whoever knows where the value is written says so: see `Loaded.error`.

    Args:
        path: the keys and list indices that lead to the value.
        message: what is wrong with it, what was expected, what to do.
    """

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(f"{'.'.join(map(str, path))}: {message}")
        self.path = path
        self.message = message
        self.all: tuple[tuple[tuple[str | int, ...], str], ...] = ((path, message),)

    @classmethod
    def of(cls, problems: Sequence[tuple[tuple[str | int, ...], str]]) -> MisfitError:
        """Return the error of several values, each with its path: they are all said."""
        error = cls(*problems[0])
        error.all = tuple(problems)
        return error
