"""Each rule where it must speak, and where it must not."""

import math

import numpy as np
import pytest

from mltrain.data.audit.strengths import column_strengths
from mltrain.evaluation.diagnosis import Curves, Facts, diagnose, diagnose_at_once
from mltrain.evaluation.diagnosis.facts import DeadUnits
from mltrain.evaluation.diagnosis.skill import skill

LN2 = math.log(2)
# A training that is well: both losses fall and level off.
WELL = [0.7 * 0.7**epoch + 0.2 for epoch in range(12)]


def curves(train, validation=(), *, exhausted=True, chance=LN2, **more):
    columns = {"epoch": list(range(1, len(train) + 1)), "train.loss": list(train)}
    if validation:
        columns["validation.loss"] = list(validation)
    return Curves(columns | more, len(train), exhausted, chance)


def facts(**changed):
    usual = {
        "task": "binary",
        "classes": ("no", "yes"),
        "curves": curves(WELL, [value + 0.05 for value in WELL], exhausted=False),
        "rows": {"train": 400, "validation": 200},
        "confusions": {"train": [[180, 20], [20, 180]], "validation": [[85, 15], [15, 85]]},
        "skill": {"train": 0.6, "validation": 0.5},
        "sampled": 256,
        "dead": (DeadUnits("dense", 3, 64),),
        "strengths": {"age": 0.6, "size": 0.3},
    }
    return Facts(**(usual | changed))


def names(found):
    return {each.finding for each in found}


def of_curves(*arguments, **options):
    return names(diagnose(facts(curves=curves(*arguments, **options))))


def test_a_training_that_is_well_is_left_alone():
    assert diagnose(facts()) == ()
    assert diagnose_at_once(facts().curves) == ()


def test_every_finding_names_a_key_and_says_a_number():
    found = diagnose(
        facts(
            curves=curves([900.0, *WELL], [0.4 + 0.02 * epoch for epoch in range(13)]),
            confusions={"train": [[180, 20], [20, 180]], "validation": [[0, 100], [0, 100]]},
            rows={"train": 400, "validation": 40},
            dead=(DeadUnits("dense", 60, 64),),
            strengths={"age": 0.6, "answer": 1.0},
        )
    )
    assert len(found) >= 5
    for each in found:
        assert each.key.split(".")[0] in ("data", "model", "training")
        assert any(char.isdigit() for char in each.sentence)


class TestOverfitting:
    FALLS = [0.7 * 0.8**epoch for epoch in range(12)]

    def test_it_is_found_also_at_once(self):
        rises = [0.6, 0.5, 0.45, 0.44, 0.46, 0.5, 0.55, 0.6, 0.62, 0.65, 0.7, 0.71]
        found = curves(self.FALLS, rises)
        assert names(diagnose_at_once(found)) == {"overfitting"}
        (said,) = diagnose(facts(curves=found))
        assert (
            "after epoch 4 the validation loss rises from 0.44 to 0.687 while the training loss falls" in said.sentence
        )
        assert ("use EarlyStopping" in said.sentence) is found.exhausted
        assert "stop there" not in said.sentence  # a later epoch may be better: nobody can know

    @pytest.mark.parametrize(
        "validation",
        [
            [value + 0.1 for value in FALLS],
            [0.6, 0.5, 0.45, 0.44, 0.44, 0.45, 0.44, 0.45, 0.44, 0.45, 0.44, 0.45],
            [0.6, 0.5, 0.45, 0.6, 0.44, 0.43, 0.42, 0.42, 0.41, 0.41, 0.4, 0.9],
            [0.6, 0.5, 0.4, 0.5, 0.4, 0.5, 0.4, 0.5, 0.4, 0.5, 0.4, 0.5],
            [0.6, 0.5, 0.45, 0.44, 0.46, 0.5, 0.55, 0.6, 0.62, 0.65, 0.7],
            [0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.44, 0.5, 0.55, 0.6, 0.65, 0.7],
            [9.0, 4.0, 0.9, 0.6, 0.61, 0.66, 0.7, 0.75, 0.8, 0.8, 0.8, 0.8],
            [0.6, 0.5, 0.45, 0.44, 0.9, 0.8, 0.7, 0.65, 0.6, 0.58, 0.56, 0.54],
            [0.7, 0.01, 0.001, 0.0011, 0.0012, 0.0013, 0.0014, 0.0014, 0.0014, 0.0014, 0.0015, 0.0015],
            [],
        ],
        ids=[
            *("falls", "level", "one bad epoch", "noise", "too early", "shorter than the way to the best"),
            *("little of what it had fallen", "falls again", "nothing to speak of", "none"),
        ],
    )
    def test_it_is_not_seen_where_it_is_not(self, validation):
        assert "overfitting" not in names(diagnose_at_once(curves(self.FALLS, validation)))

    def test_a_validation_loss_that_rises_with_the_training_loss_is_another_fault(self):
        both = [0.6, 0.5, 0.45, 0.44, 0.46, 0.5, 0.55, 0.6, 0.62, 0.65, 0.7, 0.71]
        assert "overfitting" not in names(diagnose_at_once(curves(both, both)))


