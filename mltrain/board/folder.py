"""The folder of runs: which runs are in it, under which address, and what is known of each.

An address is never made into a path: it is looked up among those of the runs that were found, so that nothing else can
be named.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from mltrain.board.overview import Overview, overview
from mltrain.run.opening import all_runs
from mltrain.run.rundir import RunDirectory

# The directories below the folder that lead to a run: experiment and id; only one for a run made with --run-dir,
# and one more for a fold.
Address = tuple[str, ...]
_Stamp = tuple[tuple[int, int, int] | None, ...]


class Folder:
    """A folder of runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[Address, tuple[_Stamp, Overview]] = {}

    def runs(self) -> dict[Address, RunDirectory]:
        """Return the runs that are there now, the oldest first."""
        return {run.path.relative_to(self.path).parts: run for run in all_runs(self.path)}

    def overviews(self) -> dict[Address, Overview]:
        """Return what is known of each run, the oldest first."""
        found = {address: self.overview(address, run) for address, run in self.runs().items()}
        self._known = {address: known for address, known in self._known.items() if address in found}
        return found

    def overview(self, address: Address, run: RunDirectory) -> Overview:
        """Return what is known of one run; its files are read again only when they have changed."""
        stamp = run.stamp()  # before they are read: what changes meanwhile is read again the next time
        known = self._known.get(address)
        # The end of a process changes no file.
        if known is None or known[0] != stamp or known[1].state in ("running", "killed"):
            known = stamp, overview(run)
            self._known[address] = known
        return known[1]


def written(address: Sequence[str]) -> str:
    """Return an address as a part of a URL: whatever the directories are called, only letters, digits and `%/.-_~`."""
    return "/".join(quote(os.fsencode(part), safe="") for part in address)


def read_address(text: str) -> Address:
    """Return the parts of a URL; `%2F` stays in its part."""
    return tuple(os.fsdecode(unquote_to_bytes(part)) for part in text.split("/"))
