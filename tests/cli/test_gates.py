"""Gates through the real command: what is printed, kept and written, and the exit code."""

import json
import shutil
from xml.etree import ElementTree

import pytest

from tests.conftest import SMALL, in_process

GATES = """evaluation:
  metrics: [accuracy, log_loss]
  gates:
    - test.accuracy >= 0
    - test.log_loss < 0
"""


@pytest.fixture
def gated(config):
    path = config()
    path.write_text(path.read_text() + GATES)
    return path


def status(run):
    return json.loads((run / "status.json").read_text())


def test_the_run_is_finished_and_keeps_what_became_of_them(mltrain, gated, tmp_path):
    done = mltrain("train", gated, "--run-dir", tmp_path / "run", "--gate", "train.loss<=1e9")
    assert done.code == 10
    assert done.out.strip() == str(tmp_path / "run")
    assert [line.split()[0] for line in done.err.splitlines() if line.startswith(("passed", "missed"))] == [
        "passed",
        "passed",
        "missed",
    ]
    assert done.err.splitlines()[-1].startswith("error: 1 of 3 gates missed: test.log_loss < 0 (")
    assert (status(done.run)["state"], status(done.run)["exit_code"]) == ("finished", 10)
    metrics = json.loads((done.run / "metrics.json").read_text())
    kept = metrics["gates"]
    assert [(each["gate"], each["passed"]) for each in kept] == [
        ("test.accuracy >= 0", True),
        ("test.log_loss < 0", False),
        ("train.loss <= 1000000000", True),
    ]
    assert kept[1]["value"] == metrics["splits"]["test"]["metrics"]["log_loss"]["value"]
    assert '"train.loss <= 1000000000"  # --gate #1' in (done.run / "config.resolved.yaml").read_text()
    assert "missed  test.log_loss < 0" in mltrain("show", done.run).out


def test_gates_change_nothing_else(mltrain, gated, config, tmp_path):
    assert mltrain("train", gated, "--run-dir", tmp_path / "a", "--quiet").code == 10
    done = mltrain("train", gated, "--run-dir", tmp_path / "b", "--quiet", "--set", "evaluation.gates=[]")
    assert (done.code, done.err) == (0, "")
    first, second = (json.loads((tmp_path / run / "metrics.json").read_text()) for run in "ab")
    del first["gates"]
    assert first == second


def test_with_json_there_is_one_object(mltrain, gated):
    done = mltrain("train", gated, "--json", "--quiet")
    assert done.code == 10
    found = json.loads(done.out)
    assert [each["passed"] for each in found["gates"]] == [True, False]
    assert found["metrics"]["gates"] == found["gates"]
    assert len(done.err.splitlines()) == 1


def test_a_wrong_gate_is_said_before_anything_is_made(mltrain, gated, tmp_path):
    gated.write_text(gated.read_text().replace("test.log_loss", "test.logloss2"))
    done = mltrain("train", gated, "--run-dir", tmp_path / "run", "--gate", "tst.f1 > 0")
    assert done.code == 3
    assert not (tmp_path / "run").exists()
    assert "--gate #1: evaluation.gates[2]: unknown split 'tst' (did you mean 'test'?)" in done.err


def test_what_only_the_data_tells_is_said_before_the_training(mltrain, gated, tmp_path):
    gated.write_text(gated.read_text().replace("test.log_loss < 0", "test.recall(four) > 0"))
    done = mltrain("train", gated, "--run-dir", tmp_path / "run", "--quiet")
    assert done.code == 3
    assert "config.yaml:15:7: evaluation.gates[1]: unknown class 'four'" in done.err
    assert not (tmp_path / "run" / "history.csv").exists()


def test_junit_and_github(mltrain, gated, tmp_path, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = mltrain("train", gated, "--quiet", "--junit", tmp_path / "gates.xml", "--gate", "test.loss < -1")
    assert done.code == 10
    root = ElementTree.parse(tmp_path / "gates.xml").getroot()  # noqa: S314 (our own)
    assert (root[0].attrib["tests"], root[0].attrib["failures"]) == ("3", "2")
    assert summary.read_text().startswith("before\n### Gates: 2 of 3 missed\n")
    first, second = [line for line in done.err.splitlines() if line.startswith("::")]
    assert first.startswith("::error file=config.yaml,line=15,col=7,title=gate missed::test.log_loss < 0: ")
    assert second.startswith("::error title=gate missed::test.loss < -1: ")


def test_junit_that_cannot_be_written(mltrain, gated, tmp_path):
    done = mltrain("train", gated, "--quiet", "--junit", tmp_path / "no" / "gates.xml")
    assert done.code == 7
    assert "--junit" in done.err
    assert status(done.run)["state"] == "finished"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--junit", "x.xml"], "--junit needs a gate; add --gate"),
        (["--tolerance", "0.1"], "need --against RUN"),
        (["--metric", "accuracy"], "need --against RUN"),
    ],
)
@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_options_without_a_meaning_are_refused(mltrain, config, command, options, said):
    path = config()
    done = mltrain(command, path if command == "train" else "none", *options)
    assert done.code == 2
    assert said in done.err


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gated")
    (folder / "config.yaml").write_text(SMALL + GATES)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--quiet", "--gate", "test.loss<9")
    assert done.code == 10
    return folder / "run"


