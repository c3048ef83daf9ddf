"""Advice in messages: each piece is read from a message, followed through the command line, and works."""

import json
import re
import shlex

import numpy as np
import pytest

CONFIG = """\
name: advice
data:
  source: {type: csv, path: rows.csv}
  target: y
model: {type: mlp, units: [4]}
training: {epochs: 1}
"""


def table(y, **columns):
    """Return a CSV of a number, further columns and the target."""
    columns = {"x": np.random.default_rng(0).normal(size=len(y)).round(3), **columns, "y": y}
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    return "\n".join(lines) + "\n"


SMALL = ["a", "b"] * 15
COUNTS = [0, 1, 2, 3, 4, 5] * 4 + [6]


# Name: the CSV, the settings that give the message, the message, and the settings that it advises.
ADVICE = {
    "a guessed task": (
        table([*COUNTS[:-1], 8]),
        ["data.split={type: kfold}"],
        "state task: regression",
        ["task=regression"],
    ),
    "prices as texts": (
        table([f"${number}.5" for number in range(30)]),
        [],
        "state task: multiclass to learn each text",
        ["task=multiclass", "data.split=none"],
    ),
    "stratify that is not possible": (
        table([*SMALL, "c"]),
        ["data.split={type: random, stratify: true}"],
        "use auto",
        ["data.split.stratify=auto"],
    ),
    "stratified groups that are not possible": (
        table([*SMALL, "c"], g=[number // 2 for number in range(31)]),
        ["data.split={type: group, column: g, stratify: true}"],
        "use auto",
        ["data.split.stratify=auto"],
    ),
    "folds that cannot be stratified": (
        table([*SMALL, "c", "c"]),
        ["data.split={type: kfold, stratify: true}"],
        "use auto",
        ["data.split.stratify=auto"],
    ),
    "a new class in later rows": (
        table([*SMALL, "c"]),
        ["data.split={type: time}"],
        "use data.split: {type: random}",
        ["data.split={type: random}"],
    ),
    "texts that differ": (
        table(["a", "b"] * 40, x=[f"name{number}" for number in range(80)]),
        ["data.split=none"],
        "data.features.x: {type: category, max_categories: 80}",
        ["data.features.x={type: category, max_categories: 80}"],
    ),
    "everything is ignored": (
        table(SMALL),
        ["data.features.x=ignore"],
        "remove 'ignore' from one of them",
        ["data.features.x=number"],
    ),
    "a name with a dot": (
        table(SMALL, **{"a.b": range(30)}),
        ["data.features.a.b=ignore"],
        'write data.features."a.b"=',
        ['data.features."a.b"=ignore'],
    ),
    "a value without quotes": (
        table(SMALL),
        ["name=3"],
        "(put it in quotes: '3')",
        ["name='3'"],
    ),
    "more targets than one": (
        table(SMALL, z=[0.5 * number for number in range(30)], w=range(30)),
        ["data.target=[z, w]", "task=regression"],
        "state multiregression",
        ["task=multiregression"],
    ),
    "labels of which one row has two": (
        table(SMALL, p=[1, 0] * 15, q=[1, *[0, 1] * 14, 1]),
        ["data.target=[p, q]", "task=binary"],
        "task: multilabel to learn each column separately",
        ["task=multilabel"],
    ),
    "class weights of columns": (
        table(SMALL, p=[1, 0, 0] * 10, q=[0, 1, 0] * 10, r=[0, 0, 1] * 10),
        ["data.target=[p, q, r]", "training.class_weight=balanced"],
        "state task: multiclass if the columns are the classes",
        ["task=multiclass"],
    ),
    "a threshold of columns": (
        table(SMALL, p=[1, 0] * 15, q=[0, 1] * 15),
        ["data.target=[p, q]", "evaluation.threshold=0.4"],
        "state task: binary",
        ["task=binary"],
    ),
    "three classes that are stated as two": (
        table(["a", "b", "c"] * 10),
        ["task=binary"],
        "state multiclass",
        ["task=multiclass"],
    ),
    "settings of another task": (
        table([0.5 * number for number in range(30)]),
        ["data.target={column: y, positive: a}"],
        "data.target.positive is for classes",
        ["data.target={column: y}"],
    ),
    "a split that leaves nothing": (
        table(SMALL),
        ["data.split={type: random, test: 30}"],
        "make data.split.test smaller",
        ["data.split.test=5"],
    ),
    "a typo": (
        table(SMALL),
        ["data.split={type: randm}"],
        "did you mean 'random'?",
        ["data.split={type: random}"],
    ),
}


@pytest.mark.parametrize("name", ADVICE)
def test_advice_can_be_followed(mltrain, tmp_path, name):
    rows, before, advice, after = ADVICE[name]
    (tmp_path / "rows.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")

    def audit(*settings):
        return mltrain("audit", "c.yaml", *(part for each in settings for part in ("--set", each)))

    refused = audit(*before)
    assert refused.code in (3, 4) and advice in refused.err, refused.err
    keys = {each.partition("=")[0] for each in after}
    kept = [each for each in before if each.partition("=")[0] not in keys and name != "a name with a dot"]
    followed = audit(*kept, *after)
    assert followed.code == 0, followed.err


# Name: the texts of the target, the settings, what is advised, and the settings or the row that follow it.
MIXED_TARGETS = {
    "a typo": ([1.5, "?", *range(30)], [], "Correct the row or leave it out", []),
    "a typo of a regression": ([1.5, "?", *range(30)], ["task=regression"], "Correct the row or leave it out", []),
    "names of classes": (["5+", *[1, 2, 3] * 10, "5+"], [], "state task: multiclass", ["task=multiclass"]),
}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("name", MIXED_TARGETS)
def test_a_text_among_the_numbers_of_a_target_is_not_advised_as_a_feature_or_as_missing(mltrain, tmp_path, kind, name):
    values, settings, advice, after = MIXED_TARGETS[name]

    def write(values):
        if kind == "csv":
            return (tmp_path / "rows.csv").write_text(table(values), encoding="utf-8")
        rows = [json.dumps({"x": place / 2, "y": value}) for place, value in enumerate(values)]
        return (tmp_path / "rows.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")

    write(values)
    config = CONFIG.replace("csv", kind).replace("epochs: 1}", "epochs: 1, batch_size: 64}")
    (tmp_path / "c.yaml").write_text(config, encoding="utf-8")
    settings = [part for each in settings for part in ("--set", each)]
    refused = mltrain("audit", "c.yaml", *settings)
    assert refused.code == 4 and advice in refused.err, refused.err
    assert "data.features.y" not in refused.err and "missing" not in refused.err
    if not after:
        write([value for value in values if value != "?"])
    followed = mltrain("audit", "c.yaml", *settings, *(part for each in after for part in ("--set", each)))
    assert followed.code == 0, followed.err
    if after:
        trained = mltrain("train", "c.yaml", "--run-dir", "run", "-q", "--set", *after)
        assert trained.code == 0, trained.err
        classes = json.loads((tmp_path / "run" / "preprocessing.json").read_text())["target"]["classes"]
        assert classes == ["1", "2", "3", "5+"]
        measured = mltrain("evaluate", "run", "--data", f"rows.{kind}", "--json")
        assert measured.code == 0 and '"n": 32' in measured.out, measured.err


def refusal(mltrain, folder, config, *arguments):
    (folder / "c.yaml").write_text(config, encoding="utf-8")
    refused = mltrain("audit", "c.yaml", *arguments)
    assert refused.code in (3, 4), refused.err
    return refused.err.splitlines()[0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            [f"photos/{number}.jpg" for number in range(160)],
            "holds names of image files, and none of them was found below the folder of the table",
        ),
        ([f"{number}.wav" for number in range(160)], "holds names of sounds or videos, which mltrain does not read"),
    ],
)
def test_columns_that_are_not_learned_from_say_what_is_taken_instead(mltrain, tmp_path, values, message):
    (tmp_path / "rows.csv").write_text(
        "what,y\n" + "".join(f"{value},{'ab'[place % 2]}\n" for place, value in enumerate(values)), encoding="utf-8"
    )
    said = refusal(mltrain, tmp_path, CONFIG)
    assert f"no column is left to learn from: column 'what' {message}" in said
    assert re.search(r"data.features.what: image|\.npz", said)


