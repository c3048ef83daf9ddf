"""A class that is never predicted: with columns that say nothing of it, and with columns that do."""

import numpy as np
import pytest

from mltrain.evaluation.diagnosis.alike import classes_alike

CONFIG = """\
data: {source: {type: csv, path: d.csv}, target: y, split: {type: random, validation: 0.4, test: 0}}
model: linear
training: {epochs: 30, optimizer: {type: Adam, learning_rate: 0.02}}
evaluation: {baselines: false}
"""


@pytest.mark.parametrize("told", [False, True])
def test_the_columns_that_do_not_distinguish_a_class_are_named_as_the_reason(mltrain, tmp_path, told):
    draw = np.random.default_rng(3)
    rare = np.arange(1200) % 10 == 0
    a = (draw.random(1200) < 0.3 + 0.4 * told * rare).astype(int)  # at most 0.2 of the rows of a value are rare
    (tmp_path / "d.csv").write_text("a,y\n" + "".join(f"{x},{'ny'[int(r)]}\n" for x, r in zip(a, rare, strict=True)))
    (tmp_path / "c.yaml").write_text(CONFIG)
    done = mltrain("train", "c.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    lines = [line for line in done.err.splitlines() if "never predicted" in line]
    assert lines, done.err
    assert ("do not distinguish this class from the others (ROC AUC 0." in lines[0]) != told
    assert ("weight the classes" in lines[0]) == told


def test_the_error_of_an_area_is_that_of_all_orders():
    """Counted over every way to choose the rows of the class, with equal scores among them."""
    from itertools import combinations

    from mltrain.evaluation.diagnosis.alike import _area

    scores = np.array([0.1, 0.2, 0.2, 0.3, 0.4, 0.4, 0.4])
    areas = []
    for chosen in combinations(range(7), 3):
        mine = np.isin(np.arange(7), chosen)
        pairs = [np.sign(one - other) / 2 + 0.5 for one in scores[mine] for other in scores[~mine]]
        area, error = _area(scores, mine)
        assert area == pytest.approx(np.mean(pairs))
        areas.append(area)
    assert error == pytest.approx(np.std(areas))


def test_only_classes_that_are_never_predicted_count():
    truth = np.array([0, 1] * 20)
    scores = np.full(40, 0.2)
    assert classes_alike("binary", truth, scores, [[20, 0], [20, 0]]) == {1: 0.5}
    assert classes_alike("binary", truth, truth * 0.1, [[20, 0], [20, 0]]) == {}
    assert classes_alike("binary", truth, scores, [[19, 1], [19, 1]]) == {}
