"""The end of a training fits one screen of 24 lines of 80 columns, whatever the run was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mltrain.report.end_of_run import HEIGHT, WIDTH, end_of_run, wrapped
from mltrain.report.explanation import explanation_sentences
from mltrain.report.gates import gates_table
from mltrain.run.explanation import Explanation
from mltrain.run.results import Judgement
from tests.made_results import made_results

MODEL = {"weights": "best", "epoch": 37, "epochs": 47, "stopped": "no improvement for 10 epochs"}
REPORT_AND_PROMPT = 2


def height(lines, width=WIDTH):
    """Return how many lines of a terminal are filled."""
    return sum(len(wrapped(each, width)) if " " in each else max(1, -(-len(each) // width)) for each in lines)


def metrics(names=("loss", "accuracy"), splits=("train", "validation", "test"), **more):
    values = {name: {"value": 0.5, "low": 0.25, "high": 0.75} for name in names}
    return {
        "objective": {"metric": f"validation.{names[-1]}", "direction": "min", "best": 0.5},
        "model": MODEL,
        "splits": {split: {"n": 100, "metrics": values} for split in splits},
        **more,
    }


def texts(found, below=0, width=WIDTH, run=Path("runs/a/b")):
    return [line.text for line in end_of_run(made_results(**found), run, below=below, width=width)]


SENTENCE = "the sentence {} says what is wrong with this model, how it was seen and what to do about it" + " now" * 20
OUTPUTS = {f"target{n}": {"metrics": {"mse": {"value": 1.0, "low": 0.5, "high": 2.0}}} for n in range(30)}
SLICES = [
    {"slice": f"city=town{n}", "n": n, "metrics": {"mse": {"value": 1.0, "low": 0.5, "high": 2.0}}} for n in range(40)
]
FOUND = [{"sentence": SENTENCE.format(n), "key": "training.epochs"} for n in range(9)]


def many(names=5, **of_test):
    found = metrics([f"metric{n}" for n in range(names)], baseline_sentences=[SENTENCE.format(n) for n in range(4)])
    found["splits"] = {split: dict(each) for split, each in found["splits"].items()}
    found["splits"]["test"] |= of_test
    return found


@pytest.mark.parametrize("below", [0, 2, 8])
@pytest.mark.parametrize("width", [60, 80, 132])
@pytest.mark.parametrize(
    "found",
    [
        metrics(),
        many(12),
        many(12, outputs=OUTPUTS),
        many(3, slices=SLICES),
        many(12, outputs=OUTPUTS, slices=SLICES),
        many(40, unknown_categories={f"column{n}": n for n in range(300)}),
        many(2) | {"diagnosis": FOUND, "coefficients": {f"weight of column {n}": n for n in range(500)}},
        metrics(["a_very_long_name_of_a_metric_of_my_own" * 3, "loss"]),
    ],
)
def test_it_fits_the_screen(found, width, below):
    lines = texts(found, below, width)
    assert height(lines, width) + REPORT_AND_PROMPT + below <= HEIGHT
    assert lines[-1] == "run    runs/a/b"
    assert all(name in "\n".join(lines) for name in ("train", "validation", "test"))


def test_a_short_summary_leaves_nothing_out():
    found = metrics(baseline_sentences=["better than chance"], diagnosis=[{"sentence": "too few epochs", "key": "e"}])
    assert texts(found) == [
        "",
        "           train  validation    test",
        "n            100         100     100",
        "loss      0.5000      0.5000  0.5000 [0.250, 0.750]",
        "accuracy  0.5000      0.5000  0.5000 [0.250, 0.750]",
        "",
        "better than chance",
        "too few epochs [e]",
        "the model is from epoch 37 of 47, the best by validation.accuracy (0.5000); training ended: no improvement "
        "for 10 epochs",
        "run    runs/a/b",
    ]


def test_what_is_left_out_is_counted_and_the_objective_is_not_left_out():
    lines = texts(many(30, outputs=OUTPUTS))
    assert any(line.startswith("metric29") for line in lines)
    assert "… and 27 more metrics" in lines
    assert "… and 27 more targets" in lines
    assert any(line.endswith("more sentences; `mltrain show` has all") for line in lines)
    assert SENTENCE.format(0) in lines[lines.index("") :]


def test_a_long_list_in_a_sentence_is_counted():
    found = many(unknown_categories={f"c{n}": n for n in range(300)})
    found["baseline_sentences"] = []
    listed = "c0 (0), c1 (1), c2 (2), c3 (3), c4 (4), c5 (5), c6 (6), c7 (7) and 292 more"
    assert f"test: categories that no training row has are ignored: {listed}" in texts(found)


def test_a_number_stays_beside_its_percent_sign():
    assert wrapped("x" * 71 + " of 95 % of all", 77) == ["x" * 71 + " of", "  95 % of all"]


def test_the_columns_that_matter_most_are_one_sentence():
    columns = [{"column": f"c{n}", "value": 9.0 - n, "low": 0.5 if n < 5 else -1.0, "high": 9.0} for n in range(9)]
    found = Explanation.model_validate(
        {"split": "test", "epoch": 1}
        | {"importance": {"metric": "mse", "value": 1.0, "rows": 9, "permutations": 5, "columns": columns}}
    )
    assert explanation_sentences(found) == (
        "the test mse depends most on c0 (9.0000), c1 (8.0000), c2 (7.0000) and 2 more",
        "no significant difference from zero: c5, c6, c7 and 1 more",
    )


def rows(folder):
    """Write 200 rows whose targets follow from their columns, twenty of them twice."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(180, 3))
    cells = [
        f"{a:.6f},{b:.6f},{c:.6f},{'yes' if a + b > 0 else 'no'},k{int(a > 0) + int(b > 0)},{2 * a:.6f},{b:.6f}"
        for a, b, c in x
    ]
    days = [f"2024-{1 + n // 28:02d}-{1 + n % 28:02d}" for n in range(200)]
    lines = [f"{day},{row}" for day, row in zip(days, [*cells, *cells[:20]], strict=True)]
    (folder / "table.csv").write_text("day,a,b,c,answer,kind,y,z\n" + "\n".join(lines) + "\n")


