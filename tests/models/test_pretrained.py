"""Networks of keras.applications in front of a head: what goes in, what comes out, and what is refused."""

from __future__ import annotations

import importlib
import re
import sys

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from mltrain.config.load import load_text
from mltrain.data.encoders.array import fit_array, fit_image
from mltrain.data.encoders.column import RawColumn
from mltrain.errors import MisfitError
from mltrain.keras_api import catalogue
from mltrain.keras_api.components import make
from mltrain.models.backbone import taken_backbone
from mltrain.models.fusion import Fusion
from mltrain.models.pretrained import Pretrained
from mltrain.task import DataInfo, Input, Output, Pixels
from mltrain.training.state import use_new_statistics
from mltrain.training.weights import put_weights, take_weights
from tests.keras_api.keras_samples import samples

BYTES = Pixels((255.0,), (0.0,))  # images of 8 bits that were divided by 255
OUTPUTS = (Output("y", "multiclass", 3, ("r", "s", "t")),)


def image(shape, pixels=BYTES, name="photo"):
    return Input(name, shape, "float32", pixels=pixels)


def info(shape=(32, 32, 3), pixels=BYTES):
    return DataInfo((image(shape, pixels),), OUTPUTS, 10)


def column(values):
    return RawColumn("photo", values, str, "photos.npz")


def raw_images(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def features_of(model):
    """Return the model up to what goes into its head."""
    return keras.Model(model.input, model.get_layer("head").input)


def same(ours, theirs):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert np.abs(ours - theirs).max() <= 1e-6 * max(1.0, np.abs(theirs).max())


# One network for each way in which a family wants its pixels, with the layers that this needs.
WAYS = {
    "caffe": ("VGG16", "block2_pool"),
    "tf": ("MobileNetV2", "block_3_project_BN"),
    "torch": ("DenseNet121", "pool2_conv"),
    "inside, [-1, 1]": ("MobileNetV3Small", "expanded_conv_2_add"),
    "inside, learned mean": ("EfficientNetB0", "block2b_add"),
    "inside, mean": ("EfficientNetV2B0", "block2b_add"),
    "inside, mean of a layer": ("ConvNeXtTiny", "convnext_tiny_stem"),
}


@pytest.mark.parametrize(("way", "scale"), [*((way, "unit") for way in WAYS), ("caffe", "standard"), ("caffe", "none")])
def test_the_backbone_gets_what_keras_would_give_it(way, scale):
    name, last = WAYS[way]
    raw = raw_images(4, 32, 32, 3)
    encoder = fit_image(column(raw), scale).encoder
    model = Pretrained(backbone=name, weights="none", include=last).build(info(pixels=encoder.pixels), None)

    function = getattr(keras.applications, name)
    prepared = importlib.import_module(function.__module__).preprocess_input(raw.astype("float32"))
    keras.backend.clear_session()
    whole = function(weights=None, include_top=False, input_shape=(32, 32, 3))
    theirs = keras.Model(whole.input, keras.layers.GlobalAveragePooling2D()(whole.get_layer(last).output))
    theirs.set_weights(model.get_layer("backbone").get_weights())
    same(features_of(model)(encoder.encode(column(raw)).values), theirs(prepared))


@pytest.mark.parametrize("name", ["MobileNetV3Small", "VGG16"])
def test_gray_images_are_three_equal_channels_and_that_is_said(name):
    gray = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)
    spec = Pretrained(backbone=name, weights="none", include=WAYS["caffe"][1] if name == "VGG16" else None)
    of_gray = spec.build(info((32, 32, 1)), None)
    of_colors = spec.build(info((32, 32, 3)), None)
    of_colors.set_weights(of_gray.get_weights())
    same(of_gray(gray), of_colors(np.repeat(gray, 3, axis=-1)))
    (decision,) = spec.choices(info((32, 32, 1)))
    assert (decision.what, decision.value) == ("images of photo", "three equal channels")
    assert spec.choices(info()) == ()


