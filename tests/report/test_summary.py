from __future__ import annotations

import math

import pytest

from mltrain.report.audit import audit_lines
from mltrain.report.decisions import decision_line, decision_lines
from mltrain.report.summary import result_lines, results_table, run_summary, split_lines
from mltrain.report.text import duration, interval, number
from mltrain.run.audit import Audit
from tests.made_results import made_results, made_splits

SPLITS = {
    "train": {"n": 341, "metrics": {"loss": {"value": 0.05}, "accuracy": {"value": 1.0}, "roc_auc": {"value": 0.999}}},
    "test": {
        "n": 14,
        "metrics": {
            "loss": {"value": 0.0712345},
            "accuracy": {"value": 0.9737},
            "roc_auc": {"value": None, "undefined": "all rows are of class '\x1b[31myes'"},
        },
    },
}
METRICS = {
    "objective": {"metric": "validation.loss", "direction": "min", "best": 0.0712},
    "model": {"weights": "best", "epoch": 37, "epochs": 47, "stopped": "no improvement for 10 epochs"},
    "splits": SPLITS,
    "coefficients": {"slope": 1.88704, "intercept": 1.05088},
    "chance": {"sentence": "the test accuracy of 0.1000 is not better than chance (…)"},
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.97368, "0.9737"),
        (1, "1.0000"),
        (0.0, "0.0000"),
        (-3.14159, "-3.1416"),
        (31.415, "31.41"),
        (1593.1, "1,593.10"),
        (1593120.4, "1,593,120"),
        (3.2e-5, "3.2e-05"),
        (-1e12, "-1e+12"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (None, "–"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ms"),
        (0.0214, "21 ms"),
        (0.998, "1.0 s"),
        (4.12, "4.1 s"),
        (9.99, "10 s"),
        (59.7, "1 min 0 s"),
        (125, "2 min 5 s"),
        (11520, "3 h 12 min"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_table_has_a_row_a_metric_and_a_column_a_split():
    assert results_table(made_splits(**SPLITS)).splitlines() == [
        "           train    test",
        "n            341      14",
        "loss      0.0500  0.0712",
        "accuracy  1.0000  0.9737",
        "roc_auc   0.9990       –",
    ]


def test_an_interval_stands_behind_its_value():
    splits = {
        "train": {"n": 341, "metrics": {"mse": {"value": 31.4159}}},
        "test": {
            "n": 14,
            "metrics": {"mse": {"value": 31.4159, "low": 9.5, "high": 1234.5}, "r2": {"value": 0.5}},
            "slices": [
                {
                    "slice": "sex=f\x1b",
                    "n": 9,
                    "metrics": {"mse": {"value": 2.0, "low": 1.0, "high": 3.0}},
                    "few_rows": True,
                },
                {"slice": "sex=m", "n": 5, "metrics": {"mse": {"value": 51.0}}},
            ],
        },
    }
    assert results_table(made_splits(**splits)).splitlines() == [
        "     train    test",
        "n      341      14",
        "mse  31.42   31.42 [9.500, 1,234.5]",
        "r2          0.5000",
        "",
        "slices of test  n     mse",
        "sex=f\\x1b       9  2.0000 [1.000, 3.000]",
        "sex=m           5   51.00",
    ]
    assert split_lines(made_splits(**splits)) == ("test: slices with too few rows for a conclusion: sex=f\\x1b (9)",)


def test_results_without_a_split_are_an_empty_table():
    assert results_table({}).split() == ["n"]


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.92512, 0.9951, "[0.925, 0.995]"),
        (29.123, 33.8, "[29.1, 33.8]"),
        (3.21e-5, 1.5e10, "[3.2e-05, 1.5e+10]"),
        (-0.5, 12345.6, "[-0.500, 12,346]"),
        (None, 1.0, ""),
    ],
)
def test_intervals(low, high, text):
    assert interval(low, high) == text


def test_a_metric_that_a_split_lacks_is_blank():
    splits = {"train": {"n": 1, "metrics": {}}, "data": {"n": 2, "metrics": {"mse": {"value": 2.0}}}}
    assert results_table(made_splits(**splits)).splitlines()[2] == "mse         2.0000"


