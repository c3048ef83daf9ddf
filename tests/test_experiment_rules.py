"""What two sections say together: each rule with a config that breaks it, at the line of the YAML."""

from pathlib import Path

import pytest

from mltrain.errors import ConfigError
from mltrain.load import load_text

CONFIG = """\
data: {source: {type: sklearn, name: iris}, split: {type: random, validation: 0.2, test: 0.2}}
model: {type: sequential, layers: [{type: Dense, units: 4}]}
training:
  optimizer: adam
  callbacks: []
"""


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
            "c.yaml:3:21: objective.metric: 'test.accuracy' cannot be used while training: "
            "test rows choose nothing; use validation",
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
            "c.yaml:5:59: training.callbacks[0].restore_best_weights: it asks for the best weights "
            "and training.final for the last ones",
        ),
        (
            ("training:", "task: multiclass\nevaluation: {metrics: [accuracy, r2]}\ntraining:"),
            "c.yaml:4:34: evaluation.metrics[1]: 'r2' is a metric for regression, the task is multiclass",
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
