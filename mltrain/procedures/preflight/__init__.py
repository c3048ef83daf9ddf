"""`check`: everything that a training does before its end, on a few rows and for a few seconds, and what that says of
the whole training. Nothing is written."""
