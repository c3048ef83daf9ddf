"""What two sections say together: each rule with a config that breaks it, at the line of the YAML."""

from pathlib import Path

import pytest

from mltrain.config.load import load_text
from mltrain.errors import ConfigError

CONFIG = """\
data: {source: {type: sklearn, name: iris}, split: {type: random, validation: 0.2, test: 0.2}}
model: {type: sequential, layers: [{type: Dense, units: 4}]}
training:
  optimizer: adam
  callbacks: []
"""


COMPONENT = "(a name, or a mapping with a 'type')"


def problems(*replaced):
    text = CONFIG
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    try:
        load_text(text.encode(), "c.yaml", Path("/"))
    except ConfigError as error:
        return [problem.line() for problem in error.problems]
    return []


def test_the_config_itself_is_fine():
    assert problems() == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("training:", "objective: validation.acuracy\ntraining:"),
            "c.yaml:3:12: objective.metric: 'validation.acuracy' will not be measured "
            "(did you mean 'validation.accuracy'?)",
        ),
        (
            ("training:", "objective: {metric: test.accuracy}\ntraining:"),
            "c.yaml:3:21: objective.metric: 'test.accuracy' cannot be used during training: "
            "test rows are never used to choose anything; use validation",
        ),
        (
            ("validation: 0.2, test: 0.2}}", "validation: 0, test: 0.2}}\nobjective: validation.loss"),
            "c.yaml:2:12: objective.metric: 'validation.loss' will not be measured: "
            "there are no validation rows (data.split.validation)",
        ),
        (
            ("callbacks: []", "callbacks: [{type: EarlyStopping, monitor: val_acuracy}]"),
            "c.yaml:5:46: training.callbacks[0].monitor: 'validation.acuracy' will not be measured "
            "(did you mean 'validation.accuracy'?)",
        ),
        (
            ("callbacks: []", "stop_when: validation.speed >= 1"),
            "c.yaml:5:14: training.stop_when: 'validation.speed' will not be measured",
        ),
        (
            ("callbacks: []", "stop_when: accuracy is good"),
            "c.yaml:5:14: training.stop_when: expected 'split.metric >= number'",
        ),
        (
            ("validation: 0.2, test: 0.2", "validation: 0.5, test: 0.5"),
            "leaves nothing for training",
        ),
        (
            (
                "optimizer: adam\n  callbacks: []",
                "optimizer: {type: SGD, learning_rate: {type: CosineDecay, initial_learning_rate: 0.1,"
                " decay_steps: 9}}\n  callbacks: [ReduceLROnPlateau]",
            ),
            "c.yaml:5:15: training.callbacks[0]: ReduceLROnPlateau cannot change a learning rate that follows a",
        ),
        (
            ("callbacks: []", "callbacks: [{type: EarlyStopping, restore_best_weights: true}]\n  final: last"),
            "c.yaml:5:59: training.callbacks[0].restore_best_weights: this restores the best weights, "
            "but training.final is last",
        ),
        (
            ("training:", "task: multiclass\nevaluation: {metrics: [accuracy, r2]}\ntraining:"),
            "c.yaml:4:34: evaluation.metrics[1]: 'r2' is a metric for regression, count and multiregression, the task "
            "is multiclass",
        ),
        (
            ("training:", "task: binary\ntraining:\n  loss: CategoricalCrossentropy"),
            "c.yaml:5:9: training.loss: CategoricalCrossentropy is a loss for multiclass, the task is binary (expected",
        ),
        (
            ("optimizer: adam", "loss: CTC"),
            "c.yaml:4:9: training.loss: CTC fits no task: ",
        ),
        (
            ("training:", "task: multiclass\ntraining:\n  metrics: [accuracy, Precision]"),
            "c.yaml:5:23: training.metrics[1]: Precision compares with one-hot classes, and the loss "
            "SparseCategoricalCrossentropy with class numbers",
        ),
        (
            ("optimizer: adam", "loss: Dice\n  class_weight: balanced"),
            "c.yaml:5:17: training.class_weight: Dice gives one loss for all rows of a batch, so classes cannot",
        ),
        (
            ("optimizer: adam", "loss: {type: Tversky, axis: [0, 1]}\n  class_weight: {1: 2}"),
            "training.class_weight: Tversky gives one loss for all rows of a batch, so classes cannot be weighted",
        ),
        (
            ("optimizer: adam", "metrics: [mse, {type: MeanSquaredError, name: loss}]"),
            "c.yaml:4:18: training.metrics[1]: 'loss' is the name of the loss",
        ),
        (
            ("optimizer: adam", "metrics: [accuracy, BinaryAccuracy]"),
            "c.yaml:4:23: training.metrics[1]: 'accuracy' is listed twice",
        ),
        (
            ("[{type: Dense, units: 4}]", "[{type: Dense, units: 4, name: a}, {type: Dense, units: 4, name: a}]"),
            "c.yaml:2:100: model.layers[1].name: layers[0] has the name 'a' already",
        ),
        (
            (
                "{type: sequential, layers: [{type: Dense, units: 4}]}\ntraining:",
                "mlp\ntraining:\n  loss: {type: BinaryCrossentropy, from_logits: true}",
            ),
            "c.yaml:4:49: training.loss.from_logits: a model of type mlp ends in probabilities: remove from_logits",
        ),
        (
            ("layers: [", "layers: [Concatenate, "),
            "c.yaml:2:36: model.layers[0]",
        ),
    ],
)
def test_a_rule_that_is_broken(change, expected):
    (line,) = problems(change)
    assert expected in line


