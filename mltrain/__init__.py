"""mltrain: a command-line trainer for Keras."""

from __future__ import annotations

__version__ = "0.1.0"
