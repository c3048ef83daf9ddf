"""A page that is one file: its style is inside, and a policy forbids it everything else: scripts, requests, forms."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from mltrain.report.page.charts.frame import chart_style
from mltrain.report.page.html import Content, Html, element


def self_contained(title: str, *body: Content) -> bytes:
    """Return the page."""
    style = page_style()
    head = element(
        "head",
        element("meta", charset="utf-8"),
        _policy(style),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", Html(style)),
    )
    return f"<!doctype html>\n{element('html', head, element('body', *body), lang='en')}\n".encode()


def page_style() -> str:
    """Return the style of all pages, with that of the charts."""
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8") + chart_style()


def _policy(style: str) -> Html:
    fingerprint = b64encode(sha256(style.encode()).digest()).decode()
    allowed = (
        f"default-src 'none'; style-src 'sha256-{fingerprint}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return element("meta", http_equiv="Content-Security-Policy", content=allowed)
