"""How often a command that finds an error in the data ends with exit code 4, as it must.

    python -m benchmarks.exit_codes [PROCESSES]

Each process is a fork, so that imports are paid once. It reads a Parquet file in which one of many pages is damaged,
while threads of pyarrow read the others.
"""

from __future__ import annotations

import collections
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np

CONFIG = """\
name: broken
data: {source: {type: parquet, path: broken.parquet}, target: y}
model: linear
"""
COLUMNS, GROUPS, ROWS = 12, 8, 2_000


def write_inputs(folder: Path) -> None:
    """Write the config, and the Parquet file with its damaged page."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "config.yaml").write_text(CONFIG)
    draw = np.random.default_rng(0)
    table = pa.table(
        {"y": np.arange(GROUPS * ROWS) % 2, **{f"x{n}": draw.random(GROUPS * ROWS) for n in range(COLUMNS)}}
    )
    path = folder / "broken.parquet"
    pq.write_table(table, path, row_group_size=ROWS, use_dictionary=False)
    column = pq.read_metadata(path).row_group(1).column(2)
    content = bytearray(path.read_bytes())
    first = column.data_page_offset
    content[first : first + 40] = bytes(40)
    path.write_bytes(content)


def child(folder: str) -> None:
    """Be `mltrain audit`."""
    from mltrain.cli.app import leave, main

    os.chdir(folder)
    for number in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    sys.argv = ["mltrain", "audit", "config.yaml"]
    try:
        main()
    except SystemExit as ended:
        leave(int(ended.code or 0))


def count(processes: int, at_once: int = 4) -> collections.Counter[int]:
    """Return how many processes ended with each exit code; the negative number of a signal where one ended it."""
    import pyarrow.parquet  # noqa: F401

    import mltrain.cli.app
    from mltrain.cli.commands import program

    program()  # imports every command
    import mltrain.data.preparation  # noqa: F401

    found: collections.Counter[int] = collections.Counter()
    running = 0
    folder = tempfile.mkdtemp()  # no context: each child would remove it
    write_inputs(Path(folder))
    for _ in range(processes):
        if running == at_once:
            found[os.waitstatus_to_exitcode(os.wait()[1])] += 1
            running -= 1
        if not os.fork():
            signal.alarm(60)
            try:
                child(folder)
            except Exception:  # noqa: BLE001 (no child may go on with the loop of its parent)
                os._exit(1)
        running += 1
    for _ in range(running):
        found[os.waitstatus_to_exitcode(os.wait()[1])] += 1
    shutil.rmtree(folder)
    return found


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:] if each.isdecimal()]
    ended = count(numbers[0] if numbers else 1000)
    print(dict(ended))
