"""Which of two is better, and how many rows may be enough."""

import pytest

from mltrain.evaluation.mcnemar import McNemar
from mltrain.evaluation.paired import Paired


def paired(value, low, high, direction="max", rows=100):
    return Paired("test.accuracy", direction, rows, value, low, high)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (paired(0.1, 0.05, 0.15), "better"),
        (paired(-0.1, -0.15, -0.05), "worse"),
        (paired(0.1, 0.05, 0.15, "min"), "worse"),
        (paired(-0.1, -0.15, -0.05, "min"), "better"),
        (paired(0.1, -0.01, 0.2), "not resolved"),
        (paired(0.1, 0.0, 0.2), "not resolved"),
        (paired(0.0, -0.01, 0.01), "not resolved"),
        (paired(0.0, 0.0, 0.0), "equal"),
    ],
)
def test_the_verdict_follows_from_the_interval(found, verdict):
    assert found.verdict == verdict
    assert {"not resolved": "no significant difference"}.get(verdict, verdict) in found.sentence("run 2", "run 1")


def test_so_many_rows_make_the_interval_as_narrow_as_the_difference():
    # 0.02 ± 0.04 on 100 rows: half as wide on four times as many.
    assert paired(0.02, -0.02, 0.06).rows_needed == 400
    assert paired(0.02, -0.02, 0.06, rows=123).rows_needed == 500  # 492, in two digits, rounded up
    assert paired(0.0, -0.1, 0.1).rows_needed is None
    assert paired(0.1, 0.05, 0.15).rows_needed is None


def test_never_as_few_rows_as_those_that_do_not_resolve_it():
    assert paired(0.1, -0.001, 0.15).rows_needed > 100


def test_as_many_rows_do_resolve_it():
    # Of a normal form: the half width is 1.96 spreads over the root of the rows.
    half = 1.96 / 200**0.5
    needed = Paired("test.mae", "min", 200, 0.05, 0.05 - half, 0.05 + half).rows_needed
    assert 1.96 / needed**0.5 < 0.05 < 1.96 / (needed / 1.1) ** 0.5


def test_an_interval_has_the_direction_of_its_difference():
    said = paired(-0.7356, -0.8666, -0.6046).sentence("run 2", "run 1")
    assert "is 0.7356 lower (95 % interval 0.6046 to 0.8666), on the same 100 rows" in said
    assert "0.02 higher (95 % interval 0.01 to 0.03)" in paired(0.02, 0.01, 0.03).sentence("run 2", "run 1")


def test_the_sentence_has_all_there_is_to_know():
    said = paired(0.02, -0.02, 0.06).sentence("run 2", "run 1")
    assert said == (
        "no significant difference between run 2 and run 1: test.accuracy is 0.02 higher "
        "(95 % interval 0.02 lower to 0.06 higher), on the same 100 rows; about 400 rows may be enough"
    )


def test_the_form_for_programs():
    found = Paired("test.f1", "max", 10, 0.1, 0.05, 0.2, McNemar(1, 4, 0.375)).as_json()
    assert found["verdict"] == "better"
    assert found["difference"] == {"value": 0.1, "low": 0.05, "high": 0.2}
    assert found["mcnemar"] == {"only_other": 1, "only_run": 4, "p_value": 0.375}
