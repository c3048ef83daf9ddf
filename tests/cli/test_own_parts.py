"""Components of the user's own, through the commands: from a training to every reader of its run."""

import json
import re
import shutil
import sys

import pytest

from tests.conftest import in_process
from tests.own_parts import CONFIG, DATA, NETS

PLUGIN = ("--plugin", "nets.py")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    (folder / "nets.py").write_text(NETS)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "new.csv").write_text("x1,x2\n0.5,0.5\n")
    done = in_process(folder, "train", "config.yaml", *PLUGIN, "--run-dir", "run", "--verify-export")
    assert done.code == 0, done.err
    assert done.out == f"{folder / 'run'}\n"
    (folder / "said.txt").write_text(done.err)
    return folder


@pytest.fixture
def folder(trained, tmp_path):
    return shutil.copytree(trained, tmp_path, dirs_exist_ok=True)


def read(path):
    return json.loads(path.read_text())


def test_each_is_recorded_with_where_it_is_from_and_the_archive_with_what_it_needs(trained):
    record = read(trained / "run" / "record.json")
    own = {(each["kind"], each["name"]): each for each in record["own_parts"]}
    assert set(own) == {
        ("layer", "NoisyScale"),
        ("optimizer", "HeavyBall"),
        ("schedule", "Halving"),
        ("loss", "focal"),
    }
    assert {each["origin"]["plugin"] for each in own.values()} == {"nets.py"}
    assert {len(each["origin"]["sha256"]) for each in own.values()} == {64}
    (decision,) = (each for each in record["decisions"] if each["what"] == "model.keras")
    assert decision["value"] == "needs nets.py to be opened"
    assert decision["reason"] == 'NoisyScale is in it: tell Keras custom_objects={"NoisyScale": NoisyScale}'
    assert (
        "model.keras, opened in another process with nets.py, predicts the same" in (trained / "said.txt").read_text()
    )
    assert "NoisyScale" in (trained / "run" / "report.html").read_text()


@pytest.mark.parametrize(
    "command",
    [["evaluate"], ["reproduce"], ["resume", "--epochs", "9"], ["predict", "new.csv"], ["explain"]],
    ids=" ".join,
)
def test_without_the_plugin_it_is_named(folder, command):
    done = in_process(folder, command[0], "run", *command[1:])
    assert done.code == 12
    assert re.fullmatch(
        r"error: layer NoisyScale is one of nets\.py \(sha256 \w{12}\): give it with --plugin nets\.py\n", done.err
    )


def test_what_builds_no_network_needs_no_plugin(folder):
    for command in (["show", "run"], ["report", "run"]):
        done = in_process(folder, *command)
        assert done.code == 0, done.err


def test_with_the_plugin_the_numbers_are_the_same_and_a_changed_one_is_said(folder):
    done = in_process(folder, "evaluate", "run", *PLUGIN, "--json")
    assert done.code == 0, done.err
    found, before = json.loads(done.out), read(folder / "run" / "metrics.json")
    assert found["splits"]["test"]["metrics"] == before["splits"]["test"]["metrics"]
    assert "plugin_sentences" not in found
    done = in_process(folder, "predict", "run", "new.csv", *PLUGIN)
    assert done.code == 0, done.err
    assert done.out.startswith("x1,x2,prediction\n0.5,0.5,")
    (folder / "nets.py").write_text(NETS.replace("How much noise", "What noise"))
    said = r"layer NoisyScale is that of nets\.py \(sha256 \w{12}\), in the training it was nets\.py \(sha256 "
    for command in (["evaluate", "run"], ["predict", "run", "new.csv"], ["explain", "run"]):
        done = in_process(folder, *command, *PLUGIN)
        assert done.code == 0, done.err
        assert re.search(said, done.err)
    done = in_process(folder, "resume", "run", "--epochs", "9", *PLUGIN, "--quiet")
    assert done.code == 5
    assert "own_parts.layer.NoisyScale: nets.py (sha256 " in done.err