def test_a_history_that_others_have_changed_is_no_bug():
    for columns in ({}, {"validation.loss": [0.5 + epoch for epoch in range(9)]}, {"train.loss": []}):
        changed = Curves(columns, 9, exhausted=True, chance_loss=LN2)
        assert diagnose(facts(curves=changed)) == ()
    assert names(diagnose_at_once(curves([1.0, 0.0, 1.0, 0.0, 1.0]))) == {"high_learning_rate"}


class TestFirstLoss:
    def test_large_outputs(self):
        (found,) = diagnose_at_once(curves([25.0]))
        assert found.sentence.startswith("the training loss of the first epoch is 25, ")
        assert "0.693" in found.sentence

    @pytest.mark.parametrize(("loss", "chance"), [(0.7, LN2), (1.9, LN2), (25.0, None), (5.0, math.log(10))])
    def test_what_a_net_may_have(self, loss, chance):
        assert diagnose_at_once(curves([loss], chance=chance)) == ()


class TestHighLearningRate:
    @pytest.mark.parametrize(
        "loss",
        [[0.7, 0.4, 0.9, 0.5, 0.3, 0.8, 0.4], [0.7, 0.9, 1.3, 2.5]],
        ids=["jumps", "ends above its start"],
    )
    def test_it_is_found_at_once(self, loss):
        assert names(diagnose_at_once(curves(loss))) == {"high_learning_rate"}

    @pytest.mark.parametrize(
        "loss",
        [
            WELL,
            [0.7, 0.4, 0.9, 0.3, 0.2, 0.1],
            [0.5, 0.4, 0.45, 0.38, 0.43, 0.36, 0.41],
            [1.0, 1e-3, 1e-5, 1e-4, 1e-6, 1e-4],
            [0.7, 0.71],
        ],
        ids=["well", "one jump", "noise", "noise near zero", "two epochs"],
    )
    def test_it_is_not_seen_where_it_is_not(self, loss):
        assert diagnose_at_once(curves(loss)) == ()


class TestTooSlow:
    def test_the_epochs_ran_out(self):
        falls = [0.9**epoch for epoch in range(20)]
        assert of_curves(falls, falls) == {"still_falling"}
        assert of_curves(falls) == {"still_falling"}

    def test_small_steps(self):
        slow = [0.7 - 0.002 * epoch for epoch in range(10)]
        assert of_curves(slow, slow) == {"low_learning_rate"}

    def test_a_slow_training_is_not_called_underfitting(self):
        slow = curves([0.7 - 0.002 * epoch for epoch in range(10)])
        nothing = {"train": [[0, 200], [0, 200]], "validation": [[50, 50], [50, 50]]}
        found = diagnose(facts(curves=slow, skill={"train": 0.0, "validation": 0.0}, confusions=nothing))
        assert names(found) == {"low_learning_rate"}

    @pytest.mark.parametrize(
        ("train", "validation", "exhausted"),
        [
            ([0.9**epoch for epoch in range(20)], [0.9**epoch for epoch in range(20)], False),
            ([0.9**epoch for epoch in range(20)], [0.5] * 20, True),
            ([0.9**epoch for epoch in range(19)] + [0.2], [], True),
            ([2.0, 0.1, *(0.01 * 0.9**epoch for epoch in range(18))], [], True),
            ([0.7] * 20, [], True),
        ],
        ids=["stopped early", "validation is level", "no longer", "a tail", "never moved"],
    )
    def test_it_is_not_seen_where_it_is_not(self, train, validation, exhausted):
        assert not {"still_falling", "low_learning_rate"} & of_curves(train, validation, exhausted=exhausted)


