"""`mltrain compare` with folders of several seeds, as a user calls it."""

import json

import pytest

from tests.comparison.runs import change, finished_run

LOSSES = {42: 0.30, 43: 0.34, 44: 0.32}


@pytest.fixture
def folder(tmp_path, trained, mltrain):
    """`a` and `b` of the same seeds, `c` of others, and the run `one`; made without training."""

    def of_seeds(name, losses):
        for seed, loss in losses.items():
            finished_run(tmp_path / name, f"seed-{seed}", trained, accuracy=1 - loss)
        runs = [{"seed": seed, "run": f"seed-{seed}", "metrics": {}} for seed in losses]
        content = {
            "format": 1,
            "task": "binary",
            "metric": "test.accuracy",
            "rows": {},
            "seeds": runs,
            "splits": {"test": {"n": 120, "metrics": {"accuracy": {"value": 0.7}}}},
        }
        (tmp_path / name / "seeds.json").write_text(json.dumps(content))

    (tmp_path / "runs").mkdir()
    of_seeds("a", LOSSES)
    # In another order: a seed is paired with itself, wherever it is.
    of_seeds("b", {seed: LOSSES[seed] + 0.02 + seed / 1e5 for seed in (44, 43, 42)})
    of_seeds("c", {7: 0.5, 8: 0.502})
    finished_run(tmp_path, "one", trained, accuracy=0.67)
    return tmp_path


def compared(mltrain, *arguments):
    done = mltrain("compare", *arguments, "--json")
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_equal_seeds_are_paired(mltrain, folder):
    found = compared(mltrain, "b", "a", "--sort", "accuracy")
    (pair,) = found["pairs"]
    assert pair["metric"] == "test.accuracy"
    assert pair["seeds"]["way"] == "paired by seed"
    assert pair["seeds"]["seeds"] == [3, 3]
    assert pair["verdict"] == "worse"  # by less than the seeds differ among themselves
    assert found["runs"][0]["name"].endswith("/a")  # the best is the first
    assert [run["seeds"] for run in found["runs"]] == [[42, 43, 44], [44, 43, 42]]
    assert found["runs"][0]["splits"]["test"]["metrics"]["accuracy"]["value"] == pytest.approx(0.68)


def test_the_text_and_the_page_say_what_the_intervals_cover(mltrain, folder):
    done = mltrain("compare", "a", "c", "one", "--html", "page.html")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].split("  ")[-1] == "mean of 3 seeds"
    assert any("run 2 is worse than run 1" in line and "means of 2 seeds and 3 seeds" in line for line in lines)
    assert any("one run against the mean of 3 seeds; run 3 has no spread of its own" in line for line in lines)
    scope = "intervals of run 1 and run 2 are over seeds and cover chance in the training, those of the other runs"
    assert f"the {scope} the chance of the rows" in lines[-1]
    page = (folder / "page.html").read_text()
    assert f"The {scope}" in page
    assert all(f"seed {seed}</title>" in page for seed in (42, 43, 44, 7, 8))


def test_other_rows_are_not_compared_by_seeds(mltrain, folder):
    for seed in (7, 8):
        change(folder / "c" / f"seed-{seed}" / "record.json", lambda found: found["data"].update(sha256="0" * 64))
    (pair,) = compared(mltrain, "a", "c")["pairs"]
    assert pair["verdict"] is None
    assert "the data is not the same, and the seeds say nothing of the chance of rows" in pair["why_not_paired"]


def test_a_folder_whose_runs_are_not_alike_is_left_out(mltrain, folder):
    change(folder / "c" / "seed-8" / "record.json", lambda found: found["data"].update(sha256="0" * 64))
    done = mltrain("compare", "a", "b", "c")
    assert done.code == 0
    assert "left out: c/seed-8: the data is not the same as in seed-7, so the seeds have no mean" in done.err
