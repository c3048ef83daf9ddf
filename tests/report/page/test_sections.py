"""What the page says: each sentence once, one table of baselines, a visible outcome, images with their classes."""

import json
import shutil
from collections import Counter

import numpy as np
import pytest

from mltrain.report.page.charts.frame import Frame, text_width
from mltrain.report.page.charts.scale import UNIT
from mltrain.report.page.html import plain_text, prose
from tests.report.page.reading import read

CONFIG = """\
name: shapes
data: {source: {type: synthetic, kind: shapes, rows: 60, size: 8}}
model:
  type: sequential
  layers:
    - RandomFlip
    - {type: RandomTranslation, height_factor: 0.3, width_factor: 0.3}
    - {type: Conv2D, filters: 2, kernel_size: 3}
    - Flatten
training: {epochs: 1, batch_size: 16}
"""


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    from tests.conftest import in_process

    folder = tmp_path_factory.mktemp("sections")
    (folder / "config.yaml").write_text(CONFIG)
    for name in ("one", "two"):
        assert in_process(folder, "train", "config.yaml", "--run-dir", name, "--quiet").code == 0
    return folder


@pytest.fixture
def changed(shapes, mltrain, tmp_path):
    """Give the page of the run with other results in its metrics.json."""

    def make(change):
        run = shutil.copytree(shapes / "one", tmp_path / "run", dirs_exist_ok=True)
        metrics = json.loads((run / "metrics.json").read_text())
        change(metrics)
        (run / "metrics.json").write_text(json.dumps(metrics))
        done = mltrain("report", run)
        assert done.code == 0, done.err
        return read((run / "report.html").read_bytes()), (run / "report.md").read_text()

    return make


def outcome_of(word):
    def change(metrics):
        for each in metrics["splits"]["test"]["baselines"].values():
            each["verdict"]["outcome"] = word
        metrics["chance"]["better"] = True

    return change


def tiles(page):
    return next(each for each in page.all("div") if "tiles" in (each.attributes.get("class") or "").split())


def test_every_sentence_appears_once(shapes):
    page = read((shapes / "one" / "report.html").read_bytes())
    found = [each.text.strip().rstrip(".").lower() for tag in ("p", "li", "figcaption") for each in page.all(tag)]
    sentences = [each for each in found if len(each.split()) > 5]
    assert len(sentences) > 8
    assert [each for each, count in Counter(sentences).items() if count > 1] == []


def test_the_baselines_are_one_table_with_their_outcome(shapes):
    metrics = json.loads((shapes / "one" / "metrics.json").read_text())
    baselines = metrics["splits"]["test"]["baselines"]
    page = read((shapes / "one" / "report.html").read_bytes())
    (table,) = [each for each in page.all("table") if "baselines" in each.one("caption").text]
    header = [each.text for each in table.one("thead").all("th")]
    assert len(header) == 2 + 2 * len(baselines) == 6
    row = next(each for each in table.one("tbody").all("tr") if each.one("th").text == "accuracy")
    for place, each in enumerate(baselines.values()):
        assert header[2 + 2 * place] == each["verdict"]["words"]
        assert row.all("td")[1 + 2 * place].text.startswith(f"{each['metrics']['accuracy']['value']:.4f}")
    better = {"better": "✓ better", "worse": "✗ worse", "unclear": "≈ not clear", "equal": "= equal"}
    for place, each in enumerate(baselines.values()):
        assert row.all("td")[2 + 2 * place].text.endswith(better[each["verdict"]["outcome"]])


def test_many_baselines_are_below_each_other(changed):
    def change(metrics):
        judged = metrics["splits"]["test"]
        judged["baselines"] |= dict.fromkeys(("mean", "naive"), judged["baselines"]["majority"])
        for each in (judged, *judged["baselines"].values()):
            each["metrics"] = {"accuracy": each["metrics"]["accuracy"]}

    page, _ = changed(change)
    (table,) = [each for each in page.all("table") if "baselines" in each.one("caption").text]
    assert [each.text for each in table.one("thead").all("th")] == ["", "accuracy"]
    names = [each.text for each in table.one("tbody").all("th")]
    assert len(names) == 1 + 2 * 4
    assert names[0] == "model"
    assert all(second == f"model − {first}" for first, second in zip(names[1::2], names[2::2], strict=True))


@pytest.mark.parametrize(
    ("word", "look", "badge"),
    [
        ("better", "better", "✓ Better than logistic regression"),
        ("worse", "worse", "✗ Worse than logistic regression"),
        ("unclear", "unclear", "≈ Not clearly different from logistic regression"),
        ("equal", "unclear", "= Equal to logistic regression"),
    ],
)
def test_a_model_that_loses_does_not_look_like_one_that_wins(changed, word, look, badge):
    page, _ = changed(outcome_of(word))
    assert tiles(page).attributes["class"] == f"tiles {look}"
    badges = next(each for each in page.all("ul") if each.attributes.get("class") == "badges")
    assert badge in [each.text for each in badges.all("li")]


