"""The same command twice gives the same bytes: in other processes, from another folder, with another environment."""

import pytest

# Dropout, normalization and augmentation draw random numbers while training.
NETWORK = """\
name: twice
data:
  source: {type: synthetic, kind: shapes, rows: 90}
model:
  type: sequential
  layers:
    - {type: RandomTranslation, height_factor: 0.1, width_factor: 0.1}
    - {type: Conv2D, filters: 4, kernel_size: 3}
    - BatchNormalization
    - GlobalAveragePooling2D
    - {type: Dropout, rate: 0.3}
training: {epochs: 3, batch_size: 16}
"""


@pytest.mark.long
@pytest.mark.parametrize("other", [{"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LANG": "C", "LC_ALL": "C"}])
def test_two_processes_write_the_same_bytes(shell, tmp_path, other):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "twice.yaml").write_text(NETWORK)
    first = shell("mltrain train ../twice.yaml --run-dir run --quiet", cwd=tmp_path / "a", PYTHONHASHSEED="1")
    again = shell(f"mltrain train {tmp_path}/twice.yaml --run-dir run --quiet", cwd=tmp_path / "b", **other)
    assert (first.code, again.code) == (0, 0), first.err + again.err
    mine, theirs = tmp_path / "a" / "run", tmp_path / "b" / "run"
    for name in ("metrics.json", "preprocessing.json", "splits/test.npy", "plots/loss.png", "plots/confusion.png"):
        assert (mine / name).read_bytes() == (theirs / name).read_bytes(), name
    for kind in ("best", "last"):
        (one,), (other_one,) = mine.glob(f"checkpoints/{kind}-*"), theirs.glob(f"checkpoints/{kind}-*")
        assert one.name == other_one.name
        assert (one / "arrays.npz").read_bytes() == (other_one / "arrays.npz").read_bytes()

    def rows(run):
        return [line.rpartition(",")[0] for line in (run / "history.csv").read_text().splitlines()]

    assert rows(mine) == rows(theirs)
