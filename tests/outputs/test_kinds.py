"""Each kind of output: complete, in the one list, and known elsewhere by what it answers."""

import ast
import subprocess
import sys
from typing import get_args

import keras
import numpy as np
import pytest

from mltrain.evaluation.baselines import linear_baseline
from mltrain.evaluation.catalogue import DEFAULTS, loss_metric
from mltrain.evaluation.influence import DERIVATIVES
from mltrain.keras_api.components import make
from mltrain.outputs import KINDS, number_kind
from mltrain.task import Task, TaskOfClasses, TaskOfNumbers, TaskOfOutputs, TaskOfSeveral
from mltrain.training.targets import LOSSES, METRICS, loss_misfit, metric_misfit
from tests.conftest import REPOSITORY
from tests.known_data import known_data

PACKAGE = REPOSITORY / "mltrain"
# Targets of different kinds have no loss, metric or baseline of their own: each part has those of its kind.
_NAMED = {name: kind for name, kind in KINDS.items() if not kind.mixed}
of_one_kind = pytest.mark.parametrize("kind", _NAMED.values(), ids=_NAMED)


def test_the_list_has_the_tasks_of_the_type():
    assert tuple(KINDS) == get_args(Task)
    for kinds, names in (
        ([kind for kind in KINDS.values() if kind.of_classes], TaskOfClasses),
        ([kind for kind in KINDS.values() if kind.of_numbers and not kind.several], TaskOfNumbers),
        ([kind for kind in KINDS.values() if kind.several and not kind.mixed], TaskOfSeveral),
        ([kind for kind in KINDS.values() if kind.mixed], TaskOfOutputs),
    ):
        assert tuple(kind.name for kind in kinds) == get_args(names)


def test_each_kind_has_a_file_of_its_own():
    files = {type(kind).__module__.rpartition(".")[2] for kind in KINDS.values()}
    assert files == {path.stem for path in (PACKAGE / "outputs").glob("*.py")} - {"__init__", "kind", "each_output"}
    assert len(files) == len(KINDS)


@of_one_kind
def test_what_a_kind_names_is_there_and_fits_it(kind):
    assert callable(keras.activations.get(kind.activation))
    loss = make("loss", kind.loss)
    assert set(kind.losses) <= set(LOSSES)
    assert loss_misfit(loss, kind.name, scaled=False) is None
    assert metric_misfit(make("metric", kind.training_metric), kind.name, loss, scaled=False) is None
    assert all(kind.name in metric.fitting for metric in DEFAULTS[kind.name])
    assert loss_metric(kind.name).type in DERIVATIVES
    assert kind.headline in {"", *(metric.name for metric in DEFAULTS[kind.name])}
    assert {kind.target_form(name) for name in kind.losses} == set(kind.forms)
    assert any(set(kind.forms) & set(forms) for forms in METRICS.values())
    assert (KINDS[kind.each].each, KINDS[kind.each].several) == (kind.each, False)
    assert (number_kind(kind.name) is not None) == kind.of_numbers


@of_one_kind
def test_the_linear_baseline_has_the_name_of_the_kind(kind):
    draw = np.random.default_rng(0)
    inputs = {"x": draw.normal(size=(60, 2)).astype(np.float32)}
    truth = np.arange(60) % 2 if number_kind(kind.name) is None else np.arange(60.0)
    classes = ("a", "b", "c")[: kind.width(3) + 1]
    width = 2 if kind.several else kind.width(len(classes))
    targets = ("rain", "wind") if kind.several else ()
    info = known_data(kind.name, (2,), width, classes, rows=60, targets=targets)
    fitted = linear_baseline(info, inputs, np.stack([truth, truth], axis=1) if kind.several else truth, 0)
    assert fitted.name == kind.linear
    assert fitted.predict(inputs).shape == ((60, width) if width > 1 else (60,))


@of_one_kind
def test_predictions_become_columns(kind):
    width = 2 if kind.several or kind.width(2) == 2 else 1
    outputs = np.array([[0.75, 0.25], [0.25, 0.75]])[:, :width]
    predictions = kind.shaped(outputs)
    found = kind.columns(predictions, 0.5)
    assert [column.tolist() for column in found.decided] == {
        "binary": [[1, 0]],
        "multiclass": [[0, 1]],
        "multilabel": [[1, 0], [0, 1]],
    }.get(kind.name, [])
    assert found.values[-1].tolist() == outputs[:, -1].tolist()
    assert len(found.values) == (2 if kind.of_classes or kind.several else 1)
    if kind.of_numbers:
        with pytest.raises(TypeError, match="are numbers"):
            kind.decide(predictions)


def test_the_kinds_import_neither_numpy_nor_tensorflow():
    code = "import sys, mltrain.outputs; sys.exit(bool({'numpy', 'tensorflow', 'keras'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


def nodes(path, kind):
    """Return the nodes of one kind in the syntax tree of a file."""
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, kind)]


def files_with(found):
    return {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if found(path)}


def test_the_name_of_a_kind_is_in_few_places():
    """What a task needs is in its kind: beside that the name of a count is in the type of the tasks and in the metric
    that only counts have, and the kind in the list."""
    named = files_with(lambda path: any(node.value == "count" for node in nodes(path, ast.Constant)))
    other = {"procedures/evaluate.py", "training/stochastic_weight_averaging.py"}  # keys of what they write
    assert named - other == {"outputs/count.py", "task.py", "evaluation/catalogue.py"}
    imported = files_with(
        lambda path: any(each.module == "mltrain.outputs.count" for each in nodes(path, ast.ImportFrom))
    )
    assert imported == {"outputs/__init__.py", "evaluation/losses.py"}  # the list, and the formula of that metric
