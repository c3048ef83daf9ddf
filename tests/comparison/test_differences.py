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


def test_a_layer_that_was_removed_is_one_difference():
    layers = [{"type": "Dense", "units": units, "activation": "relu", "bias": None} for units in (64, 32, 16, 8)]
    layers.insert(1, {"type": "Dropout", "rate": 0.2})
    for gone in range(len(layers)):
        fewer = layers[:gone] + layers[gone + 1 :]
        assert differences([{"layers": layers}, {"layers": fewer}]) == {f"layers[{gone}]": (layers[gone], None)}
        assert differences([{"layers": fewer}, {"layers": layers}]) == {f"layers[{gone}]": (None, layers[gone])}
        assert differences([{"layers": layers}, {"layers": fewer}, {"layers": layers}]) == {
            f"layers[{gone}]": (layers[gone], None, layers[gone])
        }


def test_a_removed_and_a_changed_item_are_two():
    one = [{"type": "Dense", "units": 8}, {"type": "Dropout", "rate": 0.1}, {"type": "Dense", "units": 4}]
    two = [{"type": "Dense", "units": 8}, {"type": "Dense", "units": 5}]
    assert differences([{"a": one}, {"a": two}]) == {"a[1]": (one[1], None), "a[2].units": (4, 5)}


def test_two_configs_with_an_item_of_their_own_at_one_place():
    first, second = [{"type": "A", "x": 1}, "same"], ["same", {"type": "B", "y": 2}, {"type": "C"}]
    found = differences([{"a": first}, {"a": second}])
    assert sorted(map(str, found.values())) == sorted(
        map(str, [(first[0], None), (None, second[1]), (None, second[2])])
    )


def test_numbers_of_a_list_are_compared_by_place():
    assert differences([{"units": [64, 32]}, {"units": [64, 16]}]) == {"units[1]": (32, 16)}