@pytest.mark.parametrize(
    ("values", "black_white", "assumed"),
    [
        (raw_images(4, 5, 5, 3), (0, 255), ""),
        (raw_images(4, 5, 5).astype(np.uint16) * 257, (0, 65535), ""),
        (np.linspace(0, 1, 100, dtype="float32").reshape(4, 5, 5), (0, 1), "0 is black and 1 white"),
        (np.linspace(-1, 1, 100, dtype="float32").reshape(4, 5, 5), (-1, 1), "-1 is black and 1 white"),
        # No image of the training rows is quite white.
        (np.linspace(3, 240, 100).reshape(4, 5, 5), (0, 255), "0 is black and 255 white"),
        (np.arange(100).reshape(4, 5, 5) % 17, (0, 16), "0 is black and 16 white"),
        (np.arange(100).reshape(4, 5, 5) * 10, (0, 990), "0 is black and 990 white"),
    ],
)
@pytest.mark.parametrize("scale", ["unit", "standard", "none"])
def test_the_way_back_to_pixels(values, black_white, assumed, scale):
    if scale == "unit" and values.min() < 0:
        return  # refused by itself
    encoder = fit_image(column(values), scale).encoder
    pixels = encoder.pixels
    encoded = encoder.encode(column(values)).values
    black, white = black_white
    expected = (values.astype("float64") - black) * 255 / (white - black)
    found = encoded * np.asarray(pixels.factors) + np.asarray(pixels.offsets)
    np.testing.assert_allclose(found.reshape(values.shape), expected, atol=1e-4)
    assert pixels.assumed == assumed


def test_arrays_of_the_shape_of_images_have_pixels_too():
    values = raw_images(4, 5, 5, 3)
    for scale in ("standard", "minmax"):
        encoder = fit_array(column(values), scale).encoder
        found = encoder.encode(column(values)).values * np.asarray(encoder.pixels.factors) + encoder.pixels.offsets
        np.testing.assert_allclose(found, values, atol=1e-3)
    assert fit_array(column(values[..., 0]), "standard").encoder.pixels is None


def test_what_is_assumed_of_the_pixels_is_said():
    pixels = Pixels((16.0,), (0.0,), "0 is black and 16 white")
    (decision,) = Pretrained(backbone="VGG16", weights="none").choices(info(pixels=pixels))
    assert decision.value == "0 is black and 16 white"


@pytest.mark.parametrize("pooling", ["avg", "max", "none"])
def test_each_pooling_gives_one_vector(pooling):
    spec = Pretrained(backbone="VGG16", weights="none", include="block2_pool", pooling=pooling, dropout=0.5)
    model = spec.build(info(), None)
    vector = features_of(model).output_shape
    assert vector == (None, 8 * 8 * 128 if pooling == "none" else 128)
    assert [type(layer).__name__ for layer in model.layers[-2:]] == ["Dropout", "Dense"]


def test_images_are_resized_inside():
    model = Pretrained(backbone="VGG16", weights="none", size=(32, 48), include="block1_pool").build(
        info((8, 8, 1)), None
    )
    assert model.get_layer("backbone").input_shape == (None, 32, 48, 3)
    assert model(np.zeros((2, 8, 8, 1), "float32")).shape == (2, 3)


def test_names_of_layers_do_not_follow_from_what_was_built_before():
    spec = Pretrained(backbone="InceptionV3", weights="none", size=(75, 75), include="mixed0")
    first, second = (spec.build(info(), None) for _ in range(2))

    def names(model):
        return [layer.name for layer in model.get_layer("backbone").layers[1:]]

    assert names(first) == names(second)
    assert {"conv2d", "batch_normalization_3", "mixed0"} <= set(names(second))


def test_an_efficientnet_that_begins_with_weights_is_that_of_imagenet(monkeypatch):
    """Keras builds it for `weights="imagenet"` alone, and then downloads the weights: here nothing is loaded."""
    monkeypatch.setattr(keras.Model, "load_weights", lambda *_, **__: None)
    monkeypatch.setattr("keras.src.applications.efficientnet.file_utils.get_file", lambda *_, **__: "none")
    keras.backend.clear_session()
    whole = keras.applications.EfficientNetB0(weights="imagenet", include_top=False, input_shape=(32, 32, 3))
    last = "block1a_project_bn"
    theirs = keras.Model(whole.input, whole.get_layer(last).output)
    ours = taken_backbone(make("backbone", "EfficientNetB0"), (32, 32), last, "backbone", imagenet=True)
    assert [layer.name for layer in ours.layers[1:]] == [layer.name for layer in theirs.layers[1:]]
    weights = theirs.get_weights()
    for model in (ours, theirs):
        model.set_weights(weights)
    pixels = raw_images(2, 32, 32, 3).astype("float32")
    expected = np.asarray(theirs(pixels))
    np.testing.assert_array_equal(ours(pixels), expected)
    plain = taken_backbone(make("backbone", "EfficientNetB0"), (32, 32), last, "backbone", imagenet=False)
    plain.set_weights(weights)
    assert np.abs(plain(pixels) - expected).max() > 0.1 * np.abs(expected).max() > 0


