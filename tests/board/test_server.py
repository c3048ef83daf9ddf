"""What the server refuses, and what it lets a browser do."""

import socket

import pytest

from mltrain.board import answers
from mltrain.board.server import DEFAULT_PORT, LOOPBACK, BoardServer, served
from mltrain.errors import RunError, UsageError
from tests.board.runs import PNG, REPORT, made_run

RUN = "blobs/20261120T201500Z-0001"


def test_it_listens_on_the_loopback_only(server):
    assert server.server_address[0] == LOOPBACK == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_port}/"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.1:80", "localhost:9000", "[::1]:8420"])
def test_names_of_this_machine_are_answered(ask, host):
    assert ask(Host=host).code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8420", "localhost.evil.example", "127.0.0.1.evil.example", "", "localhost:x", None],
)
def test_other_names_are_refused(folder, ask, host):
    made_run(folder)
    reply = ask(Host=host)
    assert reply.code == 403
    assert "blobs" not in reply.text


def test_two_names_at_once_are_refused(server):
    with socket.create_connection(server.server_address, timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.0 403 ")


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\r\n", b""]
)
def test_what_is_no_http_harms_nobody(server, ask, capsys, sent):
    with socket.create_connection(server.server_address, timeout=30) as connection:
        connection.sendall(sent)
    assert ask().code == 200
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "x"])
def test_nothing_but_get_and_head(ask, method):
    reply = ask(method=method)
    assert reply.code == 405
    assert reply.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("place", ["/", f"/run/{RUN}", f"/file/{RUN}/report.html", "/nothing"])
def test_head_is_get_without_the_body(folder, ask, place):
    made_run(folder)
    got, head = ask(place), ask(place, method="HEAD")
    assert head.body == b""
    assert head.code == got.code
    assert {**head.headers, "Date": ""} == {**got.headers, "Date": ""}


def test_no_page_may_do_more_than_show_itself(folder, ask):
    made_run(folder)
    for place in ("/", f"/run/{RUN}", "/nothing", "/board.css", f"/file/{RUN}/report.html"):
        headers = ask(place).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "script" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_a_report_is_shown_in_a_sandbox(folder, ask):
    made_run(folder)
    reply = ask(f"/file/{RUN}/report.html")
    assert reply.body == REPORT
    assert reply.headers["Content-Type"].startswith("text/html")
    assert "; sandbox" in reply.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["config.yaml", "config.resolved.yaml", "metrics.json", "history.csv", "report.md"])
def test_what_is_no_page_is_plain_text(folder, ask, name):
    path = made_run(folder)
    reply = ask(f"/file/{RUN}/{name}")
    assert reply.body == (path / name).read_bytes()
    assert reply.headers["Content-Type"].startswith("text/plain")


def test_a_plot_is_a_picture(folder, ask):
    made_run(folder)
    reply = ask(f"/file/{RUN}/plots/loss.png")
    assert (reply.body, reply.headers["Content-Type"]) == (PNG, "image/png")


@pytest.mark.parametrize(
    "place",
    [
        "/../secret.txt",
        "/file/../secret.txt",
        f"/file/{RUN}/../../../secret.txt",
        f"/file/{RUN}/..%2F..%2F..%2Fsecret.txt",
        f"/file/{RUN}/%2e%2e/%2e%2e/%2e%2e/secret.txt",
        f"/file/{RUN}/..%5csecret.txt",
        f"/file/{RUN}/%252e%252e%252fsecret.txt",
        f"/file/{RUN}/plots/../config.yaml",
        f"/file/{RUN}/plots%2Floss.png/x",
        f"/file/{RUN}/report.html%00",
        f"/file/{RUN}//etc/passwd",
        f"/file/{RUN}/.lock",
        f"/file/{RUN}/checkpoints",
        f"/file/{RUN}/",
        f"/file/{RUN}",
        "/file/blobs",
        "/file/",
        "/file",
        "/run/..",
        "/run/blobs/..%2F..",
        "/run/blobs/latest",
        "/run/blobs",
        "/run/linked",
        "/run/blobs/linked",
        "/run/",
        "/run",
        "/blobs",
        "/%00",
        "/%ff",
        "//evil.example/",
        "http://evil.example/",
        "/compare?run=../secret&run=x",
        f"/compare?run={RUN}&run=blobs/latest",
    ],
)
def test_nothing_else_can_be_named(folder, ask, place):
    run = made_run(folder)
    (folder.parent / "secret.txt").write_text("canary-7f3a")
    outside = made_run(folder.parent, "outside", "x")
    (folder / "linked").symlink_to(outside.parent)
    (folder / "blobs" / "linked").symlink_to(outside)
    (folder / "blobs" / "latest").symlink_to(run)
    reply = ask(place)
    assert reply.code == (403 if place.startswith("http:") else 404)  # http.client makes such a place the Host
    assert "canary" not in reply.text


