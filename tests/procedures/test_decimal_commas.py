"""A comma in a number is a decimal point or separates thousands: the advice says which, and works."""

import json

import pytest

CONFIG = """\
name: commas
data: {source: {type: csv, path: d.csv}, target: p, split: none}
model: {type: mlp, units: [4]}
training: {epochs: 1}
"""
DECIMAL, THOUSANDS = "set data.source.decimal: ','", "set data.source.thousands: ','"


@pytest.fixture
def train(mltrain, tmp_path):
    def run(values, delimiter, *more):
        quote = '"' if delimiter == "," else ""
        rows = [f"{quote}{value}{quote}{delimiter}{row % 5}.5" for row, value in enumerate(values * 6)]
        (tmp_path / "d.csv").write_text("\n".join([f"a{delimiter}p", *rows]) + "\n")
        (tmp_path / "c.yaml").write_text(CONFIG)
        sets = [f'data.source.delimiter="{delimiter}"', *more]
        return mltrain("train", "c.yaml", "-q", *(f"--set={each}" for each in sets))

    return run


@pytest.mark.parametrize(
    ("values", "delimiter", "advised", "left_out"),
    [
        (["0,134", "1,250"], ",", DECIMAL, THOUSANDS),
        (["1,250", "0,134"], ",", DECIMAL, THOUSANDS),
        (["1,134", "12,50"], ",", DECIMAL, THOUSANDS),
        (["-0,134", "-1,250"], ",", DECIMAL, THOUSANDS),
        (["1,134", "1,250"], ";", DECIMAL, THOUSANDS),
        (["1,134", "1,234,567"], ",", THOUSANDS, DECIMAL),
        (["1,134", "1,234.5"], ",", THOUSANDS, DECIMAL),
        (["1,234,567", "1,134"], ";", THOUSANDS, DECIMAL),
    ],
)
def test_what_the_comma_can_only_be_is_advised(train, values, delimiter, advised, left_out):
    refused = train(values, delimiter)
    assert refused.code == 4
    assert refused.err.count(advised) == 1 and left_out not in refused.err


def test_where_it_can_be_both_the_message_asks(train):
    refused = train(["1,134", "12,250"], ",")
    assert refused.code == 4
    assert f"if '1,134' means 1134, {THOUSANDS}; if it means 1.134, {DECIMAL}" in refused.err


def test_the_advice_reads_the_numbers(train):
    done = train(["0,134", "1,250"], ",", 'data.source.decimal=","')
    assert done.code == 0, done.err.replace("\n", " ")
    (column,) = json.loads((done.run / "preprocessing.json").read_text())["columns"]
    assert column["scaling"]["center"] == pytest.approx((0.134 + 1.25) / 2)


def test_a_zero_is_no_number_of_thousands(train):
    refused = train(["0,134", "1,250"], ",", 'data.source.thousands=","')
    assert refused.code == 4
    assert "'0,134' is not a number" in refused.err and DECIMAL in refused.err


@pytest.mark.parametrize("mark", [",", "#", "|", "@"])
def test_a_mark_of_yaml_is_advised_in_quotes(train, mark):
    refused = train(["1", "2"], ";", f"data.source.decimal={mark}")
    assert refused.code == 3
    assert f"write 'data.source.decimal=\"{mark}\"'" in refused.err