SOURCE = "data: {source: {type: csv, path: table.csv}, "
MLP = "}\nmodel: {type: mlp, units: [4]}\ntraining: {epochs: 3}\n"
RUNS = {
    "binary": f"{SOURCE}target: answer{MLP}",
    "multiclass": f"{SOURCE}target: kind{MLP}evaluation: {{explain: true}}\n",
    "regression": f"{SOURCE}target: y{MLP}",
    "targets": f"{SOURCE}target: [y, z]{MLP}",
    "forecast": f"{SOURCE}target: y, windows: {{length: 6, horizon: 1}}, split: {{type: time, column: day}}{MLP}",
    "gates": f"{SOURCE}target: answer{MLP}evaluation: {{slices: [kind], gates: {['test.accuracy >= 0'] * 9}}}\n",
}


@pytest.mark.parametrize("kind", RUNS)
def test_a_whole_run_fits(kind, mltrain, tmp_path):
    rows(tmp_path)
    (tmp_path / "config.yaml").write_text(RUNS[kind])
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    lines = done.err.splitlines()
    epochs = [position for position, line in enumerate(lines) if line.startswith("epoch ")]
    before, after = lines[: epochs[0]], lines[epochs[-1] + 1 :]
    assert height(after) + 1 <= HEIGHT, "\n".join(after)
    assert height(before) <= 31, "\n".join(before)
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert len(found["baseline_sentences"]) >= 2
    most_important = found["baseline_sentences"][: 1 if kind == "gates" else None]
    assert all(sentence in after for sentence in most_important)
    shown = mltrain("show", "run").out.splitlines()
    assert shown[:2] == ["run       run", "status    finished: all 3 epochs are done"]
    assert shown[3] == found["baseline_sentences"][0]
    assert [each.split()[0] for each in shown if each.startswith("n  ")] == ["n"]


def test_there_is_room_for_the_error_of_a_missed_gate():
    found = many(12) | {"gates": [{"gate": "test.mse < 0", "passed": False}]}
    assert height(texts(found, below=3)) + REPORT_AND_PROMPT + 3 + 2 <= HEIGHT


def test_many_gates_are_counted():
    judged = [Judgement(gate=f"test.accuracy >= {n}", value=0.5, passed=n < 7) for n in range(9)]
    assert gates_table(judged, most=3).splitlines() == [
        "… and 6 more gates: 6 passed",
        "passed  test.accuracy >= 6  0.5000",
        "missed  test.accuracy >= 7  0.5000",
        "missed  test.accuracy >= 8  0.5000",
    ]
    assert gates_table(judged, most=1).splitlines()[0] == "… and 8 more gates: 7 passed, 1 missed"
    assert len(gates_table(judged).splitlines()) == 9
