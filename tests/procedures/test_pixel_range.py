"""Layers that expect another range of pixels than the images have get a warning, and following it silences it."""

import json

import numpy as np
import pytest

from tests.data.pictures import pixels, write_folder

CONFIG = """\
data:
  source: {{type: image_folder, path: photos, size: [6, 6]}}
  split: {{type: random, validation: 0.25, test: 0}}
  {features}
model: {{type: sequential, layers: [{layers}, Flatten]}}
training: {{epochs: 1}}
evaluation: {{baselines: false}}
"""


@pytest.fixture
def write(tmp_path):
    write_folder(tmp_path / "photos", pixels(40, 6, 6, 3), ["cat", "dog"] * 20)

    def write(layers, features=""):
        (tmp_path / "config.yaml").write_text(CONFIG.format(layers=layers, features=features))
        return "config.yaml"

    return write


BRIGHT = "layer 1 (RandomBrightness) expects pixels from 0 to 255, and the images are 0 to 1"
STANDARD = "features: {image: {type: image, scale: standard}}"
NONE = "features: {image: {type: image, scale: none}}"


@pytest.mark.parametrize(
    ("layers", "features", "warnings"),
    [
        ("{type: RandomBrightness, factor: 0.2}", "", [BRIGHT, "set value_range: [0, 1] in the layer"]),
        ("{type: RandomBrightness, factor: 0.2, value_range: [0, 1]}", "", []),
        ("RandomFlip, {type: Solarization}", "", ["layer 2 (Solarization) expects pixels from 0 to 255"]),
        ("{type: RandomHue, factor: 0.2, value_range: [-1, 1]}", "", ["expects pixels from -1 to 1"]),
        ("{type: RandomBrightness, factor: 0.2}", STANDARD, ["the images are standardised"]),
        ("{type: Rescaling, scale: 0.00392156862745098}", "", ["already 0 to 1: remove Rescaling"]),
        ("{type: Rescaling, scale: 255}, {type: RandomBrightness, factor: 0.2}", "", []),
        ("{type: Rescaling, scale: 2, offset: -1}", "", []),
        ("RandomFlip", "", []),
    ],
)
def test_validate_and_audit_say_the_same(write, mltrain, layers, features, warnings):
    config = write(layers, features)
    validated, audited = mltrain("validate", config), mltrain("audit", config, "--json")
    assert (validated.code, audited.code) == (0, 0), audited.err
    found = [each for each in json.loads(audited.out)["findings"] if each["key"].startswith("model")]
    assert validated.err.count("warning: ") == len(found) == bool(warnings)
    for each in warnings:
        assert each in validated.err
        assert each in found[0]["sentence"]
    as_json = json.loads(mltrain("validate", config, "--json").out)["configs"][0]
    assert len(as_json.get("warnings", ())) == len(found)


def test_images_that_are_0_to_255_need_no_word_but_for_another_range(write, mltrain):
    audited = mltrain("audit", write("{type: RandomBrightness, factor: 0.2}", NONE))
    assert "expects pixels" not in audited.out
    audited = mltrain("audit", write("{type: RandomBrightness, factor: 0.2, value_range: [0, 1]}", NONE))
    assert "expects pixels from 0 to 1, and the images are 0 to 255" in audited.out
    assert "Rescaling" not in mltrain("audit", write("{type: Rescaling, scale: 0.00392}", NONE)).out.split(":", 1)[1]


def test_train_warns_and_the_advice_silences_it(write, mltrain, tmp_path):
    done = mltrain("train", write("{type: RandomBrightness, factor: 0.2}"), "--run-dir", "run")
    assert done.code == 0, done.err
    assert f"warning: {BRIGHT}" in done.err
    assert "[model.layers[0].value_range]" in done.err
    done = mltrain("train", write("{type: RandomBrightness, factor: 0.2, value_range: [0, 1]}"), "--run-dir", "after")
    assert done.code == 0, done.err
    assert "expects pixels" not in done.err


def test_arrays_that_are_minus_1_to_1_are_known_by_their_values(mltrain, tmp_path):
    x = np.random.default_rng(0).uniform(-1, 1, (40, 6, 6, 3)).astype(np.float32)
    np.savez(tmp_path / "d.npz", x=x, y=np.arange(40) % 2)
    text = "data: {source: {type: npz, path: d.npz}, target: y}\ntask: binary\n"
    text += "model: {type: sequential, layers: [%s, Flatten]}"
    (tmp_path / "c.yaml").write_text(text % "{type: RandomContrast, factor: 0.2}")
    assert "the images are -1 to 1: training would go wrong; set value_range: [-1, 1]" in mltrain("audit", "c.yaml").out
    (tmp_path / "c.yaml").write_text(text % "{type: RandomContrast, factor: 0.2, value_range: [-1, 1]}")
    assert "expects pixels" not in mltrain("audit", "c.yaml").out
