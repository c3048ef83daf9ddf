"""No test waits for the disk: each training flushes a hundred times, 4 ms each, and no power fails between two tests.

The calls are there still, in their order, and may fail as before: what counts or breaks them stands in the seam of
`durable.perform`. What really reaches the system is looked at in `tests/hostile/test_flush_order.py`, in a process of
its own.
"""

import os


def fsync(file: int) -> None:
    """Do what `os.fsync` does for whoever loses no power: only a file that is not open is an error."""
    os.fstat(file)


def leave_flushing_to_the_system() -> None:
    """Let `os.fsync` return at once in this process and in those that are forked from it."""
    os.fsync = fsync
