"""One thread for the products of matrices.

BLAS divides a product among its threads, and the last bits of the result depend on how many there are: 1 on a laptop,
64 on a server, another number after `OMP_NUM_THREADS` was set. So no number of a run may come from BLAS with several
threads. Products of vectors are written as `(a * b).sum()`, which NumPy adds up in the same order everywhere. The few
products of matrices that are needed are computed inside `one_thread`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one BLAS thread inside; also a decorator, `@one_thread()`."""
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> Any:
    """Return what sets the threads of the BLAS of NumPy. It looks through all loaded libraries, so it is made once."""
    import numpy as np  # noqa: F401 (the controller knows the libraries that are loaded already)
    from threadpoolctl import ThreadpoolController  # 20 ms

    return ThreadpoolController()
