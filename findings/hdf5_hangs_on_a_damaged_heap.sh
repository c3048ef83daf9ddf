#!/usr/bin/env bash
# HDF5: reading a text attribute never ends where the heap that holds it is damaged: free space in it that says to be 0
# bytes long is looked at again and again. One changed byte of a file is enough; a file of weights has such texts
# (`layer_names`). h5py 3.14 with HDF5 1.14.6.
# Valid input: none; the file is damaged, and an error is what one would expect.
# Seen with h5py 3.14.0 (HDF5 1.14.6) on Linux:
#   the whole file: ['dense']
#   damaged:        no answer in 10 s
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check h5py==3.14.0 2>/dev/null
cd "$folder"
cat > read.py <<'PYTHON'
import sys

import h5py

with h5py.File(sys.argv[1]) as file:
    print(list(file.attrs["layer_names"]))
PYTHON
venv/bin/python - <<'PYTHON'
import h5py

with h5py.File("whole.h5", "w") as file:
    file.attrs["layer_names"] = ["dense"]
data = bytearray(open("whole.h5", "rb").read())
heap = data.find(b"GCOL")
at = heap + 16
data[at : at + 2] = b"\0\0"  # the first text becomes free space …
data[at + 8 : at + 16] = bytes(8)  # … of no length
open("damaged.h5", "wb").write(data)
PYTHON
echo "the whole file: $(venv/bin/python read.py whole.h5)"
if timeout 10 venv/bin/python read.py damaged.h5 2>/dev/null; then exit 1; else code=$?; fi
echo "damaged:        $([ "$code" = 124 ] && echo 'no answer in 10 s' || echo "exit code $code")"
[ "$code" = 124 ]
