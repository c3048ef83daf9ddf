"""What only a terminal can show: styles, and a bar that moves. Imports rich: imported on a terminal only."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import IO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from mltrain.report.text import number

# Seconds between two drawings of the bar: faster cannot be read, and a chunk of steps may take a millisecond.
_REDRAW = 0.1


class LiveTerminal:
    """A terminal, with or without the bar at its bottom."""

    def __init__(self, stream: IO[str]) -> None:
        self._console = Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False)
        self._progress: Progress | None = None
        self._task = TaskID(0)
        self._steps = 0
        self._drawn = 0.0

    @property
    def width(self) -> int:
        """Columns."""
        return self._console.width

    def print(self, line: str, bold: int = 0, style: str = "") -> None:
        """Print a line above the bar, the first `bold` characters in bold."""
        text = Text(line, style=style)
        text.stylize("bold", 0, bold)
        self._console.print(text, soft_wrap=True)

    def start_bar(self, epochs: int, steps: int) -> None:
        """Show the bar: it fills over all epochs, as one of each epoch would only flicker where epochs are short."""
        self._steps = steps
        # No thread redraws the bar: it moves when there is news.
        self._progress = _CurrentProgress(
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("step {task.fields[step]}/{task.fields[steps]}  loss {task.fields[loss]}", markup=False),
            TimeRemainingColumn(compact=True),
            TextColumn("left", markup=False),
            console=self._console,
            auto_refresh=False,
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task(
            "", total=epochs * steps, epochs=epochs, steps=steps, epoch=1, step=0, loss="–"
        )
        self._progress.start()

    def move_bar(self, epoch: int, done: int, loss: float) -> None:
        """Show that `done` steps of an epoch are done, at most every tenth of a second."""
        now = time.monotonic()
        if self._progress is not None and now - self._drawn >= _REDRAW:
            self._drawn = now
            self._update_bar(epoch, done, loss)
            self._progress.refresh()

    def end_epoch(self, epoch: int, loss: float) -> None:
        """Note that an epoch is done: the next line that is printed draws the bar so, as it must not lag behind."""
        self._update_bar(epoch, self._steps, loss)

    def stop_bar(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _update_bar(self, epoch: int, done: int, loss: float) -> None:
        if self._progress is not None:
            completed = (epoch - 1) * self._steps + done
            self._progress.update(self._task, completed=completed, epoch=epoch, step=done, loss=number(loss))


class _CurrentProgress(Progress):
    """A bar that is drawn as it is now below each printed line: rich repeats the last refresh there.

    To refresh at each line would draw it twice, which takes 0.5 ms more.
    """

    def get_renderables(self) -> Iterable[RenderableType]:
        yield _Drawing(self)


class _Drawing:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __rich__(self) -> RenderableType:
        return self._progress.make_tasks_table(self._progress.tasks)