@pytest.mark.parametrize(
    ("name", "backbone"),
    [
        ("MobileNetV2", "MobileNetV2"),
        ("mobilenet_v3_small", "MobileNetV3Small"),
        ("ResNet18", "VGG16"),
        ("VGG16", "VGG16"),
    ],
)
def test_pretrained_models_are_named_as_such(mltrain, tmp_path, name, backbone):
    for model in (f"{{type: sequential, layers: [{name}]}}", f"{{type: {name}}}"):
        config = CONFIG.replace("model: {type: mlp, units: [4]}", f"model: {model}")
        said = refusal(mltrain, tmp_path, config)
        assert f"write `model: {{type: pretrained, backbone: {backbone}, weights: …}}`" in said
        assert ("`mltrain list backbone` shows what there is" in said) == (name == "ResNet18")


def test_a_folder_of_sounds_is_named_as_such(mltrain, tmp_path):
    for folder in ("flat", "classes/dog", "classes/cat"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "a.wav").write_bytes(b"RIFF")
    for path in ("flat", "classes"):
        source = f"source: {{type: image_folder, path: {path}, size: [8, 8]}}"
        config = re.sub(r"source: .*\n  target: y", source, CONFIG)
        (tmp_path / "c.yaml").write_text(config, encoding="utf-8")
        refused = mltrain("audit", "c.yaml")
        assert refused.code == 4 and "computed from the files as columns, or as arrays into an .npz file" in refused.err


