"""The benchmark of the loop runs, and what it compares agrees. Nothing is timed here."""

import runpy
from dataclasses import replace

from tests.conftest import REPOSITORY


def test_the_loop_and_fit_agree_in_the_benchmark(monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    script = runpy.run_path(str(REPOSITORY / "benchmarks" / "training_loop.py"))
    for case in script["CASES"]:
        ours, theirs, difference = script["_measured"](replace(case, rows=min(case.rows, 80), epochs=1))
        assert (len(ours), len(theirs)) == (1, 1)
        assert difference <= case.tolerance, case.name
