"""`mltrain compare`, as a user calls it."""

import json

import pytest
import yaml

from tests.comparison.runs import change, finished_run


@pytest.fixture
def runs(trained, tmp_path):
    folder = tmp_path / "runs" / "pair"
    folder.mkdir(parents=True)
    for name, flipped in (("a", 0), ("b", 40), ("c", 3)):
        finished_run(folder, name, trained, flipped=flipped)
    config = folder / "b" / "config.resolved.yaml"
    config.write_text(config.read_text().replace("epochs: 6 ", "epochs: 7 "))
    (folder / "latest").symlink_to("c")
    return folder


def test_two_runs_side_by_side(mltrain, runs):
    done = mltrain("compare", runs / "a", runs / "b")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].split()[:2] == ["1", "pair/a"]
    assert any(line.split() == ["training.epochs", "6", "7"] for line in lines)
    assert any(line.split() == ["rows", "120", "120"] for line in lines)
    assert any(line.startswith("test.roc_auc  ") and line.count("[") == 2 for line in lines)
    assert lines[-1].startswith("run 2 is worse than run 1: test.accuracy is 0.")
    assert "McNemar's exact test: p = " in lines[-1]


def test_configs_that_do_not_differ(mltrain, runs):
    done = mltrain("compare", "a", "c", "--runs-dir", runs.parent)
    assert "their configs do not differ" in done.out
    assert "training." not in done.out


def test_sorted_by_a_metric_the_best_is_first(mltrain, runs):
    done = mltrain("compare", runs / "b", runs / "a", runs / "c", "--sort", "auc", "--json")
    found = json.loads(done.out)
    values = [run["splits"]["test"]["metrics"]["roc_auc"]["value"] for run in found["runs"]]
    assert values == sorted(values, reverse=True)
    assert found["compared_with"]["why"] == "the best by test.roc_auc"
    loss = json.loads(mltrain("compare", runs / "b", runs / "a", "--sort", "validation.loss", "--json").out)
    values = [run["splits"]["validation"]["metrics"]["loss"]["value"] for run in loss["runs"]]
    assert values == sorted(values)


def test_a_run_without_the_metric_comes_last(mltrain, runs):
    change(runs / "a" / "metrics.json", lambda found: found["splits"]["test"]["metrics"].pop("f1"))
    found = json.loads(mltrain("compare", runs / "a", runs / "b", "--sort", "f1", "--json").out)
    assert [run["name"] for run in found["runs"]] == ["pair/b", "pair/a"]


def test_each_is_compared_with_the_first(mltrain, runs):
    done = mltrain("compare", runs / "a", runs / "b", runs / "c", "--json")
    found = json.loads(done.out)
    assert [pair["against"] for pair in found["pairs"]] == [str(runs / "a")] * 2
    assert [pair["verdict"] for pair in found["pairs"]] == ["worse", "not resolved"]
    assert found["pairs"][1]["paired"]["rows_needed"] is None or found["pairs"][1]["paired"]["rows_needed"] > 120
    assert found["config"] == {"training.epochs": [6, 7, 6]}


def test_many_runs_have_a_line_each(mltrain, runs, trained):
    names = ["a", "b", "c", *(finished_run(runs, f"d{n}", trained, flipped=n).name for n in range(3))]
    done = mltrain("compare", *(runs / name for name in names))
    assert done.code == 0, done.err
    assert "  training.epochs: 6 (1, 3–6), 7 (2)" in done.out.splitlines()
    lines = [line for line in done.out.splitlines() if line.startswith("2  0.")]
    assert len(lines) == 1
    assert "worse, -0." in lines[0]


def test_what_cannot_be_compared_is_one_line_each(mltrain, runs, tmp_path):
    change(runs / "c" / "status.json", lambda found: found.update(state="running", reason="training", exit_code=None))
    (tmp_path / "thesis").mkdir()
    done = mltrain(
        "compare", runs / "a", runs / "b", runs / "c", runs / "latest", runs / "a", tmp_path / "thesis", "no"
    )
    assert done.code == 0
    left_out = [line for line in done.err.splitlines() if line.startswith("left out: ")]
    assert len(left_out) == len(done.err.splitlines()) == 5
    assert "no results yet: running" in left_out[0]
    assert "is pair/a, which is listed twice" in left_out[2]
    assert "so it is not a run" in left_out[3]
    assert done.out.splitlines()[0].startswith("1  pair/a")


@pytest.mark.parametrize("name", ["metrics.json", "config.resolved.yaml", "record.json", "status.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"format": 1, "splits": {"test": 3}}'])
def test_a_damaged_run_is_left_out(mltrain, runs, name, content):
    (runs / "c" / name).write_bytes(content)
    done = mltrain("compare", runs / "a", runs / "b", runs / "c")
    assert done.code == 0, done.err
    assert done.err.startswith(f"left out: {runs / 'c'}")
    assert len(done.err.splitlines()) == 1


def test_fewer_than_two_runs_are_an_error(mltrain, runs):
    (runs / "b" / "metrics.json").unlink()
    done = mltrain("compare", runs / "a", runs / "b")
    assert done.code == 5
    assert "1 of 2 runs can be compared" in done.err
    assert mltrain("compare", runs / "a").code == 2
    assert mltrain("compare", runs / "a", runs / "c", "--sort", "acuracy").code == 2


def test_the_page_is_written_as_a_whole_or_not_at_all(mltrain, runs, tmp_path):
    page = tmp_path / "page.html"
    assert mltrain("compare", runs / "a", runs / "b", "--html", page).code == 0
    assert page.read_text().startswith("<!doctype html>")
    done = mltrain("compare", runs / "a", runs / "b", "--html", tmp_path / "no" / "page.html")
    assert done.code == 7
    assert "--html" in done.err
    assert "--runs-dir" not in done.err


def test_nothing_in_the_runs_is_touched(mltrain, runs):
    before = {path: path.stat().st_mtime_ns for path in runs.rglob("*")}
    assert mltrain("compare", runs / "a", runs / "b", "--json").code == 0
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("*")} == before


@pytest.mark.parametrize("what", ["tasks", "classes", "data"])
def test_numbers_that_mean_different_things_have_no_verdict(mltrain, runs, what):
    edits = {"tasks": {"task": "multiclass"}, "classes": {"classes": ["other", "names"]}}
    if what == "data":
        change(runs / "b" / "record.json", lambda found: found["data"].update(sha256="0" * 64))
    else:
        change(runs / "b" / "metrics.json", lambda found: found.update(edits[what]))
    done = mltrain("compare", runs / "a", runs / "b")
    assert done.code == 0, done.err
    sentence = f"run 2 and run 1 have different {what}, so their numbers cannot be compared"
    assert done.out.splitlines()[-1] == sentence
    assert "higher" not in done.out
    assert "lower" not in done.out


def test_a_column_with_a_dot_is_written_as_set_takes_it(mltrain, runs):
    for name, kind in (("a", "number"), ("b", "category")):
        path = runs / name / "config.resolved.yaml"
        config = yaml.safe_load(path.read_text())
        config["data"]["features"] = {"petal.length": {"type": kind}}
        path.write_text(json.dumps(config))
    done = mltrain("compare", runs / "a", runs / "b")
    assert done.code == 0, done.err
    assert ['data.features."petal.length".type', "number", "category"] in map(str.split, done.out.splitlines())
