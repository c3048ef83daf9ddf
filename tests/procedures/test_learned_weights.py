"""A training that begins with weights that were learned before: of a file, of a run, and of ImageNet."""

from __future__ import annotations

import json
import shutil
import sys

import h5py
import keras
import numpy as np
import pytest

from mltrain.first_weights import imagenet
from mltrain.keras_api.components import make
from mltrain.models.backbone import taken_backbone
from mltrain.run.checkpoint_files import newest, read_checkpoint
from tests.first_weights.test_matching import disturbed, written_by_keras_2

# So small a rate changes no weight: what the run has at the end is what it began with.
CONFIG = """\
name: {name}
seed: 3
data:
  source: {{type: npz, path: {data}}}
  target: y
model: {model}
training:
  epochs: 1
  batch_size: 16
  optimizer: {{type: SGD, learning_rate: 1.0e-30}}
"""
SMALLEST = "{type: MobileNetV2, alpha: 0.35}"
STEM = "include: block_1_project_BN"


@pytest.fixture
def images(tmp_path):
    """Write images of 32 x 32 pixels."""
    numbers = np.random.default_rng(0)
    x, y = numbers.integers(0, 255, (40, 32, 32, 3)).astype("uint8"), numbers.integers(0, 2, 40)
    np.savez(tmp_path / "d.npz", x=x, y=y)
    return tmp_path


@pytest.fixture
def config(images):
    """Write a config whose model is this one."""

    def write(model, name="config.yaml", data="d.npz"):
        (images / name).write_text(CONFIG.format(name=name.removesuffix(".yaml"), model=model, data=data))
        return name

    return write


def backbone(include=None, alpha=0.35, seed=1):
    keras.utils.set_random_seed(seed)
    return disturbed(
        taken_backbone(make("backbone", "MobileNetV2", alpha=alpha), (32, 32), include, "b", imagenet=True)
    )


def last_weights(run):
    arrays, _ = read_checkpoint(newest(run / "checkpoints", "last"))
    return [arrays[place] for place in sorted(arrays)]


def record(run):
    return json.loads((run / "record.json").read_text())


def first_weights(run):
    return [each for each in record(run)["decisions"] if each["what"] == "first weights"]


def begins_with(run, arrays):
    """Return whether a run has these kernels: in BatchNormalization, mean and variance move in each step."""
    pairs = [pair for pair in zip(last_weights(run), arrays, strict=False) if pair[1].ndim > 1]
    return bool(pairs) and all(np.array_equal(one, other.astype("float32")) for one, other in pairs)


@pytest.mark.long
def test_a_backbone_from_a_file(mltrain, config, images):
    saved = backbone("block_2_add")
    x = keras.layers.GlobalAveragePooling2D()(saved.output)
    keras.Model(saved.input, keras.layers.Dense(5, name="breeds")(x)).save(images / "w.h5")
    name = config(f"{{type: pretrained, backbone: {SMALLEST}, weights: {{file: w.h5}}, {STEM}}}")
    assert mltrain("validate", name).code == 0
    done = mltrain("train", name, "--run-dir", "run")
    assert done.code == 0, done.err
    kept = taken_backbone(
        make("backbone", "MobileNetV2", alpha=0.35), (32, 32), "block_1_project_BN", "k", imagenet=True
    )
    arrays = [saved.get_layer(layer.name).get_weights() for layer in kept.layers if layer.weights]
    assert begins_with(done.run, [array for layer in arrays for array in layer])
    (decision,) = first_weights(done.run)
    assert decision["value"] == "12 of 12 layers of MobileNetV2 are from w.h5"
    assert decision["reason"].startswith("found by name; not taken: block_2_expand, block_2_expand_BN, ")
    assert decision["reason"].endswith(", and 2 more")
    origin = record(done.run)["first_weights"]["model.weights"]
    assert origin["source"] == str(images / "w.h5")
    assert len(origin["taken"]) == 12
    assert origin["random"] == []
    assert "breeds" in origin["not_taken"]

    (images / "w.h5").unlink()  # nothing else needs it
    assert mltrain("evaluate", "run").code == 0
    more = mltrain("resume", "run", "--epochs", 2)
    assert more.code == 0, more.err
    assert first_weights(done.run) == [decision]
    assert record(done.run)["first_weights"]["model.weights"] == origin
    again = mltrain("train", name, "--run-dir", "other")
    assert again.code == 4
    assert again.err.splitlines()[-1].endswith("model.weights.file: " + str(images / "w.h5") + ": no such file")


