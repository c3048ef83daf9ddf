"""A run: one execution of an experiment, and the directory that records it."""
