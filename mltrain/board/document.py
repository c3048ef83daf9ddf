"""What all pages of the board share: head, link to all runs, content, and style."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mltrain.report.page.html import Content, element
from mltrain.report.page.self_contained import page_style

STYLE = "/board.css"


def document(title: str, *content: Content, refresh: int | None = None) -> bytes:
    """Return a page.

    Args:
        title: in the tab of the browser.
        content: of its main part.
        refresh: seconds after which the browser loads the page again; None is never.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="refresh", content=str(refresh)) if refresh is not None else None,
        element("title", title),
        element("link", rel="stylesheet", href=STYLE),
    )
    body = element(
        "body",
        element("a", "To the content", href="#content", class_="skip"),
        element("nav", element("ul", element("li", element("a", "All runs", href="/"))), aria_label="Board"),
        element("main", *content, id="content"),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n".encode()


@cache
def style() -> bytes:
    """Return the style: that of the report, and what only the board has."""
    return (page_style() + Path(__file__).with_name("board.css").read_text(encoding="utf-8")).encode()
