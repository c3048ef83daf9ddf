"""A page as a test reads it: its elements, and what of HTML it breaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY = {"meta", "img", "br", "link", "input", "wbr"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    parent: Element | None = field(repr=False)
    children: list[Element | str] = field(default_factory=list, repr=False)

    @property
    def text(self) -> str:
        return "".join(each if isinstance(each, str) else each.text for each in self.children)

    def all(self, tag: str) -> list[Element]:
        """Return the elements of that name below this one, in the order of the page."""
        found = []
        for each in self.children:
            if isinstance(each, Element):
                found += [each] * (each.tag == tag) + each.all(tag)
        return found

    def one(self, tag: str) -> Element:
        (found,) = self.all(tag)
        return found

    def inside(self, tag: str) -> bool:
        return self.parent is not None and (self.parent.tag == tag or self.parent.inside(tag))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element("", {}, None)

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), f"an attribute twice: {names}"
        made = Element(tag, dict(attributes), self.at)
        self.at.children.append(made)
        if tag not in EMPTY:
            self.at = made

    def handle_endtag(self, tag):
        assert self.at.tag == tag, f"</{tag}> closes <{self.at.tag}>"
        self.at = self.at.parent

    def handle_data(self, data):
        self.at.children.append(data)


def read(page: bytes) -> Element:
    """Return the page; fails where elements are not closed in their order."""
    reader = _Reader()
    reader.feed(page.decode("utf-8"))
    reader.close()
    assert reader.at is reader.root, f"<{reader.at.tag}> is not closed"
    return reader.root
