"""Data files from a stranger: refused with exit code 4 and their place, or read as plain values; never run, waited for,
or unfolded to gigabytes. And what stands in them can drive neither the terminal nor a spreadsheet."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import re
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mltrain.run.history import History
from tests.conftest import REPOSITORY
from tests.hostile.conftest import Canary, snapshot

pytestmark = pytest.mark.long

GIBIBYTE = 1 << 30


@pytest.fixture
def train(mltrain, tmp_path):
    """Train on a file in the folder."""

    def run(source, target="y", *, more="", epochs=1):
        (tmp_path / "config.yaml").write_text(
            f"data:\n  source: {source}\n  target: {target}\n{more}"
            f"model: {{type: mlp, units: [2]}}\ntraining: {{epochs: {epochs}, batch_size: 8}}\n"
        )
        return mltrain("train", "config.yaml", "--run-dir", "run")

    return run


@pytest.fixture
def refused(train, tmp_path):
    """Train on a file, which must be refused with exit code 4 in one line; return that line."""

    def check(source, *said):
        done = train(source)
        assert done.code == 4, done.err
        *_, line = done.err.splitlines()
        assert "Traceback" not in done.err
        assert line.isprintable()
        for each in said:
            assert each in line
        assert not (tmp_path / "canary").exists()
        # The run directory says so, too, and a second attempt is not in its way.
        assert json.loads((tmp_path / "run" / "status.json").read_text())["exit_code"] == 4
        return line

    return check


@pytest.mark.parametrize(("make", "found"), [(os.mkfifo, "a named pipe"), (os.mkdir, "a directory")])
@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "npz"])
def test_only_regular_files(refused, tmp_path, kind, make, found):
    make(tmp_path / f"x.{kind}")
    refused(f"{{type: {kind}, path: x.{kind}}}", f"x.{kind}: expected a regular file, found {found}")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/tty", "/dev/stdin", "/dev/random", "/proc/self/fd/0"])
def test_devices(mltrain, train, device):
    done = train(f"{{type: csv, path: {device}}}")
    assert done.code == 4, done.err


def test_a_link_to_a_pipe(refused, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "x.csv").symlink_to("pipe")
    refused("{type: csv, path: x.csv}", "found a named pipe")


def test_a_link_that_the_user_names_is_followed_and_only_read(train, tmp_path):
    """A path in a config is a declared input, and a link there is the user's own; what it leads to is data or no
    data."""
    (tmp_path / "x.csv").symlink_to("/etc/passwd")
    before = Path("/etc/passwd").read_bytes()
    done = train("{type: csv, path: x.csv}", more="")
    assert done.code == 4
    assert Path("/etc/passwd").read_bytes() == before


def test_a_link_loop_and_a_dangling_link(refused, tmp_path):
    (tmp_path / "x.csv").symlink_to("x.csv")
    (tmp_path / "y.csv").symlink_to("nowhere.csv")
    refused("{type: csv, path: x.csv}", "x.csv: cannot be read")


PATHS = [
    "x\\0.csv",
    "\\e[2J.csv",
    "\\u202Evsc.x",
    "[red]x[/red].csv",
    "x" * 300 + ".csv",
    "",
    "/",
    "~nobody-at-all/x.csv",
]


@pytest.mark.parametrize("path", PATHS, ids=ascii)
def test_names_of_data_files(train, path):
    done = train(f'{{type: csv, path: "{path}"}}')
    assert done.code in (3, 4), done.err
    assert "Traceback" not in done.err
    assert all(character.isprintable() or character == "\n" for character in done.err)


def objects(tmp_path):
    file = io.BytesIO()
    np.savez(file, x=np.zeros(20), y=np.array([Canary(tmp_path / "canary")] * 20, dtype=object))
    return file.getvalue()


def structured(tmp_path):
    """A pickle inside a structured type."""
    values = np.zeros(1, dtype=[("a", object)])
    values[0] = (Canary(tmp_path / "canary"),)
    file = io.BytesIO()
    np.savez(file, y=values)
    return file.getvalue()


PICKLES = {
    "objects": objects,
    "structured": structured,
    "bare": lambda tmp_path: pickle.dumps(Canary(tmp_path / "canary")),
    "bare npy": lambda tmp_path: b"\x93NUMPY\x01\x00" + pickle.dumps(Canary(tmp_path / "canary")),
}


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "npz"])
@pytest.mark.parametrize("make", PICKLES.values(), ids=PICKLES)
def test_no_pickle_is_ever_read(refused, tmp_path, make, kind):
    (tmp_path / f"x.{kind}").write_bytes(make(tmp_path))
    refused(f"{{type: {kind}, path: x.{kind}}}", f"x.{kind}")


def test_the_canary_is_one(tmp_path):
    pickle.loads(pickle.dumps(Canary(tmp_path / "canary")))  # noqa: S301 (that it would be seen)
    assert (tmp_path / "canary").exists()


def npz(**arrays):
    """Return an archive of arrays that are stated as (type, shape, bytes)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, (descr, shape, data) in arrays.items():
            header = io.BytesIO()
            np.lib.format.write_array_header_1_0(header, {"descr": descr, "fortran_order": False, "shape": shape})
            archive.writestr(f"{name}.npy", header.getvalue() + data)
    return file.getvalue()