@pytest.mark.parametrize("positive", ["1", "1.0", "'1'"])
def test_numbers_are_taken_as_names_of_classes(mltrain, tmp_path, positive):
    (tmp_path / "rows.csv").write_text(table([1.0, 2.0] * 15), encoding="utf-8")
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    done = mltrain(
        "audit", "c.yaml", "--set", f"data.target={{column: y, positive: {positive}}}", "--set", "task=binary"
    )
    assert done.code == 0, done.err
    refused = mltrain("audit", "c.yaml", "--set", "data.target={column: y, positive: 1.5}")
    assert refused.code == 4 and "no class '1.5' (1, 2)" in refused.err


SERIES = ["t,v,u", *(f"2024-{1 + day // 28:02}-{1 + day % 28:02},{day * 1.5},{day * 2.5}" for day in range(84))]
OF_WINDOWS = CONFIG.replace("target: y", "target: v\n  windows: {length: 3}\n  split: {type: time, column: t}")


@pytest.mark.parametrize(("column", "advice"), [("v", "or remove the row"), ("u", "or set data.features.u: ignore")])
def test_a_missing_value_in_windows_is_advised_by_what_the_column_is(mltrain, tmp_path, column, advice):
    rows = [line.split(",") for line in SERIES]
    rows[8]["tvu".index(column)] = ""
    (tmp_path / "rows.csv").write_text("\n".join(map(",".join, rows)) + "\n", encoding="utf-8")
    said = refusal(mltrain, tmp_path, OF_WINDOWS)
    assert "rows.csv:9" in said and advice in said and ("ignore" in said) is (column == "u")
    if column == "v":
        (tmp_path / "rows.csv").write_text("\n".join(map(",".join, rows[:8] + rows[9:])) + "\n", encoding="utf-8")
    followed = mltrain("audit", "c.yaml", *(["--set", "data.features.u=ignore"] if column == "u" else []))
    assert followed.code == 0, followed.err


# Name: what becomes of the training file, and the options that are advised for it.
OTHER_FILES = {
    "delimiter": (lambda text: text.replace(",", ";").encode(), "pass --delimiter ';'"),
    "encoding": (lambda text: text.replace("a", "é").encode("latin-1"), "pass --encoding cp1252"),
    "utf-16": (lambda text: text.encode("utf-16"), "pass --encoding utf-16"),
    "header": (lambda text: text.split("\n", 1)[1].encode(), "pass --columns name1,name2"),
    "missing": (lambda text: text.replace("0.126", "?", 1).encode(), "pass --missing '?'"),
}


