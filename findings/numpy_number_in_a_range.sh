#!/usr/bin/env bash
# NumPy and Python: `number in range(...)` is answered at once for an int of Python, however long the range is. For a number
# of NumPy, also a whole one (np.int64), Python looks through the range number by number: `in range(1, 2**31)` takes a
# minute where the number is not in it. The documentation of `range` promises constant time for int objects alone, and a
# number that is read from an array looks like one.
# Valid input: a whole number that is not in a range of ten million.
# Seen with numpy 2.4.6 and Python 3.11 to 3.13 on Linux:
#   int:      False, in less than a millisecond
#   np.int64: False, more than 1,000 times as long
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import time

import numpy as np


def seconds(number):
    began = time.perf_counter()
    found = number in range(1, 10_000_000)
    return found, time.perf_counter() - began


(plain, quick), (of_numpy, slow) = seconds(0), seconds(np.int64(0))
print(f"int:      {plain}, in {'less' if quick < 0.001 else 'more'} than a millisecond")
print(f"np.int64: {of_numpy}, {'more' if slow > 1000 * quick else 'less'} than 1,000 times as long")
sys.exit(plain or of_numpy or slow < 1000 * quick)
PYTHON
