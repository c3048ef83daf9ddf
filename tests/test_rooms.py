"""Who may import whom, as the table in CONTRIBUTING.md says it, and no circles: read from the syntax trees."""

from __future__ import annotations

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "mltrain"
FILES = {".".join(path.relative_to(REPOSITORY).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}
ROOMS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists())
ALL = "all rooms"


def allowed() -> dict[str, set[str]]:
    """Return the rooms that each room may import, from the table."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/` \|.*\|([^|]*)\|$", text, flags=re.MULTILINE)
    return {room: set(ROOMS) if ALL in last else set(re.findall(r"`(\w+)`", last)) for room, last in rows}


def file_of(module: str) -> str | None:
    """Return the file of a module or package of mltrain; None for anything else."""
    return next((name for name in (module, f"{module}.__init__") if name in FILES), None)


@cache
def imported(name: str) -> frozenset[str]:
    """Return the files of mltrain that a file imports, wherever in it, for types alone too."""
    found = set()
    for node in ast.walk(ast.parse(FILES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found.add(file_of(f"{node.module}.{alias.name}") or file_of(node.module))
        elif isinstance(node, ast.Import):
            found |= {file_of(alias.name) for alias in node.names}
    return frozenset(each for each in found if each and each != name)


def room_of(name: str) -> str:
    """Return the room of a file; an empty text for those beside the rooms."""
    parts = name.split(".")
    return parts[1] if len(parts) > 2 else ""


def test_every_room_is_in_the_table():
    assert sorted(allowed()) == ROOMS


@pytest.mark.parametrize("room", ["", *ROOMS])
def test_a_room_imports_those_that_the_table_allows(room):
    files = [name for name in FILES if room_of(name) == room and name != "mltrain.__main__"]
    assert files
    may = {room, "", *allowed().get(room, ())}
    wrong = [f"{name} imports {each}" for name in files for each in imported(name) if room_of(each) not in may]
    assert not wrong


def test_no_file_imports_itself_over_others():
    graph = {name: imported(name) for name in FILES}
    assert sum(map(len, graph.values())) > 1000
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_table_needs_no_circle():
    graph = {room: may for room, may in allowed().items() if len(may) < len(ROOMS)}
    TopologicalSorter(graph).prepare()
