"""Metrics of plugins keep what ours promise: those here compute what ours do, so each must agree with its twin."""

import json
import math
import sys

import numpy as np
import pytest
from pydantic import ValidationError

from mltrain import NoValueError, metric
from mltrain.config.load import load_text
from mltrain.config.plugins import Plugins
from mltrain.errors import ConfigError, PluginError
from mltrain.evaluation.differences import paired_difference
from mltrain.evaluation.intervals import intervals
from mltrain.evaluation.metrics import measure
from mltrain.evaluation.own_metrics import METRICS
from mltrain.evaluation.several import rows_of
from mltrain.experiment.evaluation_section import EvaluationSpec
from mltrain.listing.components import components
from mltrain.listing.schema import json_schema
from mltrain.plugins import Offered, Origin
from tests.conftest import SMALL
from tests.evaluation.test_intervals import CLASSES, sample

ORIGIN = Origin(plugin="twins.py", sha256="0" * 64)


@metric("regression", direction="min", of_rows=True, best=0.0, name="twin_of_mae")
def _mae(target, predictions):
    return np.abs(target - predictions)


@metric("regression", direction="max", best=1.0, name="twin_of_r2")
def _r2(target, predictions):
    return 1 - np.sum((target - predictions) ** 2) / np.sum((target - target.mean()) ** 2)


@metric("binary", "multiclass", direction="max", takes="classes", worst=0.0, best=1.0, name="twin_of_balanced_accuracy")
def _balanced(target, classes):
    return np.mean([(classes[target == each] == each).mean() for each in np.unique(target)])


@metric("binary", direction="max", worst=0.0, best=1.0, name="twin_of_roc_auc")
def _roc_auc(target, predictions):
    positives = int(target.sum())
    if positives in (0, len(target)):
        raise NoValueError("one class only")
    rank = np.argsort(np.argsort(predictions, kind="stable"), kind="stable")
    return (rank[target == 1].sum() - positives * (positives - 1) / 2) / (positives * (len(target) - positives))


TWINS = (_mae, _r2, _balanced, _roc_auc)
PAIRS = [(task, twin.name) for twin in TWINS for task in twin.tasks]


def plugins(*functions):
    return Plugins(Offered(each, ORIGIN) for each in functions)


def named(*names, by=None):
    context = {"plugins": plugins(*TWINS) if by is None else plugins(by)}
    return EvaluationSpec.model_validate({"metrics": list(names)}, context=context).metrics


def test_a_registered_metric_is_an_alternative_as_ours_are():
    known = {"plugins": plugins(*TWINS)}
    assert set(METRICS.names(known)) >= {each.name for each in TWINS}
    both = [EvaluationSpec.model_validate({"metrics": [name]}, context=known) for name in ("TwinOfMae", "twin_of_mae")]
    assert both[0] == both[1]
    (found,) = both[0].metrics
    assert (found.name, found.direction, found.tasks) == ("twin_of_mae", "min", ("regression",))
    assert (
        EvaluationSpec(metrics=(found,)).misfits("binary")[0][1].startswith("'twin_of_mae' is a metric for regression")
    )


def test_two_configs_of_one_process_do_not_see_the_plugins_of_each_other(tmp_path):
    """Also where a metric has the same name in both; and nothing is left for a third one."""
    config = SMALL.encode() + b"evaluation: {metrics: [odd]}\n"
    loaded = []
    for direction in ("min", "max"):
        odd = metric("multiclass", direction=direction, takes="classes", name="odd")(lambda target, classes: 1.0)
        loaded.append(load_text(config, "c.yaml", tmp_path, plugins=plugins(odd)))
    assert [each.spec.evaluation.metrics[0].direction for each in loaded] == ["min", "max"]
    assert [[each.name for each in components("metric", one.plugins)][-1] for one in loaded] == ["odd", "odd"]
    assert '"odd"' in json.dumps(json_schema(plugins=loaded[0].plugins))
    for known in (None, plugins(_mae)):
        with pytest.raises(ConfigError, match="unknown metric 'odd'"):
            load_text(config, "c.yaml", tmp_path, plugins=known)
        assert '"odd"' not in json.dumps(json_schema(plugins=known))


