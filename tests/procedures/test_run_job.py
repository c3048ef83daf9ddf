"""What a process is told of its run arrives as it was said, whatever bytes are in it."""

from mltrain.procedures.run_job import RunJob


def test_a_job_arrives_as_it_was_sent():
    job = RunJob(
        config=b"\xff\xfename: \x00\n",
        path="f\udcfcr.yaml",
        overrides=("data.split.fold=2", "threads=1"),
        gates=("test.f1 >= 0.8",),
        plugins=("own.py",),
        folder="runs",
        run="runs/fold-2",
        command=("mltrain", "cross-validate", "f\udcfcr.yaml"),
        launcher=7,
        allow_inexact=False,
        verify_export=True,
        profile=False,
    )
    assert job.as_text().isascii()
    assert RunJob.of_text(job.as_text()) == job