def test_it_is_reproduced(folder):
    done = in_process(folder, "reproduce", "run", *PLUGIN, "--run-dir", "again", "--quiet")
    assert done.code == 0, done.err
    assert "identical" in done.out


def test_it_is_listed_and_in_the_schema(folder):
    listed = in_process(folder, "list", "layer", "noisy_scale", *PLUGIN)
    assert "Multiplies by a learned factor, and adds noise that grows while training." in listed.out
    assert "stddev: number; default 0.1\n      How much noise there is." in listed.out
    assert "sides: 'both' | 'above'; default \"both\"" in listed.out
    assert "_Hidden" not in in_process(folder, "list", "layer", *PLUGIN).out
    for kind, names in (
        ("loss", ("focal", "Brier")),
        ("optimizer", ("HeavyBall",)),
        ("schedule", ("Halving",)),
        ("model", ("tiny", "whole", "Penalty", "PenaltyNet")),
    ):
        found = in_process(folder, "list", kind, *PLUGIN).out
        assert all(f"  {name}(" in found for name in names)
    schema = in_process(folder, "schema", *PLUGIN).out
    assert all(f'"{name}"' in schema for name in ("NoisyScale", "focal", "HeavyBall", "Halving", "tiny", "Penalty"))
    # A second command of the process has none of the plugins of the first.
    assert '"NoisyScale"' not in in_process(folder, "schema").out


def test_the_schema_takes_the_config_and_refuses_an_argument_of_another_type(folder):
    jsonschema = pytest.importorskip("jsonschema")
    yaml = pytest.importorskip("yaml")
    schema = json.loads(in_process(folder, "schema", *PLUGIN).out)
    config = yaml.safe_load(CONFIG)
    jsonschema.validate(config, schema)
    validator = jsonschema.Draft7Validator({**schema["properties"]["model"], "definitions": schema["definitions"]})
    graph = {"type": "graph", "layers": [{"type": "NoisyScale", "name": "a"}]}
    assert all(
        map(validator.is_valid, ("tiny", {"type": "tiny", "width": 3}, {"type": "Penalty", "network": "mlp"}, graph))
    )
    wrong = ({"type": "tiny", "width": 3.5}, {"type": "Penalty"}, {"type": "tiny", "wide": 3})
    assert not any(map(validator.is_valid, wrong))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("stddev: 0.05", "stdev: 0.05", "model.layers[1].stdev: unknown key (did you mean 'stddev'?)"),
        ("stddev: 0.05", "stddev: high", "model.layers[1].stddev: expected a number, received text 'high'"),
        ("stddev: 0.05", "start: 1.5", "model.layers[1].start: expected an integer, received 1.5"),
        ("stddev: 0.05", "sides: bth", "expected 'both' or 'above', received text 'bth' (did you mean 'both'?)"),
        ("NoisyScale", "NoisyScales", "model.layers[1].type: unknown layer 'NoisyScales' (did you mean 'NoisyScale'?)"),
        ("rate: 0.05, every: 20", "every: 2", "training.optimizer.learning_rate.rate: Halving needs 'rate': a number"),
        ("every: 20", "evry: 20", "unknown key (did you mean 'every'?)"),
        ("gamma: 1", "gama: 1", "training.loss.gama: unknown key (did you mean 'gamma'?)"),
        ("focal, gamma: 1", "fcal", "training.loss.type: unknown loss 'fcal' (did you mean 'focal'?)"),
        ("HeavyBall, learning_rate", "HeavyBall, learnin_rate", "unknown key (did you mean 'learning_rate'?)"),
    ],
)
def test_a_mistake_is_an_error_at_its_line(folder, old, new, said):
    text = CONFIG.replace(old, new)
    assert text != CONFIG
    (folder / "config.yaml").write_text(text)
    done = in_process(folder, "validate", "config.yaml", *PLUGIN)
    assert done.code == 3
    line = next(
        number
        for number, each in enumerate(text.splitlines(), start=1)
        if new in each or ("Halving" in each and not new)
    )
    assert said in done.err
    assert f"config.yaml:{line}:" in done.err


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("{type: tiny, widht: 3}", "model.widht: unknown key (did you mean 'width'?)"),
        ("{type: tiny, width: 3.5}", "model.width: expected an integer, received 3.5"),
        ("{type: tyny}", "model.type: unknown model 'tyny' (did you mean 'tiny'?)"),
        ("{type: Penalty}", "Penalty is a training step: it needs 'network', the model that it trains"),
        ("{type: Penalty, network: {type: mlp, unit: [3]}}", "model.network.unit: unknown key"),
        ("{type: Penalty, network: {type: mpl}}", "model.network.type: unknown model 'mpl' (did you mean 'mlp'?)"),
        ("{type: tiny, network: mlp}", "it is a network itself"),
        ("{type: Penalty, network: {type: tabular}}", "its members have a loss each"),
    ],
)
def test_a_mistake_in_a_model_is_an_error_at_its_place(folder, model, said):
    (folder / "config.yaml").write_text(f"{DATA}model: {model}\n")
    done = in_process(folder, "validate", "config.yaml", *PLUGIN)
    assert done.code == 3
    assert said in done.err
    assert "config.yaml:5:" in done.err


