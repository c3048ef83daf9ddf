"""What mltrain is measured against: `python -m benchmarks`, or one part of it, as `python -m benchmarks.start_up`."""