@pytest.mark.parametrize("name", ["val_accuracy", "val_acc", "validation.acc", "validation.accuracy"])
def test_a_metric_is_found_in_every_spelling(name):
    assert problems(("callbacks: []", f"stop_when: {name} >= 0.9\nobjective: {name}")) == []


def test_a_rule_is_checked_although_something_else_is_wrong():
    found = problems(
        ("  optimizer: adam", "  optimiser: adam"), ("training:", "objective: validation.acuracy\ntraining:")
    )
    assert [line.split(": ")[1] for line in found] == ["objective.metric", "training.optimiser"]


def test_a_rule_is_left_out_when_what_it_needs_is_wrong():
    found = problems(("validation: 0.2", "validation: many"), ("training:", "objective: validation.loss\ntraining:"))
    assert [line.split(": ")[1] for line in found] == ["data.split.validation"]


@pytest.mark.parametrize(
    ("metric", "hint"),
    [
        ("validation.f2", "(measured are train.loss"),
        ("validation.log_los", "(did you mean 'validation.log_loss'?)"),
        ("valid.accuracy", "(did you mean 'validation.accuracy'?)"),
    ],
)
def test_a_suggestion_is_by_the_name_of_the_metric(metric, hint):
    (line,) = problems(("training:", f"objective: {metric}\ntraining:"))
    assert hint in line


def test_a_metric_that_is_not_there_is_not_taken_for_another():
    (line,) = problems(
        (
            "training:",
            "objective: validation.acc\nevaluation: {metrics: [pr_auc]}\ntask: binary\ntraining:\n  metrics: []",
        )
    )
    assert line.endswith("will not be measured (measured are train.loss, validation.loss, validation.pr_auc)")


def test_a_monitor_without_validation_rows_has_the_same_reason_as_the_objective():
    monitor, objective = problems(
        ("validation: 0.2, test", "test"),
        ("callbacks: []", "callbacks: [{type: EarlyStopping, monitor: val_loss}]\nobjective: validation.loss"),
        ("type: random,", "type: random, validation: 0,"),
    )
    reason = "'validation.loss' will not be measured: there are no validation rows (data.split.validation)"
    assert monitor.endswith(reason)
    assert objective.endswith(reason)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("split: {", "features: {a: 5}, split: {"),
            f"data.features.a: expected a feature {COMPONENT}, received 5",
        ),
        (("[{type: Dense, units: 4}]", "[3]"), f"model.layers[0]: expected a layer {COMPONENT}, received 3"),
        (("optimizer: adam", "metrics: [3]"), f"training.metrics[0]: expected a metric {COMPONENT}, received 3"),
        (
            ("optimizer: adam", "metrics: [null]"),
            f"training.metrics[0]: expected a metric {COMPONENT}, received nothing (null)",
        ),
        (
            ("{type: sequential, layers: [{type: Dense, units: 4}]}", "{type: linear, units: [3]}"),
            "model.units: unknown key: it is a key of type tabular or mlp or fusion or rnn, but this is linear (",
        ),
        (
            ("optimizer: adam", "checkpoint: {every: 3}"),
            "training.checkpoint.every: expected a cadence such as '60s', '10m', '500 steps' or '1 epoch', received",
        ),
        (("optimizer: adam", "stop_when: 3"), "training.stop_when: expected 'split.metric >= number', such as 'valid"),
        (("units: 4", "units: 4, name: a b"), "model.layers[0].name: expected a name of letters, digits, '_', '.' and"),
    ],
)
def test_a_message_says_what_was_received_and_what_was_expected(change, expected):
    (line,) = problems(change)
    assert expected in line
