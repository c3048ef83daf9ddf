"""Each durable operation can be counted, made to fail, cut short, or be the last one before a kill."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mltrain.errors import WriteError
from mltrain.run import durable

FILES = {"arrays.npz": b"a" * 5000, "state.json": b"{}"}


@dataclass
class Faults:
    """What happened at the seam of `durable`, and what is to go wrong there.

    Attributes:
        operations: name of each operation so far, with its first argument.
        fail_at: number (from 1) of the operation that fails; 0 is none.
        code: errno of the failure.
    """

    operations: list[tuple[str, Any]] = field(default_factory=list)
    fail_at: int = 0
    code: int = errno.ENOSPC

    def perform(self, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        self.operations.append((operation.__name__, arguments[0] if arguments else None))
        if len(self.operations) == self.fail_at:
            if operation is os.write:  # a disk fills in the middle of a write
                operation(arguments[0], arguments[1][: len(arguments[1]) // 2])
            raise OSError(self.code, os.strerror(self.code))
        return operation(*arguments, **options)

    def names(self) -> list[str]:
        return [name for name, _ in self.operations]

    def count(self, action: Callable[[], object]) -> int:
        """Return how many operations `action` takes."""
        self.operations.clear()
        self.fail_at = 0
        action()
        return len(self.operations)

    def at(self, number: int, code: int = errno.ENOSPC) -> None:
        """Let the operation of that number, from now on, fail."""
        self.operations.clear()
        self.fail_at, self.code = number, code


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    found = Faults()
    monkeypatch.setattr(durable, "perform", found.perform)
    yield found


def names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    durable.write_file(path, b"old")
    durable.write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["metrics.json"]


def test_the_content_is_flushed_before_the_rename_and_the_directory_after_it(tmp_path: Path, faults: Faults) -> None:
    durable.write_file(tmp_path / "metrics.json", b"new")
    assert faults.names() == ["open", "open", "write", "fsync", "replace", "fsync"]


def test_a_growing_file_is_there_when_it_is_whole(tmp_path: Path, faults: Faults) -> None:
    path = tmp_path / "rows.csv"
    with durable.writing(path) as file:
        file.write(b"a,b\n")
        assert not path.exists()
        file.write(memoryview(b"1,2\n"))
        assert file.tell() == 8
    assert path.read_bytes() == b"a,b\n1,2\n"
    assert names(tmp_path) == ["rows.csv"]
    assert faults.names() == ["open", "open", "write", "write", "fsync", "replace", "fsync"]
    with pytest.raises(WriteError):  # the number of its file may be another file's by now
        file.write(b"more")


def test_of_a_growing_file_that_is_given_up_nothing_stays(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="of something else"), durable.writing(path) as file:
        file.write(b"new")
        raise OSError("of something else")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["rows.csv"]


def test_a_failure_at_any_operation_of_a_growing_file_leaves_the_file_that_was_there(
    tmp_path: Path, faults: Faults
) -> None:
    path = tmp_path / "rows.csv"

    def write(data: bytes) -> None:
        with durable.writing(path) as file:
            file.write(data)

    total = faults.count(lambda: write(b"old"))
    for number in range(1, total + 1):
        faults.at(number)
        with pytest.raises(WriteError, match=r"rows\.csv"):
            write(b"new")
        assert path.read_bytes() == (b"new" if number == total else b"old")
        assert names(tmp_path) == ["rows.csv"]


def test_a_directory_is_flushed_with_all_in_it_before_the_rename(tmp_path: Path, faults: Faults) -> None:
    durable.write_directory(tmp_path / "best-000001", FILES)
    file = ["open", "write", "fsync"]
    assert faults.names() == ["open", "mkdir", "open", *file, *file, "fsync", "rename", "fsync"]
    assert {entry.name: entry.read_bytes() for entry in (tmp_path / "best-000001").iterdir()} == FILES


def test_many_files_are_flushed_before_any_is_renamed_and_the_directory_once(tmp_path: Path, faults: Faults) -> None:
    durable.write_files(tmp_path, FILES)
    file = ["open", "write", "fsync"]
    assert faults.names() == ["open", *file * len(FILES), *["replace"] * len(FILES), "fsync"]
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == FILES


def test_a_failure_at_any_operation_leaves_each_of_many_files_old_or_new(tmp_path: Path, faults: Faults) -> None:
    old = dict.fromkeys(FILES, b"old")
    total = faults.count(lambda: durable.write_files(tmp_path, old))
    for number in range(1, total + 1):
        faults.at(0)
        durable.write_files(tmp_path, old)
        faults.at(number)
        with pytest.raises(WriteError):
            durable.write_files(tmp_path, FILES)
        assert names(tmp_path) == sorted(FILES)
        assert all((tmp_path / name).read_bytes() in (b"old", data) for name, data in FILES.items())


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
def test_a_failure_at_any_operation_leaves_the_file_that_was_there(tmp_path: Path, faults: Faults, code: int) -> None:
    path = tmp_path / "metrics.json"
    durable.write_file(path, b"old")
    total = faults.count(lambda: durable.write_file(path, b"old"))
    for number in range(1, total + 1):
        faults.at(number, code)
        with pytest.raises(WriteError, match=r"metrics\.json"):
            durable.write_file(path, b"new")
        # The last operation flushes the directory: by then the new file is complete.
        assert path.read_bytes() == (b"new" if number == total else b"old")
        assert names(tmp_path) == ["metrics.json"]


def test_a_failure_at_any_operation_leaves_a_directory_complete_or_absent(tmp_path: Path, faults: Faults) -> None:
    total = faults.count(lambda: durable.write_directory(tmp_path / "a-000000", FILES))
    for number in range(1, total + 1):
        path = tmp_path / f"a-{number:06d}"
        faults.at(number)
        with pytest.raises(WriteError):
            durable.write_directory(path, FILES)
        assert path.exists() == (number == total)
        assert not [name for name in names(tmp_path) if name.startswith(durable.TEMPORARY)]


def test_a_failure_while_removing_leaves_a_directory_complete_or_absent(tmp_path: Path, faults: Faults) -> None:
    for number in range(1, 5):
        path = tmp_path / f"a-{number:06d}"
        faults.at(0)
        durable.write_directory(path, FILES)
        faults.at(number)
        with pytest.raises(WriteError):
            durable.remove_tree(path)
        assert not path.exists() or sorted(os.listdir(path)) == sorted(FILES)  # noqa: PTH208
    faults.at(0)
    durable.remove_tree(tmp_path / "a-000001")
    assert not (tmp_path / "a-000001").exists()


def test_a_failing_append_leaves_no_part_of_a_row(tmp_path: Path, faults: Faults) -> None:
    path = tmp_path / "history.csv"
    durable.append(path, b"epoch,train.loss\n")
    faults.at(3)
    with pytest.raises(WriteError):
        durable.append(path, b"1,0.25\n")
    assert faults.names() == ["open", "open", "write", "ftruncate"]
    assert path.read_bytes() == b"epoch,train.loss\n"
    faults.at(0)
    durable.append(path, b"1,0.25\n", durable=True)
    assert path.read_bytes() == b"epoch,train.loss\n1,0.25\n"
    assert faults.names() == ["open", "open", "write", "fsync", "fsync"]


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def perform(operation: Callable[..., object], *arguments: object, **options: object) -> object:
        if operation is os.write:
            return os.write(arguments[0], arguments[1][:7])  # type: ignore[arg-type,index]
        return operation(*arguments, **options)

    monkeypatch.setattr(durable, "perform", perform)
    durable.write_file(tmp_path / "model.keras", bytes(range(256)))
    assert (tmp_path / "model.keras").read_bytes() == bytes(range(256))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the quota is used up"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "input/output error"),
        (errno.EFBIG, "larger than allowed"),
        (errno.ETIMEDOUT, "timed out"),
    ],
)
def test_the_message_says_what_where_and_how_much(tmp_path: Path, faults: Faults, code: int, words: str) -> None:
    faults.at(3, code)
    with pytest.raises(WriteError) as caught:
        durable.write_file(tmp_path / "metrics.json", b"x" * 12345)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'metrics.json'}: cannot write (12,345 bytes needed, ")
    assert " free): " in message
    assert words in message.lower()
    assert "\n" not in message
    assert caught.value.exit_code == 7


def test_a_real_limit_of_the_file_size_keeps_the_old_file(tmp_path: Path) -> None:
    program = """
        import resource, sys
        from pathlib import Path
        from mltrain.errors import WriteError
        from mltrain.run import durable
        path = Path(sys.argv[1])
        durable.write_file(path, b"old")
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            durable.write_file(path, b"x" * 100_000)
        except WriteError as error:
            print(error)
    """
    path = tmp_path / "model.keras"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), path], capture_output=True, text=True, check=True
    )
    assert "larger than allowed" in done.stdout
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["model.keras"]


def test_a_kill_at_any_operation_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    program = """
        import os, signal, sys
        from pathlib import Path
        from mltrain.run import durable
        path, doomed = Path(sys.argv[1]), 0
        def perform(operation, *arguments, **options):
            global doomed
            doomed -= 1
            if doomed == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return operation(*arguments, **options)
        durable.perform = perform
        for doomed in range(1, 7):
            child = os.fork()
            if child == 0:
                durable.write_file(path, b"new")
                os._exit(0)
            _, status = os.waitpid(child, 0)
            print(os.WTERMSIG(status), path.read_text())
            path.write_text("old")
    """
    path = tmp_path / "metrics.json"
    path.write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), path], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:-1] == [f"{signal.SIGKILL:d} old"] * 5 + [f"{signal.SIGKILL:d} new"]


def test_an_exception_of_a_signal_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def perform(operation: Callable[..., object], *arguments: object, **options: object) -> object:
        if operation is os.fsync:
            raise KeyboardInterrupt
        return operation(*arguments, **options)

    monkeypatch.setattr(durable, "perform", perform)
    with pytest.raises(KeyboardInterrupt):
        durable.write_file(tmp_path / "metrics.json", b"new")
    with pytest.raises(KeyboardInterrupt):
        durable.write_directory(tmp_path / "best-000001", FILES)
    assert names(tmp_path) == []


def test_a_directory_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    durable.write_directory(tmp_path / "full", FILES)
    for name in ("empty", "full"):
        with pytest.raises(FileExistsError):
            durable.write_directory(tmp_path / name, {"other": b""})
    assert names(tmp_path / "empty") == []
    assert names(tmp_path / "full") == sorted(FILES)
    assert names(tmp_path) == ["empty", "full"]


def test_a_planted_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "metrics.json"
    path.symlink_to(victim)
    durable.write_file(path, b"new")
    assert victim.read_text() == "precious"
    assert not path.is_symlink()
    path.unlink()
    path.symlink_to(victim)
    with pytest.raises(WriteError, match="symbolic link"):
        durable.append(path, b"row")
    assert victim.read_text() == "precious"


def test_a_planted_directory_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "plots").symlink_to(tmp_path / "elsewhere")
    for write in (
        lambda: durable.write_file(tmp_path / "plots" / "loss.png", b""),
        lambda: durable.append(tmp_path / "plots" / "log.txt", b""),
        lambda: durable.make_directory(tmp_path / "plots" / "a"),
        lambda: durable.write_files(tmp_path / "plots", FILES),
        lambda: durable.write_directory(tmp_path / "plots" / "a", FILES),
        lambda: durable.point(tmp_path / "plots" / "latest", "a"),
    ):
        with pytest.raises(WriteError, match="symbolic link"):
            write()
    assert names(tmp_path / "elsewhere") == []


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log.txt")
    reader = os.open(tmp_path / "log.txt", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(WriteError, match="other than a plain file"):
        durable.append(tmp_path / "log.txt", b"line")
    os.close(reader)
    with pytest.raises(WriteError):
        durable.append(tmp_path / "log.txt", b"line")


def test_removing_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "precious").write_text("")
    (tmp_path / "epoch-000001").mkdir()
    (tmp_path / "epoch-000001" / "link").symlink_to(tmp_path / "victim")
    durable.remove_tree(tmp_path / "epoch-000001")
    assert names(tmp_path) == ["victim"]
    assert names(tmp_path / "victim") == ["precious"]


def test_a_link_is_swapped(tmp_path: Path) -> None:
    durable.point(tmp_path / "latest", "a")
    durable.point(tmp_path / "latest", "b")
    assert os.readlink(tmp_path / "latest") == "b"  # noqa: PTH115
    assert names(tmp_path) == ["latest"]


def test_where_links_are_refused_a_text_file_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def perform(operation: Callable[..., object], *arguments: object, **options: object) -> object:
        if operation is os.symlink:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        return operation(*arguments, **options)

    monkeypatch.setattr(durable, "perform", perform)
    durable.point(tmp_path / "latest", "20261120T201500Z-3f9a")
    assert (tmp_path / "latest").read_text() == "20261120T201500Z-3f9a\n"


def test_directories_above_are_made(tmp_path: Path) -> None:
    durable.make_directories(tmp_path / "a" / "b" / "c")
    durable.make_directories(tmp_path / "a" / "b" / "c")
    assert (tmp_path / "a" / "b" / "c").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="is where a directory is expected"):
        durable.make_directories(tmp_path / "file")
    with pytest.raises(WriteError, match="is where a directory is expected"):
        durable.make_directories(tmp_path / "file" / "a")


def test_a_directory_that_went_away_is_said(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="the directory is gone"):
        durable.write_file(tmp_path / "gone" / "metrics.json", b"")


def test_links_of_the_user_are_resolved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "runs").symlink_to("scratch")
    assert durable.without_links(tmp_path / "runs" / "a") == tmp_path / "scratch" / "a"
    monkeypatch.chdir(tmp_path)
    assert durable.without_links(Path("scratch")) == Path("scratch")
    assert durable.without_links(Path("runs")) == tmp_path / "scratch"
