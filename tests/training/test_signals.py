"""Signals to real processes: what they must never be is caught midway, lost, or a traceback."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mltrain.errors import InterruptedRunError
from mltrain.training.signals import Interruption, held_back

pytestmark = pytest.mark.long

COMMAND = Path(sys.executable).parent / "mltrain"
SIGNALS = pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
# One call of C that takes minutes, in which Python runs no handler of its own.
IN_C = """
import hashlib
from mltrain.training.signals import Interruption
with Interruption().handled() as interruption, interruption.deferred():
    print("ready", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)
"""


def start(*command: object) -> subprocess.Popen:
    return subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parent
    )


def wait_for_import(process: subprocess.Popen, run: Path) -> None:
    status = run / "status.json"
    while not (status.exists() and "importing TensorFlow" in status.read_text()):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)


@SIGNALS
def test_the_first_signal_is_an_exception_with_its_exit_code(number, code):
    with pytest.raises(InterruptedRunError, match=f"stopped by {number.name}") as caught, Interruption().handled():
        os.kill(os.getpid(), number)
        time.sleep(60)
    assert caught.value.exit_code == code


def test_a_deferred_signal_waits():
    with Interruption().handled() as interruption:
        interruption.raise_if_received()
        with interruption.deferred():
            with interruption.deferred():
                pass
            os.kill(os.getpid(), signal.SIGTERM)
            done = True
        with pytest.raises(InterruptedRunError):
            interruption.raise_if_received()
    assert done


def test_the_first_signal_is_told_at_once():
    told, before = [], []
    with Interruption().handled() as interruption, interruption.deferred():
        with interruption.told(told.append):
            os.kill(os.getpid(), signal.SIGTERM)
            assert told == [signal.SIGTERM]
        with interruption.told(before.append):  # it came before
            assert before == [signal.SIGTERM]


# Waits for a line, and handles signals only then.
LATE = """
import sys
from mltrain.errors import InterruptedRunError
from mltrain.training.signals import Interruption
print("ready", flush=True)
sys.stdin.readline()
try:
    with Interruption().handled():
        print("here")
except InterruptedRunError as error:
    print(error)
"""


def test_a_process_holds_signals_back_until_it_handles_them():
    with held_back():
        process = subprocess.Popen(
            [sys.executable, "-c", LATE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    out, _ = process.communicate("go on\n", timeout=60)
    assert (process.returncode, out) == (0, "stopped by SIGTERM\n")
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & {signal.SIGINT, signal.SIGTERM}


def test_what_was_before_is_there_again():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    with Interruption().handled():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    assert signal.set_wakeup_fd(-1) == -1
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


@SIGNALS
def test_the_second_signal_leaves_even_a_call_of_c(number, code):
    process = start(sys.executable, "-c", IN_C)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, "")


@SIGNALS
@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.7, 1.2])
def test_a_signal_while_tensorflow_is_imported(config, tmp_path, seconds, number, code):
    process = start(COMMAND, "train", config(epochs="  epochs: 1000000"), "--run-dir", tmp_path / "run")
    wait_for_import(process, tmp_path / "run")
    time.sleep(seconds)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert "Traceback" not in err
    assert f"stopped by {number.name}" in err.splitlines()[-1]
    assert "error:" not in err
    assert '"interrupted"' in (tmp_path / "run" / "status.json").read_text()


def test_two_signals_while_tensorflow_is_imported(config, tmp_path):
    process = start(COMMAND, "train", config(), "--run-dir", tmp_path / "run")
    wait_for_import(process, tmp_path / "run")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (143, "")
    # It left at once: else the first signal would have been told there.
    assert '"running"' in (tmp_path / "run" / "status.json").read_text()


@pytest.mark.parametrize("command", ["list", "doctor"])
@pytest.mark.parametrize("seconds", [0.1, 0.2])
def test_a_command_without_a_handler_ends_in_silence(command, seconds):
    # Python itself needs a moment before any line of ours runs: wait for ours.
    program = (
        f"from mltrain.cli import app; print(flush=True); import sys; sys.argv = ['mltrain', {command!r}]; app.main()"
    )
    process = start(sys.executable, "-c", program)
    assert process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGINT, 0)  # 0: it was done before
    assert err == ""
