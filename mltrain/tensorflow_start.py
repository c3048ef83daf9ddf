"""Importing TensorFlow once, quietly, and without what nobody here uses.

A bare `import tensorflow` takes 2.5-4.5 s, prints six lines on stderr that no environment variable silences
(TensorFlow 2.21), and through Keras pulls in scikit-learn, pandas, SciPy and pyplot: 1 s of it. All those imports
stand in `try … except ImportError`, so while TensorFlow is imported they are hidden, and nothing is lost.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType

_HIDDEN = frozenset({"sklearn", "matplotlib", "pandas", "scipy", "IPython"})


class _Hide(MetaPathFinder):
    """Makes some packages look as if they were not installed."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        if name.partition(".")[0] in _HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r} (hidden while TensorFlow is imported)", name=name)


def start_tensorflow() -> str:
    """Import TensorFlow and Keras, and return what they printed.

    `MLTRAIN_FULL_IMPORT=1` hides nothing. What was printed is printed after all when the import fails.
    """
    if "tensorflow" in sys.modules:
        return ""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # a ~/.keras/keras.json that names jax breaks the import
    os.environ.setdefault("MPLBACKEND", "Agg")
    with tempfile.TemporaryFile() as captured:
        try:
            with _captured_stderr(captured.fileno()), _hidden_packages(), _left_alone_by_the_collector():
                tensorflow = importlib.import_module("tensorflow")
                importlib.import_module("keras")
                tensorflow.config.list_physical_devices()
                # Its Python side warns users of what is ours to know, as that a function was traced five times.
                tensorflow.get_logger().setLevel("ERROR")
        except BaseException:
            sys.stderr.write(_text(captured))
            raise
        return _text(captured)


def _text(file: object) -> str:
    file.seek(0)  # type: ignore[attr-defined]
    return file.read().decode("utf-8", "replace")  # type: ignore[attr-defined]


@contextmanager
def _hidden_packages() -> Iterator[None]:
    if os.environ.get("MLTRAIN_FULL_IMPORT") == "1":
        yield
        return
    finder = _Hide()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


@contextmanager
def _left_alone_by_the_collector() -> Iterator[None]:
    # What is imported stays until the end. Python's garbage collector looks through it again and again while it is
    # made, then for 0.2 s now and then, and for 1 s when the process ends, and finds nothing.
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        atexit.register(gc.freeze)


@contextmanager
def _captured_stderr(onto: int) -> Iterator[None]:
    # TensorFlow's C++ writes to the descriptor, past sys.stderr.
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(onto, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