ARRAYS = {
    "terabytes": npz(y=("<f8", (10**12,), b"")),
    "more than any number": npz(y=("<f8", (10**400,), b"")),
    "half a gigabyte": npz(y=("<f8", (6 * 10**7,), b"")),
    "texts of no size": npz(y=("<U0", (10**9,), b"")),
    "bytes of no size": npz(y=("|S0", (10**9,), b"")),
    "nothing of no size": npz(y=("|V0", (10**9,), b"")),
    "an axis of none": npz(x=("<f8", (10**9, 0), b""), y=("<f8", (10**9, 0), b"")),
    "a negative axis": npz(y=("<f8", (-1,), b"")),
    "a true axis": npz(y=("<f8", (True,), b"12345678")),
    "forty axes": npz(y=("<f8", (1,) * 40, b"12345678")),
    "half a pair": npz(y=("<U1", (1,), b"\x00\xd8\x00\x00")),
    "no character": npz(y=("<U1", (1,), b"\xff\xff\xff\x7f")),
    "no text": npz(y=("|S2", (1,), b"\xff\xff")),
    "long floats": npz(y=("<f16", (1,), b"\x00" * 16)),
    "a record": npz(y=([("a", "<f8")], (1,), b"12345678")),
    "dates without a unit": npz(y=("<M8", (1,), b"12345678")),
}


def in_little_memory(tmp_path, source, packed_name, content, said):
    """Read a file in a process of 3 GiB at most and see how much it took: the imports alone take 0.2 of resident."""
    (tmp_path / packed_name).write_bytes(content)
    code = (
        "import sys, pathlib\n"
        "from mltrain.errors import DataError\n"
        f"from mltrain.data.sources.{source[0]} import {source[1]} as Source\n"
        "try:\n"
        "    Source(path=pathlib.Path(sys.argv[1])).read(0)\n"
        "except DataError as error:\n"
        "    print(error)\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(next(line.split()[1] for line in status.splitlines() if line.startswith('VmHWM')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / packed_name],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (3 * GIBIBYTE, 3 * GIBIBYTE)),
    )
    assert done.returncode == 0, done.stderr
    *message, resident = done.stdout.splitlines()
    assert said in "".join(message), message
    assert int(resident) * 1024 < GIBIBYTE


@pytest.mark.parametrize("content", ARRAYS.values(), ids=ARRAYS)
def test_arrays_that_lie_about_themselves(refused, tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    refused("{type: npz, path: x.npz}", "x.npz")


@pytest.mark.parametrize("name", ["terabytes", "half a gigabyte", "texts of no size"])
def test_arrays_that_lie_take_no_memory(tmp_path, name):
    in_little_memory(tmp_path, ("npz", "NpzSource"), "x.npz", ARRAYS[name], "its header says")


def test_an_array_that_is_not_asked_for_may_be_of_objects(train, tmp_path):
    with (tmp_path / "x.npz").open("wb") as file:
        np.savez(
            file, x=np.arange(20.0), y=np.arange(20) % 2, names=np.array([Canary(tmp_path / "canary")], dtype=object)
        )
    done = train("{type: npz, path: x.npz, arrays: {x: x, y: y}}")
    assert done.code == 0, done.err
    assert not (tmp_path / "canary").exists()


def in_parquet(**columns):
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file, store_schema=False, row_group_size=1 << 30)
    return file.getvalue()


