"""The server: loopback only, GET and HEAD only, for names of this machine only.

The standard library does not recommend its server for production: it does not support many clients, encryption or other
machines. The board has one reader on the same machine, and a framework would be one more package to trust.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer

from mltrain.board.answers import Answer, answer, refusal
from mltrain.board.folder import Folder
from mltrain.errors import RunError, UsageError
from mltrain.problems import printable

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8420
_TRIED = 20

# A page of another site can have its own name lead to 127.0.0.1 (DNS rebinding), and would be let read everything: but
# its name is in Host. The port may differ, as behind `ssh -L 9000:localhost:8420`.
_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")

_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class BoardServer(ThreadingHTTPServer):
    """A server of the runs in a folder; it listens from the beginning.

    Args:
        folder: of runs.
        port: to listen on; 0 is any that is free.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = Folder(folder)
        super().__init__((LOOPBACK, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking the name service for the name of 127.0.0.1, which takes seconds without a network."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    @property
    def url(self) -> str:
        """Of the first page."""
        return f"http://{LOOPBACK}:{self.server_port}/"


@contextmanager
def served(folder: Path, port: int | None) -> Iterator[BoardServer]:
    """Give a server that listens.

    Args:
        folder: of runs.
        port: exactly this one; 0 is any free one; None is the default one or, if that is in use, the next free one.

    Raises:
        RunError: the folder is not there.
        UsageError: no port is free.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: the folder of runs does not exist; give another, or run `mltrain train`")
    ports = [port] if port is not None else range(DEFAULT_PORT, DEFAULT_PORT + _TRIED)
    for each in ports:
        try:
            server = BoardServer(folder, each)
        except OSError as error:
            reason = error.strerror
            continue
        with server:
            yield server
        return
    named = f"{ports[0]}" if len(ports) == 1 else f"{ports[0]} to {ports[-1]}"
    raise UsageError(f"--port: cannot listen on {named}: {reason}; use --port 0 for any free port")


class _Handler(BaseHTTPRequestHandler):
    server: BoardServer
    server_version, sys_version = "mltrain", ""
    # Browsers open connections ahead and leave them.
    timeout = 30

    def do_GET(self) -> None:
        """Answer."""
        if not self._is_for_us():
            return self._send(refusal(403, "This board answers only to the names 127.0.0.1 and localhost."))
        try:
            made = answer(self.server.folder, self.path)
        except Exception as error:  # noqa: BLE001 (a bug in one page: the traceback is for the terminal, never for a page)
            _say_bug(self.path, error)
            made = refusal(500, "A bug in mltrain. The traceback is in the terminal where the board runs.")
        return self._send(made)

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self.do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is not a GET or HEAD request, or not HTTP."""
        self._send(refusal(405 if code == HTTPStatus.NOT_IMPLEMENTED else code, HTTPStatus(code).phrase))

    def log_message(self, *_: object) -> None:
        """Print nothing: a line per request does not help."""

    def _is_for_us(self) -> bool:
        hosts = self.headers.get_all("Host", [])
        return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None

    def _send(self, made: Answer) -> None:
        with suppress(ConnectionError):  # the reader has left
            self.send_response(made.code)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Security-Policy", made.policy)
            self.send_header("Content-Type", made.content_type)
            self.send_header("Content-Length", str(len(made.body)))
            if made.code == HTTPStatus.METHOD_NOT_ALLOWED:
                self.send_header("Allow", "GET, HEAD")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(made.body)


def _say_bug(path: str, error: Exception) -> None:
    lines = "".join(traceback.format_exception(error)).splitlines()
    sys.stderr.write("\n".join([f"bug in mltrain, at {printable(path)}:", *map(printable, lines), ""]))
