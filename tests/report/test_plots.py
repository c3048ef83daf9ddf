"""Plots are looked at by people; these tests hold what a person cannot see: no crash, no warning, the same bytes."""

from __future__ import annotations

import io
import math
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.image import imread

from mltrain.report.plots import canvas, curves, fonts
from mltrain.report.plots.canvas import figure, label
from mltrain.report.plots.confusion import confusion_plot
from mltrain.report.plots.curves import loss_curves, metric_curves
from mltrain.report.plots.learned import learned_plot
from mltrain.report.plots.predicted import predicted_plot

HOSTILE = [
    "$x_1$",
    "$\\frac{",
    "\x1b[2J[red]",
    "日本語",
    "a" * 500,
    "",
    "_private",
    "line\nbreak",
    "\\$a\\$",
    "\udc80",
    "%s {}",
]


@pytest.fixture(autouse=True)
def fonts_of(monkeypatch):
    """Let Matplotlib's own font be the only one, whatever is installed; give a function that installs others."""

    def install(*paths):
        monkeypatch.setattr(fonts, "installed", lambda: list(map(str, paths)))
        fonts._others.cache_clear()
        fonts._missing.clear()

    install()
    yield install
    fonts._others.cache_clear()


def tiny_font(path, characters):
    """Write a font in which each of the characters is a black square."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (800, 800), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    names = {ord(char): f"square{number}" for number, char in enumerate(characters)}
    order = [".notdef", *names.values()]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(order)
    font.setupCharacterMap(names)
    font.setupGlyf(dict.fromkeys(order, pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys(order, (900, 0)))
    font.setupHorizontalHeader(ascent=900, descent=-200)
    font.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    return path


def test_names_are_drawn_with_an_installed_font_that_has_them(fonts_of, axes_of, tmp_path):
    counts = np.array([[3, 1], [0, 4]])
    without = confusion_plot(counts, ["日本", "中国"], "test")
    japanese = tiny_font(tmp_path / "NotoSansCJK-Regular.ttf", "日本")
    chinese = tiny_font(tmp_path / "wqy-zenhei.ttf", "日中国")
    broken = tmp_path / "NotoSansCJK-Black.ttf"
    broken.write_bytes(b"not a font")
    fonts_of(broken, japanese, chinese)
    axes, *_ = axes_of(confusion_plot, counts, ["日本", "中国"], "test")
    assert [each.get_text() for each in axes.get_yticklabels()] == ["日本", "中国"]
    families = ["DejaVu Sans", "NotoSansCJK-Regular", "wqy-zenhei"]
    assert [each.get_fontfamily() for each in axes.get_yticklabels()] == [families] * 2
    with_them = confusion_plot(counts, ["日本", "中国"], "test")
    assert with_them == confusion_plot(counts, ["日本", "中国"], "test")
    assert (pixels(with_them)[..., :3] < 0.1).sum() > (pixels(without)[..., :3] < 0.1).sum()
    assert fonts.missing() is None


def test_what_no_font_has_is_said_once(fonts_of, tmp_path):
    fonts_of(tiny_font(tmp_path / "NotoSansCJK-Regular.ttf", "日"))
    assert label("日本語") == "日□□"
    assert fonts.missing() == (
        "no installed font has the characters 本語, which are □ in the plots; install a font that has them, such as "
        "the package fonts-noto-cjk"
    )
    assert fonts.missing() is None


def test_fonts_are_looked_for_only_where_a_text_needs_one(monkeypatch):
    monkeypatch.setattr(fonts, "installed", lambda: pytest.fail("all fonts were looked for"))
    for text in ("plain", "Zürich", "σ² ≤ ½", "Москва"):
        assert label(text) == text
    confusion_plot(np.eye(2, dtype=int), ["Zürich", "Αθήνα"], "test")


def pixels(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert b"matplotlib" not in png.lower()
    image = imread(io.BytesIO(png))
    assert image[..., :3].std() > 0, "nothing is drawn"
    return image


def history(epochs, **changes):
    columns = {
        "epoch": list(range(1, epochs + 1)),
        "train.loss": [1 / (epoch + 1) for epoch in range(epochs)],
        "train.accuracy": [1 - 1 / (epoch + 2) for epoch in range(epochs)],
        "validation.loss": [1.2 / (epoch + 1) for epoch in range(epochs)],
        "validation.accuracy": [0.9] * epochs,
        "validation.f1": [0.9] * epochs,
        "learning_rate": [0.1] * epochs,
        "seconds": [0.1] * epochs,
    }
    return columns | {name.replace("_", ".", 1): values for name, values in changes.items()}


@pytest.fixture
def axes_of(monkeypatch):
    """Return the axes that a plot was drawn on."""

    def run(function, *arguments, **options):
        drawn = []
        for module in ("curves", "confusion", "predicted", "learned"):
            monkeypatch.setattr(f"mltrain.report.plots.{module}.png", lambda one: drawn.append(one) or canvas.png(one))
        function(*arguments, **options)
        return drawn[0].axes

    return run


@pytest.mark.parametrize("epochs", [1, 2, 200])
def test_curves_of_any_number_of_epochs(epochs):
    pixels(loss_curves(history(epochs), best_epoch=epochs))
    pixels(metric_curves(history(epochs)))


def test_one_epoch_is_marked(axes_of):
    (axes,) = axes_of(loss_curves, history(1))
    assert [line.get_marker() for line in axes.lines] == ["o", "s"]
    (axes,) = axes_of(loss_curves, history(200), 3)
    assert [line.get_marker() for line in axes.lines[:2]] == ["", ""]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["train", "validation", "best: epoch 3"]


def test_nan_and_infinity_leave_gaps(axes_of):
    (axes,) = axes_of(loss_curves, history(4, validation_loss=[1.0, math.inf, math.nan, 0.5]))
    assert np.isnan(axes.lines[1].get_ydata()).tolist() == [False, True, True, False]
    assert axes.get_ylim()[1] < 2
    (axes,) = axes_of(loss_curves, history(2, train_loss=[math.nan] * 2, validation_loss=[math.nan] * 2))
    assert "all values are NaN or infinite" in [text.get_text() for text in axes.texts]


def test_a_wide_range_is_logarithmic(axes_of):
    (axes,) = axes_of(loss_curves, history(3, train_loss=[1e6, 10.0, 1.0]))
    assert axes.get_yscale() == "log"
    (axes,) = axes_of(loss_curves, history(3, train_loss=[1e6, 10.0, -1.0]))
    assert axes.get_yscale() == "linear"


def test_every_metric_has_a_panel(axes_of):
    panels = axes_of(metric_curves, history(3))
    assert [panel.get_ylabel() for panel in panels] == ["accuracy", "f1"]
    assert len(panels[0].lines) == 2
    assert metric_curves({"epoch": [1], "train.loss": [1.0], "seconds": [1.0]}) is None
    many = {f"validation.m{number}": [0.5, 0.6] for number in range(13)}
    pixels(curves.metric_curves({"epoch": [1, 2], **many}))


@pytest.mark.parametrize("classes", [2, 3, 12, 13, 30, 31, 100])
def test_confusion_of_any_number_of_classes(classes):
    counts = np.random.default_rng(0).integers(0, 50, (classes, classes))
    pixels(confusion_plot(counts, [f"class number {number}" for number in range(classes)], "test"))


def test_confusion_says_counts_and_shares(axes_of):
    axes = axes_of(confusion_plot, np.array([[3, 1], [0, 0]]), ("no", "yes"), "test")[0]
    assert [text.get_text() for text in axes.texts] == ["3\n75%", "1\n25%", "0", "0"]
    assert axes.get_title() == "confusion matrix, test, n = 4"
    assert [text.get_text() for text in axes.get_yticklabels()] == ["no", "yes"]


@pytest.mark.parametrize(
    ("classes", "shown"),
    [
        (("Iris setosa (wild)", "Iris setosa (bred in a garden)"), ("Iris setosa (wild)", "Iris setosa (bred…")),
        (("a country of the north", "a country of the nxxth"), ("a countr…he north", "a countr…he nxxth")),
        (
            ("x" * 20 + "a" + "y" * 20, "x" * 20 + "b" + "y" * 20, "z"),
            ("0: xxxxxxxx…yyyyyyyy", "1: xxxxxxxx…yyyyyyyy", "z"),
        ),
        (("日本", "中国"), ("0: □□", "1: □□")),
    ],
)
def test_no_two_classes_have_the_same_name(axes_of, classes, shown):
    axes = axes_of(confusion_plot, np.eye(len(classes), dtype=int), classes, "test")[0]
    assert tuple(text.get_text() for text in axes.get_yticklabels()) == shown


def test_names_that_do_not_fit_stand_upright(axes_of):
    short, long = (axes_of(confusion_plot, np.eye(3, dtype=int), [name] * 3, "test")[0] for name in ("no", "n" * 17))
    assert {text.get_rotation() for text in short.get_xticklabels()} == {0}
    assert {text.get_rotation() for text in long.get_xticklabels()} == {90}


@pytest.mark.parametrize(
    ("target", "predictions"),
    [([3.0], [3.0]), ([0.0], [0.0]), ([1.0, 2.0], [math.nan, math.inf]), ([1e-30, 2e-30], [1.0, 1e30])],
)
def test_predicted_plots_of_few_and_odd_values(target, predictions):
    pixels(predicted_plot(np.array(target), np.array(predictions)[:, None], "y", "validation"))


def test_rows_that_are_not_shown_are_counted(axes_of):
    (axes,) = axes_of(predicted_plot, np.arange(4.0), np.array([0, math.nan, 2, math.inf]), "price", "test")
    assert axes.get_title() == "test, n = 4, 2 NaN or infinite and not shown"
    assert axes.get_xlabel() == "true price"


def test_learned_curves(axes_of):
    x, grid = np.array([0.1, math.nan, 0.9]), np.linspace(0, 1, 5)
    points = {"train": (x, 2 * x + 1), "test": (x, 2 * x)}
    (axes,) = axes_of(
        learned_plot, points, (grid, 2 * grid), input_name="x", target_name="y", formula="1.887 x + 1.051"
    )
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["train", "test", "learned: 1.887 x + 1.051"]
    pixels(learned_plot(points, (grid, grid), input_name="hours", target_name="passed", classes=("no", "yes")))


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_data_cannot_break_a_plot(name):
    pixels(confusion_plot(np.eye(2, dtype=int), [name, name], name))
    pixels(predicted_plot(np.arange(3.0), np.arange(3.0), name, name))
    points = {name: (np.arange(2.0), np.arange(2.0))}
    pixels(learned_plot(points, points[name], input_name=name, target_name=name, classes=(name, name), formula=name))


def test_labels_are_one_short_line_without_formulas():
    assert label("$a$ and $b$") == r"\$a\$ and \$b\$"
    assert label("\x1b[2J\n") == r"\x1b[2J\n"
    assert label("日本") == "□□"
    assert label("x" * 100, 10) == "x" * 9 + "…"


def test_equal_data_gives_equal_bytes():
    matrix = np.array([[3, 1], [0, 5]])
    assert confusion_plot(matrix, ("no", "yes"), "test") == confusion_plot(matrix, ("no", "yes"), "test")
    assert loss_curves(history(20), 7) == loss_curves(history(20), 7)


def test_the_style_of_the_user_changes_nothing_and_stays():
    expected = loss_curves(history(3))
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 30, "text.usetex": False, "axes.grid": True}):
        assert loss_curves(history(3)) == expected
        assert mpl.rcParams["font.size"] == 30


def test_pyplot_is_never_imported():
    code = (
        "import sys\nfrom mltrain.report.plots.curves import loss_curves\n"
        "assert 'matplotlib' not in sys.modules\n"
        "loss_curves({'epoch': [1], 'train.loss': [1.0]})\nsys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_a_figure_has_the_size_that_was_asked():
    with figure(2, 1) as drawn:
        assert imread(io.BytesIO(canvas.png(drawn))).shape[:2] == (120, 240)