def repeated(value, times):
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(times, np.int32)), pa.array([value]))


BOMBS = {
    "gzip": ("csv", "CsvSource", "x.csv.gz", lambda: gzip.compress(b"a,y\n" + bytes(300 << 20))),
    "gzip of gzip": ("csv", "CsvSource", "x.csv.gz", lambda: gzip.compress(gzip.compress(bytes(400 << 20)) * 100)),
    "zip": ("npz", "NpzSource", "x.npz", lambda: deflated(300 << 20)),
    "parquet of one number": (
        "parquet",
        "ParquetSource",
        "x.parquet",
        lambda: in_parquet(y=np.zeros(5 * 10**7, np.int8)),
    ),
    "parquet of one text": (
        "parquet",
        "ParquetSource",
        "x.parquet",
        lambda: in_parquet(y=repeated("x" * (1 << 20), 5000)),
    ),
    "parquet of one list": (
        "parquet",
        "ParquetSource",
        "x.parquet",
        lambda: in_parquet(y=pa.array([np.zeros(5 * 10**7, np.int8)])),
    ),
    "json keys": (
        "jsonl",
        "JsonlSource",
        "x.jsonl",
        lambda: b"".join(b'{"k%d":1}\n' % number for number in range(10_000)),
    ),
}


def deflated(size):
    file = io.BytesIO()
    np.savez_compressed(file, y=np.zeros(size, np.int8))
    return file.getvalue()


@pytest.mark.parametrize(("module", "name", "file", "make"), BOMBS.values(), ids=BOMBS)
def test_bombs(tmp_path, module, name, file, make):
    content = make()
    assert len(content) < 4 << 20
    in_little_memory(tmp_path, (module, name), file, content, file)


GARBAGE = [
    *(b"", b"PAR1", b"PAR1" * 100, b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x93NUMPY", b"\x1f\x8b\x08\x00"),
    *(bytes(1000), b"\xff" * 1000, b"{" * 1000, b"[" * 100_000, b'{"a":' * 10_000, b'{"a": NaN}\n{"a": -Infinity}\n'),
    *(b'{"a": ' + b"[" * 500 + b"1" + b"]" * 500 + b"}\n", b'{"a": ' + b"9" * 10_000 + b"}\n", b'"' * 9999),
]


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "npz", "csv.gz", "jsonl.gz"])
def test_garbage(refused, tmp_path, kind):
    for content in GARBAGE:
        (tmp_path / f"x.{kind}").write_bytes(content)
        refused(f"{{type: {kind.partition('.')[0]}, path: x.{kind}}}")
        clear(tmp_path / "run")


