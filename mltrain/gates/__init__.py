"""Gates: what the results of a run must fulfil."""
