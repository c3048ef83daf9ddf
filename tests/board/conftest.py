"""A board that listens, and how a reader asks it."""

import http.client
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from mltrain.board.server import BoardServer


@dataclass(frozen=True)
class Reply:
    code: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@contextmanager
def listening(folder):
    """Serve a folder of runs from a thread of this process."""
    with BoardServer(folder, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def folder(tmp_path):
    """A folder of runs."""
    path = tmp_path / "runs"
    path.mkdir()
    return path


@pytest.fixture
def server(folder):
    with listening(folder) as server:
        yield server


@pytest.fixture
def ask(server):
    """Ask for exactly this target: urllib would mend what is hostile in it."""

    def asked(target="/", method="GET", **headers) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
        connection.putrequest(method, target, skip_host="Host" in headers)
        for name, value in headers.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders()
        reply = connection.getresponse()
        found = Reply(reply.status, reply.headers, reply.read())
        connection.close()
        return found

    return asked
