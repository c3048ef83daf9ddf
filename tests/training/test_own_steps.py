"""A model of the user's with a `train_step` of its own, in our loop and by `model.fit` on the same rows."""

import keras
import numpy as np
import pytest

from mltrain.config.plugins import Plugins
from mltrain.models.own_alternatives import OwnModels
from mltrain.models.own_model import OwnModel
from mltrain.plugins import from_file
from tests.known_data import known_data
from tests.own_parts import NETS
from tests.training.test_loop import SEED, FewSteps, by_keras, by_our_loop, data

INFO = known_data("multiclass", (4,), 3, ("a", "b", "c"))


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    path = tmp_path_factory.mktemp("plugin") / "nets.py"
    path.write_text(NETS)
    return Plugins(from_file(path)).parts


def compiled(model):
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    model._symbolic_build(data_batch=(keras.KerasTensor((2, 4)), keras.KerasTensor((2,), dtype="int32")))
    return model


def spec(parts, value) -> OwnModel:
    from mltrain.models import MODELS

    arguments = {key: each for key, each in value.items() if key != "type"}
    return OwnModels(parts, MODELS.check).check(value["type"], arguments, None)


def built(parts, value):
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(SEED)
    return compiled(spec(parts, value).build(INFO, None))


STEP = {"type": "Penalty", "penalty": 0.05, "network": {"type": "mlp", "units": [8], "dropout": 0.2}}
NET = {"type": "PenaltyNet", "penalty": 0.05, "width": 8}


def by_hand(parts, value):
    """Return the model as Keras' user writes it, without mltrain."""
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(SEED)
    made = parts.find("model", value["type"]).made
    if value is NET:
        return compiled(made(head_units=3, head_activation="softmax", width=8, penalty=0.05))
    inputs = keras.Input((4,))
    hidden = keras.layers.Dropout(0.2)(keras.layers.Dense(8, activation="relu")(inputs))
    return compiled(made(inputs, keras.layers.Dense(3, activation="softmax")(hidden), penalty=0.05))


@pytest.mark.parametrize("value", [STEP, NET], ids=["a step of a network", "a network with a step"])
def test_it_trains_as_model_fit_does(parts, value):
    train, validation = data((4,), 107, 1), data((4,), 43, 2)
    ours = built(parts, value)
    theirs = by_hand(parts, value)
    assert [each.shape for each in ours.trainable_variables] == [each.shape for each in theirs.trainable_variables]
    for mine, other in zip(ours.variables, theirs.variables, strict=True):  # the seeds of dropout, too
        other.assign(mine)
    histories = by_our_loop(ours, train, validation, FewSteps()), by_keras(theirs, train, validation)
    for mine, other in zip(*histories, strict=True):
        assert mine == pytest.approx(other, rel=1e-5)
    for mine, other in zip(ours.trainable_variables, theirs.trainable_variables, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)


def test_the_penalty_is_in_the_training(parts):
    """Without it the weights are larger: the step that ran is the user's."""
    sizes = []
    for penalty in (0.0, 0.5):
        model = built(parts, {**STEP, "penalty": penalty})
        by_our_loop(model, data((4,), 107, 1), data((4,), 43, 2), FewSteps())
        sizes.append(sum(float((each.numpy() ** 2).sum()) for each in model.trainable_variables))
    assert sizes[1] < 0.9 * sizes[0]