def test_what_an_efficientnet_knows_of_the_pixels_is_put_back_with_its_weights():
    """Its layer of Normalization computes with constants, which weights that are put in do not change by themselves."""
    component = make("backbone", "EfficientNetB0")
    first, second = (taken_backbone(component, (32, 32), "stem_conv", "backbone", imagenet=True) for _ in range(2))
    first.get_layer("normalization").adapt_mean.assign([0.4, 0.5, 0.6])
    use_new_statistics(first)
    put_weights(second, take_weights(first), "here")
    pixels = raw_images(2, 32, 32, 3).astype("float32")
    np.testing.assert_array_equal(first(pixels), second(pixels))


def test_a_fusion_has_a_backbone_for_each_image(tmp_path):
    inputs = (
        image((32, 32, 3), name="a/b"),
        image((32, 32, 1), name="a_b"),
        Input("table", (2,), "float32", ("x", "y")),
    )
    data = DataInfo(inputs, OUTPUTS, 10)
    small = Pretrained(backbone="VGG16", weights="none", include="block1_pool")
    spec = Fusion(inputs={"a/b": small, "a_b": small})
    model = spec.build(data, None)
    backbones = spec.backbones(data)
    assert [each.path for each in backbones] == [("model", "inputs", "a/b"), ("model", "inputs", "a_b")]
    assert backbones[1].name == "backbone_a_b"
    assert all(model.get_layer(each.name).layers for each in backbones)
    assert [each.what for each in spec.choices(data)] == ["images of a_b"]

    draw = np.random.default_rng(0)
    rows = [draw.random((2, *each.shape), np.float32) for each in inputs]
    model.save(tmp_path / "model.keras")
    same(keras.models.load_model(tmp_path / "model.keras")(rows), model(rows))


@pytest.mark.parametrize("name", ["VGG16", "DenseNet121"])
def test_plain_keras_loads_it_with_its_preprocessing(tmp_path, name):
    last = {"VGG16": "block2_pool", "DenseNet121": "conv1_relu"}[name]
    model = Pretrained(backbone=name, weights="none", include=last).build(info((32, 32, 1)), None)
    rows = np.random.default_rng(0).random((2, 32, 32, 1), np.float32)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(rows), model(rows))