class TestEvaluate:
    @pytest.fixture
    def run(self, trained, tmp_path):
        return shutil.copytree(trained, tmp_path / "run")

    def test_it_judges_what_it_is_asked(self, mltrain, run):
        assert mltrain("evaluate", run).code == 0
        done = mltrain("evaluate", run, "--gate", "test.accuracy>=0", "--gate", "test.log_loss.low<-5", "--json")
        assert done.code == 10
        found = json.loads(done.out)
        assert [each["passed"] for each in found["gates"]] == [True, False]
        assert found["gates"][1]["value"] == found["splits"]["test"]["metrics"]["log_loss"]["low"]
        assert mltrain("evaluate", run, "--gate", "test.accuracy>=0").code == 0

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--gate", "test.f1"], "--gate #1: expected 'split.metric >= number'"),
            (["--gate", "test.f1 > 0"], "--gate #1 'test.f1 > 0': 'f1' will not be measured"),
            (
                ["--gate", "test.loss>0", "--gate", "validation.loss>0"],
                "--gate #2 'validation.loss > 0': validation is",
            ),
            (["--gate", "test.accuracy - majority > 0"], "baselines are measured by `mltrain train` only"),
            (["--gate", "data.accuracy > 0"], "'data' means the rows of `mltrain evaluate --data`"),
            (["--data", "x.csv", "--gate", "test.accuracy > 0"], "test is not measured here (measured: data)"),
            (["--data", "x.csv", "--against", "run"], "--against and --data were both given"),
        ],
    )
    def test_what_it_cannot_answer_is_a_wrong_command_line(self, mltrain, run, options, said):
        done = mltrain("evaluate", run, *options)
        assert done.code == 2
        assert said in done.err

    def test_rows_of_another_file_are_called_data(self, mltrain, tmp_path):
        rows = "".join(f"{n % 7},{int(n % 7 > 3)}\n" for n in range(60))
        (tmp_path / "data.csv").write_text(f"a,y\n{rows}")
        (tmp_path / "c.yaml").write_text(
            "data: {source: {type: csv, path: data.csv}, target: y}\nmodel: {type: linear}\ntraining: {epochs: 1}\n"
        )
        assert mltrain("train", "c.yaml", "--run-dir", "other", "--quiet").code == 0
        done = mltrain(
            "evaluate", "other", "--data", "data.csv", "--gate", "data.accuracy >= 0", "--gate", "data.loss<0"
        )
        assert done.code == 10
        assert "error: 1 of 2 gates missed: data.loss < 0 (" in done.err

    def test_against_another_run(self, mltrain, run, gated, tmp_path):
        more = ["--set", "evaluation.gates=[]", "--set", "training.epochs=4"]
        done = mltrain("train", gated, "--run-dir", tmp_path / "b", "--against", run, "--tolerance", "9", *more)
        assert done.code == 0, done.err
        assert "test.log_loss no worse than" in done.err
        assert "on the same 12 rows" in done.err
        done = mltrain("evaluate", run, "--against", run, "--metric", "accuracy")
        assert done.code == 0, done.err
        assert "equal in test.accuracy on the same 12 rows" in done.err

    def test_against_a_run_that_is_not_there_or_not_finished(self, mltrain, run, gated, tmp_path):
        assert mltrain("train", gated, "--against", "none", "--run-dir", tmp_path / "b").code == 5
        (run / "metrics.json").unlink()
        assert mltrain("train", gated, "--against", run, "--run-dir", tmp_path / "b").code == 5
        assert not (tmp_path / "b").exists()


class TestAgain:
    """A run that was finished is not trained again: its gates are judged by what was measured."""

    def test_what_was_missed_stays_missed(self, mltrain, gated, tmp_path):
        command = ("train", gated, "--run-dir", tmp_path / "run", "--resume", "--quiet")
        assert mltrain(*command).code == 10
        before = (tmp_path / "run" / "status.json").read_bytes()
        for again in (command, ("resume", tmp_path / "run", "--quiet")):
            done = mltrain(*again)
            assert done.code == 10
            assert done.err.splitlines()[-1].startswith("error: 1 of 2 gates missed: test.log_loss < 0 (")
        assert (tmp_path / "run" / "status.json").read_bytes() == before

    def test_other_gates_are_judged_anew(self, mltrain, gated, tmp_path):
        command = ("train", gated, "--run-dir", tmp_path / "run", "--resume", "--quiet")
        assert mltrain(*command).code == 10
        gated.write_text(gated.read_text().replace("log_loss < 0", "log_loss < 99"))
        assert mltrain(*command).code == 0
        done = mltrain(*command, "--gate", "test.accuracy > 2", "--json")
        assert done.code == 10
        assert [each["passed"] for each in json.loads(done.out)["gates"]] == [True, True, False]

    def test_more_epochs_judge_again(self, mltrain, gated, tmp_path):
        assert mltrain("train", gated, "--run-dir", tmp_path / "run", "--quiet").code == 10
        done = mltrain("resume", tmp_path / "run", "--epochs", "3", "--quiet")
        assert done.code == 10
        assert status(tmp_path / "run")["epoch"] == 3
        gates = json.loads((tmp_path / "run" / "metrics.json").read_text())["gates"]
        assert gates[1]["value"] == pytest.approx(float(done.err.rpartition("(")[2].rstrip(")\n")), abs=1e-3)
