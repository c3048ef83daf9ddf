"""Standard streams that are closed, full, or left by their reader, as shells make them."""

import json

import pytest

pytestmark = pytest.mark.long

FULL = "error: standard output: cannot write: No space left on device\n"


@pytest.mark.parametrize("line", ["list", "schema", "validate config.yaml", "--help", "list layer Dense --json"])
def test_a_full_standard_output_is_exit_code_7(shell, config, line):
    config()
    done = shell(f"mltrain {line} > /dev/full")
    assert (done.code, done.err) == (7, FULL)


def test_a_train_that_cannot_say_where_it_is_has_failed(shell, config, tmp_path):
    done = shell(f"mltrain train {config()} --run-dir run > /dev/full")
    assert (done.code, done.err) == (7, FULL)
    status = json.loads((tmp_path / "run" / "status.json").read_text())
    assert (status["state"], status["exit_code"]) == ("failed", 7)
    assert (tmp_path / "run" / "config.yaml").read_bytes() == config().read_bytes()


def test_an_error_for_programs_that_cannot_be_written_is_still_said(shell):
    done = shell("mltrain validate --json --bogus > /dev/full")
    assert done.code == 2
    assert "No such option: --bogus" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2> /dev/full"])
def test_a_train_goes_on_where_nobody_listens(shell, config, tmp_path, closed):
    done = shell(f"mltrain train {config()} --run-dir run {closed}")
    assert done.code == 0
    assert done.out == ("" if ">&- " in f"{closed} ".replace("2>&-", "") else f"{tmp_path / 'run'}\n")
    assert '"finished"' in (tmp_path / "run" / "status.json").read_text()
    # What TensorFlow prints must not land in a file that took the number of a closed stream.
    assert (tmp_path / "run" / "history.csv").read_text().startswith("epoch,")


@pytest.mark.parametrize("closed", ["2>&-", "2> /dev/full"])
def test_an_error_that_nobody_hears_keeps_its_exit_code(shell, closed):
    assert shell(f"mltrain validate missing.yaml {closed}").code == 2
    assert shell(f"mltrain nothing {closed}").code == 2


@pytest.mark.parametrize("command", ["validate", "train"])
def test_a_closed_standard_input_is_no_config(shell, command):
    done = shell(f"mltrain {command} - <&-")
    assert done.code == 2
    assert done.err == "error: cannot read the config from standard input: it is closed\n"


# What is longer than a pipe holds (64 KiB) cannot be written before the reader is gone.
@pytest.mark.parametrize("line", ["list --json | head -1", "schema | head -1", "--help | true"])
def test_a_reader_that_leaves_ends_us_as_sigpipe_does(shell, line):
    done = shell(f"mltrain {line}; exit ${{PIPESTATUS[0]}}")
    # --help is so short that it may be written before the reader is gone.
    assert done.code == 141 or (line.startswith("--help") and done.code == 0)
    assert done.err == ""


def test_a_pipeline_fails_where_the_shell_is_asked_to_tell(shell):
    done = shell("set -o pipefail; mltrain list --json | head -1")
    assert done.code == 141
    assert done.out == "{\n"


def test_a_wrong_command_line_for_programs(mltrain, config):
    done = mltrain("train", config(), "--json", "--bogus")
    assert done.code == 2
    assert json.loads(done.out) == {"error": {"exit_code": 2, "message": "No such option: --bogus", "problems": []}}
    assert "Error: No such option: --bogus" in done.err