OWN_STEP = """\
import keras


class Stepper(keras.Model):
    def __init__(self, inputs, outputs, **kwargs):
        super().__init__(inputs=inputs, outputs=outputs, **kwargs)

    def train_step(self, data):
        return super().train_step(data)


class Pale(keras.layers.Layer):
    def call(self, inputs):
        return inputs / 2
"""


@pytest.mark.long
def test_the_network_of_a_step_of_the_user_begins_with_them(mltrain, config, images):
    (images / "nets.py").write_text(OWN_STEP)
    saved = backbone("block_1_project_BN")
    saved.save_weights(images / "w.weights.h5")
    network = f"{{type: pretrained, backbone: {SMALLEST}, weights: {{file: w.weights.h5}}, {STEM}}}"
    name = config(f"{{type: Stepper, network: {network}}}")
    stage = ["--set", "training.epochs=auto", "--set", "training.stages=[{train: {from: block_1_expand}, epochs: 1}]"]
    for more in ([], stage):
        done = mltrain("train", name, "--plugin", "nets.py", *more)
        assert done.code == 0, done.err
        assert begins_with(done.run, saved.get_weights())
        (decision,) = first_weights(done.run)
        assert decision["value"] == "12 of 12 layers of MobileNetV2 are from w.weights.h5"
        assert list(record(done.run)["first_weights"]) == ["model.network.weights"]
    (images / "w.weights.h5").unlink()
    done = mltrain("train", name, "--plugin", "nets.py", "--run-dir", "other")
    assert done.code == 4
    assert "model.network.weights.file: " in done.err


@pytest.mark.long
def test_each_network_of_an_ensemble_begins_with_them(mltrain, config, images):
    saved = backbone("block_1_project_BN")
    saved.save_weights(images / "w.weights.h5")
    name = config(f"{{type: pretrained, backbone: {SMALLEST}, weights: {{file: w.weights.h5}}, {STEM}}}")
    schedule_free = "training.optimizer={type: ScheduleFreeAdamW, learning_rate: 1.0e-30, warmup_steps: 0}"
    done = mltrain("train", name, "--run-dir", "run", "--set", "ensemble=2", "--set", schedule_free)
    assert done.code == 0, done.err
    kernels = [array for array in saved.get_weights() if array.ndim > 1]
    found = [array for array in last_weights(done.run) if array.ndim > 1]
    for kernel in kernels:
        assert sum(array.shape == kernel.shape and np.allclose(array, kernel, atol=1e-6) for array in found) == 2


def test_a_run_with_a_layer_of_the_user_gives_its_weights(mltrain, config, images):
    (images / "nets.py").write_text(OWN_STEP)
    layers = "layers: [Pale, {type: Conv2D, name: edges, filters: 4, kernel_size: 3}, Flatten]"
    first = mltrain("train", config(f"{{type: sequential, {layers}}}", "first.yaml"), "--plugin", "nets.py")
    assert first.code == 0, first.err
    name = config("{type: sequential, weights: {run: first/latest}, " + layers.replace("Pale, ", "") + "}")
    done = mltrain("train", name, "--plugin", "nets.py", "--run-dir", "run")
    assert done.code == 0, done.err
    assert begins_with(done.run, last_weights(first.run))
    done = mltrain("train", name, "--run-dir", "other")
    assert done.code == 12
    assert "config.yaml:6:" in done.err
    assert "give it with --plugin nets.py" in done.err


def test_a_training_that_has_begun_keeps_its_first_weights(mltrain, config, images):
    backbone("block_1_project_BN").save_weights(images / "w.weights.h5")
    name = config(f"{{type: pretrained, backbone: {SMALLEST}, weights: {{file: w.weights.h5}}, {STEM}}}")
    stages = "training.stages=[{train: head, epochs: 1}]"
    unstated = "training.epochs=auto"
    done = mltrain("train", name, "--run-dir", "run", "--set", stages, "--set", unstated)
    assert done.code == 0, done.err
    done = mltrain("resume", "run", "--epochs", 2, "--set", "seed=4", "--set", "model.weights=none")
    assert done.code == 3
    assert "config.resolved.yaml" not in done.err
    assert "--set #2: model.weights: a training that has begun cannot change its first weights" in done.err
    assert "--set #2: training.stages[0].train: stage 1 trains the head, and the layers before them" in done.err


