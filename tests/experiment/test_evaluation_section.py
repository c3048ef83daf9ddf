from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError

from mltrain.evaluation.catalogue import DEFAULTS, canonical_name
from mltrain.evaluation.formulas import FORMULAS
from mltrain.evaluation.own_metrics import METRICS
from mltrain.evaluation.several import FROM_SUMS
from mltrain.experiment.evaluation_section import EvaluationSpec
from mltrain.spec import as_plain


def spec(*metrics):
    return EvaluationSpec.model_validate({"metrics": list(metrics)})


def problems(*metrics):
    with pytest.raises(ValidationError) as caught:
        spec(*metrics)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def test_every_metric_has_a_formula_a_direction_and_a_sentence():
    assert list(METRICS.specs) == METRICS.names()
    assert set(METRICS.specs) == {*FORMULAS, *FROM_SUMS}
    for name, metric in METRICS.specs.items():
        assert metric().name == name
        assert metric.direction in ("min", "max")
        assert metric.tasks
        assert metric.__doc__


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("AUC", "roc_auc"),
        ("mean_squared_error", "mse"),
        ("MeanSquaredError", "mse"),
        ("F1-Score", "f1"),
        ("top_k", "top_k_accuracy"),
        ("R2", "r2"),
        ({"type": "f1", "average": "weighted"}, "f1_weighted"),
        ({"type": "precision", "average": "auto"}, "precision"),
        ({"type": "recall", "average": "macro"}, "recall_macro"),
        ({"type": "top_k_accuracy", "k": 3}, "top_3_accuracy"),
        ({"type": "top_k_accuracy", "k": 5}, "top_k_accuracy"),
    ],
)
def test_names_in_results(written, name):
    (metric,) = spec(written).metrics
    assert metric.name == name


def test_no_alias_means_two_metrics():
    spellings = [spelling for metric in METRICS.specs.values() for spelling in metric.aliases]
    assert len(spellings) == len(set(spellings))
    assert not set(spellings) & set(METRICS.specs)


def test_canonical_name_leaves_what_is_not_ours():
    assert canonical_name("Average_Precision") == "pr_auc"
    assert canonical_name("val_of_my_own") == "val_of_my_own"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_defaults_fit_their_task(task):
    default = EvaluationSpec().metrics_for(task)
    assert default == DEFAULTS[task]
    assert all(task in metric.tasks for metric in default)
    assert EvaluationSpec.model_validate({"metrics": [metric.type for metric in default]}).metrics == default


def test_stated_metrics_replace_the_defaults():
    assert spec("mcc").metrics_for("binary") == spec("mcc").metrics
    assert spec().metrics_for("binary") == ()


def test_misfits_name_the_place():
    found = spec("accuracy", "rmse", "top_k_accuracy").misfits("binary")
    assert [path for path, _ in found] == [("metrics", 1), ("metrics", 2)]
    assert found[0][1] == "'rmse' is a metric for regression, count and multiregression, the task is binary"
    assert not EvaluationSpec().misfits("regression")


def test_all_wrong_metrics_are_reported_at_their_place():
    found = dict(problems("acuracy", {"type": "accuracy", "average": "macro"}, {"type": "top_k_accuracy", "k": 0}, 3))
    assert found[("metrics", 0, "type")] == ("unknown metric 'acuracy' (did you mean 'accuracy'?)")
    assert set(found) == {("metrics", 0, "type"), ("metrics", 1, "average"), ("metrics", 2, "k"), ("metrics", 3)}


def test_a_metric_that_is_there_twice_is_refused():
    assert problems("f1", "accuracy", "F1_score") == [(("metrics", 2), "'f1' is listed twice: remove one")]
    assert [metric.name for metric in spec("f1", {"type": "f1", "average": "macro"}).metrics] == ["f1", "f1_macro"]


def test_resolved_metrics_load_again():
    given = spec("auc", {"type": "f1", "average": "micro"}, {"type": "top_k", "k": 2})
    assert EvaluationSpec.model_validate(as_plain(given)) == given


def test_the_spec_needs_no_numpy():
    code = (
        "import sys, mltrain.experiment.evaluation_section; "
        "sys.exit('numpy' in sys.modules or 'tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
