"""init, validate, show, list, schema and doctor, as a user calls them."""

import json

import jsonschema
import pytest

from mltrain.cli.list import _SHARED
from mltrain.listing.components import KINDS, components


def test_init_writes_a_config_that_is_valid_and_its_schema(shell, tmp_path):
    done = shell("mltrain init && mltrain validate config.yaml")
    assert done.code == 0, done.err
    assert done.out == "config.yaml\nconfig.yaml: ok\n"
    first_line = (tmp_path / "config.yaml").read_text().splitlines()[0]
    assert first_line == "# yaml-language-server: $schema=mltrain.listing.schema.json"
    schema = json.loads((tmp_path / "mltrain.listing.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema == json.loads(shell("mltrain schema").out)


def test_init_overwrites_nothing(mltrain, tmp_path):
    (tmp_path / "config.yaml").write_text("mine")
    done = mltrain("init")
    assert done.code == 2
    assert (tmp_path / "config.yaml").read_text() == "mine"
    assert not (tmp_path / "mltrain.listing.schema.json").exists()


def test_what_init_writes_trains(mltrain, tmp_path):
    assert mltrain("init", "first.yaml").code == 0
    done = mltrain("train", "first.yaml", "--quiet", "--set", "training.epochs=2")
    assert done.code == 0, done.err
    assert (tmp_path / "runs" / ".gitignore").read_text() == "*\n!.gitignore\n"


def test_validate_takes_several_configs_and_standard_input(shell, config):
    path = config()
    done = shell(f"mltrain validate {path} - {path}", stdin="model: {type: mlp}\n")
    assert done.code == 3
    assert done.out == f"{path}: ok\n{path}: ok\n"
    assert "stdin:1:1: data: missing key" in done.err


def test_validate_for_programs(mltrain, config):
    done = mltrain("validate", config(epochs="  epoch: 2"), "--json")
    assert done.code == 3
    (checked,) = json.loads(done.out)["configs"]
    assert not checked["valid"]
    assert [problem["path"] for problem in checked["problems"]] == ["training.epoch"]


def test_validate_says_all_of_the_others_when_a_file_is_missing(mltrain, config):
    done = mltrain("validate", "missing.yaml", config(), config(epochs="  epoch: 2"), "--json")
    assert done.code == 2
    missing, _, wrong = json.loads(done.out)["configs"]
    assert missing["problems"][0]["message"].startswith("config file not found: missing.yaml")
    assert wrong["problems"][0]["path"] == "training.epoch"
    assert "error: config file not found" in done.err


def test_init_of_photos(mltrain, tmp_path):
    (tmp_path / "my photos").mkdir()
    done = mltrain("init", "--example", "photos", "--data", "my photos")
    assert done.code == 0, done.err
    text = (tmp_path / "photos.yaml").read_text()
    assert "path: my photos," in text
    assert "my photos/cat/1.jpg" in text
    assert mltrain("validate", "photos.yaml").code == 0
    assert "photos.yaml: already exists; name another file" in mltrain("init", "--example", "photos").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--example", "photo"), "unknown example (did you mean 'photos'?); there are first, photos"),
        (("--example", "photos", "--data", "a.csv"), "not a folder; --example photos needs one with a folder for each"),
        (("--example", "first", "--data", "a.csv"), "does not look at --data a.csv: give one of the two"),
    ],
)
def test_init_of_another_example_is_refused(mltrain, tmp_path, arguments, said):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    done = mltrain("init", *arguments)
    assert done.code == 2
    assert said in done.err


def test_init_where_nothing_can_be_written_has_an_advice_of_its_own(mltrain):
    done = mltrain("init", "/proc/first.yaml")
    assert done.code == 7
    assert done.err.startswith("error: /proc/first.yaml: cannot write: ")
    assert done.err.endswith("name a file elsewhere, such as `mltrain init ~/first.yaml`\n")


def test_show_nothing_is_no_run(mltrain, config, tmp_path):
    (tmp_path / "config.yaml").write_text("what makes a folder look like a run")
    done = mltrain("show", "")
    assert (done.code, done.err.partition(",")[0]) == (5, "error: '': no such run")


def test_train_takes_standard_input(shell, config):
    text = config().read_text()
    done = shell("mltrain train - --run-dir run --quiet", stdin=text)
    assert done.code == 0, done.err


def test_show(mltrain, small_run):
    text = mltrain("show", small_run).out
    assert "finished: all 2 epochs are done" in text
    assert "accuracy" in text
    found = json.loads(mltrain("show", small_run, "--json").out)
    assert found["status"]["state"] == "finished"
    assert found["metrics"] == json.loads((small_run / "metrics.json").read_text())


def test_show_a_run_that_failed(mltrain, config, tmp_path):
    failed = mltrain("train", config(), "--run-dir", tmp_path / "run", "--set", "training.class_weight={9: 1}")
    assert failed.code == 3
    done = mltrain("show", tmp_path / "run")
    assert done.code == 0, done.err
    assert "failed: " in done.out


def test_list_names_everything_with_its_arguments(mltrain):
    done = mltrain("list")
    for kind in KINDS:
        assert f"\n{kind} — " in f"\n{done.out}"
    for signature in (
        "csv(path, ",
        "mlp(units=",
        "Dense(units, ",
        "Adam(learning_rate=0.001",
        "EarlyStopping(monitor=",
    ):
        assert f"  {signature}" in done.out
    assert max(map(len, done.out.splitlines())) <= 100


def test_list_of_a_kind_says_what_each_is(mltrain):
    lines = mltrain("list", "layer").out.splitlines()
    dense = next(number for number, line in enumerate(lines) if line.startswith("  Dense("))
    assert lines[dense].startswith("  Dense(units, activation=null, ")
    assert "      Just your regular densely-connected NN layer." in lines[dense:]


@pytest.mark.parametrize("kind", _SHARED)
def test_arguments_that_list_says_once_are_those_of_nearly_all(kind):
    every = [{argument.name for argument in component.arguments} for component in components(kind)]
    for name in _SHARED[kind]:
        assert sum(name in names for names in every) >= 0.95 * len(every), name


@pytest.mark.parametrize("kind", KINDS)
def test_list_explains_each_component_of_a_kind(mltrain, kind):
    found = json.loads(mltrain("list", kind, "--json").out)[kind]
    assert len(found) > 1
    for component in found:
        assert component["doc"], component["name"]
        text = mltrain("list", kind, component["name"]).out
        assert text.splitlines()[0].startswith(component["name"])
        for argument in component["arguments"]:
            assert argument["type"], argument
            assert f"{argument['name']}:" in text


def test_list_finds_other_spellings_and_suggests(mltrain):
    assert mltrain("list", "layers", "max_pooling2d").out.startswith("MaxPooling2D")
    done = mltrain("list", "layer", "Dens")
    assert (done.code, done.err) == (2, "error: unknown layer 'Dens' (did you mean 'Dense'?)\n")


def test_doctor(mltrain):
    findings = json.loads(mltrain("doctor", "--json").out)
    assert findings["versions"]["tensorflow"].startswith("2.")
    assert findings["devices"]["auto means"]
    assert "memory" in mltrain("doctor").out


def test_version(shell):
    assert shell("mltrain --version").out.startswith("mltrain 0.")