def test_an_ensemble_is_refused_for_a_step_of_its_own(folder):
    (folder / "config.yaml").write_text(f"{DATA}model: {{type: Penalty, network: mlp}}\nensemble: 3\n")
    done = in_process(folder, "validate", "config.yaml", *PLUGIN)
    assert done.code == 3
    assert "config.yaml:6:" in done.err
    assert "Penalty has its own train_step: remove ensemble" in done.err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("class NoisyScale", "class Dropout", "nets.py: layer Dropout (nets.py:"),
        ("class NoisyScale", "class Lambda", "has the name of Keras' layer Lambda: rename it, as in MyLambda"),
        ("def focal", "def mse", "has the name of Keras' loss MeanSquaredError"),
        ("def tiny", "def mlp", "has the name of mltrain's own model mlp: rename it, as in my_mlp"),
        (
            "class Halves",
            "class noisyscale",
            "layer noisyscale (nets.py:48) has the name of NoisyScale (nets.py:22)",
        ),
        ("stddev: float = 0.1", "stddev", "argument stddev has no type; expected int, float, bool, str"),
        ("stddev: float = 0.1", "stddev: dict = None", "argument stddev has the type dict; expected int, float"),
        ("stddev: float = 0.1", "stddev: float = 'x'", "argument stddev: its default is 'x'; expected a number"),
        ("stddev: float = 0.1", "stddev: Nothing = 1", "its annotations cannot be read: NameError: name 'Nothing'"),
        ("self, learning_rate=0.1, momentum: float = 0.9, **kwargs", "self", "its __init__ has no 'learning_rate'"),
        ("@loss\n", "@loss(name=3)\n", "ValueError: 3 is not a valid name of a loss"),
        ("class Halves", "@loss\nclass Halves", "a class needs no @loss"),
    ],
)
def test_a_plugin_that_cannot_be_offered_is_one_line(folder, old, new, said):
    text = NETS.replace(old, new, 1)
    assert text != NETS
    (folder / "nets.py").write_text("from __future__ import annotations\n" * ("Nothing" in new) + text)
    done = in_process(folder, "validate", "config.yaml", *PLUGIN)
    assert done.code in (12,)
    assert said in done.err
    assert done.err.replace("nets is read\n", "").count("\n") == 1