def test_a_file_that_is_not_there_is_said_at_its_line_before_the_data_are_read(mltrain, config):
    name = config("{type: pretrained, backbone: VGG16, weights: {file: no.h5}}", data="no.npz")
    for command in (["validate", name], ["train", name, "--run-dir", "run"], ["check", name]):
        done = mltrain(*command)
        assert done.code == 4
        assert "config.yaml:6:60: model.weights.file: " in done.err
        assert "no.h5: no such file" in done.err
        assert "no.npz" not in done.err


def test_a_file_of_another_network(mltrain, config, images):
    backbone(alpha=0.5).save_weights(images / "w.weights.h5")
    name = config(f"{{type: pretrained, backbone: {SMALLEST}, weights: {{file: w.weights.h5}}}}")
    done = mltrain("train", name, "--run-dir", "run")
    assert done.code == 4
    (line,) = [each for each in done.err.splitlines() if "does not fit" in each]
    place = "config.yaml:6:87: model.weights.file"
    assert line.startswith(f"error: {place}: w.weights.h5 does not fit MobileNetV2: ")
    assert "block_1_expand has kernel" not in line
    assert "block_1_project has kernel of shape (1, 1, 48, 8) in the model and (1, 1, 48, 16) in the file" in line
    assert line.endswith("; is it a file of MobileNetV2 with alpha 0.35?")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 renamed", b"\x89HDF\r\n\x1a\n cut off", "of another network"])
def test_a_file_that_is_none_of_weights_is_said_at_its_line(mltrain, config, images, content):
    if isinstance(content, str):
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]).save_weights(images / "w.weights.h5")
        expected = ": not in the file: Conv1, bn_Conv1, "
    else:
        (images / "w.weights.h5").write_bytes(content)
        expected = ".h5: "
    name = config(f"{{type: pretrained, backbone: {SMALLEST}, {STEM}, weights: {{file: w.weights.h5}}}}")
    done = mltrain("train", name, "--run-dir", "run")
    assert done.code == 4
    line = done.err.splitlines()[-1]
    assert line.startswith("error: config.yaml:6:116: model.weights.file: w.weights.h5")
    assert expected in line


