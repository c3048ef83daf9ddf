"""Whatever befalls a checkpoint is noticed; the one before it is used, and that is said."""

from __future__ import annotations

import random
import shutil

import pytest

from mltrain.errors import RunError
from mltrain.run.checkpoint_files import newest, numbers, read_checkpoint
from tests.torture.comparison import compare, resumptions

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def killed(battery):
    """A run with two states and the best weights that the newer one refers to, killed in the middle of an epoch."""
    drawn = random.Random(2)
    while True:
        run = battery.killed_in_training("dropout", drawn)
        checkpoints = run / "checkpoints"
        if len(numbers(checkpoints, "state")) >= 2 and numbers(checkpoints, "best"):
            _, state = read_checkpoint(newest(checkpoints, "state"))
            # A kill between the two leaves best weights that no state refers to, and nobody misses those.
            if state["best_epoch"] == numbers(checkpoints, "best")[-1]:
                return run


def flip(checkpoint, drawn):
    """Flip one bit of one file, small files as often as large ones."""
    path = drawn.choice(sorted(checkpoint.iterdir()))
    content = bytearray(path.read_bytes())
    place = drawn.randrange(len(content) * 8)
    content[place // 8] ^= 1 << place % 8
    path.write_bytes(content)


def truncate(checkpoint, drawn):
    path = drawn.choice(sorted(checkpoint.iterdir()))
    path.write_bytes(path.read_bytes()[: drawn.randrange(path.stat().st_size)])


def add(checkpoint, drawn):
    path = drawn.choice(sorted(checkpoint.iterdir()))
    with path.open("ab") as file:
        file.write(bytes(drawn.randrange(1, 9)))


def zero(checkpoint, drawn):
    """Put zeros in the place of a part, as file systems do after a loss of power."""
    path = drawn.choice(sorted(checkpoint.iterdir()))
    content = bytearray(path.read_bytes())
    first = drawn.randrange(len(content))
    content[first : first + 512] = bytes(len(content[first : first + 512]))
    content[first] ^= content == path.read_bytes()  # there were zeros already
    path.write_bytes(content)


def miss(checkpoint, drawn):
    drawn.choice(sorted(checkpoint.iterdir())).unlink()


def exceed(checkpoint, drawn):
    (checkpoint / drawn.choice(["extra", "arrays.npy", ".hidden", "z"])).write_bytes(b"x")


def swap(checkpoint, drawn):
    """Exchange a file with that of the checkpoint before, which is valid by itself."""
    older, *_ = sorted(checkpoint.parent.glob("state-*"))
    name = drawn.choice(["arrays.npz", "state.json", "MANIFEST.json"])
    assert older != checkpoint
    shutil.copyfile(older / name, checkpoint / name)


def empty(checkpoint, drawn):
    for path in checkpoint.iterdir():
        path.unlink()


DAMAGES = [flip, flip, flip, truncate, truncate, add, zero, miss, exceed, swap, empty]


@pytest.mark.parametrize("damages", [64, pytest.param(1000, marks=pytest.mark.torture)])
def test_every_damage_is_found(killed, damages, tmp_path):
    drawn = random.Random(damages)
    for number in range(damages):
        copied = tmp_path / str(number)
        shutil.copytree(killed / "checkpoints", copied)
        checkpoint = newest(copied, "state")
        read_checkpoint(checkpoint)
        DAMAGES[number % len(DAMAGES)](checkpoint, drawn)
        with pytest.raises(RunError, match=checkpoint.name):
            read_checkpoint(checkpoint)
        shutil.rmtree(copied)


@pytest.mark.parametrize("kind", ["state", "best"])
@pytest.mark.parametrize("damage", [flip, truncate, miss, exceed, empty])
def test_the_one_before_is_used(battery, killed, kind, damage):
    run = battery.copy(killed)
    checkpoint = newest(run / "checkpoints", kind)
    damage(checkpoint, random.Random(3))
    ended = battery.server("resume", run)
    if kind == "best" and ended.code == 5:
        # Both states refer to these weights: nothing valid is left, and nothing is started afresh.
        assert "no checkpoint is valid" in ended.err
        return
    assert ended.code == 0, ended.err
    assert "newer ones are damaged" in ended.err
    assert checkpoint.name in ended.err
    assert resumptions(run)[-1]["step"] > 0
    compare(battery.whole("dropout")[0], run)


def test_where_none_is_valid_nothing_changes(battery, killed):
    run = battery.copy(killed)
    for checkpoint in (run / "checkpoints").glob("state-*"):
        flip(checkpoint, random.Random(4))
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file() and "/.tmp-" not in str(path)}
    del before[run / "log.txt"], before[run / ".lock"]
    for arguments in (["resume", run], battery.training("dropout", run, "--resume")):
        ended = battery.server(*arguments)
        assert ended.code == 5
        assert "no checkpoint is valid" in ended.err
        assert before == {path: path.read_bytes() for path in before}
