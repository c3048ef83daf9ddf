"""No line of mltrain runs code that it read, and files are written in one module: read from the syntax trees."""

from __future__ import annotations

import pytest

from tests.conftest import REPOSITORY
from tests.hostile.syntax import forbidden, writes

SOURCES = sorted((REPOSITORY / "mltrain").rglob("*.py"))

# Where something is written beside mltrain/run/durable.py: why it may be, and what it is, so that it does not grow.
WRITERS = {
    "run/lock.py": (
        "the lock file, which must be open for writing on NFS; no link is followed",
        {"os.O_RDWR", "os.O_CREAT", "os.ftruncate", "os.pwrite", ".unlink()"},
    ),
    "run/former_state.py": (
        "links to the files of a run that is resumed, inside it, and the way back; no link is followed",
        {".rename()", ".unlink()", "os.link", "os.mkdir", "os.rename", "shutil.copy2", "shutil.rmtree"},
    ),
    "run/arrays.py": ("zip archives in memory", {"zipfile.ZipFile for writing", "archive.open for writing"}),
    "data/outputs.py": (
        "zip archives, into the file that durable gives",
        {"zipfile.ZipFile for writing", "written.open for writing"},
    ),
    "report/plots/canvas.py": ("pictures in memory", {".print_png()"}),
    "cli/app.py": (
        "the report of a bug, under a name that the system draws in the temporary folder",
        {"tempfile.NamedTemporaryFile"},
    ),
    "cli/streams.py": ("the standard streams, and /dev/null in their place", {"os.O_RDWR", "os.O_WRONLY", "io.FileIO"}),
    "tensorflow_start.py": (
        "a temporary file without a name that catches what TensorFlow prints",
        {"tempfile.TemporaryFile"},
    ),
    "training/signals.py": ("a pipe to a thread of its own", {"os.write"}),
    "procedures/results.py": (
        "model.keras, which Keras saves to a path only: in a private temporary folder",
        {"tempfile.TemporaryDirectory", ".save()"},
    ),
    "procedures/launching.py": (
        "the logs of workers, in a private temporary folder; durable puts them into the run",
        {"?.open for writing", ".unlink()", "tempfile.TemporaryDirectory"},
    ),
    "procedures/run_process.py": (
        "files without a name, for what another process is told and what it answers",
        {"tempfile.TemporaryFile"},
    ),
    "cli/train_workers.py": ("where the run is and who is lost, in that folder", {".write_text()"}),
    "keras_api/generate.py": ("the catalogue: a tool for developers, which no command runs", {".write_text()"}),
}

# The one module that runs code of the user's: for `--plugin`, and from installed packages.
PLUGINS = REPOSITORY / "mltrain" / "plugins.py"

# The one module that opens HDF5 files: it takes arrays, and refuses what Keras never writes (test_weight_files.py).
HDF5 = REPOSITORY / "mltrain" / "first_weights" / "hdf5.py"

# What may run code that was not read: a sum over the workers inside a graph, a method of ours; and a worker that starts
# its own command line again.
OURS = {
    REPOSITORY / "mltrain" / "training" / "sharing.py": {"numpy_function"},
    REPOSITORY / "mltrain" / "cli" / "train_workers.py": {"execv"},
}


def name(path):
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_runs_code_that_was_read(path):
    found = {each.what.rpartition(".")[2] for each in forbidden(path.read_text(encoding="utf-8"))}
    running = {"exec_module", "spec_from_loader", "module_from_spec", "entry_points"}
    assert found == (running if path == PLUGINS else {"h5py"} if path == HDF5 else OURS.get(path, set()))


def test_a_file_of_code_is_named_by_the_command_line_alone():
    def naming(words):
        return {name(path) for path in SOURCES if words in path.read_text(encoding="utf-8")}

    assert naming("from_file(") == {"mltrain/plugins.py", "mltrain/config/plugins.py"}
    assert {path.split("/")[1] for path in naming("Plugins.of_files(")} == {"cli"}


def test_files_are_written_in_one_module():
    package = REPOSITORY / "mltrain"
    found = {
        path.relative_to(package).as_posix(): {each.what for each in writes(path.read_text(encoding="utf-8"))}
        for path in SOURCES
    }
    assert found.pop("run/durable.py")
    assert {path: places for path, places in found.items() if places} == {
        path: places for path, (_, places) in WRITERS.items()
    }


