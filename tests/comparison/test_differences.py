"""What differs between configs is said once, and nothing else."""

from mltrain.comparison.differences import differences


def test_equal_configs_differ_in_nothing():
    assert differences([{"a": {"b": [1, 2]}}, {"a": {"b": [1, 2]}}]) == {}


def test_a_value_is_named_by_its_path():
    first = {"model": {"layers": [{"type": "Dense", "units": 4}, {"type": "Dropout"}]}, "seed": 1}
    second = {"model": {"layers": [{"type": "Dense", "units": 8}, {"type": "Dropout"}]}, "seed": 1}
    assert differences([first, second]) == {"model.layers[0].units": (4, 8)}


def test_what_only_some_have_is_one_line():
    with_callback = {"callbacks": [{"type": "EarlyStopping", "patience": 3, "mode": "auto"}]}
    without = {"callbacks": []}
    assert differences([without, with_callback, with_callback]) == {
        "callbacks[0]": (None, *[{"type": "EarlyStopping", "patience": 3, "mode": "auto"}] * 2)
    }
    assert differences([{"target": None}, {"target": {"column": "y"}}]) == {"target": (None, {"column": "y"})}


def test_a_difference_among_those_that_have_it_is_still_found():
    first, second = {"model": {"type": "a", "units": 1, "x": 2}}, {"model": {"type": "a", "units": 3, "x": 2}}
    third = {"model": {"type": "b", "deep": {"z": 0}}}
    assert differences([first, second, third]) == {
        "model.type": ("a", "a", "b"),
        "model.units": (1, 3, None),
        "model.x": (2, 2, None),
        "model.deep": (None, None, {"z": 0}),
    }


def test_values_of_other_kinds_differ_as_a_whole():
    assert differences([{"a": 1}, {"a": [1]}, {"a": True}]) == {"a": (1, [1], True)}