def test_what_is_advised_for_a_later_file_and_for_a_training_file_works(mltrain, tmp_path):
    text = table(SMALL)
    (tmp_path / "rows.csv").write_text(text, encoding="utf-8")
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    assert mltrain("train", "c.yaml", "-q", "--run-dir", "run").code == 0
    for name, (changed, advice) in OTHER_FILES.items():
        (tmp_path / "new.csv").write_bytes(changed(text))
        options = shlex.split(advice.removeprefix("pass ").replace("name1,name2", "x,y"))
        for command in (["predict", "run", "new.csv"], ["evaluate", "run", "--data", "new.csv"]):
            refused = mltrain(*command)
            assert (refused.code, advice in refused.err) == (4, True), refused.err
            followed = mltrain(*command, *options)
            if (name, command[0]) != ("encoding", "evaluate"):  # é is not a class of the run
                assert followed.code == 0, followed.err
        key, value = options[0].removeprefix("--"), options[1]
        refused = mltrain("audit", "c.yaml", "--set", "data.source.path=new.csv")
        assert refused.code == 4 and f"data.source.{key}" in refused.err, refused.err
        value = {"columns": "[x, y]", "missing": "['?']"}.get(key, f"'{value}'")
        setting = f"data.source.{key}={value}"
        followed = mltrain("audit", "c.yaml", "--set", "data.source.path=new.csv", "--set", setting)
        assert followed.code == 0, followed.err


def test_options_that_are_advised_for_runs_and_outputs_work(mltrain, tmp_path):
    (tmp_path / "rows.csv").write_text(table(SMALL), encoding="utf-8")
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    assert mltrain("train", "c.yaml", "-q", "--run-dir", "run").code == 0
    predict = ["predict", "run", "rows.csv", "--out", "out.csv", "-q"]
    assert mltrain(*predict).code == 0
    refused = mltrain(*predict)
    assert refused.code == 2 and "replace it with --force" in refused.err
    assert mltrain(*predict, "--force").code == 0
    assert "use --epochs to train longer" in mltrain("resume", "run").err
    longer = ["resume", "run", "-q", "--epochs", 2, "--set", "training.batch_size=8"]
    refused = mltrain(*longer)
    assert refused.code == 5 and "use --allow-inexact" in refused.err
    assert mltrain(*longer, "--allow-inexact").code == 0


def test_a_class_of_a_test_file_alone_is_not_advised_to_be_stratified(mltrain, tmp_path):
    (tmp_path / "rows.csv").write_text(table(SMALL), encoding="utf-8")
    (tmp_path / "test.csv").write_text("x,y\n1,a\n2,c\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text(CONFIG, encoding="utf-8")
    split = ["--set", "data.split={type: files, test: {type: csv, path: test.csv}, validation: 0.2}"]
    refused = mltrain("audit", "c.yaml", *split)
    assert refused.code == 4 and "stratify" not in refused.err
    assert "test.csv:3" in refused.err and "add such rows to the training file, or correct the label" in refused.err
    (tmp_path / "rows.csv").write_text(table([*SMALL, "c", "c"]), encoding="utf-8")
    followed = mltrain("audit", "c.yaml", *split)
    assert followed.code == 0, followed.err


# Name: what becomes of the file of the test rows, and what is advised for it.
TEST_FILES = {
    "delimiter": (lambda text: text.replace(",", ";"), "data.split.test.delimiter: ';'", "delimiter=';'"),
    "header": (lambda text: text.split("\n", 1)[1], "data.split.test.columns: [name1, name2]", "columns=[x, y]"),
    "a missing feature": (lambda text: text.replace("0.126", "?"), "'?' to data.split.test.missing", "missing=['?']"),
    "a class": (lambda text: text.replace(",a", ",NA"), "data.split.test.usual_missing: false", "usual_missing=false"),
}


@pytest.mark.parametrize("name", TEST_FILES)
def test_what_is_advised_for_the_file_of_a_split_is_a_key_of_that_split(mltrain, tmp_path, name):
    changed, advice, setting = TEST_FILES[name]
    text = table(SMALL)
    training = text.replace(",a", ",NA") if name == "a class" else text
    (tmp_path / "rows.csv").write_text(training, encoding="utf-8")
    (tmp_path / "test.csv").write_text(changed(text), encoding="utf-8")
    config = CONFIG.replace("path: rows.csv", "path: rows.csv, usual_missing: false")
    config = config.replace("target: y", "target: y\n  split: {type: files, validation: 0.2, test: {path: test.csv}}")
    said = refusal(mltrain, tmp_path, config.replace("test: {path", "test: {type: csv, path"))
    assert "test.csv" in said and advice in said and "data.source" not in said
    followed = mltrain("audit", "c.yaml", "--set", f"data.split.test.{setting}")
    assert followed.code == 0, followed.err
