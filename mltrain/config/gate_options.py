"""`--gate 'test.f1 >= 0.8'`: gates of the command line, put into the tree of the YAML behind its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mltrain.config.yaml_document import split_lines
from mltrain.config.yaml_node import Node
from mltrain.problems import Place, Source

_SECTION, _KEY = "evaluation", "gates"


def with_gates(root: Node, gates: Sequence[str]) -> Node:
    """Return the tree with `gates` at the end of `evaluation.gates`.

    Where something else than a list of gates stands there, the tree is as before: that is an error of its own.

    Args:
        root: the whole YAML.
        gates: as they were given; they are not looked at.
    """
    for number, gate in enumerate(gates, start=1):
        place = Place(Source(f"--gate #{number}", split_lines(gate), number), 1, 1, max(1, len(gate)))
        section = root.child(_SECTION)
        if section is None or section.value is None:
            section = Node.collection({}, place)
        if not isinstance(section.value, Mapping):
            return root
        stated = section.child(_KEY)
        stated = Node.collection((), place) if stated is None or stated.value is None else stated
        if not isinstance(stated.value, tuple):
            return root
        gates_node = Node.collection((*stated.value, Node(gate, place)), stated.place)
        root = root.changed((_SECTION,), section.changed((_KEY,), gates_node, place), place)
    return root