def test_what_a_run_has_measured_can_be_named_by_that_run_alone():
    known = plugins()
    of_run = known.with_recorded({"my_cost": ("min", ORIGIN)})
    found = EvaluationSpec.model_validate({"metrics": ["my_cost"]}, context={"plugins": of_run})
    with pytest.raises(PluginError, match=r"give it with --plugin twins\.py"):
        found.metrics[0].given()
    with pytest.raises(ValidationError, match="unknown metric 'my_cost'"):
        EvaluationSpec.model_validate({"metrics": ["my_cost"]}, context={"plugins": known})


@pytest.mark.parametrize(("task", "name"), PAIRS)
def test_value_and_interval_are_those_of_the_twin(task, name):
    target, predictions = sample(task, np.random.default_rng(1), 600)
    both = named(name, name.removeprefix("twin_of_"))
    own, ours = measure(both, rows_of(task, target, predictions, CLASSES[task]))[0].values()
    assert own == pytest.approx(ours, rel=1e-12)
    for groups, wide in ((None, 0.1), (np.arange(600) // 4, 0.15)):
        found = intervals(both, rows_of(task, target, predictions, CLASSES[task]), seed=0, groups=groups)
        again = intervals(both[:1], rows_of(task, target, predictions, CLASSES[task]), seed=0, groups=groups)
        own, ours = found.values()
        assert again == {name: own}
        assert own.high - own.low == pytest.approx(ours.high - ours.low, rel=wide)
        assert own.low == pytest.approx(ours.low, abs=wide * (ours.high - ours.low))


@pytest.mark.parametrize(("task", "name"), PAIRS)
def test_a_paired_difference_is_that_of_the_twin(task, name):
    target, good = sample(task, np.random.default_rng(2), 400)
    bad = np.where(np.arange(400)[:, None] % 3 == 0, good[::-1].reshape(400, -1), good.reshape(400, -1))
    bad = bad.reshape(good.shape)
    own, ours = (
        paired_difference(each, *(rows_of(task, target, of, CLASSES[task]) for of in (good, bad)), seed=0)
        for each in named(name, name.removeprefix("twin_of_"))
    )
    assert own.value == pytest.approx(ours.value, rel=1e-9)
    assert own.high - own.low == pytest.approx(ours.high - ours.low, rel=0.12)
    assert (own.low > 0, own.high < 0) == (ours.low > 0, ours.high < 0) != (False, False)


def test_of_200_intervals_95_percent_hold_the_truth():
    metrics, generator, hits = named("twin_of_balanced_accuracy"), np.random.default_rng(4), 0
    population = sample("binary", np.random.default_rng(3), 200_000)
    truth = measure(metrics, rows_of("binary", *population, CLASSES["binary"]))[0]
    for number in range(200):
        rows = sample("binary", generator, 200)
        (found,) = intervals(metrics, rows_of("binary", *rows, CLASSES["binary"]), seed=number, draws=200).values()
        hits += found.low <= truth["twin_of_balanced_accuracy"] <= found.high
    assert 0.92 <= hits / 200 <= 0.98


def test_decided_classes_follow_the_threshold_of_each_model():
    target, predictions = np.array([0, 0, 1, 1] * 5), np.array([0.1, 0.6, 0.7, 0.9] * 5)
    (balanced,) = named("twin_of_balanced_accuracy")
    a, b = (rows_of("binary", target, predictions, CLASSES["binary"], threshold) for threshold in (0.65, 0.5))
    assert paired_difference(balanced, a, b, seed=0).value == 0.25


def test_what_has_no_value_says_why_and_has_no_interval():
    rows = rows_of("binary", np.ones(9, int), np.linspace(0.1, 0.9, 9), CLASSES["binary"])
    assert measure(named("twin_of_roc_auc"), rows)[1] == {"twin_of_roc_auc": "one class only"}
    assert math.isnan(measure(named("twin_of_roc_auc"), rows)[0]["twin_of_roc_auc"])
    assert intervals(named("twin_of_roc_auc"), rows, seed=0) == {}


def share_of_none(target, predictions):
    return np.float64(np.nan) if predictions[0] > predictions[1] else 0.5


def test_a_draw_without_a_value_leaves_the_interval_out_and_does_not_fail():
    metrics = named("share_of_none", by=metric("regression", direction="max")(share_of_none))
    target = np.linspace(0, 1, 20)
    assert measure(metrics, rows_of("regression", target, target))[0] == {"share_of_none": 0.5}
    assert intervals(metrics, rows_of("regression", target, target), seed=0) == {}


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (math.nan, "returned nan on 4 rows; expected a finite number, or NoValueError raised"),
        ("0.5", "returned a str; expected a number"),
        (None, "returned nothing (None); expected a number"),
        (True, "returned a bool; expected a number"),
        (np.zeros(4), "returned an array of float64 (4,); expected a number"),
        (1.5, "returned 1.5 on 4 rows, which is not between best=1.0 and worst=0.0"),
    ],
)
def test_what_is_no_value_is_refused(returned, said):
    odd = metric("regression", direction="max", best=1.0, worst=0.0, name="odd")(lambda target, predictions: returned)
    with pytest.raises(PluginError) as caught:
        measure(named("odd", by=odd), rows_of("regression", np.arange(4.0), np.arange(4.0)))
    assert str(caught.value).startswith(f"{__file__}:")
    assert str(caught.value).endswith(f"metric odd {said}")


