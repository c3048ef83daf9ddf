"""A backbone of keras.applications through the commands: trained, resumed, measured, predicted, explained, exported."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from tests.conftest import in_process
from tests.data.pictures import pixels, write_folder

CONFIG = """\
data:
  source: {type: image_folder, path: photos, size: [32, 32]}
  split: {type: random, validation: 0.25, test: 0.25}
model:
  type: pretrained
  backbone: VGG16
  weights: none
  include: block1_pool
  dropout: 0.2
training: {epochs: 2, batch_size: 8, optimizer: {type: Adam, learning_rate: 1.0e-4}, checkpoint: {every: 1 epoch}}
evaluation: {baselines: false}
"""


def write(folder, config=CONFIG):
    images = pixels(32, 32, 32, 3)
    images[::2] //= 2  # one class is darker
    write_folder(folder / "photos", images, ["dark", "light"] * 16)
    (folder / "config.yaml").write_text(config, encoding="utf-8")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pretrained")
    write(folder)
    done = in_process(folder, "train", "config.yaml", "--run-dir", folder / "run", "--verify-export")
    assert done.code == 0, done.err
    return folder, done


def test_it_says_of_which_parts_the_model_is(trained, mltrain):
    folder, done = trained
    line = "backbone: VGG16, 38,720 parameters, all trained (block1 38,720)"
    assert line in done.err
    shown = mltrain("show", folder / "run")
    assert line in shown.out
    assert "layers with 38,785 parameters, all of them trained" in shown.out
    layers = json.loads((folder / "run" / "model.json").read_text())["layers"]
    (backbone,) = [each for each in layers if each["name"] == "backbone"]
    part = {"name": "block1", "first": "block1_conv1", "layers": 3, "parameters": 38720, "trainable": 38720}
    assert (backbone["kind"], backbone["parts"]) == ("VGG16", [part])
    assert not any("parts" in each for each in layers if each is not backbone)
    page = (folder / "run" / "report.html").read_text()
    assert "Parts of backbone, VGG16" in page
    assert "block1_conv1" in page
    assert line in (folder / "run" / "report.md").read_text()


def test_each_network_of_an_ensemble_has_the_parts_of_its_backbone(mltrain, tmp_path):
    write(tmp_path, f"ensemble: 2\n{CONFIG.replace('epochs: 2', 'epochs: 1')}")
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    layers = json.loads((tmp_path / "run" / "model.json").read_text())["layers"]
    parts = {each["name"]: each["parts"][0]["parameters"] for each in layers if "parts" in each}
    assert parts == {"member_1": 38_720, "member_2": 38_720}


def test_the_export_has_all_of_it(trained):
    """The other process has plain Keras only, and gets raw pixels."""
    assert "model.keras, opened in another process, predicts the same for 8 raw test rows" in trained[1].err


def test_other_commands_build_the_same(trained, mltrain):
    folder, _ = trained
    measured = mltrain("evaluate", folder / "run", "--split", "validation", "--json")
    assert measured.code == 0, measured.err
    found = json.loads(measured.out)["splits"]["validation"]["metrics"]
    before = json.loads((folder / "run" / "metrics.json").read_text())["splits"]["validation"]["metrics"]
    assert found == before
    for command in (("predict", folder / "run", folder / "photos" / "dark"), ("explain", folder / "run")):
        done = mltrain(*command)
        assert done.code == 0, done.err


def test_a_training_that_was_stopped_goes_on_bit_for_bit(trained, mltrain, tmp_path):
    folder, _ = trained
    shutil.copytree(folder / "photos", tmp_path / "photos")
    (tmp_path / "config.yaml").write_text(CONFIG, encoding="utf-8")
    first = mltrain("train", "config.yaml", "--run-dir", "run", "--set", "training.epochs=1")
    assert first.code == 0, first.err
    second = mltrain("resume", "run", "--set", "training.epochs=2")
    assert second.code == 0, second.err

    def columns(run):
        rows = (run / "history.csv").read_text().splitlines()
        times = [place for place, name in enumerate(rows[0].split(",")) if "seconds" in name]
        return [[cell for place, cell in enumerate(row.split(",")) if place not in times] for row in rows]

    assert columns(tmp_path / "run") == columns(folder / "run")


@pytest.mark.parametrize(
    ("was", "now", "line", "message"),
    [
        ("VGG16", "VGG61", "config.yaml:6:", "unknown backbone 'VGG61' (did you mean 'VGG19'?)"),
        ("VGG16", "{type: MobileNet, alpha: 9}", "config.yaml:6:", "of at most 4, received 9"),
        ("  weights: none\n", "", "config.yaml:4:", "model.weights: missing key: expected imagenet, none or a mapping"),
        ("weights: none", "weights: null", "config.yaml:7:", "model.weights"),
        ("weights: none", "weights: imagnet", "config.yaml:7:", "received 'imagnet' (did you mean 'imagenet'?)"),
        (
            "VGG16\n",
            "MobileNetV2\n  alpha: 0.5\n",
            "config.yaml:7:",
            "alpha: unknown key: it is an argument of MobileNetV2: write `backbone: {type: MobileNetV2, alpha: …}`",
        ),
        ("block1_pool", "block1_pol", "config.yaml:8:", "has no layer 'block1_pol' (did you mean 'block1_pool'?)"),
        ("[32, 32]", "[24, 32]", "config.yaml:6:", "those of 'image' have 24 x 32: set `size` where image files are"),
        ("0.2\n", "0.2\n  batch_normalization: never\n", "config.yaml:10:", "'auto', 'inference' or 'training'"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(mltrain, tmp_path, was, now, line, message):
    write(tmp_path, CONFIG.replace(was, now, 1))
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 3
    assert line in done.err
    assert message in done.err


@pytest.mark.parametrize("channels", [2, 4])
def test_images_with_other_channels_are_refused(mltrain, tmp_path, channels):
    np.savez(tmp_path / "rows.npz", photo=pixels(20, 32, 32, channels), y=np.arange(20) % 2)
    source = "source: {type: npz, path: rows.npz}\n  target: y\n  features: {photo: image}"
    config = CONFIG.replace("source: {type: image_folder, path: photos, size: [32, 32]}", source)
    (tmp_path / "config.yaml").write_text(config, encoding="utf-8")
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 3
    assert f"VGG16 takes images with 3 channels or gray ones with 1, and 'photo' has {channels}" in done.err


@pytest.mark.parametrize(
    "model", ["{type: sequential, layers: [{type: MobileNetV2}]}", "{type: MobileNetV2}", "mobilenet_v2"]
)
def test_a_backbone_where_a_layer_or_a_model_is_expected(mltrain, tmp_path, model):
    (tmp_path / "config.yaml").write_text(f"data: {{source: {{type: csv, path: a.csv}}, target: y}}\nmodel: {model}\n")
    said = mltrain("validate", "config.yaml")
    assert said.code == 3
    assert "write `model: {type: pretrained, backbone: MobileNetV2, weights: …}`" in said.err