def test_a_file_that_is_cut_off(mltrain, config, images):
    backbone().save_weights(images / "w.weights.h5")
    whole = (images / "w.weights.h5").read_bytes()
    (images / "w.weights.h5").write_bytes(whole[: len(whole) // 2])
    name = config(f"{{type: pretrained, backbone: {SMALLEST}, weights: {{file: w.weights.h5}}}}")
    done = mltrain("train", name, "--run-dir", "run")
    assert done.code == 4
    assert done.err.splitlines()[-1] == (
        "error: config.yaml:6:87: model.weights.file: w.weights.h5: this HDF5 file is cut off or damaged; "
        "copy or download it again"
    )


@pytest.mark.long
def test_another_file_of_the_same_name_is_seen_when_a_run_is_reproduced(mltrain, config, images):
    backbone(seed=1).save_weights(images / "w.weights.h5")
    name = config(f"{{type: pretrained, backbone: {SMALLEST}, weights: {{file: w.weights.h5}}, {STEM}}}")
    assert mltrain("train", name, "--run-dir", "run").code == 0
    done = mltrain("reproduce", "run", "--run-dir", "same")
    assert done.code == 0, done.err
    with h5py.File(images / "w.weights.h5", "r+") as file:
        file["layers/conv2d/vars/0"][0, 0, 0, 0] = 5.0
    done = mltrain("reproduce", "run", "--run-dir", "other", "--json")
    (reason,) = json.loads(done.out)["reasons"]
    assert reason.startswith("first_weights.model.weights: ")
    assert any("weights differ by up to" in each for each in json.loads(done.out)["differences"])


CNN = "{{type: cnn, filters: [4, {second}], dropout: 0.2{more}}}"


def cnn(second=8, more=""):
    return CNN.format(second=second, more=more and f", {more}")


def test_layers_of_a_run_with_equal_names_and_shapes(mltrain, config, images):
    first = mltrain("train", config(cnn(), "first.yaml"), "--set", "seed=9")
    assert first.code == 0, first.err
    done = mltrain("train", config(cnn(more="weights: {run: first/latest}")), "--run-dir", "run")
    assert done.code == 0, done.err
    assert begins_with(done.run, last_weights(first.run))
    (decision,) = first_weights(done.run)
    assert decision["value"] == f"5 of 5 layers of the model are from run {first.run.name}"
    # What `latest` meant is kept: tomorrow it is another run.
    assert f"run: {first.run}" in (done.run / "config.resolved.yaml").read_text()

    done = mltrain("train", config(cnn(9, "weights: {run: first/latest}")), "--run-dir", "other")
    assert done.code == 0, done.err
    (decision,) = first_weights(done.run)
    assert decision["value"] == f"2 of 5 layers of the model are from run {first.run.name}"
    assert (
        "at random: conv2d_1 has kernel of shape (3, 3, 4, 9) in the model and (3, 3, 4, 8) in the run, "
        in decision["reason"]
    )
    origin = record(done.run)["first_weights"]["model.weights"]
    assert origin["taken"] == ["conv2d", "batch_normalization"]
    assert origin["random"] == origin["not_taken"] == ["conv2d_1", "batch_normalization_1", "head"]
    shutil.rmtree(first.run)
    assert mltrain("evaluate", "other").code == 0


@pytest.mark.long
def test_weights_of_a_run_change_nothing_else(mltrain, config, images):
    """A model is built beside the one that is trained, and names and seeds go on as if it were not."""
    settings = ["--set", "training.optimizer.learning_rate=0.01", "--set", "training.epochs=2"]
    first = mltrain("train", config(cnn(), "first.yaml"), "--set", "seed=9")
    config(cnn(more=f"weights: {{run: {first.run}}}"))
    whole = mltrain("train", "config.yaml", "--run-dir", "whole", *settings)
    assert whole.code == 0, whole.err
    part = mltrain("train", "config.yaml", "--run-dir", "part", *settings, "--set", "training.epochs=1")
    shutil.rmtree(first.run)
    assert mltrain("resume", "part", "--epochs", 2).code == 0
    for one, other in zip(last_weights(whole.run), last_weights(part.run), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.long
def test_a_backbone_that_a_run_has_learned(mltrain, config, images):
    """The run has it alone, and the new one has another head."""
    model = f"{{type: pretrained, backbone: {SMALLEST}, weights: %s, {STEM}, pooling: %s}}"
    first = mltrain("train", config(model % ("none", "avg"), "first.yaml"), "--set", "seed=9")
    assert first.code == 0, first.err
    done = mltrain("train", config(model % ("{run: first/latest}", "max")), "--run-dir", "run")
    assert done.code == 0, done.err
    assert begins_with(done.run, last_weights(first.run)[:-2])
    (decision,) = first_weights(done.run)
    assert decision["value"] == f"12 of 12 layers of MobileNetV2 are from run {first.run.name}"
    assert decision["reason"] == "found by name; not taken: head"


def test_a_run_that_cannot_be_taken(mltrain, config, images):
    done = mltrain("train", config(cnn(more="weights: {run: nothing}")), "--run-dir", "run")
    assert done.code == 5
    assert "config.yaml:6:66: model.weights.run: nothing: no such run" in done.err
    ensemble = config(cnn(), "ensemble.yaml")
    several = mltrain("train", ensemble, "--set", "ensemble=2")
    assert several.code == 0, several.err
    done = mltrain("train", config(cnn(more="weights: {run: ensemble/latest}")), "--run-dir", "other")
    assert done.code == 5
    assert "the run is an ensemble of 2 networks, and one is needed" in done.err


def test_no_layer_fits(mltrain, config, images):
    backbone().save_weights(images / "w.weights.h5")
    done = mltrain("train", config(cnn(more="weights: {file: w.weights.h5}")), "--run-dir", "run")
    assert done.code == 3
    assert "model.weights: no layer of w.weights.h5 has the name and the shapes of one of the model (in" in done.err


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            "{type: fusion, inputs: {x: {type: cnn, weights: {run: a}}}}",
            "model.inputs.x.weights: an encoder in a fusion",
        ),
        (cnn(more="weights: imagenet"), "model.weights: expected a mapping"),
        (cnn(more="weights: {}"), "model.weights: expected either `file: name.h5` or `run: RUN`"),
        (
            "{type: pretrained, backbone: VGG16, weights: vgg}",
            "model.weights: expected imagenet, none, {file: name.h5}",
        ),
        (
            "{type: pretrained, backbone: VGG16, weights: {file: v.keras}}",
            "a .keras file can run code when it is opened",
        ),
        ("{type: pretrained, backbone: VGG16}", "model.weights: missing key: expected imagenet, none or a mapping"),
    ],
)
def test_what_the_config_cannot_say(mltrain, config, model, said):
    done = mltrain("validate", config(model))
    assert done.code == 3
    assert said in done.err