@pytest.mark.parametrize(
    ("fields", "data", "path", "message"),
    [
        (
            {"include": "block2_pol"},
            info(),
            ("model", "include"),
            r"VGG16 has no layer 'block2_pol' \(did you mean 'block2_pool'\?\)",
        ),
        ({"include": "qqq"}, info(), ("model", "include"), r"'qqq' \(from block1_conv1 to block5_pool\)"),
        (
            {},
            info((28, 28, 3)),
            ("model", "backbone"),
            r"at least 32 x 32 pixels, and those of 'photo' have 28 x 28: set `size` where image files are read "
            r"\(data.source, or data.features.photo\), or `size: \[32, 32\]` here",
        ),
        ({"size": (31, 64)}, info(), ("model", "size"), r"at least 32 x 32 pixels: expected \[32, 32\] or more"),
        ({}, info((32, 32, 2)), ("model", "backbone"), "3 channels or gray ones with 1, and 'photo' has 2"),
        ({}, info((32, 32, 4)), ("model", "backbone"), "and 'photo' has 4"),
        ({}, info(pixels=None), ("model", "backbone"), "do not say what is black and white: expected images of 8"),
        ({}, DataInfo((Input("table", (2,), "float32"),), OUTPUTS, 9), ("model", "type"), "pretrained takes images"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_line(fields, data, path, message):
    with pytest.raises(MisfitError, match=message) as error:
        Pretrained(backbone="VGG16", weights="none", **fields).build(data, None)
    assert error.value.path == path


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("mobilenet_v3_smal", "unknown backbone 'mobilenet_v3_smal' (did you mean 'MobileNetV3Small'?)"),
        ({"type": "MobileNet", "alpha": 0}, "expected a number of at least 0.05 and of at most 4, received 0"),
        ({"type": "VGG16", "alpha": 0.5}, "unknown key"),
        ({"type": "MobileNet", "dropout": 0.5}, "unknown key"),
    ],
)
def test_a_backbone_is_checked_without_keras(backbone, message):
    with pytest.raises(ValidationError, match=re.escape(message)):
        Pretrained(backbone=backbone, weights="none")


@pytest.mark.parametrize(
    ("batch_normalization", "by_batch"), [("auto", True), ("training", True), ("inference", False)]
)
def test_batch_normalization_of_random_weights_learns(batch_normalization, by_batch):
    spec = Pretrained(backbone="VGG16", weights="none", batch_normalization=batch_normalization)
    assert [each.normalizes_by_batch for each in spec.backbones(info())] == [by_batch]


# XLA compiles each grouped convolution of it by itself (Keras 3.15 on a CPU): a step of all weights takes a minute.
STEP_OF_THE_HEAD = {"ConvNeXtSmall"}
# These are built alone: their smaller siblings have the same layers, and a step of each takes 10 to 70 s.
LARGE = {
    "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge", "DenseNet169", "DenseNet201", "EfficientNetB4", "EfficientNetB5",
    "EfficientNetB6", "EfficientNetB7", "EfficientNetV2M", "EfficientNetV2L", "NASNetLarge", "ResNet152",
    "ResNet152V2",
}  # fmt: skip
YAML = """\
data: {{source: {{type: npz, path: images.npz}}, target: y, features: {{photo: image}}}}
model: {{type: pretrained, backbone: {name}, weights: none}}
"""
done = []


@pytest.mark.long
@pytest.mark.parametrize("name", catalogue.names("backbone"))
def test_every_application_is_built_and_trained_and_built_again(tmp_path, name):
    side = catalogue.entry("backbone", name).smallest
    spec = load_text(YAML.format(name=name).encode(), "config.yaml", tmp_path).spec.model
    data = info((side, side, 3))
    keras.backend.clear_session()
    keras.utils.set_random_seed(1)
    model = spec.build(data, None)
    rows = np.random.default_rng(0).random((2, side, side, 3), np.float32)
    before = np.asarray(model(rows))
    assert np.isfinite(before).all()
    done.append(name)
    if name in LARGE:
        return

    model.get_layer("backbone").trainable = name not in STEP_OF_THE_HEAD
    # Two images are no batch to normalize by: unclipped gradients of networks with random weights can be huge.
    optimizer = keras.optimizers.SGD(0.01, clipnorm=1.0)
    model.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=True)
    model.train_on_batch(rows, np.array([0, 1]))
    after = np.asarray(model(rows))
    assert np.isfinite(after).all()
    assert np.any(after != before)

    weights = take_weights(model)
    del model
    again = spec.build(data, None)
    put_weights(again, weights, "the first")
    np.testing.assert_array_equal(again(rows), after)


@pytest.mark.long
@pytest.mark.parametrize("name", ["MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"])
def test_keras_takes_the_bounds_of_every_argument(name):
    """What `validate` lets through must not fail when the model is built."""
    for argument in catalogue.entry("backbone", name).arguments:
        for value in samples(argument.type):
            component = make("backbone", name, **{argument.name: value})
            assert taken_backbone(component, (32, 32), None, "backbone", imagenet=False).count_params()


@pytest.mark.long
def test_the_catalogue_has_every_application(capfd):
    networks = [name for name in dir(keras.applications) if callable(getattr(keras.applications, name))]
    assert catalogue.names("backbone") == networks
    # Behind the others, where one process runs all of them.
    trained = len(set(done) - LARGE)
    said = f"{len(done)} of {len(networks)} networks of keras.applications were built, {trained} of them trained"
    if done:
        with capfd.disabled():
            sys.stderr.write(f"\n{said} in this process\n")
    assert set(done) <= set(networks)
