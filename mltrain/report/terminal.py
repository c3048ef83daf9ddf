"""What is printed on stderr during a run: lines in a pipe, and a progress bar on a terminal.

Text from data and config is escaped: it can neither drive the terminal nor break a line.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import TextIO, cast

from mltrain.problems import printable
from mltrain.report.backbones import backbone_lines
from mltrain.report.decisions import decision_lines, where_decisions_are
from mltrain.report.end_of_run import WIDTH, end_of_run, wrapped
from mltrain.report.profile import profile_table
from mltrain.report.text import duration, number
from mltrain.run.architecture import Architecture
from mltrain.run.audit import Audit
from mltrain.run.profile import Profile
from mltrain.run.results import Results
from mltrain.task import Decision
from mltrain.wording import counted

# Seconds between two lines of epochs in a pipe: an epoch may take a millisecond.
_BETWEEN_LINES = 1.0
# In a pipe there is no width to fit, but a log should stay readable.
_PIPE_WIDTH = 110
# Before the epochs, at most one screen of 24 lines: the others are counted.
_MOST_OF_DECISIONS = 16
_MOST_OF_WARNINGS = 12


class _Listener:
    """A stream whose reader may leave, as `2>&1 | head` does: from then on there is silence.

    What matters is in the run directory, and a training must not die because nobody looks any more. Rich, left alone,
    ends the process with exit code 1.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self.encoding = stream.encoding
        self.isatty = stream.isatty

    def write(self, text: str) -> int:
        return self._try(lambda stream: stream.write(text)) or len(text)

    def flush(self) -> None:
        self._try(lambda stream: stream.flush())

    def _try(self, action: Callable[[TextIO], int | None]) -> int | None:
        try:
            return action(self._stream) if self._stream else None
        except OSError:
            self._stream = None
            return None