def test_one_program_in_a_text_opens_an_archive_and_only_what_a_training_has_just_written():
    """The walker reads no texts, and this one is run by another process: `train --verify-export`, never `evaluate`."""
    opening = {path for path in SOURCES if "load_model(" in path.read_text(encoding="utf-8")}
    verify = REPOSITORY / "mltrain" / "procedures" / "verify_export.py"
    assert opening == {verify}
    using = {path for path in SOURCES if "procedures.verify_export" in path.read_text(encoding="utf-8")}
    assert using == {REPOSITORY / "mltrain" / "procedures" / "finish.py"}


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "import pickle as safe",
        "from pickle import loads",
        "from joblib import load",
        "import dill, json",
        "def f():\n    import cloudpickle",
        "import builtins\nbuiltins.eval('1')",
        "eval('1')",
        "run = eval",
        "exec(text)",
        "compile(text, 'x', 'exec')",
        "__import__(name)",
        "keras.models.load_model(path)",
        "from keras.models import load_model as read",
        "from keras import saving\nsaving.load_model(path)",
        "getattr(keras.models, 'load_model')(path)",
        "keras.config.enable_unsafe_deserialization()",
        "keras.saving.deserialize_keras_object(config)",
        "import yaml\nyaml.load(text, Loader=yaml.CSafeLoader)",
        "from yaml import load\nload(text)",
        "from yaml import unsafe_load",
        "import yaml\nyaml.full_load(text)",
        "import yaml as y\ny.UnsafeLoader",
        "import numpy as np\nnp.load(path)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "import numpy as np\nnp.load(path, None, True, allow_pickle=False)",
        "import numpy as np\nnp.load(path, allow_pickle=trusted)",
        "numpy.lib.format.read_array(file, allow_pickle=True)",
        "import importlib\nimportlib.import_module(name)",
        "from importlib import import_module\nimport_module(f'mltrain.{name}')",
        "import subprocess\nsubprocess.run(line, shell=True)",
        "import subprocess\nsubprocess.run(line, shell=maybe)",
        "from subprocess import run\nrun(line, **options)",
        "import os\nos.system('ls')",
        "from os import system\nsystem('ls')",
        "import os as o\no.popen('ls')",
        "import os\nos.execv('/bin/sh', [])",
        "import importlib.util\nimportlib.util.spec_from_file_location(name, path)",
        "loader.exec_module(module)",
        "import tempfile\ntempfile.mktemp()",
        "import tensorflow as tf\ntf.saved_model.load(path)",
    ],
)
def test_the_walker_finds_code_that_runs(line):
    assert forbidden(line)


@pytest.mark.parametrize(
    "line",
    [
        "import re\nre.compile('x')",
        "model.compile(loss)",
        "import yaml\nyaml.parse(text, Loader=yaml.CSafeLoader)",
        "import numpy as np\nnp.load(file, allow_pickle=False)",
        "import importlib\nimportlib.import_module('keras')",
        "import subprocess\nsubprocess.run(['git', 'status'])",
        "evaluate(run)",
        "'eval(1)'",
    ],
)
def test_the_walker_lets_pass_what_is_harmless(line):
    assert forbidden(line) == []


@pytest.mark.parametrize(
    "line",
    [
        "open(path, 'w')",
        "open(path, mode='ab')",
        "open(path, 'r+')",
        "open(path, mode)",
        "open(*arguments)",
        "import io\nio.open(path, 'x')",
        "path.open('w')",
        "archive.open(name)",
        "archive.open(name, 'w')",
        "path.write_text('x')",
        "path.unlink()",
        "import os\nos.open(path, os.O_WRONLY)",
        "import os\nos.replace(a, b)",
        "from os import rename\nrename(a, b)",
        "import os\nos.fdopen(handle, 'w')",
        "import shutil\nshutil.rmtree(path)",
        "from shutil import copy\ncopy(a, b)",
        "import tempfile\ntempfile.mkdtemp()",
        "model.save(path)",
        "figure.savefig(path)",
        "archive.extractall(path)",
        "import zipfile\nzipfile.ZipFile(path, 'w')",
    ],
)
def test_the_walker_finds_writing(line):
    assert writes(line)


@pytest.mark.parametrize(
    "line",
    [
        "open(path)",
        "open(path, 'rb')",
        "path.open('rb')",
        "path.open()",
        "text.replace('a', 'b')",
        "import os\nos.open(path, os.O_RDONLY | os.O_NOFOLLOW)",
        "import shutil\nshutil.disk_usage(path)",
        "archive.open(name, 'r')",
        "import zipfile\nzipfile.ZipFile(path)",
    ],
)
def test_the_walker_lets_pass_reading(line):
    assert writes(line) == []
