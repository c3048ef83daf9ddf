"""YAML text to plain data that remembers where every key and value is written.

The subset: one document of mappings, lists and YAML 1.2 core scalars. Anchors, aliases and `<<` work. Duplicate keys,
empty keys, tags, and texts built to exhaust time or memory are errors with a place.

The tree is composed from libyaml's event stream rather than by PyYAML, which keeps the last of two equal keys without a
word, and recurses: 900 nested brackets end it with a RecursionError.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from mltrain.config.yaml_node import Node
from mltrain.config.yaml_scalar import Scalar, read_scalar
from mltrain.config.yaml_syntax import explain
from mltrain.problems import InvalidConfigError, KeyPath, Place, Problem, Source, shortened

MOST_BYTES = 1 << 20
_MOST_NODES = 100_000
_MOST_ALIASES = 50
DEEPEST = 32

_CORE = "tag:yaml.org,2002:"
_SCALAR_TAGS = {"null": (type(None),), "bool": (bool,), "int": (int,), "float": (float, int)}
# All but tab, line feed, carriage return and what YAML calls printable. Unicode's line separators are out because
# libyaml counts lines by them and editors do not, and byte order marks because they cannot be seen. It says what is
# forbidden: the complement of what is allowed takes 10 ms to compile.
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


@dataclass(frozen=True)
class Document:
    """A text that could be read to its end.

    Attributes:
        root: the value of the whole.
        problems: what is wrong all the same, as duplicate keys.
    """

    root: Node
    problems: tuple[Problem, ...]


def split_lines(text: str) -> tuple[str, ...]:
    """Return the lines of `text` as libyaml and editors count them."""
    return tuple(re.split("\r\n|\n|\r", text))


def decode(data: bytes, name: str) -> tuple[str, Source]:
    """Return the text of a YAML file, and the source that places refer to.

    Raises:
        InvalidConfigError: it is too large, or not UTF-8.
    """
    source = Source(name, split_lines(data[:MOST_BYTES].decode("utf-8-sig", errors="replace")))
    start = Place(source, 1, 1)
    if len(data) > MOST_BYTES:
        raise InvalidConfigError([Problem((), start, "the config is larger than 1 MiB; keep data in a data file")])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidConfigError([Problem((), start, "the config is UTF-16; save it as UTF-8")])
    try:
        return data.decode("utf-8-sig"), source
    except UnicodeDecodeError as error:
        before = split_lines(error.object[: error.start].decode("utf-8"))
        place = Place(source, len(before), len(before[-1]) + 1)
        message = f"byte {error.start + 1} (0x{error.object[error.start]:02x}) is not UTF-8; save the config as UTF-8"
        raise InvalidConfigError([Problem((), place, message)]) from None


def parse(text: str, source: Source, shift: int = 0) -> Document:
    """Return the tree of one YAML document.

    Args:
        text: the YAML.
        source: what the places refer to.
        shift: by how many columns the first line of `text` begins later in the source.

    Raises:
        InvalidConfigError: reading had to stop. It holds what was found before, too.
    """
    return _Composer(source, shift).compose(text)


class _Composer:
    """Builds the tree from the events of libyaml."""

    def __init__(self, source: Source, shift: int) -> None:
        self.source = source
        self.shift = shift
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node | None] = {}  # None: being built, so that an alias inside it is recursive
        self.aliases = 0
        self.nodes = 0
        self.events: Iterator[Any] = iter(())

    def compose(self, text: str) -> Document:
        if found := _FORBIDDEN.search(text):
            before = split_lines(text[: found.start()])
            shift = self.shift if len(before) == 1 else 0
            place = Place(self.source, len(before), len(before[-1]) + 1 + shift)
            code = f"U+{ord(found[0]):04X}"
            escape = f"\\U{ord(found[0]):08x}"
            self.stop((), place, f'the character {code} is not allowed; as text it can be written "{escape}"')
        self.events = yaml.parse(text, Loader=yaml.CSafeLoader)
        try:
            next(self.events)  # the stream begins
            if isinstance(next(self.events), yaml.StreamEndEvent):
                root = Node(None, Place(self.source, 1, 1 + self.shift))
            else:
                root = self.node(next(self.events), ())
                next(self.events)  # the document ends
                if isinstance(after := next(self.events), yaml.DocumentStartEvent):
                    self.report((), self.place(after), "a second YAML document begins here; one file is one experiment")
        except yaml.MarkedYAMLError as error:
            message, mark = explain(error, self.source.lines)
            self.stop((), self.mark(mark), message)
        return Document(root, tuple(self.problems))

    def node(self, event: Any, path: KeyPath) -> Node:
        place = self.place(event)
        if isinstance(event, yaml.AliasEvent):
            return self.alias(str(event.anchor), place, path)
        if len(path) >= DEEPEST:
            self.stop(path[:3], place, f"nested more than {DEEPEST} deep")
        self.count(1, place)
        if event.anchor:
            self.anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self.scalar(event, place, path), place)
        elif isinstance(event, yaml.SequenceStartEvent):
            self.check_tag(event, "seq", place, path)
            items: list[Node] = []
            while not isinstance(inner := next(self.events), yaml.SequenceEndEvent):
                items.append(self.node(inner, (*path, len(items))))
            node = Node.collection(tuple(items), self.place(event, inner))
        else:
            self.check_tag(event, "map", place, path)
            node = self.mapping(event, path)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def mapping(self, start: Any, path: KeyPath) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        merged: list[Node] = []
        merge: Place | None = None
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key_place = self.place(event)
            if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.style == "" and not event.tag:
                if merge:
                    message = f"duplicate key '<<' (first on line {merge.line}); merge a list: <<: [*a, *b]"
                    self.report(path, key_place, message)
                merge = key_place
                merged += self.merged(self.node(next(self.events), (*path, "<<")), path)
                continue
            key = self.key(event, key_place, path)
            value = self.node(next(self.events), (*path, "?" if key is None else key))
            if key is None:
                continue
            if key in keys:
                self.report((*path, key), key_place, f"duplicate key (first on line {keys[key].line})")
                continue
            values[key], keys[key] = value, key_place
        for other in merged:  # what is written here wins over what is merged, and the first merged over the next
            for key, value in other.value.items():
                values.setdefault(key, value)
                keys.setdefault(key, other.keys[key])
        return Node.collection(values, self.place(start, event), keys)

    def merged(self, node: Node, path: KeyPath) -> list[Node]:
        nodes = node.value if isinstance(node.value, tuple) else (node,)
        for one in nodes:
            if not isinstance(one.value, Mapping):
                self.report(path, one.place, "'<<' merges mappings: expected an alias of a mapping, or a list of those")
        return [one for one in nodes if isinstance(one.value, Mapping)]

    def key(self, event: Any, place: Place, path: KeyPath) -> str | None:
        """Return the text of a key; or report what it is instead, and return None."""
        if isinstance(event, yaml.ScalarEvent) and not event.tag:
            # A key is the text that is written, also where a value would be read as something else:
            # `class_weight: {0: 1.0}` names the class 0, and `{no: 1.0}` the class no.
            key = str(event.value)
            if event.anchor:
                self.anchors[event.anchor] = Node(key, place)
            if key or event.style:
                return key
            self.report(path, place, "the key is empty; write '' if that is meant")
            return None
        node = self.node(event, (*path, "?"))
        if isinstance(node.value, str):
            return node.value
        self.report(path, place, "a list, a mapping or a tagged value cannot be a key; keys are text")
        return None

    def scalar(self, event: Any, place: Place, path: KeyPath) -> Scalar:
        kind = (event.tag or "").removeprefix(_CORE)
        if kind in ("str", "!") or (not kind and event.style):
            return str(event.value)
        if kind not in ("", *_SCALAR_TAGS):
            self.report_tag(event.tag, place, path)
            return str(event.value)
        try:
            value = read_scalar(event.value)
        except ValueError as error:
            self.report(path, place, str(error))
            return None
        if kind and type(value) not in _SCALAR_TAGS[kind]:
            self.report(path, place, f"{shortened(event.value)!r} is not a value of its tag !!{kind}")
        return float(value) if kind == "float" and isinstance(value, int) else value

    def alias(self, name: str, place: Place, path: KeyPath) -> Node:
        self.aliases += 1
        if self.aliases > _MOST_ALIASES:
            self.stop(path, place, f"more than {_MOST_ALIASES} aliases")
        if name not in self.anchors:
            self.report(path, place, f"unknown alias *{shortened(name)}: no &{shortened(name)} comes before it")
            return Node(None, place)
        node = self.anchors[name]
        if node is None:
            self.stop(path, place, f"the alias *{shortened(name)} is inside the value that it refers to")
        if len(path) + node.height > DEEPEST:
            self.stop(path[:3], place, f"nested more than {DEEPEST} deep")
        self.count(node.size, place)
        return node

    def check_tag(self, event: Any, kind: str, place: Place, path: KeyPath) -> None:
        if event.tag not in (None, "!", _CORE + kind):
            self.report_tag(event.tag, place, path)

    def report_tag(self, tag: str, place: Place, path: KeyPath) -> None:
        name = "!!" + tag.removeprefix(_CORE) if tag.startswith(_CORE) else tag
        self.report(path, place, f"the tag {shortened(name)} is not allowed; a config holds plain values only")

    def count(self, nodes: int, place: Place) -> None:
        self.nodes += nodes
        if self.nodes > _MOST_NODES:
            self.stop((), place, f"more than {_MOST_NODES} values, aliases expanded; keep data in a data file")

    def report(self, path: KeyPath, place: Place, message: str) -> None:
        self.problems.append(Problem(path, place, message))

    def stop(self, path: KeyPath, place: Place, message: str) -> NoReturn:
        self.report(path, place, message)
        raise InvalidConfigError(self.problems) from None

    def place(self, event: Any, last: Any = None) -> Place:
        """Return the place of a scalar, or of a collection that ends with the event `last`."""
        start, end = event.start_mark, (last or event).end_mark
        if end.line == start.line:
            return self.mark(start, end.column - start.column)
        return self.mark(start, 1 if last else len(self.source.lines[start.line]) - start.column)

    def mark(self, mark: Any, width: int = 1) -> Place:
        shift = self.shift if mark.line == 0 else 0
        return Place(self.source, mark.line + 1, mark.column + 1 + shift, max(1, width))
