"""From a path to a page: which pages there are, and what each may do in a browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import parse_qs

from mltrain.board.document import STYLE, document, style
from mltrain.board.folder import Address, Folder, read_address
from mltrain.board.run_page import run_page
from mltrain.board.table_page import Choice, table_page
from mltrain.comparison.page import comparison, title
from mltrain.errors import MltrainError
from mltrain.procedures.compare import compare
from mltrain.report.page.html import element

# Our pages may use their one style and their own forms, nothing else, and no script.
_OWN = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
# A report.html may have been written by a stranger, with its own policy. In a sandbox it is not a page of this server:
# no script in it runs or reads other runs.
_FILE = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "img-src data:; sandbox"
)

_TYPES = {".html": "text/html; charset=utf-8", ".png": "image/png"}
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """What is sent.

    Attributes:
        body: of the answer.
        code: of HTTP.
        content_type: what the body is.
        policy: the Content-Security-Policy.
    """

    body: bytes
    code: int = 200
    content_type: str = _TYPES[".html"]
    policy: str = _OWN


def answer(folder: Folder, target: str) -> Answer:
    """Return the answer to `target`, the path and the query of a request."""
    path, _, query = target.partition("?")
    try:
        asked = parse_qs(query, keep_blank_values=True, max_num_fields=1000)
    except ValueError:
        return refusal(400, "This board does not have such an address.")
    match read_address(path):
        case ("", ""):
            choice = Choice(_one(asked, "name"), _one(asked, "status"), _one(asked, "sort"), "still" not in asked)
            return Answer(table_page(folder.path, folder.overviews(), choice))
        case ("", "run", *address):
            return _run(folder, tuple(address), moving="still" not in asked)
        case ("", "file", *parts):
            return _file(folder, parts)
        case ("", "compare"):
            return _compare(folder, asked.get("run", []))
        case ("", "favicon.ico"):  # browsers ask for it on their own
            return Answer(b"", 204)
    if path == STYLE:
        return Answer(style(), content_type="text/css; charset=utf-8")
    return _unknown()


def refusal(code: int, reason: str) -> Answer:
    """Return a page with the reason of a refusal."""
    return Answer(document(f"mltrain: {code}", element("header", element("h1", str(code))), element("p", reason)), code)


def _run(folder: Folder, address: Address, moving: bool) -> Answer:
    run = folder.runs().get(address)
    return Answer(run_page(address, folder.overview(address, run), moving)) if run else _unknown()


def _file(folder: Folder, parts: Sequence[str]) -> Answer:
    runs = folder.runs()
    for length in (1, 2, 3):  # no run is inside of another, so that one of them is at most
        run = runs.get(tuple(parts[:length]))
        if run is not None:
            name = "/".join(parts[length:])
            try:
                data = run.file_for_people(name)
            except MltrainError as error:
                return refusal(404, str(error))
            return Answer(data, content_type=_TYPES.get(PurePosixPath(name).suffix, _TEXT), policy=_FILE)
    return _unknown()


def _compare(folder: Folder, given: Sequence[str]) -> Answer:
    runs = folder.runs()
    chosen = [runs.get(read_address(each)) for each in given]
    paths = [str(run.path.absolute()) for run in chosen if run is not None]
    if len(paths) != len(given):
        return _unknown()
    if len(paths) < 2:
        return refusal(400, "Tick two or more runs in the table to compare them.")
    try:
        found = compare(paths, folder.path)
    except MltrainError as error:
        return refusal(409, str(error))
    return Answer(document(title(found), comparison(found)))


def _one(asked: Mapping[str, Sequence[str]], name: str) -> str:
    return asked.get(name, [""])[0]


def _unknown() -> Answer:
    return refusal(404, "This page, run or file does not exist or was removed.")
