"""What `device` may say, and what is said at its line where it may not."""

from __future__ import annotations

import pytest

from mltrain.config.load import load_text
from mltrain.config.resolved import resolved_yaml
from mltrain.problems import InvalidConfigError
from mltrain.training.device_names import single_devices

CONFIG = "data: {{source: {{type: synthetic, kind: blobs}}, split: {{type: random, validation: 0.2}}}}\ndevice: {}\n"


def loaded(tmp_path, device, *overrides):
    return load_text(CONFIG.format(device).encode(), "config.yaml", tmp_path, overrides)


@pytest.mark.parametrize(
    ("written", "means", "single"),
    [
        ("auto", "auto", ()),
        ("cpu", "cpu", ()),
        ("gpu", "gpu", ()),
        ("all", "all", ()),
        ("cpu:0", "cpu", ()),
        ("[cpu:0]", "cpu", ()),
        ("gpu:1", "gpu:1", ("gpu:1",)),
        ("[gpu:1]", "gpu:1", ("gpu:1",)),
        ("[gpu:2, gpu:0]", ("gpu:2", "gpu:0"), ("gpu:2", "gpu:0")),
        ("[cpu:1, cpu:0]", ("cpu:1", "cpu:0"), ("cpu:1", "cpu:0")),
    ],
)
def test_what_it_means(tmp_path, written, means, single):
    found = loaded(tmp_path, written)
    assert found.spec.device == means
    assert single_devices(means) == single
    assert found.spec.model_dump(mode="json")["device"] == (list(means) if isinstance(means, tuple) else means)
    # What a run keeps of it is read again as the same, and so is what the command line says.
    assert load_text(resolved_yaml(found).encode(), "again.yaml", tmp_path).spec.device == means
    assert loaded(tmp_path, "auto", f"device={written}").spec.device == means


@pytest.mark.parametrize(
    ("written", "column", "said"),
    [
        ("tpu", 9, "device: unknown device 'tpu' (did you mean 'gpu'?): expected auto, cpu, gpu, all"),
        ("GPU:1", 9, "device: unknown device 'GPU:1' (did you mean 'gpu:1'?)"),
        ("gpu1", 9, "device: unknown device 'gpu1' (did you mean 'gpu:1'?)"),
        ("/device:GPU:0", 9, "device: unknown device '/device:GPU:0' (did you mean 'gpu:0'?)"),
        ("gpu:-1", 9, "device: devices are counted from 0: expected gpu:0, received 'gpu:-1'"),
        ("cpu:1", 9, "device: there is one CPU: expected cpu, or a list that splits it ([cpu:0, cpu:1])"),
        ("2", 9, "device: expected auto, cpu, gpu, all (every GPU of the machine), one GPU (gpu:1) or a list"),
        ("{gpu: 1}", 1, "device: expected auto, cpu, gpu, all"),
        ("null", 9, "received nothing (null)"),
        ("[]", 1, "device: expected at least one device in the list, such as [gpu:0]: it is empty"),
        ("[gpu:0, gpu:0]", 17, "device[1]: gpu:0 is in the list twice"),
        ("[gpu:0, cpu:1]", 17, "device[1]: cpu:1 is of another kind than gpu:0"),
        ("[gpu:0, gpu]", 17, "device[1]: a list names single devices: expected gpu:0, gpu:1, … or cpu:0, cpu:1, …"),
        ("[gpu:0, gpu:-2]", 17, "device[1]: devices are counted from 0: expected gpu:0, received 'gpu:-2'"),
        ("[0, 1]", 10, "device[0]: expected one device, such as gpu:0, received 0 (did you mean gpu:0?)"),
        ("[gpu: 0]", 10, "device[0]: expected one device, such as gpu:0, received a mapping"),
        ("[cpu:0, cpu:2]", 17, "device[1]: the CPU is split in as many parts as the list has: expected cpu:0 to cpu:1"),
        ("[cpu:3]", 10, "device[0]: the CPU is split in as many parts as the list has: expected cpu:0, received"),
    ],
)
def test_what_is_refused_at_its_line(tmp_path, written, column, said):
    with pytest.raises(InvalidConfigError) as refused:
        loaded(tmp_path, written)
    first = refused.value.problems[0]
    assert (first.place.line, first.place.column) == (2, column)
    assert said in first.line()
    assert all(len(each.line()) < 220 for each in refused.value.problems)
    with pytest.raises(InvalidConfigError) as refused:
        loaded(tmp_path, "auto", f"device={written}")
    assert said in str(refused.value)


def test_every_wrong_item_is_said(tmp_path):
    with pytest.raises(InvalidConfigError) as refused:
        loaded(tmp_path, "[gpu:0, gpu:0, cpu:0]")
    assert [each.path for each in refused.value.problems] == [("device", 1), ("device", 2)]
