"""The benchmarks run, and what they compare agrees. Nothing is timed here."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import (
    evaluation,
    hundred_workers,
    images,
    intervals,
    linear_regression,
    processes,
    ratios,
    start_up,
    text_models,
    training_loop,
    whole_command,
)
from benchmarks.__main__ import PARTS
from benchmarks.cases import CASES, data
from benchmarks.compare_commits import worktree
from benchmarks.keras_examples import __main__ as keras_examples
from benchmarks.processes import FreshRuns, cost
from benchmarks.ratios import Ratio, Row
from tests.conftest import REPOSITORY, in_process

pytestmark = pytest.mark.long


@pytest.mark.parametrize("plan", training_loop.PLANS, ids=lambda plan: plan.case.name)
def test_each_way_of_the_loop_agrees_with_fit(plan):
    # 70 rows: one step or two, and a last one that is smaller. Differing results end the benchmark.
    small = replace(plan, case=replace(plan.case, rows=70), peers=())
    rows = training_loop.measured(small, rounds=1)
    assert [row.at_least for row in rows] == list(plan.at_least.values())
    exact = [row.results for row in rows if plan.case.tolerance == 0 and row.work.endswith("loop")]
    assert all("bit for bit" in results for results in exact)


def test_a_way_that_computes_something_else_ends_the_benchmark(monkeypatch):
    plan = replace(training_loop.PLANS[1], peers=())
    monkeypatch.setattr(training_loop, "SEED", 7)
    real = training_loop.epoch_by_loop

    def one_epoch_more(loop, losses):
        epoch = real(loop, losses)
        epoch()
        losses.clear()
        return epoch

    monkeypatch.setattr(training_loop, "epoch_by_loop", one_epoch_more)
    with pytest.raises(SystemExit, match="differ by"):
        training_loop.measured(replace(plan, case=replace(plan.case, rows=600)), rounds=1)


def test_what_is_not_installed_is_said(monkeypatch):
    monkeypatch.setattr(training_loop, "installed", lambda framework: False)
    plan = training_loop.PLANS[1]
    rows = training_loop.measured(replace(plan, case=replace(plan.case, rows=70)), rounds=1)
    assert rows[-1].measured == "not installed"


@pytest.mark.parametrize("number, framework", [(0, "jax"), (1, "torch"), (3, "torch")])
def test_a_peer_trains_the_same_rows(number, framework):
    pytest.importorskip(framework, reason=f"{framework} is an extra of the benchmarks")
    plan = training_loop.PLANS[number]
    row = training_loop.measured(replace(plan, case=replace(plan.case, rows=300)), rounds=1)[-1]
    ours, theirs = map(float, row.results.split(": ")[1].split(", "))
    # JAX starts from the same weights; PyTorch has first weights of its own.
    assert ours == pytest.approx(theirs, rel=1e-3 if framework == "jax" else 0.5)


def test_the_formula_of_many_workers():
    cost = hundred_workers.Exchange(fixed=1.0, message=0.5, byte=1e-6, latency=2.0)
    large = 1_000_000
    # Of two workers, a ring is what mltrain does; of more it takes 2 (n - 1) exchanges instead of two.
    assert cost.seconds(2, large) == cost.of_ring(2, large) == 2 * 3.5 + 1.0
    assert cost.seconds(5, large) == pytest.approx(2 * (3.0 + 4 * 0.5) + 1.6)
    assert cost.of_ring(5, large) == pytest.approx(8 * 3.5 + 1.6)
    # A few numbers go to each of the others at once.
    assert cost.seconds(5, 40) == pytest.approx(3.0 + 4 * 0.5 + 160e-6)
    wall, own = hundred_workers.exchanges(2, 10, rounds=5)
    assert min(wall, own) > 0


def test_intervals_are_measured_for_every_task():
    rows = list(intervals.measured(300, rounds=1))
    assert [row.at_least for row in rows] == [1, None] * 3


def test_linear_regression_finds_one_line_in_three_ways():
    assert len(list(linear_regression.measured(epochs=3, rounds=1))) == 2


def test_evaluation_agrees_with_keras():
    assert len(list(evaluation.measured(rows=100, rounds=1))) == 4


def test_the_whole_command_is_compared_with_a_script(tmp_path, monkeypatch):
    """In processes of their own, but without the round that goes before to fill the disk cache."""
    monkeypatch.setattr(
        whole_command,
        "in_turns",
        lambda actions, rounds: {name: [act() for _ in range(rounds)] for name, act in actions.items()},
    )
    tables = [whole_command._table(tmp_path, 60, binary) for binary in (False, True)]
    rows = list(whole_command.measured(tables, tmp_path, rounds=1))
    assert [row.work for row in rows] == ["whole command: table", "whole command: binary_table"]
    assert all("5 and 5 epochs" in row.results for row in rows)


# 30 to 60 s each: they are in the long form.
SLOW = ("mixed_columns", "text_from_strings", "time_series_transformer", "two_inputs_two_outputs")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.torture] * (name in SLOW)) for name in keras_examples.MAKERS]
)
def test_an_example_of_keras_runs_on_both_sides(name, tmp_path):
    found = keras_examples.compared(name, tmp_path, keras_examples.QUICK_ROWS)
    assert found.python > found.yaml > 5
    assert set(found.theirs) == set(found.ours)
    page = (REPOSITORY / "docs" / "keras_examples.md").read_text(encoding="utf-8")
    assert f"({'../benchmarks/keras_examples/' + name}/script.py) | {found.yaml} |" in page
    assert f"[{found.python}](../benchmarks/keras_examples/{name}/script.py)" in page


def test_models_of_texts_are_compared_with_scikit_learn(monkeypatch, capsys):
    monkeypatch.setattr(text_models, "ROWS", 200)
    monkeypatch.setattr("sys.argv", ["text_models"])
    monkeypatch.setattr(text_models, "MODELS", dict([*text_models.MODELS.items()][-1:]))
    text_models.main()
    _, _, linear, reference = capsys.readouterr().out.splitlines()
    assert linear.startswith("| `tf_idf` of 5,000 words, `linear` | 0.")
    assert "of 40 rows" in reference


def test_every_part_is_a_module_and_every_script_of_keras_has_a_config():
    assert all(importlib.util.find_spec(f"benchmarks.{part}") for part in PARTS)
    scripts = {path.stem for path in (REPOSITORY / "benchmarks" / "plain_keras").glob("*.py")}
    assert scripts - {"table", "binary_table", "transfer"} <= {
        path.stem for path in (REPOSITORY / "configs").glob("*.yaml")
    }


def test_a_part_that_does_not_exist_is_refused():
    command = [sys.executable, "-m", "benchmarks", "training_lop"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 2
    assert "no such part: training_lop" in done.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_rows_of_a_case_follow_from_the_seed(case):
    x, y = data(case, rows=3)
    again, other = data(case, rows=3), data(case, rows=3, seed=7)
    assert x.shape == (3, *case.shape)
    assert x.dtype == case.info.input.dtype
    assert (x == again[0]).all() and (y == again[1]).all()
    assert (x != other[0]).any()


def test_actions_take_turns_in_both_directions():
    called = []
    seconds = ratios.in_turns({name: lambda name=name: called.append(name) for name in "ab"}, rounds=2)
    assert "".join(called) == "baabba"
    assert [len(each) for each in seconds.values()] == [2, 2]


def test_an_action_may_measure_itself():
    assert ratios.in_turns({"a": lambda: 2.5}, rounds=2) == {"a": [2.5, 2.5]}


def test_a_ratio_is_of_pairs():
    assert ratios.ratio([2.0, 30.0, 4.0], [1.0, 10.0, 1.0]) == Ratio(3.0, 2.0, 4.0)


def test_an_interval_holds_the_ratio_and_is_the_same_again():
    old, new = [2.0, 2.1, 1.9, 2.2, 1.8], [1.0] * 5
    found = ratios.interval(old, new)
    assert found.low <= found.median <= found.high
    assert 1 < found.low < 2 < found.high
    assert ratios.interval(old, new) == found


def test_a_ratio_below_its_bound_stands_out():
    assert "**0.50 (0.50 to 0.50)**" in str(Row("work", "reference", 1, Ratio(0.5, 0.5, 0.5)))
    assert "**" not in str(Row("work", "reference", 1, Ratio(1.5, 1.5, 1.5)))
    assert "| – | not installed | – |" in str(Row("work", "reference", None, "not installed"))


def test_the_cost_of_a_process_is_its_own():
    small, large = cost("-c", "pass"), cost("-c", "x = bytearray(200 * 2**20); x[::4096] = x[::4096]")
    assert 190 < large.megabytes - small.megabytes < 210
    with pytest.raises(SystemExit, match="ended with 3"):
        cost("-c", "import sys; sys.exit(3)")


def test_runs_are_fresh(tmp_path, monkeypatch):
    # Their processes are those of the whole command.
    monkeypatch.setattr(processes, "cost", lambda *arguments: in_process(tmp_path, *arguments[2:]))
    runs = FreshRuns(tmp_path)
    for _ in range(2):
        assert runs.train(REPOSITORY / "configs" / "pass_fail.yaml").code == 0
    assert json.loads((runs.last / "status.json").read_text())["state"] == "finished"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="not a checkout of git")
def test_a_commit_is_checked_out_and_taken_away_again():
    with worktree("HEAD") as tree:
        assert (tree / "mltrain" / "__init__.py").is_file()
    assert not tree.exists()
    with pytest.raises(SystemExit, match="no-such-commit"), worktree("no-such-commit"):
        pass


def test_two_ways_to_read_images_agree(monkeypatch):
    speed, memory = images.measured(files=images.QUICK_FILES, rounds=1)
    assert speed.results.startswith("pixels differ by ")
    assert memory.at_least == 1
    monkeypatch.setattr(images, "TOLERANCE", 0.01)
    with pytest.raises(SystemExit, match="the pixels differ by"):
        next(images.measured(files=4, rounds=1))


def test_the_graph_of_the_start_is_valid_and_as_large_as_it_is_called(tmp_path):
    path = start_up.graph(tmp_path)
    done = in_process(tmp_path, "validate", path)
    assert done.code == 0, done.err
    assert Path(path).read_text(encoding="utf-8").count("name: n") == 200
