#!/usr/bin/env bash
# pyarrow: to_numpy of a dictionary column in a table gives missing rows the last category of the dictionary.
# Valid input: four texts of which two are missing, dictionary-encoded. Array.to_numpy and to_pylist keep them missing.
# Seen with pyarrow 26.0.1 and numpy 2.4.6 on Linux:
#   ChunkedArray.to_numpy: ['red', 'blue', 'blue', 'blue']
#   Array.to_numpy:        ['red', None, 'blue', None]
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check pyarrow==26.0.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import pyarrow as pa

texts = ["red", None, "blue", None]
array = pa.array(texts).dictionary_encode()
chunked, single = list(pa.chunked_array([array]).to_numpy()), list(array.to_numpy(zero_copy_only=False))
print("ChunkedArray.to_numpy:", chunked)
print("Array.to_numpy:       ", single)
print("to_pylist:            ", array.to_pylist())
sys.exit(0 if chunked == ["red", "blue", "blue", "blue"] and array.to_pylist() == texts else 1)
PYTHON
