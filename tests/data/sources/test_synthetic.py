"""Made data: the rows are the same for ever, and can be learned as far as they say."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from mltrain.data.sources import SyntheticSource
from mltrain.data.sources.synthetic import ARGUMENTS
from mltrain.spec import as_plain


def make(kind, seed=42, **arguments):
    return SyntheticSource.model_validate({"kind": kind, **arguments}).read(seed)


def test_linear_draws_the_rows_of_the_usual_script():
    np.random.seed(42)
    x = np.random.rand(100).astype(np.float32)
    y = (2 * x + 1 + np.random.normal(0, 0.1, 100)).astype(np.float32)
    table = make("linear")
    np.testing.assert_array_equal(table.column("x").to_numpy().astype(np.float32), x)
    np.testing.assert_array_equal(table.column("y").to_numpy().astype(np.float32), y)
    assert (table.target, table.task) == ("y", "regression")


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_the_same_seed_gives_the_same_rows(kind):
    table = make(kind, rows=30)
    assert len(table) == 30
    assert table.sha256 == make(kind, rows=30).sha256 == make(kind, rows=30, seed=42).sha256
    assert table.sha256 != make(kind, rows=30, seed=43).sha256
    source = SyntheticSource.model_validate({"kind": kind})
    assert SyntheticSource.model_validate(as_plain(source)) == source


@pytest.mark.parametrize(
    ("kind", "column", "shape", "task", "classes"),
    [
        ("moons", "x2", (60,), "binary", ("0", "1")),
        ("blobs", "x2", (60,), "multiclass", ("0", "1", "2")),
        ("shapes", "image", (60, 16, 16, 1), "multiclass", ("circle", "square", "triangle")),
        ("sequences", "sequence", (60, 32, 1), "multiclass", ("0", "1", "2")),
        ("noise", "x", (60, 784), "multiclass", tuple("0123456789")),
    ],
)
def test_classes_and_shapes(kind, column, shape, task, classes):
    table = make(kind, rows=60)
    values = table.column(column)
    assert (values.shape if isinstance(values, np.ndarray) else (len(values),)) == shape
    assert (table.target, table.task, table.classes) == ("label", task, classes)
    labels = table.column("label").to_numpy()
    assert set(labels) == set(range(len(classes)))
    if kind != "noise":
        assert np.ptp(np.bincount(labels)) == 0


def test_moons_lie_on_their_half_circles():
    table = make("moons", rows=50, noise=0.0)
    x1, x2, label = (table.column(name).to_numpy() for name in ("x1", "x2", "label"))
    upper, lower = label == 0, label == 1
    np.testing.assert_allclose(x1[upper] ** 2 + x2[upper] ** 2, 1)
    np.testing.assert_allclose((x1[lower] - 1) ** 2 + (x2[lower] - 0.5) ** 2, 1)
    assert (x2[upper] >= 0).all()
    assert (x2[lower] <= 0.5).all()


def test_shapes_are_told_apart_by_their_area_and_survive_a_flip():
    table = make("shapes", rows=300, noise=0.0, size=32)
    images = table.column("image")[..., 0].astype(float)
    labels = table.column("label").to_numpy()
    inside = images > (images.min((1, 2)) + images.max((1, 2)))[:, None, None] / 2
    height = inside.any(2).sum(1)
    width = inside.any(1).sum(1)
    filled = inside.sum((1, 2)) / (height * width)
    np.testing.assert_allclose(filled[labels == 1], 1.0)
    assert abs(filled[labels == 0].mean() - np.pi / 4) < 0.03
    assert abs(filled[labels == 2].mean() - 0.5) < 0.05
    # Both a triangle that points up and one that points down are drawn, so that a flip of one is like the other.
    widest_row = inside[labels == 2].sum(2).argmax(1)
    top = inside[labels == 2].any(2).argmax(1)
    points_down = widest_row - top < height[labels == 2] / 2
    assert 0.3 < points_down.mean() < 0.7


def test_a_sequence_has_as_many_periods_as_its_class_says():
    table = make("sequences", rows=90, noise=0.0, classes=4, features=2)
    spectrum = abs(np.fft.rfft(table.column("sequence"), axis=1))
    np.testing.assert_array_equal(spectrum.argmax(1), np.stack([table.column("label").to_numpy() + 1] * 2, 1))


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"kind": "moons", "slope": 1.0}, ("slope",)),
        ({"kind": "noise", "noise": 0.1}, ("noise",)),
        ({"kind": "sequences", "classes": 20}, ("steps",)),
        ({"kind": "linear", "rows": 0}, ("rows",)),
        ({"kind": "linear", "noise": -0.1}, ("noise",)),
        ({"kind": "spirals"}, ("kind",)),
        ({"kind": ["moons"]}, ("kind",)),
        ({}, ("kind",)),
    ],
)
def test_mistakes_have_a_place(value, place):
    with pytest.raises(ValidationError) as raised:
        SyntheticSource.model_validate(value)
    assert [error["loc"] for error in raised.value.errors()] == [place]


def test_stores_have_their_promotions_and_sizes():
    table = make("stores", rows=2_000, noise=0.5)
    column = {name: table.column(name).to_numpy() for name in table.columns}
    assert (column["day"] == np.arange(2_000) // 4).all()
    assert (column["weekday"] == column["day"] % 7).all()
    for store in range(1, 5):
        mine = column["store"] == store
        (size,) = set(column["size"][mine])
        with_it, without = (column["sold"][mine & (column["promotion"] == each)].mean() for each in (1, 0))
        assert with_it - without == pytest.approx(2 + size / 25, abs=0.5)
    assert 0.2 < column["promotion"].mean() < 0.3
    assert (table.target, table.task) == ("sold", "regression")