def test_results_in_words():
    assert result_lines(made_results(**METRICS)) == (
        "the model is from epoch 37 of 47, the best by validation.loss (0.0712); "
        "training ended: no improvement for 10 epochs",
        "learned: slope = 1.8870, intercept = 1.0509",
        "the test accuracy of 0.1000 is not better than chance (…)",
        "test.roc_auc has no value: all rows are of class '\\x1b[31myes'",
    )


def test_the_last_epoch_is_not_called_the_best():
    model = METRICS["model"] | {"weights": "last", "epoch": 47}
    (line,) = result_lines(made_results(model=model))
    assert line == "the model is from epoch 47 of 47; training ended: no improvement for 10 epochs"


def test_numbers_alone_need_no_words():
    assert split_lines(made_splits(train=SPLITS["train"])) == ()


def test_a_decision_is_one_line():
    assert decision_line("task", "binary\n", "\x1b[2J") == "task: binary\\n (\\x1b[2J)"


FOUND = {
    "run": "runs/a/b",
    "status": {"state": "finished", "reason": "all 3 epochs are done"},
    "started": "2026-11-20T20:15:00Z",
    "finished": "2026-11-20T20:15:09Z",
    "device": {"value": "cpu", "reason": "no GPU"},
    "data": {"source": "breast_cancer", "rows": 569},
    "decisions": [{"what": "task", "value": "binary", "reason": "two classes"}],
    "audit": {"format": 1, "columns": 2, "rows": {"train": 6}, "findings": []},
    "epochs": 3,
    "plots": ["runs/a/b/plots/loss.png"],
    "test_looks": 1,
    "profile": None,
}


def test_the_summary_of_a_run_says_it_all():
    text = run_summary(FOUND, made_results(**METRICS))
    for part in ("finished: all 3 epochs", "breast_cancer, 569 rows", "cpu (no GPU)", "task: binary (two classes)"):
        assert part in text
    assert results_table(made_splits(**SPLITS)) in text
    assert "slope = 1.8870" in text
    assert text.endswith("plots  runs/a/b/plots (1 PNG file)")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ({"train": 120, "validation": 40, "test": 40}, "120 train, 40 validation and 40 test rows"),
        ({"train": 6}, "6 train rows"),
    ],
)
def test_the_audit_is_short_where_nothing_was_found(rows, sentence):
    audit = {"format": 1, "columns": 1, "rows": rows, "findings": []}
    text = run_summary(FOUND | {"audit": audit}, None)
    assert f"audit: no problem found in {sentence}" in text.splitlines()
    assert "were checked for" not in text
    assert "were checked for" in "\n".join(audit_lines(Audit.model_validate(audit)))


def test_the_summary_of_an_unfinished_run():
    nothing = {
        "finished": None,
        "device": None,
        "data": None,
        "decisions": [],
        "audit": None,
        "plots": [],
    }
    text = run_summary(FOUND | nothing | {"status": {"state": "failed", "reason": "\x1b]0;x\x07"}}, None)
    assert text.splitlines()[1] == "status    failed: \\x1b]0;x\\x07"
    assert "plots" not in text


def test_columns_are_counted_and_what_can_be_read_elsewhere_is_not_printed():
    names = [f"x{number}" for number in range(12)]
    assert decision_lines(
        [
            ("task", "binary", "two values"),
            ("features", f"number: {', '.join(names)} and 9 more", "holds numbers"),
            ("features", "category: island, sex", "holds text"),
            ("features.z", "number", "stated"),
            *((f"features.{name}", "missing values become the mean", f"{name} misses 2") for name in names[:4]),
            ("features.island", "missing values are a category of their own", "1 row misses it"),
            ("training.xla", "off", "few steps"),
            ("training.fuse", "on", "many steps"),
            ("objective", "validation.loss (min)", "there are validation rows"),
        ]
    ) == [
        "task: binary (two values)",
        "features.island: missing values are a category of their own (1 row misses it)",
        "training.fuse: on (many steps)",
        "features: 22 numbers (x0, x1, x2, …), 2 categories (island, sex)",
        "features: missing values become the mean: 4 columns (x0, x1, x2, …)",
        "record.json has all 12 decisions and their reasons",
    ]
