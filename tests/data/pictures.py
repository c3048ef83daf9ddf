"""Small image files for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def pixels(rows: int, *shape: int, seed: int = 0) -> np.ndarray:
    """Return random 8-bit images (rows, …)."""
    return np.random.default_rng(seed).integers(0, 256, (rows, *shape), np.uint8)


def write_folder(folder: Path, images: np.ndarray, labels: list[str], ending: str = ".png") -> list[str]:
    """Write images (rows, height, width[, 3]), one folder a class; return their names below `folder`, sorted."""
    names = []
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / label / f"{number:03d}{ending}")
        names.append(f"{label}/{number:03d}{ending}")
    return sorted(names)
