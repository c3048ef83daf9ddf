"""What differs between a run and the run of the same name before it: runs of one name look alike without it."""

from __future__ import annotations

from collections.abc import Mapping

from mltrain.board.folder import Address
from mltrain.board.overview import Overview
from mltrain.comparison.differences import differences
from mltrain.comparison.text import config_cell
from mltrain.problems import shortened

# More changes than this are only counted.
_MOST = 20


def changes(found: Mapping[Address, Overview]) -> dict[Address, tuple[str, ...]]:
    """Return what changed in each of these runs, the oldest first, in a few words each; nothing for the first run of a
    name."""
    before: dict[Address, Overview] = {}
    changed: dict[Address, tuple[str, ...]] = {}
    for address, run in found.items():
        group = address[:-1] or address  # a run without an experiment has no neighbours
        changed[address] = _changed(before[group], run) if group in before else ()
        before[group] = run
    return changed


def _changed(before: Overview, run: Overview) -> tuple[str, ...]:
    if not before.config or not run.config:
        return ("config cannot be read",)
    differing = differences([before.config, run.config])
    words = [f"{path}: {config_cell(old)} → {config_cell(new)}" for path, (old, new) in differing.items()]
    data = [each.record.data.sha256 if each.record and each.record.data else None for each in (before, run)]
    if None not in data and data[0] != data[1]:
        words.append("other data")
    shown = [shortened(each, 90) for each in words[:_MOST]]
    if len(words) > _MOST:
        shown.append(f"and {len(words) - _MOST} more")
    return tuple(shown) or ("nothing",)
