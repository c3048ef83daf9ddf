"""From a YAML, with `--set` and `--gate`, to a checked experiment; every problem with its place."""