def clear(run):
    for path in sorted(run.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


# In a process of its own: what damaged bytes do to a library in C++ may end the process, and all other tests with it.
READ_DAMAGED = """
import random, sys
from pathlib import Path
from mltrain.cli.app import leave
from mltrain.data.sources import read_file
from mltrain.errors import DataError

path = Path(sys.argv[1])
whole, draw, refused = path.read_bytes(), random.Random(0), 0
for _ in range(400):
    damaged = bytearray(whole)
    for _ in range(draw.randint(1, 4)):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    if draw.random() < 0.2:
        del damaged[draw.randrange(1, len(damaged)) :]
    path.write_bytes(damaged)
    try:
        read_file(path, {})
    except DataError as error:
        assert path.name in str(error)
        refused += 1
print(refused)
leave(0)  # as the command ends: a thread of pyarrow that still reads would abort an interpreter that shuts down
"""

WHOLE = {
    "x.npz": lambda: npz(x=("<f8", (4,), bytes(32)), y=("|S1", (4,), b"abab")),
    "columns.parquet": lambda: in_parquet(x=["a", None, "b", "c"] * 10, z=np.arange(40.0), y=np.arange(40) % 2),
    "lists.parquet": lambda: in_parquet(x=[[1.0, 2.0]] * 40, y=np.arange(40) % 2),
}


@pytest.mark.parametrize("name", WHOLE)
def test_damaged_files(tmp_path, name):
    (tmp_path / name).write_bytes(WHOLE[name]())
    done = subprocess.run(
        [sys.executable, "-c", READ_DAMAGED, tmp_path / name],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


HOSTILE = [
    *('=HYPERLINK("http://x","y")', "@SUM(A1)", "+1+cmd|' /C calc'!A0", "-2+3"),
    *("\x1b[2J\x1b[31mred", "\x1b]0;title\x07", "[red]x[/red]", "[link=file:///etc/passwd]x[/link]", "a\rb"),
    *(
        "\u202egpj.exe",
        "$x^{2}$ $\\frac{$",
        "%n%s",
        "<script>alert(1)</script>",
        "../../escaped",
        "a/b",
        "\x00"[:0] + "é",
    ),
]


@pytest.mark.filterwarnings("ignore:Glyph .* missing from font")
def test_names_from_data_drive_nothing(train, mltrain, tmp_path, monkeypatch):
    """Classes, categories and columns with names that a terminal, a spreadsheet, a plot or a path would obey."""
    draw = np.random.default_rng(0)
    rows = []
    for number in range(16 * len(HOSTILE)):
        rows.append({
            "=1+1": float(draw.normal()),
            "\x1b[31mcolor": HOSTILE[number % len(HOSTILE)],
            "[bold]size[/bold]": float(number % 7),
            "../up": float(draw.normal()),
            "y": HOSTILE[int(draw.integers(len(HOSTILE)))] if number >= 2 * len(HOSTILE) else HOSTILE[number // 2],
        })  # fmt: skip
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = snapshot(tmp_path.parent, tmp_path)
    done = train("{type: jsonl, path: x.jsonl}", more="evaluation: {metrics: [accuracy, f1]}\n")
    assert done.code == 0, done.err
    run = tmp_path / "run"
    shown = mltrain("show", run)
    evaluated = mltrain("evaluate", run)
    assert (shown.code, evaluated.code) == (0, 0)
    for text in (done.err, shown.out, shown.err, evaluated.out, evaluated.err, (run / "log.txt").read_text()):
        assert all(character.isprintable() or character in "\n\t" for character in text), ascii(text)
    history = (run / "history.csv").read_text()
    assert not any(
        cell.lstrip('"').startswith(("=", "+", "@", "\t", "\r"))
        for line in history.splitlines()
        for cell in line.split(",")
    )
    assert json.loads((run / "metrics.json").read_text())["classes"]
    for path in (run / "plots").iterdir():
        picture = path.read_bytes()
        assert picture.startswith(b"\x89PNG") if path.suffix == ".png" else not re.search(rb"<script|\son\w+=", picture)
    assert snapshot(tmp_path.parent, tmp_path) == before


def test_a_history_with_names_that_a_spreadsheet_would_run():
    names = ("epoch", '=HYPERLINK("x")', "+x", "-1", "@SUM", "\tx", "'x", "a,b", 'a"b')
    written = History(names, ((1, *[float(number) for number in range(8)]),))
    text = written.to_csv().decode()
    assert text.splitlines()[0].startswith("""epoch,"'=HYPERLINK(""x"")",'+x,'-1,'@SUM,'\tx,''x,""")
    assert History.from_csv(text.encode(), "history.csv") == written


def test_names_from_data_on_a_terminal(tmp_path):
    """Rich would obey its markup."""

    class Screen(io.StringIO):
        def isatty(self):
            return True

    from mltrain.report.terminal import Terminal
    from mltrain.task import Decision

    screen = Screen()
    terminal = Terminal(stream=screen)
    terminal.note("[red]plain[/red] \x1b[2J")
    terminal.decisions([Decision("[link=file:///x]y[/link]", "\x1b]0;title\x07", "[blink]x[/blink]")])
    said = screen.getvalue()
    assert "[red]plain[/red]" in said
    assert "[link=file:///x]y[/link]" in said
    assert "[blink]x[/blink]" in said
    assert "\x1b[2J" not in said
    assert "\x1b]0" not in said
