"""Two runs are paired on the same rows and only there; what follows is a verdict in words."""

import numpy as np
import pytest
from scipy.stats import binomtest

from mltrain.comparison.against import reference_run
from mltrain.comparison.compared_run import read_run
from mltrain.comparison.pairing import pair
from mltrain.errors import RunError, UsageError
from mltrain.outputs import KINDS
from mltrain.run.rundir import RunDirectory
from tests.comparison.runs import change, change_predictions, finished_run


@pytest.fixture
def make(trained, tmp_path):
    def run(name, **changes):
        return finished_run(tmp_path, name, trained, **changes)

    return run


def read(path):
    return read_run(RunDirectory(path))


def right(path):
    stored = RunDirectory(path).predictions("test")
    return KINDS["binary"].decide(stored.values) == stored.target


def test_the_metric_is_that_of_the_objective(make):
    run = make("a")
    assert read(run).primary == "test.accuracy"
    change(run / "metrics.json", lambda found: found["objective"].update(metric="validation.loss"))
    assert read(run).primary == "test.accuracy"  # no log_loss is measured: the first metric
    change(run / "metrics.json", lambda found: found["objective"].update(metric="validation.auc"))
    assert read(run).primary == "test.roc_auc"


def test_the_difference_is_that_of_the_metric_on_those_rows(make):
    first, second = make("a"), make("b", flipped=40)
    found = pair(read(second), read(first))
    assert found.paired.rows == 120
    assert found.paired.value == pytest.approx(right(second).mean() - right(first).mean(), abs=1e-12)
    assert found.paired.low < found.paired.value < found.paired.high
    assert found.paired.verdict == "worse"
    back = pair(read(first), read(second))
    assert back.paired.value == -found.paired.value
    assert back.paired.verdict == "better"


def test_mcnemar_counts_the_rows_that_one_has_right(make):
    first, second = make("a"), make("b", flipped=30)
    only_first, only_second = (right(first) & ~right(second)).sum(), (right(second) & ~right(first)).sum()
    found = pair(read(second), read(first)).paired.mcnemar
    assert (found.only_first, found.only_second) == (only_first, only_second)
    assert found.p_value == pytest.approx(binomtest(int(only_first), int(only_first + only_second)).pvalue)


def test_a_few_rows_are_not_resolved(make):
    found = pair(read(make("b", flipped=2)), read(make("a")))
    assert found.paired.verdict in ("not resolved", "equal")


@pytest.mark.parametrize("metric", ["accuracy", "f1"])
def test_a_handful_of_rows_resolves_nothing(make, metric):
    first = make("a")
    found = pair(read(make("b", flipped=5)), read(first), metric)
    assert found.paired.mcnemar.p_value > 0.05
    assert found.paired.verdict == "not resolved"
    assert "McNemar's exact test: p = " in found.sentence("b", "a")
    assert found.paired.rows_needed > 120


def test_the_same_predictions_are_equal(make):
    found = pair(read(make("b")), read(make("a")), "roc_auc")
    assert found.paired.verdict == "equal"
    assert found.sentence("b", "a") == "b and a are equal in test.roc_auc on the same 120 rows"


def test_the_order_of_the_rows_does_not_matter(make):
    first, second, third = make("a"), make("b", flipped=40), make("c", flipped=40)
    for part in ("rows", "target", "values"):
        change_predictions(third, lambda values: values[::-1].copy(), part)
    assert pair(read(third), read(first)).paired == pair(read(second), read(first)).paired


def test_each_run_decides_by_its_own_threshold(make):
    first, second = make("a"), make("b")
    change(second / "metrics.json", lambda found: found.update(threshold={"value": 0.9, "aim": "f1"}))
    stored = RunDirectory(second).predictions("test")
    expected = ((stored.values > 0.9) == stored.target).mean() - right(first).mean()
    assert pair(read(second), read(first)).paired.value == pytest.approx(expected)
    assert pair(read(second), read(first), "roc_auc").paired.verdict == "equal"  # no threshold in it


@pytest.mark.parametrize(
    ("part", "edit", "why"),
    [
        ("rows", lambda rows: rows + 1, "their test rows are not the same"),
        ("rows", lambda rows: np.roll(rows, 1), "the targets of their test rows are not the same"),
        ("target", lambda target: 1 - target, "the targets of their test rows are not the same"),
    ],
)
def test_other_rows_are_not_paired(make, part, edit, why):
    first, second = make("a", accuracy=0.75), make("b", accuracy=0.5)
    change_predictions(second, edit, part)
    found = pair(read(second), read(first))
    assert found.paired is None
    assert found.difference == -0.25
    assert found.why_not == why
    assert found.sentence("b", "a") == (
        f"b against a: test.accuracy is 0.25 lower, by the recorded values alone, as {why}"
    )