@pytest.mark.parametrize("name", ["report.html", "log.txt", "metrics.json", "plots/loss.png", "plots/other.png"])
def test_a_link_in_a_run_is_not_followed(folder, ask, name):
    path = made_run(folder)
    secret = folder.parent / "secret.txt"
    secret.write_text("canary-7f3a")
    (path / name).unlink(missing_ok=True)
    (path / name).symlink_to(secret)
    assert "symbolic link" in ask(f"/file/{RUN}/{name}").text
    for place in ("/", f"/run/{RUN}"):
        assert "canary" not in ask(place).text


def test_a_folder_of_plots_that_is_a_link_is_not_followed(folder, ask):
    path = made_run(folder)
    (folder.parent / "pictures").mkdir()
    (folder.parent / "pictures" / "loss.png").write_text("canary-7f3a")
    (path / "plots" / "loss.png").unlink()
    (path / "plots").rmdir()
    (path / "plots").symlink_to(folder.parent / "pictures")
    reply = ask(f"/file/{RUN}/plots/loss.png")
    assert reply.code == 404
    assert "canary" not in reply.text


def test_a_page_of_a_running_run_comes_again_until_it_is_stopped(folder, ask):
    path = made_run(folder, state="running", reason="training")
    page = ask(f"/run/{RUN}").text
    assert '<meta http-equiv="refresh" content="3">' in page
    assert f'href="/run/{RUN}?still"' in page
    assert "http-equiv" not in ask(f"/run/{RUN}?still").text
    with (path / "history.csv").open("a") as file:
        file.write("4,0.25,0.9375\n")
    assert "validation ends at 0.9375" in ask(f"/run/{RUN}").text


def test_a_finished_run_does_not_come_again(folder, ask):
    made_run(folder)
    page = ask(f"/run/{RUN}").text
    assert "http-equiv" not in page
    for shown in (">Curves<", ">Results<", ">Files<", f'href="/file/{RUN}/report.html"', "0.8750"):
        assert shown in page


def test_a_run_without_an_experiment_has_a_page_too(folder, ask):
    made_run(folder).rename(folder / "alone")
    assert 'href="/run/alone"' in ask().text
    assert ask("/run/alone").code == 200
    assert ask("/file/alone/plots/loss.png").body == PNG
    assert ask("/file/alone/report.html").body == REPORT


def test_two_runs_beside_each_other(folder, ask):
    made_run(folder)
    made_run(folder, identifier="20261120T201500Z-0002", accuracy=(0.5, 0.75, 0.9375))
    reply = ask(f"/compare?run={RUN}&run=blobs%2F20261120T201500Z-0002")
    assert reply.code == 200
    assert "2 runs" in reply.text
    assert '<a href="/">All runs</a>' in reply.text
    assert "0.9375" in reply.text


@pytest.mark.parametrize(("query", "code"), [("", 400), (f"?run={RUN}", 400), (f"?run={RUN}&run={RUN}", 409)])
def test_what_cannot_be_compared_is_said(folder, ask, query, code):
    made_run(folder)
    assert ask(f"/compare{query}").code == code


def test_a_bug_is_told_to_the_terminal_and_not_to_the_page(folder, ask, monkeypatch, capsys):
    def fail(*_):
        raise ZeroDivisionError("secret \x1b[31m")

    monkeypatch.setattr(answers, "table_page", fail)
    reply = ask()
    assert reply.code == 500
    assert "secret" not in reply.text
    told = capsys.readouterr().err
    assert "ZeroDivisionError: secret \\x1b[31m" in told
    assert "Traceback" in told


def test_too_many_questions_at_once_are_refused(ask):
    assert ask("/compare?" + "&".join(["run=x"] * 2000)).code == 400


def test_the_usual_port_or_the_next_that_is_free(folder):
    with served(folder, None) as first, served(folder, None) as second:
        assert DEFAULT_PORT <= first.server_port < second.server_port


def test_a_port_that_was_asked_for_is_that_one_or_none(folder):
    with BoardServer(folder, 0) as taken:
        with served(folder, 0) as other:
            assert other.server_port != taken.server_port
        with pytest.raises(UsageError, match="cannot listen on"), served(folder, taken.server_port):
            pass


def test_a_folder_that_is_not_there(folder):
    with pytest.raises(RunError, match="the folder of runs does not exist"), served(folder / "other", 0):
        pass
