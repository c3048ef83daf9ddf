"""What is known of the arguments of a component of the user's. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mltrain.keras_api.catalogue import Entry


@dataclass(frozen=True)
class Signature:
    """What is known of a component of the user's.

    Attributes:
        entry: as of a component of Keras.
        lists: the arguments that are lists, and not tuples.
        left_out: why an argument cannot be stated in YAML, by its name.
        takes: the parameters that mltrain gives.
    """

    entry: Entry
    lists: frozenset[str] = frozenset()
    left_out: Mapping[str, str] = field(default_factory=dict)
    takes: tuple[str, ...] = ()
