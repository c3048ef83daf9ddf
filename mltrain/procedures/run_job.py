"""What a process is told that trains one run of a folder. No TensorFlow, no NumPy."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True)
class RunJob:
    """A run, and how it is trained. The text of the config is that which the command has read: the file may change.

    Attributes:
        config: the YAML, byte for byte.
        path: of the YAML; None for standard input.
        overrides: as `--set` takes them, of the command line and of this run.
        gates: of the command line.
        plugins: the files of `--plugin`.
        folder: of the runs.
        run: the directory of this one.
        command: the command line, for the record.
        launcher: the descriptor of a pipe that ends with the command.
        allow_inexact: whether to continue although something differs, and mark the run.
        verify_export: whether to open model.keras as its user will.
        profile: whether to note where the time goes.
    """

    config: bytes
    path: str | None
    overrides: tuple[str, ...]
    gates: tuple[str, ...]
    plugins: tuple[str, ...]
    folder: str
    run: str
    command: tuple[str, ...]
    launcher: int
    allow_inexact: bool
    verify_export: bool
    profile: bool

    def as_text(self) -> str:
        """Return it as `of_text` reads it; it is ASCII, whatever the names of files are."""
        return json.dumps({**asdict(self), "config": base64.b64encode(self.config).decode()})

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Return what `as_text` has written."""
        found = json.loads(text)
        listed = {name: tuple(found[name]) for name in ("overrides", "gates", "plugins", "command")}
        return cls(**{**found, **listed, "config": base64.b64decode(found["config"])})
