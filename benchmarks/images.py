"""How image files are read: `python -m benchmarks.images`, two minutes, 200 MB on the disk.

JPEG files of photos' size are decoded and shrunk to uint8 arrays, by `image_folder` and by Keras'
`image_dataset_from_directory`, in turns. The peak of the memory is that of a process that reads them, less what it has
on a dozen of them, as a share of the arrays; 1.3 times that is the most it may be. Keras' method of decoding and
shrinking is another one, so the pixels differ by some levels.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.processes import cost
from benchmarks.ratios import Ratio, Row, in_turns, quick, ratio, show

AT_MOST = 1.3
FILES, QUICK_FILES, FEW = 10_000, 200, 12
ROUNDS, QUICK_ROUNDS = 5, 1
# Height and width of the files, and of the arrays.
STORED, READ = (256, 256), (128, 128)
# Levels, of 255: the mean over all pixels of smooth pictures.
TOLERANCE = 2.0
_READ = """
import sys
from pathlib import Path
from mltrain.data.files.image_folder import read_image_folder
from mltrain.data.files.image_form import ImageForm
read_image_folder(Path(sys.argv[1]), ImageForm(int(sys.argv[2]), int(sys.argv[3]), gray=False))
"""


def main() -> None:
    """Measure, and print the table."""
    short = quick(__doc__)
    show(measured(QUICK_FILES if short else FILES, QUICK_ROUNDS if short else ROUNDS))


def measured(files: int, rounds: int) -> Iterator[Row]:
    """Yield the rows of the table.

    Raises:
        SystemExit: the pixels differ by more than two ways of decoding do.
    """
    with tempfile.TemporaryDirectory() as name:
        folder, few = Path(name) / "photos", Path(name) / "few"
        write_photos(folder, files)
        write_photos(few, FEW)
        what = f"{files:,} JPEG files of {STORED[0]} × {STORED[1]} to {READ[0]} × {READ[1]}"
        yield _seconds(folder, what, rounds)
        size = files * READ[0] * READ[1] * 3 / 2**20
        shares = [AT_MOST * size / (_megabytes(folder) - _megabytes(few)) for _ in range(rounds)]
        share = Ratio(statistics.median(shares), min(shares), max(shares))
        above = f"{AT_MOST / share.median:.2f} times the arrays above those of {FEW} files"
        yield Row(f"peak memory, {what}", f"{AT_MOST} times the uint8 arrays", 1, share, above)


def write_photos(folder: Path, files: int) -> None:
    """Write smooth pictures as JPEG, half of them in each of two folders."""
    from PIL import Image

    draw = np.random.default_rng(42)
    for label in ("cat", "dog"):
        (folder / label).mkdir(parents=True)
    for number in range(files):
        coarse = Image.fromarray(draw.integers(0, 256, (16, 16, 3), np.uint8))
        picture = coarse.resize(STORED[::-1], Image.Resampling.BICUBIC)
        picture.save(folder / ("cat", "dog")[number % 2] / f"{number:06d}.jpg", quality=90)


def _seconds(folder: Path, what: str, rounds: int) -> Row:
    from mltrain.data.files.image_folder import read_image_folder
    from mltrain.data.files.image_form import ImageForm
    from mltrain.tensorflow_start import start_tensorflow

    start_tensorflow()
    import keras

    form = ImageForm(*READ, gray=False)
    read: dict[str, np.ndarray] = {}

    def by_mltrain() -> None:
        read["mltrain"] = np.asarray(read_image_folder(folder, form).columns["image"])

    def by_keras() -> None:
        batches = keras.utils.image_dataset_from_directory(
            folder, image_size=READ, shuffle=False, batch_size=256, verbose=False
        )
        read["keras"] = np.concatenate([np.rint(images.numpy()).astype(np.uint8) for images, _ in batches])

    seconds = in_turns({"mltrain": by_mltrain, "keras": by_keras}, rounds)
    apart = float(np.abs(read["mltrain"].astype(np.int16) - read["keras"]).mean())
    if apart > TOLERANCE:
        raise SystemExit(f"the pixels differ by {apart:.1f} levels on average, more than {TOLERANCE:g}")
    agreement = f"pixels differ by {apart:.2f} of 255 levels on average"
    return Row(what, "`image_dataset_from_directory`", 1, ratio(seconds["keras"], seconds["mltrain"]), agreement)


def _megabytes(folder: Path) -> float:
    return cost("-c", _READ, str(folder), *map(str, READ)).megabytes


if __name__ == "__main__":
    main()
