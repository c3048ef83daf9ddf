"""TensorFlow is imported as a command imports it: quietly, and out of the garbage collector's sight."""

import subprocess
import sys

CODE = """
import gc, sys
from mltrain.tensorflow_start import start_tensorflow
said = start_tensorflow()
assert gc.isenabled()
assert gc.get_freeze_count() > 100_000, gc.get_freeze_count()
assert not {"sklearn", "pandas", "scipy", "matplotlib.pyplot"} & set(sys.modules)
assert start_tensorflow() == ""
"""


def test_it_is_quiet_and_the_collector_does_not_look_through_it():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