LAYER, LOSS, OPTIMIZER = "config.yaml:9:5: model.layers[1]: layer NoisyScale", "training.loss: loss focal", "HeavyBall"
FAULTS = [
    ("self.stddev, self.start", "raise OSError('no')\n        self.stddev, self.start", LAYER, "OSError: no"),
    ("self.factor = self", "self.factr = nothing\n        self.factor = self", LAYER, "NameError: name 'nothing'"),
    ("if training:", "if x.nothing:", LAYER, "has no attribute 'nothing'"),
    ("return x * self.factor", "return ops.matmul(x, x)", LAYER, "ValueError: "),
    ('return {**super().get_config(), "stddev": self.stddev, ', "return {", LAYER, "does not return 'stddev'"),
    ("right = ops.sum(y_true", "right = ops.sum(y_tru", LOSS, "NameError: name 'y_tru'"),
    ("speed = self.speeds[", "speed = self.sped[", OPTIMIZER, "has no attribute 'sped'"),
    ("return self.rate *", "return self.rat *", "schedule Halving", "has no attribute 'rat'"),
]


@pytest.mark.parametrize(("old", "new", "where", "said"), FAULTS, ids=[each[1][:24] for each in FAULTS])
def test_what_fails_in_its_code_is_one_line_with_both_places(folder, old, new, where, said):
    text = NETS.replace(old, new, 1)
    assert text != NETS
    (folder / "nets.py").write_text(text)
    done = in_process(folder, "train", "config.yaml", *PLUGIN, "--run-dir", "bad", "--quiet")
    assert done.code == 12, done.err
    (line,) = [each for each in done.err.splitlines() if each != "nets is read"]
    assert line.startswith("error: config.yaml:")
    assert where in line
    assert said in line
    assert re.search(r"nets\.py:\d+", line)
    assert read(folder / "bad" / "status.json")["exit_code"] == 12


MODELS = [
    "tiny",
    "{type: tiny, width: 7}",
    "{type: whole, width: 7}",
    "PenaltyNet",
    "{type: Penalty, penalty: 0.1, network: {type: mlp, units: [5]}}",
    "{type: Penalty, network: {type: tiny, width: 3}}",
    "{type: sequential, layers: [{type: Halves, sizes: [1, 2], layer: {type: NoisyScale, start: 2}}]}",
    "{type: sequential, layers: [{type: RepeatVector, n: 3}, {type: TimeDistributed, layer: NoisyScale}, Flatten]}",
    "{type: graph, layers: [{type: NoisyScale, name: a}, {type: Add, from: [a, table]}]}",
]


@pytest.mark.long
@pytest.mark.parametrize("model", MODELS)
def test_models_and_nested_layers_are_trained_measured_again_and_opened_with_keras(folder, model):
    (folder / "config.yaml").write_text(f"{DATA}model: {model}\ntraining: {{epochs: 2, batch_size: 8, loss: Brier}}\n")
    done = in_process(folder, "train", "config.yaml", *PLUGIN, "--run-dir", "other", "--verify-export", "--quiet")
    assert done.code == 0, done.err
    done = in_process(folder, "evaluate", "other", *PLUGIN, "--json")
    assert done.code == 0, done.err
    before = read(folder / "other" / "metrics.json")["splits"]["test"]["metrics"]
    assert json.loads(done.out)["splits"]["test"]["metrics"] == before
    for command in (["explain", "other"], ["predict", "other", "new.csv", "--explain"]):
        done = in_process(folder, *command, *PLUGIN)
        assert done.code == 0, done.err


@pytest.mark.long
def test_what_is_not_in_the_network_is_not_needed_to_open_it(folder):
    settings = (
        "{epochs: 1, loss: focal, optimizer: {type: HeavyBall, learning_rate: {type: Halving, rate: 1, every: 9}}}"
    )
    model = "{type: Penalty, network: {type: mlp, units: [5]}}"
    (folder / "config.yaml").write_text(f"{DATA}model: {model}\ntraining: {settings}\n")
    done = in_process(folder, "train", "config.yaml", *PLUGIN, "--run-dir", "other", "--verify-export")
    assert done.code == 0, done.err
    assert "model.keras, opened in another process, predicts the same" in done.err
    assert "to be opened" not in done.err


