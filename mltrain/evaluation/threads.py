"""How many threads the sums and products of NumPy have."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

# OpenBLAS divides a sum of products among threads from 10,000 numbers on.
_SMALL = 10_000


def one_thread(numbers: int) -> AbstractContextManager[Any]:
    """Return a context in which BLAS computes with one thread.

    So sums are the same on any number of cores, and none waits for a thread on a core that is busy, where measuring
    20,000 rows took four times as long. For so few `numbers` that BLAS takes one thread in any case, it does nothing.
    """
    if numbers <= _SMALL:
        return nullcontext()
    from threadpoolctl import threadpool_limits  # 20 ms

    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits
