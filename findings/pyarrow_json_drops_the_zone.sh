#!/usr/bin/env bash
# pyarrow: read_json turns a time that ends in Z into a timestamp without a time zone; the zone is lost without a warning.
# Valid input: two JSON lines, whose times are in UTC.
# Seen with pyarrow 26.0.1 on Linux: "timestamp[s]" for JSON; "timestamp[s, tz=UTC]" for the same texts in CSV.
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check pyarrow==26.0.1
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys
from pyarrow import csv, json

times = ["2024-01-01T10:00:00Z", "2024-01-02T10:00:00Z"]
lines = "".join(f'{{"at": "{time}"}}\n' for time in times).encode()
of_json = json.read_json(io.BytesIO(lines)).schema.field("at").type
of_csv = csv.read_csv(io.BytesIO(("at\n" + "\n".join(times) + "\n").encode())).schema.field("at").type
print("JSON:", of_json)
print("CSV: ", of_csv)
sys.exit(0 if of_json.tz is None and of_csv.tz == "UTC" else 1)
PYTHON