METRICS = """\
    @property
    def metrics(self):
        return []

"""


def test_a_step_that_keeps_no_loss_and_metrics_of_its_own_are_refused(folder):
    (folder / "config.yaml").write_text(f"{DATA}model: {{type: Penalty, network: mlp}}\n")
    for old, new, said in (
        ('if metric.name == "loss":', 'if metric.name == "none":', "its train_step does not keep the loss"),
        ("    train_step =", f"{METRICS}    train_step =", "'metrics' of its own"),
    ):
        (folder / "nets.py").write_text(NETS.replace(old, new).replace("else:\n", "elif metric.name != 'loss':\n"))
        done = in_process(folder, "train", "config.yaml", *PLUGIN, "--run-dir", f"bad{len(old)}", "--quiet")
        assert done.code == 3, done.err
        assert "config.yaml:5:" in done.err
        assert said in done.err


def test_a_loss_of_the_whole_batch_is_refused(folder):
    (folder / "nets.py").write_text(
        NETS.replace("return -((1.0 - right)", "return -ops.mean((1.0 - right)").replace(
            "log(right + 1e-7)", "mean(right)"
        )
    )
    done = in_process(folder, "train", "config.yaml", *PLUGIN, "--run-dir", "bad", "--quiet")
    assert done.code == 3
    assert "training.loss: focal returns one number; expected the loss of each row, (batch,)" in done.err


def test_an_installed_package_is_imported_only_where_its_part_is_named(folder, monkeypatch):
    (folder / "site").mkdir()
    (folder / "site" / "acme_nets.py").write_text(NETS)
    information = folder / "site" / "acme-1.2.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.2\n")
    groups = {
        "layers": "NoisyScale",
        "losses": "focal",
        "optimizers": "HeavyBall",
        "schedules": "Halving",
        "models": "tiny",
    }
    entries = [f"[mltrain.{group}]\n{name} = acme_nets:{name}\n" for group, name in groups.items()]
    (information / "entry_points.txt").write_text(
        "".join(entries).replace("[mltrain.losses]\n", "[mltrain.losses]\nBrir = acme_nets:Brier\n")
    )
    monkeypatch.syspath_prepend(str(folder / "site"))
    try:
        (folder / "plain.yaml").write_text(f"{DATA}model: mlp\n")
        assert in_process(folder, "validate", "plain.yaml").code == 0
        assert "  NoisyScale(" in in_process(folder, "list", "layer").out
        assert '"tiny"' in in_process(folder, "schema").out
        assert "acme_nets" not in sys.modules
        done = in_process(folder, "train", "config.yaml", "--run-dir", "packaged", "--quiet")
        assert done.code == 0, done.err
        record = read(folder / "packaged" / "record.json")
        assert [each["origin"]["version"] for each in record["own_parts"]] == ["1.2"] * 4
        assert "needs acme to be opened" in (folder / "packaged" / "record.json").read_text()
        assert in_process(folder, "evaluate", "packaged").code == 0
        (folder / "plain.yaml").write_text(f"{DATA}model: {{type: tiny, width: 3}}\ntraining: {{loss: Brir}}\n")
        done = in_process(folder, "validate", "plain.yaml")
        assert done.code == 12
        assert (
            "loss Brir of the package acme: acme_nets:Brier is the loss Brier; expected a loss and this name"
            in done.err
        )
    finally:
        sys.modules.pop("acme_nets", None)
    monkeypatch.undo()
    for command in (["evaluate", "packaged"], ["resume", "packaged", "--epochs", "9"]):
        done = in_process(folder, *command)
        assert done.code == 12
        assert done.err.endswith("): install acme\n")