class TestPlateau:
    def test_half_for_nothing(self):
        level = [*WELL, *[0.2] * 30]
        assert of_curves(level, level) == {"plateau"}

    @pytest.mark.parametrize(
        ("train", "validation"),
        [
            ([*WELL, *[0.2] * 5], []),
            ([*WELL, *[0.2] * 30], [0.9 - 0.01 * epoch for epoch in range(42)]),
            ([5.0, 0.2, *(0.1 * 0.99**epoch for epoch in range(60))], []),
        ],
        ids=["few epochs", "validation moves", "still falls slowly"],
    )
    def test_it_is_not_seen_where_it_is_not(self, train, validation):
        assert "plateau" not in of_curves(train, validation)


class TestMemorising:
    NOISE = {"train": [[190, 10], [10, 190]], "validation": [[50, 50], [49, 51]]}

    def test_it_is_not_called_overfitting(self):
        rises = curves([0.7 * 0.8**epoch for epoch in range(12)], [0.7 + 0.1 * epoch for epoch in range(12)])
        (found,) = diagnose(facts(confusions=self.NOISE, curves=rises))
        assert found.finding == "memorising"
        assert (
            "the accuracy is 0.95 on training rows, but 0.51 on validation rows, no better than guessing"
            in found.sentence
        )

    def test_of_numbers(self):
        found = diagnose(facts(task="regression", classes=(), confusions={}, skill={"train": 0.9, "validation": -0.4}))
        assert names(found) == {"memorising"}

    def test_a_score_of_nonsense_scale_is_not_written_out(self):
        wild = {"train": 0.9, "validation": -2.9e31}
        (found,) = diagnose(facts(task="regression", classes=(), confusions={}, skill=wild))
        assert "R² is 0.90 on training rows and below -100 on validation rows" in found.sentence

    @pytest.mark.parametrize(
        "changed",
        [
            {},
            {"confusions": {"train": [[190, 10], [10, 190]], "validation": [[70, 30], [30, 70]]}},
            {"confusions": NOISE, "rows": {"train": 400, "validation": 40}},
            {"confusions": {"train": [[110, 90], [90, 110]], "validation": [[50, 50], [49, 51]]}},
            {"task": "regression", "classes": (), "confusions": {}, "skill": {"train": 0.9, "validation": 0.2}},
        ],
        ids=["well", "overfitting only", "too few to know", "both poor", "R² above 0"],
    )
    def test_it_is_not_seen_where_it_is_not(self, changed):
        assert "memorising" not in names(diagnose(facts(**changed)))