class Terminal:
    """Says on stderr what a run does.

    Args:
        quiet: say nothing.
        progress_every: a line is printed after each n-th epoch, and the best epoch since and the last have one in any
            case. In a pipe there is at most one line per second.
        below: the number of lines that the command prints after the end of a run.
        stream: where to print, instead of stderr.
        clock: seconds.
    """

    def __init__(
        self,
        *,
        quiet: bool = False,
        progress_every: int = 1,
        below: int = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # stderr is None in a process that was started with it closed.
        stream = None if quiet else stream or sys.stderr
        self._stream = cast(TextIO, _Listener(stream)) if stream is not None else None
        self._progress_every = progress_every
        self._below = below
        self._epochs = 0
        self._columns: tuple[str, ...] = ()
        self._pending: str | None = None
        self._best: str | None = None  # the line of the best epoch so far, where it was not printed yet
        self._clock = clock
        self._next_line = -math.inf
        self._objective = ""
        self._live = None
        if self._stream is not None and self._stream.isatty() and os.environ.get("TERM") != "dumb":
            # Rich costs 50 ms, which a pipe need not pay.
            from mltrain.report.live import LiveTerminal

            self._live = LiveTerminal(self._stream)

    @property
    def is_live(self) -> bool:
        """Whether somebody looks at it, and no pipe."""
        return self._live is not None

    def note(self, text: str) -> None:
        """Say something."""
        self._say(printable(text), words=True)

    def warning(self, text: str) -> None:
        """Say something that is probably not what the user wants."""
        self._say(f"warning: {printable(text)}", words=True, style="yellow")

    def decisions(self, decisions: Sequence[Decision]) -> None:
        """Say what was decided, and why; what would fill more than a screen is in record.json."""
        lines = decision_lines([(each.what, each.value, each.reason) for each in decisions])
        everything = where_decisions_are(decisions)
        shown = self._fitting([line for line in lines if line != everything], _MOST_OF_DECISIONS)
        for line in shown:
            self._say(line, words=True, bold=max(line.find(": "), 0))
        if len(shown) < len(lines):
            self._say(everything, words=True)

    def audit(self, audit: Audit) -> None:
        """Say what is wrong with the data; many warnings are counted."""
        lines = [f"warning: {printable(found.line)}" for found in audit.warnings]
        shown = self._fitting(lines, _MOST_OF_WARNINGS)
        for line in shown:
            self._say(line, words=True, style="yellow")
        if len(shown) < len(lines):
            more = counted(len(lines) - len(shown), "more warning")
            self._say(f"… and {more} about the data: audit.json and the report have all", style="yellow")

    def _fitting(self, lines: Sequence[str], most: int) -> list[str]:
        """Return the first lines that fit in `most` lines of the terminal."""
        width = self._live.width if self._live else WIDTH
        ends = accumulate(len(wrapped(line, width)) for line in lines)
        return [line for line, end in zip(lines, ends, strict=True) if end <= most]

    def model(self, architecture: Architecture) -> None:
        """Say of which parts the backbones of a model are."""
        for line in backbone_lines(architecture):
            self._say(line, words=True, bold=max(line.find(": "), 0))

    def table(self, text: str) -> None:
        """Show several lines, after an empty one."""
        for line in ("", *text.splitlines()):
            self._say(line)

    @contextmanager
    def training(self, epochs: int, steps: int, objective: str = "") -> Iterator[None]:
        """While inside, epochs are trained; `objective` is what the best of them is chosen by."""
        self._epochs, self._objective = epochs, objective
        if self._live:
            self._live.start_bar(epochs, steps)
        try:
            yield
        finally:
            if self._live:
                self._live.stop_bar()
            for line in dict.fromkeys((self._best, self._pending)):
                if line is not None:
                    self._say(line)
            self._best = self._pending = None

    def steps(self, epoch: int, done: int, total: int, loss: float) -> None:
        """Show how far an epoch is: `done` of `total` steps, with the running average of the loss."""
        if self._live:
            self._live.move_bar(epoch, done, loss)

    def epoch_ended(self, epoch: int, row: Mapping[str, float], improved: bool, notes: Sequence[str] = ()) -> None:
        """Show what an epoch was.

        Args:
            epoch: counted from 1.
            row: of the history: every `split.metric`, `learning_rate` and `seconds`.
            improved: whether it is the best so far.
            notes: what callbacks did.
        """
        if not self._columns:
            self._choose_columns(row)
        line = self._epoch_line(epoch, row, improved)
        self._pending = line
        if self._live:
            self._live.end_epoch(epoch, row["train.loss"])
        if improved:
            self._best = line
        now = self._clock()
        if epoch % self._progress_every == 0:
            self._say_epochs(now)
        for text in notes:
            self._say(f"  {printable(text)}", words=True)

    def _say_epochs(self, now: float) -> None:
        """Print the line of this epoch, and before it that of the best epoch so far if it was not printed yet.

        In a pipe at most one line per second: a line that would exceed that waits for the next second, the best first.
        """
        lines = [line for line in dict.fromkeys((self._best, self._pending)) if line is not None]
        # Where epochs are slow, two lines may follow two seconds without one.
        room = 2 if self._live or now >= self._next_line + _BETWEEN_LINES else int(now >= self._next_line)
        for line in lines[:room]:
            self._next_line = now + _BETWEEN_LINES
            self._say(line)
            self._best = None if line == self._best else self._best
            self._pending = None if line == self._pending else self._pending

    def results(self, results: Results, run: Path, depends_on: Sequence[str] = ()) -> None:
        """Show the final numbers, what they mean, and where the run is, on one screen.

        Args:
            results: of the run.
            run: the run directory.
            depends_on: what the predictions depend on, a sentence each.
        """
        width = self._live.width if self._live else WIDTH
        for line in end_of_run(results, run, depends_on, width=width, below=self._below):
            self._say(line.text, words=line.words)

    def profile(self, profile: Profile) -> None:
        """Show where the time went."""
        for line in ("", *profile_table(profile).splitlines()):
            self._say(line)

    def _say(self, line: str, *, words: bool = False, bold: int = 0, style: str = "") -> None:
        """Print one line, on a terminal broken between words if it consists of such."""
        if self._stream is None:
            return
        if self._live is None:
            self._stream.write(f"{line}\n")
            self._stream.flush()
            return
        lines = wrapped(line, self._live.width) if words else [line]
        for position, part in enumerate(lines):
            self._live.print(part, bold=0 if position else bold, style=style)

    def _choose_columns(self, row: Mapping[str, float]) -> None:
        """Take what fits in a line: the losses and the objective first, then validation before train; history.csv has
        them all."""
        losses = [name for name in ("train.loss", "validation.loss") if name in row]
        losses += [name for name in (self._objective,) if name in row and name not in losses]
        others = sorted((name for name in row if "." in name and name not in losses), key=_is_train)
        # Room for the epoch before them, for the seconds and the mark of the best after them.
        room = (self._live.width if self._live else _PIPE_WIDTH) - 2 * len(f"{self._epochs}") - 24
        chosen: list[str] = []
        for name in (*losses, *others):
            room -= len(printable(name)) + (2 if self._live else 9)
            if room < 0:
                break
            chosen.append(name)
        self._columns = tuple(chosen)
        if self._live:
            names = "  ".join(f"{printable(name):>8}" for name in chosen)
            header = f"{'epoch':>{self._epoch_width}}  {names}  seconds"
            self._say(header, bold=len(header))

    @property
    def _epoch_width(self) -> int:
        return max(5, 2 * len(f"{self._epochs}") + 1)

    def _epoch_line(self, epoch: int, row: Mapping[str, float], improved: bool) -> str:
        if self._live:
            cells = [f"{f'{epoch}/{self._epochs}':>{self._epoch_width}}"]
            cells += [f"{number(row[name]):>{max(8, len(printable(name)))}}" for name in self._columns]
            cells += [f"{row['seconds']:>7.3f}", "best" if improved else ""]
            return "  ".join(cells).rstrip()
        values = "  ".join(f"{printable(name)} {number(row[name])}" for name in self._columns)
        of_all = f"{epoch:>{len(str(self._epochs))}}/{self._epochs}"
        return f"epoch {of_all}  {values}  {duration(row['seconds'])}{'  (best)' if improved else ''}"


def _is_train(name: str) -> bool:
    return name.startswith("train.")
