"""The order of writes, flushes and renames as the kernel sees it. A kill cannot find a flush that is missing: what was
written survives the process in any case, and is lost only with the machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed (Debian: apt-get install strace)"
)

# With a question mark: not every processor has that call.
CALLS = "write,pwrite64,writev,fsync,fdatasync,?rename,?renameat,renameat2,?unlink,unlinkat,?rmdir"

PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from mltrain.run import durable
from mltrain.run.checkpoint_files import prune, write_checkpoint

directory = Path(sys.argv[1]) / "checkpoints"
for number in (1, 2, 3):
    write_checkpoint(directory, f"state-{number:06d}", {"w": np.zeros(1000)}, {"step": number})
    prune(directory, "state", 2)
durable.write_file(Path(sys.argv[1]) / "metrics.json", b"{}")
durable.append(Path(sys.argv[1]) / "log.txt", b"end", durable=True)
"""

# `-y` writes the path behind each descriptor: 5</tmp/x/arrays.npz>.
CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)\) += (-?\d+)(?:<(.*?)>)?")
ON_FILE = re.compile(r"^\d+<([^>]*)>")
RENAME = re.compile(r'^(?:\d+<([^>]*)>|AT_FDCWD[^,]*), "([^"]+)", (?:\d+<([^>]*)>|AT_FDCWD[^,]*), "([^"]+)"')
REMOVE = re.compile(r'^(?:\d+<([^>]*)>|AT_FDCWD[^,]*), "([^"]+)"')


@dataclass
class Trace:
    """What happened, in its order: ("write" | "flush" | "rename" | "remove", path, new path)."""

    events: list[tuple[str, str, str]] = field(default_factory=list)

    def at(self, *event):
        """Return the places of an event."""
        return [place for place, found in enumerate(self.events) if found == event]


def parse(text):
    trace = Trace()
    for line in text.splitlines():
        found = CALL.match(line)
        if not found or int(found[3]) < 0:
            continue
        call, arguments = found[1], found[2]
        if call in ("write", "pwrite64", "writev"):
            trace.events.append(("write", ON_FILE.match(arguments)[1], ""))
        elif call in ("fsync", "fdatasync"):
            trace.events.append(("flush", ON_FILE.match(arguments)[1], ""))
        elif call in ("renameat", "renameat2"):
            old_folder, old, new_folder, new = RENAME.match(arguments).groups()
            trace.events.append(("rename", f"{old_folder}/{old}", f"{new_folder}/{new}"))
        elif call == "unlinkat":
            folder, name = REMOVE.match(arguments).groups()
            trace.events.append(("remove", f"{folder}/{name}" if folder else name, ""))
    return trace


def faults(trace):
    """Return what a loss of power could damage, a sentence each."""
    found = []
    for place, (what, old, new) in enumerate(trace.events):
        if what == "rename":
            if "/.tmp-" not in new:  # else it is on its way out
                found += _unflushed(trace, old, place)
            found += _too_early(trace, new, place)
    return found


def _unflushed(trace, renamed, place):
    """Yield what in a file or directory was not on the disk when it was renamed."""
    writes = [
        (number, path)
        for number, (what, path, _) in enumerate(trace.events[:place])
        if what == "write" and (path == renamed or path.startswith(f"{renamed}/"))
    ]
    if not writes:
        yield f"{renamed}: nothing was written into it"
    for number, path in writes:
        for flushed in {path, renamed}:  # a directory is flushed after the files in it were written
            if not any(number < flush < place for flush in trace.at("flush", flushed, "")):
                yield f"{flushed}: renamed before it was flushed"


def _too_early(trace, new, place):
    """Yield what was taken away before a rename was on the disk: the old one may be all that survives."""
    parent = new.rpartition("/")[0]
    flushes = [flush for flush in trace.at("flush", parent, "") if flush > place]
    if not flushes:
        yield f"{new}: its parent is not flushed"
    elif any(what in ("rename", "remove") for what, _, _ in trace.events[place + 1 : flushes[0]]):
        yield f"{new}: something was taken away before its parent was flushed"


@pytest.fixture
def traced(tmp_path):
    """Run a program under strace."""

    def run(program):
        log = tmp_path / "trace.txt"
        folder = tmp_path / "run"
        folder.mkdir(exist_ok=True)
        done = subprocess.run(
            [
                "strace",
                "-f",
                "-y",
                "-s",
                "256",
                "-e",
                f"trace={CALLS}",
                "-o",
                log,
                sys.executable,
                "-c",
                program,
                folder,
            ],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode and "ptrace" in done.stderr.lower():
            pytest.skip(f"this machine does not let strace look at processes: {done.stderr.splitlines()[0]}")
        assert done.returncode == 0, done.stderr
        trace = parse(log.read_text(errors="replace"))
        trace.events = [event for event in trace.events if event[1].startswith(str(folder))]
        return trace, str(folder)

    return run


def test_everything_is_flushed_before_its_rename_and_its_parent_after_it(traced):
    trace, folder = traced(PROGRAM)
    renames = [(old, new) for what, old, new in trace.events if what == "rename"]
    kept = [new for _, new in renames if "/.tmp-" not in new]
    assert kept == [*(f"{folder}/checkpoints/state-00000{number}" for number in (1, 2, 3)), f"{folder}/metrics.json"]
    assert faults(trace) == []
    # The directory of the checkpoints stands before there is one in it.
    assert trace.at("flush", folder, "")[0] < trace.events.index(("rename", *renames[0]))
    # What is added is on the disk, and so is the name of the new file.
    assert trace.events[-3:] == [
        ("write", f"{folder}/log.txt", ""),
        ("flush", f"{folder}/log.txt", ""),
        ("flush", folder, ""),
    ]
    # What is pruned goes after the newest stands.
    pruned = [place for place, event in enumerate(trace.events) if event[0] == "remove"]
    newest = next(place for place, event in enumerate(trace.events) if event[2].endswith("state-000003"))
    parent_flushed = next(place for place in trace.at("flush", f"{folder}/checkpoints", "") if place > newest)
    assert pruned
    assert min(pruned) > parent_flushed
    # Each checkpoint has all of its three files in it.
    for old, new in renames[:3]:
        names = {
            path.removeprefix(f"{old}/")
            for what, path, _ in trace.events
            if what == "write" and path.startswith(f"{old}/")
        }
        assert names == {"arrays.npz", "state.json", "MANIFEST.json"}, new


BROKEN = {"files": "not stat.S_ISREG", "directories": "stat.S_ISREG", "all": "not bool"}
WITHOUT = """
import os, stat

flush = os.fsync
os.fsync = lambda file: flush(file) if {}(os.fstat(file).st_mode) else None
"""


@pytest.mark.parametrize("without", BROKEN)
def test_a_flush_that_is_left_out_is_found(traced, without):
    """The functions of os are looked up when they are called: leaving their work out is seen here, and by no kill."""
    trace, _ = traced(WITHOUT.format(BROKEN[without]) + PROGRAM)
    assert faults(trace)