def test_other_data_and_classes_are_not_paired(make):
    first, second, third = make("a"), make("b"), make("c")
    change(second / "record.json", lambda found: found["data"].update(sha256="0" * 64))
    change(third / "metrics.json", lambda found: found.update(classes=["other", "names"]))
    assert pair(read(second), read(first)).why_not == "they are from other data"
    assert pair(read(third), read(first)).why_not == "they have other tasks or classes"


def test_without_or_with_damaged_predictions_the_values_decide(make):
    first, second = make("a"), make("b")
    path = second / "predictions" / "test.target.npy"
    path.write_bytes(b"no array")
    assert "test.target.npy" in pair(read(second), read(first)).why_not
    (second / "predictions" / "test.rows.npy").unlink()
    assert "keeps no predictions of its test rows" in pair(read(second), read(first)).why_not


def test_a_metric_that_is_no_exact_one_is_compared_by_value(make):
    found = pair(read(make("b", loss=0.5)), read(make("a", loss=0.75)), "loss")
    assert (found.paired, found.difference) == (None, -0.25)
    assert found.direction == "min"


def test_a_metric_that_was_not_measured(make):
    with pytest.raises(UsageError, match=r"was not measured in .*/a \(did you mean 'test.accuracy'\?\)"):
        pair(read(make("b")), read(make("a")), "acuracy")


class TestAgainst:
    """`--against`: missed where a run is worse, and the rows are enough to tell."""

    def test_a_worse_run_is_missed_unless_it_is_tolerated(self, make):
        better, worse = make("a"), make("b", flipped=40)
        loss = right(better).mean() - right(worse).mean()
        judged = reference_run(RunDirectory(better), 0.0, None).judge(RunDirectory(worse))
        assert not judged.passed
        assert "the run is worse than that one: test.accuracy is" in judged.reason
        assert reference_run(RunDirectory(worse), 0.0, None).judge(RunDirectory(better)).passed
        tolerant = reference_run(RunDirectory(better), loss + 1e-9, None).judge(RunDirectory(worse))
        assert tolerant.passed
        assert "(tolerance " in tolerant.gate

    def test_what_the_rows_do_not_resolve_passes_and_says_so(self, make):
        first, second = make("a"), make("b", flipped=3)
        judged = reference_run(RunDirectory(first), 0.0, None).judge(RunDirectory(second))
        assert judged.passed
        assert judged.reason.startswith("no significant difference between the run and that one: ")

    @pytest.mark.parametrize(("value", "passed"), [(0.80, True), (0.795, True), (0.78, False), (0.9, True)])
    def test_without_the_same_rows_the_values_decide(self, make, value, passed):
        first, second = make("a", accuracy=0.8), make("b", accuracy=value)
        change_predictions(second, lambda rows: rows + 1, "rows")
        judged = reference_run(RunDirectory(first), 0.01, None).judge(RunDirectory(second))
        assert (judged.value, judged.passed) == (value, passed)
        assert "by the recorded values alone" in judged.reason or value == 0.8

    @pytest.mark.parametrize(("value", "passed"), [(0.8, True), (0.7, False)])
    def test_where_the_data_has_grown_the_values_decide(self, make, value, passed):
        first, second = make("a", accuracy=0.75), make("b", accuracy=value)
        change(second / "record.json", lambda found: found["data"].update(sha256="0" * 64))
        judged = reference_run(RunDirectory(first), 0.0, None).judge(RunDirectory(second))
        assert judged.passed == passed
        assert "by the recorded values alone" in judged.reason

    def test_of_another_task_no_value_decides(self, make):
        first, second = make("a", accuracy=0.75), make("b", accuracy=0.8)
        change(second / "metrics.json", lambda found: found.update(task="multiclass"))
        judged = reference_run(RunDirectory(first), 0.0, None).judge(RunDirectory(second))
        assert not judged.passed
        assert judged.reason == ("the run and that one have different tasks, so their numbers cannot be compared")

    def test_as_good_is_no_worse(self, make):
        first, second = make("a", accuracy=0.8), make("b", accuracy=0.8)
        change_predictions(second, lambda rows: rows + 1, "rows")
        assert reference_run(RunDirectory(first), 0.0, None).judge(RunDirectory(second)).passed

    def test_a_smaller_loss_is_better(self, make):
        first = RunDirectory(make("a", loss=0.5))
        assert reference_run(first, 0.0, "loss").judge(RunDirectory(make("b", loss=0.4))).passed
        assert not reference_run(first, 0.0, "test.loss").judge(RunDirectory(make("c", loss=0.6))).passed

    def test_what_is_wrong_with_the_other_run_is_found_at_once(self, make):
        run = make("a")
        with pytest.raises(UsageError, match="did you mean"):
            reference_run(RunDirectory(run), 0.0, "acuracy")
        change(run / "status.json", lambda found: found.update(state="running", exit_code=None))
        with pytest.raises(RunError, match="no results yet: running"):
            reference_run(RunDirectory(run), 0.0, None)