class TestUnderfitting:
    NOTHING = {"train": [[0, 200], [0, 200]], "validation": [[50, 50], [50, 50]]}
    FLAT = [0.7, 0.71, 0.69] * 4

    def test_no_better_than_a_constant(self):
        found = diagnose(
            facts(confusions=self.NOTHING, skill={"train": 0.001, "validation": 0.0}, curves=curves(self.FLAT))
        )
        assert names(found) == {"underfitting"}

    def test_running_means_that_are_not_there_yet_explain_it(self):
        nothing = {"confusions": self.NOTHING, "skill": {"train": 0.0, "validation": 0.0}}
        falling = curves([1.1, 0.5, 0.1], [0.7] * 3)
        (found,) = diagnose(facts(**nothing, curves=falling, slowest_momentum=0.999, steps=12))
        assert (found.finding, found.key) == ("early_statistics", "training.epochs")
        assert "after 12 steps its running means are still 98 % of" in found.sentence
        assert "train for about 2,302 steps" in found.sentence

    @pytest.mark.parametrize(
        "changed",
        [{"steps": 1000}, {"slowest_momentum": 0.0}, {"skill": {"train": 0.5, "validation": 0.4}}],
        ids=["enough steps", "no such layer", "it has learned"],
    )
    def test_running_means_are_left_alone(self, changed):
        nothing = {"confusions": self.NOTHING, "skill": {"train": 0.0, "validation": 0.0}}
        given = {**nothing, "curves": curves(self.FLAT), "slowest_momentum": 0.999, "steps": 12, **changed}
        assert "early_statistics" not in names(diagnose(facts(**given)))

    def test_of_numbers(self):
        skill = {"train": 0.01, "validation": 0.01}
        found = diagnose(facts(task="regression", classes=(), confusions={}, skill=skill, curves=curves(self.FLAT)))
        assert names(found) == {"underfitting"}

    def test_a_loss_of_nonsense_scale_is_not_written_out(self):
        skill = {"train": -2.9e31, "validation": -2.9e31}
        (found,) = diagnose(facts(task="regression", classes=(), confusions={}, skill=skill, curves=curves(self.FLAT)))
        assert "not better than a constant answer (its loss is higher); try" in found.sentence

    def test_a_loss_that_still_falls_is_being_learned(self):
        falls = curves([1.2 - 0.01 * epoch for epoch in range(40)], [1.2] * 40)
        found = diagnose(facts(confusions=self.NOTHING, skill={"train": 0.001, "validation": 0.0}, curves=falls))
        assert "underfitting" not in names(found)

    def test_a_rare_class_below_one_half_is_learned_all_the_same(self):
        rare = {"train": [[380, 0], [20, 0]], "validation": [[191, 0], [9, 0]]}
        assert diagnose(facts(confusions=rare, skill={"train": 0.3, "validation": 0.3})) == ()

    def test_probabilities_that_are_none_do_not_count_where_the_classes_are_right(self):
        assert diagnose(facts(skill={"train": -3.0, "validation": -3.0})) == ()


class TestNeverPredicted:
    def test_it_is_named(self):
        three = {"train": [[170, 0, 0], [60, 0, 0], [0, 0, 170]], "validation": [[80, 0, 5], [30, 0, 20], [5, 0, 60]]}
        (found,) = diagnose(facts(task="multiclass", classes=("a", "b", "c"), confusions=three))
        assert (found.finding, found.key) == ("never_predicted", "training.class_weight")
        assert "weight the classes" in found.sentence
        assert "never predicted on 200 validation rows: 'b' (50 rows)" in found.sentence

    @pytest.mark.parametrize(
        ("train", "weighted"), [([100, 100, 100], False), ([100, 60, 100], False), ([170, 60, 170], True)]
    )
    def test_weights_are_not_advised_where_classes_are_equally_large_or_weighted_already(self, train, weighted):
        seen = {"train": [[train[0], 0, 0], [train[1], 0, 0], [0, 0, train[2]]], "validation": [[60, 0, 0]] * 3}
        all_found = diagnose(facts(task="multiclass", classes=("a", "b", "c"), confusions=seen, weighted=weighted))
        (found,) = (each for each in all_found if each.finding == "never_predicted")
        assert found.key == "training.epochs"
        assert "weight" not in found.sentence

    @pytest.mark.parametrize("rows", [0, 3])
    def test_a_class_that_hardly_occurs_is_none(self, rows):
        three = {"train": [[100, 0, 0]] * 3, "validation": [[90, 0, 5], [rows, 0, 0], [5, 0, 95]]}
        assert diagnose(facts(task="multiclass", classes=("a", "b", "c"), confusions=three)) == ()


class TestDeadUnits:
    def test_half_of_a_layer(self):
        (found,) = diagnose(facts(dead=(DeadUnits("dense", 40, 64), DeadUnits("dense_1", 2, 64))))
        assert "40 of 64 in dense give 0 for each of 256 training rows" in found.sentence
        assert "dense_1" not in found.sentence

    @pytest.mark.parametrize(
        "changed", [{"dead": (DeadUnits("d", 31, 64),)}, {"dead": (DeadUnits("d", 64, 64),), "sampled": 40}]
    )
    def test_a_few_are_usual_and_few_rows_show_nothing(self, changed):
        assert diagnose(facts(**changed)) == ()


