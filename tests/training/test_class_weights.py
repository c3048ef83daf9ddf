import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from mltrain.errors import MisfitError
from mltrain.training.class_weights import class_weight_decision, class_weights, row_weights
from mltrain.training.spec import TrainingSpec
from tests.known_data import known_data

INFO = known_data("multiclass", (2,), 3, ("a", "b", "c"), rows=6)
Y = np.array([0, 0, 0, 1, 1, 2])


def test_balanced_is_that_of_scikit_learn():
    weights = class_weights(TrainingSpec(class_weight="balanced"), Y, INFO)
    assert weights == pytest.approx(compute_class_weight("balanced", classes=np.arange(3), y=Y))


def test_stated_weights_go_by_name_and_the_rest_is_1():
    weights = row_weights(TrainingSpec(class_weight={"b": 3.0}), Y, INFO)
    assert weights.tolist() == [1, 1, 1, 3, 3, 1]
    assert row_weights(TrainingSpec(), Y, INFO) is None


def test_balanced_is_said_and_what_is_stated_is_not():
    (decision,) = class_weight_decision(TrainingSpec(class_weight="balanced"), Y, INFO)
    assert decision.value == "a 0.6667, b 1, c 2"
    assert class_weight_decision(TrainingSpec(class_weight={"b": 3.0}), Y, INFO) == ()


def test_what_does_not_fit_is_refused():
    with pytest.raises(MisfitError, match=r"training.class_weight.z: no such class \(the classes are: a, b, c\)"):
        class_weights(TrainingSpec(class_weight={"z": 1.0}), Y, INFO)
    regression = known_data("regression", rows=6)
    with pytest.raises(MisfitError, match="has no classes"):
        class_weights(TrainingSpec(class_weight="balanced"), Y, regression)