def test_an_optimizer_that_would_lose_them(mltrain, config):
    config(cnn(more="weights: {run: a}"))
    done = mltrain("validate", "config.yaml", "--set", "training.optimizer={type: Ftrl}")
    assert done.code == 3
    assert "training.optimizer: Ftrl does not begin with the weights of the model" in done.err


@pytest.mark.long
def test_the_copy_of_a_schedule_free_optimizer_follows(mltrain, config, images):
    first = mltrain("train", config(cnn(), "first.yaml"), "--set", "seed=9")
    config(cnn(more="weights: {run: first/latest}"))
    optimizer = "training.optimizer={type: ScheduleFreeAdamW, learning_rate: 1.0e-30}"
    done = mltrain("train", "config.yaml", "--run-dir", "run", "--set", optimizer)
    assert done.code == 0, done.err
    for one, other in zip(last_weights(done.run), last_weights(first.run), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6 if one.ndim > 1 else 0.5)


@pytest.mark.long
def test_a_moving_average_begins_with_them(mltrain, config, images):
    first = mltrain("train", config(cnn(), "first.yaml"), "--set", "seed=9")
    config(cnn(more="weights: {run: first/latest}"))
    optimizer = "training.optimizer={type: SGD, learning_rate: 1.0e-30, use_ema: true}"
    done = mltrain("train", "config.yaml", "--run-dir", "run", "--set", optimizer)
    assert done.code == 0, done.err
    for one, other in zip(last_weights(done.run), last_weights(first.run), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6 if one.ndim > 1 else 0.5)


def test_a_training_that_has_begun_cannot_use_others(mltrain, config, images):
    first = mltrain("train", config(cnn(), "first.yaml"), "--set", "seed=9")
    name = config(cnn())
    assert mltrain("train", name, "--run-dir", "run").code == 0
    more = f"model.weights={{run: {first.run}}}"
    done = mltrain("resume", "run", "--epochs", 2, "--set", more)
    assert done.code == 5
    assert "the run cannot be resumed with these changes: model.weights: " in done.err


