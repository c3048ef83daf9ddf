"""The importance of a column against closed forms, and how often its interval holds the truth."""

import numpy as np
import pytest

from mltrain.evaluation.catalogue import F1, R2, Accuracy, HammingLoss, LogLoss, Mse, RocAuc
from mltrain.evaluation.importance import importance, importance_metric
from mltrain.evaluation.rows import Rows, UndefinedError
from mltrain.evaluation.several import SeveralRows

WEIGHTS = np.array([1.0, 0.2])


def made(generator, n=200, permutations=10, column=0, weights=WEIGHTS):
    """Return rows of y = x0 + noise, and those with one column permuted; column 1 has a weight and no influence."""
    x = generator.normal(size=(n, 2))
    y = x[:, 0] + generator.normal(size=n)
    permuted = []
    for _ in range(permutations):
        giver, changed = generator.permutation(n), x.copy()
        changed[:, column] = x[giver, column]
        permuted.append((giver, Rows.of("regression", y, changed @ weights, ())))
    return Rows.of("regression", y, x @ weights, ()), permuted


# y has the variance 2 and the covariance 1 with x0: the mse rises by 2 * weight * covariance.
@pytest.mark.parametrize(("column", "truth"), [(0, 2.0), (1, 0.0)])
def test_the_interval_holds_the_truth_in_about_95_of_100_sets(column, truth):
    generator, held, values, halves = np.random.default_rng(0), 0, [], []
    for _ in range(400):
        found = importance(Mse(), *made(generator, column=column))
        held += found.interval.low <= truth <= found.interval.high
        values.append(found.value)
        halves.append((found.interval.high - found.interval.low) / 2)
    assert 0.93 <= held / 400 <= 0.985
    # Its width is that of what it is for: the spread of the importance over other rows and other permutations.
    assert np.mean(halves) == pytest.approx(1.97 * np.std(values), rel=0.2)


def test_rows_of_a_group_are_one_in_the_interval():
    """Groups of ten rows share most of x and of the noise: taken one by one, rows say more than there is."""
    generator, groups, held, alone = np.random.default_rng(2), np.repeat(np.arange(60) * 7, 10), 0, 0
    for _ in range(400):
        x, noise = (np.repeat(generator.normal(size=60), 10) + generator.normal(scale=0.3, size=600) for _ in range(2))
        givers = [generator.permutation(600) for _ in range(10)]
        permuted = [(giver, Rows.of("regression", x + noise, x[giver], ())) for giver in givers]
        rows = Rows.of("regression", x + noise, x, ())
        truth = 2 * 1.09  # the variance of x
        both = importance(Mse(), rows, permuted, groups), importance(Mse(), rows, permuted)
        held, alone = (
            so_far + (found.interval.low <= truth <= found.interval.high)
            for so_far, found in zip((held, alone), both, strict=True)
        )
    assert held / 400 >= 0.9
    assert alone / 400 <= 0.7
    assert importance(Mse(), rows, permuted, groups % 4).interval is None  # four groups


def test_what_the_model_ignores_is_zero_without_an_interval_around_it():
    found = importance(Mse(), *made(np.random.default_rng(1), column=1, weights=np.array([1.0, 0.0])))
    assert (found.value, found.interval.low, found.interval.high) == (0, 0, 0)


def test_few_rows_have_no_interval_and_no_number_has_no_value():
    assert importance(Mse(), *made(np.random.default_rng(0), n=4)).interval is None
    rows, permuted = made(np.random.default_rng(0))
    permuted[3][1].predictions[7] = np.nan
    with pytest.raises(UndefinedError):
        importance(Mse(), rows, permuted)


def test_the_metric_is_that_of_the_objective_else_the_first_with_a_derivative():
    rows = Rows.of("binary", np.array([0, 1, 1, 0, 1]), np.linspace(0.1, 0.9, 5), ("a", "b"))
    assert importance_metric((F1(), Accuracy(), RocAuc()), "roc_auc", rows) == RocAuc()
    assert importance_metric((F1(), Accuracy(), RocAuc()), "f1", rows) == Accuracy()
    assert importance_metric((F1(),), "", rows) == LogLoss()
    of_one_class = Rows.of("binary", np.ones(5, int), np.linspace(0.1, 0.9, 5), ("a", "b"))
    assert importance_metric((RocAuc(),), "", of_one_class) == LogLoss()
    rows.predictions[0] = np.inf
    assert importance_metric((Accuracy(),), "", rows) is None


def test_of_several_targets_it_is_the_mean_over_them():
    sets = [made(np.random.default_rng(3), n=300, weights=np.array(weights)) for weights in ([1.0, 0.2], [0.3, 0.0])]
    (first, permuted), (second, others) = sets
    each = [importance(R2(), *one) for one in sets]
    shuffled = [(giver, _several(one, other)) for (giver, one), (_, other) in zip(permuted, others, strict=True)]
    found = importance(R2(), _several(first, second), shuffled)
    assert found.value == pytest.approx(np.mean([one.value for one in each]), abs=1e-12)
    widths = [one.interval.high - one.interval.low for one in (found, *each)]
    assert min(widths[1:]) < widths[0] < max(widths[1:])
    labels = SeveralRows.of("multilabel", np.eye(6, 2, dtype=int), np.full((6, 2), 0.5), ("a", "b"))
    assert importance_metric((Accuracy(), HammingLoss(), F1(), RocAuc()), "accuracy", labels) == RocAuc()
    assert importance_metric((F1(),), "", labels) == LogLoss()


def _several(*rows):
    return SeveralRows("multiregression", rows)
