"""Columns that count the rows: the index that pandas writes into a file is left out, and others are found."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from mltrain.data.preparation import prepare
from mltrain.data.spec import DataSpec

ROWS = 120
INDEX = "__index_level_0__"


def columns(seed=0, **more):
    draw = np.random.default_rng(seed)
    x = draw.normal(size=ROWS)
    return {"x": x.tolist(), **more, "y": np.where(x + draw.normal(size=ROWS) > 0, "a", "b").tolist()}


def with_pandas_index(path, index):
    """Write what `frame.to_parquet()` writes of a frame whose index has no name: a column, named in the metadata."""
    table = pa.table({**columns(), INDEX: pa.array(index)})
    metadata = b'{"index_columns": ["__index_level_0__"], "column_indexes": [], "columns": [], "pandas_version": "3"}'
    parquet.write_table(table.replace_schema_metadata({"pandas": metadata}), path)


def prepared(**data):
    return prepare(DataSpec.model_validate({"target": "y", **data}), 1)


def test_the_nameless_index_of_pandas_is_left_out_and_reported(tmp_path):
    with_pandas_index(tmp_path / "d.parquet", np.random.default_rng(1).permutation(3000)[:ROWS])
    parquet.write_table(pa.table(columns()), tmp_path / "plain.parquet")
    source = {"type": "parquet", "path": str(tmp_path / "d.parquet")}
    plain = {"type": "parquet", "path": str(tmp_path / "plain.parquet")}
    found, expected = prepared(source=source), prepared(source=plain)
    assert found.examples["train"].x.tobytes() == expected.examples["train"].x.tobytes()
    (said,) = [each for each in found.decisions if each.what == f"features.{INDEX}"]
    assert (said.value, "pandas wrote its row index here" in said.reason) == ("ignore", True)
    # The advice works, and a file without the index goes with one that has it.
    used = prepared(source=source, features={INDEX: "number"})
    assert [each.column for each in used.preprocessing.columns] == ["x", INDEX]
    for one, other in ((source, plain), (plain, source)):
        split = {"type": "files", "validation": 0.2, "test": other}
        assert prepared(source=one, split=split).preprocessing.feature_names == ("x",)


def test_an_index_with_a_name_is_a_column(tmp_path):
    table = pa.table(columns(weight=np.random.default_rng(2).integers(0, 50, ROWS).tolist()))
    metadata = b'{"index_columns": ["weight"], "column_indexes": [], "columns": [], "pandas_version": "3"}'
    parquet.write_table(table.replace_schema_metadata({"pandas": metadata}), tmp_path / "d.parquet")
    found = prepared(source={"type": "parquet", "path": str(tmp_path / "d.parquet")})
    assert found.preprocessing.feature_names == ("x", "weight")


def test_the_index_is_not_in_windows_either(tmp_path):
    parquet.write_table(pa.table({"v": np.arange(ROWS) % 7, INDEX: range(ROWS)}), tmp_path / "d.parquet")
    source = {"type": "parquet", "path": str(tmp_path / "d.parquet")}
    spec = {"source": source, "target": "v", "windows": {"length": 3}, "split": {"type": "time"}}
    found = prepare(DataSpec.model_validate(spec), 1)
    assert found.preprocessing.columns[0].features == ("v",)
    assert any(each.what == f"features.{INDEX}" and each.value == "left out" for each in found.decisions)


@pytest.mark.parametrize(
    ("name", "numbers", "advice"),
    [
        ("Unnamed: 0", np.random.default_rng(3).permutation(ROWS), "write the file with index=False"),
        ("index", np.random.default_rng(4).permutation(ROWS), "write the file with index=False"),
        ("level_0", np.random.default_rng(4).permutation(500)[:ROWS], "write the file with index=False"),
        ("customer", 10_000 + np.random.default_rng(5).permutation(ROWS), "set it to ignore"),
        ("customer", np.random.default_rng(6).permutation(500)[:ROWS], "set it to ignore"),
    ],
)
def test_shuffled_row_numbers_are_found(name, numbers, advice, tmp_path, mltrain):
    rows = columns(**{name: numbers.tolist()})
    text = ",".join(rows) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in zip(*rows.values(), strict=True))
    (tmp_path / "d.csv").write_text(text)
    (tmp_path / "c.yaml").write_text("data: {source: {type: csv, path: d.csv}, target: y}\nmodel: {type: linear}\n")
    done = mltrain("audit", "c.yaml")
    assert done.code == 0
    assert f"'{name}'" in done.out + done.err
    assert advice in done.out + done.err
    # The advice works.
    again = mltrain("audit", "c.yaml", "--set", f'data.features={{"{name}": ignore}}')
    assert f"'{name}'" not in again.out + again.err


def test_amounts_that_differ_by_chance_are_not_row_numbers(tmp_path, mltrain):
    """Distinct whole numbers from a range in which few would be equal by chance say nothing."""
    amounts = np.random.default_rng(7).permutation(40_000)[:ROWS]
    rows = columns(amount=amounts.tolist())
    text = ",".join(rows) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in zip(*rows.values(), strict=True))
    (tmp_path / "d.csv").write_text(text)
    (tmp_path / "c.yaml").write_text("data: {source: {type: csv, path: d.csv}, target: y}\nmodel: {type: linear}\n")
    done = mltrain("audit", "c.yaml")
    assert "counts or names" not in done.out + done.err