@pytest.mark.long
def test_a_file_for_a_backbone_in_a_fusion(mltrain, images):
    saved = backbone("block_1_project_BN")
    saved.save_weights(images / "w.weights.h5")
    numbers = np.random.default_rng(0)
    found = np.load(images / "d.npz")
    np.savez(images / "two.npz", photo=found["x"], table=numbers.random((40, 3)), y=found["y"])
    photo = f"{{type: pretrained, backbone: {SMALLEST}, weights: {{file: w.weights.h5}}, {STEM}}}"
    text = CONFIG.format(name="fused", model=f"{{type: fusion, inputs: {{photo: {photo}}}}}", data="two.npz")
    (images / "config.yaml").write_text(text)
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    (decision,) = first_weights(done.run)
    assert decision["value"] == "12 of 12 layers of MobileNetV2 of photo are from w.weights.h5"
    assert list(record(done.run)["first_weights"]) == ["model.inputs.photo.weights"]
    kept = {array.shape: array for array in last_weights(done.run)}
    assert np.array_equal(kept[(3, 3, 3, 16)], saved.get_layer("Conv1").kernel.numpy())


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Give Keras an empty cache."""
    (tmp_path / "keras" / "models").mkdir(parents=True)
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"), raising=False)
    monkeypatch.setattr(imagenet.config, "keras_home", lambda: str(tmp_path / "keras"))
    return tmp_path / "keras" / "models"


@pytest.mark.long
def test_imagenet_from_the_cache_of_keras(mltrain, config, images, cache):
    whole = backbone()
    written_by_keras_2(cache / "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224_no_top.h5", whole)
    name = config(f"{{type: pretrained, backbone: {SMALLEST}, weights: imagenet}}")
    done = mltrain("train", name, "--run-dir", "run")
    assert done.code == 0, done.err
    assert begins_with(done.run, whole.get_weights())
    (decision,) = first_weights(done.run)
    assert decision["value"].startswith("104 of 104 layers of MobileNetV2 are from ImageNet (mobilenet_v2_weights_")
    assert decision["reason"] == "found by the order of layers"
    done = mltrain("train", config(f"{{type: pretrained, backbone: {SMALLEST}, weights: imagenet, {STEM}}}"))
    assert done.code == 0, done.err
    (decision,) = first_weights(done.run)
    assert decision["value"].startswith("12 of 12 layers of MobileNetV2 are from ImageNet (mobilenet_v2_weights_")
    assert np.array_equal(last_weights(done.run)[0], whole.get_weights()[0])
    assert mltrain("evaluate", "run").code == 0


def offline(*given, **more):
    raise Exception("URL fetch failure on the address: None -- Name or service not known")  # as Keras does


def test_imagenet_that_is_not_there(mltrain, config, cache, monkeypatch):
    monkeypatch.setattr(keras.utils, "get_file", offline)
    name = config("{type: pretrained, backbone: MobileNetV3Small, weights: imagenet}", data="no.npz")
    for command in (["train", name, "--run-dir", "run"], ["check", name]):
        done = mltrain(*command)
        assert done.code == 12
        assert "no.npz" not in done.err
        *_, line = done.err.splitlines()
        assert "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5 is not in Keras' cache and cannot be" in line
        assert "Name or service not known" in line
        assert f"as {cache / 'weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5'}" in line
    assert mltrain("validate", name).code == 0


def test_another_file_under_the_name_of_keras(mltrain, config, cache):
    written_by_keras_2(cache / "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5", backbone())
    name = config("{type: pretrained, backbone: MobileNetV3Small, weights: imagenet}", data="no.npz")
    done = mltrain("train", name, "--run-dir", "run")
    assert done.code == 4
    assert "not the file of MobileNetV3Small that Keras names: its md5 is " in done.err
    assert "expected d3e8ec802a04aa4fc771ee12a9a9b836; remove it, and it is downloaded again" in done.err


@pytest.mark.long
def test_imagenet_that_is_downloaded(mltrain, config, images, cache, monkeypatch):
    whole = backbone()

    def download(name, address, cache_subdir, file_hash):
        assert address.startswith("https://")
        assert cache_subdir == "models"
        sys.stdout.write("1/1 as Keras prints it")
        written_by_keras_2(cache / name, whole)

    monkeypatch.setattr(keras.utils, "get_file", download)
    name = config(f"{{type: pretrained, backbone: {SMALLEST}, weights: imagenet, {STEM}}}")
    done = mltrain("train", name, "--run-dir", "run")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [str(done.run)]  # the path and nothing else
    assert "downloading https://storage.googleapis.com/" in done.err
    assert "as Keras prints it" not in done.err  # in a pipe
    assert np.array_equal(last_weights(done.run)[0], whole.get_weights()[0])


def test_weights_that_imagenet_does_not_have(mltrain, config, images, cache):
    name = config(
        "{type: pretrained, backbone: {type: MobileNetV3Small, alpha: 0.5}, weights: imagenet}", data="no.npz"
    )
    done = mltrain("train", name, "--run-dir", "run")
    assert done.code == 3
    assert "config.yaml:6:" in done.err
    assert "alpha" in done.err
    assert "0.75" in done.err


@pytest.mark.long
@pytest.mark.parametrize("parallel", [1, 2])
def test_seeds_begin_with_a_run_beside_the_config_and_folds_with_the_newest(tmp_path, mltrain, parallel):
    text = "name: blobs\ndata: {source: {type: synthetic, kind: blobs, rows: 120}}\ntraining: {epochs: 1}\n"
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "config.yaml").write_text(f"{text}model: {{type: mlp, units: [4]}}\n")
    base = tmp_path / "here" / "base"
    assert mltrain("train", "here/config.yaml", "--run-dir", base).code == 0
    newest_run = mltrain("train", "here/config.yaml", "--runs-dir", "kept").run
    for command, named in ((("cross-validate", "--folds", 2), "blobs/latest"), (("train", "--seeds", 2), "base")):
        (tmp_path / "here" / "config.yaml").write_text(
            f"{text}model: {{type: mlp, units: [4], weights: {{run: {named}}}}}\n"
        )
        done = mltrain(command[0], "here/config.yaml", *command[1:], "--runs-dir", "kept", "--parallel", parallel)
        assert done.code == 0, done.err
        for run in done.run.glob("*-[0-9]*"):
            source = json.loads((run / "record.json").read_text())["first_weights"]["model.weights"]["source"]
            assert str(base if named == "base" else newest_run) in source
