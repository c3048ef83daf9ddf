"""The specs described: `mltrain list`, the reference, the JSON Schema."""