def test_one_lost_comparison_is_enough(changed):
    def change(metrics):
        outcome_of("better")(metrics)
        metrics["splits"]["test"]["baselines"]["logistic"]["verdict"]["outcome"] = "worse"

    assert tiles(changed(change)[0]).attributes["class"] == "tiles worse"


def test_a_run_of_an_earlier_version_has_no_outcome(changed):
    def change(metrics):
        for each in metrics["splits"]["test"]["baselines"].values():
            del each["verdict"]
        metrics["chance"].pop("better")

    page, _ = changed(change)
    assert tiles(page).attributes["class"] == "tiles"


def test_it_says_why_a_baseline_is_absent(changed):
    def change(metrics):
        del metrics["splits"]["test"]["baselines"]["logistic"]
        metrics["baselines"] = {"majority": {"rows": 20, "of": 36}, "logistic": {"left_out": "there are `few` rows"}}

    page, card = changed(change)
    assert "There is no comparison with logistic regression: there are few rows." in page.text
    assert "fitted on 20 of the 36 training rows" in page.text
    assert "`" not in page.one("main").text.partition("Every value")[0]
    assert "There is no comparison with logistic regression: there are 'few' rows." in card


def test_no_baseline_at_all(changed):
    def change(metrics):
        metrics["splits"]["test"]["baselines"] = metrics["baselines"] = {}
        metrics["baseline_sentences"] = []

    assert "evaluation.baselines: true measures them" in changed(change)[0].text


def test_the_worst_images_say_what_is_true_and_what_was_predicted(shapes):
    run = shapes / "one"
    metrics = json.loads((run / "metrics.json").read_text())
    rows, target, values = (np.load(run / f"predictions/test.{part}.npy") for part in ("rows", "target", "predictions"))
    page = read((run / "report.html").read_bytes())
    pictures = next(each for each in page.all("div") if each.attributes.get("class") == "pictures")
    captions = {each.text for each in pictures.all("figcaption")}
    classes = metrics["classes"]
    assert captions == {
        f"true: {classes[true]}predicted: {classes[guess]}row {row}"
        for row, true, guess in zip(rows, target, values.argmax(axis=1), strict=True)
    }


def test_training_images_are_shown_as_the_model_sees_them(shapes):
    one, two = ((shapes / name / "examples.json").read_bytes() for name in ("one", "two"))
    assert one == two
    examples = json.loads(one)
    assert examples["layers"] == ["RandomFlip", "RandomTranslation"]
    train = np.load(shapes / "one" / "splits" / "train.npy")
    assert [each["row"] for each in examples["training"]] == train[:4].tolist()
    for each in examples["training"]:
        assert len({each["picture"], *each["changed"]}) == 5
    page = read((shapes / "one" / "report.html").read_bytes())
    shown = next(each for each in page.all("div") if each.attributes.get("class") == "changed")
    assert len(shown.all("img")) == 4 * 5
    assert len(one) < 20_000


def test_what_is_between_back_ticks_is_code():
    assert prose("set `a.b` to `1`") == "set <code>a.b</code> to <code>1</code>"
    assert prose("a ` b") == "a ` b"
    assert prose("`<a>` ` b") == "<code>&lt;a&gt;</code> ` b"
    assert plain_text(prose("`<a>` & b")) == "<a> & b"


@pytest.mark.parametrize("letter", ["a", "W", "i", "語"])
def test_a_legend_takes_as_many_lines_as_it_needs(letter):
    names = [f"{letter * 18}{number}" for number in range(6)]
    one = Frame(UNIT, UNIT, "x", "y", legend=[("a", "line one")])
    frame = Frame(UNIT, UNIT, "x", "y", legend=[(name, "line one") for name in names])
    drawing = frame.draw("d")
    assert all(f">{name}</text>" in drawing for name in names)
    assert all(place + 25 + text_width(name) <= frame.right for keys in frame._keys for name, _, place in keys)
    assert frame.bottom - frame.top == one.bottom - one.top
    assert f'viewBox="0 0 420 {270 + 17 * (len(frame._keys) - 1)}"' in drawing


def test_each_cell_of_a_wide_table_names_its_column(shapes):
    page = read((shapes / "one" / "report.html").read_bytes())
    wide = [each for each in page.all("table") if len(each.one("thead").all("th")) > 4]
    assert wide
    for table in wide:
        assert table.attributes["class"] == "wide"
        header = [each.text for each in table.one("thead").all("th")]
        for row in table.one("tbody").all("tr"):
            assert [each.attributes["data-column"] for each in row.all("td")] == header[1:]
