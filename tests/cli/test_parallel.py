"""`--parallel` where it means nothing."""

import pytest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("train",), "--parallel needs several runs: add --seeds N, or use `mltrain cross-validate`"),
        (("train", "--workers", 2), "--parallel and --workers were both given: "),
        (("train", "--seeds", 2, "--workers", 2), "--parallel and --workers were both given: "),
        (("train", "--seeds", 2, "--parallel", 0), "Invalid value for '--parallel'"),
        (("cross-validate", "--parallel", 0), "Invalid value for '--parallel'"),
    ],
)
def test_parallel_that_means_nothing(mltrain, tmp_path, options, message):
    (tmp_path / "config.yaml").write_text("data: {source: {type: synthetic, kind: blobs}}\n")
    command, *others = options
    done = mltrain(command, "config.yaml", *(() if "--parallel" in others else ("--parallel", 2)), *others)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "runs").exists()