class TestRows:
    def test_twelve_students(self):
        few = {"rows": {"train": 12}, "confusions": {"train": [[4, 2], [3, 3]]}, "skill": {"train": 0.0}}
        (found,) = diagnose(facts(curves=curves([0.8, 0.7, 0.75]), **few))
        assert found.finding == "too_few_rows"
        assert "there are 12 training rows and none are held out for validation" in found.sentence
        assert "an accuracy of 0.58 on so few rows may mean 0.32 to 0.81" in found.sentence  # Wilson for 7 of 12

    def test_a_small_validation(self):
        (found,) = diagnose(facts(rows={"train": 400, "validation": 40}))
        assert found.finding == "small_validation"
        assert found.sentence == (
            "40 validation rows are too few to distinguish epochs that differ by less than 0.15 in accuracy; "
            "use 300 or more to see differences of 0.02"
        )

    def test_a_small_validation_of_a_regression_has_advice_on_its_error(self):
        """1.96 / √(2 · 48) = 20 %; 48 · (20.0 / 5)² = 768.3, in tens."""
        few = {"rows": {"train": 400, "validation": 48}, "confusions": {}, "classes": ()}
        found = [each for each in diagnose(facts(task="regression", **few)) if each.finding == "small_validation"]
        assert [each.sentence for each in found] == [
            "48 validation rows are too few to choose the best epoch: they measure a root mean squared error only to "
            "± 20%; use about 770 to measure it to ± 5%"
        ]

    @pytest.mark.parametrize("rows", [{"train": 400}, {"train": 400, "validation": 60}])
    def test_enough_or_none_at_all(self, rows):
        confusions = {name: facts().confusions[name] for name in rows}
        assert diagnose(facts(rows=rows, confusions=confusions)) == ()


class TestLeaks:
    def test_the_column_is_named(self):
        (found,) = diagnose(facts(strengths={"age": 0.6, "paid_back": 1.0}))
        assert (found.finding, found.key) == ("leaked_feature", "data.features.paid_back")

    def test_one_column_is_there_to_tell_the_target(self):
        assert diagnose(facts(strengths={"x": 1.0})) == ()
        assert diagnose(facts(strengths=None)) == ()
        assert diagnose(facts(strengths={"age": 0.99, "size": 0.5})) == ()

    def test_all_right_after_one_epoch(self):
        perfect = curves(WELL, WELL, exhausted=False, **{"validation.accuracy": [1.0] * 12})
        found = diagnose(facts(curves=perfect, strengths={"age": 0.98, "size": 0.5}))
        assert names(found) == {"perfect_at_once"}
        assert "'age', 0.980 of 1" in found[0].sentence
        (found,) = diagnose(facts(curves=perfect, repeated="60 of 200 validation rows are training rows too"))
        assert found.key == "data.split"
        assert found.sentence.endswith(": 60 of 200 validation rows are training rows too")

    def test_all_right_later_is_learned(self):
        learned = curves(WELL, WELL, exhausted=False, **{"validation.accuracy": [0.9, *[1.0] * 11]})
        assert diagnose(facts(curves=learned)) == ()


class TestColumnStrengths:
    DRAW = np.random.default_rng(0)
    NOISE = DRAW.normal(size=600)

    def test_two_classes(self):
        truth = np.repeat([0, 1], 300)
        x = np.column_stack([self.NOISE, truth * 5.0 + np.abs(self.NOISE), -truth, np.ones(600)]).astype(np.float32)
        found = column_strengths(x, ["noise", "shifted", "copy", "constant"], truth, "binary")
        assert found["noise"] < 0.2
        assert 0.9 < found["shifted"] <= 1
        assert (found["copy"], found["constant"]) == (1, 0)

    def test_it_is_the_area_under_the_curve(self):
        from sklearn.metrics import roc_auc_score

        truth = (self.NOISE + self.DRAW.normal(size=600) > 0).astype(int)
        values = np.round(self.NOISE, 1).astype(np.float32)
        (found,) = column_strengths(values[:, None], ["x"], truth, "binary").values()
        assert found == pytest.approx(2 * roc_auc_score(truth, values) - 1, abs=1e-12)

    def test_categories_of_several_encoded_columns(self):
        truth = np.arange(600) % 3
        one_hot = np.eye(6)[2 * truth + (self.NOISE > 0)]
        mixed = np.eye(6)[self.DRAW.integers(6, size=600)]
        x = np.hstack([one_hot, mixed])
        assert column_strengths(x, ["leak"] * 6 + ["other"] * 6, truth, "multiclass") == {
            "leak": 1.0,
            "other": pytest.approx(0.05, abs=0.1),
        }

    def test_more_classes_in_intervals(self):
        truth = np.arange(600) % 3
        inside = truth + self.DRAW.uniform(0, 0.9, size=600)
        x = np.column_stack([inside, inside + (np.arange(600) == 3)])
        found = column_strengths(x, ["apart", "one crosses"], truth, "multiclass")
        assert found == {"apart": 1.0, "one crosses": 0.0}

    def test_numbers(self):
        truth = self.NOISE * 3 + 2
        x = np.column_stack([self.NOISE, self.DRAW.normal(size=600), np.ones(600)])
        found = column_strengths(x, ["same", "other", "constant"], truth, "regression")
        assert found["same"] == pytest.approx(1)
        assert found["other"] < 0.05
        assert found["constant"] == 0

    def test_a_class_of_a_few_rows_is_told_by_luck(self):
        truth = np.zeros(600, int)
        truth[:3] = 1
        assert column_strengths(truth[:, None].astype(float), ["x"], truth, "binary") == {"x": 0.0}


