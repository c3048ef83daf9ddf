"""A model that is not better than a constant answer: why, and what to change."""

import pytest

from mltrain.evaluation.diagnosis import diagnose, diagnose_outputs
from mltrain.evaluation.diagnosis.facts import Extreme
from tests.evaluation.test_diagnosis import curves, facts, names

NUMBERS = {"task": "regression", "classes": (), "confusions": {}}
GUESSED = {"train": [[110, 90], [90, 110]], "validation": [[50, 50], [49, 51]]}


def of_numbers(train, validation, **more):
    return diagnose(facts(**NUMBERS, skill={"train": train, "validation": validation}, **more))


def test_what_was_learned_holds_for_the_training_rows_alone():
    (found,) = of_numbers(0.3, -0.2)
    assert (found.finding, found.key) == ("worse_than_constant", "model")
    assert "not better than always predicting the mean (R² is -0.20 on 200 validation rows)" in found.sentence
    assert "on its training rows R² is 0.30" in found.sentence and "dropout" in found.sentence


def test_the_training_was_too_short():
    falls = curves([1.2 - 0.01 * epoch for epoch in range(40)], [1.2] * 40)
    (found,) = of_numbers(0.05, -0.01, curves=falls)
    assert (found.finding, found.key) == ("worse_than_constant", "training.epochs")


def test_nothing_was_learned_at_all():
    (found,) = of_numbers(0.05, -0.01)
    assert (found.finding, found.key) == ("worse_than_constant", "training.optimizer.learning_rate")


def test_classes_that_are_guessed():
    (found,) = diagnose(facts(confusions=GUESSED, skill={"train": 0.3, "validation": -0.1}))
    assert found.finding == "worse_than_constant"
    assert "the shares of the classes in training (its loss is 10% higher on 200 validation rows)" in found.sentence


def test_without_validation_rows_it_is_about_the_training_rows():
    found = diagnose(facts(**NUMBERS, rows={"train": 400}, skill={"train": -0.5}, curves=curves([1.0, 0.5, 0.4, 0.39])))
    assert "underfitting" in names(found) or "worse_than_constant" in names(found)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {**NUMBERS, "skill": {"train": 0.3, "validation": 0.001}},
        {"skill": {"train": 0.9, "validation": -3.0}},
        {"confusions": GUESSED, "skill": {"train": 0.3, "validation": 0.1}},
        {**NUMBERS, "rows": {"train": 400, "validation": 20}, "skill": {"train": 0.3, "validation": -0.1}},
        {**NUMBERS, "rows": {"train": 400, "validation": 20}, "skill": {}},
    ],
    ids=["well", "a little better", "too certain and mostly right", "a better loss", "too few to know", "mixed"],
)
def test_it_is_not_said_where_it_is_not_so(changed):
    assert "worse_than_constant" not in names(diagnose(facts(**changed)))


def test_a_rule_that_says_more_is_enough():
    assert names(of_numbers(0.9, -0.4)) == {"memorising"}
    assert names(of_numbers(0.01, -0.4, curves=curves([0.7, 0.71, 0.69] * 4))) == {"underfitting"}


class TestUnscaledTarget:
    SIZE = "mean 2.1e+04, deviation 9500"

    @pytest.mark.parametrize("loss", [[0.7, 0.71, 0.69] * 4, [5e8 - 1e5 * epoch for epoch in range(12)]])
    def test_it_is_the_reason(self, loss):
        (found,) = of_numbers(-4.0, -4.1, unscaled=self.SIZE, curves=curves(loss, chance=None))
        assert (found.finding, found.key) == ("unscaled_target", "data.target.scale")
        assert f"(R² is -4.10 on 200 validation rows): it learns the target as it is ({self.SIZE})" in found.sentence
        assert "set data.target.scale to standard" in found.sentence

    def test_of_one_of_several_targets(self):
        one = facts(**NUMBERS, skill={"train": -4.0, "validation": -4.0}, unscaled=self.SIZE)
        whole = facts(task="mixed", classes=(), confusions={}, skill={})
        assert "unscaled_target" in names(diagnose_outputs(whole, {"price": one}))

    def test_it_is_not_said_where_the_model_has_learned(self):
        assert of_numbers(0.8, 0.7, unscaled=self.SIZE) == ()
        assert "unscaled_target" not in names(of_numbers(0.3, -0.2, unscaled=self.SIZE))

    def test_it_is_not_said_of_a_scaled_target(self):
        assert "unscaled_target" not in names(of_numbers(-4.0, -4.0))


class TestExtremeInputs:
    ONE = Extreme("width", 312.4, 1, 0.85)

    def test_they_are_the_reason(self):
        (found,) = of_numbers(0.9, -25.0, extreme=self.ONE)
        assert (found.finding, found.key) == ("extreme_inputs", "data.features.width")
        assert "because of 1 validation row with extreme inputs" in found.sentence
        assert "'width' that is 312 standard deviations from the mean (without that row R² is 0.85)" in found.sentence

    def test_they_are_not_where_the_others_are_as_bad(self):
        found = of_numbers(0.3, -2.0, extreme=Extreme("width", 312.4, 1, -1.9))
        assert names(found) == {"worse_than_constant"}

    def test_they_are_not_said_where_the_model_is_better_than_a_constant(self):
        assert of_numbers(0.9, 0.5, extreme=self.ONE) == ()