@pytest.mark.parametrize(
    ("returned", "said"),
    [(0.5, "a float"), (np.zeros(3), "an array of float64 (3,)"), (np.array([0, 1, np.inf, 0]), "inf for row 2 of 4")],
)
def test_a_number_for_each_row_is_one_for_each_row(returned, said):
    odd = metric("regression", direction="min", of_rows=True, name="odd")(lambda target, predictions: returned)
    with pytest.raises(PluginError, match=r"expected numbers of shape \(4,\)") as caught:
        measure(named("odd", by=odd), rows_of("regression", np.arange(4.0), np.arange(4.0)))
    assert f"returned {said}; expected" in str(caught.value)


def test_an_error_names_the_metric_and_its_line_and_rows_cannot_be_changed(capsys):
    def spoils(target, predictions):
        sys.stdout.write("a word\n")
        target[0] = 7

    metrics = named("spoils", by=metric("regression", direction="min")(spoils))
    with pytest.raises(PluginError, match=rf"metric spoils: {__file__}:\d+: ValueError: .*read-only"):
        measure(metrics, rows_of("regression", np.arange(4.0), np.arange(4.0)))
    assert capsys.readouterr() == ("", "a word\n")


@pytest.mark.parametrize(
    ("tasks", "options", "said"),
    [
        (("binary",), {"name": "My Cost"}, "'My Cost' is not a valid metric name"),
        ((), {}, "it needs a task; expected one or more of binary, multiclass"),
        (("ranking",), {}, "unknown task 'ranking'"),
        (("binary",), {"direction": "up"}, "direction is 'up'; expected min or max"),
        (("binary",), {"takes": "logits"}, "takes is 'logits'; expected predictions or classes"),
        (("regression",), {"takes": "classes"}, "not possible for regression"),
        (("binary",), {"best": 1.0, "worst": 0.0}, "best=1.0 is not better than worst=0.0"),
    ],
)
def test_what_is_stated_wrongly_is_refused(tasks, options, said):
    with pytest.raises(ValueError, match=said):
        metric(*tasks, **{"direction": "min", **options})(share_of_none)


@pytest.mark.parametrize("name", ["auc", "f1_score", "loss"])
def test_names_that_are_taken_are_refused(name):
    with pytest.raises(PluginError, match="rename it"):
        plugins(metric("binary", direction="min", name=name)(share_of_none))
    with pytest.raises(PluginError, match="has the name of twin_of_mae"):
        plugins(_mae, metric("binary", direction="min", name="twinofmae")(share_of_none))