class TestSkill:
    def test_the_constant_answer_has_none(self):
        truth = np.array([0, 0, 0, 1])
        assert skill("binary", truth, np.full(4, 0.25), truth, 2) == pytest.approx(0)
        assert skill("multiclass", truth, np.tile([0.75, 0.25], (4, 1)), truth, 2) == pytest.approx(0)
        numbers = np.array([1.0, 2.0, 6.0])
        assert skill("regression", numbers, np.full(3, 3.0), numbers, 0) == pytest.approx(0)

    def test_a_perfect_one_has_all_and_a_wrong_one_less_than_none(self):
        truth = np.array([0, 0, 0, 1])
        assert skill("binary", truth, truth.astype(float), truth, 2) == pytest.approx(1)
        assert skill("binary", truth, 1.0 - truth, truth, 2) < -10


class TestLossesBelowZero:
    """The Poisson loss of counts: what is a part of it is measured by what it has fallen."""

    FALLS = [2 - 20 * (1 - 0.8**epoch) for epoch in range(40)]

    def of(self, *arguments, **options):
        return of_curves(*arguments, chance=None, **options) & {
            "high_learning_rate",
            "low_learning_rate",
            "overfitting",
            "plateau",
            "still_falling",
        }

    def test_a_training_that_is_well_is_left_alone(self):
        assert self.of(self.FALLS, [value + 0.5 for value in self.FALLS], exhausted=False) == set()

    def test_a_validation_loss_that_rises_by_much_is_overfitting(self):
        held_out = [*self.FALLS[:10], *(self.FALLS[9] + min(0.5 * epoch, 6) for epoch in range(1, 31))]
        assert self.of(self.FALLS, held_out) == {"overfitting"}
        little = [*self.FALLS[:10], *(self.FALLS[9] + min(0.05 * epoch, 0.6) for epoch in range(1, 31))]
        assert self.of(self.FALLS, little) == set()

    @pytest.mark.parametrize("above", [0.0, 5.0, 12.0])
    def test_a_loss_that_still_falls_is_seen_wherever_zero_is(self, above):
        train = [above - 1.0 * epoch for epoch in range(12)]
        assert self.of(train, [value + 0.5 for value in train]) == {"still_falling"}

    def test_a_plateau_is_one(self):
        flat = [*(2 - 2 * epoch for epoch in range(11)), *([-18.0] * 29)]
        assert self.of(flat, flat) == {"plateau"}
        near_zero = [*(10 - epoch for epoch in range(10)), *(-0.001 * epoch for epoch in range(31))]
        assert self.of(near_zero, near_zero) == {"plateau"}

    def test_jumps_again_and_again_are_a_high_learning_rate(self):
        jumps = [-10.0 + 12 * (epoch % 4 == 3) for epoch in range(16)]
        assert "high_learning_rate" in self.of([2.0, *jumps])
        assert self.of([2.0, *(-10.0 + 0.5 * (epoch % 4 == 3) for epoch in range(16))]) == set()
        assert "high_learning_rate" not in self.of([-1.0, 2.0, -0.5, 3.0])  # it has never fallen: no measure
