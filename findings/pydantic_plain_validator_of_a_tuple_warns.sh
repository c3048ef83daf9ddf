#!/usr/bin/env bash
# pydantic: model_dump(mode="json") warns of a valid tuple in a field with a PlainValidator.
# Valid input: a field of tuple[str, ...] whose validator returns a tuple of texts. Without the validator there is no
# warning; with it the serializer compares the list that it has just made with the tuple that the type expects.
# Known for dates and UUIDs: https://github.com/pydantic/pydantic/issues/10402 and 10964.
# Seen with pydantic 2.14.4 on Linux:
#   with PlainValidator:  {'names': ['a', 'b']} 1 warnings
#   without:              {'names': ['a', 'b']} 0 warnings
#   with PlainSerializer: {'names': ['a', 'b']} 0 warnings
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check pydantic==2.14.4
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings
from typing import Annotated

from pydantic import BaseModel, PlainSerializer, PlainValidator

Names = tuple[str, ...]
kinds = {
    "with PlainValidator: ": Annotated[Names, PlainValidator(tuple)],
    "without:             ": Names,
    "with PlainSerializer:": Annotated[Names, PlainValidator(tuple), PlainSerializer(list)],
}
counts = []
for name, kind in kinds.items():
    model = type("Model", (BaseModel,), {"__annotations__": {"names": kind}})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        print(name, model(names=("a", "b")).model_dump(mode="json"), len(said), "warnings")
    counts.append(len(said))
sys.exit(0 if counts == [1, 0, 0] else 1)
PYTHON
