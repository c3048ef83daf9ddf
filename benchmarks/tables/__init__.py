"""Forty public tables, and methods side by side on them: `python -m benchmarks.tables`."""
