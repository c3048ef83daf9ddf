"""Workers that talk: each is a thread here, with sockets as between processes."""

import socket
import threading
import time

import numpy as np
import pytest

from mltrain.errors import WorkerError, WriteError
from mltrain.workers import connections, team
from mltrain.workers.cluster import Cluster
from mltrain.workers.team import LEAVES, Team
from mltrain.workers.words import Words


def in_all(count, work, secrets=None, on_signal=lambda number: None, folder=None):
    """Return what `work(team)` returns in each of so many workers, or the error that it raises; they meet at files of
    the folder, or else at ports."""
    if folder is None:
        listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        addresses = tuple(f"127.0.0.1:{each.getsockname()[1]}" for each in listening)
    else:
        addresses = tuple(str(folder / f"{rank}.socket") for rank in range(count))
        listening = [connections.listen_at(each, count) for each in addresses]
    found = [None] * count

    def run(rank):
        secret = "secret" if secrets is None else secrets[rank]
        try:
            with Team.of(Cluster(rank, addresses, secret, "a test"), listening[rank], on_signal=on_signal) as joined:
                found[rank] = work(joined)
        except Exception as error:  # noqa: BLE001 - of any kind: the test looks at it
            found[rank] = error

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
        assert not each.is_alive()
    return found


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("size", [1, 1_000, 100_003])
def test_all_have_the_same_sum_to_the_last_bit(count, size):
    given = np.random.default_rng(0).normal(size=(count, size)).astype(np.float32)
    found = in_all(count, lambda joined: joined.sum([given[joined.rank]])[0])
    expected = given[0].copy()
    for each in given[1:]:
        expected += each
    for each in found:
        assert each.tobytes() == expected.tobytes()


def test_workers_of_one_machine_meet_at_files(tmp_path):
    given = np.random.default_rng(0).normal(size=(3, 100_003)).astype(np.float32)
    found = in_all(3, lambda joined: joined.sum([given[joined.rank]])[0], folder=tmp_path)
    for each in found:
        assert each.tobytes() == (given[0] + given[1] + given[2]).tobytes()


@pytest.mark.parametrize("count", [2, 3])
def test_several_arrays_are_summed_at_once(count):
    draw, sizes = np.random.default_rng(0), [1, 40_001, 0, 7, 30_000, 600]
    given = [[draw.normal(size=size).astype(np.float32) for size in sizes] for _ in range(count)]
    for found in in_all(count, lambda joined: joined.sum(given[joined.rank])):
        for place, each in enumerate(found):
            expected = given[0][place].copy()
            for other in given[1:]:
                expected += other[place]
            assert each.tobytes() == expected.tobytes()


def test_sums_come_in_their_order():
    def work(joined):
        return [
            float(joined.sum([np.full(20_000 * (number % 3) + 1, number, np.float32)])[0][-1]) for number in range(50)
        ]

    for each in in_all(3, work):
        assert each == [3.0 * number for number in range(50)]


def test_words_go_to_all_with_their_arrays():
    arrays = {"scalar": np.array(3), "empty": np.zeros((0, 2), np.float32), "table": np.arange(6.0).reshape(2, 3)}

    def work(joined):
        if joined.rank == 0:
            joined.say(Words("go", {"epoch": 1}, arrays))
            return joined.listen(1).values, joined.listen(2).values
        words = joined.listen()
        joined.say(Words("done", {"rank": joined.rank}))
        return words

    first, *others = in_all(3, work)
    assert first == ({"rank": 1}, {"rank": 2})
    for words in others:
        assert (words.what, words.values) == ("go", {"epoch": 1})
        for name, array in arrays.items():
            np.testing.assert_array_equal(words.arrays[name], array)
            assert words.arrays[name].shape == array.shape


def test_the_others_hear_that_the_first_has_left():
    assert in_all(2, lambda joined: None if joined.rank == 0 else joined.listen().what) == [None, LEAVES]


def test_a_worker_that_fails_ends_those_that_wait_for_it():
    def work(joined):
        if joined.rank == 1:
            raise WriteError("the disk is full")
        joined.sum([np.zeros(10, np.float32)])

    first, second, third = in_all(3, work)
    assert str(second) == "the disk is full"
    # The third has heard it from the first.
    assert str(first) == str(third) == "worker 1 of 3 is lost: the disk is full"


def test_a_silent_worker_is_lost(monkeypatch):
    """It computes for ever, and its heart has stopped."""
    monkeypatch.setattr(team, "_BEAT", 0.1)
    monkeypatch.setattr(team, "SILENT", 1.0)
    stopped = threading.Event()
    beat = Team._beat
    monkeypatch.setattr(Team, "_beat", lambda self: stopped.wait(30) if self.rank == 1 else beat(self))
    started = time.monotonic()

    def work(joined):
        if joined.rank == 1:
            stopped.wait(30)
            return
        try:
            joined.sum([np.zeros(10, np.float32)])
        finally:
            stopped.set()

    first, _ = in_all(2, work)
    assert str(first) == "worker 1 of 2 is lost: it has been silent for 1 s: it is stopped, or cut off"
    assert time.monotonic() - started < 10


def test_who_does_not_know_the_secret_is_turned_away(monkeypatch):
    monkeypatch.setattr(connections, "COME_WITHIN", 1.0)
    first, _ = in_all(2, lambda joined: None, secrets=["secret", "another"])
    assert isinstance(first, WorkerError)
    assert "did not come within 1 s" in str(first)


def test_a_signal_of_one_is_told_to_the_first():
    heard = []

    def work(joined):
        if joined.rank == 1:
            joined.tell_signal(15)
        joined.sum([np.zeros(1, np.float32)])
        deadline = time.monotonic() + 5
        while joined.rank == 0 and not heard and time.monotonic() < deadline:
            time.sleep(0.01)

    in_all(2, work, on_signal=heard.append)
    assert heard == [15]
