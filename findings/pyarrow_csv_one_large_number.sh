#!/usr/bin/env bash
# pyarrow: one whole number above 2^63 - 1 makes a whole CSV column float64, and other ids in it run together.
# Valid input: a CSV file of three ids, two of which differ by one.
# Seen with pyarrow 26.0.1 on Linux: type double, [9007199254740992.0, 9007199254740992.0, 1.8446744073709552e+19].
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys
from pyarrow import csv

ids = [9007199254740992, 9007199254740993, 18446744073709551615]
column = csv.read_csv(io.BytesIO(("id\n" + "\n".join(map(str, ids)) + "\n").encode()))["id"]
without = csv.read_csv(io.BytesIO(("id\n" + "\n".join(map(str, ids[:2])) + "\n").encode()))["id"]
print("with the large id:   ", column.type, column.to_pylist())
print("without the large id:", without.type, without.to_pylist())
sys.exit(0 if str(column.type) == "double" and column[0].as_py() == column[1].as_py() and without[0] != without[1] else 1)
PYTHON
