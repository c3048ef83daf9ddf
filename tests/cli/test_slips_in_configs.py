"""Slips in a config for which a message says the right form."""

import pytest


@pytest.mark.parametrize(
    ("gate", "right"),
    [("test.f1 => .5", ">="), ("test.loss =< 2", "<="), ("test.f1=>.5", ">=")],
)
def test_a_reversed_comparison(mltrain, config, gate, right):
    refused = mltrain("train", config(), "--gate", gate)
    assert refused.code in (2, 3)
    assert f"is not a comparison: write {right}" in refused.err


def test_a_reversed_comparison_in_stop_when(mltrain, config):
    refused = mltrain("validate", config(), "--set", "training.stop_when='validation.loss =< .5'")
    assert refused.code == 3
    assert "'=<' is not a comparison: write <=" in refused.err


def test_an_empty_config_has_no_code_line(mltrain, tmp_path):
    for text in ("", "\n", "   \n"):
        (tmp_path / "e.yaml").write_text(text)
        refused = mltrain("validate", "e.yaml")
        assert refused.code == 3
        assert "the config is empty" in refused.err and "^" not in refused.err


@pytest.mark.parametrize("key", ["seperator", "separator", "sep"])
def test_another_name_of_the_delimiter(mltrain, config, key):
    path = config(source=f"  source: {{type: csv, path: d.csv, {key}: ';'}}\n  target: y")
    refused = mltrain("validate", path)
    assert refused.code == 3
    assert f"{key}: unknown key (did you mean 'delimiter'?)" in refused.err
