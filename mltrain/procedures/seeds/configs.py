"""From one config to that of each seed. No TensorFlow, no NumPy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from mltrain.config.load import Loaded, again
from mltrain.data.sources.synthetic import SyntheticSource
from mltrain.errors import UsageError
from mltrain.spec import as_plain

_LARGEST = 2**32 - 1
_MOST = 1000


def asked_seeds(text: str, first: int) -> tuple[int, ...]:
    """Return the seeds that `--seeds` asks for: `5` is the seed of the config and the four after it, `1,2,3` are these.

    Args:
        text: what was given.
        first: the seed of the config.

    Raises:
        UsageError: it is neither, or fewer than two.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= len(str(_LARGEST)) for part in parts):
        raise UsageError(f"--seeds: expected a number of seeds (5) or a list of seeds (1,2,3), received {text!r}")
    numbers = [int(part) for part in parts]
    if len(numbers) > 1:
        if max(numbers) > _LARGEST:
            raise UsageError(f"--seeds: a seed is at most {_LARGEST}, received {max(numbers)}")
        twice = next((number for number in numbers if numbers.count(number) > 1), None)
        if twice is not None:
            raise UsageError(f"--seeds: {twice} is listed twice; remove one")
    count = numbers[0] if len(numbers) == 1 else len(numbers)
    if not 2 <= count <= _MOST:
        raise UsageError(
            f"--seeds: expected a number from 2 to {_MOST:,}, received {count}; a spread needs at least two seeds "
            "(for one training with another seed, use --set seed=7)"
        )
    return tuple((first + step) % (_LARGEST + 1) for step in range(count)) if len(numbers) == 1 else tuple(numbers)


def seed_configs(loaded: Loaded, seeds: Sequence[int], gates: Sequence[str] = ()) -> dict[int, Loaded]:
    """Return the config of each seed, by the seed: what `mltrain train` makes of it with `--set seed=…`.

    Rows that are drawn by the seed of the experiment, by a split or a synthetic source, stay those of the config's own
    seed: what differs between the runs is the training alone.

    Args:
        loaded: the config.
        seeds: of the runs.
        gates: of the command line.
    """
    same_rows = list(_same_rows(loaded))
    return {seed: again(loaded, [f"seed={seed}", *same_rows], gates) for seed in seeds}


def _same_rows(loaded: Loaded) -> Iterator[str]:
    """Yield an override for each seed that is not stated and decides on rows."""
    data, seed = loaded.spec.data, loaded.spec.seed
    if isinstance(data.source, SyntheticSource) and data.source.seed is None:
        yield f"data.source.seed={seed}"
    split = data.split
    for name in ("validation", "test"):  # of the split `files`
        source = getattr(split, name, None)
        if isinstance(source, SyntheticSource) and source.seed is None:
            yield f"data.split.{name}.seed={seed}"
    if getattr(split, "seed", 0) is None:
        if loaded.root.existing(("data", "split")) == ("data", "split"):
            yield f"data.split.seed={seed}"
        else:
            stated = as_plain(split.model_copy(update={"seed": seed}))
            yield f"data.split={json.dumps(stated, ensure_ascii=False)}"
